//! What was found in the bucket of one partition, object by object, as the ranges and edges that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use connect_api::{Budget, Reservation};

use super::{edges::Edges, journal::PlannedCut, provenance::Provenance, slot::Slot};

/// A partition's objects at and beyond the offset where it begins.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Where groups of files begin and end, whoever wrote them.
    pub(super) edges: Edges,
    /// Where those of our own history do.
    pub(super) own_edges: Edges,
    /// Ranges of our history all of whose files are there, by their first offset: their records need not be written again.
    pub(super) durable: BTreeMap<i64, i64>,
    /// Groups of our history some file of which was not found.
    pub(super) partial: BTreeMap<GroupKey, Partial>,
    /// All of it begins or lies before this offset.
    pub(super) until: i64,
    /// What all of this takes, once it is complete.
    pub(super) memory: Option<Reservation>,
    objects: u64,
}

/// Where a group begins and ends, and under which settings records went to its files: those of different settings do not add up to a group.
pub(super) type GroupKey = (i64, i64, Option<u64>);

/// A group of our history that is not complete.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The files that are there.
    pub(super) slots: BTreeSet<Slot>,
    /// How many there are of it, as one of them or the journal says.
    of: Option<usize>,
    /// Of an earlier history: offsets were reset into its middle.
    is_of_the_past: bool,
}

/// What an object says of itself.
pub(super) struct Sighting<'a> {
    /// The offset in its name.
    pub(super) first: i64,
    /// Its name without the offset.
    pub(super) slot: String,
    /// None where another program wrote it.
    pub(super) provenance: Option<&'a Provenance>,
    pub(super) is_ours: bool,
}

impl Findings {
    /// Takes an object in. `planned`: the cuts in the journal, which objects in parts rely on.
    pub(super) fn take(&mut self, sighting: Sighting<'_>, planned: &[PlannedCut]) {
        self.objects += 1;
        let Sighting { first, slot, provenance, is_ours } = sighting;
        let first = provenance.map_or(first, |provenance| provenance.group_first);
        self.edges.insert(first);
        self.until = self.until.max(first + 1);
        let Some(provenance) = provenance else { return };
        let of_journal = || planned.iter().find(|cut| is_ours && cut.end > first);
        let Some(end) = provenance.cut.map(|cut| cut.end).or_else(|| of_journal().map(|cut| cut.end)) else { return };
        self.edges.insert(end);
        self.until = self.until.max(end);
        if is_ours {
            self.own_edges.insert(first);
            self.own_edges.insert(end);
        }
        if !is_ours || self.durable.range(..=first).next_back().is_some_and(|(_, durable)| end <= *durable) {
            return;
        }
        let in_journal = planned.iter().find(|cut| cut.end == end).and_then(|cut| cut.files);
        let group = self.partial.entry((first, end, provenance.layout)).or_default();
        group.of = group.of.max(provenance.files).max(in_journal);
        group.slots.insert(Slot { name: slot, schema: provenance.schema });
        if group.of.is_some_and(|of| group.slots.len() >= of) {
            let all: Vec<_> = self.partial.range((first, end, None)..=(first, end, Some(u64::MAX))).map(|(key, _)| *key).collect();
            all.iter().for_each(|key| drop(self.partial.remove(key)));
            self.insert_durable(first, end);
        }
    }

    /// An object of this connector begins before the offset where it is read on, and has records beyond it: offsets were reset into its middle. They are not
    /// written again.
    pub(super) fn cover(&mut self, slot: String, provenance: &Provenance, end: i64) {
        self.edges.insert(end);
        self.own_edges.insert(end);
        self.until = self.until.max(end);
        let group = self.partial.entry((provenance.group_first, end, provenance.layout)).or_default();
        group.slots.insert(Slot { name: slot, schema: provenance.schema });
        group.is_of_the_past = true;
    }

    /// A group that is not complete and whose files others settings have named or filled: its first offset, its end, and one of the files. Nobody knows which of
    /// its records they have, and under these settings none of them would be replaced. `is_named`: whether this is the name, without offset, of a file that these
    /// settings would write.
    pub(super) fn of_other_settings(&self, layout: Option<u64>, is_named: impl Fn(&str) -> bool) -> Option<(i64, i64, &str)> {
        let mut ours = self.partial.iter().filter(|(_, group)| !group.is_of_the_past);
        ours.find_map(|((first, end, theirs), group)| {
            let other = group.slots.iter().find(|slot| *theirs != layout || !is_named(&slot.name))?;
            Some((*first, *end, other.name.as_str()))
        })
    }

    /// Nothing else will come.
    pub(super) fn complete(&mut self, budget: &Budget) {
        self.edges.sort();
        self.own_edges.sort();
        self.memory = Some(budget.park(self.bytes()));
    }

    /// How many objects were taken in.
    pub(super) fn objects(&self) -> u64 {
        self.objects
    }

    /// How much memory it takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let partial: usize = self.partial.values().map(|group| 64 + group.slots.iter().map(Slot::bytes).sum::<usize>()).sum();
        self.edges.bytes() + self.own_edges.bytes() + self.durable.len() * 32 + partial
    }

    /// Adds a range to those that are durable, and joins it with its neighbours.
    fn insert_durable(&mut self, mut first: i64, mut end: i64) {
        if let Some((&before, &before_end)) = self.durable.range(..=first).next_back()
            && before_end >= first
        {
            first = before;
            end = end.max(before_end);
        }
        while let Some((&next, &next_end)) = self.durable.range(first..=end).next_back() {
            end = end.max(next_end);
            self.durable.remove(&next);
        }
        self.durable.insert(first, end);
    }
}

