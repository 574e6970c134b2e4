//! Protobuf, with the schemas of the AWS Glue Schema Registry.

use bytes::Bytes;
use connect_api::{
    Converter, Error, Fetch, Plugin, RawHeader, Result,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::Data,
};

use super::{Flavour, ProtobufReader, ProtobufSchema};
use crate::{
    converter::glue::InGlue,
    registry::glue::{DataFormat, keys},
};

static MESSAGE_TYPE: ConfigKey<String> =
    ConfigKey::optional("protobufMessageType", "`DYNAMIC_MESSAGE`: the other kind needs Java classes.")
        .one_of(&["DYNAMIC_MESSAGE"])
        .importance(Importance::Low);

/// Protobuf in Glue's wire format.
#[derive(Debug)]
pub(crate) struct AwsKafkaProtobufSchemaConverter(InGlue<ProtobufReader>);

impl Plugin for AwsKafkaProtobufSchemaConverter {
    const NAME: &'static str = DataFormat::Protobuf.converter();
    const ALIASES: &'static [&'static str] = &["AWSKafkaProtobufSchemaConverter"];
    const DOCUMENTATION: &'static str = "Protobuf with the name of its schema in front, which the AWS Glue Schema Registry has. Messages that contain themselves are refused.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("AWSKafkaProtobufSchemaConverter", &[&keys()[..], &[&MESSAGE_TYPE]].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        config.find(&MESSAGE_TYPE)?;
        Ok(Self(InGlue::new(config, DataFormat::Protobuf, ProtobufReader(Flavour::Glue))?))
    }
}

impl Converter for AwsKafkaProtobufSchemaConverter {
    fn to_connect_data(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        self.0.to_connect_data(topic, bytes, |schema, payload| schema.glue_data(payload))
    }

    fn fetch(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        self.0.fetch(topic, bytes)
    }
}

impl ProtobufSchema {
    /// The data of bytes that begin with the number of their type among all of the schema's, sorted by name.
    ///
    /// # Errors
    /// `Data` where it is no message of the schema.
    pub(super) fn glue_data(&self, payload: &Bytes) -> Result<Data> {
        let number = varint(payload);
        let (number, length) = number.ok_or_else(|| Error::data("the message does not say which of its schema's types it has"))?;
        self.data_of(&[number], &payload.slice(length..))
    }
}

/// The number at the beginning, without a sign in it, and its length there.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut read = 0_u64;
    for (place, byte) in bytes.iter().take(10).enumerate() {
        read |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            // Of more bits than 32 the JVM takes the low ones.
            return Some((usize::try_from(read & u64::from(u32::MAX)).ok()?, place + 1));
        }
    }
    None
}
