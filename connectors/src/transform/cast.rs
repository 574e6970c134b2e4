//! Other types for fields, or for the whole.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{Data, Field, Fields, Schema, SchemaType, Text, Value},
};

use super::{
    java_number::{Number, float_text},
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, decoded, field_value, fields, object, shortened},
    schemas::{Derived, no_fields, of_type},
};
use crate::converter::print_java_date;

static SPEC: ConfigKey<List> = ConfigKey::required(
    "spec",
    "Fields and their new types, `field:type` with commas between them, or one type for the whole. Types: int8, int16, int32, int64, float32, \
     float64, boolean, string.",
)
.check(|items| Spec::new(&items.0).map(drop));

const PURPOSE: &str = "cast types";

const SUPPORTED: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]";

/// Casts values to other types.
pub(crate) struct Cast {
    spec: Spec,
    replaces_null: bool,
    schemas: Derived<Casts>,
}

#[derive(Debug)]
enum Spec {
    Whole(SchemaType),
    Fields(Vec<(Arc<str>, SchemaType)>),
}

/// What becomes of the values of a schema.
struct Casts {
    schema: Arc<Schema>,
    /// For each field its new type, where it gets one.
    types: Vec<Option<SchemaType>>,
}

impl Spec {
    fn new(items: &[String]) -> Result<Self, String> {
        let mut fields = Vec::new();
        for item in items {
            let parts: Vec<_> = item.split(':').collect();
            match parts[..] {
                [whole] if items.len() == 1 => return target(whole).map(Self::Whole),
                [_] => return Err("Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec".to_owned()),
                [field, name] => {
                    let field = Arc::from(field.trim());
                    // Of a field that is named twice the last type counts, as in Java's map.
                    fields.retain(|(known, _)| *known != field);
                    fields.push((field, target(name)?));
                }
                _ => return Err(format!("Invalid cast mapping: {item}")),
            }
        }
        if fields.is_empty() { Err("Must specify at least one field to cast.".to_owned()) } else { Ok(Self::Fields(fields)) }
    }
}

fn target(name: &str) -> Result<SchemaType, String> {
    Ok(match name.trim().to_ascii_lowercase().as_str() {
        "int8" => SchemaType::Int8,
        "int16" => SchemaType::Int16,
        "int32" => SchemaType::Int32,
        "int64" => SchemaType::Int64,
        "float32" => SchemaType::Float32,
        "float64" => SchemaType::Float64,
        "boolean" => SchemaType::Boolean,
        "string" => SchemaType::String,
        "" => return Err("Must specify at least one field to cast.".to_owned()),
        "bytes" | "array" | "map" | "struct" => return Err(format!("Cast transformation does not support casting to {name}")),
        _ => return Err(format!("Invalid type found in casting spec: {name}")),
    })
}

impl OperandTransformation for Cast {
    classes!("Cast");
    const DOCUMENTATION: &'static str = "Casts fields, or the whole, to other types: numbers, booleans and texts.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Cast", &[&SPEC, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let spec = Spec::new(&config.get(&SPEC)?.0).map_err(Error::config)?;
        Ok(Self { spec, replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?, schemas: Derived::default() })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        if matches!(operand.value, Value::Null) {
            return Ok(operand);
        }
        match (&self.spec, operand.schema) {
            (Spec::Whole(target), None) => cast(None, operand.value, target).map(Data::schemaless),
            (Spec::Whole(target), Some(schema)) => {
                let value = cast(Some(&schema), operand.value, target)?;
                let casts = self.schemas.get(&schema, || whole(&schema, target))?;
                Ok(Data::with_schema(Arc::clone(&casts.schema), value))
            }
            (Spec::Fields(spec), None) => {
                let mut object = object(operand.value, PURPOSE)?;
                for (name, target) in spec {
                    object.replace(name, |value| cast(None, value, target))?;
                }
                Ok(Data::schemaless(Value::Object(object)))
            }
            (Spec::Fields(spec), Some(schema)) => self.cast_fields(spec, &schema, operand.value),
        }
    }
}

impl Cast {
    fn cast_fields(&self, spec: &[(Arc<str>, SchemaType)], schema: &Arc<Schema>, value: Value) -> Result<Data> {
        let of_schema = schema.fields().ok_or_else(no_fields)?;
        let casts = self.schemas.get(schema, || self.casts_of_fields(spec, schema, of_schema))?;
        let (fields, mut values) = fields(schema, value, PURPOSE)?;
        for ((field, target), value) in fields.iter().zip(&casts.types).zip(&mut values) {
            let whole = field_value(field, std::mem::take(value), self.replaces_null);
            *value = match target {
                Some(target) => cast(Some(&field.schema), whole, target)?,
                None => whole,
            };
        }
        Ok(Data::with_schema(Arc::clone(&casts.schema), Value::Struct(values)))
    }

    fn casts_of_fields(&self, spec: &[(Arc<str>, SchemaType)], schema: &Schema, fields: &Fields) -> Result<Casts> {
        let target = |field: &Field| spec.iter().find(|(name, _)| *name == field.name).map(|(_, target)| target.clone());
        let types: Vec<_> = fields.iter().map(target).collect();
        let field = |(field, target): (&Field, &Option<SchemaType>)| {
            let schema = match target {
                None => Arc::clone(&field.schema),
                Some(target) => casts(&field.schema, |schema, value| cast(Some(schema), value, target), target)?.schema,
            };
            Ok(Field { name: Arc::clone(&field.name), schema })
        };
        let cast_fields = fields.iter().zip(&types).map(field).collect::<Result<Vec<_>>>()?;
        let schema_type = super::schemas::struct_type(cast_fields)?;
        // A default of the whole struct has other types than its fields now.
        let schema = Arc::new(Schema { schema_type, default: None, ..schema.clone() });
        Ok(Casts { schema, types })
    }
}

