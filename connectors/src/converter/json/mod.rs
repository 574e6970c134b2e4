//! JSON, with or without schemas.

#[cfg(test)]
mod cases;
mod envelope;
mod given;
mod one_of;
mod payload;
mod schema;
mod schemas;
#[cfg(test)]
mod vectors;

use bytes::Bytes;
use connect_api::{
    Converter, Error, Fetch, Plugin, RawHeader, Result,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, Importance},
    data::{Data, JsonText, Value},
};

pub(crate) use self::given::{Inference, LONGEST_SCHEMA, UnknownFields, read_by_schema, schema_from_text, with_place};
pub(super) use self::payload::Payload;
use self::{envelope::Envelopes, given::GivenSchemas};
use super::converts_headers;
use crate::registry::confluent::KEYS_WITH_SUBJECT;

static SCHEMAS_ENABLE: ConfigKey<bool> = ConfigKey::with_default(
    "schemas.enable",
    "true",
    "Whether each message is an envelope, an object of a `schema` and a `payload`. Plain JSON needs `false`.",
)
.importance(Importance::High);

static SCHEMAS_CACHE_SIZE: ConfigKey<i32> =
    ConfigKey::with_default("schemas.cache.size", "1000", "Schemas that are kept in memory.").importance(Importance::Low);

static DECIMAL_FORMAT: ConfigKey<String> = ConfigKey::with_default("decimal.format", "BASE64", "How decimals are written.")
    .one_of_any_case(&["BASE64", "NUMERIC"])
    .importance(Importance::Low)
    .no_effect("a sink's converter only reads");

static REPLACE_NULL_WITH_DEFAULT: ConfigKey<bool> = ConfigKey::with_default(
    "replace.null.with.default",
    "true",
    "Whether null becomes the default of its schema, where it has one.",
)
.importance(Importance::Low);

/// JSON as validated text, see [`JsonText`], or as a schema says.
#[derive(Debug)]
pub(crate) struct JsonConverter(Schemas);

/// Where schemas come from.
#[derive(Debug)]
enum Schemas {
    /// From nowhere: `schemas.enable=false`.
    None,
    /// With each message: `schemas.enable=true`.
    InMessages(Envelopes),
    /// From a file or a registry, for all messages of a topic.
    Given(GivenSchemas),
}

impl Plugin for JsonConverter {
    const NAME: &'static str = "org.apache.kafka.connect.json.JsonConverter";
    const DOCUMENTATION: &'static str = "JSON. Without schemas the order of keys and the text of numbers stay the producer's. Extension: a schema may be given beside plain JSON, \
         by a file or a registry, so that formats that need one can be written.";

    fn config_def() -> ConfigDef {
        let own: [&'static dyn AnyConfigKey; 4] =
            [&SCHEMAS_ENABLE, &SCHEMAS_CACHE_SIZE, &DECIMAL_FORMAT, &REPLACE_NULL_WITH_DEFAULT];
        let of_registry = KEYS_WITH_SUBJECT.iter().map(|key| key as &'static dyn AnyConfigKey);
        let keys: Vec<_> = own.into_iter().chain(given::KEYS.iter().copied()).chain(of_registry).collect();
        ConfigDef::new("JsonConverter", &keys)
    }

    fn configure(config: &Config) -> Result<Self> {
        config.find(&DECIMAL_FORMAT)?;
        let schemas = usize::try_from(config.get(&SCHEMAS_CACHE_SIZE)?).unwrap_or_default();
        let replaces_null = config.get(&REPLACE_NULL_WITH_DEFAULT)?;
        let has_envelopes = config.get(&SCHEMAS_ENABLE)?;
        Ok(Self(match GivenSchemas::new(config, replaces_null, has_envelopes)? {
            Some(given) => Schemas::Given(given),
            None if has_envelopes => Schemas::InMessages(Envelopes::new(schemas, replaces_null)),
            None => Schemas::None,
        }))
    }
}

impl Converter for JsonConverter {
    fn to_connect_data(&self, topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let Some(bytes) = bytes else { return Ok(Data::default()) };
        if let Schemas::InMessages(envelopes) = &self.0
            && let Some(data) = envelopes.read_known(bytes)?
        {
            return Ok(data);
        }
        let text = JsonText::parse(bytes).map_err(|error| {
            Error::data("Converting byte[] to Kafka Connect data failed due to serialization error: ").with_source(error)
        })?;
        match &self.0 {
            Schemas::None => Ok(Data::schemaless(text.map_or(Value::Null, Value::Json))),
            Schemas::InMessages(envelopes) => envelopes.read(text.as_ref()),
            Schemas::Given(given) => given.read(topic, text.as_ref()),
        }
    }

    fn fetch(&self, topic: &str, _headers: &[RawHeader], _bytes: Option<&Bytes>) -> Option<Fetch> {
        match &self.0 {
            Schemas::Given(given) => given.fetch(topic),
            Schemas::None | Schemas::InMessages(_) => None,
        }
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
