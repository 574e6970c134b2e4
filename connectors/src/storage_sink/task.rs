//! The sink task: hands records to the writers of their partitions, and the writers' durable offsets to the runtime.

mod surveying;

use std::{collections::HashMap, sync::Arc, time::Duration};

use connect_api::{
    CommitReason, Error, OffsetAndMetadata, Offsets, Result, SinkRecord, SinkTask, SinkTaskContext, Storage, TopicPartition,
    async_trait,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tracing::{error, warn};

use super::{
    config::StorageSinkConfig,
    doubted::Doubted,
    inferred::InferredSchemas,
    lease::Clock,
    metrics::{DURABLE_OFFSET, TaskMetrics},
    null_values,
    opening::{Why, owner},
    openings::Openings,
    spilling::Spilling,
    survey::Surveys,
    topic_partition_writer::{Shared, TopicPartitionWriter},
    uploads::{News, Notice, Permits, Uploads},
    writer_state::WriterId,
};
use crate::storage::Metered;

/// How long uploads that are under way may take when their partitions are closed. What does not end by then is adopted by the next owner.
const PATIENCE_ON_CLOSE: Duration = Duration::from_secs(3);

/// Writes the records of its partitions into objects of a [`Storage`].
pub(crate) struct StorageSinkTask {
    config: Arc<StorageSinkConfig>,
    storage: Arc<dyn Storage>,
    permits: Permits,
    /// Read once per `put`.
    clock: Clock,
    started: Option<Started>,
}

struct Started {
    shared: Arc<Shared>,
    notices: mpsc::UnboundedReceiver<Notice>,
    writers: HashMap<TopicPartition, TopicPartitionWriter>,
    /// Partitions that begin when the bucket has been looked at.
    openings: Openings,
    /// Partitions whose journal is about another topic than is known.
    doubted: Doubted,
    /// Of topics with plain JSON.
    schemas: InferredSchemas,
    /// Writers whose log is gone, until their last objects are durable.
    ending: HashMap<WriterId, TopicPartitionWriter>,
    /// Whose notices concern anybody.
    by_id: HashMap<WriterId, TopicPartition>,
    /// Whose upload has failed for good, so that the task cannot go on, until `put` says so.
    failed: HashMap<TopicPartition, Error>,
    /// Memory was tight when last looked at.
    is_tight: bool,
    spilling: Spilling,
}

impl StorageSinkTask {
    /// `permits` bounds the requests of all tasks that share it.
    pub(crate) fn new(config: Arc<StorageSinkConfig>, storage: Arc<dyn Storage>, permits: Permits) -> Self {
        Self { config, storage, permits, clock: || jiff::Timestamp::now().as_millisecond(), started: None }
    }

    #[cfg(test)]
    pub(super) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    #[cfg(test)]
    pub(super) fn state(&self) -> String {
        let Some(started) = &self.started else { return "not started".to_owned() };
        let writers = started.writers.values().map(TopicPartitionWriter::describe);
        format!("{:?} ending={} {}", writers.collect::<Vec<_>>(), started.ending.len(), started.shared.uploads.describe())
    }

    fn started(&mut self) -> Result<&mut Started> {
        self.started.as_mut().ok_or_else(|| Error::fatal("the task was not started"))
    }
}

#[async_trait]
impl SinkTask for StorageSinkTask {
    async fn start(&mut self, context: SinkTaskContext) -> Result<()> {
        let storage: Arc<dyn Storage> = Arc::new(Metered::new(Arc::clone(&self.storage), &context.metrics, &context.connector));
        context.report_problem("storage", Some("the store has not answered yet whether it can be used".to_owned()));
        storage.check().await?;
        context.report_problem("storage", None);
        let limits = self.storage.limits();
        if !limits.is_empty() && context.task == 0 {
            warn!(connector = %context.connector, "this store has limits: {limits}");
        }
        let (uploads, notices) = Uploads::new(
            storage,
            self.permits.clone(),
            context.clone(),
            self.config.max_backoff,
            self.config.uploads_in_flight,
            self.clock,
        );
        let (surveys, surveyed) = Surveys::new(Arc::clone(&uploads));
        let (metrics, owner) = (TaskMetrics::new(&context), owner(&context.connector));
        self.config.spill.begin(metrics.spilled.clone(), &context.budget)?;
        let openings = Openings::new(surveys, surveyed);
        let shared = Arc::new(Shared { config: Arc::clone(&self.config), uploads, context, metrics, owner });
        self.started = Some(Started {
            shared,
            notices,
            writers: HashMap::new(),
            openings,
            doubted: Doubted::default(),
            schemas: InferredSchemas::new(),
            ending: HashMap::new(),
            by_id: HashMap::new(),
            failed: HashMap::new(),
            is_tight: false,
            spilling: Spilling::default(),
        });
        Ok(())
    }

    async fn open(&mut self, partitions: &Offsets) -> Result<()> {
        let now = (self.clock)();
        let started = self.started()?;
        started.doubted.expect(&started.shared, partitions)?;
        started.assign(partitions, now).await
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let now = (self.clock)();
        let started = self.started()?;
        if let Err(error) = started.schemas.prepare(&started.shared, records).await {
            // Nothing of the list is touched, and everything else goes on.
            started.turn(now)?;
            return Err(error);
        }
        null_values::check(&started.shared, records)?;
        started.turn(now)?;
        for run in records.chunk_by(|a, b| a.origin().is_of_same_batch(b.origin())) {
            started.append(run, now)?;
        }
        started.shared.metrics.records.inc_by(records.len() as u64);
        started.spilling.make_room(&started.shared, started.writers.values_mut());
        started.survey_again(now)
    }

    async fn pre_commit(&mut self, delivered: &Offsets, reason: CommitReason) -> Result<Offsets> {
        let clock = self.clock;
        let started = self.started()?;
        let closing = reason == CommitReason::Closing;
        if closing {
            started.wait_for_uploads(delivered).await;
        }
        // What has failed is `put`'s to say: an error here would only have everything read again.
        started.settle();
        let shared = Arc::clone(&started.shared);
        let life = i64::try_from(shared.uploads.storage().request_life().as_secs()).unwrap_or(i64::MAX);
        // Requests have begun until now; what is left of a second counts as one.
        let closing = closing.then(|| (clock() / 1_000 + 1).saturating_add(life));
        let mut offsets = Offsets::new();
        for (topic_partition, position) in delivered {
            let Some(writer) = started.writers.get_mut(topic_partition) else { continue };
            offsets.insert(topic_partition.clone(), writer.pre_commit(position.offset, closing));
            shared.show_durable(topic_partition, writer.durable());
        }
        Ok(offsets)
    }

    fn durable(&mut self, delivered: &Offsets) -> Offsets {
        let Some(started) = &mut self.started else { return Offsets::new() };
        let mut durable = Offsets::new();
        for (topic_partition, position) in delivered {
            let Some(writer) = started.writers.get(topic_partition) else { continue };
            let offset = writer.durable_of(position.offset);
            started.shared.show_durable(topic_partition, offset);
            durable.insert(topic_partition.clone(), OffsetAndMetadata::new(offset, ""));
        }
        durable
    }

    fn committed(&mut self, offsets: &Offsets) {
        let Some(started) = &mut self.started else { return };
        for (topic_partition, committed) in offsets {
            if let Some(writer) = started.writers.get_mut(topic_partition) {
                writer.committed(committed);
            }
        }
    }

    async fn recreated(&mut self, partitions: &Offsets) -> Result<()> {
        let now = (self.clock)();
        let started = self.started()?;
        let (mut left, mut recreated, mut cut_off) = (Offsets::new(), Offsets::new(), Offsets::new());
        for (topic_partition, position) in partitions {
            if let Some(position) = started.doubted.goes_back(&started.shared, topic_partition) {
                left.insert(topic_partition.clone(), position);
            } else {
                let is_other = started.is_another_topic(topic_partition);
                if is_other {
                    started.schemas.forget(&started.shared, &topic_partition.topic);
                }
                if is_other { &mut recreated } else { &mut cut_off }.insert(topic_partition.clone(), position.clone());
            }
            if let Some(mut writer) = started.writers.remove(topic_partition) {
                writer.end_log()?;
                if writer.is_uploading() {
                    started.ending.insert(writer.state.id, writer);
                } else {
                    started.by_id.remove(&writer.state.id);
                }
            }
        }
        // Whatever the old log waited for, the new one does not.
        let resumed: Vec<_> = partitions.keys().cloned().collect();
        started.shared.context.resume(&resumed);
        for (partitions, why) in [(recreated, Why::Recreated), (cut_off, Why::CutOff)] {
            let writers = started.openings.open(&started.shared, &partitions, why, now)?;
            writers.into_iter().for_each(|writer| started.insert(writer));
        }
        if left.is_empty() { Ok(()) } else { started.assign(&left, now).await }
    }

    async fn deleted(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let started = self.started()?;
        for topic_partition in partitions {
            if let Some(writer) = started.writers.get_mut(topic_partition) {
                writer.cut_all()?;
            }
        }
        Ok(())
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let started = self.started()?;
        started.openings.close(partitions);
        for topic_partition in partitions {
            started.doubted.settle(topic_partition);
            if let Some(writer) = started.writers.remove(topic_partition) {
                started.by_id.remove(&writer.state.id);
            }
            let labels = [&started.shared.context.connector, &topic_partition.topic, &*topic_partition.partition.to_string()];
            started.shared.context.metrics.remove(&DURABLE_OFFSET, &labels);
        }
        for (id, _) in started.ending.extract_if(|_, writer| partitions.contains(&writer.topic_partition)) {
            started.by_id.remove(&id);
        }
        for (_, error) in started.failed.extract_if(|owner, _| partitions.contains(owner)) {
            error!(error = error.report(), "an upload failed whose partition has been closed since; the next owner repeats it");
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        self.started = None;
        Ok(())
    }
}

impl Started {
    /// What is done at each call, with or without records.
    fn turn(&mut self, now: i64) -> Result<()> {
        self.settle();
        self.begin_what_was_surveyed(now)?;
        if let Some((_, error)) = self.failed.drain().next() {
            return Err(error);
        }
        let was_tight = std::mem::replace(&mut self.is_tight, self.shared.context.budget.is_tight());
        let partitions = self.writers.len();
        for writer in self.writers.values_mut() {
            writer.tick(now)?;
            writer.balance(partitions);
            if self.is_tight && !was_tight {
                writer.send_parts_of_all()?;
            }
        }
        Ok(())
    }

    /// Takes in what uploads have to tell. The loop turns: who was frozen must show that its partitions are still its own.
    fn settle(&mut self) {
        if !self.shared.uploads.lease.renew() {
            warn!(
                "this process stood still for a while: nothing is sent before a commit has shown which partitions are still its own"
            );
            self.writers.values_mut().for_each(TopicPartitionWriter::doubt);
            self.openings.doubt(|_| true);
        }
        while let Ok(notice) = self.notices.try_recv() {
            self.take(notice);
        }
    }

    fn take(&mut self, Notice { writer: id, news }: Notice) {
        let writer = match self.ending.get_mut(&id) {
            Some(ending) => ending,
            // Uploads of an assignment that is over change nothing but the bucket.
            None => {
                match self.by_id.get(&id).and_then(|owned| self.writers.get_mut(owned)).filter(|writer| writer.state.id == id) {
                    Some(writer) => writer,
                    None => return,
                }
            }
        };
        match news {
            News::Durable(cut) => writer.file_is_durable(cut),
            News::CutOtherwise { key, there } => writer.cut_otherwise(key, *there),
            News::ProofWanted(proven) => writer.proof_wanted(proven),
            News::Failed(error) => {
                writer.upload_failed();
                self.failed.entry(writer.topic_partition.clone()).or_insert(error);
            }
        }
        if self.ending.get(&id).is_some_and(|ending| !ending.is_uploading()) {
            self.ending.remove(&id);
            self.by_id.remove(&id);
        }
    }

    fn append(&mut self, run: &[SinkRecord], now: i64) -> Result<()> {
        let Some(first) = run.first() else { return Ok(()) };
        let topic_partition = first.origin().topic_partition();
        self.doubted.settle(topic_partition);
        let Some(writer) = self.writers.get_mut(topic_partition) else {
            return if self.openings.miss(topic_partition) { Ok(()) } else { Err(self.unassigned(topic_partition)) };
        };
        if self.shared.config.inferring.is_some() {
            writer.inferred = self.schemas.of(&topic_partition.topic).cloned();
        }
        for record in run {
            writer.append(record, now)?;
        }
        writer.send_parts()
    }

    fn unassigned(&self, topic_partition: &TopicPartition) -> Error {
        let mut assigned: Vec<_> = self.writers.keys().map(ToString::to_string).collect();
        assigned.sort_unstable();
        Error::fatal(format!("{topic_partition} is not assigned to this task, which has {}", assigned.join(", ")))
    }

    async fn wait_for_uploads(&mut self, closing: &Offsets) {
        let deadline = Instant::now() + PATIENCE_ON_CLOSE;
        while self.is_uploading(closing) {
            let Ok(Some(notice)) = timeout_at(deadline, self.notices.recv()).await else { return };
            self.take(notice);
        }
    }

    fn is_uploading(&self, closing: &Offsets) -> bool {
        let current = closing.keys().filter_map(|topic_partition| self.writers.get(topic_partition));
        let ending = self.ending.values().filter(|writer| closing.contains_key(&writer.topic_partition));
        current.chain(ending).any(TopicPartitionWriter::is_uploading)
    }
}
