//! Where to cut whatever the settings say: cuts that were planned before a restart, and the edges of objects that are there already.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use connect_api::Reservation;

use super::{edges::Edges, findings::Findings, journal::PlannedCut, slot::Slot};

/// Offsets ahead where files must be cut, and ranges ahead that need not be written, or not into every file.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    /// Ascending.
    planned: VecDeque<PlannedCut>,
    /// Up to here the journal has every cut.
    every_until: i64,
    /// Objects begin and end here.
    edges: Edges,
    /// Our own objects do.
    own_edges: Edges,
    /// Where reading began.
    start: i64,
    /// The next edge that was not reached.
    next_edge: Option<i64>,
    /// Nothing happens at any offset before this one: asked for each record.
    quiet_until: i64,
    /// Our own objects have these records, by first offset.
    durable: BTreeMap<i64, i64>,
    /// The range of those that was looked at last: records come in order.
    current: Option<(i64, i64)>,
    /// By first offset. Those behind are kept: what may be committed can lie far behind what is read.
    partial: Vec<PartialRange>,
    /// So many of them, from the front, have been read.
    partial_behind: usize,
    /// Everything that was found lies before this offset.
    found_until: i64,
    /// What all of this takes.
    _memory: Option<Reservation>,
}

/// Our own objects have some of the files of these records.
#[derive(Debug, PartialEq, Eq)]
struct PartialRange {
    first: i64,
    end: i64,
    /// None where other settings decided which records are in which file.
    slots: BTreeSet<Slot>,
}

impl Boundaries {
    /// `every`: there is no cut but these up to the last of `planned`. `layout`: what decides which file a record goes to.
    pub(super) fn new((planned, every): (&[PlannedCut], bool), layout: Option<u64>, found: Findings, start: i64) -> Self {
        let Findings { edges, own_edges, durable, partial, until: found_until, memory, .. } = found;
        let planned: VecDeque<_> = planned.iter().filter(|cut| cut.end > start).copied().collect();
        let partial = partial.into_iter().map(|((first, end, theirs), group)| {
            let slots = if theirs == layout { group.slots } else { BTreeSet::new() };
            PartialRange { first, end, slots }
        });
        let partial = partial.collect();
        let every_until = planned.back().filter(|_| every).map_or(0, |cut| cut.end);
        let next_edge = edges.after(start);
        Self {
            planned,
            every_until,
            edges,
            own_edges,
            start,
            next_edge,
            quiet_until: i64::MIN,
            durable,
            current: None,
            partial,
            partial_behind: 0,
            found_until,
            _memory: memory,
        }
    }

    /// Leaves behind what ends at or before `offset`. Returns the first boundary on the way that lies beyond `written`, the end of what is in open
    /// files: they must be closed, and that is their cut.
    pub(super) fn pass(&mut self, offset: i64, written: i64) -> Option<i64> {
        if offset < self.quiet_until { None } else { self.reach(offset, written) }
    }

    fn reach(&mut self, offset: i64, written: i64) -> Option<i64> {
        // A group of ours is not divided where an object of others begins: of its own objects in parts the journal alone says where they end.
        let is_decided = self.decide(written - 1);
        let mut cut: Option<i64> = None;
        let mut reached = |boundary: i64| {
            if boundary >= written {
                cut = Some(cut.map_or(boundary, |cut| cut.min(boundary)));
            }
        };
        while let Some(planned) = self.planned.front().map(|cut| cut.end).filter(|planned| *planned <= offset) {
            reached(planned);
            self.planned.pop_front();
        }
        if self.next_edge.is_some_and(|edge| edge <= offset) {
            // Of the edges that were passed only the first one beyond what is written matters.
            let edges = if is_decided { &self.own_edges } else { &self.edges };
            if let Some(edge) = edges.after(written - 1).filter(|edge| *edge <= offset) {
                reached(edge);
            }
            self.next_edge = self.edges.after(offset);
        }
        while self.partial.get(self.partial_behind).is_some_and(|range| range.end <= offset) {
            self.partial_behind += 1;
        }
        self.quiet_until = self.next_event();
        cut
    }

    fn next_event(&self) -> i64 {
        let partial = self.partial.get(self.partial_behind).map(|range| range.end);
        [self.planned.front().map(|cut| cut.end), self.next_edge, partial].into_iter().flatten().min().unwrap_or(i64::MAX)
    }

    /// Whether our own objects have the record at `offset`.
    pub(super) fn is_durable(&mut self, offset: i64) -> bool {
        if self.durable.is_empty() {
            return false;
        }
        if !self.current.is_some_and(|(first, end)| first <= offset && offset < end) {
            self.current = self.durable_around(offset);
        }
        self.current.is_some()
    }

    /// Where the object begins that the last record was found in.
    pub(super) fn durable_first(&self) -> i64 {
        self.current.map_or(0, |(first, _)| first)
    }

