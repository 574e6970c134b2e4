//! Headers that are left out.

use connect_api::{
    Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey, List},
};

use super::non_empty;

static HEADERS: ConfigKey<List> = ConfigKey::required("headers", "The names of the headers.").check(non_empty);

/// Removes headers.
pub(crate) struct DropHeaders {
    headers: Vec<String>,
}

impl Plugin for DropHeaders {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.DropHeaders";
    const DOCUMENTATION: &'static str = "Removes all headers with certain names.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("DropHeaders", &[&HEADERS])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { headers: config.get(&HEADERS)?.0 })
    }
}

impl Transformation for DropHeaders {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        record.headers.retain(|header| !self.headers.iter().any(|dropped| **dropped == *header.key));
        Ok(Some(record))
    }
}
