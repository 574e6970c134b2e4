//! The contract between the runtime and what writes records somewhere.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{Budget, Error, Metrics, Offsets, Result, SinkRecord, TopicPartition};

/// Bytes of metadata beside an offset that a broker takes with its default settings (`offset.metadata.max.bytes` is 4,096, and it counts one more).
pub const METADATA_LIMIT: usize = 4_095;

/// Why offsets are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitReason {
    /// `offset.flush.interval.ms` has passed, or the task asked for a commit.
    Due,
    /// The partitions are about to be closed; this is the last commit of them that this task gets.
    Closing,
}

/// Writes records of the partitions it is given, and says which of them are durable.
///
/// One task is never called twice at the same time. The calls come in this order, as in Kafka Connect (`SinkTask`):
/// `start`; then any number of `open`, `put`, `pre_commit`, `committed`, `close`; at last `stop`, also after a failure.
#[async_trait]
pub trait SinkTask: Send {
    /// Prepares for work. No partition is assigned yet.
    ///
    /// # Errors
    /// `Config` or `Fatal` fail the task; `Retriable` is tried again.
    async fn start(&mut self, context: SinkTaskContext) -> Result<()>;

    /// Takes partitions: each with the offset of its next record and the metadata that was committed with it. Called before any
    /// record of them, and not with an empty map.
    ///
    /// # Errors
    /// `Retriable` is tried again before anything else happens; other kinds fail the task.
    async fn open(&mut self, partitions: &Offsets) -> Result<()>;

    /// Accepts records; they need not be durable on return, and it should return before they are.
    ///
    /// Records of one partition are consecutive within `records` and in the order of their offsets. It is called with an empty
    /// list several times a second while nothing is read: the only clock a task needs.
    ///
    /// # Errors
    /// `Retriable`: the same call comes again after [`SinkTaskContext::timeout`] with the records that were not accepted, which
    /// must be all of them: the list is kept by the runtime. Every other kind fails the task; a task that can name the bad record
    /// reports it ([`SinkTaskContext::errant_record_reporter`]) and goes on.
    async fn put(&mut self, records: &[SinkRecord]) -> Result<()>;

    /// The offsets to commit now, with the metadata to store beside them: everything before them is durable.
    ///
    /// `delivered` holds the offset after the last record read of each partition concerned, dropped and filtered records included. Partitions that are
    /// left out keep what was committed. An offset beyond `delivered` is refused.
    ///
    /// # Errors
    /// Any error: the partitions are read again from what was committed last.
    async fn pre_commit(&mut self, delivered: &Offsets, reason: CommitReason) -> Result<Offsets>;

    /// Everything before these offsets is durable, of the partitions among `delivered` of which it is known. Only shown: it is asked once a second,
    /// between commits, and changes nothing. What is not said stays as `pre_commit` said it last.
    fn durable(&mut self, _delivered: &Offsets) -> Offsets {
        Offsets::new()
    }

    /// These offsets and metadata have been committed: whoever owns the partitions next will be given them.
    fn committed(&mut self, _offsets: &Offsets) {}

    /// The log of these partitions has begun anew (the topic was deleted and made again, or the log was cut off below what was read): other records
    /// follow, under offsets that may have been used before. Each comes with the offset of its next record and without metadata. Records of the old log
    /// that were accepted cannot be read again. Called before any record of the new log.
    ///
    /// # Errors
    /// Any error fails the task.
    async fn recreated(&mut self, partitions: &Offsets) -> Result<()> {
        let gone: Vec<_> = partitions.keys().cloned().collect();
        self.close(&gone).await?;
        self.open(partitions).await
    }

    /// The topic of these partitions has been deleted, and they are about to be closed: records that were accepted and are not durable when
    /// [`SinkTask::pre_commit`] returns are lost. It is called seldom without need, too: the brokers may be wrong.
    ///
    /// # Errors
    /// Any error is logged.
    async fn deleted(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// These partitions, and only these, are no longer ours. Nothing about them may be written any more.
    ///
    /// # Errors
    /// Any error fails the task.
    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()>;

    /// Releases what is left.
    ///
    /// # Errors
    /// Any error is logged.
    async fn stop(&mut self) -> Result<()>;
}

/// What the runtime does for a task. Cloned freely; requests are carried out before the next `put`.
#[derive(Clone)]
pub struct SinkTaskContext {
    /// The connector's name.
    pub connector: Arc<str>,
    /// The task's number, from 0.
    pub task: usize,
    /// The process's memory budget: whatever is kept until it is durable is reserved here.
    pub budget: Budget,
    /// Where the task's metrics are counted.
    pub metrics: Metrics,
    host: Arc<dyn SinkTaskHost>,
}

impl SinkTaskContext {
    /// A context whose requests go to `host`.
    pub fn new(connector: Arc<str>, task: usize, budget: Budget, metrics: Metrics, host: Arc<dyn SinkTaskHost>) -> Self {
        Self { connector, task, budget, metrics, host }
    }

