//! The data path of one task: the loop between its consumer and its sink task.
//!
//! One turn of the loop (an iteration of Kafka Connect's `WorkerSinkTask`): commit if due, wait for an event or a batch, carry out what the sink task asked for, convert and deliver. Nothing else calls the sink task, so it is never called
//! twice at the same time.

mod assignment;
mod commit;
mod context;
mod convert;
mod dead_letter_queue;
mod dead_letters;
mod deliver;
mod delivery;
mod explain;
mod fetching;
mod poll;
mod rebalance;
mod retry_policy;
mod tolerance;
mod transform;
mod turning;

use std::{sync::Arc, time::Duration};

use connect_api::{CommitReason, Error, Offsets, Result, SinkTask, TopicPartition};
use tokio::time::Instant;

use crate::{
    consumer::{Command, ConsumerHandle},
    metrics::TaskMetrics,
    rest::{TaskHealth, TaskLoop},
    shutdown::Stop,
};
use assignment::{Assignment, PausedBy};
use commit::{Commits, to_commit};
pub(crate) use context::Host;
pub(crate) use convert::{Convert, Progress};
use delivery::Delivery;
pub(crate) use tolerance::ErrorHandler;
use turning::shown_to_turn;

/// Between two looks at what is durable, for whoever looks at the metrics.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a commit waits for copies on their way to the dead letter queue.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);

/// How a task's loop is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskSettings {
    /// `offset.flush.interval.ms`
    pub(crate) flush_interval: Duration,
    /// `offset.flush.timeout.ms`
    pub(crate) flush_timeout: Duration,
    /// `task.shutdown.graceful.timeout.ms`: from being told to stop to the end.
    pub(crate) stop_within: Duration,
}

/// What a loop works with.
pub(crate) struct TaskParts {
    pub(crate) sink: Box<dyn SinkTask>,
    pub(crate) consumer: ConsumerHandle,
    pub(crate) convert: Convert,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) host: Arc<Host>,
    pub(crate) health: TaskHealth,
    pub(crate) metrics: Arc<TaskMetrics>,
}

/// The loop of one task.
pub(crate) struct SinkLoop {
    parts: TaskParts,
    settings: TaskSettings,
    assignment: Assignment,
    commits: Commits,
    delivery: Option<Delivery>,
    /// When the sink task is asked again to open partitions, after so many failures.
    reopen: Option<(Instant, u32)>,
    /// The sink task has asked for the batch again.
    retrying: bool,
    /// The consumer has ended by itself.
    consumer_is_gone: bool,
    /// When the sink task is asked next what is durable, to show it.
    next_look: Instant,
    /// What is wrong with the dead letter queue, as it is shown.
    dead_letters: Option<String>,
}

impl SinkLoop {
    /// A loop for a sink task that has been started.
    pub(crate) fn new(parts: TaskParts, settings: TaskSettings) -> Self {
        let commits = Commits::new(settings.flush_interval, settings.flush_timeout, Instant::now());
        Self {
            parts,
            settings,
            assignment: Assignment::default(),
            commits,
            delivery: None,
            reopen: None,
            retrying: false,
            consumer_is_gone: false,
            next_look: Instant::now() + LOOK_EVERY,
            dead_letters: None,
        }
    }

    /// Runs until `stop` or the first error that cannot be tried again; closes the partitions and stops the sink task either way.
    ///
    /// # Errors
    /// Why the loop ended, or, where it was told to stop, why the partitions could not be closed.
    pub(crate) async fn run(mut self, stop: &Stop) -> Result<()> {
        let ended = self.turn_until(stop).await;
        let closed = self.close(stop).await;
        match (ended, closed) {
            (Err(error), Err(second)) => {
                tracing::error!(error = second.report(), "closing a task that has failed failed too");
                Err(error)
            }
            (Err(error), Ok(())) => Err(error),
            (Ok(()), closed) => closed,
        }
    }

    async fn turn_until(&mut self, stop: &Stop) -> Result<()> {
        while !stop.is_cancelled() {
            self.parts.health.turned(TaskLoop::Delivery);
            let now = Instant::now();
            if self.commits.gives_up(now) {
                tracing::warn!(failures = self.commits.failures, timeout = ?self.settings.flush_timeout, "commit of offsets timed out");
                self.parts.metrics.commits_failed.inc();
                self.parts.health.set_problem("commit", Some("commit of offsets timed out".to_owned()));
            }
            // Before a commit: what the last put asked to read again does not count as delivered any more.
            self.carry_out_requests();
            self.look_after_copies()?;
            if self.reopen.is_none() && self.commits.is_due(self.parts.host.wants_commit(), now) {
                self.commit(now, stop).await?;
            }
            self.poll(stop).await?;
            if self.reopen.is_some_and(|(at, _)| Instant::now() >= at) {
                self.open().await?;
            }
            self.carry_out_requests();
            if self.reopen.is_none() && !stop.is_cancelled() {
                self.deliver().await?;
                self.look_at_durable(now);
            }
        }
        Ok(())
    }

