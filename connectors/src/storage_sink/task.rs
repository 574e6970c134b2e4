//! The sink task: hands records to the writers of their partitions, and the writers' durable offsets to the runtime.

use std::{collections::HashMap, sync::Arc, time::Duration};

use connect_api::{
    CommitReason, Error, ErrorKind, Offsets, Result, SinkRecord, SinkTask, SinkTaskContext, Storage, TopicPartition, async_trait,
};
use futures_util::future::try_join_all;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, timeout_at},
};

use tracing::{error, warn};

use super::{
    config::{NullValues, StorageSinkConfig},
    metrics::{DURABLE_OFFSET, TaskMetrics},
    opening::open,
    topic_partition_writer::{Shared, TopicPartitionWriter},
    uploads::{News, Notice, Uploads, WriterId},
};
use crate::storage::Metered;

/// How long uploads that are under way may take when their partitions are closed. What does not end by then is adopted by the next owner.
const PATIENCE_ON_CLOSE: Duration = Duration::from_secs(3);

/// Writes the records of its partitions into objects of a [`Storage`].
pub(crate) struct StorageSinkTask {
    config: Arc<StorageSinkConfig>,
    storage: Arc<dyn Storage>,
    permits: Arc<Semaphore>,
    clock: Clock,
    started: Option<Started>,
}

/// Milliseconds since 1970; read once per `put`.
type Clock = fn() -> i64;

struct Started {
    shared: Arc<Shared>,
    notices: mpsc::UnboundedReceiver<Notice>,
    writers: HashMap<TopicPartition, TopicPartitionWriter>,
    /// Whose notices concern anybody.
    by_id: HashMap<WriterId, TopicPartition>,
    /// Whose upload has failed for good, so that the task cannot go on, until `put` says so.
    failed: HashMap<TopicPartition, Error>,
}

impl StorageSinkTask {
    /// `permits` bounds the requests of all tasks that share it.
    pub(crate) fn new(config: Arc<StorageSinkConfig>, storage: Arc<dyn Storage>, permits: Arc<Semaphore>) -> Self {
        Self { config, storage, permits, clock: || jiff::Timestamp::now().as_millisecond(), started: None }
    }

    #[cfg(test)]
    pub(super) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    fn started(&mut self) -> Result<&mut Started> {
        self.started.as_mut().ok_or_else(|| Error::fatal("the task was not started"))
    }
}

#[async_trait]
impl SinkTask for StorageSinkTask {
    async fn start(&mut self, context: SinkTaskContext) -> Result<()> {
        let storage: Arc<dyn Storage> = Arc::new(Metered::new(Arc::clone(&self.storage), &context.metrics, &context.connector));
        storage.check().await?;
        let limits = self.storage.limits();
        if !limits.is_empty() && context.task == 0 {
            warn!(connector = %context.connector, "this store has limits: {limits}");
        }
        let (uploads, notices) = Uploads::new(
            storage,
            Arc::clone(&self.permits),
            context.clone(),
            self.config.max_backoff,
            self.config.uploads_in_flight,
        );
        let metrics = TaskMetrics::new(&context);
        let shared = Arc::new(Shared { config: Arc::clone(&self.config), uploads, context, metrics });
        self.started = Some(Started { shared, notices, writers: HashMap::new(), by_id: HashMap::new(), failed: HashMap::new() });
        Ok(())
    }

    async fn open(&mut self, partitions: &Offsets) -> Result<()> {
        let now = (self.clock)();
        let started = self.started()?;
        let opening =
            partitions.iter().map(|(topic_partition, position)| open(&started.shared, topic_partition, position, None, now));
        for writer in try_join_all(opening).await? {
            started.insert(writer);
        }
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let now = (self.clock)();
        let started = self.started()?;
        started.check_null_values(records)?;
        started.settle();
        if let Some((_, error)) = started.failed.drain().next() {
            return Err(error);
        }
        for writer in started.writers.values_mut() {
            writer.tick(now)?;
        }
        for run in records.chunk_by(|a, b| a.partition == b.partition && Arc::ptr_eq(&a.topic, &b.topic)) {
            started.append(run, now)?;
        }
        started.shared.metrics.records.inc_by(records.len() as u64);
        started.reopen(now).await
    }

    async fn pre_commit(&mut self, delivered: &Offsets, reason: CommitReason) -> Result<Offsets> {
        let started = self.started()?;
        let closing = reason == CommitReason::Closing;
        if closing {
            started.wait_for_uploads(delivered).await;
        }
        // What has failed is `put`'s to say: an error here would only have everything read again.
        started.settle();
        let shared = Arc::clone(&started.shared);
        let mut offsets = Offsets::new();
        for (topic_partition, position) in delivered {
            let Some(writer) = started.writers.get_mut(topic_partition) else { continue };
            offsets.insert(topic_partition.clone(), writer.pre_commit(position.offset, closing));
            let labels = [&shared.context.connector, &topic_partition.topic, &*topic_partition.partition.to_string()];
            shared.context.metrics.gauge(&DURABLE_OFFSET, &labels).set(writer.durable());
        }
        Ok(offsets)
    }

