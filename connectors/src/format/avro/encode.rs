//! Values in Avro's binary form.

use connect_api::{
    Error, Result,
    data::{Field, LogicalType, Schema, SchemaType, Value, json::java_map_order},
};

use super::{
    dialect::Dialect,
    schema::{fixed_size, union_fields},
};
use crate::format::mismatch::{check_scale, wrong_type};

/// Nobody has decimals of more bytes; a schema may say any number.
const MOST_PADDING: usize = 4_096;

impl Dialect {
    /// Appends a value of this schema. Null becomes the schema's default, where it has one.
    ///
    /// # Errors
    /// `Data` where the schema has no such value.
    pub(in crate::format) fn encode(self, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let value = match (value, &schema.default) {
            (Value::Null, Some(default)) => default,
            (Value::Null, None) if schema.optional => {
                // The first branch of `["null", X]`.
                out.push(0);
                return Ok(());
            }
            (Value::Null, None) => {
                let schema_type = schema.schema_type.name();
                return Err(Error::data(format!("Found null value for non-optional schema of type {schema_type}")));
            }
            (value, _) => value,
        };
        if let (Value::Struct(values), Some(fields)) = (value, union_fields(schema)) {
            return self.encode_union(schema, fields, values, out);
        }
        if schema.optional {
            // `["null", X]`, and `[X, "null"]` with a default.
            write_long(if schema.default.is_some() { 0 } else { 1 }, out);
        }
        self.encode_present(schema, value, out)
    }

    /// The first field that has a value says which type it is.
    fn encode_union(self, schema: &Schema, fields: &[Field], values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        let mut branches = fields.iter().zip(values).enumerate();
        match branches.find(|(_, (_, value))| !matches!(value, Value::Null)) {
            Some((place, (field, value))) => {
                write_length(place + usize::from(schema.optional), out);
                self.encode_present(&field.schema, value, out)
            }
            None if schema.optional => {
                out.push(0);
                Ok(())
            }
            None => Err(Error::data("a union has no value, and null is none of its types")),
        }
    }

    /// Not null, and without the branch of a union.
    fn encode_present(self, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        if let Some(logical_type) = schema.logical_type() {
            return encode_logical(logical_type, schema, value, out);
        }
        match (&schema.schema_type, value) {
            (SchemaType::Int8, Value::Int8(value)) => write_long((*value).into(), out),
            (SchemaType::Int16, Value::Int16(value)) => write_long((*value).into(), out),
            (SchemaType::Int32, Value::Int32(value)) => write_long((*value).into(), out),
            (SchemaType::Int64, Value::Int64(value)) => write_long(*value, out),
            (SchemaType::Float32, Value::Float32(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (SchemaType::Float64, Value::Float64(value)) => out.extend_from_slice(&value.to_le_bytes()),
            (SchemaType::Boolean, Value::Boolean(value)) => out.push((*value).into()),
            (SchemaType::String, Value::String(text)) => match self.symbols(schema) {
                Some(mut symbols) => {
                    let place = symbols.position(|symbol| *symbol == **text);
                    let place = place.ok_or_else(|| Error::data(format!("the enum has no symbol {}", &**text)))?;
                    write_length(place, out);
                }
                None => write_bytes(text.as_bytes(), out),
            },
            (SchemaType::Bytes, Value::Bytes(bytes)) => return encode_bytes(schema, bytes, out),
            (SchemaType::Array(items), Value::Array(values)) => {
                write_length(values.len(), out);
                values.iter().try_for_each(|value| self.encode(items, value, out))?;
                if !values.is_empty() {
                    out.push(0);
                }
            }
            (SchemaType::Map(keys, values), Value::Map(entries)) => return self.encode_map(keys, values, entries, out),
            (SchemaType::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
                return fields.iter().zip(values).try_for_each(|(field, value)| self.encode_field(field, value, out));
            }
            _ => return Err(wrong_type(schema, value)),
        }
        Ok(())
    }

    fn encode_field(self, field: &Field, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        self.encode(&field.schema, value, out).map_err(|error| match error.kind() {
            connect_api::ErrorKind::Data => error.context(format!("the field {}", field.name)),
            _ => error,
        })
    }

    /// In the order of the JVM's map. Entries of an array are records of a key and a value, which read the same.
    fn encode_map(self, keys: &Schema, values: &Schema, entries: &[(Value, Value)], out: &mut Vec<u8>) -> Result<()> {
        write_length(entries.len(), out);
        let is_map = self.is_map(keys);
        for (key, value) in java_map_order(entries).into_iter().map(|place| &entries[place]) {
            match key {
                // Keys of an Avro map are never null, whatever their schema says.
                Value::String(key) if is_map => write_bytes(key.as_bytes(), out),
                key if is_map => return Err(wrong_type(keys, key)),
                key => self.encode(keys, key, out)?,
            }
            self.encode(values, value, out)?;
        }
        if !entries.is_empty() {
            out.push(0);
        }
        Ok(())
    }
}

fn encode_logical(logical_type: LogicalType, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match (logical_type, value) {
        (LogicalType::Date, Value::Date(number)) | (LogicalType::Time, Value::Time(number)) => write_long((*number).into(), out),
        (LogicalType::Timestamp, Value::Timestamp(number)) => write_long(*number, out),
        (LogicalType::Decimal, Value::Decimal(decimal)) => {
            check_scale(schema, decimal)?;
            match fixed_size(schema) {
                None => write_bytes(decimal.unscaled(), out),
                Some(size) => {
                    let unscaled = decimal.unscaled();
                    let missing =
                        size.checked_sub(unscaled.len()).ok_or_else(|| Error::data("the decimal has more bytes than its type"))?;
                    if missing > MOST_PADDING {
                        return Err(Error::data("the fixed type of the decimal has more bytes than any decimal needs"));
                    }
                    let sign = if unscaled.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
                    out.extend(std::iter::repeat_n(sign, missing));
                    out.extend_from_slice(unscaled);
                }
            }
        }
        _ => return Err(wrong_type(schema, value)),
    }
    Ok(())
}

fn encode_bytes(schema: &Schema, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    match fixed_size(schema) {
        None => write_bytes(bytes, out),
        Some(size) if size == bytes.len() => out.extend_from_slice(bytes),
        Some(size) => return Err(Error::data(format!("{} bytes are no value of a type with {size}", bytes.len()))),
    }
    Ok(())
}

pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

pub(super) fn write_length(length: usize, out: &mut Vec<u8>) {
    write_long(i64::try_from(length).unwrap_or(i64::MAX), out);
}

/// Seven bits a byte, the sign in the lowest.
pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    while rest >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "the low seven bits")]
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_they_can_be() {
        for (value, expected) in [
            (0, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut out = Vec::new();
            write_long(value, &mut out);
            assert_eq!(out, expected, "{value}");
        }
    }
}
