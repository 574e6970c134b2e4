//! Times in other forms: texts, numbers, dates.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Field, LogicalType, Schema, SchemaType, Text, Value},
};

use super::{
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, decoded, field_value, no_struct, object, shortened},
    schemas::{Derived, of_time, of_type, struct_type},
};
use crate::simple_date_format::SimpleDateFormat;

static FIELD: ConfigKey<String> = ConfigKey::with_default("field", "", "The field with the time; empty for the whole.");
static TARGET_TYPE: ConfigKey<String> =
    ConfigKey::required("target.type", "What the time becomes.").one_of(&["string", "unix", "Date", "Time", "Timestamp"]);
static FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "format",
    "",
    "How texts are written: a pattern of Java's SimpleDateFormat, in UTC, such as `yyyy-MM-dd HH:mm:ss`. Needed where times are read of texts or become texts.",
)
.check(|pattern| SimpleDateFormat::new(pattern).map(drop));
static UNIX_PRECISION: ConfigKey<String> =
    ConfigKey::with_default("unix.precision", "milliseconds", "The unit of numbers, read and written.").one_of(&[
        "seconds",
        "milliseconds",
        "microseconds",
        "nanoseconds",
    ]);

const PURPOSE: &str = "converting timestamp formats";
const DAY: i64 = 86_400_000;
/// Of a date and time with all its digits.
const USUAL_LENGTH: usize = 32;

/// Converts times.
pub(crate) struct TimestampConverter {
    /// `None` for the whole.
    field: Option<Arc<str>>,
    target: Target,
    format: Option<(String, SimpleDateFormat)>,
    /// How many milliseconds one has, or how many a millisecond has.
    unit: Unit,
    replaces_null: bool,
    schemas: Derived<Converted>,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    String,
    Unix,
    Logical(LogicalType),
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Milliseconds(i64),
    OfMillisecond(i64),
}

/// Where a time is read from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A date, a time or a timestamp.
    Date,
    Unix,
    String,
}

/// What becomes of the values of a schema.
struct Converted {
    schema: Arc<Schema>,
    source: Source,
    /// Where the field is; `None` for the whole, or where the struct has no such field.
    place: Option<usize>,
}

impl OperandTransformation for TimestampConverter {
    classes!("TimestampConverter");
    // Confluent documents its own only by that of Apache Kafka.
    const KEY_ALIASES: &'static [&'static str] = &["io.confluent.connect.transforms.TimestampConverter$Key"];
    const VALUE_ALIASES: &'static [&'static str] = &["io.confluent.connect.transforms.TimestampConverter$Value"];
    const DOCUMENTATION: &'static str =
        "Converts times between texts, numbers since 1970, and dates, times and timestamps of Connect.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TimestampConverter", &[&FIELD, &TARGET_TYPE, &FORMAT, &UNIX_PRECISION, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let target = match &*config.get(&TARGET_TYPE)? {
            "string" => Target::String,
            "unix" => Target::Unix,
            "Date" => Target::Logical(LogicalType::Date),
            "Time" => Target::Logical(LogicalType::Time),
            _ => Target::Logical(LogicalType::Timestamp),
        };
        let format = Some(config.get(&FORMAT)?).filter(|pattern| !pattern.is_empty());
        if format.is_none() && matches!(target, Target::String) {
            return Err(Error::config("TimestampConverter requires format option to be specified when using string timestamps"));
        }
        let compile = |pattern: String| SimpleDateFormat::new(&pattern).map(|format| (pattern, format)).map_err(Error::config);
        Ok(Self {
            field: Some(config.get(&FIELD)?).filter(|field| !field.is_empty()).map(Arc::from),
            target,
            format: format.map(compile).transpose()?,
            unit: match &*config.get(&UNIX_PRECISION)? {
                "seconds" => Unit::Milliseconds(1_000),
                "microseconds" => Unit::OfMillisecond(1_000),
                "nanoseconds" => Unit::OfMillisecond(1_000_000),
                _ => Unit::Milliseconds(1),
            },
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
            schemas: Derived::default(),
        })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        match (operand.schema, &self.field) {
            (None, _) if matches!(operand.value, Value::Null) => Ok(Data::default()),
            (None, None) => self.schemaless(operand.value).map(Data::schemaless),
            (None, Some(field)) => {
                let mut object = object(operand.value, PURPOSE)?;
                object.replace(field, |value| match value {
                    Value::Null => Ok(Value::Null),
                    value => self.schemaless(value),
                })?;
                Ok(Data::schemaless(Value::Object(object)))
            }
            (Some(schema), None) => {
                let converted = self.schemas.get(&schema, || {
                    Ok(Converted { schema: Arc::new(self.schema(&schema)), source: source(&schema)?, place: None })
                })?;
                let value = self.convert(operand.value, converted.source)?;
                Ok(Data::with_schema(Arc::clone(&converted.schema), self.typed(value)))
            }
            (Some(schema), Some(field)) => self.convert_field(&schema, field, operand.value),
        }
    }
}

