//! What librdkafka calls back, always on the consumer's thread: rebalances, results of commits, errors.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use connect_api::{Budget, Error, Offsets, Reservation, TopicPartition};
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    consumer::{Consumer, ConsumerContext, RebalanceProtocol, base_consumer::BaseConsumer},
    error::KafkaError,
    types::{RDKafkaErrorCode, RDKafkaRespErr},
};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{
    Inlet,
    joining::Joining,
    native::{CommitResult, Queue},
    offsets,
    offsets::Reset,
};
use crate::consumer::{Ack, EpochOffset, Event, Generation};

/// The number of commits before partitions go; the task does not wait for their results.
pub(super) const LAST_COMMIT: u64 = u64::MAX;

/// What the callbacks and the thread's loop share. Only that thread locks it.
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
    pub(super) prefetch: Prefetch,
    pub(super) state: Mutex<State>,
}

/// What is booked for messages that librdkafka has fetched ahead; given back with the client.
pub(super) struct Prefetch {
    least: usize,
    booked: Mutex<Reservation>,
}

impl Prefetch {
    /// This much is booked whatever lies there.
    pub(super) fn new(budget: &Budget, least: usize) -> Self {
        Self { least, booked: Mutex::new(budget.prefetch(least)) }
    }

    /// Messages lie there decompressed, and may take many times what fetching them was limited to.
    fn show(&self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(self.least);
        self.booked.lock().unwrap_or_else(PoisonError::into_inner).resize(bytes);
    }
}

/// What the consumer has now.
#[derive(Default)]
pub(super) struct State {
    epoch: u64,
    owned: HashMap<TopicPartition, Owned>,
    /// Commits under way.
    commits: BTreeMap<u64, Offsets>,
    /// Why the consumer cannot go on.
    pub(super) failure: Option<Error>,
    /// The group owes us an assignment.
    pub(super) joining: Option<Joining>,
}

/// An assigned partition.
struct Owned {
    generation: Generation,
    /// A seek that has not been carried out: what is read until then is of no use.
    seek_to: Option<i64>,
    queue: Queue,
}

impl State {
    /// The partition and its generation, unless its messages shall be dropped.
    pub(super) fn reading(&self, topic: &str, partition: i32) -> Option<(TopicPartition, Generation)> {
        let (topic_partition, owned) = self.owned.get_key_value(&TopicPartition::new(topic, partition))?;
        owned.seek_to.is_none().then(|| (topic_partition.clone(), owned.generation))
    }

    /// Remembers a seek, unless its assignment is over.
    pub(super) fn request_seek(&mut self, topic_partition: &TopicPartition, generation: Generation, offset: i64) {
        if let Some(owned) = self.owned.get_mut(topic_partition)
            && owned.generation.epoch == generation.epoch
        {
            owned.generation = generation;
            owned.seek_to = Some(offset);
        }
    }

    /// Reads the partition again from here within the same generation.
    pub(super) fn reread(&mut self, topic: &str, partition: i32, offset: i64) {
        if let Some(owned) = self.owned.get_mut(&TopicPartition::new(topic, partition)) {
            owned.seek_to.get_or_insert(offset);
        }
    }

    /// Seeks that have not been carried out.
    pub(super) fn seeks(&self) -> Vec<(TopicPartition, i64)> {
        self.owned.iter().filter_map(|(topic_partition, owned)| Some((topic_partition.clone(), owned.seek_to?))).collect()
    }

    /// A seek has been carried out.
    pub(super) fn sought(&mut self, topic_partition: &TopicPartition) {
        if let Some(owned) = self.owned.get_mut(topic_partition) {
            owned.seek_to = None;
        }
    }

    /// Those offsets whose assignment is not over.
    pub(super) fn current(&self, offsets: Vec<EpochOffset>) -> Offsets {
        let current = |offset: &EpochOffset| {
            self.owned.get(&offset.topic_partition).is_some_and(|owned| owned.generation.epoch == offset.epoch)
        };
        offsets.into_iter().filter(current).map(|offset| (offset.topic_partition, offset.offset)).collect()
    }

    /// Whether no partition is assigned.
    pub(super) fn is_idle(&self) -> bool {
        self.owned.is_empty()
    }

    /// Whether results of commits are still to come.
    pub(super) fn awaits_commits(&self) -> bool {
        !self.commits.is_empty()
    }

    /// Whether the result of this commit is still to come.
    pub(super) fn awaits(&self, seq: u64) -> bool {
        self.commits.contains_key(&seq)
    }

