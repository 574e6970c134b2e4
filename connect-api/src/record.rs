//! Records as the consumer reads them, and as a sink task gets them.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Result, TopicPartition,
    data::{Data, Value},
};

/// A header as it lies in Kafka: a name and bytes or nothing. A name may occur several times.
pub type RawHeader = (Arc<str>, Option<Bytes>);

/// One record as it lies in Kafka.
#[derive(Clone, Debug, Default)]
pub struct ConsumerRecord {
    /// The offset in its partition.
    pub offset: i64,
    /// Milliseconds since 1970, as on the wire; -1 means none.
    pub timestamp: i64,
    /// Who set the timestamp.
    pub timestamp_type: TimestampType,
    /// The key's bytes.
    pub key: Option<Bytes>,
    /// The value's bytes.
    pub value: Option<Bytes>,
    /// The headers in their order.
    pub headers: Vec<RawHeader>,
}

/// Records of one partition in the order of their offsets. Their bytes are slices of buffers
/// that they share.
#[derive(Clone, Debug)]
pub struct ConsumerRecords {
    /// Where they come from.
    pub topic_partition: TopicPartition,
    /// The records, ascending by offset; offsets may have gaps.
    pub records: Vec<ConsumerRecord>,
}

/// Who set a record's timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The record has none.
    #[default]
    NoTimestampType,
    /// The producer.
    CreateTime,
    /// The broker, when it appended the record.
    LogAppendTime,
}

impl TimestampType {
    /// The name that Kafka prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoTimestampType => "NoTimestampType",
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }
}

/// Where a record was consumed. It cannot be changed: offsets are committed in these coordinates, whatever a transform does to
/// the record.
#[derive(Clone, Debug)]
pub struct Origin {
    batch: Arc<ConsumerRecords>,
    index: u32,
}

impl Origin {
    /// The `index`-th record of `batch`.
    pub fn new(batch: Arc<ConsumerRecords>, index: usize) -> Self {
        Self { batch, index: u32::try_from(index).unwrap_or(u32::MAX) }
    }

    /// The partition it was read from.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.batch.topic_partition
    }

    /// Whether both were consumed together, from one partition.
    pub fn is_of_same_batch(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.batch, &other.batch)
    }

    /// The offset it was read at.
    pub fn offset(&self) -> i64 {
        self.consumed().offset
    }

    /// The record as it lies in Kafka, for the dead letter queue.
    pub fn consumed(&self) -> &ConsumerRecord {
        &self.batch.records[self.index as usize]
    }
}

/// A header after the header converter.
#[derive(Clone, Debug)]
pub struct Header {
    /// The name.
    pub key: Arc<str>,
    /// The value.
    pub value: Data,
}

/// A record that a sink task gets: converted and transformed.
#[derive(Clone, Debug)]
pub struct SinkRecord {
    /// The topic that the record belongs to now; a transform may have changed it.
    pub topic: Arc<str>,
    /// The partition that the record belongs to now.
    pub partition: i32,
    /// The key; [`Value::Null`] without a key.
    pub key: Data,
    /// The value; [`Value::Null`] is a tombstone.
    pub value: Data,
    /// The headers in their order.
    pub headers: Vec<Header>,
    /// Milliseconds since 1970; `None` where Kafka has none.
    pub timestamp: Option<i64>,
    /// Who set the timestamp.
    pub timestamp_type: TimestampType,
    origin: Origin,
}

impl SinkRecord {
    /// A record with the coordinates and the timestamp of its origin.
    pub fn new(origin: Origin, key: Data, value: Data, headers: Vec<Header>) -> Self {
        let consumed = origin.consumed();
        let timestamp = (consumed.timestamp != -1).then_some(consumed.timestamp);
        let timestamp_type = if timestamp.is_some() { consumed.timestamp_type } else { TimestampType::NoTimestampType };
        let TopicPartition { topic, partition } = origin.topic_partition().clone();
        Self { topic, partition, key, value, headers, timestamp, timestamp_type, origin }
    }

    /// Where it was consumed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The offset it was consumed at.
    pub fn offset(&self) -> i64 {
        self.origin.offset()
    }

    /// Makes text of objects that a transform has changed: what a sink task gets has no [`Value::Object`].
    ///
    /// # Errors
    /// `Data` where an object holds what JSON cannot.
    pub fn settle(&mut self) -> Result<()> {
        settle(&mut self.key.value)?;
        settle(&mut self.value.value)?;
        self.headers.iter_mut().try_for_each(|header| settle(&mut header.value.value))
    }

    /// Whether the value is null.
    pub fn is_tombstone(&self) -> bool {
        matches!(self.value.value, Value::Null)
    }
}

fn settle(value: &mut Value) -> Result<()> {
    if let Value::Object(object) = value {
        *value = Value::Json(object.to_text()?);
    }
    Ok(())
}
