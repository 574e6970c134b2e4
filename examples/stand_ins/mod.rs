//! What stands in for Kafka and S3, inside this process and gone with it.

#[allow(dead_code, reason = "not every example needs all of it")]
mod kafka;
mod s3;

pub(crate) use kafka::Kafka;
pub(crate) use s3::S3;
