//! Fields without their content.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{Data, Decimal, JsonText, Text, Value},
};

use super::{
    java_number::{Number, float_text},
    non_empty,
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, decoded, field_value, fields, object},
};

static FIELDS: ConfigKey<List> = ConfigKey::required("fields", "The fields that are masked.").check(non_empty);
static REPLACEMENT: ConfigKey<String> = ConfigKey::optional(
    "replacement",
    "What stands in place of texts and numbers. Without it, what is empty: 0, false, an empty text, list or map, the beginning of 1970.",
)
.check(|text| if text.is_empty() { Err("String must be non-empty".to_owned()) } else { Ok(()) });

const PURPOSE: &str = "mask fields";

/// Replaces values of fields by something that says nothing.
pub(crate) struct MaskField {
    fields: Vec<Arc<str>>,
    replacement: Option<String>,
    replaces_null: bool,
}

impl OperandTransformation for MaskField {
    classes!("MaskField");
    const DOCUMENTATION: &'static str =
        "Replaces the values of fields by empty ones of the same type, or by a given text or number.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("MaskField", &[&FIELDS, &REPLACEMENT, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self {
            fields: config.get(&FIELDS)?.0.into_iter().map(Arc::from).collect(),
            replacement: config.find(&REPLACEMENT)?,
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
        })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        let Some(schema) = operand.schema else {
            let mut object = object(operand.value, PURPOSE)?;
            for field in &self.fields {
                let value = object.get(field).unwrap_or_default();
                object.set(field, self.masked(&value)?);
            }
            return Ok(Data::schemaless(Value::Object(object)));
        };
        let (fields, mut values) = fields(&schema, operand.value, PURPOSE)?;
        for (field, value) in fields.iter().zip(&mut values) {
            let whole = field_value(field, std::mem::take(value), self.replaces_null);
            *value = if self.fields.contains(&field.name) { self.masked(&whole)? } else { whole };
        }
        Ok(Data::with_schema(schema, Value::Struct(values)))
    }
}

impl MaskField {
    fn masked(&self, value: &Value) -> Result<Value> {
        match &self.replacement {
            _ if matches!(value, Value::Null) => Ok(Value::Null),
            Some(replacement) => replaced(value, replacement),
            None => empty(value),
        }
    }
}

/// The empty value of the same type.
fn empty(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Boolean(_) => Value::Boolean(false),
        Value::Int8(_) => Value::Int8(0),
        Value::Int16(_) => Value::Int16(0),
        Value::Int32(_) => Value::Int32(0),
        Value::Int64(_) => Value::Int64(0),
        Value::Float32(_) => Value::Float32(0.0),
        Value::Float64(_) => Value::Float64(0.0),
        Value::String(_) => Value::String(Text::default()),
        Value::Decimal(_) => Value::Decimal(Decimal::new(Bytes::new(), 0)),
        Value::Date(_) => Value::Date(0),
        Value::Time(_) => Value::Time(0),
        Value::Timestamp(_) => Value::Timestamp(0),
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Map(_) => Value::Map(Vec::new()),
        Value::Json(json) => return empty_json(json),
        Value::Object(_) => Value::Object(Box::default()),
        other => return Err(Error::data(format!("Cannot mask value of type: class {}", other.type_name()))),
    })
}

fn empty_json(json: &JsonText) -> Result<Value> {
    match json.as_bytes().first() {
        Some(b'{') => Ok(Value::Object(Box::default())),
        Some(b'[') => Ok(Value::Array(Vec::new())),
        _ => empty(&json.to_value()),
    }
}

/// The replacement as a value of the same type.
#[expect(clippy::cast_possible_truncation, reason = "as Java does it")]
fn replaced(value: &Value, replacement: &str) -> Result<Value> {
    let number = || decimal(replacement).map(|decimal| Number::Decimal(decimal).long());
    let float = || float_text(replacement).ok_or_else(|| no_number(replacement));
    Ok(match decoded(value.clone()) {
        Value::String(_) => Value::String(Text::from(replacement.to_owned())),
        Value::Int8(_) => Value::Int8(number()? as i8),
        Value::Int16(_) => Value::Int16(number()? as i16),
        Value::Int32(_) => Value::Int32(number()? as i32),
        Value::Int64(_) => Value::Int64(number()?),
        Value::Float32(_) => Value::Float32(float()?.parse().map_err(|_| no_number(replacement))?),
        Value::Float64(_) => Value::Float64(float()?.parse().map_err(|_| no_number(replacement))?),
        Value::Decimal(_) => Value::Decimal(decimal(replacement)?),
        other => {
            let class = other.type_name();
            return Err(Error::data(format!("Cannot mask value of type: class {class} with a replacement")));
        }
    })
}

fn decimal(text: &str) -> Result<Decimal> {
    text.trim().parse().map_err(|_| no_number(text))
}

fn no_number(text: &str) -> Error {
    Error::data(format!("Unable to convert {text} (class java.lang.String) to a number"))
}
