//! The thread that owns a consumer: polls for rebalances, drains batches, carries out commands.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc as std_mpsc,
    },
    time::Duration,
};

use connect_api::{Error, Result, TopicPartition};
use rdkafka::{
    Message as _,
    consumer::{Consumer, base_consumer::BaseConsumer},
    error::KafkaError,
};
use tokio::{
    sync::mpsc::{Sender, UnboundedSender, error::TrySendError},
    time::Instant,
};

use super::{
    Inlet, KafkaSettings, Queues,
    client_log::ClientLog,
    context::{Context, LAST_COMMIT},
    joining::{self, Joining},
    native::{Messages, Queue},
    prefetch::Prefetch,
    records::Copier,
    settings::refused,
    state::State,
    topic_ids::Changes,
};
use crate::{
    consumer::{Batch, Command, EpochOffset, Event, Subscription},
    rest::TaskLoop,
};

/// Records of a batch at most.
const BATCH_RECORDS: usize = 1000;

/// How long to wait for a message; whatever else happens ends the wait.
const IDLE_WAIT: Duration = Duration::from_millis(50);

/// How long to wait for the result of a commit before looking again; also the first wait for memory.
const BUSY_WAIT: Duration = Duration::from_millis(2);

/// How long to wait for an answer before looking again; also the longest wait for memory, of which nobody tells when it comes back.
const ANSWER_WAIT: Duration = Duration::from_millis(10);

/// Events served before messages are looked at again.
const EVENTS_AT_ONCE: usize = 4;

/// How long to wait for the cluster's list of topics: rebalances wait as long.
const METADATA_TIMEOUT: Duration = Duration::from_secs(3);

/// Between two looks at where the logs end, for whoever looks at the metrics.
const ENDS_EVERY: Duration = Duration::from_secs(1);

/// At each so manieth of them the brokers are asked about partitions that are not read for now.
const ASK_EVERY: u32 = 5;

/// Between two looks for topics while none is known.
const NO_TOPICS_WAIT: Duration = Duration::from_secs(1);

/// A consumer and all that its thread needs. What is librdkafka's goes before the client does, also where the thread panics: see its `drop`.
pub(super) struct ConsumerThread {
    messages: Messages,
    queue: Option<Arc<Queue>>,
    inlet: Arc<Inlet>,
    consumer: BaseConsumer<Context>,
    context: Arc<Context>,
    batches: Sender<Batch>,
    commands: std_mpsc::Receiver<Command>,
    settings: KafkaSettings,
    subscribed: BTreeSet<String>,
    next_topics: Instant,
    next_ends: Instant,
    looks_at_ends: u32,
    copier: Copier,
    /// A batch that the task has no room for yet.
    waiting: Option<Batch>,
    /// The memory budget was used up when last looked at.
    exhausted: bool,
    /// How long to wait before looking for memory again.
    room_wait: Duration,
    /// Records that probably make a batch of the size that is aimed at.
    most: usize,
}

/// How the thread was told to end.
struct Stop {
    offsets: Vec<EpochOffset>,
    within: Duration,
}

impl ConsumerThread {
    /// Makes the consumer; nothing is joined before [`ConsumerThread::run`].
    pub(super) fn new(
        settings: KafkaSettings,
        events: UnboundedSender<Event>,
        batches: Sender<Batch>,
        commands: std_mpsc::Receiver<Command>,
        shared: (Arc<Inlet>, Arc<AtomicBool>),
    ) -> Result<Self> {
        let (inlet, stopping) = shared;
        let context = Context {
            events,
            reset: settings.reset(),
            patience: settings.patience(),
            inlet: inlet.clone(),
            stopping,
            prefetch: Prefetch::new(&settings.budget, settings.prefetch),
            closing: AtomicBool::new(false),
            health: settings.health.clone(),
            changes: Changes::default(),
            log: ClientLog::new(settings.thread_name(), &settings.properties),
            state: Mutex::new(State::default()),
        };
        let mut consumer: BaseConsumer<Context> =
            settings.client_config().create_with_context(context).map_err(|error| refused(&error))?;
        let queue = Arc::new(Queue::new(consumer.client()));
        let commits = Arc::new(Queue::new(consumer.client()));
        let answers = Arc::new(Queue::new(consumer.client()));
        let log = Arc::new(Queue::new(consumer.client()));
        Queue::set_log(consumer.client(), Some(&log));
        inlet.set(Some(Queues { messages: queue.clone(), commits, log, answers }));
        let waker = inlet.clone();
        consumer.set_nonempty_callback(move || waker.wake());
        Ok(Self {
            messages: Messages::default(),
            queue: Some(queue),
            inlet,
            context: consumer.context().clone(),
            consumer,
            batches,
            commands,
            settings,
            subscribed: BTreeSet::new(),
            next_topics: Instant::now(),
            next_ends: Instant::now() + ENDS_EVERY,
            looks_at_ends: 0,
            copier: Copier::default(),
            waiting: None,
            exhausted: false,
            room_wait: BUSY_WAIT,
            most: BATCH_RECORDS,
        })
    }