    fn committed(&mut self, offsets: &Offsets) {
        let Some(started) = &mut self.started else { return };
        for (topic_partition, committed) in offsets {
            if let Some(writer) = started.writers.get_mut(topic_partition) {
                writer.committed(committed);
            }
        }
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let started = self.started()?;
        for topic_partition in partitions {
            if let Some(writer) = started.writers.remove(topic_partition) {
                started.by_id.remove(&writer.id);
            }
            let labels = [&started.shared.context.connector, &topic_partition.topic, &*topic_partition.partition.to_string()];
            started.shared.context.metrics.remove(&DURABLE_OFFSET, &labels);
        }
        for (_, error) in started.failed.extract_if(|owner, _| partitions.contains(owner)) {
            error!(error = error.report(), "an upload failed whose partition has been closed since; the next owner repeats it");
        }
        if started.writers.is_empty() {
            started.shared.uploads.forget_trouble();
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        self.started = None;
        Ok(())
    }
}

impl Started {
    fn insert(&mut self, writer: TopicPartitionWriter) {
        self.by_id.insert(writer.id, writer.topic_partition.clone());
        if let Some(before) = self.writers.insert(writer.topic_partition.clone(), writer) {
            self.by_id.remove(&before.id);
        }
    }

    /// Takes in what uploads have to tell.
    fn settle(&mut self) {
        while let Ok(notice) = self.notices.try_recv() {
            self.take(notice);
        }
    }

    fn take(&mut self, Notice { writer, news }: Notice) {
        // Uploads of an assignment that is over change nothing but the bucket.
        let Some(writer) = self.by_id.get(&writer).and_then(|owned| self.writers.get_mut(owned)) else { return };
        match news {
            News::Durable(cut) => writer.file_is_durable(cut),
            News::CutOtherwise { key } => writer.cut_otherwise(&key),
            News::ProofWanted(proven) => writer.proof_wanted(proven),
            News::Failed(error) => {
                writer.upload_failed();
                self.failed.entry(writer.topic_partition.clone()).or_insert(error);
            }
        }
    }

    /// As on the JVM: nothing of a list is written before all of its null values have been seen.
    fn check_null_values(&self, records: &[SinkRecord]) -> Result<()> {
        let reports = self.shared.config.report_nulls;
        let reporter = self.shared.context.errant_record_reporter().filter(|_| reports);
        let mut null_values = records.iter().filter(|record| record.is_tombstone());
        match (self.shared.config.null_values, reporter) {
            (NullValues::Fail, _) => null_values.next().map_or(Ok(()), |record| Err(null_value(record))),
            (NullValues::Ignore, Some(reporter)) => {
                let skipped = Error::data("Skipping null value record.");
                null_values.try_for_each(|record| reporter.report(record, &skipped))
            }
            (NullValues::Ignore, None) | (NullValues::Write, _) => Ok(()),
        }
    }

    fn append(&mut self, run: &[SinkRecord], now: i64) -> Result<()> {
        let Some(first) = run.first() else { return Ok(()) };
        let topic_partition = TopicPartition { topic: Arc::clone(&first.topic), partition: first.partition };
        let Some(writer) = self.writers.get_mut(&topic_partition) else { return Err(self.unassigned(&topic_partition)) };
        for record in run {
            writer.append(record, now)?;
        }
        writer.send_parts();
        Ok(())
    }

    fn unassigned(&self, topic_partition: &TopicPartition) -> Error {
        let mut assigned: Vec<_> = self.writers.keys().map(ToString::to_string).collect();
        assigned.sort_unstable();
        let assigned = assigned.join(", ");
        let hint = "a transform that changes a record's topic or partition cannot be used with this sink";
        Error::data(format!("{topic_partition} is not assigned to this task, which has {assigned}: {hint}"))
            .with_class("org.apache.kafka.connect.errors.ConnectException")
    }

    /// Begins partitions anew that must. What the store does not answer is asked again at the next call: the records of this one are accepted.
    async fn reopen(&mut self, now: i64) -> Result<()> {
        let due: Vec<_> = self
            .writers
            .iter_mut()
            .filter_map(|(topic_partition, writer)| Some((topic_partition.clone(), writer.must_reopen()?)))
            .collect();
        for (topic_partition, reopen) in due {
            let Some(writer) = self.writers.get(&topic_partition) else { continue };
            let position = writer.position(reopen);
            match open(&self.shared, &topic_partition, &position, Some(reopen), now).await {
                Ok(writer) => {
                    self.shared.context.offset(topic_partition.clone(), position.offset);
                    self.insert(writer);
                }
                Err(error) if error.kind() == ErrorKind::Retriable => {
                    warn!(%topic_partition, error = error.report(), "the bucket could not be looked at, retrying");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn wait_for_uploads(&mut self, closing: &Offsets) {
        let deadline = Instant::now() + PATIENCE_ON_CLOSE;
        while closing
            .keys()
            .any(|topic_partition| self.writers.get(topic_partition).is_some_and(TopicPartitionWriter::is_uploading))
        {
            let Ok(Some(notice)) = timeout_at(deadline, self.notices.recv()).await else { return };
            self.take(notice);
        }
    }
}

/// The error of `behavior.on.null.values=fail`.
fn null_value(record: &SinkRecord) -> Error {
    let origin = record.origin().topic_partition();
    let place = format!("topic='{}', partition={}, offset={}", origin.topic, origin.partition, record.offset());
    Error::data(format!("Null valued records are not writeable with current behavior.on.null.values 'fail': {{{place}}}"))
        .with_class("org.apache.kafka.connect.errors.ConnectException")
}
