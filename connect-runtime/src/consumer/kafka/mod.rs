//! The consumer on librdkafka. Nothing outside this folder knows librdkafka but the dead letter queue's producer.

mod client_log;
mod context;
mod identify;
mod joining;
mod lookups;
mod mend;
mod metadata;
#[cfg(test)]
pub(crate) mod mock;
mod native;
mod offsets;
mod prefetch;
mod probe;
mod questions;
mod records;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod thread;
mod topic_ids;
mod trial;
mod trouble;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
    mpsc as std_mpsc,
};

use connect_api::{Error, Result};
use tokio::sync::mpsc;

pub(crate) use client_log::{ClientLog, pass_on};
pub(crate) use probe::probe;
pub(crate) use settings::{KafkaSettings, prefetch_for, refused, refused_value};
pub(crate) use trial::refused_together;

use super::{Command, ConsumerHandle};
use native::Queue;

/// Batches that wait for the task: enough to keep it busy while the thread copies the next one.
const BATCHES_IN_FLIGHT: usize = 3;

/// Makes a consumer and its thread, which ends after [`Event::Failed`](super::Event::Failed) or
/// [`Event::Closed`](super::Event::Closed).
///
/// # Errors
/// `Config` where librdkafka refuses its settings.
pub(crate) fn start(settings: KafkaSettings) -> Result<ConsumerHandle> {
    let (events_sender, events) = mpsc::unbounded_channel();
    let (batches_sender, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
    let (commands_sender, commands) = std_mpsc::channel();
    let (inlet, stopping): (Arc<Inlet>, Arc<AtomicBool>) = Default::default();
    let name = settings.thread_name();
    let thread = thread::ConsumerThread::new(settings, events_sender, batches_sender, commands, (inlet.clone(), stopping.clone()))?;
    // A thread, not a task: librdkafka calls back synchronously during a rebalance, and the callback must block until the task
    // has closed its partitions.
    std::thread::Builder::new()
        .name(name)
        .spawn(move || thread.run())
        .map_err(|error| Error::fatal("starting a consumer's thread").with_source(error))?;
    let waker = inlet.clone();
    let handle = ConsumerHandle::new(events, batches, move |command| {
        if matches!(command, Command::Stop { .. }) {
            stopping.store(true, Ordering::Relaxed);
        }
        // A thread that has ended has said so.
        let _gone = commands_sender.send(command);
        inlet.wake();
    });
    Ok(handle.waking(move || waker.wake()))
}

/// The queues of a consumer; empty once it closes.
#[derive(Default)]
struct Inlet(Mutex<Option<Queues>>);

#[derive(Clone)]
struct Queues {
    /// Messages of all partitions arrive here, and the thread waits here.
    messages: Arc<Queue>,
    /// Results of commits arrive here; the thread waits here while it has no room for messages.
    commits: Arc<Queue>,
    /// Lines of librdkafka's log arrive here.
    log: Arc<Queue>,
    /// Answers to questions arrive here.
    answers: Arc<Queue>,
}

impl Inlet {
    /// Ends the thread's waiting.
    fn wake(&self) {
        if let Some(queues) = self.lock().as_ref() {
            queues.messages.wake();
            queues.commits.wake();
        }
    }

    /// The queues, unless the consumer closes.
    fn queues(&self) -> Option<Queues> {
        self.lock().clone()
    }

    /// Opens it or, with `None`, closes it for good.
    fn set(&self, queues: Option<Queues>) {
        *self.lock() = queues;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Queues>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
