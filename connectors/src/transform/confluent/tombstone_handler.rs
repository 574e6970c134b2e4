//! Records without a value.

use connect_api::{
    Error, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
};
use tracing::{debug, warn};

static BEHAVIOR: ConfigKey<String> = ConfigKey::with_default(
    "behavior",
    "warn",
    "What becomes of a record without a value. warn and drop_warn: it is dropped, and a warning is logged; ignore and drop_silent: it is dropped; fail: it \
     fails. (The names that begin with drop_ are those of Aiven's TombstoneHandler.)",
)
.one_of_any_case(&["warn", "ignore", "fail", "drop_warn", "drop_silent"]);

/// Drops or refuses records without a value, whether or not they have a schema.
pub(crate) struct TombstoneHandler {
    behavior: Behavior,
}

enum Behavior {
    DropWithWarning,
    Drop,
    Fail,
}

impl Plugin for TombstoneHandler {
    const NAME: &'static str = "io.confluent.connect.transforms.TombstoneHandler";
    const ALIASES: &'static [&'static str] = &["io.aiven.kafka.connect.transforms.TombstoneHandler"];
    const DOCUMENTATION: &'static str = "Drops records without a value, or fails on them.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TombstoneHandler", &[&BEHAVIOR])
    }

    fn configure(config: &Config) -> Result<Self> {
        let behavior = match &*config.get(&BEHAVIOR)?.to_ascii_lowercase() {
            "fail" => Behavior::Fail,
            "ignore" | "drop_silent" => Behavior::Drop,
            _ => Behavior::DropWithWarning,
        };
        Ok(Self { behavior })
    }
}

impl Transformation for TombstoneHandler {
    fn apply(&self, record: SinkRecord) -> Result<Option<SinkRecord>> {
        if !record.is_tombstone() {
            return Ok(Some(record));
        }
        let (topic_partition, offset) = (record.origin().topic_partition(), record.offset());
        match self.behavior {
            Behavior::Fail => {
                let message = format!(
                    "Tombstone record encountered, failing due to configured 'behavior' = fail: offset {offset} of {topic_partition}"
                );
                return Err(Error::data(message));
            }
            Behavior::DropWithWarning => warn!(%topic_partition, offset, "a record without a value is dropped by TombstoneHandler"),
            Behavior::Drop => debug!(%topic_partition, offset, "a record without a value is dropped by TombstoneHandler"),
        }
        Ok(None)
    }
}
