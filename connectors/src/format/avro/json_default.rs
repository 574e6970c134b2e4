//! Defaults in Avro schemas.

use connect_api::{
    Error, Result,
    data::{Schema, SchemaType, Value, json::double_to_string, json::float_to_string},
};
use serde_json::{Map, Value as Json, json};

use super::schema::union_fields;

/// A default as Avro writes it in a schema.
///
/// # Errors
/// `Data` where Avro has none: no JSON says NaN.
pub(super) fn json_default(schema: &Schema, value: &Value) -> Result<Json> {
    if let (Value::Struct(values), Some(fields)) = (value, union_fields(schema)) {
        let mut types = fields.iter().zip(values).filter(|(_, value)| !matches!(value, Value::Null));
        return types.next().map_or(Ok(Json::Null), |(field, value)| json_default(&field.schema, value));
    }
    Ok(match (value, &schema.schema_type) {
        (Value::Null, _) => Json::Null,
        (Value::Boolean(value), _) => json!(value),
        (Value::Int8(value), _) => json!(value),
        (Value::Int16(value), _) => json!(value),
        (Value::Int32(value) | Value::Date(value) | Value::Time(value), _) => json!(value),
        (Value::Int64(value) | Value::Timestamp(value), _) => json!(value),
        (Value::Float32(value), _) => number(&float_to_string(*value))?,
        (Value::Float64(value), _) => number(&double_to_string(*value))?,
        (Value::String(text), _) => json!(&**text),
        (Value::Bytes(bytes), _) => of_bytes(bytes),
        (Value::Decimal(decimal), _) => of_bytes(decimal.unscaled()),
        (Value::Array(values), SchemaType::Array(items)) => {
            Json::Array(values.iter().map(|value| json_default(items, value)).collect::<Result<_>>()?)
        }
        (Value::Map(entries), SchemaType::Map(_, values)) => {
            let mut members = Map::new();
            for (key, value) in entries {
                let Value::String(key) = key else { return Err(no_default()) };
                members.insert(key.to_string(), json_default(values, value)?);
            }
            Json::Object(members)
        }
        (Value::Struct(values), SchemaType::Struct(fields)) => {
            let members =
                fields.iter().zip(values).map(|(field, value)| Ok((field.name.to_string(), json_default(&field.schema, value)?)));
            Json::Object(members.collect::<Result<_>>()?)
        }
        _ => return Err(no_default()),
    })
}

/// The text is Java's, so that it reads as there.
fn number(text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|_| no_default())
}

/// A character for each byte.
fn of_bytes(bytes: &[u8]) -> Json {
    Json::String(bytes.iter().map(|byte| char::from(*byte)).collect())
}

fn no_default() -> Error {
    Error::data("the default of a schema has no form in Avro")
}