    /// What librdkafka calls back.
    #[cfg(test)]
    pub(super) fn context(&self) -> Arc<Context> {
        self.context.clone()
    }

    /// Runs until told to stop, or until the client fails or the task has gone.
    pub(super) fn run(mut self) {
        let ended = self.turn_until_stopped();
        self.context.closing.store(true, Ordering::Relaxed);
        if let Ok(Some(stop)) = &ended {
            self.commit(LAST_COMMIT, stop.offsets.clone());
            self.context.finish_commit(LAST_COMMIT, stop.within);
        }
        let context = self.context.clone();
        // The client leaves the group on its way.
        drop(self);
        context.send(match ended {
            Ok(_) => Event::Closed,
            Err(error) => Event::Failed(error),
        });
    }

    fn turn_until_stopped(&mut self) -> Result<Option<Stop>> {
        let mut wait = Duration::ZERO;
        loop {
            self.settings.health.turned(TaskLoop::Consumer);
            self.serve_events(Duration::ZERO)?;
            self.context.serve_commits(Duration::ZERO);
            match self.serve_commands() {
                Continue::Turning => {}
                Continue::Stopping(stop) => return Ok(stop),
            }
            self.context.mend(&self.consumer);
            self.hurry_joining();
            let now = Instant::now();
            if now >= self.next_topics {
                self.look_for_topics();
            }
            if now >= self.next_ends {
                self.next_ends = now + ENDS_EVERY;
                self.looks_at_ends += 1;
                let may_ask = self.looks_at_ends.is_multiple_of(ASK_EVERY);
                self.context.show_log_ends(&self.consumer, !self.exhausted, may_ask);
            }
            wait = if self.has_room() { self.read(wait)? } else { self.wait_for_room() };
        }
    }

    /// Waits where commands, events, results of commits and the task end the wait; only memory comes back unheard.
    fn wait_for_room(&mut self) -> Duration {
        let wait = if self.exhausted { self.room_wait } else { IDLE_WAIT };
        self.room_wait = (self.room_wait * 2).min(ANSWER_WAIT);
        self.context.serve_commits(if self.context.state().asks() { wait.min(ANSWER_WAIT) } else { wait });
        Duration::ZERO
    }

