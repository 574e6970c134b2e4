//! Messages that are changes of a table.

use std::sync::Arc;

use connect_api::{
    Result,
    data::{Data, Fields, Schema, Value},
};

use super::field_reference::{FieldReference, Found};
use crate::transform::{
    operand,
    schemas::{Derived, with_fields},
};

/// Whether this is the schema of a change: its name says so.
pub(super) fn is_envelope(schema: &Schema) -> bool {
    schema.name.as_deref().is_some_and(|name| name.ends_with(".Envelope"))
}

/// What is known of the changes of one schema.
pub(super) struct Envelope {
    pub(super) before: Option<Row>,
    pub(super) after: Option<Row>,
    /// What is added to the row.
    pub(super) added: Vec<Found>,
    /// What becomes headers.
    pub(super) headers: Vec<Found>,
    /// Schemas of rows with what is added.
    with_added: Derived<Arc<Schema>>,
}

/// Where a row is.
pub(super) struct Row {
    pub(super) at: usize,
    pub(super) schema: Arc<Schema>,
}

impl Envelope {
    pub(super) fn new(fields: &Fields, added: &[FieldReference], headers: &[FieldReference]) -> Self {
        let row = |name| fields.find(name, 0).map(|at| Row { at, schema: Arc::clone(&fields[at].schema) });
        let found = |references: &[FieldReference]| references.iter().filter_map(|reference| reference.find(fields)).collect();
        Self {
            before: row("before"),
            after: row("after"),
            added: found(added),
            headers: found(headers),
            with_added: Derived::default(),
        }
    }

    /// The row with what is added to it. `envelope`: the values of the message.
    ///
    /// # Errors
    /// `Data` where it is no row, or has a field with such a name already.
    pub(super) fn add_fields(&self, row: Data, envelope: &[Value]) -> Result<Data> {
        let Some(schema) = row.schema else { return Err(operand::no_struct(&row.value, PURPOSE)) };
        let (fields, mut values) = operand::fields(&schema, row.value, PURPOSE)?;
        let with_added = self.with_added.get(&schema, || {
            let new = self
                .added
                .iter()
                .map(|found| connect_api::data::Field { name: Arc::clone(&found.name), schema: Arc::clone(&found.schema) });
            Ok(Arc::new(with_fields(&schema, fields.iter().cloned().chain(new).collect())?))
        })?;
        values.extend(self.added.iter().map(|found| found.value(envelope)));
        Ok(Data::with_schema(Arc::clone(&with_added), Value::Struct(values)))
    }
}

const PURPOSE: &str = "source field insertion";
