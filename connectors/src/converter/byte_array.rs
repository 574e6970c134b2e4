//! Bytes as they are.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Converter, Plugin, RawHeader, Result,
    config::{Config, ConfigDef},
    data::{Data, Schema, SchemaType, Value},
};

use super::converts_headers;

/// Bytes as they are.
#[derive(Debug)]
pub(crate) struct ByteArrayConverter {
    schema: Arc<Schema>,
}

impl Plugin for ByteArrayConverter {
    const NAME: &'static str = "org.apache.kafka.connect.converters.ByteArrayConverter";
    const DOCUMENTATION: &'static str = "Bytes as they are, for formats that write them unchanged.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ByteArrayConverter", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self { schema: Schema::optional(SchemaType::Bytes) })
    }
}

impl Converter for ByteArrayConverter {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let value = bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.clone()));
        Ok(Data::with_schema(self.schema.clone(), value))
    }
}

converts_headers!(ByteArrayConverter);

#[cfg(test)]
mod tests {
    use connect_api::testing::converter;

    use super::*;

    #[test]
    fn it_keeps_the_contract() {
        let byte_array = ByteArrayConverter::configure(&Config::default()).unwrap();
        converter::keeps_the_contract(&byte_array, &[&b""[..], b"\0\xff", b"text"].map(Bytes::from_static));
    }

    #[test]
    fn bytes_are_not_copied() {
        let byte_array = ByteArrayConverter::configure(&Config::default()).unwrap();
        let bytes = Bytes::from(vec![0, 1, 255]);
        let Value::Bytes(value) = byte_array.to_connect_data("t", &[], Some(&bytes)).unwrap().value else { panic!() };
        assert_eq!(value.as_ptr(), bytes.as_ptr());
    }
}
