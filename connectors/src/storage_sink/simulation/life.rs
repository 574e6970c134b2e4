//! One life of the task, and the runtime's side of it.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use connect_api::{ErrantRecordReporter, Error, Result, SinkRecord, SinkTaskHost, TopicPartition};
use tokio::task::JoinSet;

use super::lock;
use crate::storage_sink::StorageSinkTask;

thread_local! {
    /// The wall clock.
    pub(super) static NOW: Cell<i64> = const { Cell::new(0) };
}

/// In the place of a topic's number: it is not known which topic has the name.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// What tells a topic from the others that had its name.
pub(super) fn topic_id(log: u32) -> Arc<str> {
    format!("log-{log}").into()
}

/// Stops a whole process: none of its futures goes on.
#[derive(Default)]
pub(super) struct Frost {
    is_frozen: bool,
    waiting: Vec<Waker>,
}

/// What the task asked for.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) commit: bool,
    pub(super) seek: Option<i64>,
    pub(super) is_paused: bool,
    pub(super) problems: BTreeSet<&'static str>,
    /// Ever paused, and how often a commit was asked for.
    pub(super) pauses: usize,
    pub(super) commits: usize,
    /// The same by partition.
    pub(super) seeks: BTreeMap<TopicPartition, i64>,
    pub(super) paused: BTreeSet<TopicPartition>,
    /// Which topics partitions must be of.
    pub(super) expected: BTreeMap<TopicPartition, Arc<str>>,
    /// All that was ever told as a problem.
    pub(super) told: Vec<String>,
}

/// The offsets of records that were reported, and with which errors.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports(pub(super) Arc<Mutex<Vec<i64>>>, pub(super) Arc<Mutex<Vec<String>>>);

impl ErrantRecordReporter for Reports {
    fn report(&self, record: &SinkRecord, error: &Error) -> Result<()> {
        lock(&self.0).push(record.offset());
        lock(&self.1).push(error.report());
        Ok(())
    }
}

/// The runtime's side of one life.
pub(super) struct Host {
    pub(super) requests: Mutex<Requests>,
    /// Where errors are tolerated: what was reported.
    pub(super) reports: Option<Reports>,
    /// As it is known, or [`UNKNOWN`].
    pub(super) topic_id: Mutex<u32>,
    spawned: Mutex<JoinSet<()>>,
    frost: Arc<Mutex<Frost>>,
}

impl Host {
    pub(super) fn new(topic_id: u32) -> Arc<Self> {
        Self::tolerating(topic_id, None)
    }

    /// One that takes records which cannot be written.
    pub(super) fn tolerating(topic_id: u32, reports: Option<Reports>) -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::default(),
            reports,
            topic_id: Mutex::new(topic_id),
            spawned: Mutex::default(),
            frost: Arc::default(),
        })
    }

    pub(super) fn freeze(&self) {
        lock(&self.frost).is_frozen = true;
    }

    pub(super) fn thaw(&self) {
        let mut frost = lock(&self.frost);
        frost.is_frozen = false;
        frost.waiting.drain(..).for_each(Waker::wake);
    }

    /// What runs beside the task ends at once.
    pub(super) fn abort(&self) {
        lock(&self.spawned).abort_all();
    }
}

impl SinkTaskHost for Host {
    fn request_commit(&self) {
        let mut requests = lock(&self.requests);
        requests.commit = true;
        requests.commits += 1;
    }

    fn wake(&self) {}

    fn offset(&self, topic_partition: TopicPartition, offset: i64) {
        let mut requests = lock(&self.requests);
        requests.seek = Some(offset);
        requests.seeks.insert(topic_partition, offset);
    }

    fn timeout(&self, _timeout: Duration) {}

    fn pause(&self, topic_partitions: &[TopicPartition]) {
        let mut requests = lock(&self.requests);
        requests.paused.extend(topic_partitions.iter().cloned());
        requests.is_paused = true;
        requests.pauses += 1;
    }

    fn resume(&self, topic_partitions: &[TopicPartition]) {
        let mut requests = lock(&self.requests);
        requests.is_paused = false;
        requests.paused.retain(|paused| !topic_partitions.contains(paused));
    }

    fn topic_id(&self, _topic: &str) -> Option<Arc<str>> {
        Some(*lock(&self.topic_id)).filter(|known| *known != UNKNOWN).map(topic_id)
    }

    fn expect_topic(&self, topic_partition: TopicPartition, topic_id: Arc<str>) {
        lock(&self.requests).expected.insert(topic_partition, topic_id);
    }

    fn errant_record_reporter(&self) -> Option<&dyn ErrantRecordReporter> {
        self.reports.as_ref().map(|reports| reports as &dyn ErrantRecordReporter)
    }

    fn report_problem(&self, what: &'static str, problem: Option<String>) {
        let mut requests = lock(&self.requests);
        requests.told.extend(problem.clone());
        let problems = &mut requests.problems;
        let _changed = if problem.is_some() { problems.insert(what) } else { problems.remove(what) };
    }

    fn spawn(&self, mut future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let frost = Arc::clone(&self.frost);
        let thawed = std::future::poll_fn(move |context| {
            let mut now = lock(&frost);
            if now.is_frozen {
                now.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            drop(now);
            future.as_mut().poll(context)
        });
        lock(&self.spawned).spawn(thawed);
    }
}

/// One life of the task.
pub(super) struct Life {
    pub(super) task: StorageSinkTask,
    pub(super) host: Arc<Host>,
    /// The next offset to read.
    pub(super) next: i64,
    /// Whether it drops records that others keep.
    pub(super) drops: bool,
}
