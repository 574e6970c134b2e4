//! Which copies are not in the queue yet, by the partition of their records: what a commit has to wait for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use connect_api::TopicPartition;
use tokio::{sync::watch, time::Instant};

use super::super::tolerance::OnRefusal;

/// The copies of all partitions.
#[derive(Debug, Default)]
pub(super) struct Pending {
    all: Mutex<HashMap<TopicPartition, Copies>>,
    count: Arc<AtomicUsize>,
}

/// The copies of one partition's records. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    state: Arc<watch::Sender<State>>,
    all: Arc<AtomicUsize>,
}

#[derive(Debug)]
pub(super) struct State {
    /// Not in the queue yet.
    pub(super) count: usize,
    /// What these hold.
    pub(super) bytes: usize,
    /// How many of them the sink task relies on.
    relied_on: usize,
    /// When one arrived last, or the first of these was sent.
    pub(super) progress: Instant,
    /// Why the queue takes none of these though it takes others, by offset.
    pub(super) refused: BTreeMap<i64, Refused>,
    /// Nobody waits for these any more: whoever reads the partition next sends them again.
    forgotten: bool,
}

/// A copy that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) reason: Arc<str>,
    on_refusal: OnRefusal,
}

impl Pending {
    /// A copy of a record of this partition is about to be sent. Under the lock, so that nobody who settles at the same time forgets the partition
    /// in between.
    pub(super) fn add(&self, topic_partition: &TopicPartition, bytes: usize, on_refusal: OnRefusal) -> Copies {
        let mut all = self.all();
        let copies = match all.get(topic_partition) {
            Some(copies) => copies,
            None => all.entry(topic_partition.clone()).or_insert(Copies { state: Arc::default(), all: self.count.clone() }),
        };
        self.count.fetch_add(1, Ordering::Relaxed);
        copies.state.send_modify(|state| {
            if state.count == 0 {
                state.progress = Instant::now();
            }
            state.count += 1;
            state.bytes += bytes;
            state.relied_on += usize::from(on_refusal == OnRefusal::FailTask);
        });
        copies.clone()
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// The copies of this partition that are not there, if any.
    pub(super) fn of(&self, topic_partition: &TopicPartition) -> Option<Copies> {
        self.all().get(topic_partition).cloned()
    }

    /// All partitions that have copies which are not there, in order.
    pub(super) fn partitions(&self) -> BTreeMap<TopicPartition, Copies> {
        let all = self.all();
        let waiting = all.iter().filter(|(_, copies)| copies.state.borrow().count > 0);
        waiting.map(|(topic_partition, copies)| (topic_partition.clone(), copies.clone())).collect()
    }

    /// Forgets a partition whose copies are all there.
    pub(super) fn forget_settled(&self, topic_partition: &TopicPartition) {
        let mut all = self.all();
        if all.get(topic_partition).is_some_and(|copies| copies.state.borrow().count == 0) {
            all.remove(topic_partition);
        }
    }

    /// Stops waiting for these partitions' copies.
    pub(super) fn forget(&self, partitions: &[TopicPartition]) {
        let mut all = self.all();
        for copies in partitions.iter().filter_map(|topic_partition| all.remove(topic_partition)) {
            copies.state.send_modify(|state| state.forgotten = true);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<TopicPartition, Copies>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copies {
    /// One of them is in the queue, or nobody waits for it.
    pub(super) fn ended(&self, offset: i64, bytes: usize, on_refusal: OnRefusal) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.state.send_modify(|state| {
            state.count -= 1;
            state.bytes -= bytes;
            state.relied_on -= usize::from(on_refusal == OnRefusal::FailTask);
            state.progress = Instant::now();
            state.refused.remove(&offset);
        });
    }

    /// The queue does not take the copy of the record at this offset.
    pub(super) fn refused(&self, offset: i64, reason: &str, on_refusal: OnRefusal) {
        let refused = Refused { reason: reason.into(), on_refusal };
        self.state.send_modify(|state| drop(state.refused.insert(offset, refused)));
    }

    /// Whether nobody waits for them any more.
    pub(super) fn is_forgotten(&self) -> bool {
        self.state.borrow().forgotten
    }

    /// What is known of them.
    pub(super) fn state(&self) -> watch::Ref<'_, State> {
        self.state.borrow()
    }

    /// Waits until all are there, or one is known not to be taken.
    pub(super) async fn decided(&self) {
        let mut state = self.state.subscribe();
        // The sender is at hand: it cannot be gone.
        let _decided = state.wait_for(|state| state.count == 0 || !state.refused.is_empty()).await;
    }
}

impl State {
    /// Why a copy is not taken that the sink task relies on, where the queue has this trouble.
    pub(super) fn broken_promise(&self, trouble: Option<&Arc<str>>) -> Option<Arc<str>> {
        let refused = self.refused.values().find(|refused| refused.on_refusal == OnRefusal::FailTask);
        let by_queue = trouble.filter(|_| self.relied_on > 0);
        refused.map(|refused| &refused.reason).or(by_queue).cloned()
    }
}

impl Default for State {
    fn default() -> Self {
        Self { count: 0, bytes: 0, relied_on: 0, progress: Instant::now(), refused: BTreeMap::new(), forgotten: false }
    }
}
