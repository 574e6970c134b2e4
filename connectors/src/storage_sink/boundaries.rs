//! Where to cut whatever the settings say: cuts that were planned before a restart, and the edges of objects that are there already.

use std::collections::VecDeque;

use super::recovery::Found;

/// Offsets ahead where files must be cut, and ranges ahead that need not be written.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    /// Ascending; files are closed before the first record at or beyond each.
    cuts: VecDeque<i64>,
    /// Ascending, not overlapping.
    found: VecDeque<Found>,
    /// Everything that was found lies before this offset.
    found_until: i64,
    /// Up to here the journal has every cut.
    every_until: i64,
}

impl Boundaries {
    /// `every`: there is no cut but these up to the last of `planned`.
    pub(super) fn new(planned: &[i64], every: bool, found: Vec<Found>, start: i64) -> Self {
        let mut cuts: Vec<i64> = planned.to_vec();
        let mut ahead: VecDeque<Found> = VecDeque::new();
        for range in found {
            // Ranges of two pasts may overlap: the one that begins first is followed, what begins inside of it only cuts if it is not durable.
            let inside = ahead.back().is_some_and(|before| before.end.is_some_and(|end| range.first < end));
            if inside && ahead.back().is_some_and(|before| before.is_durable) {
                continue;
            }
            cuts.push(range.first);
            if let Some(before) = ahead.back_mut().filter(|_| inside) {
                before.end = Some(range.first);
            }
            cuts.extend(range.end);
            ahead.push_back(range);
        }
        cuts.sort_unstable();
        cuts.dedup();
        let every_until = planned.last().copied().filter(|_| every).unwrap_or_default();
        let found_until = ahead.iter().map(end).max().unwrap_or_default();
        Self { cuts: cuts.into_iter().filter(|cut| *cut > start).collect(), found: ahead, found_until, every_until }
    }

    /// Whether files must be closed before the record at `offset`. Forgets what is behind.
    pub(super) fn is_reached(&mut self, offset: i64) -> bool {
        let mut reached = false;
        while self.cuts.front().is_some_and(|cut| *cut <= offset) {
            self.cuts.pop_front();
            reached = true;
        }
        while self.found.front().is_some_and(|range| end(range) <= offset) {
            self.found.pop_front();
        }
        reached
    }

    /// The end of the range that holds `offset` and need not be written.
    pub(super) fn durable_until(&self, offset: i64) -> Option<i64> {
        self.found.front().filter(|range| range.is_durable && range.first <= offset)?.end
    }

    /// Whether the journal, or an object that is there, decides where the file with `offset` ends.
    pub(super) fn decides(&self, offset: i64) -> bool {
        offset < self.every_until
            || self.found.front().is_some_and(|range| range.first <= offset && range.end.is_some_and(|end| offset < end))
    }

    /// Whether everything that was found lies before `offset`, read or not.
    pub(super) fn are_behind(&self, offset: i64) -> bool {
        self.found_until <= offset
    }
}

/// At least the record that gave the object its name.
fn end(range: &Found) -> i64 {
    range.end.unwrap_or(range.first + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(first: i64, end: Option<i64>, is_durable: bool) -> Found {
        Found { first, end, is_durable }
    }

    #[test]
    fn files_are_cut_at_planned_cuts_and_at_the_edges_of_what_is_there() {
        let mut boundaries = Boundaries::new(&[4, 20], false, vec![found(7, Some(14), true)], 2);
        let reached: Vec<i64> = (2..24).filter(|offset| boundaries.is_reached(*offset)).collect();
        assert_eq!(reached, [4, 7, 14, 20]);
    }

    #[test]
    fn records_of_a_durable_range_are_not_written_again() {
        let mut boundaries = Boundaries::new(&[], false, vec![found(7, Some(9), true), found(9, Some(11), false)], 7);
        let durable: Vec<i64> = (7..13)
            .filter(|offset| {
                boundaries.is_reached(*offset);
                boundaries.durable_until(*offset).is_some()
            })
            .collect();
        assert_eq!(durable, [7, 8]);
    }

    #[test]
    fn an_object_with_a_known_end_decides_where_its_file_ends() {
        let mut boundaries = Boundaries::new(&[], false, vec![found(0, Some(7), false)], 0);
        assert!(boundaries.decides(6) && !boundaries.decides(7));
        // Reading beyond it is not enough: what was read may be read again.
        boundaries.is_reached(20);
        assert!(!boundaries.are_behind(6) && boundaries.are_behind(7));
    }

    #[test]
    fn a_journal_with_every_cut_leaves_nothing_to_the_settings() {
        let boundaries = Boundaries::new(&[4, 20], true, Vec::new(), 2);
        assert!(boundaries.decides(19) && !boundaries.decides(20));
        assert!(!Boundaries::new(&[4, 20], false, Vec::new(), 2).decides(3));
    }

    #[test]
    fn of_two_pasts_that_overlap_the_durable_one_is_followed() {
        let boundaries = Boundaries::new(&[], false, vec![found(0, Some(7), true), found(3, Some(6), false)], 0);
        assert_eq!(boundaries.found.len(), 1);
        let boundaries = Boundaries::new(&[], false, vec![found(0, Some(7), false), found(3, Some(6), true)], 0);
        assert_eq!(boundaries.found, [found(0, Some(3), false), found(3, Some(6), true)]);
    }
}
