//! Text.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Converter, Plugin, RawHeader, Result,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::{Data, Schema, SchemaType, Value},
};

use super::{charset::Charset, converts_headers};

static ENCODING: ConfigKey<Charset> =
    ConfigKey::with_default("converter.encoding", "UTF-8", "The character set of the bytes.").importance(Importance::High);

/// Bytes as text; what is malformed becomes U+FFFD.
#[derive(Debug)]
pub(crate) struct StringConverter {
    schema: Arc<Schema>,
    charset: Charset,
}

impl Plugin for StringConverter {
    const NAME: &'static str = "org.apache.kafka.connect.storage.StringConverter";
    const DOCUMENTATION: &'static str = "Text of any content, in UTF-8 unless configured otherwise.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("StringConverter", &[&ENCODING])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { schema: Schema::optional(SchemaType::String), charset: config.get(&ENCODING)? })
    }
}

impl Converter for StringConverter {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let value = bytes.map_or(Value::Null, |bytes| Value::String(self.charset.decode(bytes)));
        Ok(Data::with_schema(self.schema.clone(), value))
    }
}

converts_headers!(StringConverter);

#[cfg(test)]
mod tests {
    use connect_api::testing::converter;

    use super::*;

    fn converter_with(encoding: &str) -> StringConverter {
        StringConverter::configure(&[("converter.encoding", encoding)].into_iter().collect()).unwrap()
    }

    fn text_of(converter: &StringConverter, bytes: &'static [u8]) -> String {
        match converter.to_connect_data("t", &[], Some(&Bytes::from_static(bytes))).unwrap().value {
            Value::String(text) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_keeps_the_contract() {
        let inputs = [&b""[..], b"text", b"\xff\xfe", "é😀".as_bytes()].map(Bytes::from_static);
        converter::keeps_the_contract(&converter_with("UTF-8"), &inputs);
    }

    #[test]
    fn null_is_null_with_a_schema() {
        let data = converter_with("UTF-8").to_connect_data("t", &[], None).unwrap();
        assert!(matches!(data.value, Value::Null));
        assert_eq!(data.schema.unwrap().schema_type, SchemaType::String);
    }

    #[test]
    fn other_character_sets_are_decoded() {
        assert_eq!(text_of(&converter_with("UTF-16"), b"\xfe\xff\0a\x20\xac"), "a€");
        assert_eq!(text_of(&converter_with("utf-16le"), b"a\0"), "a");
        assert_eq!(text_of(&converter_with("ISO-8859-1"), b"\xe9"), "é");
        assert_eq!(text_of(&converter_with("US-ASCII"), b"a\xe9"), "a\u{fffd}");
    }

    #[test]
    fn an_unknown_character_set_is_refused_with_the_known_ones() {
        let config = [("converter.encoding", "EBCDIC")].into_iter().collect();
        let error = StringConverter::configure(&config).unwrap_err();
        assert!(error.to_string().contains("UTF-16LE"), "{error}");
    }
}
