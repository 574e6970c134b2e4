//! What may be completed now: objects wait here until the committed journal says what the next owner must know of them.

use std::collections::VecDeque;

use connect_api::{METADATA_LIMIT, OffsetAndMetadata};
use tokio::sync::oneshot;
use tracing::warn;

use super::{
    journal::{Journal, PLANNED_BYTES, PlannedCut},
    ledger::CutId,
    open_file::ClosedFile,
    uploads::Target,
};

/// A partition's journal as it is and as it shall be, and the cuts that wait for the one to become the other.
pub(super) struct Gate {
    /// As it shall be.
    pub(super) journal: Journal,
    /// As the next owner would read it now.
    committed: Option<Journal>,
    /// The group may have been told meanwhile that nothing lies ahead: nothing is sent before it is known what it holds.
    may_be_clean: bool,
    /// The offset and metadata that the partition came with: they stay until this assignment moves the offset or makes objects.
    found: OffsetAndMetadata,
    makes_objects: bool,
    /// What the brokers take of metadata, in bytes.
    limit: usize,
    held: VecDeque<HeldCut>,
    /// So many of them, from the front, are planned or need not be.
    seen: usize,
    proofs: Vec<(u32, oneshot::Sender<()>)>,
    /// The number of the proof that the partition is still ours, while that is in doubt.
    doubted: Option<u32>,
}

/// How a partition is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// Nothing in the bucket lies beyond the offset, and nothing will.
    Clean,
    /// Nothing is under way; more is not known.
    Idle,
    /// Requests may take effect until then, in seconds since 1970.
    UnderWay { until: i64 },
}

/// A cut whose objects have not been sent.
pub(super) struct HeldCut {
    pub(super) id: CutId,
    /// The first offset of the group.
    pub(super) first: i64,
    pub(super) end: i64,
    /// It must be in the journal before its objects are completed.
    pub(super) is_planned: bool,
    /// How many files the group has, those included that are in the bucket already.
    pub(super) group_files: usize,
    pub(super) files: Vec<(ClosedFile, Target)>,
}

impl Gate {
    pub(super) fn new(journal: Journal, committed: Option<Journal>, found: OffsetAndMetadata) -> Self {
        let (held, proofs) = (VecDeque::new(), Vec::new());
        Self {
            journal,
            committed,
            may_be_clean: false,
            found,
            makes_objects: false,
            limit: METADATA_LIMIT,
            held,
            seen: 0,
            proofs,
            doubted: None,
        }
    }

    /// Takes a cut in.
    pub(super) fn hold(&mut self, cut: HeldCut) {
        self.makes_objects = true;
        self.held.push_back(cut);
        self.plan();
    }

    /// The next cut that may be sent. A cut never overtakes another.
    pub(super) fn release(&mut self) -> Option<HeldCut> {
        let next = self.held.front()?;
        if self.may_be_clean || !Journal::covers(self.committed.as_ref(), &self.journal, next.end, next.is_planned) {
            return None;
        }
        self.seen = self.seen.saturating_sub(1);
        self.held.pop_front()
    }

    /// All cuts: nobody will read the records again, so nobody needs to know of them.
    pub(super) fn release_all(&mut self) -> impl Iterator<Item = HeldCut> + use<> {
        std::mem::take(&mut self.held).into_iter()
    }

    /// Whether a commit is all that cuts or proofs wait for.
    pub(super) fn wants_commit(&self) -> bool {
        // A cut that the journal has no room for waits for objects first.
        let next_is_planned =
            self.held.front().is_some_and(|cut| Journal::covers(Some(&self.journal), &self.journal, cut.end, cut.is_planned));
        next_is_planned || !self.proofs.is_empty() || self.doubted.is_some()
    }

    /// Whether cuts wait.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// The cut that all others wait for.
    pub(super) fn first(&self) -> Option<CutId> {
        self.held.front().map(|cut| cut.id)
    }

    /// Puts the next cuts into the journal, as many as it can hold. What an earlier owner has planned may lie beyond them, and may fill it: then there
    /// is still room for the one that all others wait for.
    fn plan(&mut self) {
        let mut room = None;
        while let Some(cut) = self.held.get(self.seen) {
            if cut.is_planned {
                let room = room.get_or_insert_with(|| self.journal.room(self.limit, self.seen == 0));
                // Whoever cuts otherwise must not divide the group: where not every cut is known, they must know where it begins.
                let first = (!self.journal.every).then_some(PlannedCut { end: cut.first, files: None });
                if *room < PLANNED_BYTES * if first.is_some() { 2 } else { 1 } {
                    return;
                }
                *room -= first.map_or(0, |first| self.journal.plan(first));
                *room -= self.journal.plan(PlannedCut { end: cut.end, files: Some(cut.group_files) });
            }
            self.seen += 1;
        }
    }

