//! JSON, with the JSON Schemas of a registry.

mod flavour;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod glue;
mod resolve;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Converter, Error, Fetch, Plugin, RawHeader, Result,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, Importance},
    data::{Data, JsonText, Schema, Value, json::Cursor},
};
use serde_json::Value as Json;

pub(crate) use self::glue::AwsKafkaJsonSchemaConverter;
use self::{
    flavour::Flavour,
    resolve::Documents,
    schema::{Dialect, SchemaReader},
};
use super::{
    json::Payload,
    registered::{CACHE, ONLY_READS, Registered, SUM_TYPES},
};
use crate::registry::{Reader, SchemaText, confluent::KEYS};

/// What Confluent's converter calls a union.
pub(super) const ONE_OF: &str = Flavour::Confluent.union();

static OPTIONAL: ConfigKey<bool> = ConfigKey::with_default(
    "use.optional.for.nonrequired",
    "false",
    "Whether properties that are not among the required ones may be missing. Else a message without them is refused.",
);

static FLATTEN: ConfigKey<bool> = ConfigKey::with_default(
    "flatten.singleton.unions",
    "true",
    "Whether a union of one schema is that schema, and not a struct of one field.",
)
.importance(Importance::Low);

static ADDITIONAL: ConfigKey<bool> =
    ConfigKey::with_default("object.additional.properties", "true", "Whether written schemas allow further properties.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

static DECIMAL_FORMAT: ConfigKey<String> = ConfigKey::with_default("decimal.format", "BASE64", "How decimals are written.")
    .one_of_any_case(&["BASE64", "NUMERIC"])
    .importance(Importance::Low)
    .no_effect(ONLY_READS);

static FAIL_INVALID: ConfigKey<bool> = ConfigKey::with_default(
    "json.fail.invalid.schema",
    "false",
    "Whether messages are checked against every rule of their schema.",
)
.importance(Importance::Low)
.no_effect("types are checked, and no other rule");

const DIALECT_KEYS: &[&dyn AnyConfigKey] = &[&OPTIONAL, &FLATTEN, &SUM_TYPES, &ADDITIONAL, &DECIMAL_FORMAT, &FAIL_INVALID, &CACHE];

/// JSON in Confluent's wire format.
#[derive(Debug)]
pub(crate) struct JsonSchemaConverter(Registered<JsonSchemaReader>);

/// Makes Connect schemas; `None` is that of null.
#[derive(Debug)]
struct JsonSchemaReader(Dialect);

impl Plugin for JsonSchemaConverter {
    const NAME: &'static str = "io.confluent.connect.json.JsonSchemaConverter";
    const DOCUMENTATION: &'static str =
        "JSON with the id of its JSON Schema in front, which a schema registry has. Schemas that contain themselves are refused.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("JsonSchemaConverter", &[KEYS, DIALECT_KEYS].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        config.get(&SUM_TYPES)?;
        let dialect = Dialect {
            flavour: Flavour::Confluent,
            optional_where_not_required: config.get(&OPTIONAL)?,
            flattens_single_unions: config.get(&FLATTEN)?,
        };
        Ok(Self(Registered::new(config, JsonSchemaReader(dialect))?))
    }
}

impl Converter for JsonSchemaConverter {
    fn to_connect_data(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let unreadable = |error| {
            let what = format!("Converting byte[] to Kafka Connect data failed due to serialization error of topic {topic}: ");
            Error::data(what).with_source(error)
        };
        self.0.to_connect_data(
            topic,
            headers,
            bytes,
            |schema, message| data(Flavour::Confluent, schema.as_ref().as_ref(), &message.payload),
            unreadable,
        )
    }

    fn fetch(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        self.0.fetch(topic, headers, bytes)
    }
}

/// The schema that plain JSON may be read by: what is not required may be missing.
///
/// # Errors
/// `Data` where it is no JSON Schema, or Connect has no such schema.
pub(super) fn connect_schema(text: &SchemaText, version: Option<i32>) -> Result<Option<Arc<Schema>>> {
    JsonSchemaReader(Dialect { flavour: Flavour::Confluent, optional_where_not_required: true, flattens_single_unions: true })
        .read(text, version)
}

/// # Errors
/// `Data` where the payload is no JSON, or no value of the schema.
fn data(flavour: Flavour, schema: Option<&Arc<Schema>>, payload: &Bytes) -> Result<Data> {
    let text = JsonText::parse(payload).map_err(|error| Error::data("the message is no JSON").with_source(error))?;
    let Some(schema) = schema else { return Ok(Data::schemaless(text.map_or(Value::Null, Value::Json))) };
    let Some(text) = text else {
        // Null, which a schema may have a default for.
        return match (&schema.default, schema.optional) {
            (Some(default), _) => Ok(Data::with_schema(Arc::clone(schema), default.clone())),
            (None, true) => Ok(Data::with_schema(Arc::clone(schema), Value::Null)),
            (None, false) => Err(Error::data(format!("Invalid null value for required {} field", schema.schema_type.name()))),
        };
    };
    let value = Payload::of_json_schema(&text, flavour.union()).read(schema, &mut Cursor::new(&text))?;
    Ok(Data::with_schema(Arc::clone(schema), value))
}

impl Reader for JsonSchemaReader {
    type Schema = Option<Arc<Schema>>;

    fn record_name(&self, text: &SchemaText) -> Option<String> {
        let schema: Json = serde_json::from_str(&text.schema.schema).ok()?;
        schema.get("title")?.as_str().map(str::to_owned)
    }

    fn read(&self, text: &SchemaText, version: Option<i32>) -> Result<Option<Arc<Schema>>> {
        let documents = Documents::new(text)?;
        Ok(SchemaReader::new(self.0, &documents).top(version)?.map(Arc::new))
    }
}
