//! When the open files of a partition are cut. All of it is decided here, from what is open, the record and the clock, and nothing of it is remembered but what a
//! group's own records say: whoever reads them again from where the group begins decides the same. A group begins at every offset that is ever committed.

use super::metrics::Reason;

/// What the settings ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Rotation {
    /// `flush.size`: records of all files together.
    pub(super) flush_size: u64,
    /// `rotate.interval.ms`, where it acts.
    pub(super) interval: Option<i64>,
    /// `rotate.file.on.partition.change`.
    pub(super) on_change: bool,
    /// `partitioner.max.open.files`.
    pub(super) max_open_files: Option<usize>,
    /// `rotate.size.bytes`: of all files together.
    pub(super) bytes: Option<u64>,
    /// `rotate.per.file`: both limits count for the file alone that a record was written to.
    pub(super) per_file: bool,
    /// `rotate.idle.ms`.
    pub(super) idle: Option<i64>,
}

/// The files that are open together, as far as a decision needs it.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Written to all files together.
    pub(super) records: u64,
    /// The same in bytes, before compression.
    bytes: u64,
    /// Both, of the file that the last record was written to.
    file: (u64, u64),
    /// When the last record was written, by the wall clock.
    written_at: i64,
    /// The first offset of the group.
    pub(super) first: i64,
    /// Whether a record had a schema.
    pub(super) has_schemas: bool,
    /// The time of the first record that has one.
    first_time: Option<i64>,
    /// Where the last record was written; kept where a change of it cuts.
    last_directory: String,
    last_is_tombstone: bool,
}

/// A record that is about to be written.
#[derive(Debug)]
pub(super) struct Next<'a> {
    /// Milliseconds since 1970, where the partitioner goes by time.
    pub(super) time: Option<i64>,
    pub(super) directory: &'a str,
    pub(super) is_tombstone: bool,
}

impl Group {
    /// A record was written, of so many bytes, at this time of the wall clock. `file`: how many records and bytes its file has now.
    pub(super) fn wrote(&mut self, rotation: &Rotation, record: &Next<'_>, (bytes, file): (usize, (u64, u64)), now: i64) {
        self.records += 1;
        self.bytes += bytes as u64;
        self.file = file;
        self.written_at = now;
        self.first_time = self.first_time.or(record.time);
        self.last_is_tombstone = record.is_tombstone;
        if rotation.heeds_changes() && self.last_directory != record.directory {
            record.directory.clone_into(&mut self.last_directory);
        }
    }

    /// The wall clock shows an earlier time than when a record was written.
    pub(super) fn clock_was_set_back(&mut self, now: i64) {
        self.written_at = self.written_at.min(now);
    }

    /// The group is closed.
    pub(super) fn end(&mut self) {
        (self.records, self.bytes, self.first_time, self.has_schemas) = (0, 0, None, false);
    }
}

impl Rotation {
    /// Whether another directory than that of the record before may cut.
    fn heeds_changes(&self) -> bool {
        self.interval.is_some() && self.on_change
    }

    /// Whether the files are cut before the record is written. `open_files`: how many there are, and whether one of them is the record's.
    pub(super) fn before(&self, group: &Group, next: &Next<'_>, open_files: (usize, bool)) -> Option<Reason> {
        if group.records == 0 {
            return None;
        }
        if let Some(interval) = self.interval {
            let elapsed = next.time.zip(group.first_time).map(|(time, first)| time.saturating_sub(first));
            if elapsed.is_some_and(|elapsed| elapsed >= interval) {
                return Some(Reason::Interval);
            }
            // Null values between others move nothing.
            let may_change = self.heeds_changes() && !next.is_tombstone && !group.last_is_tombstone;
            if may_change && next.directory != group.last_directory {
                return Some(Reason::PartitionChange);
            }
        }
        let (open, has_file) = open_files;
        let is_full = self.max_open_files.is_some_and(|most| open >= most);
        (is_full && !has_file).then_some(Reason::OpenFiles)
    }

