//! Brings copies to the queue, again and again where that is of use.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use connect_api::{Error, Reservation, Result, TopicPartition};
use rdkafka::{
    ClientContext, Message,
    config::{ClientConfig, RDKafkaLogLevel},
    error::{KafkaError, KafkaResult},
    message::{BorrowedHeaders, BorrowedMessage, DeliveryResult, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext},
    types::RDKafkaErrorCode,
};
use tokio::time::Instant;

use super::{
    super::tolerance::OnRefusal,
    pending::Copies,
    refusal::{By, Refusal, reason},
    waiting::Waiting,
};
use crate::{consumer::kafka::ClientLog, metrics::StageMetrics};

/// How long the thread waits for the client before it looks whether anything else is to be done.
const TURN: Duration = Duration::from_millis(100);

/// The same while copies are sent again in turns, for the first so many milliseconds of each turn.
const SHORT_TURN: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));

/// A producer with the thread that serves it. When it is dropped, what is not in the queue is given up: no offset after it has been committed.
pub(super) struct Carrier(Arc<Shared>);

struct Shared {
    topic: Arc<str>,
    producer: BaseProducer<Deliveries>,
    numbers: AtomicU64,
    stopping: AtomicBool,
}

/// What a copy is made of.
pub(super) struct Contents<'a> {
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: OwnedHeaders,
    /// Milliseconds since 1970; none lets the client decide.
    pub(super) timestamp: Option<i64>,
}

/// What goes with a copy, and comes back with the answer.
pub(super) struct Slip {
    pub(super) copies: Copies,
    pub(super) topic_partition: TopicPartition,
    pub(super) offset: i64,
    pub(super) on_refusal: OnRefusal,
    pub(super) counters: Arc<StageMetrics>,
    pub(super) reservation: Reservation,
    /// Whether it is counted among those that were refused.
    pub(super) is_counted: bool,
    /// The order in which records failed; the carrier sets it.
    pub(super) number: u64,
}

/// A copy that waits.
struct Letter {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: OwnedHeaders,
    timestamp: Option<i64>,
    slip: Box<Slip>,
}

impl Carrier {
    /// A producer of these settings; it works once it is served.
    ///
    /// # Errors
    /// What librdkafka refuses.
    pub(super) fn new(topic: &str, client: &ClientConfig, log: ClientLog) -> KafkaResult<Self> {
        let topic: Arc<str> = topic.into();
        let context = Deliveries { topic: topic.clone(), log, waiting: Mutex::default(), broken: OnceLock::new() };
        let producer = client.create_with_context(context)?;
        Ok(Self(Arc::new(Shared { topic, producer, numbers: AtomicU64::new(0), stopping: AtomicBool::new(false) })))
    }

    /// Starts the thread that serves it.
    ///
    /// # Errors
    /// `Fatal` where there can be no more threads.
    pub(super) fn serve(&self, name: String) -> Result<()> {
        let shared = self.0.clone();
        // A thread, as for consumers: librdkafka calls back on whatever thread asks, and that one has to wait.
        let started = std::thread::Builder::new().name(name).spawn(move || shared.serve());
        started.map(drop).map_err(|error| Error::fatal("starting a producer's thread").with_source(error))
    }

    /// Sends a copy without waiting for it.
    pub(super) fn send(&self, contents: Contents<'_>, mut slip: Box<Slip>) {
        let mut waiting = self.0.waiting();
        // Under the lock, so that numbers are in the order in which copies are sent.
        slip.number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        if waiting.admit() {
            drop(waiting);
            self.0.hand_over(contents, slip);
        } else {
            waiting.keep(slip.number, Letter::new(&contents, slip));
        }
    }

    /// Why the queue takes nothing now.
    pub(super) fn trouble(&self) -> Option<Arc<str>> {
        self.0.waiting().trouble()
    }

    /// Whether the client works.
    ///
    /// # Errors
    /// `Fatal` where it takes nothing any more.
    pub(super) fn check(&self) -> Result<()> {
        match self.0.producer.context().broken.get() {
            Some(why) => Err(Error::fatal(format!("the producer of the dead letter queue {} cannot go on: {why}", self.0.topic))),
            None => Ok(()),
        }
    }