    /// The brokers take no more than this. Where that is less than was thought, cuts that are not committed yet are planned anew, as far as there is room.
    pub(super) fn set_limit(&mut self, limit: usize) {
        if limit >= self.limit {
            return;
        }
        self.limit = limit;
        if self.journal.fit(limit) {
            let consequence =
                "after a crash and a change of names, objects in some directories would not be found, and be written once more";
            warn!(
                limit,
                "the brokers take so little metadata (`offset.metadata.max.bytes`) that it cannot name all directories: {consequence}"
            );
        }
        let committed = self.committed.as_ref().map(|journal| journal.planned.as_slice()).unwrap_or_default();
        self.journal.planned.retain(|cut| committed.binary_search_by_key(&cut.end, |known| known.end).is_ok());
        self.seen = 0;
        self.plan();
    }

    /// Whether the journal has room for another decision of the clock.
    pub(super) fn has_room(&self) -> bool {
        self.journal.room(self.limit, false) >= PLANNED_BYTES
    }

    /// The next commit proves that the partition is ours.
    pub(super) fn prove(&mut self, proven: oneshot::Sender<()>) {
        self.journal.proofs = self.journal.proofs.wrapping_add(1);
        self.proofs.push((self.journal.proofs, proven));
    }

    /// Gives up proofs that were asked for; returns how many.
    pub(super) fn forget_proofs(&mut self) -> usize {
        self.proofs.drain(..).count()
    }

    /// Whether the partition is still ours is in doubt until the next commit has succeeded. Also where nothing was made yet: what the owner before has
    /// committed may let the first object go at once.
    pub(super) fn doubt(&mut self) {
        self.journal.proofs = self.journal.proofs.wrapping_add(1);
        self.doubted = Some(self.journal.proofs);
    }

    /// Whether it is in doubt.
    pub(super) fn doubts(&self) -> bool {
        self.doubted.is_some()
    }

    /// The metadata to commit with this offset. `last`: it is the last commit, and whether nothing in the bucket lies beyond the offset; else requests may
    /// take effect until then. `is_behind`: nothing that was found lies beyond the offset.
    pub(super) fn metadata(&mut self, offset: i64, is_behind: bool, last: Option<Last>) -> String {
        if !self.makes_objects && offset == self.found.offset {
            match (self.doubted, Journal::read(&self.found.metadata)) {
                (None, _) => return self.found.metadata.clone(),
                // What it says still holds; only which commit this is is new.
                (Some(_), Ok(Some(found))) => return Journal { proofs: self.journal.proofs, ..found }.text(),
                (Some(_), _) => {}
            }
        }
        self.journal.planned.retain(|cut| cut.end > offset);
        // The decision that the offset lies in stays.
        let decided = self.journal.buckets.partition_point(|(from, _)| *from <= offset).saturating_sub(1);
        self.journal.buckets.drain(..decided);
        // What waits here relies on what is committed: that must be all of the journal.
        self.journal.fit(self.limit);
        self.plan();
        // An offset that moved without an object still says of which log it is.
        let clean = last == Some(Last::Clean) || !self.makes_objects && is_behind;
        self.may_be_clean |= clean;
        let under_way_until = if let Some(Last::UnderWay { until }) = last { Some(until) } else { None };
        Journal { clean, under_way_until, ..self.journal.clone() }.text()
    }

    /// This has been committed.
    pub(super) fn committed(&mut self, committed: &OffsetAndMetadata) {
        self.committed = Journal::read(&committed.metadata).ok().flatten();
        if !self.makes_objects && committed.offset == self.found.offset {
            self.found = committed.clone();
        }
        // Commits are answered in their order: this is what the group holds.
        self.may_be_clean = false;
        let proven = self.committed.as_ref().map_or(0, |journal| journal.proofs);
        for (_, proof) in self.proofs.extract_if(.., |(number, _)| *number <= proven) {
            // The upload that asked may be gone.
            let _gone = proof.send(());
        }
        self.doubted.take_if(|number| *number <= proven);
    }

