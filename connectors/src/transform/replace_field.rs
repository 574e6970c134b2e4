//! Fields that are left out or get another name.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{Data, Field, Fields, Schema, Value},
};

use super::{
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, field_value, fields, object},
    schemas::{Derived, with_fields},
};

static EXCLUDE: ConfigKey<List> = ConfigKey::optional("exclude", "Fields that are left out, even where `include` has them.");
static INCLUDE: ConfigKey<List> = ConfigKey::optional("include", "Fields that stay; all where it is empty.");
static RENAMES: ConfigKey<List> =
    ConfigKey::with_default("renames", "", "New names of fields: `old:new`, with commas between them.")
        .check(|renames| renames.0.iter().try_for_each(|item| rename(item).map(drop)));
static BLACKLIST: ConfigKey<List> = ConfigKey::optional("blacklist", "The former name of `exclude`, which goes before it.");
static WHITELIST: ConfigKey<List> = ConfigKey::optional("whitelist", "The former name of `include`, which goes before it.");

const PURPOSE: &str = "field replacement";

/// Leaves out and renames fields.
pub(crate) struct ReplaceField {
    exclude: Vec<String>,
    include: Vec<String>,
    renames: Vec<(String, Arc<str>)>,
    replaces_null: bool,
    replaced: Derived<Replaced>,
}

/// What becomes of the structs of a schema.
struct Replaced {
    schema: Arc<Schema>,
    /// Where the fields that stay were.
    places: Vec<usize>,
}

impl OperandTransformation for ReplaceField {
    classes!("ReplaceField");
    const DOCUMENTATION: &'static str = "Leaves fields out, and gives others new names.";

    fn config_def() -> ConfigDef {
        let keys: &[&dyn connect_api::config::AnyConfigKey] =
            &[&EXCLUDE, &INCLUDE, &RENAMES, &REPLACE_NULL_WITH_DEFAULT, &BLACKLIST, &WHITELIST];
        ConfigDef::new("ReplaceField", keys)
    }

    fn configure(config: &Config) -> Result<Self> {
        let list =
            |key, former| Ok::<_, Error>(config.find(key)?.or(config.find(former)?).map_or_else(Vec::new, |List(names)| names));
        let mut renames: Vec<(String, Arc<str>)> = Vec::new();
        for item in &config.get(&RENAMES)?.0 {
            let (old, new) = rename(item).map_err(Error::config)?;
            // Of a field that is renamed twice the last name counts, as in Java's map.
            renames.retain(|(known, _)| known != old);
            renames.push((old.to_owned(), new.into()));
        }
        Ok(Self {
            exclude: list(&EXCLUDE, &BLACKLIST)?,
            include: list(&INCLUDE, &WHITELIST)?,
            renames,
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
            replaced: Derived::default(),
        })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        self.replace(operand)
    }
}

impl ReplaceField {
    /// One that leaves out fields, and puts defaults in place of null.
    pub(super) fn excluding(exclude: Vec<String>) -> Self {
        Self { exclude, include: Vec::new(), renames: Vec::new(), replaces_null: true, replaced: Derived::default() }
    }

    /// What is left.
    ///
    /// # Errors
    /// `Data` where it has no fields.
    pub(super) fn replace(&self, operand: Data) -> Result<Data> {
        if matches!(operand.value, Value::Null) {
            return Ok(operand);
        }
        let Some(schema) = operand.schema else { return self.schemaless(operand.value).map(Data::schemaless) };
        let (fields, mut values) = fields(&schema, operand.value, PURPOSE)?;
        let replaced = self.replaced.get(&schema, || self.replaced(&schema, fields))?;
        let value = |place: &usize| {
            let value = values.get_mut(*place).map(std::mem::take).unwrap_or_default();
            field_value(&fields[*place], value, self.replaces_null)
        };
        let values = replaced.places.iter().map(value).collect();
        Ok(Data::with_schema(Arc::clone(&replaced.schema), Value::Struct(values)))
    }

    fn schemaless(&self, value: Value) -> Result<Value> {
        let mut object = object(value, PURPOSE)?;
        if self.include.is_empty() {
            for name in &self.exclude {
                if let Some(at) = object.find(name) {
                    object.remove_at(at);
                }
            }
        } else {
            object.retain(|name| self.keeps(name));
        }
        // All are looked for by their old names before one gets its new one: names may be swapped.
        let found: Vec<_> = self.renames.iter().map(|(old, new)| (object.find(old), new)).collect();
        object.rename(found.into_iter().filter_map(|(at, new)| at.map(|at| (at, new))));
        Ok(Value::Object(object))
    }

    fn replaced(&self, schema: &Schema, fields: &Fields) -> Result<Replaced> {
        let places: Vec<_> = (0..fields.len()).filter(|place| self.keeps(&fields[*place].name)).collect();
        let kept = places.iter().map(|place| {
            let Field { name, schema } = &fields[*place];
            let renamed = self.renames.iter().find(|(old, _)| **old == **name).map_or(name, |(_, new)| new);
            Field { name: Arc::clone(renamed), schema: Arc::clone(schema) }
        });
        Ok(Replaced { schema: Arc::new(with_fields(schema, kept.collect())?), places })
    }

    fn keeps(&self, name: &str) -> bool {
        let has = |names: &[String]| names.iter().any(|known| known == name);
        !has(&self.exclude) && (self.include.is_empty() || has(&self.include))
    }
}

/// A field's old name and its new one.
fn rename(item: &str) -> Result<(&str, &str), String> {
    let parts: Vec<_> = item.split(':').collect();
    match parts[..] {
        [old, new] if !new.is_empty() => Ok((old, new)),
        _ => Err(format!("Invalid rename mapping: {item}")),
    }
}
