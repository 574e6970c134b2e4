//! Records without a value.

use connect_api::{
    Plugin, Predicate, Result, SinkRecord,
    config::{Config, ConfigDef},
};

/// Holds of records whose value is null.
pub(crate) struct RecordIsTombstone;

impl Plugin for RecordIsTombstone {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone";
    const DOCUMENTATION: &'static str = "Holds of records whose value is null.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("RecordIsTombstone", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl Predicate for RecordIsTombstone {
    fn test(&self, record: &SinkRecord) -> Result<bool> {
        Ok(record.is_tombstone())
    }
}
