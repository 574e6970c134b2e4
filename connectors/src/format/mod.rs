//! Records to the bytes of files.

mod avro;
mod byte_array;
mod header_text;
mod json;
mod mismatch;
#[cfg(feature = "parquet")]
mod parquet;
mod typed;

pub(crate) use avro::{AvroFormat, TYPES as AVRO_TYPES};
pub(crate) use byte_array::ByteArrayFormat;
pub(crate) use json::JsonFormat;
#[cfg(feature = "parquet")]
pub(crate) use parquet::ParquetFormat;
