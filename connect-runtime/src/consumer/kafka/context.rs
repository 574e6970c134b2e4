//! What librdkafka calls back, always on the consumer's thread: rebalances, results of commits, errors.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::Duration,
};

use connect_api::{Error, OffsetAndMetadata, Offsets, TopicPartition};
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{Consumer, ConsumerContext, RebalanceProtocol, base_consumer::BaseConsumer},
    error::KafkaError,
    types::{RDKafkaErrorCode, RDKafkaRespErr},
};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{
    Inlet,
    client_log::ClientLog,
    joining::Joining,
    native::{CommitResult, Queue},
    offsets,
    offsets::Reset,
    prefetch::Prefetch,
    state::{Owned, State, Wait, still_valid},
    topic_ids::Changes,
};
use crate::{
    consumer::{Ack, EpochOffset, Event, Generation},
    rest::{TaskHealth, TaskLoop},
};

/// The number of commits before partitions go; the task does not wait for their results.
pub(super) const LAST_COMMIT: u64 = u64::MAX;

/// How long the thread waits before it shows that it lives.
const TURN: Duration = Duration::from_secs(1);

/// How long to wait for one answer before looking again whether it is too late.
const ANSWER_WAIT: Duration = Duration::from_millis(20);

/// How long an assignment waits for each kind of answers that it can do without.
pub(super) const BRIEFLY: Duration = Duration::from_secs(2);

/// What the callbacks and the thread's loop share.
pub(super) struct Context {
    pub(super) events: UnboundedSender<Event>,
    pub(super) reset: Reset,
    /// How long a callback may block before the group believes us dead.
    pub(super) patience: Duration,
    /// Where the partitions' messages are sent.
    pub(super) inlet: Arc<Inlet>,
    /// The task waits for the thread to end: nothing is waited for any more.
    pub(super) stopping: Arc<AtomicBool>,
    /// The task has closed its partitions: nobody is asked any more.
    pub(super) closing: AtomicBool,
    /// Where troubles are shown, and that the thread lives.
    pub(super) health: TaskHealth,
    /// Topics that have become others.
    pub(super) changes: Changes,
    /// Where librdkafka's lines go.
    pub(super) log: ClientLog,
    pub(super) prefetch: Prefetch,
    /// Only the consumer's thread locks it.
    pub(super) state: Mutex<State>,
}

impl Context {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn send(&self, event: Event) {
        // A task that has gone needs no events.
        let _gone = self.events.send(event);
    }

    /// Begins a commit; [`Context::serve_commits`] tells its result.
    pub(super) fn commit(&self, consumer: &BaseConsumer<Self>, seq: u64, offsets: Offsets) {
        let Some(queues) = self.inlet.queues() else { return };
        match queues.commits.commit(consumer.client(), &offsets::to_list(&offsets), seq) {
            Ok(()) => drop(self.state().commits.insert(seq, offsets)),
            Err(code) => {
                self.send(Event::Committed { seq, offsets: Offsets::new(), error: Some(commit_failure(code)) });
            }
        }
    }

    /// Tells the results that have arrived, or arrive in this time.
    pub(super) fn serve_commits(&self, wait: Duration) {
        let Some(queues) = self.inlet.queues() else { return };
        let mut wait = wait;
        while let Some(CommitResult { seq, error, refused }) = queues.commits.commit_result(wait) {
            wait = Duration::ZERO;
            let mut offsets = self.state().commits.remove(&seq).unwrap_or_default();
            let failure = error.or(refused.first().map(|(_, code)| *code));
            if error.is_some() && refused.is_empty() {
                offsets.clear();
            }
            for (topic_partition, _) in &refused {
                offsets.remove(topic_partition);
            }
            if failure == Some(RDKafkaErrorCode::OffsetMetadataTooLarge) {
                self.send(Event::MetadataTooLarge);
            }
            self.send(Event::Committed { seq, offsets, error: failure.map(commit_failure) });
        }
    }

    /// Waits for the result of a commit, but not for ever.
    pub(super) fn finish_commit(&self, seq: u64, within: Duration) {
        let give_up = Instant::now() + within;
        while self.state().awaits(seq) {
            let now = Instant::now();
            if now >= give_up {
                return tracing::warn!(waited = ?within, "the last commit has no answer: what it covers may be read again");
            }
            self.turned();
            self.serve_commits(TURN.min(give_up - now));
        }
    }

