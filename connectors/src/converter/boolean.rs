//! One byte for true or false.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Converter, Error, Plugin, RawHeader, Result,
    config::{Config, ConfigDef},
    data::{Data, Schema, SchemaType, Value},
};

use super::converts_headers;

/// 0 or 1 in one byte.
#[derive(Debug)]
pub(crate) struct BooleanConverter {
    schema: Arc<Schema>,
}

impl Plugin for BooleanConverter {
    const NAME: &'static str = "org.apache.kafka.connect.converters.BooleanConverter";
    const DOCUMENTATION: &'static str = "One byte: 1 is true, 0 is false.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("BooleanConverter", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self { schema: Schema::optional(SchemaType::Boolean) })
    }
}

impl Converter for BooleanConverter {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let reason = match bytes.map(|bytes| &**bytes) {
            None => return Ok(Data::with_schema(self.schema.clone(), Value::Null)),
            Some(&[byte @ (0 | 1)]) => return Ok(Data::with_schema(self.schema.clone(), Value::Boolean(byte == 1))),
            Some(&[other]) => format!("Unexpected byte received by BooleanDeserializer: {}", other.cast_signed()),
            Some(_) => "Size of data received by BooleanDeserializer is not 1".to_owned(),
        };
        Err(Error::data("Failed to deserialize boolean: ").with_source(reason))
    }
}

converts_headers!(BooleanConverter);

#[cfg(test)]
mod tests {
    use connect_api::testing::converter;

    use super::*;

    #[test]
    fn it_keeps_the_contract() {
        let boolean = BooleanConverter::configure(&Config::default()).unwrap();
        converter::keeps_the_contract(&boolean, &[&b"\x01"[..], b"\0", b"\x02", b"", b"\0\0"].map(Bytes::from_static));
    }

    #[test]
    fn only_the_bytes_0_and_1_are_booleans() {
        let boolean = BooleanConverter::configure(&Config::default()).unwrap();
        let convert = |bytes: &'static [u8]| boolean.to_connect_data("t", &[], Some(&Bytes::from_static(bytes)));
        assert!(matches!(convert(b"\x01").unwrap().value, Value::Boolean(true)));
        assert!(matches!(convert(b"\0").unwrap().value, Value::Boolean(false)));
        let report = |bytes| convert(bytes).unwrap_err().report();
        assert_eq!(report(b"\x02"), "Failed to deserialize boolean: Unexpected byte received by BooleanDeserializer: 2");
        assert_eq!(report(b"\0\0"), "Failed to deserialize boolean: Size of data received by BooleanDeserializer is not 1");
    }
}
