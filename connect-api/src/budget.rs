//! One memory budget for everything that waits to become durable: of the process, of its connectors, of their tasks.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

/// Bytes of a batch that consumers aim at, where many share the limit and at most.
const BATCH_BYTES: (usize, usize) = (64 << 10, 1 << 20);

/// The part of the limit that is kept for what consumers fetch ahead, and the part that batches aim to stay within: one in so many.
const PART: usize = 4;

/// Counts bytes against the limit of a process, and says who may read on. Clones share the count.
///
/// A budget belongs to the process ([`Budget::new`]), to one of its connectors ([`Budget::connector`]) or to one of that connector's tasks
/// ([`Budget::task`]); what is reserved counts at its own and at all above it. One that was never split is process, connector and task in one.
///
/// Reserving never fails and never waits: what has been read must be kept. Whoever reads asks [`Budget::is_exhausted`] first, and stops
/// reading while it is.
///
/// # What is promised
/// A task may read where one of these holds, unless its owner has [stopped it](Budget::stop_reading):
///
/// * nothing of its own is *in motion* (batches, uploads: what comes back by itself) but what is known to be [stuck](Budget::stuck). So every task can
///   always have one batch in motion, whoever else is stuck, and however much is *parked* (an open file that waits for more records, and comes back
///   only if reading goes on);
/// * its connector holds less than its [share](Budget::share) of the limit. So no connector is stopped by another one;
/// * the process holds less than its limit, and the connector's store takes what it is sent: what others do not use may be borrowed, but not by
///   whom it would never come back from ([`Budget::set_refused`]).
///
/// # What it may cost
/// The limit is passed by one batch for each task, and, while a connector gives back what it had borrowed, by as much as the others are owed by
/// then: one share between two connectors, at most the limit less the borrower's share between many. Bytes that are parked do not stop a task
/// that has nothing in motion: [`Budget::is_tight`] tells their owner to let go of them. What is fetched ahead has a quarter of the limit beside
/// it ([`Budget::prefetch`]).
#[derive(Clone, Debug)]
pub struct Budget(Arc<Node>);

/// The process, a connector, or a task.
#[derive(Debug)]
struct Node {
    level: Level,
    /// The process's.
    limit: usize,
    /// `None` of the process. Held, so that a connector is counted as long as one of its tasks.
    parent: Option<Budget>,
    /// Bytes that come back by themselves.
    moving: AtomicUsize,
    /// Bytes that come back if reading goes on.
    parked: AtomicUsize,
    /// Bytes fetched ahead.
    prefetched: AtomicUsize,
    /// Of the bytes in motion those that do not come back for now; counted at whose they are alone.
    stuck: AtomicUsize,
    /// Connectors of the process, or tasks of the connector.
    children: AtomicUsize,
    /// Tasks of the process; counted there only.
    tasks: AtomicUsize,
    /// Whether this one says that its store refuses what it is sent.
    refused: AtomicBool,
    /// Nothing may be read, whatever there is room for.
    is_stopped: AtomicBool,
    /// How many say so: of a connector its tasks and itself; counted there only.
    refusals: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Process,
    Connector,
    Task,
}

/// What bytes are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Moving,
    Parked,
    Prefetched,
}

