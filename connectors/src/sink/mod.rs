//! Connectors.

mod s3;

pub use s3::S3SinkConnector;
