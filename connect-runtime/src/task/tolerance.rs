//! What happens to a record on which an operation failed (KIP-298): tried again, skipped, or the end of the task.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_api::{
    Budget, ConsumerRecord, ErrantRecordReporter, Error, ErrorKind, Metrics, Offsets, Result, SinkRecord, TimestampType,
    TopicPartition,
};
use prometheus::IntGauge;
use tokio::time::Instant;

use super::{
    dead_letter_queue::{DeadLetterQueue, Held},
    explain::explain,
    retry_policy::{RetryPolicy, random_below},
};
use crate::{
    config::{ConnectorConfig, ErrorsConfig, Tolerance, WorkerConfig},
    metrics::{StageMetrics, last_error},
};

/// The class that stands for a task that reports a record itself.
const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";
const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

/// What was done with the record when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its key was converted.
    KeyConverter,
    /// Its value was converted.
    ValueConverter,
    /// One of its headers was converted.
    HeaderConverter,
    /// It was transformed.
    Transformation,
    /// The sink task could not write it.
    TaskPut,
}

impl Stage {
    const ALL: [Self; 5] = [Self::KeyConverter, Self::ValueConverter, Self::HeaderConverter, Self::Transformation, Self::TaskPut];

    /// Connect's name, as it stands in logs, headers and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::Transformation => "TRANSFORMATION",
            Self::TaskPut => "TASK_PUT",
        }
    }

    /// What of a record an operation works on.
    fn subject(self) -> &'static str {
        match self {
            Self::KeyConverter => "the key",
            Self::ValueConverter => "the value",
            Self::HeaderConverter => "the headers",
            Self::Transformation | Self::TaskPut => "something",
        }
    }
}

/// One failed operation on one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) stage: Stage,
    /// The class of what failed.
    pub(crate) class: &'static str,
    pub(crate) error: &'a Error,
    pub(crate) topic_partition: &'a TopicPartition,
    /// The record as it was consumed.
    pub(crate) record: &'a ConsumerRecord,
}

/// How to go on after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The record is reported and left out.
    Skip,
    /// The operation is tried again after this pause.
    RetryAfter(Duration),
}

/// Applies `errors.*` to the failures of one task. It is asked for nothing as long as nothing fails.
pub(crate) struct ErrorHandler {
    connector: Arc<str>,
    task: usize,
    tolerance: Tolerance,
    retries: RetryPolicy,
    log: Option<RecordInLog>,
    dead_letter_queue: Option<DeadLetterQueue>,
    stages: [Arc<StageMetrics>; Stage::ALL.len()],
    last_error: IntGauge,
    retrying: Mutex<Option<Retrying>>,
    /// Of each stage, whether somebody has read why its first record was skipped.
    has_explained: [AtomicBool; Stage::ALL.len()],
    /// A sink task was told that a record may not be skipped.
    exceeded: AtomicBool,
}

/// `errors.log.include.messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordInLog {
    LeftOut,
    Named,
}

/// The operation that is being tried again.
#[derive(Debug)]
struct Retrying {
    topic_partition: TopicPartition,
    offset: i64,
    stage: Stage,
    failed_attempts: u32,
    begun: Instant,
}

impl ErrorHandler {
    /// The handler of a task; creates the dead letter queue's topic where it is missing.
    ///
    /// # Errors
    /// `Config` or `Fatal` where the dead letter queue cannot be used, `Retriable` where no broker answers.
    pub(crate) async fn start(
        worker: &WorkerConfig,
        connector: &ConnectorConfig,
        task: usize,
        budget: &Budget,
        metrics: &Metrics,
    ) -> Result<Self> {
        let handler = Self::new(&connector.name, task, &connector.errors, metrics);
        let dead_letter_queue = DeadLetterQueue::start(worker, connector, task, budget).await?;
        Ok(Self { dead_letter_queue, ..handler })
    }

