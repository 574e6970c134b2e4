//! Avro, with the schemas of the AWS Glue Schema Registry.

use bytes::Bytes;
use connect_api::{
    Converter, Error, Fetch, Plugin, RawHeader, Result,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::Data,
};

use super::{AvroReader, DIALECT_KEYS, data, dialect};
use crate::{
    converter::glue::InGlue,
    registry::glue::{DataFormat, keys},
};

static RECORD_TYPE: ConfigKey<String> =
    ConfigKey::optional("avroRecordType", "`GENERIC_RECORD`: the other kind needs Java classes.")
        .one_of(&["GENERIC_RECORD"])
        .importance(Importance::Low);

/// Avro in Glue's wire format.
#[derive(Debug)]
pub(crate) struct AwsKafkaAvroConverter(InGlue<AvroReader>);

impl Plugin for AwsKafkaAvroConverter {
    const NAME: &'static str = DataFormat::Avro.converter();
    const DOCUMENTATION: &'static str = "Avro with the name of its schema in front, which the AWS Glue Schema Registry has.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("AWSKafkaAvroConverter", &[&keys()[..], &[&RECORD_TYPE], DIALECT_KEYS].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        config.find(&RECORD_TYPE)?;
        Ok(Self(InGlue::new(config, DataFormat::Avro, AvroReader(dialect(config)?))?))
    }
}

impl Converter for AwsKafkaAvroConverter {
    fn to_connect_data(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        self.0.to_connect_data(topic, bytes, |schema, payload| {
            data(schema, payload).map_err(|malformed| Error::data(malformed.to_string()))
        })
    }

    fn fetch(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        self.0.fetch(topic, bytes)
    }
}
