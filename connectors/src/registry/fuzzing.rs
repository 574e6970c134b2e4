//! Answers of registries, and what stands in front of messages, for fuzzers.

use bytes::Bytes;

use super::{
    confluent::{self, Message},
    glue,
};

/// A body of any answer.
pub(crate) fn confluent_answer(bytes: &[u8]) {
    confluent::read_any(bytes);
}

/// The same of Glue.
pub(crate) fn glue_answer(bytes: &[u8]) {
    glue::read_any(bytes);
}

/// A message, or a header with the id of its schema.
pub(crate) fn wire(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let headers = [("__value_schema_id".into(), Some(bytes.clone()))];
    for headers in [&headers[..], &[]] {
        drop(Message::split(headers, "__value_schema_id", &bytes));
    }
    drop(glue::split(&bytes).and_then(|(id, is_compressed, rest)| Ok((id.to_string(), glue::payload(is_compressed, rest)?))));
}
