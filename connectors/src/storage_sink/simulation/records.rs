//! The records of the logs: what they hold follows from their offsets. Some come late, and their fields come in no order.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use connect_api::{
    ConsumerRecord, ConsumerRecords, Origin, SinkRecord, TimestampType, TopicPartition,
    data::{Data, JsonText, Schema, SchemaType, Value},
};

use super::world::topic_partition;

/// Timestamps say which log a record is of, in the bits above these.
const TIME_BITS: u32 = 40;
/// When the first record of a log was made, without the log.
const FIRST_TIME: i64 = 500_000_000;

/// Records of a log at these offsets.
pub(super) fn records(log: u32, offsets: Vec<i64>, bytes: usize) -> Vec<SinkRecord> {
    records_of(topic_partition(), log, offsets, bytes)
}

/// Records of any partition.
pub(super) fn records_of(topic_partition: TopicPartition, log: u32, offsets: Vec<i64>, bytes: usize) -> Vec<SinkRecord> {
    let record = |offset| ConsumerRecord {
        offset,
        timestamp: (i64::from(log) << TIME_BITS) + time(offset),
        timestamp_type: TimestampType::CreateTime,
        ..ConsumerRecord::default()
    };
    let batch = Arc::new(ConsumerRecords { topic_partition, records: offsets.into_iter().map(record).collect() });
    let value = |offset: i64| {
        // An hour for each five, and a list in the place of a number now and then.
        let (hour, odd) = ((2 + offset / 5) * 3_600_000, if offset % 7 == 2 { "[]" } else { "1" });
        let (field, time) = (field(offset), time(offset));
        // One that is called like the directory of null values, which makes too long a name where it is repeated often.
        let kind = if offset == 12 { "nothing" } else { "k" };
        let text =
            format!("{{\"b\":{bytes},\"f\":{field},\"n\":{{\"t\":{time}}},\"hour\":{hour},\"odd\":{odd},\"kind\":\"{kind}\"}}");
        Data::schemaless(Value::Json(JsonText::parse(&Bytes::from(text)).unwrap().unwrap()))
    };
    let made = |index: usize| {
        let offset = batch.records[index].offset;
        SinkRecord::new(Origin::new(Arc::clone(&batch), index), value(offset), value(offset), Vec::new())
    };
    (0..batch.records.len()).map(made).collect()
}

/// The schema of the value of the record at an offset.
pub(super) type SchemaOf = fn(i64) -> Option<Arc<Schema>>;

/// A schema of this name.
pub(super) fn named(name: &str, version: Option<i32>) -> Option<Arc<Schema>> {
    Some(Arc::new(Schema { version, ..Schema::required(SchemaType::String).named(name) }))
}

/// Schemas in runs and in turns, none among them; some are made anew for each record.
pub(super) fn any_schema(offset: i64) -> Option<Arc<Schema>> {
    static SHARED: LazyLock<[Option<Arc<Schema>>; 2]> = LazyLock::new(|| [1, 2].map(|version| named("a", Some(version))));
    match (offset / 20 + offset * offset / 5) % 5 {
        0 => None,
        1 => named("b", None),
        2 | 3 => SHARED[usize::from(offset % 2 == 0)].clone(),
        _ => SHARED[0].clone(),
    }
}

/// The log that a record is of.
pub(super) fn log_of(record: &SinkRecord) -> i64 {
    record.origin().consumed().timestamp >> TIME_BITS
}

/// How large a record is to be.
pub(super) fn bytes_of(data: &Data) -> Option<usize> {
    let Value::Json(json) = &data.value else { return None };
    std::str::from_utf8(json.find(["b"])?).ok()?.parse().ok()
}

/// The field `n.t`: about six records a second, some of them up to three seconds late.
pub(super) fn time(offset: i64) -> i64 {
    let late = if offset % 5 == 3 { (offset * 7_919) % 3_000 } else { 0 };
    FIRST_TIME + offset * 170 - late
}

/// The field `f`: runs and changes.
pub(super) fn field(offset: i64) -> i64 {
    (offset / 3 + offset * offset / 7) % 3
}

/// The directory of a record by its field.
pub(super) fn directory_by_field(offset: i64) -> String {
    format!("f={}", field(offset))
}

/// The directory of a record by its time, in seconds.
pub(super) fn directory_by_time(offset: i64) -> String {
    let seconds = time(offset) / 1_000;
    format!("{:02}-{:02}-{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

/// The settings of [`directory_by_time`], and those of the wall clock.
pub(super) const BY_TIME: [(&str, &str); 6] = [
    ("partitioner.class", "TimeBasedPartitioner"),
    ("partition.duration.ms", "1000"),
    ("path.format", "HH-mm-ss"),
    ("locale", "en"),
    ("timestamp.extractor", "Record"),
    ("timestamp.field", "n.t"),
];

/// The settings of [`directory_by_field`].
pub(super) const BY_FIELD: [(&str, &str); 2] = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "f")];
