//! librdkafka's messages to records of our own: one buffer for the keys and values of a whole batch.

use std::{collections::HashMap, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use connect_api::{ConsumerRecord, ConsumerRecords, RawHeader, TopicPartition};

use super::native::{Message, Messages};
use crate::consumer::{Generation, PartitionRecords};

/// Names of headers kept for reuse; a producer that invents a name per record gains nothing from more.
const HEADER_NAMES: usize = 64;

/// Bytes of the buffer that values of headers share.
const HEADER_VALUES: usize = 64 << 10;

/// Copies batches. Keeps what repeats from batch to batch.
#[derive(Default)]
pub(super) struct Copier {
    header_names: Vec<Arc<str>>,
    /// Where values of headers go: few records have any.
    header_values: BytesMut,
}

/// The records of a batch.
pub(super) struct Copied {
    pub(super) partitions: Vec<PartitionRecords>,
    /// Bytes of keys, values and headers.
    pub(super) bytes: usize,
}

impl Copier {
    /// Copies what belongs to partitions that `owner` knows, and drops the rest; errors are left to the caller.
    pub(super) fn copy(
        &mut self,
        messages: &Messages,
        owner: impl Fn(&str, i32) -> Option<(TopicPartition, Generation)>,
    ) -> Copied {
        let mut rest = keys_and_values(messages);
        let mut bytes = rest.len();
        let mut groups: Vec<Group> = Vec::new();
        let mut group_of: HashMap<(usize, i32), Option<usize>> = HashMap::new();
        let mut run = None;
        for message in records(messages) {
            let place = (message.topic_identity(), message.partition());
            // Messages come in long runs of one partition: look its group up once a run.
            let group = match run {
                Some((same, group)) if same == place => group,
                _ => *group_of.entry(place).or_insert_with(|| {
                    let (topic_partition, generation) = owner(message.topic(), message.partition())?;
                    let records = ConsumerRecords { topic_partition, records: Vec::new() };
                    groups.push(Group { records, generation, bytes: 0 });
                    Some(groups.len() - 1)
                }),
            };
            run = Some((place, group));
            let before = rest.len();
            let (key, value) = (split(message.key(), &mut rest), split(message.value(), &mut rest));
            let Some(group) = group else { continue };
            let group = &mut groups[group];
            let (headers, header_bytes) = self.headers(message);
            bytes += header_bytes;
            group.bytes += before - rest.len() + header_bytes;
            let (timestamp, timestamp_type) = message.timestamp();
            group.records.records.push(ConsumerRecord { offset: message.offset(), timestamp, timestamp_type, key, value, headers });
        }
        let partitions = groups.into_iter().map(|Group { records, generation, bytes }| PartitionRecords {
            records: Arc::new(records),
            generation,
            bytes,
        });
        Copied { partitions: partitions.collect(), bytes }
    }

    /// The headers of a message, and the bytes of their values.
    fn headers(&mut self, message: Message<'_>) -> (Vec<RawHeader>, usize) {
        let (mut headers, mut bytes) = (Vec::new(), 0);
        message.for_each_header(|name, value| {
            bytes += value.map_or(0, <[u8]>::len);
            let value = value.map(|value| self.header_value(value));
            headers.push((self.header_name(name), value));
        });
        (headers, bytes)
    }

    /// A slice of a buffer that many values share.
    fn header_value(&mut self, value: &[u8]) -> Bytes {
        if self.header_values.capacity() < value.len() {
            self.header_values = BytesMut::with_capacity(value.len().max(HEADER_VALUES));
        }
        self.header_values.put_slice(value);
        self.header_values.split().freeze()
    }

    fn header_name(&mut self, name: &[u8]) -> Arc<str> {
        if let Some(known) = self.header_names.iter().find(|known| known.as_bytes() == name) {
            return known.clone();
        }
        let new: Arc<str> = String::from_utf8_lossy(name).into();
        if self.header_names.len() < HEADER_NAMES {
            self.header_names.push(new.clone());
        }
        new
    }
}

/// Messages that are no errors.
fn records(messages: &Messages) -> impl Iterator<Item = Message<'_>> {
    messages.iter().filter(|message| message.error().is_none())
}

/// The keys and values of all records, one after the other.
fn keys_and_values(messages: &Messages) -> Bytes {
    let size = |message: Message<'_>| message.key().map_or(0, <[u8]>::len) + message.value().map_or(0, <[u8]>::len);
    let mut buffer = Vec::with_capacity(records(messages).map(size).sum());
    for message in records(messages) {
        buffer.extend_from_slice(message.key().unwrap_or_default());
        buffer.extend_from_slice(message.value().unwrap_or_default());
    }
    buffer.into()
}

/// Takes what `bytes` was copied to from the front of what was copied.
fn split(bytes: Option<&[u8]>, copied: &mut Bytes) -> Option<Bytes> {
    bytes.map(|bytes| copied.split_to(bytes.len()))
}

/// One partition's part of a batch.
struct Group {
    records: ConsumerRecords,
    generation: Generation,
    bytes: usize,
}
