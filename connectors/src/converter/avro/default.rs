//! Defaults, as a schema has them: JSON.

use connect_api::data::{Decimal, LogicalType, Schema, SchemaType, Text, Value};
use serde_json::Value as Json;

use super::attributes::UNION;

/// The default of a schema; `None` where the JSON is none of its values.
pub(super) fn default_value(schema: &Schema, json: &Json) -> Option<Value> {
    let whole = || json.as_i64();
    if let Some(logical) = schema.logical_type() {
        return Some(match logical {
            LogicalType::Date => Value::Date(i32::try_from(whole()?).ok()?),
            LogicalType::Time => Value::Time(i32::try_from(whole()?).ok()?),
            LogicalType::Timestamp => Value::Timestamp(whole()?),
            LogicalType::Decimal => {
                let unscaled = bytes(json.as_str()?)?;
                Value::Decimal(Decimal::new(unscaled.into(), schema.parameter("scale")?.parse().ok()?))
            }
            _ => return None,
        });
    }
    #[expect(clippy::cast_possible_truncation, reason = "a float's default is written as precisely as JSON likes")]
    Some(match &schema.schema_type {
        SchemaType::Int8 => Value::Int8(i8::try_from(whole()?).ok()?),
        SchemaType::Int16 => Value::Int16(i16::try_from(whole()?).ok()?),
        SchemaType::Int32 => Value::Int32(i32::try_from(whole()?).ok()?),
        SchemaType::Int64 => Value::Int64(whole()?),
        SchemaType::Float32 => Value::Float32(json.as_f64()? as f32),
        SchemaType::Float64 => Value::Float64(json.as_f64()?),
        SchemaType::Boolean => Value::Boolean(json.as_bool()?),
        SchemaType::String => Value::String(Text::from(json.as_str()?.to_owned())),
        SchemaType::Bytes => Value::Bytes(bytes(json.as_str()?)?.into()),
        SchemaType::Array(items) => Value::Array(json.as_array()?.iter().map(|item| or_null(items, item)).collect::<Option<_>>()?),
        SchemaType::Map(_, values) => {
            let entry = |(key, value): (&String, &Json)| Some((Value::String(Text::from(key.clone())), or_null(values, value)?));
            Value::Map(json.as_object()?.iter().map(entry).collect::<Option<_>>()?)
        }
        // A union's default is one of its first type.
        SchemaType::Struct(fields) if schema.name.as_deref() == Some(UNION) => {
            let first = fields.first()?;
            let mut values = vec![Value::Null; fields.len()];
            *values.first_mut()? = default_value(&first.schema, json)?;
            Value::Struct(values)
        }
        SchemaType::Struct(fields) => {
            let object = json.as_object()?;
            let value = |field: &connect_api::data::Field| match object.get(&*field.name) {
                Some(json) => or_null(&field.schema, json),
                None => field.schema.default.clone().or_else(|| field.schema.optional.then_some(Value::Null)),
            };
            Value::Struct(fields.iter().map(value).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn or_null(schema: &Schema, json: &Json) -> Option<Value> {
    if json.is_null() { schema.optional.then_some(Value::Null) } else { default_value(schema, json) }
}

/// Each character is a byte.
fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}
