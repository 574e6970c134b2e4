//! Fields without their content.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{Data, Decimal, JsonText, Text, Value},
};

use super::{
    java_number::Number,
    non_empty,
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, decoded, field_value, fields, object},
    schemas::Derived,
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
    replacement: Option<Replacement>,
    replaces_null: bool,
    /// For each field of a schema whether it is masked.
    places: Derived<Vec<bool>>,
}

/// A text, and the number that it says, if any.
struct Replacement {
    text: Text,
    number: Option<Decimal>,
    /// The number without its fraction.
    long: i64,
    float: f32,
    double: f64,
}

impl Replacement {
    fn new(text: String) -> Self {
        let decimal: Option<Decimal> = text.trim().parse().ok();
        let number = Number::Decimal(decimal.clone().unwrap_or_else(|| Decimal::new(Bytes::new(), 0)));
        Self { text: Text::from(text), number: decimal, long: number.long(), float: number.float(), double: number.double() }
    }
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
            replacement: config.find(&REPLACEMENT)?.map(Replacement::new),
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
            places: Derived::default(),
        })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        let Some(schema) = operand.schema else {
            let mut object = object(operand.value, PURPOSE)?;
            for field in &self.fields {
                object.replace(field, |value| self.masked(&value))?;
            }
            return Ok(Data::schemaless(Value::Object(object)));
        };
        let (fields, mut values) = fields(&schema, operand.value, PURPOSE)?;
        let places = self.places.get(&schema, || Ok(fields.iter().map(|field| self.fields.contains(&field.name)).collect()))?;
        for ((field, is_masked), value) in fields.iter().zip(&*places).zip(&mut values) {
            let whole = field_value(field, std::mem::take(value), self.replaces_null);
            *value = if *is_masked { self.masked(&whole)? } else { whole };
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
fn replaced(value: &Value, replacement: &Replacement) -> Result<Value> {
    let number = || replacement.number.as_ref().ok_or_else(|| no_number(&replacement.text));
    let long = || number().map(|_| replacement.long);
    Ok(match decoded(value.clone()) {
        Value::String(_) => Value::String(replacement.text.clone()),
        Value::Int8(_) => Value::Int8(long()? as i8),
        Value::Int16(_) => Value::Int16(long()? as i16),
        Value::Int32(_) => Value::Int32(long()? as i32),
        Value::Int64(_) => Value::Int64(long()?),
        Value::Float32(_) => number().map(|_| Value::Float32(replacement.float))?,
        Value::Float64(_) => number().map(|_| Value::Float64(replacement.double))?,
        Value::Decimal(_) => Value::Decimal(number()?.clone()),
        other => {
            let class = other.type_name();
            return Err(Error::data(format!("Cannot mask value of type: class {class} with a replacement")));
        }
    })
}

fn no_number(text: &str) -> Error {
    Error::data(format!("Unable to convert {text} (class java.lang.String) to a number"))
}