impl TimestampConverter {
    fn convert_field(&self, schema: &Arc<Schema>, name: &str, value: Value) -> Result<Data> {
        let (Some(fields), Value::Null | Value::Struct(_)) = (schema.fields(), &value) else {
            return Err(no_struct(&value, PURPOSE));
        };
        let converted = self.schemas.get(schema, || {
            let Some(place) = fields.find(name, 0) else {
                return Ok(Converted { schema: Arc::clone(schema), source: Source::Unix, place: None });
            };
            let of_field = &fields[place].schema;
            let mut all = fields.to_vec();
            all[place] = Field { name: Arc::clone(&fields[place].name), schema: Arc::new(self.schema(of_field)) };
            let source = source(of_field)?;
            let mut default = schema.default.clone();
            if let Some(Value::Struct(values)) = &mut default
                && let Some(value) = values.get_mut(place)
            {
                *value = self.typed(self.convert(std::mem::take(value), source)?);
            }
            let of_struct = Schema { schema_type: struct_type(all)?, default, ..Schema::clone(schema) };
            Ok(Converted { schema: Arc::new(of_struct), source, place: Some(place) })
        })?;
        let value = match value {
            Value::Struct(mut values) => {
                values.resize(fields.len(), Value::Null);
                for (place, (field, value)) in fields.iter().zip(&mut values).enumerate() {
                    let whole = field_value(field, std::mem::take(value), self.replaces_null);
                    let is_converted = converted.place == Some(place);
                    *value = if is_converted { self.typed(self.convert(whole, converted.source)?) } else { whole };
                }
                Value::Struct(values)
            }
            other => other,
        };
        Ok(Data::with_schema(Arc::clone(&converted.schema), value))
    }

    /// The schema of what was converted.
    fn schema(&self, schema: &Schema) -> Schema {
        match self.target {
            Target::String => of_type(SchemaType::String, schema.optional),
            Target::Unix => of_type(SchemaType::Int64, schema.optional),
            Target::Logical(logical_type) => of_time(logical_type, schema.optional),
        }
    }

    /// A value without a schema. Dates of all kinds are alike then, as on the JVM.
    fn schemaless(&self, value: Value) -> Result<Value> {
        let value = decoded(value);
        let source = match &value {
            Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => Source::Date,
            Value::Int64(_) => Source::Unix,
            Value::String(_) => Source::String,
            other => {
                let class = other.type_name();
                return Err(Error::data(format!("TimestampConverter does not support class {class} objects as timestamps")));
            }
        };
        self.convert(value, source)
    }

    /// The value in the target's form; dates, times and timestamps as timestamps.
    fn convert(&self, value: Value, source: Source) -> Result<Value> {
        let millis = match (source, &value) {
            (_, Value::Null) => return Ok(value),
            (Source::Unix, Value::Int64(number)) => match self.unit {
                Unit::Milliseconds(millis) => number.saturating_mul(millis),
                Unit::OfMillisecond(parts) => number / parts,
            },
            (Source::String, Value::String(text)) => self.parse(text)?,
            (_, other) => other.epoch_millis().ok_or_else(|| unexpected(other))?,
        };
        Ok(match self.target {
            Target::String => {
                let mut text = String::with_capacity(USUAL_LENGTH);
                if let Some((_, format)) = &self.format {
                    format.format(millis, &mut text);
                }
                Value::String(Text::from(text))
            }
            Target::Unix => Value::Int64(match self.unit {
                Unit::Milliseconds(unit) => millis / unit,
                Unit::OfMillisecond(parts) => millis.saturating_mul(parts),
            }),
            Target::Logical(LogicalType::Date) => Value::Timestamp(millis.wrapping_sub(millis.rem_euclid(DAY))),
            Target::Logical(LogicalType::Time) => Value::Timestamp(millis.rem_euclid(DAY)),
            Target::Logical(_) => Value::Timestamp(millis),
        })
    }

    fn parse(&self, text: &str) -> Result<i64> {
        let Some((pattern, format)) = &self.format else {
            let message =
                "Cannot invoke \"java.text.SimpleDateFormat.parse(String)\" because \"config.format\" is null: set `format`";
            return Err(Error::data(message).with_class("java.lang.NullPointerException"));
        };
        format.parse(text).ok_or_else(|| {
            Error::data(format!("Could not parse timestamp: value ({}) does not match pattern ({pattern})", shortened(text)))
        })
    }

    /// What was converted, as its schema has it.
    fn typed(&self, value: Value) -> Value {
        // Days of more than 32 bits are beyond the year 5,000,000.
        let days = |millis: i64| i32::try_from(millis / DAY).unwrap_or(if millis < 0 { i32::MIN } else { i32::MAX });
        match (self.target, value) {
            (Target::Logical(LogicalType::Date), Value::Timestamp(millis)) => Value::Date(days(millis)),
            (Target::Logical(LogicalType::Time), Value::Timestamp(millis)) => {
                Value::Time(i32::try_from(millis).unwrap_or_default())
            }
            (_, value) => value,
        }
    }
}

/// Where the values of a schema are read from.
///
/// # Errors
/// `Data` where they are no times.
fn source(schema: &Schema) -> Result<Source> {
    match (schema.logical_type(), &schema.schema_type) {
        (Some(LogicalType::Date | LogicalType::Time | LogicalType::Timestamp), _) => Ok(Source::Date),
        (_, SchemaType::String) => Ok(Source::String),
        (_, SchemaType::Int64) => Ok(Source::Unix),
        (_, other) => {
            let name = schema.name.as_deref().map_or_else(String::new, |name| format!("{name}:"));
            let message = format!("Schema Schema{{{name}{}}} does not correspond to a known timestamp type format", other.name());
            Err(Error::data(message).with_class("org.apache.kafka.connect.errors.ConnectException"))
        }
    }
}

fn unexpected(value: &Value) -> Error {
    Error::data(format!("TimestampConverter does not support class {} objects as timestamps", value.type_name()))
}
