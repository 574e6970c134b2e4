//! Names of places in the log.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// A partition of a topic. The name is shared: clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Names a partition.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// The next offset to read and the text that Kafka keeps beside it (at most 4,095 bytes on a broker with default settings).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetAndMetadata {
    /// The offset after the last one that is done with.
    pub offset: i64,
    /// The task's own text: empty, or whatever [`pre_commit`](crate::SinkTask::pre_commit) returned with the offset.
    pub metadata: String,
}

impl OffsetAndMetadata {
    /// An offset with its text.
    pub fn new(offset: i64, metadata: impl Into<String>) -> Self {
        Self { offset, metadata: metadata.into() }
    }
}

/// Offsets by partition, in the order of their names.
pub type Offsets = BTreeMap<TopicPartition, OffsetAndMetadata>;
