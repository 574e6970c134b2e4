//! The runtime's side of a sink task's context: requests, kept until the task's loop carries them out.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_api::{ErrantRecordReporter, METADATA_LIMIT, SinkTaskHost, TopicPartition};
use tokio::sync::Notify;

use super::ErrorHandler;
use crate::{consumer::TopicIds, rest::TaskHealth, shutdown::Spawner};

/// Less metadata than this says nothing any more.
const SMALLEST_METADATA: usize = 512;

/// What one sink task asks for.
pub(crate) struct Host {
    requests: Mutex<Requests>,
    topic_ids: Mutex<TopicIds>,
    metadata_limit: AtomicUsize,
    notify: Notify,
    health: TaskHealth,
    errors: Arc<ErrorHandler>,
    spawner: Spawner,
}

#[derive(Debug, Default)]
struct Requests {
    commit: bool,
    woken: bool,
    timeout: Option<Duration>,
    offsets: BTreeMap<TopicPartition, i64>,
    /// Of which topics partitions shall be.
    expected: BTreeMap<TopicPartition, Arc<str>>,
    /// Whether nothing shall be read, as it was said last.
    pauses: BTreeMap<TopicPartition, bool>,
}

impl Host {
    /// Nothing is asked for yet.
    pub(crate) fn new(health: TaskHealth, errors: Arc<ErrorHandler>, spawner: Spawner) -> Self {
        let metadata_limit = AtomicUsize::new(METADATA_LIMIT);
        Self {
            requests: Mutex::default(),
            topic_ids: Mutex::default(),
            metadata_limit,
            notify: Notify::new(),
            health,
            errors,
            spawner,
        }
    }

    /// The brokers have refused a commit for the size of its metadata. Returns what is tried next.
    pub(super) fn shrink_metadata(&self) -> usize {
        let less = (self.metadata_limit.load(Ordering::Relaxed) / 2).max(SMALLEST_METADATA);
        self.metadata_limit.store(less, Ordering::Relaxed);
        less
    }

    /// Waits until something is asked for.
    pub(super) async fn requested(&self) {
        self.notify.notified().await;
    }

    /// Whether a commit has been asked for.
    pub(super) fn wants_commit(&self) -> bool {
        self.lock().commit
    }

    /// Whether a commit has been asked for, which begins now.
    pub(super) fn take_commit(&self) -> bool {
        std::mem::take(&mut self.lock().commit)
    }

    /// Whether `put` has been asked for.
    pub(super) fn take_woken(&self) -> bool {
        std::mem::take(&mut self.lock().woken)
    }

    /// How long the sink task asked to be left alone, if it did.
    pub(super) fn take_timeout(&self) -> Option<Duration> {
        self.lock().timeout.take()
    }

    /// Where partitions shall be read from.
    pub(super) fn take_offsets(&self) -> BTreeMap<TopicPartition, i64> {
        std::mem::take(&mut self.lock().offsets)
    }

    /// Of which topics partitions shall be.
    pub(super) fn take_expected(&self) -> BTreeMap<TopicPartition, Arc<str>> {
        std::mem::take(&mut self.lock().expected)
    }

    /// Forgets from where a partition should be read, and of which topic: there is nothing to go back to.
    pub(super) fn forget_offset(&self, topic_partition: &TopicPartition) {
        let mut requests = self.lock();
        requests.offsets.remove(topic_partition);
        requests.expected.remove(topic_partition);
    }

    /// What shall be paused or read on among the partitions that are `known`; others are remembered.
    pub(super) fn take_pauses(&self, known: impl Fn(&TopicPartition) -> bool) -> BTreeMap<TopicPartition, bool> {
        self.lock().pauses.extract_if(.., |topic_partition, _| known(topic_partition)).collect()
    }

    /// Forgets what shall be paused of an assignment that ends.
    pub(super) fn forget_pauses(&self, gone: &[TopicPartition]) {
        self.lock().pauses.retain(|topic_partition, _| !gone.contains(topic_partition));
    }

    /// Remembers which topics these are.
    pub(super) fn set_topic_ids(&self, topic_ids: impl IntoIterator<Item = (String, Arc<str>)>) {
        self.topic_ids.lock().unwrap_or_else(PoisonError::into_inner).extend(topic_ids);
    }

    fn set_paused(&self, topic_partitions: &[TopicPartition], paused: bool) {
        self.lock().pauses.extend(topic_partitions.iter().map(|topic_partition| (topic_partition.clone(), paused)));
        self.notify.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SinkTaskHost for Host {
    fn request_commit(&self) {
        self.lock().commit = true;
        // The loop turns, and `put` follows, unless the sink task has asked to be left alone for a while.
        self.notify.notify_one();
    }

    fn wake(&self) {
        self.lock().woken = true;
        self.notify.notify_one();
    }

    fn offset(&self, topic_partition: TopicPartition, offset: i64) {
        self.lock().offsets.insert(topic_partition, offset);
        self.notify.notify_one();
    }

    fn pause(&self, topic_partitions: &[TopicPartition]) {
        self.set_paused(topic_partitions, true);
    }

    fn resume(&self, topic_partitions: &[TopicPartition]) {
        self.set_paused(topic_partitions, false);
    }

    fn topic_id(&self, topic: &str) -> Option<Arc<str>> {
        self.topic_ids.lock().unwrap_or_else(PoisonError::into_inner).get(topic).cloned()
    }

    fn expect_topic(&self, topic_partition: TopicPartition, topic_id: Arc<str>) {
        self.lock().expected.insert(topic_partition, topic_id);
        self.notify.notify_one();
    }

    fn metadata_limit(&self) -> usize {
        self.metadata_limit.load(Ordering::Relaxed)
    }

    fn timeout(&self, timeout: Duration) {
        self.lock().timeout = Some(timeout);
    }

    fn errant_record_reporter(&self) -> Option<&dyn ErrantRecordReporter> {
        self.errors.errant_record_reporter()
    }

    fn report_problem(&self, what: &'static str, problem: Option<String>) {
        self.health.set_problem(what, problem);
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.spawner.spawn(future);
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({:?})", self.health)
    }
}
