//! Single message transforms: those of Apache Kafka, and in folders of their own those of other vendors, under the same names and with the same keys.
//!
//! | file | part |
//! |---|---|
//! | `operand` | what transforms of keys and of values have in common |
//! | `schemas` | schemas that are made of those that are met, once each |
//! | `field_path` | paths to nested fields |
//! | `java_number` | numbers as Java reads and narrows them |
//! | `topic_format` | topics that are put together for each record |
//! | `confluent`, `debezium` | transforms of other vendors |
//! | all others | a transform each |
//!
//! An object without a schema stays text: what no transform looks at is neither decoded nor copied (see `JsonObject`).

mod cast;
pub(crate) mod confluent;
pub(crate) mod debezium;
mod drop_headers;
mod extract_field;
mod field_path;
mod filter;
mod flatten;
mod header_from;
mod hoist_field;
mod insert_field;
mod insert_header;
mod java_number;
mod mask_field;
mod operand;
mod regex_router;
mod replace_field;
mod schemas;
mod set_schema_metadata;
#[cfg(test)]
mod tests;
mod timestamp_converter;
mod timestamp_router;
mod topic_format;
mod value_to_key;

use connect_api::config::List;

pub(crate) use cast::Cast;
pub(crate) use drop_headers::DropHeaders;
pub(crate) use extract_field::ExtractField;
pub(crate) use filter::Filter;
pub(crate) use flatten::Flatten;
pub(crate) use header_from::HeaderFrom;
pub(crate) use hoist_field::HoistField;
pub(crate) use insert_field::InsertField;
pub(crate) use insert_header::InsertHeader;
pub(crate) use mask_field::MaskField;
pub(crate) use operand::KeyAndValue;
pub(crate) use regex_router::RegexRouter;
pub(crate) use replace_field::ReplaceField;
pub(crate) use set_schema_metadata::SetSchemaMetadata;
#[cfg(test)]
pub(crate) use tests::record;
pub(crate) use timestamp_converter::TimestampConverter;
pub(crate) use timestamp_router::TimestampRouter;
pub(crate) use value_to_key::ValueToKey;

/// For keys that need at least one item.
fn non_empty(list: &List) -> Result<(), String> {
    if list.0.is_empty() { Err("Empty list".to_owned()) } else { Ok(()) }
}