    /// A handler without a dead letter queue.
    pub(super) fn new(connector: &Arc<str>, task: usize, config: &ErrorsConfig, metrics: &Metrics) -> Self {
        let named = if config.log_include_messages { RecordInLog::Named } else { RecordInLog::LeftOut };
        Self {
            connector: connector.clone(),
            task,
            tolerance: config.tolerance,
            retries: RetryPolicy { timeout: config.retry_timeout, delay_max: config.retry_delay_max },
            log: config.log_enable.then_some(named),
            dead_letter_queue: None,
            stages: Stage::ALL.map(|stage| Arc::new(StageMetrics::new(metrics, connector, task, stage.name()))),
            last_error: last_error(metrics, connector, task),
            retrying: Mutex::default(),
            has_explained: [const { AtomicBool::new(false) }; Stage::ALL.len()],
            exceeded: AtomicBool::new(false),
        }
    }

    /// What a sink task reports to: itself, or nothing where neither log nor dead letter queue is set up.
    pub(crate) fn errant_record_reporter(&self) -> Option<&dyn ErrantRecordReporter> {
        (self.log.is_some() || self.dead_letter_queue.is_some()).then_some(self)
    }

    /// Counts and reports the failure, and says how to go on.
    ///
    /// A retriable error that has used up `errors.retry.timeout` ends the task where nothing is tolerated. Kafka Connect skips
    /// the record in this case, whatever the tolerance, and thereby loses it.
    ///
    /// # Errors
    /// Where the record may not be skipped; the task fails. `Data` where the record would fail it again.
    pub(super) fn failed(&self, failure: &Failure<'_>) -> Result<Verdict> {
        let counters = self.counters(failure.stage);
        counters.failures.inc();
        if failure.error.kind() == ErrorKind::Retriable
            && let Some(delay) = self.next_try(failure)
        {
            counters.retries.inc();
            return Ok(Verdict::RetryAfter(delay));
        }
        counters.errors.inc();
        self.report_to_all(failure, OnRefusal::Count);
        if failure.error.kind() == ErrorKind::Fatal {
            return Err(Error::fatal("Unhandled exception in error handler").with_source(failure.error.report()));
        }
        let Failure { stage, class, error, topic_partition, record } = failure;
        let what = || {
            let subject = if *stage == Stage::Transformation { class } else { stage.subject() };
            let what = format!("{subject} of the record at offset {} of {topic_partition}", record.offset);
            match explanation(failure) {
                Some(explanation) => format!("{what}: {} ({explanation})", error.report()),
                None => format!("{what}: {}", error.report()),
            }
        };
        match self.tolerance {
            Tolerance::None => Err(tolerance_exceeded(error, &what())),
            Tolerance::All => {
                counters.skipped.inc();
                if !self.has_explained[*stage as usize].swap(true, Ordering::Relaxed) {
                    let (connector, task) = (&*self.connector, self.task);
                    tracing::warn!(connector, task, "the first record that is skipped here: {}", what());
                }
                Ok(Verdict::Skip)
            }
        }
    }

    /// The operation that was tried again has succeeded, or is not tried any more.
    pub(super) fn forget_retries(&self) {
        *self.retrying() = None;
    }

    /// Whether a sink task has hidden that a record may not be skipped; asked after each `put`.
    ///
    /// # Errors
    /// `Data` if it has: what `report` returned must fail the task.
    pub(crate) fn check_reports(&self) -> Result<()> {
        if self.exceeded.load(Ordering::Relaxed) {
            return Err(Error::data("Tolerance exceeded in error handler").with_class(CONNECT_EXCEPTION));
        }
        Ok(())
    }

    /// Waits until the dead letter queue holds the records of these partitions that were sent to it. Called before each commit: a
    /// record that was skipped must not be lost by a crash between commit and delivery, which Kafka Connect accepts for records
    /// that could not be converted. Partitions whose records are not there within this time are taken out of `offsets`.
    ///
    /// # Errors
    /// `Fatal` where the queue did not take a record that the sink task reported.
    pub(crate) async fn settle(&self, offsets: &mut Offsets, within: Duration) -> Result<()> {
        match &self.dead_letter_queue {
            Some(queue) => queue.settle(offsets, within).await,
            None => Ok(()),
        }
    }

