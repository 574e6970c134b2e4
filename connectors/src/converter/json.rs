//! JSON without a schema.

use bytes::Bytes;
use connect_api::{
    Converter, Error, Plugin, RawHeader, Result,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::{Data, JsonText, Value},
};

use super::converts_headers;

static SCHEMAS_ENABLE: ConfigKey<bool> = ConfigKey::with_default(
    "schemas.enable",
    "true",
    "Whether each message is an envelope of a schema and a payload. Envelopes are not supported yet: set it to false.",
)
.importance(Importance::High);

static SCHEMAS_CACHE_SIZE: ConfigKey<i32> =
    ConfigKey::with_default("schemas.cache.size", "1000", "Schemas that are kept in memory.")
        .no_effect("data without schemas needs no cache");

static DECIMAL_FORMAT: ConfigKey<String> = ConfigKey::with_default("decimal.format", "BASE64", "How decimals are written.")
    .one_of_any_case(&["BASE64", "NUMERIC"])
    .importance(Importance::Low)
    .no_effect("a sink's converter only reads");

static REPLACE_NULL_WITH_DEFAULT: ConfigKey<bool> =
    ConfigKey::with_default("replace.null.with.default", "true", "Whether null becomes the default of its schema.")
        .importance(Importance::Low)
        .no_effect("data without schemas has no defaults");

/// JSON as validated text: see [`JsonText`].
#[derive(Debug)]
pub(crate) struct JsonConverter;

impl Plugin for JsonConverter {
    const NAME: &'static str = "org.apache.kafka.connect.json.JsonConverter";
    const DOCUMENTATION: &'static str = "JSON without a schema. Order of keys and text of numbers stay the producer's.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("JsonConverter", &[&SCHEMAS_ENABLE, &SCHEMAS_CACHE_SIZE, &DECIMAL_FORMAT, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        if config.get(&SCHEMAS_ENABLE)? {
            let converter = match config.text("converter.type") {
                Some(role @ ("key" | "value" | "header")) => format!("{role}.converter."),
                _ => String::new(),
            };
            return Err(Error::config(format!(
                "JsonConverter does not support envelopes of schema and payload yet; set {converter}schemas.enable=false"
            )));
        }
        config.find(&SCHEMAS_CACHE_SIZE)?;
        config.find(&DECIMAL_FORMAT)?;
        config.find(&REPLACE_NULL_WITH_DEFAULT)?;
        Ok(Self)
    }
}

impl Converter for JsonConverter {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let text = match bytes {
            Some(bytes) => JsonText::parse(bytes).map_err(|error| {
                Error::data("Converting byte[] to Kafka Connect data failed due to serialization error: ").with_source(error)
            })?,
            None => None,
        };
        Ok(Data::schemaless(text.map_or(Value::Null, Value::Json)))
    }
}

converts_headers!(JsonConverter);

#[cfg(test)]
mod tests {
    use connect_api::{ErrorKind, testing::converter};

    use super::*;

    fn without_schemas() -> JsonConverter {
        JsonConverter::configure(&[("schemas.enable", "false")].into_iter().collect()).unwrap()
    }

    #[test]
    fn it_keeps_the_contract() {
        let inputs = [&b""[..], b"{", b"{\"a\": 1}", b"{\"a\":1}", b"null", b"[1,2"].map(Bytes::from_static);
        converter::keeps_the_contract(&without_schemas(), &inputs);
    }

    #[test]
    fn envelopes_are_refused_with_the_key_to_set() {
        let error = JsonConverter::configure(&[("converter.type", "value")].into_iter().collect()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("value.converter.schemas.enable=false"), "{error}");
    }

    #[test]
    fn nothing_and_null_are_null() {
        for bytes in [None, Some(&b""[..]), Some(b" \n"), Some(b"null")] {
            let bytes = bytes.map(Bytes::from_static);
            let data = without_schemas().to_connect_data("t", &[], bytes.as_ref()).unwrap();
            assert!(matches!(data.value, Value::Null), "{bytes:?}");
            assert!(data.schema.is_none());
        }
    }

    #[test]
    fn what_is_no_json_fails_with_the_message_that_operators_know() {
        let error = without_schemas().to_connect_data("t", &[], Some(&Bytes::from_static(b"{bad"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert_eq!(error.class(), "org.apache.kafka.connect.errors.DataException");
        assert_eq!(error.to_string(), "Converting byte[] to Kafka Connect data failed due to serialization error: ");
        assert!(error.report().ends_with("a name in quotes is missing at byte 1"), "{}", error.report());
    }
}