/// The schema of the whole after its cast: as that of a field, with its name, version, doc and parameters, but for what marks a logical type.
fn whole(schema: &Schema, target: &SchemaType) -> Result<Casts> {
    let plain = casts(schema, |schema, value| cast(Some(schema), value, target), target)?.schema;
    if schema.logical_type().is_some() {
        return Ok(Casts { schema: plain, types: Vec::new() });
    }
    let Schema { name, version, doc, parameters, .. } = schema.clone();
    Ok(Casts { schema: Arc::new(Schema { name, version, doc, parameters, ..Schema::clone(&plain) }), types: Vec::new() })
}

/// The schema of one value after its cast: its new type, optional as it was, with its default cast as well.
fn casts(schema: &Schema, cast: impl Fn(&Schema, Value) -> Result<Value>, target: &SchemaType) -> Result<Casts> {
    let default = schema.default.clone().map(|default| cast(schema, default)).transpose()?;
    Ok(Casts { schema: Arc::new(Schema { default, ..of_type(target.clone(), schema.optional) }), types: Vec::new() })
}

/// The value as one of another type.
///
/// # Errors
/// `Data` where it has no such value, or is of a type that is not cast.
fn cast(schema: Option<&Schema>, value: Value, target: &SchemaType) -> Result<Value> {
    let value = decoded(value);
    if matches!(value, Value::Null) {
        return Ok(value);
    }
    check(schema, &value)?;
    Ok(match target {
        SchemaType::Boolean => Value::Boolean(boolean(&value)?),
        SchemaType::String => Value::String(string(value)?),
        SchemaType::Float32 => Value::Float32(float(&value, |number| number.float(), |text| text.parse().ok())?),
        SchemaType::Float64 => Value::Float64(float(&value, |number| number.double(), |text| text.parse().ok())?),
        whole => integer(&value, whole)?,
    })
}

/// Whether values of this type are cast at all.
fn check(schema: Option<&Schema>, value: &Value) -> Result<()> {
    let found = match (schema, value) {
        (None, Value::Date(_) | Value::Time(_) | Value::Timestamp(_)) => {
            let class = value.type_name();
            let message = format!(
                "Cast transformation was passed a value of type class {class} which is not supported by Connect's data API"
            );
            return Err(Error::data(message));
        }
        (Some(schema), _) => schema.schema_type.name(),
        (None, Value::Json(json)) if json.as_bytes().starts_with(b"[") => "ARRAY",
        (None, Value::Array(_)) => "ARRAY",
        (None, Value::Json(_) | Value::Object(_) | Value::Map(_)) => "MAP",
        (None, _) => return Ok(()),
    };
    if matches!(found, "ARRAY" | "MAP" | "STRUCT") {
        return Err(Error::data(format!(
            "Cast transformation does not support casting from {found}; supported types are {SUPPORTED}"
        )));
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "as Java does it")]
fn integer(value: &Value, target: &SchemaType) -> Result<Value> {
    let (int, long) = match value {
        Value::Boolean(value) => (i32::from(*value), i64::from(*value)),
        Value::String(text) => {
            let parsed = match target {
                SchemaType::Int8 => text.parse::<i8>().map(i64::from),
                SchemaType::Int16 => text.parse::<i16>().map(i64::from),
                SchemaType::Int32 => text.parse::<i32>().map(i64::from),
                _ => text.parse::<i64>(),
            };
            let long = parsed.map_err(|_| out_of_range(text))?;
            (long as i32, long)
        }
        other => {
            let number = Number::of(other).ok_or_else(|| unexpected(other))?;
            (number.int(), number.long())
        }
    };
    Ok(match target {
        SchemaType::Int8 => Value::Int8(int as i8),
        SchemaType::Int16 => Value::Int16(int as i16),
        SchemaType::Int32 => Value::Int32(int),
        _ => Value::Int64(long),
    })
}

fn float<T: From<u8>>(value: &Value, number: impl Fn(&Number) -> T, text: impl Fn(&str) -> Option<T>) -> Result<T> {
    match value {
        Value::Boolean(value) => Ok(T::from(u8::from(*value))),
        Value::String(string) => float_text(string).and_then(|digits| text(&digits)).ok_or_else(|| out_of_range(string)),
        other => Number::of(other).as_ref().map(number).ok_or_else(|| unexpected(other)),
    }
}

fn boolean(value: &Value) -> Result<bool> {
    match value {
        Value::Boolean(value) => Ok(*value),
        Value::String(text) => Ok(text.eq_ignore_ascii_case("true")),
        other => Number::of(other).map(|number| number.long() != 0).ok_or_else(|| unexpected(other)),
    }
}

fn string(value: Value) -> Result<Text> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bytes(bytes) => Ok(Text::from(STANDARD.encode(bytes))),
        other => match other.epoch_millis() {
            Some(millis) => Ok(Text::from(print_java_date(millis))),
            None => other.scalar_text().map(|text| Text::from(text.into_owned())).ok_or_else(|| unexpected(&other)),
        },
    }
}

fn out_of_range(text: &str) -> Error {
    let text = shortened(text);
    Error::data(format!("Value ({text}) was out of range for requested data type"))
}

fn unexpected(value: &Value) -> Error {
    Error::data(format!("Unexpected type in Cast transformation: class {}", value.type_name()))
}
