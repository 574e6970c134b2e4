//! What becomes of deletions and tombstones.

use connect_api::{
    Result,
    config::{AnyConfigKey, Config, ConfigKey},
};

static DELETE_TOMBSTONE_HANDLING_MODE: ConfigKey<String> = ConfigKey::optional(
    "delete.tombstone.handling.mode",
    "What becomes of deletions, and of the tombstones that follow them. drop: both go; tombstone: a deletion becomes a record without a value but with the \
     table's schema, tombstones go; delete-to-tombstone: the same without the schema; rewrite: the row before the deletion, with the field __deleted, tombstones \
     go; rewrite-with-tombstone: the same, tombstones stay. It goes before `drop.tombstones` and `delete.handling.mode`, which count where it is not set. With \
     none of the three set, deletions and tombstones go, as with the Debezium that had the other two; that of newer releases without them is `tombstone`.",
)
.one_of_any_case(&["drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone", ""]);
static DROP_TOMBSTONES: ConfigKey<bool> =
    ConfigKey::with_default("drop.tombstones", "true", "Whether tombstones go, and messages that a table was truncated.");
static DELETE_HANDLING_MODE: ConfigKey<String> = ConfigKey::with_default(
    "delete.handling.mode",
    "drop",
    "What becomes of deletions. drop: they go; none: a record without a value; rewrite: the row before the deletion, with the field __deleted.",
)
.one_of_any_case(&["drop", "rewrite", "none"]);

/// The keys.
pub(super) const KEYS: [&dyn AnyConfigKey; 3] = [&DELETE_TOMBSTONE_HANDLING_MODE, &DROP_TOMBSTONES, &DELETE_HANDLING_MODE];

/// What becomes of which messages.
#[derive(Debug, PartialEq)]
pub(super) struct DeleteHandling {
    pub(super) keeps_tombstones: bool,
    pub(super) keeps_truncates: bool,
    pub(super) deletions: Deletions,
}

/// What becomes of a deletion.
#[derive(Debug, PartialEq)]
pub(super) enum Deletions {
    Drop,
    /// No value, with the schema that it would have.
    Null,
    /// Neither value nor schema.
    Tombstone,
    /// The row as it was, with a field that says that it is deleted.
    Rewrite,
}

impl DeleteHandling {
    /// # Errors
    /// `Config` where a value is refused.
    pub(super) fn configure(config: &Config) -> Result<Self> {
        let mode = config.find(&DELETE_TOMBSTONE_HANDLING_MODE)?.unwrap_or_default().to_ascii_lowercase();
        let (keeps_tombstones, deletions) = match mode.as_str() {
            "drop" => (false, Deletions::Drop),
            "tombstone" => (false, Deletions::Null),
            "delete-to-tombstone" => (false, Deletions::Tombstone),
            "rewrite" => (false, Deletions::Rewrite),
            "rewrite-with-tombstone" => (true, Deletions::Rewrite),
            _ => return Self::of_former_keys(config),
        };
        Ok(Self { keeps_tombstones, keeps_truncates: false, deletions })
    }

    fn of_former_keys(config: &Config) -> Result<Self> {
        let keeps = !config.get(&DROP_TOMBSTONES)?;
        let deletions = match &*config.get(&DELETE_HANDLING_MODE)?.to_ascii_lowercase() {
            "rewrite" => Deletions::Rewrite,
            "none" => Deletions::Null,
            _ => Deletions::Drop,
        };
        Ok(Self { keeps_tombstones: keeps, keeps_truncates: keeps, deletions })
    }
}
