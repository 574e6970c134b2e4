//! What the thread does about partitions that do not simply go on: errors in the place of messages, seeks, pauses.

use std::{collections::HashMap, time::Duration};

use connect_api::{Error, Result, TopicPartition};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer, base_consumer::BaseConsumer},
    error::KafkaResult,
    types::RDKafkaErrorCode,
};
use tokio::time::Instant;

use super::{
    context::{Context, is_cooperative},
    native::Messages,
    offsets,
    state::{Owned, State, Wait},
    trouble::{Verdict, verdict},
};

/// How long a seek may take before others get their turn.
const SEEK_TIMEOUT: Duration = Duration::from_millis(500);

/// Between two tries to seek.
const SEEK_PAUSE: Duration = Duration::from_millis(100);

impl Context {
    /// Looks at errors among messages, and drops the messages that must not be used: what follows an error of its partition. Returns whether
    /// there are any.
    pub(super) fn look_at_errors(&self, messages: &mut Messages) -> Result<bool> {
        let mut broken: HashMap<TopicPartition, usize> = HashMap::new();
        let mut any = false;
        for (place, message) in messages.iter().enumerate() {
            let Some((code, text)) = message.error() else { continue };
            any = true;
            let topic_partition = TopicPartition::new(message.topic(), message.partition());
            match verdict(code) {
                Verdict::Ignore => tracing::debug!(%topic_partition, %code, reason = text, "event of a partition"),
                Verdict::Fatal => return Err(Error::fatal(format!("the Kafka client cannot go on: {text}"))),
                Verdict::Report => {
                    self.state().refused(&topic_partition);
                    self.show_trouble(&topic_partition, format!("it cannot be read: {code}: {text}"));
                }
                _ => {
                    broken.entry(topic_partition).or_insert(place);
                }
            }
        }
        if broken.is_empty() {
            return Ok(any);
        }
        // What lies before the error counts first: it decides from where on to read again.
        messages.retain(|place, message| {
            let error = message.error();
            let is_after = |broken: &usize| place > *broken;
            error.is_some() || !broken.get(&TopicPartition::new(message.topic(), message.partition())).is_some_and(is_after)
        });
        Ok(any)
    }

    /// Reads again, or finds out where to go on, after [`Context::look_at_errors`] and after what came before the errors has been counted.
    pub(super) fn follow_errors(&self, messages: &Messages) -> Result<()> {
        let now = Instant::now();
        for message in messages.iter() {
            let Some((code, text)) = message.error() else { continue };
            let topic_partition = TopicPartition::new(message.topic(), message.partition());
            match verdict(code) {
                Verdict::ReadAgain => {
                    let given_up = self.state().unreadable(&topic_partition, message.offset(), now);
                    if let Some(offset) = given_up {
                        return Err(Error::fatal(format!("{topic_partition} cannot be read at offset {offset}: {code}: {text}")));
                    }
                    self.show_trouble(&topic_partition, format!("it is read again: {code}: {text}"));
                }
                Verdict::LookUp => {
                    self.state().out_of_range(&topic_partition, text.to_lowercase().contains("truncation"), now);
                    self.show_trouble(&topic_partition, format!("its log does not have the next offset: {text}"));
                }
                Verdict::Report | Verdict::Ignore | Verdict::Fatal => {}
            }
        }
        Ok(())
    }

    /// Finds out, from time to time, whether partitions can be read again that the brokers had refused.
    pub(super) fn try_refused(&self, statistics: &rdkafka::Statistics) {
        let refused = |owned: &Owned| owned.refused.is_some();
        let refused: Vec<_> = self.state().owned.iter().filter(|(_, owned)| refused(owned)).map(|(of, _)| of.clone()).collect();
        for topic_partition in refused {
            let topic = statistics.topics.get(&*topic_partition.topic);
            let known = topic.and_then(|topic| topic.partitions.get(&topic_partition.partition));
            let reached_end = known.is_some_and(|partition| partition.eof_offset >= 0);
            let is_mended = self.state().try_refused(&topic_partition, reached_end);
            if is_mended {
                self.show_mended(&topic_partition);
            }
        }
    }

    /// Seeks, asks, and tells the task what has been found out.
    pub(super) fn mend(&self, consumer: &BaseConsumer<Self>) {
        self.look_at_changes();
        if self.state().asks() {
            self.take_answers(Duration::ZERO);
        }
        if !self.state().busy {
            return;
        }
        let now = Instant::now();
        self.ask_topics(consumer, now);
        self.ask_offsets(consumer, now);
        self.announce_late();
        self.seek(consumer, now);
        let mut state = self.state();
        state.busy = state.owned.values().any(|owned| owned.wait != Wait::Nothing);
    }

