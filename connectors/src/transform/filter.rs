//! Records that are left out.

use connect_api::{
    Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef},
};

/// Drops records.
pub(crate) struct Filter;

impl Plugin for Filter {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.Filter";
    const DOCUMENTATION: &'static str = "Drops every record that it is for; a predicate says which these are.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Filter", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl Transformation for Filter {
    fn apply(&self, _record: SinkRecord) -> Result<Option<SinkRecord>> {
        Ok(None)
    }
}
