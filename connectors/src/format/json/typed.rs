//! Values with a schema, as JSON. No text of the producer's is left to preserve: they are written byte for byte as on the JVM, however `json.rendering` is set.

use connect_api::{
    Error, Result,
    data::{
        Decimal, Field, LogicalType, Schema, SchemaType, Value,
        json::{
            java_map_order,
            scalar::{write_base64_string, write_decimal, write_float32, write_float64, write_integer},
            write_jvm_string, write_jvm_text,
        },
    },
};

use super::Json;
use crate::format::mismatch::{check_scale, wrong_type};

impl Json {
    /// Appends a value of this schema. Null becomes the schema's default, where it has one.
    ///
    /// # Errors
    /// `Data` where the schema has no such value.
    pub(super) fn write_typed(&self, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let value = match (value, &schema.default) {
            (Value::Null, Some(default)) => default,
            (Value::Null, None) if schema.optional => {
                out.extend_from_slice(b"null");
                return Ok(());
            }
            (Value::Null, None) => {
                return Err(Error::data("Conversion error: null value for field that is required and has no default value"));
            }
            (value, _) => value,
        };
        if let Some(logical_type) = schema.logical_type() {
            return self.write_logical(logical_type, schema, value, out);
        }
        match (&schema.schema_type, value) {
            (SchemaType::Int8, Value::Int8(value)) => write_integer((*value).into(), out),
            (SchemaType::Int16, Value::Int16(value)) => write_integer((*value).into(), out),
            (SchemaType::Int32, Value::Int32(value)) => write_integer((*value).into(), out),
            (SchemaType::Int64, Value::Int64(value)) => write_integer(*value, out),
            (SchemaType::Float32, Value::Float32(value)) => write_float32(*value, out),
            (SchemaType::Float64, Value::Float64(value)) => write_float64(*value, out),
            (SchemaType::Boolean, Value::Boolean(value)) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            (SchemaType::String, Value::String(text)) => write_jvm_text(text, out),
            (SchemaType::Bytes, Value::Bytes(bytes)) => write_base64_string(bytes, out),
            (SchemaType::Array(items), Value::Array(values)) => return self.write_array(items, values, out),
            (SchemaType::Map(keys, values), Value::Map(entries)) => return self.write_map(keys, values, entries, out),
            (SchemaType::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
                return self.write_struct(fields, values, out);
            }
            _ => return Err(wrong_type(schema, value)),
        }
        Ok(())
    }

    fn write_array(&self, items: &Schema, values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        out.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.write_typed(items, value, out)?;
        }
        out.push(b']');
        Ok(())
    }

    /// An object, or pairs where keys are no texts.
    fn write_map(&self, keys: &Schema, values: &Schema, entries: &[(Value, Value)], out: &mut Vec<u8>) -> Result<()> {
        let are_texts = matches!(keys.schema_type, SchemaType::String);
        let (open, between, close) = if are_texts { (b'{', b':', b'}') } else { (b'[', b',', b']') };
        let order = java_map_order(entries);
        out.push(open);
        for (index, place) in order.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let (key, value) = &entries[place];
            if !are_texts {
                out.push(b'[');
            }
            self.write_typed(keys, key, out)?;
            out.push(between);
            self.write_typed(values, value, out)?;
            if !are_texts {
                out.push(b']');
            }
        }
        out.push(close);
        Ok(())
    }

    fn write_struct(&self, fields: &[Field], values: &[Value], out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        for (index, (field, value)) in fields.iter().zip(values).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_jvm_string(&field.name, out);
            out.push(b':');
            self.write_typed(&field.schema, value, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn write_logical(&self, logical_type: LogicalType, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match (logical_type, value) {
            (LogicalType::Decimal, Value::Decimal(decimal)) => return self.write_decimal(schema, decimal, out),
            (LogicalType::Date, Value::Date(number)) | (LogicalType::Time, Value::Time(number)) => {
                write_integer((*number).into(), out);
            }
            (LogicalType::Timestamp, Value::Timestamp(number)) => write_integer(*number, out),
            _ => return Err(wrong_type(schema, value)),
        }
        Ok(())
    }

    fn write_decimal(&self, schema: &Schema, decimal: &Decimal, out: &mut Vec<u8>) -> Result<()> {
        if self.decimals_are_numbers {
            write_decimal(decimal, out);
            return Ok(());
        }
        check_scale(schema, decimal)?;
        write_base64_string(decimal.unscaled(), out);
        Ok(())
    }
}