    fn seek(&self, consumer: &BaseConsumer<Self>, now: Instant) {
        let (mut seeks, mut restarts) = (TopicPartitionList::new(), TopicPartitionList::new());
        let state = self.state();
        for (topic_partition, owned) in &state.owned {
            let is_due = matches!(owned.wait, Wait::Seek(at) if at.is_none_or(|at| now >= at));
            if let (true, Some(next)) = (is_due, owned.next) {
                add(if owned.stopped { &mut restarts } else { &mut seeks }, topic_partition, Offset::Offset(next));
            }
        }
        drop(state);
        if seeks.count() > 0 {
            match consumer.seek_partitions(seeks, SEEK_TIMEOUT) {
                Ok(done) => {
                    let mut state = self.state();
                    for element in done.elements() {
                        let topic_partition = TopicPartition::new(element.topic(), element.partition());
                        state.sought(&topic_partition, element.error(), now);
                    }
                }
                Err(error) => tracing::warn!(%error, "seeking failed, trying again"),
            }
        }
        if restarts.count() > 0 {
            self.restart(consumer, restarts, now);
        }
    }

    /// Sets partitions going that librdkafka has stopped, by taking them out of its assignment and in again: it seeks in none that it has
    /// stopped. Under the older protocol all of them go out and in.
    fn restart(&self, consumer: &BaseConsumer<Self>, stopped: TopicPartitionList, now: Instant) {
        let restarted = offsets::partitions(&stopped);
        let is_cooperative = is_cooperative(consumer);
        let list = if is_cooperative { stopped } else { self.all_owned() };
        let out_and_in = || {
            if is_cooperative {
                consumer.incremental_unassign(&list)?
            } else {
                consumer.assign(&TopicPartitionList::new())?
            }
            // It is told in order what to do: when this is answered, partitions have been stopped, and forget where their messages go.
            consumer.assignment()?;
            self.forward(&list);
            if is_cooperative { consumer.incremental_assign(&list) } else { consumer.assign(&list) }
        };
        match out_and_in() {
            Ok(()) => {
                let mut state = self.state();
                restarted.iter().for_each(|topic_partition| state.sought(topic_partition, Ok(()), now));
            }
            Err(error) => self.fail(Error::retriable("setting partitions going again").with_source(error)),
        }
    }

    /// All that is owned, each where it is to be read next.
    fn all_owned(&self) -> TopicPartitionList {
        let mut all = TopicPartitionList::new();
        for (topic_partition, owned) in &self.state().owned {
            add(&mut all, topic_partition, owned.next.map_or_else(|| self.reset.begin(), Offset::Offset));
        }
        all
    }

    /// Sends the messages of these partitions to the one queue.
    fn forward(&self, partitions: &TopicPartitionList) {
        let Some(queues) = self.inlet.queues() else { return };
        let state = self.state();
        for element in partitions.elements() {
            let owned = state.owned.get(&TopicPartition::new(element.topic(), element.partition()));
            if let Some(queue) = owned.and_then(|owned| owned.queue.as_ref()) {
                queue.forward_to(Some(&queues.messages));
            }
        }
    }

    /// Reads nothing from a partition, or reads on where it was left.
    pub(super) fn pause(&self, consumer: &BaseConsumer<Self>, topic_partition: &TopicPartition, epoch: u64, paused: bool) {
        {
            let mut state = self.state();
            let Some(owned) = state.owned.get_mut(topic_partition).filter(|owned| owned.generation.epoch == epoch) else { return };
            if owned.paused == paused {
                return;
            }
            owned.paused = paused;
            // librdkafka throws away what it has fetched, and has its own idea of where it was.
            if let (false, Some(next)) = (paused, owned.next) {
                state.reread(topic_partition, next);
            }
        }
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition(&topic_partition.topic, topic_partition.partition);
        if let Err(error) = if paused { consumer.pause(&list) } else { consumer.resume(&list) } {
            tracing::warn!(%topic_partition, paused, %error, "pausing or resuming a partition failed");
        }
    }
}

impl State {
    /// A seek has been carried out, or not.
    fn sought(&mut self, topic_partition: &TopicPartition, done: KafkaResult<()>, now: Instant) {
        let Some(owned) = self.owned.get_mut(topic_partition) else { return };
        match done {
            Ok(()) => {
                owned.wait = Wait::Nothing;
                owned.stopped = false;
            }
            Err(error) => {
                tracing::debug!(%topic_partition, %error, "a seek has to be repeated");
                owned.stopped |= error.rdkafka_error_code() == Some(RDKafkaErrorCode::State);
                owned.wait = Wait::Seek(Some(now + SEEK_PAUSE));
            }
        }
    }
}

fn add(list: &mut TopicPartitionList, TopicPartition { topic, partition }: &TopicPartition, offset: Offset) {
    if let Err(error) = list.add_partition_offset(topic, *partition, offset) {
        tracing::warn!(%topic, partition, ?offset, %error, "cannot read from this offset");
    }
}
