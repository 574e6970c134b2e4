//! Partitions come and go.

use std::time::Duration;

use connect_api::{CommitReason, ErrorKind, Offsets, Result, SinkTaskHost as _, TopicPartition};
use tokio::time::Instant;

use super::{
    SETTLE_WITHIN, SinkLoop,
    assignment::{Partition, PausedBy},
    commit::to_commit,
    shown_to_turn,
};
use crate::{
    consumer::{Ack, Command, EpochOffset, Event, Generation, NewLog},
    shutdown::Stop,
};

/// Between two tries to open partitions, after the first failure and at most.
const REOPEN_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

impl SinkLoop {
    /// Partitions are ours. An empty assignment means nothing to the sink task.
    pub(super) async fn assigned(&mut self, epoch: u64, partitions: Offsets) -> Result<()> {
        self.parts.health.set_problem("assignment", None);
        if partitions.is_empty() {
            return Ok(());
        }
        let named: Vec<_> = partitions.keys().map(ToString::to_string).collect();
        tracing::info!(epoch, partitions = named.join(","), "assigned");
        self.parts.metrics.partitions_assigned.inc();
        for (topic_partition, begin) in partitions {
            let metrics = self.parts.metrics.partition(&topic_partition);
            metrics.begin(begin.offset);
            let partition = Partition {
                generation: Generation::first(epoch),
                delivered: begin.offset,
                committed: begin,
                opened: false,
                paused: PausedBy::default(),
                missed: false,
                first_commit: self.commits.next_seq(),
                owes_commit: false,
                metrics,
            };
            self.assignment.0.insert(topic_partition, partition);
        }
        self.show_assigned();
        self.retry_soon();
        self.open().await
    }