    /// Lets go of copies that nobody waits for any more.
    pub(super) fn drop_forgotten(&self) {
        self.0.waiting().retain(|letter| !letter.slip.copies.is_forgotten());
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// The thread: serves the client, and sends again what has to wait, until nobody has the carrier any more.
    fn serve(&self) {
        let mut begun = Instant::now();
        while !self.stopping.load(Ordering::Relaxed) {
            // The client waits for the whole of this time, whatever happens: turns of a few copies would take a tenth of a second each.
            let is_short = self.waiting().is_sending_again() && begun.elapsed() < SHORT_TURN.1;
            self.producer.poll(if is_short { SHORT_TURN.0 } else { TURN });
            let round = self.waiting().next_round(Instant::now());
            if !round.is_empty() {
                begun = Instant::now();
            }
            for (_, Letter { key, value, headers, timestamp, slip }) in round {
                let contents = Contents { key: key.as_deref(), value: value.as_deref(), headers, timestamp };
                self.hand_over(contents, slip);
            }
        }
    }

    /// Gives an admitted copy to the client.
    fn hand_over(&self, contents: Contents<'_>, slip: Box<Slip>) {
        let mut message: BaseRecord<'_, [u8], [u8], _> = BaseRecord::with_opaque_to(&self.topic, slip).headers(contents.headers);
        (message.key, message.payload, message.timestamp) = (contents.key, contents.value, contents.timestamp);
        if let Err((error, BaseRecord { key, payload, timestamp, headers, delivery_opaque, .. })) = self.producer.send(message) {
            let contents = Contents { key, value: payload, headers: headers.unwrap_or_default(), timestamp };
            self.producer.context().refused(&contents, delivery_opaque, &error, By::Client);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<Letter>> {
        self.producer.context().waiting()
    }
}

impl Letter {
    fn new(contents: &Contents<'_>, slip: Box<Slip>) -> Self {
        let Contents { key, value, headers, timestamp } = contents;
        Self {
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: headers.as_borrowed().detach(),
            timestamp: *timestamp,
            slip,
        }
    }
}

impl<'a> Contents<'a> {
    /// What the client gives back with a refusal.
    fn of(message: &'a BorrowedMessage<'_>) -> Self {
        Self {
            key: message.key(),
            value: message.payload(),
            headers: message.headers().map(BorrowedHeaders::detach).unwrap_or_default(),
            timestamp: message.timestamp().to_millis(),
        }
    }
}

impl Slip {
    fn count_refusal(&mut self) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.counters.dead_letter_queue_failures.inc();
        }
    }
}

impl Drop for Slip {
    /// Its copy is not waited for any more.
    fn drop(&mut self) {
        let bytes = self.reservation.bytes();
        // First, so that whoever has waited finds the bytes given back.
        self.reservation.resize(0);
        self.copies.ended(self.offset, bytes, self.on_refusal);
    }
}

/// Takes the brokers' answers.
struct Deliveries {
    topic: Arc<str>,
    log: ClientLog,
    waiting: Mutex<Waiting<Letter>>,
    /// Why the client takes nothing any more.
    broken: OnceLock<String>,
}

impl Deliveries {
    fn arrived(&self, slip: Box<Slip>) {
        if self.waiting().arrived(Instant::now()) {
            tracing::info!(topic = &*self.topic, "the dead letter queue takes records again");
        }
        drop(slip);
    }

    /// Keeps a copy that was not taken, for as long as somebody waits for it.
    fn refused(&self, contents: &Contents<'_>, mut slip: Box<Slip>, error: &KafkaError, by: By) {
        let refusal = Refusal::of(error);
        if refusal == Refusal::Purged {
            // Before the copy is dropped: it must not look as if it had arrived.
            let _known = self.broken.set("the client has given up what it had to send".to_owned());
        }
        if refusal == Refusal::Purged || slip.copies.is_forgotten() {
            return self.waiting().dropped();
        }
        let why = reason(error, by);
        let (copies, number, offset) = (slip.copies.clone(), slip.number, slip.offset);
        let now = Instant::now();
        match refusal {
            Refusal::Contents => {
                let (topic_partition, on_refusal) = (slip.topic_partition.clone(), slip.on_refusal);
                let letter = Letter::new(contents, slip);
                let mut waiting = self.waiting();
                if let Some(letter) = waiting.does_not_fit(number, letter, by == By::Client, now) {
                    letter.slip.count_refusal();
                    copies.refused(offset, &why, on_refusal);
                    drop(waiting);
                    tracing::error!(
                        topic = &*self.topic, %topic_partition, offset, error = why,
                        "could not send a record to the dead letter queue; no later offset of its partition is committed until it is there"
                    );
                }
            }
            Refusal::Queue | Refusal::Purged => {
                slip.count_refusal();
                if self.waiting().queue_refuses(number, Letter::new(contents, slip), &why, now) {
                    tracing::error!(
                        topic = &*self.topic,
                        error = why,
                        "the dead letter queue takes no records; offsets after them are not committed until it does"
                    );
                }
            }
            Refusal::Client => {
                slip.count_refusal();
                // Before the copy is dropped: whoever finds it gone finds out why, and commits nothing.
                let _known = self.broken.set(why);
                self.waiting().dropped();
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<Letter>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            let _known = self.broken.set(reason.to_owned());
        }
        tracing::warn!(topic = &*self.topic, %error, reason, "trouble with the dead letter queue, its producer goes on");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Slip>;

    fn delivery(&self, result: &DeliveryResult<'_>, slip: Box<Slip>) {
        match result {
            Ok(_) => self.arrived(slip),
            Err((error, message)) => self.refused(&Contents::of(message), slip, error, By::Broker),
        }
    }
}
