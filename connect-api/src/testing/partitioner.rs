//! The contract of [`Partitioner`]: one function per clause.

use crate::{ErrorKind, PartitionedBy, Partitioner, SinkRecord, TimestampExtractor};

/// An instant, in milliseconds since 1970.
const NOW: i64 = 1_700_000_000_000;

/// Every clause, for some records.
///
/// # Panics
/// Where a clause does not hold.
pub fn keeps_the_contract(partitioner: &dyn Partitioner, records: &[SinkRecord]) {
    what_is_there_already_is_kept(partitioner, records);
    equal_records_have_equal_encoded_partitions(partitioner, records);
    refused_records_are_data_errors(partitioner, records);
    what_depends_on_the_partition_alone_ignores_the_rest(partitioner, records);
    instants_of_a_bucket_are_one(partitioner, records);
}

/// The encoded partition is appended.
///
/// # Panics
/// Where the text before it changed.
pub fn what_is_there_already_is_kept(partitioner: &dyn Partitioner, records: &[SinkRecord]) {
    for record in records {
        let mut encoded = "before/".to_owned();
        let result = partitioner.encode_partition(record, NOW, &mut encoded);
        assert_eq!(result.ok().map(|()| encoded.starts_with("before/")), encode(partitioner, record).map(|_| true));
    }
}

/// The result depends on the record and the instant, and on nothing else.
///
/// # Panics
/// Where two results for one record differ.
pub fn equal_records_have_equal_encoded_partitions(partitioner: &dyn Partitioner, records: &[SinkRecord]) {
    let first: Vec<_> = records.iter().map(|record| encode(partitioner, record)).collect();
    let again: Vec<_> = records.iter().rev().map(|record| encode(partitioner, &record.clone())).collect();
    assert!(first.iter().eq(again.iter().rev()), "{first:?} and then {again:?}");
}

/// A record that has no encoded partition is at fault itself.
///
/// # Panics
/// Where the error is of another kind.
pub fn refused_records_are_data_errors(partitioner: &dyn Partitioner, records: &[SinkRecord]) {
    for record in records {
        let kind = partitioner.encode_partition(record, NOW, &mut String::new()).err().map(|error| error.kind());
        assert!(matches!(kind, None | Some(ErrorKind::Data)), "{record:?} failed as {kind:?}");
    }
}

/// With [`PartitionedBy::TopicPartition`] one question per topic-partition is enough.
///
/// # Panics
/// Where another instant or another record of a partition has another encoded partition.
pub fn what_depends_on_the_partition_alone_ignores_the_rest(partitioner: &dyn Partitioner, records: &[SinkRecord]) {
    if partitioner.partitioned_by() != PartitionedBy::TopicPartition {
        return;
    }
    for (one, other) in records.iter().flat_map(|one| records.iter().map(move |other| (one, other))) {
        if (&one.topic, one.partition) == (&other.topic, other.partition) {
            let mut later = String::new();
            let result = partitioner.encode_partition(other, NOW + 86_400_000, &mut later);
            assert_eq!(encode(partitioner, one), result.ok().map(|()| later));
        }
    }
}

/// All instants of a bucket give a record the same encoded partition, and a bucket holds the instant that was asked for.
///
/// # Panics
/// Where two of them differ.
pub fn instants_of_a_bucket_are_one(partitioner: &dyn Partitioner, records: &[SinkRecord]) {
    if !partitioner.partitioned_by().is_by_time() {
        return;
    }
    let hours = (-200..200).map(|hour| NOW + hour * 1_800_000).chain([0, -1, 1_425_808_800_000, 1_446_366_600_000]);
    for (record, time) in records.iter().flat_map(|record| hours.clone().map(move |time| (record, time))) {
        let bucket = partitioner.bucket(time);
        assert!(bucket.contains(&time), "{time} is not in {bucket:?}");
        let encoded = [bucket.start, time, bucket.end - 1].map(|instant| {
            let mut encoded = String::new();
            partitioner.encode_partition(record, instant, &mut encoded).ok().map(|()| encoded)
        });
        assert!(encoded.iter().all(|other| *other == encoded[0]), "{bucket:?}: {encoded:?}");
    }
}

/// Every clause of [`TimestampExtractor`], for some records.
///
/// # Panics
/// Where a clause does not hold.
pub fn extractor_keeps_the_contract(extractor: &dyn TimestampExtractor, records: &[SinkRecord]) {
    for record in records {
        let [first, again, later] = [NOW, NOW, NOW + 1].map(|now| extractor.timestamp(record, now));
        let kind = first.as_ref().err().map(crate::Error::kind);
        assert!(matches!(kind, None | Some(ErrorKind::Data)), "{record:?} failed as {kind:?}");
        assert_eq!(first.as_ref().ok(), again.as_ref().ok(), "{record:?} has two times");
        if !extractor.is_wall_clock() {
            assert_eq!(first.ok(), later.ok(), "{record:?} has another time at another instant");
        }
    }
}

fn encode(partitioner: &dyn Partitioner, record: &SinkRecord) -> Option<String> {
    let mut encoded = String::new();
    partitioner.encode_partition(record, NOW, &mut encoded).ok().map(|()| encoded)
}