    /// Opens what is not opened. Until that succeeds, nothing else is done.
    pub(super) async fn open(&mut self) -> Result<()> {
        let unopened = self.assignment.unopened();
        if unopened.is_empty() {
            self.reopen = None;
            return Ok(());
        }
        let opened = shown_to_turn(&self.parts.health, self.parts.sink.open(&unopened)).await;
        match opened {
            Ok(()) => {
                self.reopen = None;
                self.parts.health.set_problem("opening partitions", None);
                for partition in self.assignment.0.values_mut() {
                    partition.opened = true;
                }
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Retriable => {
                let failures = self.reopen.map_or(0, |(_, failures)| failures);
                let pause = self.parts.host.take_timeout().unwrap_or_else(|| pause_after(failures));
                tracing::warn!(error = error.report(), retry_in = ?pause, "opening partitions failed");
                self.parts.health.set_problem("opening partitions", Some(error.report()));
                self.reopen = Some((Instant::now() + pause, failures + 1));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Logs have begun anew. Everything that was read of the old ones has been delivered.
    pub(super) async fn recreated(&mut self, logs: Vec<NewLog>) -> Result<()> {
        let mut opened = Offsets::new();
        for log in logs {
            let Some(begin) = self.assignment.begin_anew(&log, self.commits.next_seq()) else { continue };
            let NewLog { topic_partition, topic_id, .. } = log;
            tracing::warn!(%topic_partition, begin = begin.offset, topic_id = topic_id.as_deref(), "another log has taken the place of this one");
            self.parts.host.set_topic_ids(topic_id.map(|id| (topic_partition.topic.to_string(), id)));
            // It is about records of the old log. Those that wait for the dead letter queue are, too, but they have nowhere else to go.
            self.parts.host.forget_offset(&topic_partition);
            if self.assignment.0.get(&topic_partition).is_some_and(|partition| partition.opened) {
                opened.insert(topic_partition, begin);
            }
        }
        if opened.is_empty() {
            return Ok(());
        }
        shown_to_turn(&self.parts.health, self.parts.sink.recreated(&opened)).await?;
        // The group may still hold an offset of the old log.
        self.parts.host.request_commit();
        Ok(())
    }

    /// Partitions go, some because they were `deleted`. The consumer waits for `ack`.
    pub(super) async fn revoked(
        &mut self,
        gone: &[TopicPartition],
        deleted: &[TopicPartition],
        lost: bool,
        ack: Ack,
    ) -> Result<()> {
        let named: Vec<_> = gone.iter().map(ToString::to_string).collect();
        tracing::info!(partitions = named.join(","), lost, "revoked");
        let metrics = &self.parts.metrics;
        if lost {
            metrics.partitions_lost.inc()
        } else {
            metrics.partitions_revoked.inc()
        }
        self.deleted(deleted).await;
        let closing = if lost { deleted } else { gone };
        let last = if closing.is_empty() { Offsets::new() } else { self.last_offsets(closing, SETTLE_WITHIN).await };
        self.assignment.say_what_is_lost(deleted, &last);
        let last = if lost { Vec::new() } else { self.assignment.with_epochs(last) };
        let closed = self.close_partitions(gone).await;
        // What is not there yet is read again by the next owner, and sent by it.
        self.parts.errors.forget(gone);
        ack.send(if closed.is_ok() { last } else { Vec::new() });
        closed
    }

    /// Topics have been deleted: what was read of these partitions is written now, as far as it can be.
    async fn deleted(&mut self, deleted: &[TopicPartition]) {
        if deleted.is_empty() {
            return;
        }
        if let Err(error) = shown_to_turn(&self.parts.health, self.parts.sink.deleted(deleted)).await {
            tracing::error!(error = error.report(), "the sink cannot write what was read of topics that have been deleted");
        }
    }

    /// What is durable of partitions that are about to be closed; nothing where that is committed already. Waits for the dead letter queue no
    /// longer than `settle_within`.
    async fn last_offsets(&mut self, closing: &[TopicPartition], settle_within: Duration) -> Offsets {
        // What the sink task asked to read again does not count as delivered.
        self.rewind_as_requested();
        let delivered = self.assignment.delivered(|topic_partition| closing.contains(topic_partition));
        let mut there = delivered.clone();
        let settling = self.parts.errors.settle(&mut there, settle_within);
        let settled = shown_to_turn(&self.parts.health, settling).await;
        let delivered = self.assignment.held_back(&delivered, there);
        if delivered.is_empty() {
            return delivered;
        }
        let offering = self.parts.sink.pre_commit(&delivered, CommitReason::Closing);
        let offered = shown_to_turn(&self.parts.health, offering).await;
        match settled.and(offered) {
            Ok(offered) => {
                let owed = self.assignment.owes_commit(&delivered);
                to_commit(&self.assignment.committed(&delivered), &delivered, offered, owed).unwrap_or_default()
            }
            Err(error) => {
                tracing::warn!(error = error.report(), "partitions go without their last commit: their next owner reads again");
                Offsets::new()
            }
        }
    }

    /// Closes partitions and forgets them.
    async fn close_partitions(&mut self, gone: &[TopicPartition]) -> Result<()> {
        let known: Vec<_> =
            gone.iter().filter(|topic_partition| self.assignment.0.contains_key(topic_partition)).cloned().collect();
        // A sink task that failed to open some may have opened others of them: it is told all the same.
        let closed = if known.is_empty() { Ok(()) } else { shown_to_turn(&self.parts.health, self.parts.sink.close(&known)).await };
        for topic_partition in &known {
            self.assignment.0.remove(topic_partition);
            self.parts.host.forget_offset(topic_partition);
        }
        self.parts.host.forget_pauses(gone);
        self.show_assigned();
        if let Some(delivery) = &mut self.delivery {
            delivery.retain_current(&self.assignment);
        }
        if self.assignment.unopened().is_empty() {
            self.reopen = None;
            self.parts.health.set_problem("opening partitions", None);
        }
        self.retry_soon();
        closed
    }

    /// The end: closes all partitions, commits what is durable, leaves the group, stops the sink task.
    pub(super) async fn close(&mut self, stop: &Stop) -> Result<()> {
        let until = stop.until(self.settings.stop_within);
        let all: Vec<_> = self.assignment.0.keys().cloned().collect();
        let last = self.last_offsets(&all, settle_within(until)).await;
        let offsets = self.assignment.with_epochs(last);
        let closed = self.close_partitions(&all).await;
        let last = if closed.is_ok() { offsets } else { Vec::new() };
        let within = last_commit_within(until, self.settings.stop_within);
        self.parts.consumer.command(Command::Stop { offsets: last.clone(), within });
        if let Err(error) = shown_to_turn(&self.parts.health, self.parts.sink.stop()).await {
            tracing::warn!(error = error.report(), "stopping the sink task failed");
        }
        if !self.consumer_is_gone {
            let health = self.parts.health.clone();
            shown_to_turn(&health, self.wait_until_left(&last)).await;
        }
        closed
    }

    /// Answers the consumer until it has left the group.
    async fn wait_until_left(&mut self, last: &[EpochOffset]) {
        self.parts.consumer.batches.close();
        while let Some(event) = self.parts.consumer.events.recv().await {
            match event {
                Event::Revoked { partitions, lost, ack, .. } => {
                    let goes = |offset: &&EpochOffset| !lost && partitions.contains(&offset.topic_partition);
                    ack.send(last.iter().filter(goes).cloned().collect());
                }
                Event::Closed => return,
                Event::Failed(error) => {
                    return tracing::warn!(error = error.report(), "the consumer failed while it left the group");
                }
                Event::Assigned { .. }
                | Event::Committed { .. }
                | Event::LogEnds(_)
                | Event::MetadataTooLarge
                | Event::Unreadable { .. }
                | Event::Gone { .. }
                | Event::Paused(_)
                | Event::Brokers { .. } => {}
            }
        }
    }

    /// After a rebalance a batch that waits is tried again without waiting longer: it may have become another one.
    fn retry_soon(&mut self) {
        if let Some(delivery) = &mut self.delivery {
            delivery.not_before = None;
        }
    }

    fn show_assigned(&self) {
        let partitions = i64::try_from(self.assignment.0.len()).unwrap_or(i64::MAX);
        self.parts.metrics.assigned_partitions.set(partitions);
    }
}

/// How long the dead letter queue is waited for at the end: most of the time is the sink task's and the last commit's.
fn settle_within(until: Instant) -> Duration {
    SETTLE_WITHIN.min(left(until) / 5)
}

/// How long the last commit may take: what is left but for leaving the group. It is begun however late it is, since the consumer's thread
/// outlives a task that is given up.
fn last_commit_within(until: Instant, stop_within: Duration) -> Duration {
    let leaving = stop_within / 10;
    left(until).saturating_sub(leaving).max(leaving)
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn pause_after(failures: u32) -> Duration {
    let (first, most) = REOPEN_AFTER;
    first.saturating_mul(1 << failures.min(6)).min(most)
}
