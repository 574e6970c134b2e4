//! What an Avro schema says beside types.

use connect_api::{
    Error, Result,
    data::{LogicalType, Schema},
};
use serde_json::{Map, Value as Json, json};

use super::{json_default::json_default, schema::NAMESPACE};
use crate::converter::FIELD_DEFAULT;

/// Of decimals that do not say how many digits they have.
const DEFAULT_PRECISION: &str = "64";

/// What a logical type has beside its base.
///
/// # Errors
/// `Data` where a decimal has no scale.
pub(super) fn logical(schema: &Schema, avro: &mut Map<String, Json>) -> Result<()> {
    let mut logical_type = |name: &str| avro.insert("logicalType".to_owned(), json!(name));
    match schema.logical_type() {
        Some(LogicalType::Date) => {
            logical_type("date");
        }
        Some(LogicalType::Time) => {
            logical_type("time-millis");
        }
        Some(LogicalType::Timestamp) => {
            logical_type("timestamp-millis");
        }
        Some(LogicalType::Decimal) => {
            let number = |name: &str, text: Option<&str>| {
                let text = text.ok_or_else(|| Error::data(format!("Invalid Decimal schema: {name} parameter not found.")))?;
                text.parse::<i32>().map_err(|error| Error::data(format!("Invalid {name} of a Decimal schema")).with_source(error))
            };
            let scale = number("scale", schema.parameter("scale"))?;
            let precision = schema.parameter("connect.decimal.precision").unwrap_or(DEFAULT_PRECISION);
            let precision = number("precision", Some(precision))?;
            if 0 <= scale && scale <= precision {
                logical_type("decimal");
            }
            avro.insert("scale".to_owned(), json!(scale));
            avro.insert("precision".to_owned(), json!(precision));
        }
        _ => {}
    }
    Ok(())
}

/// What Connect knows beside the type.
pub(super) fn metadata(schema: &Schema, avro: &mut Map<String, Json>) -> Result<()> {
    if let Some(doc) = &schema.doc {
        avro.insert("connect.doc".to_owned(), json!(&**doc));
    }
    if let Some(version) = schema.version {
        avro.insert("connect.version".to_owned(), json!(version));
    }
    let is_of_field = schema.parameter(FIELD_DEFAULT) == Some("true");
    let parameters = schema.parameters.iter().filter(|(name, _)| **name != *FIELD_DEFAULT);
    let parameters: Map<_, _> = parameters.map(|(name, value)| (name.to_string(), json!(&**value))).collect();
    if !parameters.is_empty() {
        avro.insert("connect.parameters".to_owned(), Json::Object(parameters));
    }
    // Where they came from.
    for (name, value) in schema.parameters.iter().filter(|(name, _)| name.starts_with("avro.")) {
        avro.insert(name.to_string(), json!(&**value));
    }
    // A default that came from a field goes back there alone.
    if let Some(default) = schema.default.as_ref().filter(|_| !is_of_field) {
        avro.insert("connect.default".to_owned(), json_default(schema, default)?);
    }
    if let Some(name) = schema.name.as_deref().filter(|name| !name.starts_with(NAMESPACE)) {
        avro.insert("connect.name".to_owned(), json!(name));
    }
    Ok(())
}