    /// Rebalances, results of commits, errors and statistics arrive here and nowhere else.
    fn serve_events(&mut self, wait: Duration) -> Result<()> {
        for turn in 0..EVENTS_AT_ONCE {
            match self.consumer.poll(if turn == 0 { wait } else { Duration::ZERO }) {
                None => {}
                Some(Ok(message)) => {
                    // Messages are expected in the other queue: read it again there.
                    let topic_partition = TopicPartition::new(message.topic(), message.partition());
                    self.context.state().reread(&topic_partition, message.offset());
                }
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                    return Err(Error::fatal(format!("the Kafka client cannot go on: {code}")));
                }
                // The context has said so already.
                Some(Err(error)) => tracing::debug!(%error, "event of the consumer"),
            }
        }
        self.context.state().failure.take().map_or(Ok(()), Err)
    }

    fn serve_commands(&mut self) -> Continue {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Commit { seq, offsets }) => self.commit(seq, offsets),
                Ok(Command::Seek { topic_partition, generation, offset }) => {
                    self.context.state().request_seek(&topic_partition, generation, offset);
                }
                Ok(Command::Expect { topic_partition, generation, topic_id }) => {
                    self.context.state().expect(&topic_partition, generation, &topic_id, Instant::now());
                }
                Ok(Command::Pause { topic_partition, epoch, paused }) => {
                    self.context.pause(&self.consumer, &topic_partition, epoch, paused);
                }
                Ok(Command::Stop { offsets, within }) => return Continue::Stopping(Some(Stop { offsets, within })),
                Err(std_mpsc::TryRecvError::Disconnected) => return Continue::Stopping(None),
                Err(std_mpsc::TryRecvError::Empty) => return Continue::Turning,
            }
        }
    }

    fn commit(&self, seq: u64, offsets: Vec<EpochOffset>) {
        let offsets = self.context.state().current(offsets);
        if offsets.is_empty() {
            return self.context.send(Event::Committed { seq, offsets, error: None });
        }
        self.context.commit(&self.consumer, seq, offsets);
    }

    fn hurry_joining(&self) {
        let due = self.context.state().joining.as_mut().is_some_and(Joining::is_due);
        if let Some(topic) = self.subscribed.first().filter(|_| due) {
            joining::ask(&self.consumer, topic);
        }
    }

    /// Subscribes to the topics that match now, if they are others than before.
    fn look_for_topics(&mut self) {
        let listed = matches!(self.settings.subscription, Subscription::Topics(_));
        let topics = match self.existing_topics(listed) {
            Ok(existing) => self.settings.subscription.select(existing.iter().map(String::as_str)),
            Err(error) => {
                tracing::warn!(%error, "cannot list topics, trying again");
                self.next_topics = Instant::now() + NO_TOPICS_WAIT;
                return;
            }
        };
        let subscribed = if topics == self.subscribed { Ok(()) } else { self.subscribe(&topics) };
        let pause = if self.subscribed.is_empty() || subscribed.is_err() {
            NO_TOPICS_WAIT.min(self.settings.metadata_max_age())
        } else if listed {
            // The list never changes; whether its topics exist is librdkafka's to find out.
            Duration::from_secs(u64::from(u32::MAX))
        } else {
            self.settings.metadata_max_age()
        };
        self.next_topics = Instant::now() + pause;
    }

    fn existing_topics(&self, listed: bool) -> Result<Vec<String>, KafkaError> {
        if listed {
            return Ok(Vec::new());
        }
        let metadata = self.consumer.fetch_metadata(None, METADATA_TIMEOUT)?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    fn subscribe(&mut self, topics: &BTreeSet<String>) -> Result<(), KafkaError> {
        tracing::info!(?topics, "subscribing");
        if topics.is_empty() {
            self.consumer.unsubscribe();
        } else {
            let names: Vec<_> = topics.iter().map(String::as_str).collect();
            self.consumer.subscribe(&names).inspect_err(|error| tracing::warn!(%error, "subscribing failed, trying again"))?;
        }
        self.subscribed.clone_from(topics);
        let mut state = self.context.state();
        if state.is_idle() {
            state.joining = Some(Joining::begin());
        }
        Ok(())
    }

    /// Whether the next batch has a place to go and the memory to be in.
    fn has_room(&mut self) -> bool {
        if let Some(batch) = self.waiting.take() {
            // A task that has gone is noticed where commands are read.
            if let Err(TrySendError::Full(batch)) = self.batches.try_send(batch) {
                self.waiting = Some(batch);
            }
        }
        let exhausted = self.settings.budget.is_exhausted();
        if exhausted != self.exhausted {
            self.exhausted = exhausted;
            self.context.send(Event::Paused(exhausted));
        }
        let has_room = self.waiting.is_none() && !exhausted;
        if has_room {
            self.room_wait = BUSY_WAIT;
        }
        has_room
    }

    /// Reads one batch; returns how long to wait for the next one.
    fn read(&mut self, wait: Duration) -> Result<Duration> {
        let Some(queue) = &self.queue else { return Ok(wait) };
        queue.take(&mut self.messages, self.most, wait);
        // After they were taken: what is read of a log that has begun anew counts no more.
        self.context.look_at_changes();
        let new_logs = std::mem::take(&mut self.context.state().new_logs);
        if self.messages.len() == 0 && new_logs.is_empty() {
            return Ok(self.idle_wait());
        }
        let errors = self.context.look_at_errors(&mut self.messages)?;
        let now = Instant::now();
        let mut state = self.context.state();
        let mut copied = self.copier.copy(&self.messages, |topic, partition| state.reading(topic, partition));
        let mended = state.advance(&mut copied.partitions, now);
        drop(state);
        mended.iter().for_each(|topic_partition| self.context.show_mended(topic_partition));
        if errors {
            self.context.follow_errors(&self.messages)?;
        }
        let read = self.messages.len();
        self.messages.clear();
        self.most = (read * self.settings.budget.batch_bytes() / copied.bytes.max(1)).clamp(1, BATCH_RECORDS);
        if !copied.partitions.is_empty() || !new_logs.is_empty() {
            let reservation = self.settings.budget.reserve(copied.bytes);
            self.waiting = Some(Batch { new_logs, partitions: copied.partitions, reservation });
        }
        Ok(Duration::ZERO)
    }

    fn idle_wait(&self) -> Duration {
        let state = self.context.state();
        if state.awaits_commits() {
            BUSY_WAIT
        } else if state.asks() {
            ANSWER_WAIT
        } else {
            IDLE_WAIT
        }
    }
}

impl Drop for ConsumerThread {
    /// Everything that is librdkafka's goes before the client does: messages point into it. Nobody is asked any more, and nothing of the
    /// partitions is shown.
    fn drop(&mut self) {
        self.context.closing.store(true, Ordering::Relaxed);
        self.messages.clear();
        self.context.clear();
        Queue::set_log(self.consumer.client(), None);
        self.inlet.set(None);
        self.queue = None;
    }
}

/// Whether the thread goes on.
enum Continue {
    Turning,
    Stopping(Option<Stop>),
}
