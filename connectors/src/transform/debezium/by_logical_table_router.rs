//! Several tables as one.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use connect_api::{
    Error, JavaRegex, Plugin, Result, SinkRecord, Transformation,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey},
    data::{Data, Field, Fields, Schema, SchemaType, Text, Value},
};
use tracing::warn;

use super::{
    envelope::is_envelope,
    schema_name::{SCHEMA_NAME_ADJUSTMENT_MODE, SchemaNameAdjustment},
};
use crate::transform::{
    operand::{self, field_value, no_struct},
    regex_router::replaced,
    schemas::{Derived, no_fields, struct_type},
};

static TOPIC_REGEX: ConfigKey<String> = ConfigKey::required(
    "topic.regex",
    "Java regular expression that must match the whole topic. Records of other topics pass as they are.",
)
.check(|regex| JavaRegex::new(regex).map(drop));
static TOPIC_REPLACEMENT: ConfigKey<String> =
    ConfigKey::required("topic.replacement", "The new topic; `$1` is the first group of `topic.regex`.")
        .check(|topic| if topic.is_empty() { Err("A value is required".to_owned()) } else { Ok(()) });
static KEY_ENFORCE_UNIQUENESS: ConfigKey<bool> = ConfigKey::with_default(
    "key.enforce.uniqueness",
    "true",
    "Whether a field is added to the key that says which table the record comes from: keys of several tables may be equal.",
);
static KEY_FIELD_NAME: ConfigKey<String> =
    ConfigKey::with_default("key.field.name", "__dbz__physicalTableIdentifier", "The name of the field that is added to the key.");
static KEY_FIELD_REGEX: ConfigKey<String> = ConfigKey::with_default(
    "key.field.regex",
    "",
    "Java regular expression for the value of that field, which is the old topic where it is empty or does not match the whole of it.",
)
.check(|regex| JavaRegex::new(regex).map(drop));
static KEY_FIELD_REPLACEMENT: ConfigKey<String> =
    ConfigKey::with_default("key.field.replacement", "", "The value of that field; `$1` is the first group of `key.field.regex`.");
static LOGICAL_TABLE_CACHE_SIZE: ConfigKey<i32> = ConfigKey::with_default(
    "logical.table.cache.size",
    "16",
    "How many topics are remembered with what they became; at least 4096.",
)
.check(|size| if *size < 1 { Err("Value must be at least 1".to_owned()) } else { Ok(()) });

const PURPOSE: &str = "Updating schema";

/// So many topics are remembered at least: a topic that is forgotten gets new schemas, and sinks may begin new files for them.
const LEAST_TOPICS: usize = 4_096;

/// Gives the records of several tables one topic, and keys that stay different.
pub(crate) struct ByLogicalTableRouter {
    topic: (JavaRegex, String),
    /// The field that is added to keys.
    key_field: Option<Arc<str>>,
    key_value: Option<(JavaRegex, String)>,
    adjustment: SchemaNameAdjustment,
    /// Topics that were met. Replaced as a whole, so that records look without a lock.
    known: ArcSwap<Routes>,
    /// How many topics are remembered; then all are met anew.
    most: usize,
}

/// Topics, and what becomes of their records; `None` for nothing.
type Routes = HashMap<Arc<str>, Option<Arc<Route>>>;

/// What becomes of the records of a topic.
struct Route {
    topic: Arc<str>,
    /// The value of the field that is added to keys.
    table: Text,
    keys: Derived<Arc<Schema>>,
    envelopes: Derived<Arc<Schema>>,
}

impl Plugin for ByLogicalTableRouter {
    const NAME: &'static str = "io.debezium.transforms.ByLogicalTableRouter";
    const ALIASES: &'static [&'static str] = &["io.debezium.transforms.ToLogicalTopicRouter"];
    const DOCUMENTATION: &'static str = "Gives the changes of several tables one topic, and their keys a field with the table.";

    fn config_def() -> ConfigDef {
        ConfigDef::new(
            "ByLogicalTableRouter",
            &[
                &TOPIC_REGEX,
                &TOPIC_REPLACEMENT,
                &KEY_ENFORCE_UNIQUENESS,
                &KEY_FIELD_NAME,
                &KEY_FIELD_REGEX,
                &KEY_FIELD_REPLACEMENT,
                &SCHEMA_NAME_ADJUSTMENT_MODE,
                &LOGICAL_TABLE_CACHE_SIZE,
            ],
        )
    }

    fn configure(config: &Config) -> Result<Self> {
        let regex = |key: &ConfigKey<String>| config.get(key).and_then(|regex| JavaRegex::new(&regex).map_err(Error::config));
        let (key_regex, key_replacement) = (config.get(&KEY_FIELD_REGEX)?, config.get(&KEY_FIELD_REPLACEMENT)?);
        if !key_regex.is_empty() && key_replacement.is_empty() {
            return Err(Error::config("key.field.replacement must be non-empty if key.field.regex is set."));
        }
        let topic = (regex(&TOPIC_REGEX)?, config.get(&TOPIC_REPLACEMENT)?);
        let key_value = if key_regex.is_empty() { None } else { Some((regex(&KEY_FIELD_REGEX)?, key_replacement)) };
        fits(&topic, &TOPIC_REGEX, &TOPIC_REPLACEMENT)?;
        key_value.as_ref().map_or(Ok(()), |key_value| fits(key_value, &KEY_FIELD_REGEX, &KEY_FIELD_REPLACEMENT))?;
        Ok(Self {
            topic,
            key_field: config.get(&KEY_ENFORCE_UNIQUENESS)?.then(|| config.get(&KEY_FIELD_NAME)).transpose()?.map(Arc::from),
            key_value,
            adjustment: SchemaNameAdjustment::of(&config.get(&SCHEMA_NAME_ADJUSTMENT_MODE)?),
            known: ArcSwap::default(),
            most: usize::try_from(config.get(&LOGICAL_TABLE_CACHE_SIZE)?).unwrap_or(1).max(LEAST_TOPICS),
        })
    }
}

