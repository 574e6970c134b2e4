//! Which directory a record's file is in.

use crate::{Result, SinkRecord};

/// What an encoded partition depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionedBy {
    /// On the record's topic and partition alone: asked once per topic-partition.
    TopicPartition,
    /// On the record: asked for each.
    Record,
}

/// Maps records to *encoded partitions*: the part of an object's path between the topic and the name.
pub trait Partitioner: Send + Sync {
    /// What the encoded partition depends on.
    fn partitioned_by(&self) -> PartitionedBy;

    /// Appends the record's encoded partition to `encoded`, for instance `partition=3`. `now` is the batch's instant in
    /// milliseconds since 1970.
    ///
    /// # Errors
    /// `Data` where the record has none.
    fn encode_partition(&self, record: &SinkRecord, now: i64, encoded: &mut String) -> Result<()>;
}
