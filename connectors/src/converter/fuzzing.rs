//! The readers of messages with schemas, for fuzzers.

#[cfg(feature = "protobuf")]
pub(crate) use super::protobuf::fuzzing::{protobuf, protobuf_message};
pub(crate) use super::{
    avro::fuzzing::{avro, avro_message},
    json_schema::fuzzing::{json_schema, json_schema_message},
};
use crate::registry::{RegisteredSchema, SchemaText};

/// A schema that refers to no other.
pub(super) fn text(schema_type: &str, schema: &str) -> SchemaText {
    let schema = RegisteredSchema { schema_type: schema_type.to_owned(), schema: schema.to_owned(), references: Vec::new() };
    SchemaText { schema, referenced: Vec::new() }
}
