//! Connectors.

mod s3;

pub(crate) use s3::S3SinkConnector;
