//! When offsets are committed, and which.

use std::time::Duration;

use connect_api::{OffsetAndMetadata, Offsets, TopicPartition};
use tokio::time::Instant;

/// Before a commit that was asked for and refused is tried again, after the first failure and at most.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// When to commit, and what is known of the commit under way.
#[derive(Debug)]
pub(super) struct Commits {
    interval: Duration,
    timeout: Duration,
    next: Instant,
    seq: u64,
    /// When the commit under way began.
    begun: Option<Instant>,
    /// It has counted as failed for its time, but the brokers may still carry it out.
    is_late: bool,
    /// The sink task has asked for the last one that began.
    asked: bool,
    /// When the one that failed though it was asked for is tried again.
    retry: Option<Instant>,
    /// Failures in a row.
    pub(super) failures: u32,
}

impl Commits {
    /// The first commit is due after one interval.
    pub(super) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self {
            interval,
            timeout,
            next: now + interval,
            seq: 0,
            begun: None,
            is_late: false,
            asked: false,
            retry: None,
            failures: 0,
        }
    }

    /// Whether to commit now. Never while another commit is under way, however late it is: it may be carried out when nobody expects it any more, and
    /// would take back what a later one has said. What is asked for not while one that was asked for before pauses.
    pub(super) fn is_due(&self, requested: bool, now: Instant) -> bool {
        self.begun.is_none() && (now >= self.next || self.retry.map_or(requested, |retry| now >= retry))
    }

    /// A commit begins, one that is asked for now or that has failed though it was; returns its number. It postpones the periodic one.
    pub(super) fn begin(&mut self, requested: bool, now: Instant) -> u64 {
        self.seq += 1;
        self.begun = Some(now);
        self.is_late = false;
        self.asked = self.retry.take().is_some() || requested;
        self.next = now + self.interval;
        self.seq
    }

    /// The number that the next commit will have.
    pub(super) fn next_seq(&self) -> u64 {
        self.seq + 1
    }

    /// When something is to be done about commits, if not before the answer to one.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match (self.begun, self.retry) {
            (Some(begun), _) => (!self.is_late).then(|| begun + self.timeout),
            (None, Some(retry)) => Some(self.next.min(retry)),
            (None, None) => Some(self.next),
        }
    }

    /// Whether the sink task has asked for the last commit that began.
    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// When the next periodic commit is due; a moment from now where it has been due for long.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.next.max(now + RETRY_AFTER.0)
    }

    /// Counts a commit as failed that has no answer in time, once. Its answer is still waited for, and counts.
    pub(super) fn gives_up(&mut self, now: Instant) -> bool {
        let gives_up = !self.is_late && self.begun.is_some_and(|begun| now >= begun + self.timeout);
        if gives_up {
            self.failures += 1;
            self.is_late = true;
        }
        gives_up
    }

    /// Whether `seq` is the last commit that began.
    pub(super) fn is_last(&self, seq: u64) -> bool {
        seq == self.seq
    }

    /// The commit under way has succeeded; returns how long it took.
    pub(super) fn succeeded(&mut self, now: Instant) -> Option<Duration> {
        self.failures = 0;
        self.retry = None;
        self.begun.take().map(|begun| now - begun)
    }

    /// The commit under way has failed. If it was asked for it still is: files may wait for what it says.
    pub(super) fn failed(&mut self, now: Instant) {
        let (first, most) = RETRY_AFTER;
        let pause = first.saturating_mul(1 << self.failures.min(10)).min(most);
        self.retry = self.asked.then(|| now + pause);
        self.failures += 1;
        self.begun = None;
    }

    /// The commit under way cannot be made, and is not tried again before it is asked for or due.
    pub(super) fn abandon(&mut self) {
        self.asked = false;
        self.retry = None;
        self.begun = None;
    }
}

/// What to commit, where `committed` is committed, `delivered` was delivered, and the sink task offers `offered`. `None` where
/// nothing would change, unless a commit is `owed` all the same.
///
/// Partitions that are not offered keep offset and metadata. Metadata alone is a change, too.
pub(super) fn to_commit(committed: &Offsets, delivered: &Offsets, offered: Offsets, owed: bool) -> Option<Offsets> {
    let mut commit = committed.clone();
    for (topic_partition, offset) in offered {
        match delivered.get(&topic_partition) {
            None => tracing::warn!(%topic_partition, "the sink offers an offset of a partition that it was not asked for: ignored"),
            Some(limit) if offset.offset > limit.offset => refuse(&topic_partition, &offset, limit),
            Some(_) => drop(commit.insert(topic_partition, offset)),
        }
    }
    (owed || commit != *committed).then_some(commit)
}

fn refuse(topic_partition: &TopicPartition, offered: &OffsetAndMetadata, delivered: &OffsetAndMetadata) {
    let (offered, delivered) = (offered.offset, delivered.offset);
    tracing::warn!(%topic_partition, offered, delivered, "the sink offers an offset beyond what it was given: ignored");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(of: &[(i32, i64, &str)]) -> Offsets {
        let one = |(partition, offset, metadata): &(i32, i64, &str)| {
            (TopicPartition::new("t", *partition), OffsetAndMetadata::new(*offset, *metadata))
        };
        of.iter().map(one).collect()
    }

    // Spec case T27.
    #[test]
    fn offsets_beyond_what_was_delivered_and_of_other_partitions_are_ignored() {
        let committed = offsets(&[(1, 10, "a"), (2, 10, "b")]);
        let delivered = offsets(&[(1, 12, "a"), (2, 10, "b")]);
        let offered = offsets(&[(1, 11, "c"), (2, 11, "c"), (3, 5, "c")]);
        assert_eq!(to_commit(&committed, &delivered, offered, false), Some(offsets(&[(1, 11, "c"), (2, 10, "b")])));
    }

    // Spec case T29.
    #[test]
    fn nothing_is_committed_where_nothing_changes() {
        let committed = offsets(&[(1, 10, "a")]);
        assert_eq!(to_commit(&committed, &offsets(&[(1, 12, "")]), committed.clone(), false), None);
        assert_eq!(
            to_commit(&committed, &offsets(&[(1, 12, "")]), committed.clone(), true),
            Some(committed),
            "but for what is owed"
        );
    }

    #[test]
    fn metadata_alone_is_a_change() {
        let commit = to_commit(&offsets(&[(1, 10, "a")]), &offsets(&[(1, 12, "")]), offsets(&[(1, 10, "b")]), false);
        assert_eq!(commit, Some(offsets(&[(1, 10, "b")])));
    }

    #[test]
    fn the_sink_may_go_back() {
        let commit = to_commit(&offsets(&[(1, 10, "a")]), &offsets(&[(1, 12, "")]), offsets(&[(1, 4, "a")]), false);
        assert_eq!(commit, Some(offsets(&[(1, 4, "a")])));
    }
}
