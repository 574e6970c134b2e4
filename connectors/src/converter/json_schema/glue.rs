//! JSON, with the JSON Schemas of the AWS Glue Schema Registry.

use bytes::Bytes;
use connect_api::{
    Converter, Fetch, Plugin, RawHeader, Result,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, Importance},
    data::Data,
};

use super::{DECIMAL_FORMAT, Dialect, Flavour, JsonSchemaReader, OPTIONAL, data};
use crate::{
    converter::{
        glue::InGlue,
        registered::{CACHE, ONLY_READS},
    },
    registry::glue::{DataFormat, keys},
};

static METADATA: ConfigKey<bool> =
    ConfigKey::with_default("connect.meta.data", "true", "Whether written schemas say what Connect knows.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

macro_rules! jackson {
    ($name:ident, $key:literal) => {
        static $name: ConfigKey<String> = ConfigKey::optional($key, "Features of a Java library.")
            .importance(Importance::Low)
            .no_effect("the library is not here");
    };
}

jackson!(SERIALIZATION, "jacksonSerializationFeatures");
jackson!(DESERIALIZATION, "jacksonDeserializationFeatures");

const DIALECT_KEYS: &[&dyn AnyConfigKey] = &[&OPTIONAL, &DECIMAL_FORMAT, &METADATA, &SERIALIZATION, &DESERIALIZATION, &CACHE];

/// JSON in Glue's wire format.
#[derive(Debug)]
pub(crate) struct AwsKafkaJsonSchemaConverter(InGlue<JsonSchemaReader>);

impl Plugin for AwsKafkaJsonSchemaConverter {
    const NAME: &'static str = DataFormat::Json.converter();
    const ALIASES: &'static [&'static str] = &["AWSKafkaJsonSchemaConverter"];
    // They are those of Confluent's.
    const HAS_SHORT_NAMES: bool = false;
    const DOCUMENTATION: &'static str = "JSON with the name of its JSON Schema in front, which the AWS Glue Schema Registry has. Schemas that contain themselves are refused. `integer` is read as a long, and an enum of texts as a text.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("AWSKafkaJsonSchemaConverter", &[&keys()[..], DIALECT_KEYS].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        let dialect =
            Dialect { flavour: Flavour::Glue, optional_where_not_required: config.get(&OPTIONAL)?, flattens_single_unions: false };
        Ok(Self(InGlue::new(config, DataFormat::Json, JsonSchemaReader(dialect))?))
    }
}

impl Converter for AwsKafkaJsonSchemaConverter {
    fn to_connect_data(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        self.0.to_connect_data(topic, bytes, |schema, payload| data(Flavour::Glue, schema.as_ref().as_ref(), payload))
    }

    fn fetch(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        self.0.fetch(topic, bytes)
    }
}
