//! Transforms of Debezium, as its documentation and source say.
//!
//! | file | part |
//! |---|---|
//! | `delete_handling` | what becomes of deletions and tombstones, in the settings of old and new releases |
//! | `dropped_fields` | fields that a header names |
//! | `envelope` | which messages are changes of a table, and where they have what |
//! | `field_reference` | `add.fields` and `add.headers` |
//! | `schema_name` | `schema.name.adjustment.mode` |
//! | all others | a transform each |

mod by_logical_table_router;
mod delete_handling;
mod dropped_fields;
mod envelope;
mod extract_new_record_state;
mod field_reference;
mod schema_name;
#[cfg(test)]
mod tests;

pub(crate) use by_logical_table_router::ByLogicalTableRouter;
pub(crate) use extract_new_record_state::ExtractNewRecordState;