impl Budget {
    /// The budget of a process: this many bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Node::new(Level::Process, limit, None)))
    }

    /// The budget of one more connector of this process. It counts among the connectors until it, its clones, its tasks and all their
    /// reservations are dropped.
    pub fn connector(&self) -> Self {
        let process = self.process();
        process.0.children.fetch_add(1, Relaxed);
        Self(Arc::new(Node::new(Level::Connector, self.0.limit, Some(process.clone()))))
    }

    /// The budget of one more task of this connector, counted likewise. Of a process: of a connector of its own.
    pub fn task(&self) -> Self {
        let connector = match self.0.level {
            Level::Process => self.connector(),
            Level::Connector | Level::Task => self.of_connector().clone(),
        };
        connector.0.children.fetch_add(1, Relaxed);
        connector.process().0.tasks.fetch_add(1, Relaxed);
        Self(Arc::new(Node::new(Level::Task, self.0.limit, Some(connector))))
    }

    /// Takes bytes until the reservation is dropped.
    pub fn reserve(&self, bytes: usize) -> Reservation {
        self.take(Use::Moving, bytes)
    }

    /// Takes bytes that come back only when reading goes on.
    pub fn park(&self, bytes: usize) -> Reservation {
        self.take(Use::Parked, bytes)
    }

    /// Takes bytes that a consumer fetches ahead. A quarter of the limit is kept for them, beside it: only what all of them have beyond that
    /// quarter counts against the limit, and only what a connector's have beyond a quarter of its share counts against its share.
    pub fn prefetch(&self, bytes: usize) -> Reservation {
        self.take(Use::Prefetched, bytes)
    }

    /// Counts bytes in motion that do not come back for now: a store or a queue does not take them. Whoever has them must see to it that they do not
    /// become more and more, by pausing what they come from.
    pub fn stuck(&self) -> Stuck {
        Stuck { budget: self.clone(), bytes: 0 }
    }

    fn take(&self, taken_for: Use, bytes: usize) -> Reservation {
        let mut reservation = Reservation { budget: self.clone(), bytes: 0, taken_for };
        reservation.resize(bytes);
        reservation
    }

    /// Bytes that the process may hold.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes that this one holds now, with those that are fetched ahead.
    pub fn used(&self) -> usize {
        [Use::Moving, Use::Parked, Use::Prefetched].into_iter().map(|taken_for| self.0.count(taken_for).load(Relaxed)).sum()
    }

    /// Bytes that this one can always count on: the limit, divided by the connectors there are, divided by the connector's tasks.
    pub fn share(&self) -> usize {
        match (self.0.level, &self.0.parent) {
            (Level::Process, _) | (_, None) => self.0.limit,
            (_, Some(parent)) => parent.share() / parent.0.children.load(Relaxed).max(1),
        }
    }

    /// The share of the connector that this belongs to; of the process where there is none.
    pub fn connector_share(&self) -> usize {
        match (self.0.level, &self.0.parent) {
            (Level::Task, Some(connector)) => connector.share(),
            _ => self.share(),
        }
    }

    /// Tasks of the process; one where it was never split.
    pub fn tasks(&self) -> usize {
        self.process().0.tasks.load(Relaxed).max(1)
    }

    /// Bytes that a batch should have: less where many tasks share the limit, since each may have one whatever the limit is.
    pub fn batch_bytes(&self) -> usize {
        (self.limit() / PART / self.tasks()).clamp(BATCH_BYTES.0, BATCH_BYTES.1)
    }

    /// Whether reading must stop.
    pub fn is_exhausted(&self) -> bool {
        let connector = self.of_connector();
        let may_read = self.0.moving.load(Relaxed) <= self.0.stuck.load(Relaxed)
            || connector.counted() < connector.share()
            || (!connector.is_refused() && self.process().counted() < self.limit());
        !may_read || self.0.is_stopped.load(Relaxed)
    }

    /// Whether what is parked must leave memory: it has more than three quarters of its connector's share, and the process as much of its limit. The rest is
    /// for what is in motion, and comes back by itself.
    pub fn is_full(&self) -> bool {
        let connector = self.of_connector();
        connector.parked() > connector.share() / 4 * 3 && self.process().counted() > self.limit() / 4 * 3
    }

    /// Whether the process holds more than its limit.
    pub fn is_over(&self) -> bool {
        self.process().counted() > self.limit()
    }

    /// Bytes that are parked.
    pub fn parked(&self) -> usize {
        self.0.parked.load(Relaxed)
    }

    /// Stops reading, or lets it go on: what is parked has no room in memory and nowhere else.
    pub fn stop_reading(&self, is_stopped: bool) {
        self.0.is_stopped.store(is_stopped, Relaxed);
    }

    /// Whether it is time to let go of what can be let go of: more than half of the limit is used, or more than half of the share of a
    /// connector that may not borrow.
    pub fn is_tight(&self) -> bool {
        let connector = self.of_connector();
        self.process().counted() > self.limit() / 2 || (connector.is_refused() && connector.counted() > connector.share() / 2)
    }

    /// The connector's store refuses what it is sent, or takes it again. As long as one of a connector's tasks says that it does, the connector
    /// does not borrow: it would never give back.
    pub fn set_refused(&self, refused: bool) {
        if self.0.refused.swap(refused, Relaxed) != refused {
            adjust(&self.of_connector().0.refusals, usize::from(!refused), usize::from(refused));
        }
    }

    fn is_refused(&self) -> bool {
        self.0.refusals.load(Relaxed) > 0
    }

    /// Bytes that count against the share.
    fn counted(&self) -> usize {
        let prefetched = self.0.prefetched.load(Relaxed).saturating_sub(self.share() / PART);
        self.0.moving.load(Relaxed) + self.0.parked.load(Relaxed) + prefetched
    }

    /// This one and those it is a part of.
    fn lineage(&self) -> impl Iterator<Item = &Self> {
        iter::successors(Some(self), |budget| budget.0.parent.as_ref())
    }

    fn process(&self) -> &Self {
        self.lineage().last().unwrap_or(self)
    }

    /// The connector that this one is or belongs to; the process where that was never split.
    fn of_connector(&self) -> &Self {
        match (self.0.level, &self.0.parent) {
            (Level::Task, Some(connector)) => connector,
            _ => self,
        }
    }
}

