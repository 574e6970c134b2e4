//! Headers with a fixed value.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Header, HeaderConverter as _, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
    data::Data,
};

use crate::converter::SimpleHeaderConverter;

static HEADER: ConfigKey<String> = ConfigKey::required("header", "The header's name.");
static VALUE_LITERAL: ConfigKey<String> =
    ConfigKey::required("value.literal", "The header's value, read as SimpleHeaderConverter reads headers: `1` is a number.");

/// Adds a header.
pub(crate) struct InsertHeader {
    key: Arc<str>,
    value: Data,
}

impl Plugin for InsertHeader {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.InsertHeader";
    const DOCUMENTATION: &'static str = "Adds a header with a fixed value; others with the same name stay.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("InsertHeader", &[&HEADER, &VALUE_LITERAL])
    }

    fn configure(config: &Config) -> Result<Self> {
        let (key, literal) = (config.get(&HEADER)?, Bytes::from(config.get(&VALUE_LITERAL)?));
        let value = SimpleHeaderConverter::configure(config)?.to_connect_header("", &key, Some(&literal))?;
        Ok(Self { key: key.into(), value })
    }
}

impl Transformation for InsertHeader {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        record.headers.push(Header { key: Arc::clone(&self.key), value: self.value.clone() });
        Ok(Some(record))
    }
}