    /// Asks for a commit as soon as possible instead of at the next interval. Also wakes the task, so that `put` follows.
    pub fn request_commit(&self) {
        self.host.request_commit();
    }

    /// Asks for `put` to be called soon, with or without records.
    pub fn wake(&self) {
        self.host.wake();
    }

    /// Asks for the partition to be read from this offset on.
    pub fn offset(&self, topic_partition: TopicPartition, offset: i64) {
        self.host.offset(topic_partition, offset);
    }

    /// Asks for nothing to be read from these partitions until [`SinkTaskContext::resume`]; they stay assigned, and nothing of them comes with later calls
    /// of `put`. What is fetched ahead is thrown away and read again: for seldom use. An assignment that ends, and comes again, is not paused.
    pub fn pause(&self, topic_partitions: &[TopicPartition]) {
        self.host.pause(topic_partitions);
    }

    /// Takes [`SinkTaskContext::pause`] back.
    pub fn resume(&self, topic_partitions: &[TopicPartition]) {
        self.host.resume(topic_partitions);
    }

    /// What tells a topic from an earlier one of the same name (KIP-516), in Kafka's spelling; `None` where the brokers do not say. It does not change
    /// between `open` or [`SinkTask::recreated`] and the end of the assignment.
    pub fn topic_id(&self, topic: &str) -> Option<Arc<str>> {
        self.host.topic_id(topic)
    }

    /// Says that the position at which a partition was opened is one of the topic with this id, where [`SinkTaskContext::topic_id`] says another one or
    /// none: what is known of a topic may be out of date. Nothing of the partition comes before the brokers have been asked; where the topic is another
    /// one, [`SinkTask::recreated`] follows.
    pub fn expect_topic(&self, topic_partition: TopicPartition, topic_id: Arc<str>) {
        self.host.expect_topic(topic_partition, topic_id);
    }

    /// Bytes of metadata that the brokers take beside an offset: [`METADATA_LIMIT`], or less where they have refused that.
    pub fn metadata_limit(&self) -> usize {
        self.host.metadata_limit()
    }

    /// How long to wait before the next call, where this one is about to fail with a retriable error. Holds for one call.
    pub fn timeout(&self, timeout: Duration) {
        self.host.timeout(timeout);
    }

    /// Where records that can never be written are reported; `None` where neither a dead letter queue nor error logging is set up.
    pub fn errant_record_reporter(&self) -> Option<&dyn ErrantRecordReporter> {
        self.host.errant_record_reporter()
    }

    /// Says that `what` (a fixed word such as `storage`) fails, and how; `None` once it works again. Readiness shows it, with the time
    /// since when it holds. The text never holds a secret.
    pub fn report_problem(&self, what: &'static str, problem: Option<String>) {
        self.host.report_problem(what, problem);
    }

    /// Runs a future beside the task. It is dropped when the runtime stops; a task that needs its result waits for it.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.host.spawn(Box::pin(future));
    }
}

impl fmt::Debug for SinkTaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// The runtime's side of a [`SinkTaskContext`].
pub trait SinkTaskHost: Send + Sync {
    /// See [`SinkTaskContext::request_commit`].
    fn request_commit(&self);
    /// See [`SinkTaskContext::wake`].
    fn wake(&self);
    /// See [`SinkTaskContext::offset`].
    fn offset(&self, topic_partition: TopicPartition, offset: i64);
    /// See [`SinkTaskContext::pause`]. A host that does not read has nothing to pause.
    fn pause(&self, _topic_partitions: &[TopicPartition]) {}
    /// See [`SinkTaskContext::resume`].
    fn resume(&self, _topic_partitions: &[TopicPartition]) {}
    /// See [`SinkTaskContext::topic_id`].
    fn topic_id(&self, _topic: &str) -> Option<Arc<str>> {
        None
    }
    /// See [`SinkTaskContext::expect_topic`]. A host that does not read has nothing to compare.
    fn expect_topic(&self, _topic_partition: TopicPartition, _topic_id: Arc<str>) {}
    /// See [`SinkTaskContext::metadata_limit`].
    fn metadata_limit(&self) -> usize {
        METADATA_LIMIT
    }
    /// See [`SinkTaskContext::timeout`].
    fn timeout(&self, timeout: Duration);
    /// See [`SinkTaskContext::errant_record_reporter`].
    fn errant_record_reporter(&self) -> Option<&dyn ErrantRecordReporter>;
    /// See [`SinkTaskContext::report_problem`]. A host without readiness has nothing to show.
    fn report_problem(&self, _what: &'static str, _problem: Option<String>) {}
    /// See [`SinkTaskContext::spawn`].
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>);
}

/// Takes records that a task cannot write (Kafka Connect's `ErrantRecordReporter`, KIP-610).
pub trait ErrantRecordReporter: Send + Sync {
    /// Reports the record, as it was consumed, to the dead letter queue and the log. Offsets of its partition are not committed
    /// before the report is safe.
    ///
    /// # Errors
    /// `Data` where `errors.tolerance` is `none`: the task must let it pass and fail.
    fn report(&self, record: &SinkRecord, error: &Error) -> Result<()>;
}
