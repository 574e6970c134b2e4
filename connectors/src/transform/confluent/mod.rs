//! Transforms of Confluent (`connect-transforms`), as its documentation says.

mod drop;
mod extract_topic;
mod filter;
mod gzip_decompress;
mod message_timestamp_router;
#[cfg(test)]
mod tests;
mod tombstone_handler;

pub(crate) use drop::Drop;
pub(crate) use extract_topic::{ExtractTopic, ExtractTopicOfHeader};
pub(crate) use filter::Filter;
pub(crate) use gzip_decompress::GzipDecompress;
pub(crate) use message_timestamp_router::MessageTimestampRouter;
pub(crate) use tombstone_handler::TombstoneHandler;
