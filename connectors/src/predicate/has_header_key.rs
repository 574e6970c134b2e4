//! Records with a header.

use connect_api::{
    Plugin, Predicate, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
};

static NAME: ConfigKey<String> = ConfigKey::required("name", "The header's name.")
    .check(|name| if name.is_empty() { Err("String must be non-empty".to_owned()) } else { Ok(()) });

/// Holds of records that have a header with this name, once or more.
pub(crate) struct HasHeaderKey {
    name: String,
}

impl Plugin for HasHeaderKey {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey";
    const DOCUMENTATION: &'static str = "Holds of records that have a header with a certain name.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("HasHeaderKey", &[&NAME])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { name: config.get(&NAME)? })
    }
}

impl Predicate for HasHeaderKey {
    fn test(&self, record: &SinkRecord) -> Result<bool> {
        Ok(record.headers.iter().any(|header| *header.key == *self.name))
    }
}
