//! What lies in the bucket beyond the committed offset, where that cannot be known from the journal.

use std::collections::HashMap;

use connect_api::{Result, Storage, TopicPartition};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{object_key::Place, provenance::Provenance};

const HEADS_AT_ONCE: usize = 32;

/// A range of offsets that objects in the bucket cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) first: i64,
    /// The offset after the range, where the objects say so.
    pub(super) end: Option<i64>,
    /// All files of the range are there and of our history: its records need not be written again.
    pub(super) is_durable: bool,
}

/// Where and for whom to look.
pub(super) struct Survey<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) topic_partition: &'a TopicPartition,
    pub(super) places: &'a [Place],
    pub(super) history: &'a str,
    /// Cuts in the journal: objects in parts do not say their own.
    pub(super) planned: &'a [i64],
}

impl Survey<'_> {
    /// What is found at or beyond `start`, ascending, each range once.
    pub(super) async fn from(&self, start: i64) -> Result<Vec<Found>> {
        let mut names = Vec::new();
        for place in self.places {
            let after = place.just_before(start);
            let listed = self.storage.list(&place.prefix(), after.as_deref()).await?;
            names.extend(
                listed.into_iter().filter_map(|key| Some((place.first_offset(&key).filter(|first| *first >= start)?, key))),
            );
        }
        names.sort_unstable();
        names.dedup();
        let heads = stream::iter(names).map(|(first, key)| self.look(first, key)).buffered(HEADS_AT_ONCE);
        let seen: Vec<Seen> = heads.try_filter_map(async |seen| Ok(seen)).try_collect().await?;
        Ok(ranges(seen))
    }

    async fn look(&self, first: i64, key: String) -> Result<Option<Seen>> {
        let Some(info) = self.storage.head(&key).await? else { return Ok(None) };
        let provenance = Provenance::read(&info.metadata).filter(|provenance| provenance.topic_partition == *self.topic_partition);
        let Some(provenance) = provenance else {
            return Ok(Some(Seen { group: Group { first, end: None, is_ours: false }, files: None }));
        };
        let is_ours = provenance.history == self.history;
        let end = match provenance.cut {
            Some(cut) => Some(cut.end),
            None => self.planned.iter().copied().find(|planned| is_ours && *planned > first),
        };
        Ok(Some(Seen { group: Group { first: provenance.group_first, end, is_ours }, files: provenance.files }))
    }
}

/// An object: its group, and how many files that has where the object says so.
struct Seen {
    group: Group,
    files: Option<usize>,
}

/// Files that were closed together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Group {
    first: i64,
    end: Option<i64>,
    is_ours: bool,
}

/// How many files were found of a group, and how many it has: as one of them says, for an object in parts was begun before that was known.
#[derive(Default)]
struct Files {
    found: usize,
    of: Option<usize>,
}

fn ranges(seen: Vec<Seen>) -> Vec<Found> {
    let mut groups: HashMap<Group, Files> = HashMap::new();
    for Seen { group, files } in seen {
        let known = groups.entry(group).or_default();
        known.found += 1;
        known.of = known.of.max(files);
    }
    let mut found: Vec<_> = groups
        .into_iter()
        .map(|(Group { first, end, is_ours }, Files { found, of })| {
            let is_durable = is_ours && end.is_some() && of.is_some_and(|of| found >= of);
            Found { first, end, is_durable }
        })
        .collect();
    // Of two that begin at the same offset the one that is durable comes first, and then the longer one.
    found.sort_unstable_by_key(|range| (range.first, !range.is_durable, std::cmp::Reverse(range.end)));
    found.dedup_by_key(|range| range.first);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(first: i64, end: Option<i64>, files: Option<usize>) -> Seen {
        Seen { group: Group { first, end, is_ours: true }, files }
    }

    fn foreign(first: i64, end: Option<i64>) -> Seen {
        Seen { group: Group { first, end, is_ours: false }, files: Some(1) }
    }

    #[test]
    fn a_group_is_durable_only_with_all_of_its_files() {
        let complete = Found { first: 0, end: Some(3), is_durable: true };
        let partial = Found { first: 3, end: Some(6), is_durable: false };
        let other = Found { first: 6, end: None, is_durable: false };
        let objects = vec![seen(0, Some(3), Some(2)), seen(0, Some(3), Some(2)), seen(3, Some(6), Some(2)), foreign(6, None)];
        assert_eq!(ranges(objects), [complete, partial, other]);
    }

    #[test]
    fn of_objects_in_parts_another_file_of_the_group_may_say_how_many_there_are() {
        let (complete, unknown) =
            (Found { first: 0, end: Some(3), is_durable: true }, Found { first: 3, end: Some(6), is_durable: false });
        let objects = vec![seen(0, Some(3), None), seen(0, Some(3), Some(2)), seen(3, Some(6), None), seen(3, Some(6), None)];
        assert_eq!(ranges(objects), [complete, unknown]);
    }

    #[test]
    fn what_is_durable_wins_over_what_only_has_the_name() {
        let objects = vec![foreign(0, Some(9)), seen(0, Some(7), Some(1))];
        assert_eq!(ranges(objects), [Found { first: 0, end: Some(7), is_durable: true }]);
    }
}