    /// Whether our own objects have the record at `offset` in this file of its group.
    pub(super) fn has_file(&self, slot: &Slot, offset: i64) -> bool {
        self.partial_around(offset).any(|range| range.slots.contains(slot))
    }

    /// The first offset of the group that the record at `offset` is in, where some file of it is there already.
    pub(super) fn group_first(&self, offset: i64) -> Option<i64> {
        self.partial_around(offset).map(|range| range.first).next()
    }

    fn partial_around(&self, offset: i64) -> impl Iterator<Item = &PartialRange> {
        let ahead = self.partial[self.partial_behind..].iter();
        ahead.take_while(move |range| range.first <= offset).filter(move |range| offset < range.end)
    }

    /// Whether the journal, or an object of ours that is there, decides where the file with `offset` ends. Objects of others suggest cuts and never
    /// forbid one: their records may never come.
    pub(super) fn decide(&self, offset: i64) -> bool {
        // Where its files were counted, the next cut is that of one group, which begins at the cut before.
        let in_planned_group = self.planned.front().is_some_and(|next| next.files.is_some() && offset < next.end);
        offset < self.every_until || in_planned_group || self.partial_around(offset).next().is_some()
    }

    /// The last offset at or before `offset` from which everything that was found can be found again: not inside of an object of ours.
    pub(super) fn committable(&self, offset: i64) -> i64 {
        let whole = self.durable_around(offset).filter(|(first, _)| *first < offset);
        let some = self.partial.iter().find(|range| range.first < offset && offset < range.end).map(|range| range.first);
        // Within joined ranges every edge of our own objects will do.
        let whole = whole.map(|(first, _)| self.own_edges.at_or_before(offset).unwrap_or(first).max(first));
        // What began before this assignment is found from where that began, too.
        offset.min(whole.unwrap_or(offset)).min(some.unwrap_or(offset)).max(self.start.min(offset))
    }

    /// Everything that was found is behind for good.
    pub(super) fn forget_found(&mut self) {
        if self.found_until > 0 {
            let (planned, every_until) = (std::mem::take(&mut self.planned), self.every_until);
            *self = Self { planned, every_until, start: self.start, ..Self::default() };
        }
    }

    /// Up to here an earlier owner has planned every cut.
    pub(super) fn every_until(&self) -> i64 {
        self.every_until
    }

    /// Whether everything that was found lies before `offset`, read or not.
    pub(super) fn are_behind(&self, offset: i64) -> bool {
        self.found_until <= offset
    }