    /// Whether the dead letter queue holds all records of the partition that were sent to it.
    pub(crate) fn is_settled(&self, topic_partition: &TopicPartition) -> bool {
        self.dead_letter_queue.as_ref().is_none_or(|queue| queue.is_settled(topic_partition))
    }

    /// What waits for the dead letter queue, and what is wrong with it. Asked at every turn of the task's loop.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub(super) fn held(&self) -> Result<Held> {
        self.dead_letter_queue.as_ref().map_or_else(|| Ok(Held::default()), DeadLetterQueue::held)
    }

    /// Gives up waiting for these partitions: nothing of them is committed any more, and whoever reads them next reports their records again.
    pub(crate) fn forget(&self, partitions: &[TopicPartition]) {
        if let Some(queue) = &self.dead_letter_queue {
            queue.forget(partitions);
        }
    }

    fn next_try(&self, failure: &Failure<'_>) -> Option<Duration> {
        let (now, mut retrying) = (Instant::now(), self.retrying());
        let current = match &mut *retrying {
            Some(current) if current.is_of(failure) => current,
            other => other.insert(Retrying::first(failure, now)),
        };
        current.failed_attempts += 1;
        let elapsed = now.saturating_duration_since(current.begun);
        if self.retries.is_used_up(elapsed) {
            *retrying = None;
            return None;
        }
        Some(self.retries.delay(current.failed_attempts, elapsed, random_below))
    }

    fn report_to_all(&self, failure: &Failure<'_>, on_refusal: OnRefusal) {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.last_error.set(i64::try_from(seconds).unwrap_or(i64::MAX));
        if let Some(queue) = &self.dead_letter_queue {
            queue.send(failure, on_refusal, self.counters(failure.stage));
        }
        if let Some(named) = self.log {
            self.counters(failure.stage).logged.inc();
            tracing::error!(error = failure.error.report(), "{}", log_line(&self.connector, self.task, failure, named));
        }
    }

    fn counters(&self, stage: Stage) -> &Arc<StageMetrics> {
        &self.stages[stage as usize]
    }

    fn retrying(&self) -> MutexGuard<'_, Option<Retrying>> {
        self.retrying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ErrantRecordReporter for ErrorHandler {
    fn report(&self, record: &SinkRecord, error: &Error) -> Result<()> {
        let (stage, origin) = (Stage::TaskPut, record.origin());
        let (topic_partition, record) = (origin.topic_partition(), origin.consumed());
        self.counters(stage).failures.inc();
        self.report_to_all(&Failure { stage, class: SINK_TASK, error, topic_partition, record }, OnRefusal::FailTask);
        match self.tolerance {
            Tolerance::All => Ok(()),
            Tolerance::None => {
                self.counters(stage).errors.inc();
                self.exceeded.store(true, Ordering::Relaxed);
                Err(tolerance_exceeded(error, &error.report()))
            }
        }
    }
}

impl fmt::Debug for ErrorHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorHandler({}-{}, {:?})", self.connector, self.task, self.tolerance)
    }
}

/// What follows where the dead letter queue refuses a copy. It is logged and counted in any case, and no later offset is committed until it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnRefusal {
    /// Nothing more: it is sent again.
    Count,
    /// The task fails: it relied on the copy.
    FailTask,
}

impl Retrying {
    fn first(failure: &Failure<'_>, now: Instant) -> Self {
        let Failure { stage, topic_partition, record, .. } = *failure;
        Self { topic_partition: topic_partition.clone(), offset: record.offset, stage, failed_attempts: 0, begun: now }
    }

    fn is_of(&self, failure: &Failure<'_>) -> bool {
        self.offset == failure.record.offset && self.stage == failure.stage && self.topic_partition == *failure.topic_partition
    }
}

