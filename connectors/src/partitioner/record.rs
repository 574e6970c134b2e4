//! The record's own timestamp in Kafka.

use connect_api::{
    Error, Plugin, Result, SinkRecord, TimestampExtractor,
    config::{Config, ConfigDef},
};

/// The timestamp that the record has in Kafka.
#[derive(Debug)]
pub(crate) struct RecordTimestampExtractor;

impl Plugin for RecordTimestampExtractor {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$RecordTimestampExtractor";
    const ALIASES: &'static [&'static str] = &["Record"];
    const DOCUMENTATION: &'static str = "The timestamp that the record has in Kafka. A record without one fails the task.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Record", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl TimestampExtractor for RecordTimestampExtractor {
    fn timestamp(&self, record: &SinkRecord, _now: i64) -> Result<i64> {
        record.timestamp.ok_or_else(|| {
            let message = "Unable to determine timestamp: the record has none in Kafka; take another `timestamp.extractor`";
            Error::data(message).with_class("org.apache.kafka.connect.errors.ConnectException")
        })
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::Data,
        testing::{partitioner, record_of},
    };

    use super::*;

    #[test]
    fn it_keeps_the_contract_and_ignores_the_clock() {
        let record = record_of(Data::default());
        assert_eq!(RecordTimestampExtractor.timestamp(&record, 7).unwrap(), 1_700_000_000_000);
        partitioner::extractor_keeps_the_contract(&RecordTimestampExtractor, &[record]);
    }

    #[test]
    fn a_record_without_a_timestamp_has_no_time() {
        let mut record = record_of(Data::default());
        record.timestamp = None;
        let error = RecordTimestampExtractor.timestamp(&record, 7).unwrap_err();
        assert!(error.to_string().starts_with("Unable to determine timestamp"), "{error}");
    }
}
