//! From records as they lie in Kafka to records as a sink task gets them.

use std::{sync::Arc, time::Duration};

use connect_api::{ConsumerRecord, ConsumerRecords, Error, ErrorKind, Fetch, Header, Origin, Result, SinkRecord, TopicPartition};
use prometheus::IntCounter;

use super::{
    tolerance::{ErrorHandler, Failure, Stage, Verdict},
    transform::transform,
};
use crate::{
    config::{Converters, NamedTransformation},
    metrics::TaskMetrics,
};

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All its records are converted, dropped or skipped.
    Done,
    /// The environment failed at the record `at`: go on from there after the pause. What comes before is done.
    RetryAfter {
        /// Its index in the batch.
        at: usize,
        /// The pause.
        delay: Duration,
    },
    /// A converter lacks something for the record `at`, and can [get](Convert::fetch) it. What comes before is done.
    Lacks {
        /// Its index in the batch.
        at: usize,
        /// What the converter was to convert.
        stage: Stage,
    },
}

/// Converts and transforms the records of one task, batch by batch.
#[derive(Debug)]
pub(crate) struct Convert {
    converters: Converters,
    transformations: Vec<NamedTransformation>,
    errors: Arc<ErrorHandler>,
    records_filtered: IntCounter,
}

/// Why a record is not delivered.
enum Undelivered {
    /// An operation failed that `errors.tolerance` covers.
    Failed(Stage, &'static str, Error),
    /// The record is broken in a way that Kafka Connect does not tolerate.
    Broken(Error),
}

impl Convert {
    pub(crate) fn new(
        converters: Converters,
        transformations: Vec<NamedTransformation>,
        errors: Arc<ErrorHandler>,
        metrics: &TaskMetrics,
    ) -> Self {
        Self { converters, transformations, errors, records_filtered: metrics.records_filtered.clone() }
    }

    /// Appends what becomes of `batch.records[from..]` to `out`; records that are dropped or skipped leave nothing.
    ///
    /// # Errors
    /// Where a record may not be skipped; the task fails. `Data` where the record would fail it again.
    pub(crate) fn apply(&self, batch: &Arc<ConsumerRecords>, from: usize, out: &mut Vec<SinkRecord>) -> Result<Progress> {
        let mut filtered = 0;
        out.reserve(batch.records.len().saturating_sub(from));
        for (at, record) in batch.records.iter().enumerate().skip(from) {
            let converted = self.record(batch, at, record);
            match converted {
                Ok(Some(record)) => out.push(record),
                Ok(None) => filtered += 1,
                Err(Undelivered::Failed(stage, _, error))
                    if error.kind() == ErrorKind::Retriable && self.fetch(batch, at, stage).is_some() =>
                {
                    self.records_filtered.inc_by(filtered);
                    return Ok(Progress::Lacks { at, stage });
                }
                Err(undelivered) => {
                    if let Verdict::RetryAfter(delay) = self.verdict(batch, record, undelivered)? {
                        self.records_filtered.inc_by(filtered);
                        return Ok(Progress::RetryAfter { at, delay });
                    }
                }
            }
            if at == from {
                self.errors.forget_retries();
            }
        }
        self.records_filtered.inc_by(filtered);
        Ok(Progress::Done)
    }

    /// Gets what the converter of this stage lacked for the record `at`.
    pub(crate) fn fetch(&self, batch: &ConsumerRecords, at: usize, stage: Stage) -> Option<Fetch> {
        let (topic, record) = (&*batch.topic_partition.topic, batch.records.get(at)?);
        match stage {
            Stage::KeyConverter => self.converters.key.fetch(topic, &record.headers, record.key.as_ref()),
            Stage::ValueConverter => self.converters.value.fetch(topic, &record.headers, record.value.as_ref()),
            _ => None,
        }
    }

    fn verdict(&self, batch: &ConsumerRecords, record: &ConsumerRecord, undelivered: Undelivered) -> Result<Verdict> {
        match undelivered {
            Undelivered::Broken(error) => Err(error),
            Undelivered::Failed(stage, class, error) => {
                let topic_partition = &batch.topic_partition;
                self.errors.failed(&Failure { stage, class, error: &error, topic_partition, record })
            }
        }
    }

    fn record(&self, batch: &Arc<ConsumerRecords>, at: usize, record: &ConsumerRecord) -> Result<Option<SinkRecord>, Undelivered> {
        let (topic, headers) = (&*batch.topic_partition.topic, &record.headers);
        let Converters { key, value, key_class, value_class, .. } = &self.converters;
        let key = key
            .to_connect_data(topic, headers, record.key.as_ref())
            .map_err(|error| Undelivered::Failed(Stage::KeyConverter, key_class, error))?;
        let value = value
            .to_connect_data(topic, headers, record.value.as_ref())
            .map_err(|error| Undelivered::Failed(Stage::ValueConverter, value_class, error))?;
        let headers = self.headers(topic, record)?;
        check_timestamp(&batch.topic_partition, record).map_err(Undelivered::Broken)?;
        let record = SinkRecord::new(Origin::new(batch.clone(), at), key, value, headers);
        transform(&self.transformations, record)
            .map_err(|failure| Undelivered::Failed(Stage::Transformation, failure.class, failure.error))
    }