/// What the bytes look like that a converter could not read.
fn explanation(failure: &Failure<'_>) -> Option<String> {
    let Failure { stage, class, record, .. } = failure;
    match stage {
        Stage::KeyConverter => Some(explain(class, "key", record.key.as_ref()?)),
        Stage::ValueConverter => Some(explain(class, "value", record.value.as_ref()?)),
        _ => None,
    }
}

/// A record that never works fails the task each time that it is started again: such errors are of its own kind.
fn tolerance_exceeded(error: &Error, report: &str) -> Error {
    let exceeded = match error.kind() {
        ErrorKind::Retriable => Error::fatal,
        _ => Error::data,
    };
    exceeded("Tolerance exceeded in error handler").with_class(CONNECT_EXCEPTION).with_source(report.to_owned())
}

/// The line that operators of Kafka Connect search for. It never holds key, value or headers.
fn log_line(connector: &str, task: usize, failure: &Failure<'_>, named: RecordInLog) -> String {
    let Failure { stage, class, topic_partition, record, .. } = failure;
    let mut line = format!("Error encountered in task {connector}-{task}. Executing stage '{}' with class '{class}'", stage.name());
    if named == RecordInLog::Named {
        let TopicPartition { topic, partition } = topic_partition;
        line += &format!(", where consumed record is {{topic='{topic}', partition={partition}, offset={}", record.offset);
        if record.timestamp_type != TimestampType::NoTimestampType {
            line += &format!(", timestamp={}, timestampType={}", record.timestamp, record.timestamp_type.name());
        }
        line.push('}');
    }
    line.push('.');
    line
}

#[cfg(test)]
pub(super) mod tests {
    use connect_api::{ConsumerRecords, Origin, data::Data};

    use super::*;
    use crate::metrics::definitions::*;

    pub(in crate::task) const CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

    /// `errors.*` as they are by default.
    pub(in crate::task) fn default_errors() -> ErrorsConfig {
        ErrorsConfig {
            tolerance: Tolerance::None,
            retry_timeout: Some(Duration::ZERO),
            retry_delay_max: Duration::from_secs(60),
            log_enable: false,
            log_include_messages: false,
            dead_letter_queue: None,
        }
    }

    /// The handler of the task 0 of the connector `job`.
    pub(in crate::task) fn handler(config: &ErrorsConfig, metrics: &Metrics) -> ErrorHandler {
        ErrorHandler::new(&"job".into(), 0, config, metrics)
    }

    fn tolerant() -> ErrorsConfig {
        ErrorsConfig { tolerance: Tolerance::All, ..default_errors() }
    }

    fn failed(handler: &ErrorHandler, stage: Stage, error: &Error) -> Result<Verdict> {
        let topic_partition = TopicPartition::new("test-topic", 5);
        let record = ConsumerRecord { offset: 100, ..ConsumerRecord::default() };
        handler.failed(&Failure { stage, class: CONVERTER, error, topic_partition: &topic_partition, record: &record })
    }

    fn count(metrics: &Metrics, definition: &'static connect_api::MetricDefinition, stage: Stage) -> u64 {
        metrics.counter(definition, &["job", "0", stage.name()]).get()
    }

    /// The pauses of an operation that always fails, attempt after attempt, where drawing at random gives the limit.
    fn pauses(policy: RetryPolicy, attempts: u32) -> Vec<u128> {
        let (mut elapsed, mut pauses) = (Duration::ZERO, Vec::new());
        for attempt in 1..=attempts {
            if policy.is_used_up(elapsed) {
                break;
            }
            let delay = policy.delay(attempt, elapsed, |limit| limit);
            pauses.push(delay.as_millis());
            elapsed += delay;
        }
        pauses
    }

    fn policy(timeout: Option<u64>, delay_max: u64) -> RetryPolicy {
        RetryPolicy { timeout: timeout.map(Duration::from_millis), delay_max: Duration::from_millis(delay_max) }
    }