/// On the JVM each record fails whose replacement names a group that the expression has not.
fn fits((regex, replacement): &(JavaRegex, String), regex_key: &ConfigKey<String>, key: &ConfigKey<String>) -> Result<()> {
    regex.check_replacement(replacement).map_err(|reason| {
        Error::config(format!("{}={replacement} does not fit {}={}: {reason}", key.name(), regex_key.name(), regex.as_str()))
    })
}

impl Transformation for ByLogicalTableRouter {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        let Some(route) = self.route(&record.topic)? else { return Ok(Some(record)) };
        record.key = self.key(&route, std::mem::take(&mut record.key))?;
        if !record.is_tombstone() && record.value.schema.as_deref().is_some_and(is_envelope) {
            record.value = self.envelope(&route, std::mem::take(&mut record.value))?;
        }
        record.topic = Arc::clone(&route.topic);
        Ok(Some(record))
    }
}

impl ByLogicalTableRouter {
    /// What becomes of this topic's records; `None` for nothing.
    fn route(&self, topic: &Arc<str>) -> Result<Option<Arc<Route>>> {
        let known = self.known.load();
        if let Some(route) = known.get(topic) {
            return Ok(route.clone());
        }
        let route = match replaced(topic, &self.topic.0, &self.topic.1)? {
            None => None,
            Some(new) if new.is_empty() => {
                warn!(%topic, "`topic.replacement` makes an empty topic; the records of this topic pass as they are");
                None
            }
            Some(new) => {
                let table = self.key_value.as_ref().map(|(regex, replacement)| replaced(topic, regex, replacement)).transpose()?;
                let table = table.flatten().unwrap_or_else(|| topic.to_string()).into();
                Some(Arc::new(Route { topic: new.into(), table, keys: Derived::default(), envelopes: Derived::default() }))
            }
        };
        let mut all = if known.len() < self.most { Routes::clone(&known) } else { Routes::new() };
        all.insert(Arc::clone(topic), route.clone());
        self.known.store(Arc::new(all));
        Ok(route)
    }

    /// The key with the table; a record without one, of a table without a primary key, gets none.
    fn key(&self, route: &Route, key: Data) -> Result<Data> {
        let schema = match (key.schema, &key.value) {
            (_, Value::Null) => return Ok(Data::default()),
            (Some(schema), _) => schema,
            (None, other) => return Err(no_struct(other, PURPOSE)),
        };
        let (fields, values) = operand::fields(&schema, key.value, PURPOSE)?;
        let mut values = with_defaults(fields, values);
        let new = route.keys.get(&schema, || {
            let string = Arc::new(Schema::required(SchemaType::String));
            let added = self.key_field.iter().map(|name| Field { name: Arc::clone(name), schema: Arc::clone(&string) });
            self.named(&schema, fields.iter().cloned().chain(added).collect(), route, "Key")
        })?;
        values.extend(self.key_field.is_some().then(|| Value::String(route.table.clone())));
        Ok(Data::with_schema(Arc::clone(&new), Value::Struct(values)))
    }

    /// The change with schemas that are named after the new topic.
    fn envelope(&self, route: &Route, envelope: Data) -> Result<Data> {
        let Some(schema) = envelope.schema else { return Ok(Data::schemaless(envelope.value)) };
        let (fields, values) = operand::fields(&schema, envelope.value, PURPOSE)?;
        let new = route.envelopes.get(&schema, || self.envelope_schema(&schema, fields, route))?;
        let mut values = with_defaults(fields, values);
        for (field, value) in fields.iter().zip(&mut values).filter(|(field, _)| is_row(field)) {
            if let (Some(fields), Value::Struct(row)) = (field.schema.fields(), &mut *value) {
                *row = with_defaults(fields, std::mem::take(row));
            }
        }
        Ok(Data::with_schema(Arc::clone(&new), Value::Struct(values)))
    }

    fn envelope_schema(&self, schema: &Schema, fields: &Fields, route: &Route) -> Result<Arc<Schema>> {
        let row = fields.get("before").or_else(|| fields.get("after"));
        let row = row.map(|row| {
            let fields = row.schema.fields().ok_or_else(no_fields)?;
            self.named(&row.schema, fields.to_vec(), route, "Value")
        });
        let row = row.transpose()?;
        let field = |field: &Field| match &row {
            Some(row) if is_row(field) => Field { name: Arc::clone(&field.name), schema: Arc::clone(row) },
            _ => field.clone(),
        };
        self.named(schema, fields.iter().map(field).collect(), route, "Envelope")
    }

    /// A struct of these fields that is as another one but for its name and its default.
    fn named(&self, basics: &Schema, fields: Vec<Field>, route: &Route, what: &str) -> Result<Arc<Schema>> {
        let name = self.adjustment.adjust(format!("{}.{what}", route.topic));
        Ok(Arc::new(Schema { default: None, schema_type: struct_type(fields)?, ..basics.clone() }.named(name)))
    }
}

fn is_row(field: &Field) -> bool {
    matches!(&*field.name, "before" | "after")
}

fn with_defaults(fields: &Fields, mut values: Vec<Value>) -> Vec<Value> {
    values.resize(fields.len(), Value::Null);
    fields.iter().zip(values).map(|(field, value)| field_value(field, value, true)).collect()
}
