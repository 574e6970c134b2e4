//! Records for tests.

use std::sync::Arc;

use crate::{
    ConsumerRecord, ConsumerRecords, Header, Origin, SinkRecord, TopicPartition,
    data::{Data, Value},
};

/// A record of partition 3 of `topic` with this value, and no key and no headers.
pub fn record_of(value: Data) -> SinkRecord {
    record_with(Data::schemaless(Value::Null), value, &[])
}

/// A record of partition 3 of `topic`.
pub fn record_with(key: Data, value: Data, headers: &[(&str, Data)]) -> SinkRecord {
    let consumed = ConsumerRecord { offset: 42, timestamp: 1_700_000_000_000, ..ConsumerRecord::default() };
    let topic_partition = TopicPartition { topic: Arc::from("topic"), partition: 3 };
    let batch = Arc::new(ConsumerRecords { topic_partition, records: vec![consumed] });
    let headers = headers.iter().map(|(key, value)| Header { key: Arc::from(*key), value: value.clone() });
    SinkRecord::new(Origin::new(batch, 0), key, value, headers.collect())
}
