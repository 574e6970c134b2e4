//! What Confluent's converter of JSON Schemas reads otherwise: unions, and maps with other keys than texts.

use connect_api::{
    Error, Result,
    data::{
        Field, LogicalType, Schema, SchemaType, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use super::payload::{Payload, expect};
use crate::converter::repeated_keys::without_repeated_keys;

impl Payload<'_> {
    /// A struct in which the field alone is there whose schema is the first that the value is of.
    pub(super) fn one_of(&self, fields: &[Field], cursor: &mut Cursor<'_>) -> Result<Value> {
        self.count(fields.len())?;
        let Some(place) = fields.iter().position(|field| is_of(&field.schema, *cursor)) else {
            return Err(Error::data("Did not find matching oneof field for data"));
        };
        let mut values = vec![Value::Null; fields.len()];
        values[place] = self.read(&fields[place].schema, cursor)?;
        Ok(Value::Struct(values))
    }

    /// Objects of a key and a value.
    pub(super) fn entries(&self, keys: &Schema, values: &Schema, kind: Kind, cursor: &mut Cursor<'_>) -> Result<Value> {
        expect(Kind::Array, kind, "Maps with non-string fields should be encoded as JSON array of objects, but found")?;
        let (mut entries, mut goes_on) = (Vec::new(), cursor.enter());
        while goes_on {
            expect(Kind::Object, cursor.kind(), "Found invalid map entry instead of object:")?;
            let (mut key, mut value) = (None, None);
            let mut more = cursor.enter();
            while more {
                match &*decode_string(cursor.name()) {
                    "key" => key = Some(self.read(keys, cursor)?),
                    "value" => value = Some(self.read(values, cursor)?),
                    other => return Err(Error::data(format!("Found invalid map entry, with a member {other}"))),
                }
                more = cursor.goes_on();
            }
            let entry = key.zip(value).ok_or_else(|| Error::data("Found invalid map entry, without a key or a value"))?;
            entries.push(entry);
            goes_on = cursor.goes_on();
        }
        Ok(Value::Map(without_repeated_keys(entries)))
    }
}

/// Whether a value is of a schema, as far as a look at it tells.
fn is_of(schema: &Schema, cursor: Cursor<'_>) -> bool {
    let (kind, text) = (cursor.kind(), { cursor }.value());
    let is_whole = || !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    match &schema.schema_type {
        SchemaType::Int8 | SchemaType::Int16 | SchemaType::Int32 | SchemaType::Int64 => kind == Kind::Number && is_whole(),
        SchemaType::Float32 | SchemaType::Float64 => kind == Kind::Number,
        SchemaType::Boolean => kind == Kind::Boolean,
        SchemaType::String => kind == Kind::String,
        SchemaType::Bytes if schema.logical_type() == Some(LogicalType::Decimal) => matches!(kind, Kind::Number | Kind::String),
        SchemaType::Bytes => kind == Kind::String,
        SchemaType::Array(_) => kind == Kind::Array,
        SchemaType::Map(..) => matches!(kind, Kind::Object | Kind::Array),
        SchemaType::Struct(fields) => {
            let (mut cursor, mut is_of) = (cursor, kind == Kind::Object);
            let mut goes_on = is_of && cursor.enter();
            while goes_on && is_of {
                is_of = fields.find(&decode_string(cursor.name()), 0).is_some();
                cursor.value();
                goes_on = cursor.goes_on();
            }
            is_of
        }
        _ => false,
    }
}
