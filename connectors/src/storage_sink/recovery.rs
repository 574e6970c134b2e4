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
        let Some(provenance) = provenance else { return Ok(Some(Seen { first, end: None, files: None })) };
        let is_ours = provenance.history == self.history;
        let (first, end) = match provenance.cut {
            Some(cut) => (cut.group_first, Some(cut.end)),
            None => (first, self.planned.iter().copied().find(|planned| is_ours && *planned > first)),
        };
        // Of a group that does not say how many files it has nobody knows whether all are there.
        let files = provenance.files.unwrap_or(usize::MAX);
        Ok(Some(Seen { first, end, files: is_ours.then_some(files) }))
    }
}

/// An object: its group's range, and how many files that group has where the history is ours.
struct Seen {
    first: i64,
    end: Option<i64>,
    files: Option<usize>,
}

fn ranges(seen: Vec<Seen>) -> Vec<Found> {
    let mut groups: HashMap<(i64, Option<i64>, Option<usize>), usize> = HashMap::new();
    for Seen { first, end, files } in seen {
        *groups.entry((first, end, files)).or_default() += 1;
    }
    let range = |((first, end, files), count): ((i64, Option<i64>, Option<usize>), usize)| {
        let is_durable = end.is_some() && files.is_some_and(|files| count >= files);
        Found { first, end, is_durable }
    };
    let mut found: Vec<_> = groups.into_iter().map(range).collect();
    // Of two that begin at the same offset the one that is durable comes first, and then the longer one.
    found.sort_unstable_by_key(|range| (range.first, !range.is_durable, std::cmp::Reverse(range.end)));
    found.dedup_by_key(|range| range.first);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(first: i64, end: Option<i64>, files: Option<usize>) -> Seen {
        Seen { first, end, files }
    }

    #[test]
    fn a_group_is_durable_only_with_all_of_its_files() {
        let complete = Found { first: 0, end: Some(3), is_durable: true };
        let partial = Found { first: 3, end: Some(6), is_durable: false };
        let foreign = Found { first: 6, end: None, is_durable: false };
        let objects = vec![seen(0, Some(3), Some(2)), seen(0, Some(3), Some(2)), seen(3, Some(6), Some(2)), seen(6, None, None)];
        assert_eq!(ranges(objects), [complete, partial, foreign]);
    }

    #[test]
    fn an_object_in_parts_without_the_files_beside_it_is_not_durable() {
        assert_eq!(ranges(vec![seen(0, Some(3), Some(2))]), [Found { first: 0, end: Some(3), is_durable: false }]);
        assert_eq!(ranges(vec![seen(0, Some(3), Some(usize::MAX))]), [Found { first: 0, end: Some(3), is_durable: false }]);
    }

    #[test]
    fn what_is_durable_wins_over_what_only_has_the_name() {
        let objects = vec![seen(0, Some(9), None), seen(0, Some(7), Some(1))];
        assert_eq!(ranges(objects), [Found { first: 0, end: Some(7), is_durable: true }]);
    }
}
