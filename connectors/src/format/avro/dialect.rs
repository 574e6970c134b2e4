//! What decides how Connect's schemas and values are said in Avro.

use connect_api::{
    Result,
    config::{Config, ConfigKey, Importance},
    data::{Schema, SchemaType},
};

pub(in crate::format) static ENHANCED: ConfigKey<bool> = ConfigKey::with_default(
    "enhanced.avro.schema.support",
    "true",
    "Whether enums stay enums in Avro schemas. Else they are texts.",
)
.importance(Importance::Low);
pub(in crate::format) static METADATA: ConfigKey<bool> = ConfigKey::with_default(
    "connect.meta.data",
    "true",
    "Whether Avro schemas say what Connect knows beside Avro's types: `connect.name`, `connect.version` and more.",
)
.importance(Importance::Low);
pub(in crate::format) static OPTIONAL_KEYS: ConfigKey<bool> = ConfigKey::with_default(
    "allow.optional.map.keys",
    "false",
    "Whether maps whose keys are optional texts become Avro maps. Else they are arrays of entries.",
)
.importance(Importance::Low);

/// What decides how schemas are written.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Dialect {
    /// `connect.meta.data`.
    pub(super) has_metadata: bool,
    /// `enhanced.avro.schema.support`.
    pub(super) has_enums: bool,
    /// `allow.optional.map.keys`.
    pub(super) allows_optional_keys: bool,
}

impl Dialect {
    /// # Errors
    /// `Config` where one of its keys has no such value.
    pub(in crate::format) fn configure(config: &Config) -> Result<Self> {
        Ok(Self {
            has_metadata: config.get(&METADATA)?,
            has_enums: config.get(&ENHANCED)?,
            allows_optional_keys: config.get(&OPTIONAL_KEYS)?,
        })
    }

    /// Whether a map with these keys is an Avro map; else it is an array of entries.
    pub(super) fn is_map(self, keys: &Schema) -> bool {
        matches!(keys.schema_type, SchemaType::String) && (!keys.optional || self.allows_optional_keys)
    }

    /// The symbols of an enum, in their order; `None` where the schema is none.
    pub(super) fn symbols(self, schema: &Schema) -> Option<impl Iterator<Item = &str>> {
        const ENUMS: [&str; 2] = ["io.confluent.connect.avro.Enum", "org.apache.kafka.connect.data.Enum"];
        let is_enum = self.has_enums && matches!(schema.schema_type, SchemaType::String);
        let parameter = ENUMS.into_iter().find(|parameter| is_enum && schema.parameter(parameter).is_some())?;
        let symbols = schema.parameters.iter().filter_map(move |(name, symbol)| {
            let is_symbol = name.strip_prefix(parameter).is_some_and(|rest| rest.starts_with('.'));
            is_symbol.then_some(&**symbol)
        });
        Some(symbols)
    }
}