    fn headers(&self, topic: &str, record: &ConsumerRecord) -> Result<Vec<Header>, Undelivered> {
        if record.headers.is_empty() {
            return Ok(Vec::new());
        }
        let convert = |(name, bytes): &(Arc<str>, _)| {
            let value = self.converters.header.to_connect_header(topic, name, Option::as_ref(bytes))?;
            Ok(Header { key: name.clone(), value })
        };
        let converted: Result<_> = record.headers.iter().map(convert).collect();
        converted.map_err(|error| Undelivered::Failed(Stage::HeaderConverter, self.converters.header_class, error))
    }
}

/// -1 means none; what else is negative was written by no client that follows the protocol.
fn check_timestamp(topic_partition: &TopicPartition, record: &ConsumerRecord) -> Result<()> {
    if record.timestamp >= -1 {
        return Ok(());
    }
    let ConsumerRecord { offset, timestamp, .. } = record;
    let message = format!("Invalid record timestamp {timestamp} of the record at offset {offset} of {topic_partition}");
    Err(Error::data(message).with_class("org.apache.kafka.common.InvalidRecordException"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use connect_api::{
        Converter, HeaderConverter, Metrics, RawHeader, TimestampType, Transformation,
        data::{Data, Value},
    };

    use super::{
        super::tolerance::tests::{CONVERTER, default_errors, handler},
        *,
    };
    use crate::config::{ErrorsConfig, Tolerance};

    const TRANSFORM: &str = "org.apache.kafka.connect.transforms.Filter";

    /// Passes bytes on, except for those that say what goes wrong.
    struct Script;

    fn convert(bytes: Option<&Bytes>) -> Result<Data> {
        match bytes.map(Bytes::as_ref) {
            Some(b"bad") => Err(Error::data("bad")),
            other => Ok(Data::schemaless(other.map_or(Value::Null, |bytes| Value::Bytes(bytes.to_vec().into())))),
        }
    }

    impl Converter for Script {
        fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
            convert(bytes)
        }
    }

    impl HeaderConverter for Script {
        fn to_connect_header(&self, _topic: &str, _name: &str, bytes: Option<&Bytes>) -> Result<Data> {
            convert(bytes)
        }
    }

    /// Drops tombstones; for each other record asks for as many retries as its list says.
    struct Flaky(Mutex<Vec<u32>>);

    impl Transformation for Flaky {
        fn apply(&self, record: SinkRecord) -> Result<Option<SinkRecord>> {
            if let Some(retries) = self.0.lock().unwrap().get_mut(usize::try_from(record.offset()).unwrap())
                && *retries > 0
            {
                *retries -= 1;
                return Err(Error::retriable("not yet"));
            }
            Ok((!record.is_tombstone()).then_some(record))
        }
    }

    fn subject(errors: &ErrorsConfig, retries: Vec<u32>) -> Convert {
        let converters = Converters {
            key: Arc::new(Script),
            value: Arc::new(Script),
            header: Arc::new(Script),
            key_class: CONVERTER,
            value_class: CONVERTER,
            header_class: CONVERTER,
        };
        let chain =
            vec![NamedTransformation { class: TRANSFORM, transformation: Arc::new(Flaky(Mutex::new(retries))), guard: None }];
        let metrics = Metrics::default();
        Convert::new(converters, chain, Arc::new(handler(errors, &metrics)), &TaskMetrics::new(&metrics, "job", 0))
    }

    fn tolerant() -> ErrorsConfig {
        ErrorsConfig { tolerance: Tolerance::All, retry_timeout: None, ..default_errors() }
    }

    fn batch(values: &[Option<&'static str>]) -> Arc<ConsumerRecords> {
        let record = |(offset, value): (usize, &Option<&'static str>)| ConsumerRecord {
            offset: i64::try_from(offset).unwrap(),
            timestamp: 1_000,
            value: value.map(|text| Bytes::from_static(text.as_bytes())),
            ..ConsumerRecord::default()
        };
        let records = values.iter().enumerate().map(record).collect();
        Arc::new(ConsumerRecords { topic_partition: TopicPartition::new("t", 0), records })
    }

    fn offsets(records: &[SinkRecord]) -> Vec<i64> {
        records.iter().map(SinkRecord::offset).collect()
    }

    #[test]
    fn bad_and_filtered_records_leave_nothing_and_the_others_keep_their_order() {
        let (subject, mut out) = (subject(&tolerant(), Vec::new()), Vec::new());
        let batch = batch(&[Some("a"), Some("bad"), None, Some("b")]);
        assert_eq!(subject.apply(&batch, 0, &mut out).unwrap(), Progress::Done);
        assert_eq!(offsets(&out), [0, 3]);
        assert_eq!(out[1].timestamp, Some(1_000));
        assert_eq!(subject.records_filtered.get(), 1);
    }

    #[test]
    fn a_retriable_failure_goes_on_at_its_record_with_what_came_before_done() {
        let (subject, mut out) = (subject(&tolerant(), vec![0, 2, 1]), Vec::new());
        let batch = batch(&[Some("a"), Some("b"), Some("c")]);
        let pause = |at, millis| Progress::RetryAfter { at, delay: Duration::from_millis(millis) };
        assert_eq!(subject.apply(&batch, 0, &mut out).unwrap(), pause(1, 300));
        assert_eq!(subject.apply(&batch, 1, &mut out).unwrap(), pause(1, 600));
        assert_eq!(subject.apply(&batch, 1, &mut out).unwrap(), pause(2, 300));
        assert_eq!(subject.apply(&batch, 2, &mut out).unwrap(), Progress::Done);
        assert_eq!(offsets(&out), [0, 1, 2]);
    }

    #[test]
    fn the_first_bad_record_ends_the_task_where_nothing_is_tolerated() {
        let error = subject(&default_errors(), Vec::new()).apply(&batch(&[Some("bad")]), 0, &mut Vec::new()).unwrap_err();
        let report = error.report();
        assert!(report.starts_with("Tolerance exceeded in error handler: the value of the record at offset 0 of "), "{report}");
        assert!(report.contains(": bad (the bytes are 62 61 64, which looks like text"), "{report}");
    }

    #[test]
    fn a_bad_key_or_header_is_a_failure_of_its_own_stage() {
        let subject = subject(&tolerant(), Vec::new());
        let mut batch = batch(&[Some("a"), Some("b")]);
        let records = &mut Arc::get_mut(&mut batch).unwrap().records;
        records[0].key = Some(Bytes::from_static(b"bad"));
        records[1].headers.push(("h".into(), Some(Bytes::from_static(b"bad"))));
        let stage = |at: usize| match subject.record(&batch, at, &batch.records[at]) {
            Err(Undelivered::Failed(stage, ..)) => stage,
            _ => panic!("the record has not failed"),
        };
        assert_eq!([stage(0), stage(1)], [Stage::KeyConverter, Stage::HeaderConverter]);
    }

    #[test]
    fn minus_one_is_no_timestamp_and_less_ends_the_task_whatever_is_tolerated() {
        let (subject, mut out) = (subject(&tolerant(), Vec::new()), Vec::new());
        let mut batch = batch(&[Some("a"), Some("b")]);
        let records = &mut Arc::get_mut(&mut batch).unwrap().records;
        (records[0].timestamp, records[1].timestamp) = (-1, -2);
        let error = subject.apply(&batch, 0, &mut out).unwrap_err();
        assert_eq!((error.kind(), error.class()), (ErrorKind::Data, "org.apache.kafka.common.InvalidRecordException"));
        assert_eq!(out[0].timestamp, None);
    }

    /// Reads the header `encoding`, as text.
    struct OfHeader;

    impl Converter for OfHeader {
        fn to_connect_data(&self, _topic: &str, headers: &[RawHeader], _bytes: Option<&Bytes>) -> Result<Data> {
            let encoding = headers.iter().find(|(name, _)| **name == *"encoding").and_then(|(_, value)| value.clone());
            Ok(Data::schemaless(encoding.map_or(Value::Null, Value::Bytes)))
        }
    }

    // T20, T22
    #[test]
    fn converters_see_the_headers_of_the_record_and_time_and_its_type_stay() {
        let mut subject = subject(&tolerant(), Vec::new());
        (subject.converters.key, subject.converters.value) = (Arc::new(OfHeader), Arc::new(OfHeader));
        let (mut batch, mut out) = (batch(&[Some("a"), Some("b")]), Vec::new());
        let records = &mut Arc::get_mut(&mut batch).unwrap().records;
        for (record, encoding) in records.iter_mut().zip(["latin2", "koi8_r"]) {
            record.headers.push(("encoding".into(), Some(Bytes::from_static(encoding.as_bytes()))));
        }
        records[0].timestamp_type = TimestampType::CreateTime;
        records[1].timestamp_type = TimestampType::LogAppendTime;
        assert_eq!(subject.apply(&batch, 0, &mut out).unwrap(), Progress::Done);
        let bytes = |text: &'static str| Value::Bytes(Bytes::from_static(text.as_bytes()));
        for (record, encoding) in out.iter().zip(["latin2", "koi8_r"]) {
            assert_eq!((&record.key.value, &record.value.value), (&bytes(encoding), &bytes(encoding)));
        }
        let times: Vec<_> = out.iter().map(|record| (record.timestamp, record.timestamp_type)).collect();
        assert_eq!(times, [(Some(1_000), TimestampType::CreateTime), (Some(1_000), TimestampType::LogAppendTime)]);
    }
}
