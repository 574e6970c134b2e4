//! Fields that a header of the message names.

use std::{borrow::Cow, sync::Arc};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use connect_api::{
    Error, Result, SinkRecord,
    config::{AnyConfigKey, Config, ConfigKey},
    data::{Data, JsonText, Schema, Value, json::Kind},
};

use crate::transform::ReplaceField;

static DROP_FIELDS_HEADER_NAME: ConfigKey<String> = ConfigKey::optional(
    "drop.fields.header.name",
    "The header that lists fields to leave out of the value. None where it is not set.",
);
static DROP_FIELDS_FROM_KEY: ConfigKey<bool> =
    ConfigKey::with_default("drop.fields.from.key", "false", "Whether these fields are left out of the key, too.");
static DROP_FIELDS_KEEP_SCHEMA_COMPATIBLE: ConfigKey<bool> = ConfigKey::with_default(
    "drop.fields.keep.schema.compatible",
    "true",
    "Whether only fields are left out of which null is a value.",
);

/// The keys.
pub(super) const KEYS: [&dyn AnyConfigKey; 3] =
    [&DROP_FIELDS_HEADER_NAME, &DROP_FIELDS_FROM_KEY, &DROP_FIELDS_KEEP_SCHEMA_COMPATIBLE];

/// Leaves fields out.
pub(super) struct DroppedFields {
    header: String,
    from_key: bool,
    keeps_schema_compatible: bool,
    last_of_key: LastReplaceField,
    last_of_value: LastReplaceField,
}

/// The names that were left out last, and what leaves them out: records of a table mostly name the same.
type LastReplaceField = ArcSwapOption<(Vec<String>, ReplaceField)>;

impl DroppedFields {
    /// `None` where no header is named.
    ///
    /// # Errors
    /// `Config` where a value is refused.
    pub(super) fn configure(config: &Config) -> Result<Option<Self>> {
        let header = config.find(&DROP_FIELDS_HEADER_NAME)?.filter(|name| !name.trim().is_empty());
        let from_key = config.get(&DROP_FIELDS_FROM_KEY)?;
        let keeps_schema_compatible = config.get(&DROP_FIELDS_KEEP_SCHEMA_COMPATIBLE)?;
        let dropped = |header| Self {
            header,
            from_key,
            keeps_schema_compatible,
            last_of_key: ArcSwapOption::empty(),
            last_of_value: ArcSwapOption::empty(),
        };
        Ok(header.map(dropped))
    }

    /// Leaves the fields out of the record's value, and of its key.
    ///
    /// # Errors
    /// `Data` where the header is no list of names, or key or value have no fields.
    pub(super) fn apply(&self, record: &mut SinkRecord) -> Result<()> {
        let Some(header) = record.headers.iter().find(|header| *header.key == *self.header) else { return Ok(()) };
        let names = self.names(&header.value.value)?;
        if names.is_empty() {
            return Ok(());
        }
        if self.from_key && !matches!(record.key.value, Value::Null) {
            record.key = self.drop(&self.last_of_key, std::mem::take(&mut record.key), &names)?;
        }
        record.value = self.drop(&self.last_of_value, std::mem::take(&mut record.value), &names)?;
        Ok(())
    }

    fn drop(&self, last: &LastReplaceField, data: Data, names: &[String]) -> Result<Data> {
        let names = self.names_in(data.schema.as_deref(), names);
        if names.is_empty() {
            return Ok(data);
        }
        if let Some(known) = &*last.load()
            && known.0 == names
        {
            return known.1.replace(data);
        }
        let new = Arc::new((names.clone(), ReplaceField::excluding(names)));
        last.store(Some(Arc::clone(&new)));
        new.1.replace(data)
    }

    fn names_in(&self, schema: Option<&Schema>, names: &[String]) -> Vec<String> {
        if !self.keeps_schema_compatible {
            return names.to_vec();
        }
        let fields = schema.and_then(Schema::fields);
        let may_go = |name: &&String| fields.and_then(|fields| fields.get(name)).is_some_and(|field| field.schema.optional);
        names.iter().filter(may_go).cloned().collect()
    }

    /// The names in the header. Header converters here make texts of lists.
    fn names(&self, value: &Value) -> Result<Vec<String>> {
        let wrong = || Error::data(format!("the header {} (`drop.fields.header.name`) is no list of names", self.header));
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.to_string()),
            _ => Err(wrong()),
        };
        let json = match value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(values) => return values.iter().map(text).collect(),
            Value::Json(json) => Cow::Borrowed(json),
            Value::String(text) => {
                let parsed = JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).ok().flatten();
                Cow::Owned(parsed.ok_or_else(wrong)?)
            }
            _ => return Err(wrong()),
        };
        let tree = json.tree();
        if tree.root().kind() != Kind::Array {
            return Err(wrong());
        }
        tree.root().items().map(|item| text(&json.part_value(item.text()))).collect()
    }
}
