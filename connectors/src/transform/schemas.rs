//! Schemas that transforms make of those that they meet.

use std::sync::Arc;

use arc_swap::ArcSwap;
use connect_api::{
    Error, Result,
    data::{Field, Fields, LogicalType, Schema, SchemaType},
};

/// So many are remembered; the JVM remembers 16.
const MOST: usize = 64;

/// What was made of the schemas that were met last. Records of one converter share their schema, so each is made once: the same schema gives the same
/// result, by pointer.
#[derive(Debug)]
pub(super) struct Derived<T>(ArcSwap<Vec<(Arc<Schema>, Arc<T>)>>);

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(ArcSwap::default())
    }
}

impl<T> Derived<T> {
    /// What was made of this schema; `make` makes it where the schema is new.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn get(&self, schema: &Arc<Schema>, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let known = self.0.load();
        if let Some((_, made)) = known.iter().find(|(known, _)| Arc::ptr_eq(known, schema)) {
            return Ok(Arc::clone(made));
        }
        let equal = known.iter().position(|(known, _)| known == schema);
        let made = match equal {
            Some(at) => Arc::clone(&known[at].1),
            None => Arc::new(make()?),
        };
        // An equal schema of another pointer takes the place of the one that was known.
        let others = known.iter().enumerate().filter(|(at, _)| Some(*at) != equal).map(|(_, entry)| entry.clone());
        let mut all = Vec::with_capacity(MOST);
        all.push((Arc::clone(schema), Arc::clone(&made)));
        all.extend(others.take(MOST - 1));
        self.0.store(Arc::new(all));
        Ok(made)
    }
}

/// A struct with the name, version, doc and parameters of another one. Whether that is optional and has a default is left out, as on the JVM.
///
/// # Errors
/// `Data` where a name occurs twice.
pub(super) fn with_fields(basics: &Schema, fields: Vec<Field>) -> Result<Schema> {
    Ok(Schema { optional: false, default: None, schema_type: struct_type(fields)?, ..basics.clone() })
}

/// A struct of these fields.
///
/// # Errors
/// `Data` where a name occurs twice.
pub(super) fn struct_type(fields: Vec<Field>) -> Result<SchemaType> {
    Fields::new(fields).map(SchemaType::Struct).map_err(|name| {
        Error::data(format!("Cannot create field because of field name duplication {name}"))
            .with_class("org.apache.kafka.connect.errors.SchemaBuilderException")
    })
}

/// A schema without any attribute but whether null is a value of it.
pub(super) fn of_type(schema_type: SchemaType, optional: bool) -> Schema {
    Schema { optional, ..Schema::required(schema_type) }
}

/// The schema of a date or a time.
pub(super) fn of_time(logical_type: LogicalType, optional: bool) -> Schema {
    let schema_type = match logical_type {
        LogicalType::Timestamp => SchemaType::Int64,
        _ => SchemaType::Int32,
    };
    Schema { version: Some(1), optional, ..Schema::required(schema_type).named(logical_type.name()) }
}

/// What the JVM says of a schema that has no fields.
pub(super) fn no_fields() -> Error {
    Error::data("Cannot list fields on non-struct type")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_schemas_give_the_same_result_by_pointer_whatever_their_own_pointers_are() {
        let derived: Derived<Arc<Schema>> = Derived::default();
        let schema = |version| Arc::new(Schema { version: Some(version), ..Schema::required(SchemaType::Int32) });
        let make = || Ok(schema(0));
        let first = derived.get(&schema(1), make).unwrap();
        for version in 2..40 {
            derived.get(&schema(version), make).unwrap();
            let again = derived.get(&schema(1), || Err(Error::data("made again"))).unwrap();
            assert!(Arc::ptr_eq(&first, &again));
        }
        for version in 40..1_000 {
            derived.get(&schema(version), make).unwrap();
        }
        assert_eq!(derived.0.load().len(), MOST);
    }
}
