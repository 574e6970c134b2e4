//! Schema registries: what converters read schemas with.
//!
//! | folder, file | part |
//! |---|---|
//! | `schemas` | from an id to a schema, in the background, with what a converter makes of it |
//! | `known` | schemas that were read before |
//! | `confluent` | a registry with Confluent's API |
//! | `glue` | the AWS Glue Schema Registry |

pub(crate) mod confluent;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub(crate) mod glue;
mod http;
mod known;
mod schemas;

pub(crate) use schemas::{Reader, RegisteredSchema, SchemaText, Schemas};

/// The id with this number.
#[cfg(test)]
pub(crate) fn schema_id(number: i32) -> schemas::SchemaId {
    schemas::SchemaId::Number(number)
}
