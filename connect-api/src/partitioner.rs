//! Which directory a record's file is in.

use crate::{Result, SinkRecord};

/// What an encoded partition depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionedBy {
    /// On the record's topic and partition alone: asked once per topic-partition.
    TopicPartition,
    /// On the record: asked for each.
    Record,
    /// On the record and the wall clock: asked for each, with the instant that was decided for it and is remembered beside the group's offsets, so that
    /// whoever reads the record again finds the same.
    Clock,
}

/// Maps records to *encoded partitions*: the part of an object's path between the topic and the name.
pub trait Partitioner: Send + Sync {
    /// What the encoded partition depends on.
    fn partitioned_by(&self) -> PartitionedBy;

    /// The first instant of the bucket that `now` lies in, both in milliseconds since 1970: all instants of a bucket give a record the same encoded
    /// partition. Asked under [`PartitionedBy::Clock`] only.
    fn bucket(&self, now: i64) -> i64 {
        now
    }

    /// Appends the record's encoded partition to `encoded`, for instance `partition=3`. `now` is the batch's instant in
    /// milliseconds since 1970; under [`PartitionedBy::Clock`] it is the first instant of a bucket.
    ///
    /// # Errors
    /// `Data` where the record has none.
    fn encode_partition(&self, record: &SinkRecord, now: i64, encoded: &mut String) -> Result<()>;
}
