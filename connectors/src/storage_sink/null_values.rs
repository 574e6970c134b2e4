//! `behavior.on.null.values`, before anything is written.

use connect_api::{Error, Result, SinkRecord};

use super::{config::NullValues, topic_partition_writer::Shared};

/// As on the JVM: nothing of a list is written before all of its null values have been seen.
pub(super) fn check(shared: &Shared, records: &[SinkRecord]) -> Result<()> {
    let reporter = shared.context.errant_record_reporter().filter(|_| shared.config.report_nulls);
    let mut null_values = records.iter().filter(|record| record.is_tombstone());
    match (shared.config.null_values, reporter) {
        (NullValues::Fail, _) => null_values.next().map_or(Ok(()), |record| Err(null_value(record))),
        (NullValues::Ignore, Some(reporter)) => {
            let skipped = Error::data("Skipping null value record.");
            null_values.try_for_each(|record| reporter.report(record, &skipped))
        }
        (NullValues::Ignore, None) | (NullValues::Write, _) => Ok(()),
    }
}

/// The error of `behavior.on.null.values=fail`.
fn null_value(record: &SinkRecord) -> Error {
    let origin = record.origin().topic_partition();
    let place = format!("topic='{}', partition={}, offset={}", origin.topic, origin.partition, record.offset());
    Error::data(format!("Null valued records are not writeable with current behavior.on.null.values 'fail': {{{place}}}"))
        .with_class("org.apache.kafka.connect.errors.ConnectException")
}
