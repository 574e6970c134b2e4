//! Avro, with the schemas of the AWS Glue Schema Registry.

use bytes::Bytes;
use connect_api::{
    Converter, Error, ErrorKind, Fetch, Plugin, RawHeader, Result,
    config::{Config, ConfigDef},
    data::Data,
};

use super::{AvroReader, DIALECT_KEYS, data, dialect};
use crate::registry::{
    Schemas,
    glue::{GlueConfig, GlueRegistry, keys, payload, split},
};

/// Avro in Glue's wire format.
#[derive(Debug)]
pub(crate) struct AwsKafkaAvroConverter {
    schemas: Schemas<AvroReader>,
}

impl Plugin for AwsKafkaAvroConverter {
    const NAME: &'static str = "com.amazonaws.services.schemaregistry.kafkaconnect.AWSKafkaAvroConverter";
    const DOCUMENTATION: &'static str = "Avro with the name of its schema in front, which the AWS Glue Schema Registry has.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("AWSKafkaAvroConverter", &[&keys()[..], DIALECT_KEYS].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        let glue = GlueConfig::new(config)?;
        let most = glue.most_schemas();
        Ok(Self { schemas: Schemas::new(GlueRegistry::new(glue), most, AvroReader(dialect(config)?)) })
    }
}

impl Converter for AwsKafkaAvroConverter {
    fn to_connect_data(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let Some(bytes) = bytes else { return Ok(Data::default()) };
        let unreadable =
            |error| Error::data("Converting byte[] to Kafka Connect data failed due to serialization error: ").with_source(error);
        let (id, is_compressed, rest) = split(bytes).map_err(unreadable)?;
        let known = match self.schemas.get(id, topic) {
            Err(error) if error.kind() == ErrorKind::Data => return Err(unreadable(error)),
            known => known?,
        };
        let read = payload(is_compressed, rest)
            .and_then(|payload| data(&known, &payload).map_err(|malformed| Error::data(malformed.to_string())));
        read.map_err(unreadable)
    }

    fn fetch(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        let (id, ..) = split(bytes?).ok()?;
        Some(self.schemas.fetch(id, topic))
    }
}