    fn durable_around(&self, offset: i64) -> Option<(i64, i64)> {
        let (first, end) = self.durable.range(..=offset).next_back()?;
        (offset < *end).then_some((*first, *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage_sink::findings::Partial;

    fn planned(of: &[i64]) -> Vec<PlannedCut> {
        of.iter().map(|end| PlannedCut { end: *end, files: None }).collect()
    }

    fn durable(of: &[(i64, i64)]) -> Findings {
        let mut found = Findings::default();
        found.durable.extend(of.iter().copied());
        for edge in of.iter().flat_map(|(first, end)| [*first, *end]) {
            found.edges.insert(edge);
            found.own_edges.insert(edge);
        }
        found.complete(&connect_api::Budget::new(1 << 20));
        found
    }

    fn foreign(edges: &[i64]) -> Findings {
        let mut found = Findings::default();
        edges.iter().for_each(|edge| found.edges.insert(*edge));
        found.complete(&connect_api::Budget::new(1 << 20));
        found
    }

    fn file(name: &str) -> Slot {
        Slot { name: name.to_owned(), schema: None }
    }

    fn partial(first: i64, end: i64, slot: &str) -> Findings {
        let mut found = foreign(&[first, end]);
        let mut group = Partial::default();
        group.slots.insert(file(slot));
        found.partial.insert((first, end, None), group);
        found.until = end;
        found
    }

    #[test]
    fn files_are_cut_at_planned_cuts_and_at_the_edges_of_what_is_there() {
        let mut boundaries = Boundaries::new((&planned(&[4, 20]), false), None, durable(&[(7, 14)]), 2);
        let reached: Vec<i64> = (2..24).filter(|offset| boundaries.pass(*offset, *offset) == Some(*offset)).collect();
        assert_eq!(reached, [4, 7, 14, 20]);
    }

    #[test]
    fn a_file_that_a_gap_follows_ends_at_the_first_boundary_in_the_gap() {
        let mut boundaries = Boundaries::new((&planned(&[20, 30]), false), None, foreign(&[12, 25]), 10);
        // Records 10 and 11 are written, the next one that exists is 31.
        assert_eq!(boundaries.pass(31, 12), Some(12));
        let mut boundaries = Boundaries::new((&planned(&[20, 30]), false), None, foreign(&[25]), 10);
        assert_eq!(boundaries.pass(31, 12), Some(20));
        assert_eq!(boundaries.pass(32, 32), None);
    }

    #[test]
    fn records_of_a_durable_range_are_not_written_again() {
        let mut boundaries = Boundaries::new((&[], false), None, durable(&[(7, 9)]), 7);
        let durable: Vec<i64> = (5..13).filter(|offset| boundaries.is_durable(*offset)).collect();
        assert_eq!(durable, [7, 8]);
    }

    #[test]
    fn an_offset_inside_of_a_durable_object_is_never_committed() {
        let boundaries = Boundaries::new((&[], false), None, durable(&[(10, 20)]), 10);
        let offered: Vec<i64> = [9, 10, 13, 19, 20, 25].map(|offset| boundaries.committable(offset)).to_vec();
        assert_eq!(offered, [9, 10, 10, 10, 20, 25]);
        // Of joined ranges the edges of their objects are good enough.
        let mut joined = durable(&[(10, 30)]);
        joined.edges.insert(20);
        joined.own_edges.insert(20);
        // Where somebody else's object begins, ours goes on.
        joined.edges.insert(25);
        joined.complete(&connect_api::Budget::new(1 << 20));
        assert_eq!(Boundaries::new((&[], false), None, joined, 10).committable(27), 20);
        // Also of a group that has been read to its end, and in which somebody else's object has cut.
        let mut partial = Boundaries::new((&[], false), None, partial(10, 20, "v"), 10);
        partial.pass(25, 25);
        assert_eq!(partial.committable(13), 10);
    }

    #[test]
    fn a_group_of_ours_decides_where_its_files_end_and_objects_of_others_do_not() {
        let mut boundaries = Boundaries::new((&[], false), None, partial(0, 7, "v"), 0);
        assert!(boundaries.decide(6) && !boundaries.decide(7));
        assert!(boundaries.has_file(&file("v"), 6) && !boundaries.has_file(&file("k"), 6));
        // Reading beyond it is not enough: what was read may be read again.
        boundaries.pass(20, 20);
        assert!(!boundaries.are_behind(6) && boundaries.are_behind(7));
        assert!(!Boundaries::new((&[], false), None, foreign(&[0, 1000]), 0).decide(5));
    }

    #[test]
    fn files_that_other_settings_have_filled_are_not_there_and_their_group_still_ends_where_it_ended() {
        let boundaries = Boundaries::new((&[], false), Some(1), partial(0, 7, "v"), 0);
        assert!(boundaries.decide(6) && !boundaries.has_file(&file("v"), 6));
    }

    #[test]
    fn a_group_that_was_planned_with_its_files_is_not_divided() {
        let planned = [(50, None), (100, Some(1)), (250, None), (300, Some(2))].map(|(end, files)| PlannedCut { end, files });
        let mut boundaries = Boundaries::new((&planned, false), None, Findings::default(), 10);
        let mut decided = |offset| {
            boundaries.pass(offset, offset);
            boundaries.decide(offset)
        };
        assert_eq!([20, 50, 99, 100, 249, 250, 299, 300].map(&mut decided), [false, true, true, false, false, true, true, false]);
    }

    #[test]
    fn objects_of_others_divide_no_group_of_ours() {
        let cuts = |mut boundaries: Boundaries| {
            (0..25).filter(|offset| boundaries.pass(*offset, *offset) == Some(*offset)).collect::<Vec<i64>>()
        };
        let others = || foreign(&[3, 6, 16, 22]);
        // A group that was planned with its files, and the one of which a file is there.
        let group = [PlannedCut { end: 4, files: None }, PlannedCut { end: 10, files: Some(2) }];
        assert_eq!(cuts(Boundaries::new((&group, false), None, others(), 0)), [3, 4, 10, 16, 22]);
        let mut found = partial(14, 20, "v");
        [3, 6, 16, 22].into_iter().for_each(|edge| found.edges.insert(edge));
        [14, 20].into_iter().for_each(|edge| found.own_edges.insert(edge));
        found.complete(&connect_api::Budget::new(1 << 20));
        assert_eq!(cuts(Boundaries::new((&[], false), None, found, 0)), [3, 6, 14, 20, 22]);
        // Where every cut is known there is no other.
        assert_eq!(cuts(Boundaries::new((&planned(&[10, 20]), true), None, others(), 0)), [10, 20, 22]);
        // Over a gap the cut is the one that was planned, not the edge before it.
        let mut boundaries = Boundaries::new((&group, false), None, others(), 4);
        assert_eq!(boundaries.pass(13, 6), Some(10));
    }

    #[test]
    fn a_journal_with_every_cut_leaves_nothing_to_the_settings() {
        let boundaries = Boundaries::new((&planned(&[4, 20]), true), None, Findings::default(), 2);
        assert!(boundaries.decide(19) && !boundaries.decide(20));
        assert!(!Boundaries::new((&planned(&[4, 20]), false), None, Findings::default(), 2).decide(3));
    }
}