impl Node {
    fn new(level: Level, limit: usize, parent: Option<Budget>) -> Self {
        let count = AtomicUsize::default;
        Self {
            level,
            limit,
            parent,
            moving: count(),
            parked: count(),
            prefetched: count(),
            stuck: count(),
            children: count(),
            tasks: count(),
            refused: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            refusals: count(),
        }
    }

    fn count(&self, taken_for: Use) -> &AtomicUsize {
        match taken_for {
            Use::Moving => &self.moving,
            Use::Parked => &self.parked,
            Use::Prefetched => &self.prefetched,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let Some(parent) = &self.parent else { return };
        parent.0.children.fetch_sub(1, Relaxed);
        if self.level == Level::Task {
            parent.process().0.tasks.fetch_sub(1, Relaxed);
            parent.0.refusals.fetch_sub(usize::from(*self.refused.get_mut()), Relaxed);
        }
    }
}

/// Bytes taken from a [`Budget`], given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    bytes: usize,
    taken_for: Use,
}

impl Reservation {
    /// Takes or gives back the difference.
    pub fn resize(&mut self, bytes: usize) {
        self.budget.lineage().for_each(|budget| adjust(budget.0.count(self.taken_for), self.bytes, bytes));
        self.bytes = bytes;
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Parked bytes will come back by themselves from now on.
    pub fn set_in_motion(&mut self) {
        if self.taken_for == Use::Parked {
            self.taken_for = Use::Moving;
            for Budget(node) in self.budget.lineage() {
                adjust(&node.moving, 0, self.bytes);
                adjust(&node.parked, self.bytes, 0);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.resize(0);
    }
}

/// How many bytes of a [`Budget`] are stuck; none any more when it is dropped.
#[derive(Debug)]
pub struct Stuck {
    budget: Budget,
    bytes: usize,
}

impl Stuck {
    /// So many are, from now on.
    pub fn set(&mut self, bytes: usize) {
        adjust(&self.budget.0.stuck, self.bytes, bytes);
        self.bytes = bytes;
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.set(0);
    }
}

fn adjust(count: &AtomicUsize, from: usize, to: usize) {
    if to >= from {
        count.fetch_add(to - from, Relaxed);
    } else {
        count.fetch_sub(from - to, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn bytes_come_back_when_a_reservation_is_dropped() {
        let budget = Budget::new(10);
        let mut reservation = budget.reserve(4);
        reservation.resize(11);
        assert!(budget.is_exhausted());
        reservation.resize(3);
        assert_eq!(budget.used(), 3);
        drop(reservation);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn parked_bytes_alone_never_stop_reading() {
        let budget = Budget::new(10);
        let mut file = budget.park(20);
        assert!(!budget.is_exhausted());
        let upload = budget.reserve(1);
        assert!(budget.is_exhausted());
        drop(upload);
        assert!(!budget.is_exhausted());
        file.set_in_motion();
        assert!(budget.is_exhausted());
        drop(file);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_a_task_reserves_counts_at_its_connector_and_the_process() {
        let process = Budget::new(100);
        let (one, other) = (process.connector(), process.connector());
        let (task, sibling) = (one.task(), one.task());
        let mut held = task.park(7);
        held.set_in_motion();
        held.resize(9);
        let ahead = task.prefetch(5);
        assert_eq!([&process, &one, &task].map(Budget::used), [14; 3]);
        assert_eq!([&other, &sibling].map(Budget::used), [0; 2]);
        drop((held, ahead));
        assert_eq!([&process, &one, &task].map(Budget::used), [0; 3]);
    }

    #[test]
    fn shares_follow_the_connectors_and_tasks_there_are() {
        let process = Budget::new(120);
        assert_eq!((process.share(), process.tasks()), (120, 1));
        let (one, other) = (process.connector(), process.connector());
        let (first, second) = (one.task(), one.task());
        assert_eq!((process.share(), one.share(), first.share(), process.tasks()), (120, 60, 30, 2));
        drop(other);
        assert_eq!((one.share(), second.share()), (120, 60));
        let last = second.reserve(1);
        drop((one, second));
        assert_eq!((first.share(), process.tasks()), (60, 2), "a reservation keeps its task counted");
        drop((first, last));
        assert_eq!((process.connector().share(), process.tasks()), (120, 1));
    }

    #[test]
    fn a_task_may_have_one_batch_whatever_is_parked_and_whoever_is_in_motion() {
        let process = Budget::new(32 * MIB);
        let stuck = process.connector();
        let tasks: Vec<_> = (0..32).map(|_| stuck.task()).collect();
        let _parked: Vec<_> = tasks.iter().map(|task| task.park(MIB)).collect();
        let retried = tasks[0].reserve(1);
        stuck.set_refused(true);
        assert!(tasks[0].is_exhausted());
        assert!(!tasks[1].is_exhausted(), "the task beside it");
        let other = process.connector().task();
        assert!(!other.is_exhausted(), "another connector");
        drop(retried);
        assert!(!tasks[0].is_exhausted());
    }

    #[test]
    fn what_is_stuck_keeps_no_task_from_its_one_batch() {
        let process = Budget::new(32 * MIB);
        let task = process.connector().task();
        let (_files, _copy) = (task.park(40 * MIB), task.reserve(1_000));
        assert!(task.is_exhausted());
        let mut stuck = task.stuck();
        stuck.set(1_000);
        assert!(!task.is_exhausted());
        let batch = task.reserve(1);
        assert!(task.is_exhausted(), "one batch, and no more");
        drop(batch);
        drop(stuck);
        assert!(task.is_exhausted(), "it moves again");
    }

    #[test]
    fn sixty_four_tasks_have_one_batch_each_though_the_limit_is_passed() {
        let process = Budget::new(32 * MIB);
        let connector = process.connector();
        let tasks: Vec<_> = (0..64).map(|_| connector.task()).collect();
        let _parked: Vec<_> = tasks.iter().map(|task| task.park(MIB)).collect();
        for task in &tasks {
            assert!(!task.is_exhausted());
            let batch = task.reserve(task.batch_bytes());
            assert!(task.is_exhausted());
            drop(batch);
        }
        let batches: Vec<_> = tasks.iter().map(|task| task.reserve(task.batch_bytes())).collect();
        assert!(tasks.iter().all(Budget::is_exhausted));
        assert_eq!(batches.iter().map(Reservation::bytes).sum::<usize>(), 8 * MIB, "a quarter of the limit");
    }

    #[test]
    fn a_connector_that_is_refused_and_full_does_not_stop_another_one() {
        let process = Budget::new(32 * MIB);
        let (poisoned, sound) = (process.connector().task(), process.connector().task());
        let _uploads = poisoned.reserve(32 * MIB);
        poisoned.set_refused(true);
        assert!(poisoned.is_exhausted());
        let mut batches = sound.reserve(16 * MIB - 1);
        assert!(!sound.is_exhausted(), "below its share");
        batches.resize(16 * MIB);
        assert!(sound.is_exhausted(), "nothing is left to borrow");
    }

    #[test]
    fn a_refused_connector_does_not_borrow_until_its_store_takes_all_again() {
        let process = Budget::new(32 * MIB);
        let (one, _other) = (process.connector(), process.connector());
        let (first, second) = (one.task(), one.task());
        let _held = first.reserve(16 * MIB);
        assert!(!first.is_exhausted(), "it borrows what nobody uses");
        first.set_refused(true);
        second.set_refused(true);
        second.set_refused(true);
        assert!(first.is_exhausted() && first.is_tight());
        first.set_refused(false);
        assert!(first.is_exhausted(), "a task says so still");
        drop(second);
        assert!(!first.is_exhausted());
    }

    #[test]
    fn what_is_fetched_ahead_has_a_quarter_beside_the_limit() {
        let process = Budget::new(100);
        let task = process.connector().task();
        let mut ahead = task.prefetch(25);
        assert!(!process.is_tight() && !task.is_exhausted());
        let batch = task.reserve(99);
        assert!(!task.is_exhausted());
        ahead.resize(26);
        assert!(task.is_exhausted(), "what is beyond the quarter counts");
        assert_eq!(process.used(), 125);
        drop(batch);
        ahead.resize(1_000);
        ahead.set_in_motion();
        assert!(!task.is_exhausted(), "nothing is in motion");
    }

    #[test]
    fn batches_are_smaller_where_many_tasks_share_the_limit() {
        let process = Budget::new(32 * MIB);
        assert_eq!(process.batch_bytes(), MIB);
        let connector = process.connector();
        let tasks: Vec<_> = (0..1_000).map(|_| connector.task()).collect();
        assert_eq!(process.batch_bytes(), 64 << 10);
        drop(tasks);
        let _few: Vec<_> = (0..16).map(|_| connector.task()).collect();
        assert_eq!(process.batch_bytes(), MIB / 2);
    }
}
