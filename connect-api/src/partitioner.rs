//! Which directory a record's file is in.

use std::ops::Range;

use crate::{Result, SinkRecord};

/// What an encoded partition depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionedBy {
    /// On the record's topic and partition alone: asked once per topic-partition.
    TopicPartition,
    /// On the record: asked for each.
    Record,
    /// On the record's time alone: asked once per bucket of time.
    Time,
    /// On the record and its time: asked for each.
    RecordAndTime,
}

impl PartitionedBy {
    /// Whether records need a time: a [`TimestampExtractor`] gives it.
    pub fn is_by_time(self) -> bool {
        matches!(self, Self::Time | Self::RecordAndTime)
    }
}

/// Maps records to *encoded partitions*: the part of an object's path between the topic and the name.
pub trait Partitioner: Send + Sync {
    /// What the encoded partition depends on.
    fn partitioned_by(&self) -> PartitionedBy;

    /// Instants around `time`, all in milliseconds since 1970, that give a record the same encoded partition. They need not be all of them. Asked where
    /// [the partitioner goes by time](PartitionedBy::is_by_time) only.
    fn bucket(&self, time: i64) -> Range<i64> {
        time..time.saturating_add(1)
    }

    /// Appends the record's encoded partition to `encoded`, for instance `partition=3`. `time` is the record's, in milliseconds since 1970, or an instant of
    /// its bucket; where the partitioner does not go by time it means nothing.
    ///
    /// # Errors
    /// `Data` where the record has none.
    fn encode_partition(&self, record: &SinkRecord, time: i64, encoded: &mut String) -> Result<()>;
}

/// Says which time a record has for a [`Partitioner`] that goes by time.
pub trait TimestampExtractor: Send + Sync {
    /// Whether the time is that of the wall clock. Then the bucket that was decided for a record is remembered beside the group's offsets, so that whoever
    /// reads the record again finds the same.
    fn is_wall_clock(&self) -> bool {
        false
    }

    /// The record's time in milliseconds since 1970. `now` is the batch's instant.
    ///
    /// # Errors
    /// `Data` where the record has none: no file is right for it, and the task fails.
    fn timestamp(&self, record: &SinkRecord, now: i64) -> Result<i64>;
}
