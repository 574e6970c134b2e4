//! Avro, with the schemas of a registry.

mod attributes;
mod decode;
mod default;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod glue;
mod plan;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Converter, Error, Fetch, Plugin, RawHeader, Result,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, Importance},
    data::{Data, Schema},
};

pub(crate) use self::{
    attributes::{ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, UNION},
    glue::AwsKafkaAvroConverter,
};
use self::{
    decode::{Malformed, decode},
    plan::Plan,
    schema::{Dialect, SchemaReader},
};
use super::registered::{CACHE, ONLY_READS, Registered, SUM_TYPES};
use crate::registry::{
    Reader, SchemaText,
    confluent::{KEYS, Message},
};

/// What registries call schemas of Avro.
const TYPE: &str = "AVRO";

/// What the JVM throws where a message ends too early.
const NETWORK: &str = "org.apache.kafka.common.errors.NetworkException";

static ENHANCED: ConfigKey<bool> = ConfigKey::with_default(
    "enhanced.avro.schema.support",
    "false",
    "Whether the fields of a union are called by full names of records, enums and fixed types.",
)
.importance(Importance::Low);

static FLATTEN: ConfigKey<bool> = ConfigKey::with_default(
    "flatten.singleton.unions",
    "true",
    "Whether a union of one type is that type, and not a struct of one field.",
)
.importance(Importance::Low);

static METADATA: ConfigKey<bool> =
    ConfigKey::with_default("connect.meta.data", "true", "Whether written schemas say what Connect knows.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

static OPTIONAL_KEYS: ConfigKey<bool> =
    ConfigKey::with_default("allow.optional.map.keys", "false", "Whether maps whose keys are optional texts are written as maps.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

static SCRUB: ConfigKey<bool> =
    ConfigKey::with_default("scrub.invalid.names", "false", "Whether names that Avro refuses are changed when they are written.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

static DISCARD_DOC: ConfigKey<bool> =
    ConfigKey::with_default("discard.type.doc.default", "false", "Whether docs and defaults of types are left out.")
        .importance(Importance::Low)
        .no_effect("docs and defaults of fields are kept either way");

/// The keys of every converter that reads Avro, wherever its schemas are.
const DIALECT_KEYS: &[&dyn AnyConfigKey] =
    &[&ENHANCED, &FLATTEN, &SUM_TYPES, &METADATA, &OPTIONAL_KEYS, &SCRUB, &DISCARD_DOC, &CACHE];

/// # Errors
/// `Config` where something is asked for that is not supported.
fn dialect(config: &Config) -> Result<Dialect> {
    config.get(&SUM_TYPES)?;
    Ok(Dialect { has_full_names: config.get(&ENHANCED)?, flattens_single_unions: config.get(&FLATTEN)? })
}

/// Avro in Confluent's wire format.
#[derive(Debug)]
pub(crate) struct AvroConverter(Registered<AvroReader>);

/// Makes Connect schemas.
#[derive(Debug)]
struct AvroReader(Dialect);

/// A schema with what its values need.
#[derive(Debug)]
struct AvroSchema {
    schema: Arc<Schema>,
    plan: Plan,
}

impl Plugin for AvroConverter {
    const NAME: &'static str = "io.confluent.connect.avro.AvroConverter";
    const DOCUMENTATION: &'static str = "Avro with the id of its schema in front, which a schema registry has.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("AvroConverter", &[KEYS, DIALECT_KEYS].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self(Registered::new(config, AvroReader(dialect(config)?))?))
    }
}

impl Converter for AvroConverter {
    fn to_connect_data(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let unreadable = |error: Error| match error.class() {
            NETWORK => error,
            _ => Error::data(format!("Failed to deserialize data for topic {topic} to Avro:")).with_source(error),
        };
        let read = |schema: &Arc<AvroSchema>, message: &Message| {
            data(schema, &message.payload).map_err(|malformed| match malformed {
                // In the JVM's words, and then in ours.
                Malformed::Truncated => Error::data(format!("I/O error while deserializing data for topic {topic}: null"))
                    .with_class(NETWORK)
                    .with_source(malformed.to_string()),
                Malformed::Because(_) => Error::data(malformed.to_string()),
            })
        };
        self.0.to_connect_data(topic, headers, bytes, read, unreadable)
    }

    fn fetch(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        self.0.fetch(topic, headers, bytes)
    }
}

/// The data of a message without the id of its schema.
fn data(known: &AvroSchema, payload: &Bytes) -> Result<Data, Malformed> {
    decode(&known.plan, payload).map(|value| Data::with_schema(Arc::clone(&known.schema), value))
}

impl Reader for AvroReader {
    type Schema = AvroSchema;

    fn record_name(&self, text: &SchemaText) -> Option<String> {
        schema::full_name(&text.schema.schema)
    }

    fn read(&self, text: &SchemaText, version: Option<i32>) -> Result<AvroSchema> {
        let mut reader = SchemaReader::new(self.0);
        for (_, referenced) in &text.referenced {
            reader.read(referenced.text(TYPE)?)?;
        }
        let read = reader.read(text.schema.text(TYPE)?)?;
        let mut schema = read.schema;
        // A union with null, or of one type, is no place for it.
        if !matches!(read.plan, Plan::Optional(..) | Plan::Single(_)) {
            schema.version = schema.version.or(version);
        }
        Ok(AvroSchema { schema: Arc::new(schema), plan: read.plan })
    }
}

/// The schema that plain JSON may be read by.
///
/// # Errors
/// `Data` where it is none of Avro, or Connect has no such schema.
pub(super) fn connect_schema(text: &SchemaText, version: Option<i32>) -> Result<Arc<Schema>> {
    let reader = AvroReader(Dialect { has_full_names: false, flattens_single_unions: true });
    Ok(reader.read(text, version)?.schema)
}