    /// The metadata that the next owner would read now, with the number of the last proof that was asked for: the answer to one must not count for the
    /// next.
    pub(super) fn metadata_to_go_on_with(&self) -> String {
        let proofs = self.journal.proofs;
        self.committed.as_ref().map(|committed| Journal { proofs, ..committed.clone() }.text()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage_sink::object_key::Place;

    fn cut(end: i64, is_planned: bool) -> HeldCut {
        HeldCut { id: 0, first: 0, end, is_planned, group_files: 1, files: Vec::new() }
    }

    fn commit(gate: &mut Gate, offset: i64) {
        let metadata = gate.metadata(offset, false, None);
        gate.committed(&OffsetAndMetadata::new(offset, metadata));
    }

    fn released(gate: &mut Gate) -> Vec<i64> {
        std::iter::from_fn(|| gate.release()).map(|cut| cut.end).collect()
    }

    #[test]
    fn the_first_objects_of_a_history_wait_until_it_is_committed_and_later_ones_do_not() {
        let mut gate = Gate::new(Journal::new(), None, OffsetAndMetadata::default());
        gate.hold(cut(3, false));
        assert_eq!(released(&mut gate), [0; 0]);
        commit(&mut gate, 0);
        gate.hold(cut(6, false));
        assert_eq!(released(&mut gate), [3, 6]);
    }

    #[test]
    fn a_planned_cut_waits_for_its_own_commit_and_holds_back_those_behind_it() {
        let mut gate = Gate::new(Journal::new(), None, OffsetAndMetadata::default());
        gate.hold(cut(3, false));
        commit(&mut gate, 0);
        gate.hold(cut(5, true));
        gate.hold(cut(8, false));
        assert_eq!(released(&mut gate), [3]);
        assert!(gate.wants_commit());
        commit(&mut gate, 0);
        assert_eq!(released(&mut gate), [5, 8]);
    }

    #[test]
    fn a_planned_cut_below_those_that_an_earlier_owner_has_planned_waits_for_its_commit_and_no_longer() {
        let mut journal = Journal::new();
        let mut end = 1 << 50;
        while journal.room(METADATA_LIMIT, false) >= PLANNED_BYTES {
            journal.plan(PlannedCut { end, files: Some(1) });
            end += 1 << 40;
        }
        let mut gate = Gate::new(journal.clone(), Some(journal), OffsetAndMetadata::default());
        gate.hold(cut(10, true));
        gate.hold(cut(15, true));
        assert_eq!(released(&mut gate), [0; 0]);
        commit(&mut gate, 0);
        assert_eq!(released(&mut gate), [10]);
        gate.hold(cut(17, false));
        commit(&mut gate, 10);
        assert_eq!(released(&mut gate), [15, 17]);
        assert_eq!(gate.journal.planned[..2].iter().map(|cut| cut.end).collect::<Vec<_>>(), [15, 1 << 50]);
    }

    #[test]
    fn a_group_in_parts_is_planned_with_its_beginning_where_not_every_cut_is_known() {
        let planned = |every| {
            let mut gate = Gate::new(Journal { every, ..Journal::new() }, None, OffsetAndMetadata::default());
            gate.hold(HeldCut { first: 7, ..cut(10, true) });
            gate.journal.planned.iter().map(|cut| (cut.end, cut.files)).collect::<Vec<_>>()
        };
        assert_eq!(planned(false), [(7, None), (10, Some(1))]);
        assert_eq!(planned(true), [(10, Some(1))]);
    }

    #[test]
    fn more_cuts_than_a_journal_holds_go_in_several_commits() {
        let mut gate = Gate::new(Journal::new(), None, OffsetAndMetadata::default());
        let cuts = 5_000;
        (1..=cuts).for_each(|end| gate.hold(cut(end, true)));
        let mut sent = 0;
        while sent < cuts {
            commit(&mut gate, sent);
            let now = released(&mut gate);
            assert!(!now.is_empty());
            sent = *now.last().unwrap();
        }
    }

    #[test]
    fn doubt_ends_with_a_commit_that_began_after_it() {
        let mut gate = Gate::new(Journal::new(), None, OffsetAndMetadata::default());
        gate.doubt();
        assert!(gate.doubts() && gate.wants_commit(), "an earlier owner's journal may let the first object go");
        let (found, committed) = (OffsetAndMetadata::default().metadata, gate.metadata(0, false, None));
        assert_ne!(committed, found, "what is committed must say which commit it is");
        commit(&mut gate, 0);
        assert!(!gate.doubts());
        gate.hold(cut(3, false));
        let before = gate.metadata(0, false, None);
        gate.doubt();
        gate.committed(&OffsetAndMetadata::new(0, before));
        assert!(gate.doubts());
        commit(&mut gate, 0);
        assert!(!gate.doubts());
    }

    #[test]
    fn a_doubt_about_one_that_made_nothing_changes_only_which_commit_it_is() {
        let found = Journal { fingerprint: Some(7), ..Journal::new() };
        let position = OffsetAndMetadata::new(5, found.text());
        let mut gate = Gate::new(Journal { fingerprint: Some(8), ..found.clone() }, Some(found.clone()), position);
        gate.doubt();
        let text = gate.metadata(5, true, None);
        assert_eq!(Journal::read(&text).unwrap(), Some(Journal { proofs: 1, ..found }));
        gate.committed(&OffsetAndMetadata::new(5, text.clone()));
        assert!(!gate.doubts());
        assert_eq!(gate.metadata(5, true, None), text);
    }

    #[test]
    fn decisions_of_the_clock_stay_as_long_as_records_of_theirs_may_be_read_again() {
        let mut gate = Gate::new(
            Journal { buckets: vec![(0, 100), (10, 200), (20, 300)], ..Journal::new() },
            None,
            OffsetAndMetadata::default(),
        );
        gate.hold(cut(30, false));
        commit(&mut gate, 15);
        assert_eq!(gate.journal.buckets, [(10, 200), (20, 300)]);
    }

    #[test]
    fn brokers_that_take_less_get_fewer_cuts_at_once_and_all_of_them_in_the_end() {
        let mut gate = Gate::new(Journal::new(), None, OffsetAndMetadata::default());
        (1..=500).for_each(|end| gate.hold(cut(end * 1_000, true)));
        assert!(gate.metadata(0, false, None).len() > 1_000);
        gate.set_limit(600);
        let mut sent = 0;
        while sent < 500_000 {
            assert!(gate.metadata(sent, false, None).len() <= 600);
            commit(&mut gate, sent);
            let now = released(&mut gate);
            assert!(!now.is_empty(), "at {sent}");
            sent = *now.last().unwrap();
        }
    }

    #[test]
    fn places_that_brokers_do_not_take_hold_nothing_up() {
        for (limit, length, kept) in [(1_023, 400, 1), (600, 60, 1), (512, 200, 0), (512, 600, 0)] {
            let place = |of: &str| {
                let directory = format!("topics/{}/{of}/", "t".repeat(length));
                Place { directory, name: "t+0+".to_owned(), is_exact: true, zero_pad_width: 10 }
            };
            let journal = Journal {
                owner: Some(u64::MAX),
                topic_id: Some("8Rv_o0aXTa6rdfc8vCCuWQ".to_owned()),
                fingerprint: Some(u64::MAX),
                every: true,
                buckets: vec![(400_000_000_000, 1_700_000_000_000)],
                proofs: 12,
                places: vec![place("partition=0"), place("nulls")],
                ..Journal::new()
            };
            let mut gate = Gate::new(journal, None, OffsetAndMetadata::default());
            (1..=5).for_each(|cuts| gate.hold(cut(400_000_000_000 + cuts * 100_000, true)));
            gate.set_limit(limit);
            let mut sent = 400_000_000_000;
            while sent < 400_000_500_000 {
                assert!(gate.wants_commit(), "{limit} {length} at {sent}");
                assert!(gate.metadata(sent, false, None).len() <= limit, "{limit} {length}");
                commit(&mut gate, sent);
                let now = released(&mut gate);
                assert!(!now.is_empty(), "{limit} {length} at {sent}");
                sent = *now.last().unwrap();
            }
            assert!(!gate.wants_commit());
            assert!(gate.journal.places.first().is_none_or(|place| place.directory.ends_with("partition=0/")));
            assert_eq!(gate.journal.places.len(), kept, "{limit} {length}");
        }
    }

    #[test]
    fn metadata_is_left_as_it_was_found_until_objects_are_made() {
        let mut gate = Gate::new(Journal::new(), None, OffsetAndMetadata::new(7, "found"));
        assert_eq!(gate.metadata(7, true, Some(Last::Clean)), "found");
        // Records that were all left out move the offset: it says of which log it is, and that nothing lies ahead.
        let journal = Journal::read(&gate.metadata(9, true, None)).unwrap().unwrap();
        assert!(journal.clean);
        // Its answer may be lost: then nothing may be sent before the group is known to know better.
        gate.committed = Some(Journal { clean: false, ..journal });
        gate.hold(cut(12, false));
        assert_eq!(released(&mut gate), [0; 0]);
        commit(&mut gate, 9);
        assert_eq!(released(&mut gate), [12]);
        assert!(!Journal::read(&gate.metadata(9, true, None)).unwrap().unwrap().clean);
    }
}
