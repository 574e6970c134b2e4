//! Fields of a message beside the row: `add.fields` and `add.headers`.

use std::{collections::HashSet, sync::Arc};

use connect_api::{
    config::List,
    data::{Fields, Schema, Value},
};

/// A field as the configuration names it: `op`, `table`, `source.ts_ms`, `source.ts_ms:EVENT_TIME`.
#[derive(Debug, PartialEq)]
pub(super) struct FieldReference {
    /// The struct that it is looked for in; `None` for the message itself.
    parent: Option<String>,
    pub(super) field: String,
    /// What it is called where it is added.
    pub(super) name: Arc<str>,
}

/// Where a message of a certain schema has the field.
#[derive(Debug)]
pub(super) struct Found {
    parent: Option<usize>,
    at: usize,
    pub(super) name: Arc<str>,
    /// Null is always a value of it.
    pub(super) schema: Arc<Schema>,
}

impl FieldReference {
    /// Those of a list. `prefix`: what the new names begin with.
    ///
    /// # Errors
    /// That one has more than one colon, or an empty part.
    pub(super) fn list(prefix: &str, List(items): &List) -> Result<Vec<Self>, String> {
        items.iter().filter(|item| !item.is_empty()).map(|item| Self::new(prefix, item)).collect()
    }

    fn new(prefix: &str, item: &str) -> Result<Self, String> {
        // Java's `split` leaves out what is empty at the end: `op:` is `op`.
        let (path, new_name) = match item.trim_end_matches(':').split(':').collect::<Vec<_>>()[..] {
            [path] => (path, None),
            [path, name] => (path, Some(name)),
            _ => {
                return Err(format!("Unexpected field name: {item}: only `field` and `field:new name` are allowed"));
            }
        };
        let (parent, field) = match path.split_once('.') {
            Some((parent, field)) => (Some(parent), field.split('.').next().unwrap_or(field)),
            None => (None, path),
        };
        if field.is_empty() || parent.is_some_and(str::is_empty) {
            return Err(format!("Unexpected field name: {item}: a name is missing before or behind the dot or the colon"));
        }
        let name = match (new_name, parent) {
            (Some(name), _) => format!("{prefix}{name}"),
            (None, Some(parent)) => format!("{prefix}{parent}_{field}"),
            (None, None) => format!("{prefix}{field}"),
        };
        let parent = parent.or_else(|| usual_parent(field)).map(str::to_owned);
        Ok(Self { parent, field: field.to_owned(), name: name.into() })
    }

    /// Where it is: in its struct, or else in the message itself, where another transform may have put it. `None` where it is in neither.
    pub(super) fn find(&self, envelope: &Fields) -> Option<Found> {
        let found = |parent: Option<usize>, fields: &Fields| {
            let at = fields.find(&self.field, 0)?;
            let schema = Schema { optional: true, default: None, ..Schema::clone(&fields[at].schema) };
            Some(Found { parent, at, name: Arc::clone(&self.name), schema: Arc::new(schema) })
        };
        let parent = self.parent.as_ref().and_then(|parent| envelope.find(parent, 0));
        let in_parent = parent.and_then(|parent| found(Some(parent), envelope[parent].schema.fields()?));
        in_parent.or_else(|| found(None, envelope))
    }
}

/// Whether no two fields get one name, which no row can have.
///
/// # Errors
/// The name.
pub(super) fn all_differ(fields: &[FieldReference]) -> Result<(), String> {
    let mut names = HashSet::new();
    match fields.iter().find(|field| !names.insert(&field.name)) {
        Some(twice) => Err(format!("two fields would be named {}: give one another name behind a colon", twice.name)),
        None => Ok(()),
    }
}

/// Where a field is that is named alone.
fn usual_parent(field: &str) -> Option<&'static str> {
    match field {
        "id" | "data_collection_order" | "total_order" => Some("transaction"),
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "updateDescription" => Some("updateDescription"),
        _ => Some("source"),
    }
}

impl Found {
    /// Its value in a message; null where its struct is null.
    pub(super) fn value(&self, envelope: &[Value]) -> Value {
        let of = |values: &[Value], at: usize| values.get(at).cloned().unwrap_or_default();
        match self.parent.map(|parent| envelope.get(parent)) {
            None => of(envelope, self.at),
            Some(Some(Value::Struct(values))) => of(values, self.at),
            Some(_) => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(item: &str) -> (Option<String>, String, String) {
        let FieldReference { parent, field, name } = FieldReference::new("__", item).unwrap();
        (parent, field, name.to_string())
    }

    /// Debezium's documentation of `add.fields`, and `AbstractExtractNewRecordState.FieldReference`.
    #[test]
    fn a_field_is_looked_for_where_debezium_has_it_and_gets_a_prefix() {
        let expected =
            |parent: Option<&str>, field: &str, name: &str| (parent.map(str::to_owned), field.to_owned(), name.to_owned());
        assert_eq!(of("op"), expected(None, "op", "__op"));
        assert_eq!(of("ts_ms"), expected(None, "ts_ms", "__ts_ms"));
        assert_eq!(of("table"), expected(Some("source"), "table", "__table"));
        assert_eq!(of("source.ts_ms"), expected(Some("source"), "ts_ms", "__source_ts_ms"));
        assert_eq!(of("total_order"), expected(Some("transaction"), "total_order", "__total_order"));
        assert_eq!(of("transaction.id"), expected(Some("transaction"), "id", "__transaction_id"));
        assert_eq!(of("source.ts_ms:EVENT_TIMESTAMP"), expected(Some("source"), "ts_ms", "__EVENT_TIMESTAMP"));
        assert_eq!(of("op:"), of("op"));
        for item in ["a:b:c", "source.", ".x", ":x", ":", "source..x", "."] {
            let error = FieldReference::new("", item).unwrap_err();
            assert!(error.starts_with(&format!("Unexpected field name: {item}: ")), "{error}");
        }
    }
}
