//! Objects that begin before the offset where a partition is read on, and reach beyond it: offsets were reset into their middle.

use std::collections::{BTreeMap, HashMap};

use super::{
    provenance::Provenance,
    survey::{Interest, Wanted},
};

/// The last object before the offset where each partition begins, by name without offset. Where each schema has a file of its own, the last group may have
/// several of one such name, and nothing but the objects themselves says which: then it is all that begin so far before.
#[derive(Default)]
pub(super) struct Before {
    last: HashMap<(usize, String), BTreeMap<i64, String>>,
}

impl Before {
    /// Looks at one name of a listing.
    pub(super) fn see(&mut self, name: &str, interests: &[Interest], group: &[Wanted]) {
        for (of, place) in interests {
            let Wanted { start, looks_back, file_for_each_schema, .. } = group[*of];
            let is_close = |first: &i64| *first < start && *first >= start - looks_back;
            let Some(first) = (looks_back > 0).then(|| place.first_offset(name)).flatten().filter(is_close) else { continue };
            let Some(slot) = place.slot(name) else { continue };
            let last = self.last.entry((*of, slot)).or_default();
            last.insert(first, name.to_owned());
            if !file_for_each_schema && last.len() > 1 {
                last.pop_first();
            }
        }
    }

    /// How much memory it takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let names = |names: &BTreeMap<i64, String>| names.values().map(|name| 48 + name.len()).sum::<usize>();
        self.last.iter().map(|((_, slot), last)| 48 + slot.len() + names(last)).sum()
    }

    /// Of which partition, and the name without its offset; the first offsets of such objects with their names, the last one first.
    pub(super) fn last(self) -> impl Iterator<Item = ((usize, String), impl Iterator<Item = (i64, String)>)> {
        self.last.into_iter().map(|(of, names)| (of, names.into_iter().rev()))
    }
}

/// Where the object ends, if it has records that the partition would otherwise write once more. Only an object that says it is of the very same topic
/// has them: brokers forget a group's offsets together with a topic, so nothing else tells a reset from a topic that was made anew.
pub(super) fn reaches(there: &Provenance, wanted: &Wanted) -> Option<i64> {
    let is_of_this_log = there.topic_id.is_some() && there.topic_id == wanted.topic_id;
    let is_ours = is_of_this_log && there.owner == Some(wanted.owner) && there.topic_partition == wanted.topic_partition;
    there.cut.filter(|cut| is_ours && cut.end > wanted.start).map(|cut| cut.end)
}