    /// Whether the files are cut after a record was written.
    pub(super) fn after(&self, group: &Group) -> Option<Reason> {
        let (records, bytes) = if self.per_file { group.file } else { (group.records, group.bytes) };
        if records >= self.flush_size {
            return Some(Reason::Size);
        }
        self.bytes.is_some_and(|most| bytes >= most).then_some(Reason::Bytes)
    }

    /// Whether the files are cut because of the clock alone. `due`: the next instant of the grid.
    pub(super) fn at(&self, group: &Group, now: i64, due: i64) -> Option<Reason> {
        if group.records == 0 {
            return None;
        }
        if now >= due {
            return Some(Reason::Schedule);
        }
        self.idle.is_some_and(|idle| now.saturating_sub(group.written_at) >= idle).then_some(Reason::Idle)
    }

    /// Whether the clock cuts anything, beside its grid.
    pub(super) fn goes_by_clock(&self) -> bool {
        self.idle.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn record(time: i64, directory: &str) -> Next<'_> {
        Next { time: Some(time), directory, is_tombstone: false }
    }

    /// Before or after which of the records, by index, is cut, and why.
    fn cuts(rotation: &Rotation, records: &[Next<'_>]) -> Vec<(usize, String)> {
        let (mut group, mut open, mut cuts) = (Group::default(), Vec::<(String, u64)>::new(), Vec::new());
        let mut cut = |group: &mut Group, open: &mut Vec<(String, u64)>, index: usize, reason: Reason| {
            group.end();
            open.clear();
            cuts.push((index, format!("{reason:?}")));
        };
        for (index, next) in records.iter().enumerate() {
            let has_file = open.iter().any(|(directory, _)| directory == next.directory);
            if let Some(reason) = rotation.before(&group, next, (open.len(), has_file)) {
                cut(&mut group, &mut open, index, reason);
            }
            if !open.iter().any(|(directory, _)| directory == next.directory) {
                open.push((next.directory.to_owned(), 0));
            }
            let (_, records) = open.iter_mut().find(|(directory, _)| directory == next.directory).unwrap();
            *records += 1;
            group.wrote(rotation, next, (10, (*records, *records * 10)), 0);
            if let Some(reason) = rotation.after(&group) {
                cut(&mut group, &mut open, index + 1, reason);
            }
        }
        cuts
    }

    fn told(cuts: &[(usize, &str)]) -> Vec<(usize, String)> {
        cuts.iter().map(|(index, reason)| (*index, (*reason).to_owned())).collect()
    }

    /// The trace of the reference with late records: 10:00, 09:58, 10:09, 09:55, 10:10.
    fn late() -> [Next<'static>; 5] {
        [(0, "h10"), (-2, "h09"), (9, "h10"), (-5, "h09"), (10, "h10")]
            .map(|(minute, directory)| record(minute * MINUTE, directory))
    }

    #[test]
    fn late_records_do_not_turn_the_interval_back_and_the_whole_interval_is_enough() {
        let rotation = Rotation {
            flush_size: 100,
            interval: Some(10 * MINUTE),
            on_change: false,
            max_open_files: None,
            ..Rotation::default()
        };
        assert_eq!(cuts(&rotation, &late()), told(&[(4, "Interval")]));
    }

    #[test]
    fn each_change_of_the_directory_cuts_where_it_is_asked_for_and_the_interval_acts() {
        let rotation =
            Rotation { flush_size: 100, interval: Some(10 * MINUTE), on_change: true, max_open_files: None, ..Rotation::default() };
        let changes = [(1, "PartitionChange"), (2, "Interval"), (3, "PartitionChange"), (4, "Interval")];
        assert_eq!(cuts(&rotation, &late()), told(&changes));
        assert_eq!(cuts(&Rotation { interval: None, ..rotation }, &late()), []);
    }

    #[test]
    fn null_values_are_no_change_of_the_directory() {
        let rotation =
            Rotation { flush_size: 100, interval: Some(10 * MINUTE), on_change: true, max_open_files: None, ..Rotation::default() };
        let null = || Next { is_tombstone: true, ..record(0, "tombstone") };
        assert_eq!(cuts(&rotation, &[record(0, "a"), null(), record(1, "b"), record(2, "a")]), told(&[(3, "PartitionChange")]));
        // Their time counts.
        assert_eq!(cuts(&rotation, &[record(0, "a"), Next { time: Some(10 * MINUTE), ..null() }]), told(&[(1, "Interval")]));
    }

    #[test]
    fn records_without_a_time_begin_no_interval() {
        let rotation =
            Rotation { flush_size: 100, interval: Some(MINUTE), on_change: false, max_open_files: None, ..Rotation::default() };
        let timeless = || Next { time: None, ..record(0, "a") };
        let records = [timeless(), record(0, "a"), timeless(), record(MINUTE, "a")];
        assert_eq!(cuts(&rotation, &records), told(&[(3, "Interval")]));
        assert_eq!(cuts(&rotation, &[record(i64::MIN, "a"), record(i64::MAX, "a")]), told(&[(1, "Interval")]));
    }

    #[test]
    fn one_directory_too_many_cuts_before_it() {
        let rotation = Rotation { flush_size: 4, interval: None, on_change: true, max_open_files: Some(2), ..Rotation::default() };
        let records = ["a", "b", "a", "c", "d", "c", "e"].map(|directory| record(0, directory));
        assert_eq!(cuts(&rotation, &records), told(&[(3, "OpenFiles"), (6, "OpenFiles")]));
    }

    #[test]
    fn the_size_counts_the_records_of_all_files() {
        let rotation = Rotation { flush_size: 3, interval: None, on_change: true, max_open_files: None, ..Rotation::default() };
        let records = ["a", "b", "a", "b"].map(|directory| record(0, directory));
        assert_eq!(cuts(&rotation, &records), told(&[(3, "Size")]));
    }

    #[test]
    fn limits_may_count_for_one_file_and_still_close_all() {
        let records = ["a", "b", "c", "a", "b", "a", "b", "b"].map(|directory| record(0, directory));
        let rotation = Rotation { flush_size: 3, per_file: true, ..Rotation::default() };
        assert_eq!(cuts(&rotation, &records), told(&[(6, "Size")]));
        let rotation = Rotation { flush_size: 100, bytes: Some(20), per_file: true, ..Rotation::default() };
        assert_eq!(cuts(&rotation, &records), told(&[(4, "Bytes"), (7, "Bytes")]));
    }

    #[test]
    fn the_clock_cuts_what_is_open_and_nothing_else() {
        let rotation = Rotation { flush_size: 3, ..Rotation::default() };
        let mut group = Group::default();
        assert!(rotation.at(&group, 10, 10).is_none());
        group.wrote(&rotation, &record(0, "a"), (1, (1, 1)), 5);
        assert!(rotation.at(&group, 9, 10).is_none());
        assert!(rotation.at(&group, 10, 10).is_some());
    }

    #[test]
    fn bytes_of_all_files_cut_after_the_record_that_reaches_the_limit() {
        let rotation = Rotation { flush_size: 100, bytes: Some(25), ..Rotation::default() };
        let records = ["a", "b", "a", "b"].map(|directory| record(0, directory));
        assert_eq!(cuts(&rotation, &records), told(&[(3, "Bytes")]));
    }

    #[test]
    fn what_nothing_is_written_to_is_cut_after_a_while() {
        let rotation = Rotation { flush_size: 100, idle: Some(50), ..Rotation::default() };
        let mut group = Group::default();
        assert!(rotation.at(&group, 1_000, i64::MAX).is_none(), "nothing is open");
        group.wrote(&rotation, &record(0, "a"), (1, (1, 1)), 1_000);
        group.wrote(&rotation, &record(0, "a"), (1, (2, 2)), 1_030);
        assert!(rotation.at(&group, 1_079, i64::MAX).is_none());
        assert_eq!(rotation.at(&group, 1_080, i64::MAX).map(|reason| format!("{reason:?}")).as_deref(), Some("Idle"));
        assert!(rotation.at(&group, 0, i64::MAX).is_none(), "a clock that was set back");
    }
}