    #[test]
    fn r4_r6_pauses_double_and_the_last_one_ends_at_the_deadline() {
        assert_eq!(pauses(policy(Some(6_000), 60_000), 3), [300, 600, 1_200]);
        assert_eq!(pauses(policy(Some(6_000), 60_000), 99), [300, 600, 1_200, 2_400, 1_500]);
    }

    #[test]
    fn r5_without_a_deadline_it_is_tried_for_ever() {
        assert_eq!(pauses(policy(None, 60_000), 8), [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400]);
        assert_eq!(pauses(policy(None, 60_000), 200).last(), Some(&60_000));
    }

    #[test]
    fn r9_a_pause_is_never_negative() {
        let policy = policy(Some(5_000), 5_000);
        assert_eq!(pauses(policy, 99), [300, 600, 1_200, 2_400, 500]);
        assert_eq!(policy.delay(6, Duration::from_millis(5_001), |limit| limit), Duration::ZERO);
    }

    #[test]
    fn beyond_the_longest_pause_it_is_drawn_at_random_below_it() {
        let longest = Duration::from_millis(100);
        for _ in 0..100 {
            assert!(policy(None, 100).delay(1, Duration::ZERO, random_below) < longest);
        }
        assert_eq!(policy(None, 0).delay(1, Duration::ZERO, random_below), Duration::ZERO);
    }

    #[test]
    fn r1_a_bad_record_is_skipped_where_all_is_tolerated() {
        let metrics = Metrics::default();
        let handler = handler(&tolerant(), &metrics);
        for stage in [Stage::KeyConverter, Stage::ValueConverter, Stage::HeaderConverter, Stage::Transformation] {
            assert_eq!(failed(&handler, stage, &Error::data("bad")).unwrap(), Verdict::Skip);
            assert_eq!(count(&metrics, &RECORDS_SKIPPED, stage), 1);
        }
    }

    #[test]
    fn r7_r11_a_bad_record_ends_the_task_at_once_where_nothing_is_tolerated() {
        let metrics = Metrics::default();
        let config = ErrorsConfig { retry_timeout: Some(Duration::from_secs(6)), ..default_errors() };
        let error = failed(&handler(&config, &metrics), Stage::ValueConverter, &Error::data("bad")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert_eq!(
            error.report(),
            "Tolerance exceeded in error handler: the value of the record at offset 100 of test-topic-5: bad"
        );
        assert_eq!(count(&metrics, &RECORD_ERRORS, Stage::ValueConverter), 1);
        assert_eq!(count(&metrics, &RECORDS_SKIPPED, Stage::ValueConverter), 0);
    }

    #[test]
    fn r3_a_retriable_failure_without_time_to_retry_is_skipped_only_where_all_is_tolerated() {
        let (metrics, error) = (Metrics::default(), Error::retriable("registry is down"));
        assert_eq!(failed(&handler(&tolerant(), &metrics), Stage::ValueConverter, &error).unwrap(), Verdict::Skip);
        let error = failed(&handler(&default_errors(), &metrics), Stage::ValueConverter, &error).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fatal);
        let expected =
            "Tolerance exceeded in error handler: the value of the record at offset 100 of test-topic-5: registry is down";
        assert_eq!(error.report(), expected);
    }

    #[test]
    fn r15_attempts_retries_errors_and_skips_are_counted_apart() {
        let metrics = Metrics::default();
        let config = ErrorsConfig { retry_timeout: None, ..tolerant() };
        let handler = handler(&config, &metrics);
        let retriable = Error::retriable("not yet");
        let first = Verdict::RetryAfter(Duration::from_millis(300));
        assert_eq!(failed(&handler, Stage::Transformation, &retriable).unwrap(), first);
        let second = Verdict::RetryAfter(Duration::from_millis(600));
        assert_eq!(failed(&handler, Stage::Transformation, &retriable).unwrap(), second);
        assert_eq!(failed(&handler, Stage::Transformation, &Error::data("bad")).unwrap(), Verdict::Skip);
        handler.forget_retries();
        assert_eq!(failed(&handler, Stage::Transformation, &retriable).unwrap(), first);
        let counts = [&RECORD_FAILURES, &RECORD_RETRIES, &RECORD_ERRORS, &RECORDS_SKIPPED]
            .map(|d| count(&metrics, d, Stage::Transformation));
        assert_eq!(counts, [4, 3, 1, 1]);
    }