    /// Commits what the sink task says is durable, without waiting for the brokers.
    async fn commit(&mut self, now: Instant, stop: &Stop) -> Result<()> {
        let seq = self.commits.begin(self.parts.host.take_commit(), now);
        let delivered = self.assignment.delivered(|_| true);
        let mut settled = delivered.clone();
        let settling = shown_to_turn(&self.parts.health, self.parts.errors.settle(&mut settled, SETTLE_WITHIN));
        tokio::select! {
            done = settling => done?,
            // The last commit settles again, with what time it has.
            () = stop.cancelled() => {
                self.commits.abandon();
                return Ok(());
            }
        }
        let delivered = self.assignment.held_back(&delivered, settled);
        if delivered.is_empty() {
            self.parts.health.set_problem("commit", None);
            self.commits.succeeded(now);
            return Ok(());
        }
        let committed = self.assignment.committed(&delivered);
        let offering = self.parts.sink.pre_commit(&delivered, CommitReason::Due);
        let offered = match shown_to_turn(&self.parts.health, offering).await {
            Ok(offered) => offered,
            Err(error) => {
                self.take_back(&committed, &error);
                return Ok(());
            }
        };
        self.assignment.show_durable(&offered);
        let owed = self.assignment.owes_commit(&delivered);
        match to_commit(&committed, &delivered, offered, owed) {
            None => {
                self.commit_succeeded();
                // Whoever asked may wait to hear of what is committed already.
                if self.commits.is_asked() && !committed.is_empty() {
                    self.parts.sink.committed(&committed);
                }
            }
            Some(offsets) => {
                let offsets = self.assignment.with_epochs(offsets);
                self.parts.consumer.command(Command::Commit { seq, offsets });
            }
        }
        Ok(())
    }

    /// Shows what is durable: commits may be minutes apart.
    fn look_at_durable(&mut self, now: Instant) {
        if now >= self.next_look {
            self.next_look = now + LOOK_EVERY;
            let delivered = self.assignment.delivered(|topic_partition| self.parts.errors.is_settled(topic_partition));
            self.assignment.show_durable(&self.parts.sink.durable(&delivered));
        }
    }

    /// Reads everything again that is not committed.
    fn take_back(&mut self, committed: &Offsets, error: &Error) {
        tracing::error!(error = error.report(), "the sink cannot say what is durable, reading again from the last commit");
        self.commit_failed(error);
        // Asking again before anything is read again would throw that away, too.
        self.commits.abandon();
        for (topic_partition, offset) in committed {
            self.rewind(topic_partition, offset.offset);
        }
    }

    fn commit_failed(&mut self, error: &Error) {
        self.commits.failed(Instant::now());
        self.parts.metrics.commits_failed.inc();
        self.parts.health.set_problem("commit", Some(error.report()));
    }

    fn commit_succeeded(&mut self) {
        self.parts.health.set_problem("commit", None);
        self.parts.metrics.commits_succeeded.inc();
        if let Some(took) = self.commits.succeeded(Instant::now()) {
            self.parts.metrics.commit_duration.observe(took.as_secs_f64());
        }
    }

    /// A commit has ended, maybe one that is out of date.
    fn committed(&mut self, seq: u64, offsets: Offsets, error: Option<Error>) {
        if !self.commits.is_last(seq) {
            self.parts.metrics.commits_skipped.inc();
            return;
        }
        let offsets = self.assignment.merge_committed(seq, offsets);
        if !offsets.is_empty() {
            self.parts.sink.committed(&offsets);
        }
        match error {
            None => {
                self.parts.health.set_problem("kafka", None);
                self.commit_succeeded();
            }
            Some(error) => {
                self.commit_failed(&error);
                tracing::warn!(error = error.report(), failures = self.commits.failures, "committing offsets failed, trying again");
            }
        }
    }

    fn carry_out_requests(&mut self) {
        for (topic_partition, topic_id) in self.parts.host.take_expected() {
            let Some(partition) = self.assignment.0.get(&topic_partition) else { continue };
            let (generation, delivered) = (partition.generation, partition.delivered);
            let expected = topic_partition.clone();
            self.parts.consumer.command(Command::Expect { topic_partition: expected, generation, topic_id });
            // What has been read so far may be of another topic.
            self.rewind(&topic_partition, delivered);
        }
        self.rewind_as_requested();
        // What is not assigned yet may be so soon.
        for (topic_partition, paused) in
            self.parts.host.take_pauses(|topic_partition| self.assignment.0.contains_key(topic_partition))
        {
            self.pause(&topic_partition, |by| by.sink = paused);
        }
    }

    /// Reads nothing of a partition while anybody wants it paused, and goes on where it was left when nobody does any more.
    fn pause(&mut self, topic_partition: &TopicPartition, wish: impl FnOnce(&mut PausedBy)) {
        let Some(partition) = self.assignment.0.get_mut(topic_partition) else { return };
        wish(&mut partition.paused);
        let paused = partition.paused.anybody();
        let (epoch, missed, delivered) = (partition.generation.epoch, partition.missed, partition.delivered);
        if missed && !paused {
            self.rewind(topic_partition, delivered);
        }
        self.parts.consumer.command(Command::Pause { topic_partition: topic_partition.clone(), epoch, paused });
    }

    fn rewind_as_requested(&mut self) {
        for (topic_partition, offset) in self.parts.host.take_offsets() {
            self.rewind(&topic_partition, offset);
        }
    }

    fn rewind(&mut self, topic_partition: &TopicPartition, offset: i64) {
        let Some(generation) = self.assignment.rewind(topic_partition, offset) else {
            tracing::warn!(%topic_partition, offset, "cannot read a partition again that is not assigned");
            return;
        };
        let topic_partition = topic_partition.clone();
        self.parts.consumer.command(Command::Seek { topic_partition, generation, offset });
        if let Some(delivery) = &mut self.delivery {
            delivery.retain_current(&self.assignment);
        }
    }
}

#[cfg(test)]
mod tests;