#[cfg(test)]
mod tests {
    use connect_api::TopicPartition;

    use super::*;
    use crate::storage_sink::{open_file::Range, provenance::Cut};

    fn provenance(first: i64, end: Option<i64>, files: Option<usize>) -> Provenance {
        let range = |end: i64| Range { first_offset: first, last_offset: end - 1, records: 1 };
        Provenance {
            history: "h".into(),
            owner: None,
            topic_id: None,
            topic_partition: TopicPartition::new("t", 0),
            layout: None,
            schema: None,
            first_offset: first,
            group_first: first,
            cut: end.map(|end| Cut { range: range(end), end }),
            files,
        }
    }

    fn seen(findings: &mut Findings, slot: &str, is_ours: bool, provenance: &Provenance, planned: &[PlannedCut]) {
        let first = provenance.first_offset;
        findings.take(Sighting { first, slot: slot.into(), provenance: Some(provenance), is_ours }, planned);
    }

    #[test]
    fn a_group_is_durable_only_with_all_of_its_files() {
        let mut findings = Findings::default();
        seen(&mut findings, "v", true, &provenance(0, Some(3), Some(2)), &[]);
        seen(&mut findings, "k", true, &provenance(0, Some(3), Some(2)), &[]);
        seen(&mut findings, "v", true, &provenance(3, Some(6), Some(2)), &[]);
        seen(&mut findings, "v", false, &provenance(6, Some(9), Some(1)), &[]);
        assert_eq!(findings.durable, BTreeMap::from([(0, 3)]));
        assert_eq!(findings.partial[&(3, 6, None)].slots, BTreeSet::from([Slot { name: "v".to_owned(), schema: None }]));
        findings.complete(&Budget::new(1 << 20));
        assert_eq!(findings.edges.at_or_before(i64::MAX), Some(9));
    }

    #[test]
    fn the_journal_says_the_end_and_the_number_of_files_of_a_group_in_parts() {
        let planned = [PlannedCut { end: 3, files: Some(2) }, PlannedCut { end: 6, files: None }];
        let mut findings = Findings::default();
        seen(&mut findings, "v", true, &provenance(0, None, None), &planned);
        assert!(findings.durable.is_empty());
        seen(&mut findings, "k", true, &provenance(0, None, None), &planned);
        seen(&mut findings, "v", true, &provenance(3, None, None), &planned);
        assert_eq!(findings.durable, BTreeMap::from([(0, 3)]));
        assert!(findings.partial.contains_key(&(3, 6, None)));
    }

    #[test]
    fn files_of_different_settings_do_not_make_a_group() {
        let of = |layout, files| Provenance { layout: Some(layout), ..provenance(0, Some(9), Some(files)) };
        let mut findings = Findings::default();
        seen(&mut findings, "d=0", true, &of(1, 2), &[]);
        seen(&mut findings, "d=1", true, &of(2, 2), &[]);
        assert!(findings.durable.is_empty());
        seen(&mut findings, "d=2", true, &of(2, 2), &[]);
        assert_eq!((findings.durable, findings.partial.len()), (BTreeMap::from([(0, 9)]), 0));
    }

    #[test]
    fn files_of_different_schemas_in_one_directory_are_different_files_wherever_they_begin() {
        let of = |first_offset, schema| Provenance { schema, first_offset, ..provenance(0, Some(9), Some(3)) };
        let mut findings = Findings::default();
        // The same one twice: its first record was gone when it was written again.
        [of(0, Some(1)), of(2, Some(1)), of(1, Some(2))].iter().for_each(|there| seen(&mut findings, "v", true, there, &[]));
        assert!(findings.durable.is_empty());
        seen(&mut findings, "v", true, &of(4, None), &[]);
        assert_eq!(findings.durable, BTreeMap::from([(0, 9)]));
    }

    #[test]
    fn an_incomplete_group_under_other_names_or_of_another_layout_is_told_from_others() {
        let of = |layout| {
            let mut findings = Findings::default();
            seen(&mut findings, "old/v", true, &Provenance { layout, ..provenance(0, Some(3), Some(2)) }, &[]);
            seen(&mut findings, "new/v", true, &Provenance { layout, ..provenance(3, Some(6), Some(1)) }, &[]);
            findings
        };
        let is_new = |slot: &str| slot.starts_with("new/");
        assert_eq!(of(None).of_other_settings(None, |_| true), None);
        assert_eq!(of(None).of_other_settings(None, is_new), Some((0, 3, "old/v")));
        assert_eq!(of(Some(1)).of_other_settings(Some(2), |_| true), Some((0, 3, "old/v")));
    }

    #[test]
    fn durable_ranges_join_in_any_order() {
        for order in [[0, 3, 6, 9], [9, 6, 3, 0], [6, 0, 9, 3]] {
            let mut findings = Findings::default();
            for first in order {
                seen(&mut findings, "v", true, &provenance(first, Some(first + 3), Some(1)), &[]);
            }
            seen(&mut findings, "v", true, &provenance(20, Some(21), Some(1)), &[]);
            assert_eq!(findings.durable, BTreeMap::from([(0, 12), (20, 21)]), "{order:?}");
        }
    }

    #[test]
    fn a_million_objects_of_one_record_take_no_memory_to_speak_of() {
        let mut findings = Findings::default();
        for first in 0..1_000_000 {
            seen(&mut findings, "v", true, &provenance(first, Some(first + 1), Some(1)), &[]);
        }
        findings.complete(&Budget::new(1 << 20));
        assert!(findings.bytes() < 1_000, "{}", findings.bytes());
    }
}