    pub(super) fn fail(&self, error: Error) {
        self.state().failure.get_or_insert(error);
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, added: &mut TopicPartitionList) {
        let until = Instant::now() + self.patience;
        let goes_on = || {
            self.turned();
            Instant::now() < until && !self.stopping.load(Ordering::Relaxed)
        };
        let trouble = |error: &KafkaError| self.health.set_problem("kafka", Some(format!("taking partitions: {error}")));
        let nothing = added.count() == 0 || self.closing.load(Ordering::Relaxed);
        let committed = if nothing { Ok(Offsets::new()) } else { offsets::committed(consumer, added, &goes_on, &trouble) };
        let (committed, owned) = match committed {
            Ok(committed) => (committed, if nothing { Vec::new() } else { offsets::partitions(added) }),
            Err(error) => {
                self.fail(error);
                Default::default()
            }
        };
        if !owned.is_empty() {
            self.health.set_problem("kafka", None);
        }
        let epoch = self.own(consumer, &owned, &committed);
        self.look_around(consumer, epoch, &goes_on);
        let begin = self.begin(epoch, committed);
        for topic_partition in &owned {
            let at = begin.get(topic_partition).map_or_else(|| self.reset.begin(), |begin| Offset::Offset(begin.offset));
            if let Err(error) = added.set_partition_offset(&topic_partition.topic, topic_partition.partition, at) {
                tracing::warn!(%topic_partition, %error, "librdkafka will not begin where it was told to");
            }
        }
        self.state().joining = None;
        let done = if is_cooperative(consumer) { consumer.incremental_assign(added) } else { consumer.assign(added) };
        if let Err(error) = done {
            self.fail(Error::retriable("taking partitions").with_source(error));
        }
        let topic_ids = self.state().topic_ids(&begin);
        self.send(Event::Assigned { epoch, partitions: begin, topic_ids });
    }

    /// Begins an epoch, and sends the partitions' messages to the one queue: before they are assigned, or the first ones would
    /// arrive elsewhere.
    fn own(&self, consumer: &BaseConsumer<Self>, partitions: &[TopicPartition], committed: &Offsets) -> u64 {
        let now = Instant::now();
        let mut state = self.state();
        state.epoch += 1;
        let epoch = state.epoch;
        let to = self.inlet.queues();
        for topic_partition in partitions {
            let next = committed.get(topic_partition).map(|committed| committed.offset);
            let queue = Queue::of_partition(consumer.client(), &topic_partition.topic, topic_partition.partition);
            if let Some(queue) = &queue {
                queue.forward_to(to.as_ref().map(|queues| &*queues.messages));
            }
            state.busy |= next.is_none();
            state.owned.insert(topic_partition.clone(), Owned { queue, ..Owned::new(epoch, next, now) });
        }
        if self.reset == Reset::Error && committed.len() < partitions.len() {
            let missing = partitions.iter().filter(|topic_partition| !committed.contains_key(topic_partition));
            state.failure.get_or_insert(offsets::nowhere_to_begin(missing));
        }
        epoch
    }

    /// Finds out which topics these are and where partitions begin, but waits only briefly: who does not answer now may do so for a long time, and the
    /// others can be read.
    fn look_around(&self, consumer: &BaseConsumer<Self>, epoch: u64, goes_on: &dyn Fn() -> bool) {
        self.identify(consumer, epoch);
        // By a duration librdkafka cannot be told where to begin: the answer is waited for.
        let until = Instant::now() + if matches!(self.reset, Reset::Since(_)) { self.patience } else { BRIEFLY };
        loop {
            let now = Instant::now();
            self.ask_offsets(consumer, now);
            let state = self.state();
            let unknown = state.owned.values().any(|owned| owned.generation.epoch == epoch && owned.next.is_none());
            drop(state);
            if !unknown || now >= until || !goes_on() {
                break;
            }
            self.take_answers(ANSWER_WAIT);
        }
    }