    /// Gives the partitions' queues back before the client goes.
    pub(super) fn clear(&mut self) {
        self.owned.drain().for_each(|(_, owned)| owned.queue.forward_to(None));
    }
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
            self.serve_commits(give_up - now);
        }
    }

    fn fail(&self, error: Error) {
        self.state().failure.get_or_insert(error);
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, added: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let begin = if added.count() == 0 || self.closing.load(Ordering::Relaxed) {
            Ok(Offsets::new())
        } else {
            let until = Instant::now() + self.patience;
            let goes_on = || Instant::now() < until && !self.stopping.load(Ordering::Relaxed);
            offsets::start(consumer, added, self.reset, &goes_on)
        };
        let begin = begin.unwrap_or_else(|error| {
            self.fail(error);
            Offsets::new()
        });
        let epoch = self.own(consumer, &begin);
        for (topic_partition, begin) in &begin {
            let set = added.set_partition_offset(&topic_partition.topic, topic_partition.partition, Offset::Offset(begin.offset));
            if let Err(error) = set {
                tracing::warn!(%topic_partition, %error, "librdkafka will not begin where it was told to");
            }
        }
        self.state().joining = None;
        let done = if cooperative { consumer.incremental_assign(added) } else { consumer.assign(added) };
        if let Err(error) = done {
            self.fail(Error::retriable("taking partitions").with_source(error));
        }
        self.send(Event::Assigned { epoch, partitions: begin });
    }

    /// Begins an epoch, and sends the partitions' messages to the one queue: before they are assigned, or the first ones would
    /// arrive elsewhere.
    fn own(&self, consumer: &BaseConsumer<Self>, begin: &Offsets) -> u64 {
        let mut state = self.state();
        state.epoch += 1;
        let generation = Generation { epoch: state.epoch, seeks: 0 };
        let to = self.inlet.queues();
        for topic_partition in begin.keys() {
            let queue = Queue::of_partition(consumer.client(), &topic_partition.topic, topic_partition.partition);
            if let Some(queue) = queue {
                queue.forward_to(to.as_ref().map(|queues| &*queues.messages));
                state.owned.insert(topic_partition.clone(), Owned { generation, seek_to: None, queue });
            }
        }
        state.epoch
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, gone: &TopicPartitionList) {
        let lost = consumer.assignment_lost();
        let partitions = offsets::partitions(gone);
        // The epoch ends before anything else: whatever is asked for from now on comes too late.
        {
            let mut state = self.state();
            for topic_partition in &partitions {
                if let Some(owned) = state.owned.remove(topic_partition) {
                    owned.queue.forward_to(None);
                }
            }
        }
        if !partitions.is_empty() && !self.closing.load(Ordering::Relaxed) {
            let commit = self.ask_to_close(partitions, lost);
            if !lost && !commit.is_empty() {
                self.commit(consumer, LAST_COMMIT, commit);
                self.finish_commit(LAST_COMMIT, self.patience);
            }
        }
        let done = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(gone),
            _ => {
                self.state().joining = Some(Joining::begin());
                consumer.unassign()
            }
        };
        if let Err(error) = done {
            self.fail(Error::retriable("giving partitions up").with_source(error));
        }
    }

    /// Waits until the task has closed the partitions.
    fn ask_to_close(&self, partitions: Vec<TopicPartition>, lost: bool) -> Offsets {
        let (ack, answer) = Ack::new();
        self.send(Event::Revoked { partitions, lost, ack });
        answer.recv_timeout(self.patience).unwrap_or_else(|error| {
            tracing::error!(waited = ?self.patience, %error, "partitions go without their last commit: the task has not closed them");
            Offsets::new()
        })
    }
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
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        super::log(level, facility, message);
    }

    fn stats(&self, statistics: rdkafka::Statistics) {
        let connected = statistics.brokers.values().any(|broker| broker.state == "UP");
        if connected {
            self.send(Event::Brokers { problem: None });
        }
        // Partitions share a queue, and librdkafka tells its size for each of them.
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        self.prefetch.show(partitions.map(|partition| partition.fetchq_size).max().unwrap_or(0));
        let ends = statistics.topics.values().flat_map(|topic| {
            let end = |partition: &rdkafka::statistics::Partition| {
                (partition.hi_offset >= 0)
                    .then(|| (TopicPartition::new(topic.topic.as_str(), partition.partition), partition.hi_offset))
            };
            topic.partitions.values().filter_map(end)
        });
        self.send(Event::LogEnds(ends.collect()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_decompressed_is_booked_and_never_less_than_was_planned() {
        let task = Budget::new(1_000).task();
        let prefetch = Prefetch::new(&task, 100);
        for (lies_there, booked) in [(0, 100), (700, 700), (20, 100)] {
            prefetch.show(lies_there);
            assert_eq!(task.used(), booked);
        }
        drop(prefetch);
        assert_eq!(task.used(), 0);
    }
}
