//! What is durable, per topic-partition: committed ≤ durable ≤ cuts in flight ≤ next to read.

use std::collections::VecDeque;

/// Names a cut within its ledger.
pub(super) type CutId = u64;

/// Cuts in flight and what has become durable before them.
#[derive(Debug)]
pub(super) struct Ledger {
    durable: i64,
    /// The end of the last cut.
    last_end: i64,
    in_flight: VecDeque<CutInFlight>,
    next_id: CutId,
    /// Cuts that have become durable since the last commit.
    not_committed: u64,
}

#[derive(Debug)]
struct CutInFlight {
    id: CutId,
    end: i64,
    files_left: usize,
}

impl Ledger {
    /// Everything before `durable` is done with.
    pub(super) fn new(durable: i64) -> Self {
        Self { durable, last_end: durable, in_flight: VecDeque::new(), next_id: 0, not_committed: 0 }
    }

    /// All files of the partition have been closed: they hold everything before `end` that is not durable yet.
    pub(super) fn cut(&mut self, end: i64, files: usize) -> CutId {
        self.last_end = self.last_end.max(end);
        let id = self.next_id;
        self.next_id += 1;
        self.in_flight.push_back(CutInFlight { id, end, files_left: files });
        self.advance();
        id
    }

    /// What was read up to here and is in no cut needs none: it was found durable, or left out on purpose.
    pub(super) fn skip(&mut self, until: i64) {
        if until > self.last_end {
            self.cut(until, 0);
        }
    }

    /// One file of the cut is durable under its name. True where everything before some later offset is durable by it.
    pub(super) fn file_is_durable(&mut self, id: CutId) -> bool {
        // Numbers follow each other, and only the first cut ever goes.
        let first = self.in_flight.front().map_or(id, |cut| cut.id);
        let place = id.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(cut) = place.and_then(|place| self.in_flight.get_mut(place)) {
            cut.files_left = cut.files_left.saturating_sub(1);
        }
        self.advance()
    }

    /// How many cuts have become durable since the last commit.
    pub(super) fn not_committed(&self) -> u64 {
        self.not_committed
    }

    /// A commit has succeeded.
    pub(super) fn committed(&mut self) {
        self.not_committed = 0;
    }

    /// Everything before this offset is durable: the end of the longest prefix of cuts whose files are all durable.
    pub(super) fn durable(&self) -> i64 {
        self.durable
    }

    /// Where the last cut has ended.
    pub(super) fn last_end(&self) -> i64 {
        self.last_end
    }

    /// Whether some cut is not durable yet.
    pub(super) fn has_cuts_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// The offset to commit. `delivered` is the offset after the last record read: with no file open and nothing in flight, everything before it is either durable or
    /// was dropped on purpose.
    pub(super) fn committable(&mut self, delivered: i64, has_open_files: bool) -> i64 {
        // What was durable before it was read again counts when it has been read.
        if has_open_files || self.has_cuts_in_flight() {
            return self.durable.min(delivered);
        }
        self.durable = self.durable.max(delivered);
        delivered
    }

    /// What [`Ledger::committable`] would make durable, for those who only look.
    pub(super) fn would_be_durable(&self, delivered: i64, has_open_files: bool) -> i64 {
        if has_open_files || self.has_cuts_in_flight() { self.durable } else { self.durable.max(delivered) }
    }

    fn advance(&mut self) -> bool {
        let before = self.in_flight.len();
        while let Some(cut) = self.in_flight.front().filter(|cut| cut.files_left == 0) {
            self.durable = self.durable.max(cut.end);
            self.in_flight.pop_front();
        }
        let durable = before - self.in_flight.len();
        self.not_committed += durable as u64;
        durable > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_never_passes_a_cut_that_is_not_durable_whatever_ends_first() {
        let mut ledger = Ledger::new(0);
        let (first, second, third) = (ledger.cut(3, 1), ledger.cut(6, 2), ledger.cut(9, 1));
        ledger.file_is_durable(third);
        ledger.file_is_durable(second);
        assert_eq!(ledger.committable(11, false), 0);
        ledger.file_is_durable(first);
        assert_eq!(ledger.committable(11, false), 3);
        ledger.file_is_durable(second);
        assert_eq!(ledger.committable(11, true), 9);
    }

    #[test]
    fn dropped_records_move_the_offset_once_nothing_is_open() {
        let mut ledger = Ledger::new(5);
        assert_eq!(ledger.committable(8, true), 5);
        assert_eq!(ledger.committable(4, true), 4);
        assert_eq!(ledger.committable(8, false), 8);
        assert_eq!(ledger.committable(9, true), 8);
        let cut = ledger.cut(10, 1);
        assert_eq!(ledger.committable(10, false), 8);
        ledger.file_is_durable(cut);
        assert_eq!(ledger.committable(10, false), 10);
    }

    #[test]
    fn who_only_looks_sees_what_a_commit_would_and_changes_nothing() {
        let mut ledger = Ledger::new(5);
        assert_eq!((ledger.would_be_durable(8, false), ledger.would_be_durable(8, true), ledger.durable()), (8, 5, 5));
        let cut = ledger.cut(7, 1);
        assert_eq!(ledger.would_be_durable(8, false), 5);
        ledger.file_is_durable(cut);
        assert_eq!((ledger.would_be_durable(8, true), ledger.would_be_durable(8, false), ledger.durable()), (7, 8, 7));
    }

    #[test]
    fn what_was_found_durable_is_done_with_when_the_cuts_before_it_are() {
        let mut ledger = Ledger::new(0);
        let cut = ledger.cut(3, 1);
        ledger.skip(7);
        assert_eq!(ledger.committable(9, true), 0);
        ledger.file_is_durable(cut);
        assert_eq!(ledger.committable(9, true), 7);
    }

    #[test]
    fn a_cut_without_files_is_durable_when_those_before_it_are() {
        let mut ledger = Ledger::new(0);
        let first = ledger.cut(3, 1);
        ledger.cut(5, 0);
        assert_eq!(ledger.durable(), 0);
        ledger.file_is_durable(first);
        assert_eq!(ledger.durable(), 5);
    }
}