    /// Those partitions of the epoch can be read of which it is known where they begin.
    fn begin(&self, epoch: u64, mut committed: Offsets) -> Offsets {
        let mut state = self.state();
        for (topic_partition, owned) in state.owned.iter_mut().filter(|(_, owned)| owned.generation.epoch == epoch) {
            if let (Some(next), false) = (owned.next, committed.contains_key(topic_partition)) {
                // librdkafka is told at once to begin there.
                owned.wait = Wait::Nothing;
                committed.insert(topic_partition.clone(), OffsetAndMetadata::new(next, ""));
            }
        }
        state.begun.retain(|topic_partition| !committed.contains_key(topic_partition));
        committed
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, gone: &TopicPartitionList) {
        let lost = consumer.assignment_lost();
        let partitions = offsets::partitions(gone);
        // The epoch ends before anything else: whatever is asked for from now on comes too late.
        let removed = self.disown(consumer, &partitions);
        if !partitions.is_empty() && !self.closing.load(Ordering::Relaxed) {
            // Also where partitions count as lost: so librdkafka has it where a topic is gone.
            let deleted = self.deleted(consumer, &partitions);
            let offsets = self.ask_to_close(partitions, deleted, lost);
            let commit = still_valid(offsets, |topic_partition| removed.get(topic_partition).copied());
            if !lost && !commit.is_empty() {
                self.commit(consumer, LAST_COMMIT, commit);
                self.finish_commit(LAST_COMMIT, self.patience);
            }
        }
        let done = if is_cooperative(consumer) {
            consumer.incremental_unassign(gone)
        } else {
            self.state().joining = Some(Joining::begin());
            consumer.unassign()
        };
        if let Err(error) = done {
            self.fail(Error::retriable("giving partitions up").with_source(error));
        }
    }

    /// Forgets partitions; returns how they were read last.
    fn disown(&self, consumer: &BaseConsumer<Self>, partitions: &[TopicPartition]) -> HashMap<TopicPartition, Generation> {
        // What librdkafka calls back in here must not find the state locked.
        self.look_at_changes();
        let mut removed = HashMap::new();
        let mut paused = TopicPartitionList::new();
        for topic_partition in partitions {
            let Some(owned) = self.state().owned.remove(topic_partition) else { continue };
            if let Some(queue) = &owned.queue {
                queue.forward_to(None);
            }
            if owned.paused {
                paused.add_partition(&topic_partition.topic, topic_partition.partition);
            }
            if owned.problem.is_some() {
                self.show_mended(topic_partition);
            }
            removed.insert(topic_partition.clone(), owned.generation);
        }
        if paused.count() > 0
            && let Err(error) = consumer.resume(&paused)
        {
            tracing::warn!(%error, "partitions stay paused");
        }
        removed
    }

    /// Waits until the task has closed the partitions, of which some have been `deleted`.
    pub(super) fn ask_to_close(
        &self,
        partitions: Vec<TopicPartition>,
        deleted: Vec<TopicPartition>,
        lost: bool,
    ) -> Vec<EpochOffset> {
        let (ack, answer) = Ack::new();
        self.send(Event::Revoked { partitions, deleted, lost, ack });
        let give_up = Instant::now() + self.patience;
        loop {
            self.turned();
            match answer.recv_timeout(TURN.min(give_up.saturating_duration_since(Instant::now()))) {
                Ok(offsets) => return offsets,
                Err(RecvTimeoutError::Timeout) if Instant::now() < give_up => {}
                Err(error) => {
                    tracing::error!(waited = ?self.patience, %error, "partitions go without their last commit: the task has not closed them");
                    return Vec::new();
                }
            }
        }
    }

    /// Gives the partitions' queues back before the client goes.
    pub(super) fn clear(&self) {
        let owned = std::mem::take(&mut self.state().owned);
        for (topic_partition, owned) in owned {
            if let Some(queue) = owned.queue {
                queue.forward_to(None);
            }
            if owned.problem.is_some() {
                self.show_mended(&topic_partition);
            }
        }
    }

    /// Shows that the thread lives though it waits.
    pub(super) fn turned(&self) {
        self.health.turned(TaskLoop::Consumer);
    }
}

pub(super) fn is_cooperative(consumer: &BaseConsumer<Context>) -> bool {
    matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
}

fn commit_failure(code: RDKafkaErrorCode) -> Error {
    Error::retriable("committing offsets").with_source(KafkaError::ConsumerCommit(code))
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, list),
            _ => self.revoked(consumer, list),
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "METADATA" {
            self.changes.note(message);
        }
        self.log.line(level, facility, message);
    }

    fn stats(&self, statistics: rdkafka::Statistics) {
        let connected = statistics.brokers.values().any(|broker| broker.state == "UP");
        if connected {
            self.send(Event::Brokers { problem: None });
        }
        // Partitions share a queue, and librdkafka tells its size for each of them.
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        self.prefetch.show(partitions.map(|partition| partition.fetchq_size).max().unwrap_or(0));
        self.try_refused(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Fatal) => {
                self.fail(Error::fatal(format!("the Kafka client cannot go on: {reason}")).with_source(error));
            }
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::Authentication) => {
                tracing::warn!(reason, "no Kafka broker can be reached");
                self.send(Event::Brokers { problem: Some(reason.to_owned()) });
            }
            _ => tracing::warn!(reason, "trouble with Kafka, the client goes on"),
        }
    }
}