    #[test]
    fn a_bug_ends_the_task_even_where_all_is_tolerated() {
        let error = failed(&handler(&tolerant(), &Metrics::default()), Stage::Transformation, &Error::fatal("bug")).unwrap_err();
        assert_eq!(error.report(), "Unhandled exception in error handler: bug");
    }

    #[test]
    fn d2_only_what_is_logged_is_counted_as_logged() {
        for (log_enable, expected) in [(false, 0), (true, 1)] {
            let metrics = Metrics::default();
            let config = ErrorsConfig { log_enable, ..tolerant() };
            failed(&handler(&config, &metrics), Stage::KeyConverter, &Error::data("bad")).unwrap();
            assert_eq!(count(&metrics, &ERRORS_LOGGED, Stage::KeyConverter), expected);
        }
    }

    #[test]
    fn d3_d4_the_log_line_is_kafka_connects() {
        let (topic_partition, error) = (TopicPartition::new("test-topic", 5), Error::data("bad"));
        let mut record = ConsumerRecord { offset: 100, timestamp: -1, ..ConsumerRecord::default() };
        let line = |record: &ConsumerRecord, named| {
            let failure =
                Failure { stage: Stage::KeyConverter, class: CONVERTER, error: &error, topic_partition: &topic_partition, record };
            log_line("job", 0, &failure, named)
        };
        let start = format!("Error encountered in task job-0. Executing stage 'KEY_CONVERTER' with class '{CONVERTER}'");
        let origin = "where consumed record is {topic='test-topic', partition=5, offset=100";
        assert_eq!(line(&record, RecordInLog::LeftOut), format!("{start}."));
        assert_eq!(line(&record, RecordInLog::Named), format!("{start}, {origin}}}."));
        (record.timestamp, record.timestamp_type) = (1_500_000_000_000, TimestampType::CreateTime);
        let timestamp = "timestamp=1500000000000, timestampType=CreateTime";
        assert_eq!(line(&record, RecordInLog::Named), format!("{start}, {origin}, {timestamp}}}."));
    }

    fn delivered() -> SinkRecord {
        let record = ConsumerRecord { offset: 7, ..ConsumerRecord::default() };
        let batch = ConsumerRecords { topic_partition: TopicPartition::new("test-topic", 0), records: vec![record] };
        SinkRecord::new(Origin::new(Arc::new(batch), 0), Data::default(), Data::default(), Vec::new())
    }

    #[test]
    fn r14_a_reported_record_ends_the_task_only_where_nothing_is_tolerated_even_if_the_task_hides_it() {
        let metrics = Metrics::default();
        let tolerant = handler(&tolerant(), &metrics);
        tolerant.report(&delivered(), &Error::data("bad")).unwrap();
        tolerant.check_reports().unwrap();
        assert_eq!(count(&metrics, &RECORD_FAILURES, Stage::TaskPut), 1);
        assert_eq!(count(&metrics, &RECORD_ERRORS, Stage::TaskPut), 0);

        let strict = handler(&default_errors(), &metrics);
        let error = strict.report(&delivered(), &Error::data("bad")).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Data, "Tolerance exceeded in error handler"));
        assert!(strict.check_reports().is_err());
    }

    #[test]
    fn d12_without_log_and_dead_letter_queue_there_is_no_reporter() {
        let metrics = Metrics::default();
        assert!(handler(&tolerant(), &metrics).errant_record_reporter().is_none());
        let logging = ErrorsConfig { log_enable: true, ..tolerant() };
        assert!(handler(&logging, &metrics).errant_record_reporter().is_some());
    }
}
