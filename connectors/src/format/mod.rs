//! Records to the bytes of files.

mod avro;
mod base64;
mod byte_array;
mod header_text;
mod json;

pub(crate) use avro::AvroFormat;
pub(crate) use byte_array::ByteArrayFormat;
pub(crate) use json::JsonFormat;
