//! What converters of JSON Schemas read otherwise: unions, and maps with other keys than texts.

use connect_api::{
    Error, Result,
    data::{
        Field, Schema, SchemaType, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use super::payload::{Payload, expect};
use crate::converter::repeated_keys::without_repeated_keys;

impl Payload<'_> {
    /// Whether it stands for a union.
    pub(super) fn is_union(&self, schema: &Schema) -> bool {
        self.unions.is_some() && schema.name.as_deref() == self.unions
    }

    /// A struct in which one field is there: the first whose schema the value is of, else the struct that has most members of the value.
    pub(super) fn one_of(&self, fields: &[Field], cursor: &mut Cursor<'_>) -> Result<Value> {
        self.count(fields.len())?;
        let simple = fields.iter().position(|field| is_of(&field.schema, *cursor));
        let place = simple.or_else(|| {
            let shared = fields.iter().enumerate().filter_map(|(place, field)| Some((self.shared(&field.schema, *cursor)?, place)));
            // Of several the first.
            shared.max_by_key(|(shared, place)| (*shared, std::cmp::Reverse(*place))).map(|(_, place)| place)
        });
        let Some(place) = place else { return Err(Error::data("Did not find matching oneof field for data")) };
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

    /// How many members of an object a struct has; of a union, the struct in it that has most. `None` where the value is none of them.
    fn shared(&self, schema: &Schema, cursor: Cursor<'_>) -> Option<usize> {
        let fields = schema.fields()?;
        if self.is_union(schema) {
            let simple = fields.iter().any(|field| is_of(&field.schema, cursor)).then_some(1);
            return simple.or_else(|| fields.iter().filter_map(|field| self.shared(&field.schema, cursor)).max());
        }
        if cursor.kind() != Kind::Object {
            return None;
        }
        let mut cursor = cursor;
        let (mut shared, mut goes_on) = (0, cursor.enter());
        while goes_on {
            shared += usize::from(fields.find(&decode_string(cursor.name()), 0).is_some());
            cursor.value();
            goes_on = cursor.goes_on();
        }
        Some(shared)
    }
}

/// Whether a value is of a schema that is no struct, as far as a look at it tells.
fn is_of(schema: &Schema, cursor: Cursor<'_>) -> bool {
    let (kind, text) = (cursor.kind(), { cursor }.value());
    let is_whole = || !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    match &schema.schema_type {
        SchemaType::Int8 | SchemaType::Int16 | SchemaType::Int32 | SchemaType::Int64 => kind == Kind::Number && is_whole(),
        SchemaType::Float32 | SchemaType::Float64 => kind == Kind::Number,
        SchemaType::Boolean => kind == Kind::Boolean,
        SchemaType::String => kind == Kind::String,
        // A text is never taken for bytes, and a number with a fraction for a decimal.
        SchemaType::Bytes => kind == Kind::Number && !is_whole(),
        SchemaType::Array(_) => kind == Kind::Array,
        SchemaType::Map(..) => matches!(kind, Kind::Object | Kind::Array),
        _ => false,
    }
}
