//! librdkafka's messages to records of our own: one buffer for the bytes of a whole batch.

use std::{collections::HashMap, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use connect_api::{ConsumerRecord, ConsumerRecords, RawHeader, TopicPartition};

use super::native::{Message, Messages};
use crate::consumer::{Generation, PartitionRecords};

/// Names of headers kept for reuse; a producer that invents a name per record gains nothing from more.
const HEADER_NAMES: usize = 64;

/// Copies batches. Keeps what repeats from batch to batch.
#[derive(Default)]
pub(super) struct Copier {
    header_names: Vec<Arc<str>>,
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
        let bytes = messages.iter().map(size).sum();
        let mut buffer = BytesMut::with_capacity(bytes);
        let mut groups: Vec<(ConsumerRecords, Generation)> = Vec::new();
        let mut group_of: HashMap<(usize, i32), Option<usize>> = HashMap::new();
        let mut run = None;
        for message in messages.iter().filter(|message| message.error().is_none()) {
            let place = (message.topic_identity(), message.partition());
            // Messages come in long runs of one partition: look its group up once a run.
            let group = match run {
                Some((same, group)) if same == place => group,
                _ => *group_of.entry(place).or_insert_with(|| {
                    let (topic_partition, generation) = owner(message.topic(), message.partition())?;
                    groups.push((ConsumerRecords { topic_partition, records: Vec::new() }, generation));
                    Some(groups.len() - 1)
                }),
            };
            run = Some((place, group));
            if let Some(group) = group {
                groups[group].0.records.push(self.record(message, &mut buffer));
            }
        }
        let partitions =
            groups.into_iter().map(|(records, generation)| PartitionRecords { records: Arc::new(records), generation });
        Copied { partitions: partitions.collect(), bytes }
    }

    fn record(&mut self, message: Message<'_>, buffer: &mut BytesMut) -> ConsumerRecord {
        let (timestamp, timestamp_type) = message.timestamp();
        ConsumerRecord {
            offset: message.offset(),
            timestamp,
            timestamp_type,
            key: message.key().map(|key| copied(key, buffer)),
            value: message.value().map(|value| copied(value, buffer)),
            headers: self.headers(message, buffer),
        }
    }

    fn headers(&mut self, message: Message<'_>, buffer: &mut BytesMut) -> Vec<RawHeader> {
        let mut headers = Vec::new();
        message.for_each_header(|name, value| {
            headers.push((self.header_name(name), value.map(|value| copied(value, buffer))));
        });
        headers
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

fn size(message: Message<'_>) -> usize {
    let mut size = message.key().map_or(0, <[u8]>::len) + message.value().map_or(0, <[u8]>::len);
    message.for_each_header(|_name, value| size += value.map_or(0, <[u8]>::len));
    size
}

/// A slice of the shared buffer: it has room for all, so nothing moves.
fn copied(bytes: &[u8], buffer: &mut BytesMut) -> Bytes {
    buffer.put_slice(bytes);
    buffer.split().freeze()
}
