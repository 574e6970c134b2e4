//! What must survive a crash beside an offset: the text in the metadata of the group's committed offsets.
//!
//! It is small, written in one commit with the offset, read by whoever owns the partition next, and protected from stale members by the group
//! coordinator. It needs no other store and no lock.

use std::{
    fmt::Write as _,
    hash::{BuildHasher, RandomState},
};

use connect_api::{Error, Result};

use super::object_key::Place;

const VERSION: &str = "connect-sink/1";
/// A broker with default settings takes no more.
#[cfg(test)]
const MAX_BYTES: usize = 4_095;
/// So much of them may name places; the rest is for planned cuts and decisions.
const MAX_PLACES_BYTES: usize = 2_000;
/// What may be added to the text later without a word about cuts: a topic's id, until when requests are under way, more proofs.
const MARGIN_BYTES: usize = 80;
/// What the last commit of an owner adds.
const LAST_BYTES: usize = ";clean;u=1700000030".len();
/// What everything but places takes of a text, with room for a cut: brokers that take little keep nothing free for places to come.
const LEAST_BYTES: usize = 600;
/// Room for a cut that lies before those an earlier owner has planned, while all others wait for it.
const SPARE_BYTES: usize = 160;

/// A partition's journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// Drawn when a partition is first owned without a journal: objects of another history were made from another past (offsets that
    /// were reset, a topic made anew, another sink).
    pub(super) history: String,
    /// Which connector this is the journal of: offsets that were copied to another group carry a history that is not that group's.
    pub(super) owner: Option<u64>,
    /// What tells the topic from an earlier one of the same name.
    pub(super) topic_id: Option<String>,
    /// The settings that decide names and cuts of the last owner that made objects.
    pub(super) fingerprint: Option<u64>,
    /// Nothing that the bucket holds lies beyond the committed offset.
    pub(super) clean: bool,
    /// The last owner could not list the bucket.
    pub(super) blind: bool,
    /// Nobody says where the owner before this history stopped: objects that begin before the offset may reach beyond it.
    pub(super) looks_back: bool,
    /// Requests that the last owner left behind may take effect until then, in seconds since 1970.
    pub(super) under_way_until: Option<i64>,
    /// Offsets where all files are cut whatever the settings say, ascending. Whoever reads them cuts there and nowhere else.
    pub(super) planned: Vec<PlannedCut>,
    /// `planned` has every cut: there is none between two of them. So it is where the wall clock cuts, since a cut by the clock moves all
    /// that come after it.
    pub(super) every: bool,
    /// What the wall clock decided: from each offset on, this bucket of the partitioner. Ascending.
    pub(super) buckets: Vec<(i64, i64)>,
    /// Where objects of this history may lie.
    pub(super) places: Vec<Place>,
    /// Counts proofs of ownership: a commit with another number here is a new commit.
    pub(super) proofs: u32,
}

/// An offset where all files of a partition are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlannedCut {
    pub(super) end: i64,
    /// How many files are closed there, where that is known: so many make the group complete.
    pub(super) files: Option<usize>,
}

impl Journal {
    /// The journal of a partition that has none.
    pub(super) fn new() -> Self {
        Self { history: format!("{:016x}", RandomState::new().hash_one(0x5e_u8)), ..Self::default() }
    }

    /// Reads a committed offset's metadata; `None` where it is not a journal.
    ///
    /// # Errors
    /// `Fatal` where it is one of a later version, or says something that must be obeyed and is not understood.
    pub(super) fn read(metadata: &str) -> Result<Option<Self>> {
        let mut fields = metadata.split(';');
        let Some(version) = fields.next().filter(|first| first.starts_with("connect-sink/")) else { return Ok(None) };
        if version != VERSION {
            return Err(Error::fatal(format!(
                "the group's offsets carry a journal of version {version}, this release reads {VERSION}"
            )));
        }
        let mut journal = Self::default();
        let mut files = "";
        for field in fields {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            match name {
                "h" => value.clone_into(&mut journal.history),
                "g" => journal.owner = u64::from_str_radix(value, 16).ok(),
                "t" => journal.topic_id = Some(unescape(value)),
                "f" => journal.fingerprint = u64::from_str_radix(value, 16).ok(),
                "clean" => journal.clean = true,
                "blind" => journal.blind = true,
                "back" => journal.looks_back = true,
                "u" => journal.under_way_until = value.parse().ok(),
                "c" => journal.planned = read_steps(value).map(|end| PlannedCut { end, files: None }).collect(),
                "n" | "!n" => files = value,
                "every" => journal.every = true,
                "!w" => journal.buckets = read_buckets(value),
                "p" => journal.proofs = value.parse().unwrap_or_default(),
                "at" | "in" => {
                    let mut parts = value.split(',');
                    let mut part = || parts.next().unwrap_or_default();
                    let (directory, file, width) = (unescape(part()), unescape(part()), part().parse().unwrap_or_default());
                    let place = Place { directory, name: file, is_exact: name == "at", zero_pad_width: width };
                    journal.places.push(place);
                }
                must if must.starts_with('!') => {
                    let what = "which this release does not know and must not ignore: go on with the release that wrote it, or a later one";
                    return Err(Error::fatal(format!("the group's offsets carry a journal with the field `{must}`, {what}")));
                }
                // A later release may add what an earlier one can do without.
                _ => {}
            }
        }
        read_files(files, &mut journal.planned);
        Ok((!journal.history.is_empty()).then_some(journal))
    }

    /// The metadata to commit.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{VERSION};h={}", self.history);
        // Writing to a string cannot fail.
        if let Some(owner) = self.owner {
            let _infallible = write!(text, ";g={owner:x}");
        }
        if let Some(topic_id) = &self.topic_id {
            let _infallible = write!(text, ";t={}", escape(topic_id));
        }
        if let Some(fingerprint) = self.fingerprint {
            let _infallible = write!(text, ";f={fingerprint:x}");
        }
        if self.clean {
            text.push_str(";clean");
        }
        if self.blind {
            text.push_str(";blind");
        }
        if self.looks_back {
            text.push_str(";back");
        }
        if let Some(until) = self.under_way_until {
            let _infallible = write!(text, ";u={until}");
        }
        if self.proofs > 0 {
            let _infallible = write!(text, ";p={}", self.proofs);
        }
        if !self.planned.is_empty() {
            text.push_str(";c=");
            write_steps(self.planned.iter().map(|cut| cut.end), &mut text);
            write_files(&self.planned, &mut text);
        }
        if self.every {
            text.push_str(";every");
        }
        if !self.buckets.is_empty() {
            text.push_str(";!w=");
            write_steps(self.buckets.iter().map(|(offset, _)| *offset), &mut text);
            text.push('/');
            write_steps(self.buckets.iter().map(|(_, bucket)| *bucket), &mut text);
        }
        for place in &self.places {
            text.push_str(&field(place));
        }
        text
    }

    /// How many bytes of cuts can still be planned in a text of at most `limit` bytes. What the next owner may add of places stays free, for it inherits the cuts. `spare`: also what is
    /// kept free for the one that all others wait for.
    pub(super) fn room(&self, limit: usize, spare: bool) -> usize {
        let places: usize = self.places.iter().map(|place| field(place).len()).sum();
        let text = self.text().len() - places + places.max(MAX_PLACES_BYTES.min(limit / 2).min(limit.saturating_sub(LEAST_BYTES)));
        limit.saturating_sub(text + MARGIN_BYTES + if spare { 0 } else { SPARE_BYTES })
    }

    /// Plans a cut; does nothing where it is planned already. Returns how many bytes the text may grow by, at most.
    pub(super) fn plan(&mut self, cut: PlannedCut) -> usize {
        match self.planned.binary_search_by_key(&cut.end, |planned| planned.end) {
            Ok(known) => {
                let files = cut.files.or(self.planned[known].files);
                let before = std::mem::replace(&mut self.planned[known].files, files);
                if before == files { 0 } else { FILES_BYTES }
            }
            Err(place) => {
                self.planned.insert(place, cut);
                PLANNED_BYTES
            }
        }
    }

    /// Makes the text fit, whatever has grown, by forgetting places: a commit that the broker refuses would be refused for ever, and what has no room for a
    /// cut would never plan one. Returns whether any was forgotten.
    pub(super) fn fit(&mut self, limit: usize) -> bool {
        let places = self.places.len();
        while !self.places.is_empty() && !self.fits(limit) {
            // The next owner knows those of its own settings, and they are the last ones.
            self.places.pop();
        }
        self.places.len() < places
    }

    fn fits(&self, limit: usize) -> bool {
        let (planned, buckets) = (Vec::new(), self.buckets.iter().take(1).copied().collect());
        let least = Self { planned, buckets, ..self.clone() }.text().len() + MARGIN_BYTES + SPARE_BYTES + PLANNED_BYTES;
        least <= limit && self.text().len() + LAST_BYTES <= limit
    }

    /// Forgets places that do not fit: after a crash *and* a change of names their objects would not be found.
    pub(super) fn keep_places_that_fit(&mut self) {
        let mut bytes = 0;
        self.places.retain(|place| {
            bytes += field(place).len();
            bytes <= MAX_PLACES_BYTES
        });
    }

    /// Whether objects of a cut may be completed that rely on `wanted`, given that `committed` is what the next owner would read: the history is known,
    /// the partition counts as not clean, and the cut and the clock's decisions before it are known where they must be.
    pub(super) fn covers(committed: Option<&Self>, wanted: &Self, end: i64, is_planned: bool) -> bool {
        let Some(committed) = committed else { return false };
        let is_known = |end: &i64| committed.planned.binary_search_by_key(end, |cut| cut.end).is_ok();
        let places_known = wanted.places.iter().all(|place| committed.places.contains(place));
        let buckets_known = wanted.buckets.iter().filter(|(offset, _)| *offset < end).all(|one| committed.buckets.contains(one));
        let same_way = committed.every == wanted.every && (!is_planned || is_known(&end)) && buckets_known;
        let same_past = committed.history == wanted.history && committed.fingerprint == wanted.fingerprint;
        same_past && committed.topic_id == wanted.topic_id && !committed.clean && places_known && same_way
    }
}

/// What one more planned cut adds to the text at most: its step, the rest of the one that it divides, and its number of files.
pub(super) const PLANNED_BYTES: usize = 20 + 20 + FILES_BYTES;

/// What a number of files adds at most: itself, and the rest of the run that it divides.
const FILES_BYTES: usize = ",12345".len() + ",12345*1234".len();

fn field(place: &Place) -> String {
    let kind = if place.is_exact { "at" } else { "in" };
    format!(";{kind}={},{},{}", escape(&place.directory), escape(&place.name), place.zero_pad_width)
}

/// The first number, then how far each is from the one before: `31,4,6` is 31, 35, 41.
fn write_steps(numbers: impl Iterator<Item = i64>, text: &mut String) {
    let mut before = 0;
    for (index, number) in numbers.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _infallible = write!(text, "{comma}{}", number - before);
        before = number;
    }
}

fn read_steps(text: &str) -> impl Iterator<Item = i64> {
    let steps = text.split(',').filter_map(|step| step.parse::<i64>().ok());
    steps.scan(0_i64, |number, step| {
        *number = number.saturating_add(step);
        Some(*number)
    })
}

/// `;n=2,1` or `;!n=2*7,1`: how many files each cut closes, here seven times two and then one; 0 where that is not known. The last number holds for all that follow;
/// nothing where each closes one.
fn write_files(planned: &[PlannedCut], text: &mut String) {
    let runs: Vec<_> =
        planned.chunk_by(|a, b| a.files == b.files).map(|run| (run[0].files.unwrap_or_default(), run.len())).collect();
    if runs.iter().map(|(files, _)| *files).eq([1]) {
        return;
    }
    // Earlier releases do not know of runs, and must not guess.
    text.push_str(if runs[..runs.len() - 1].iter().any(|(_, times)| *times > 1) { ";!n=" } else { ";n=" });
    for (index, (files, times)) in runs.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _infallible = match *times {
            times if times > 1 && index + 1 < runs.len() => write!(text, "{comma}{files}*{times}"),
            _ => write!(text, "{comma}{files}"),
        };
    }
}

fn read_files(text: &str, planned: &mut [PlannedCut]) {
    let mut runs = if text.is_empty() { "1" } else { text }.split(',').map(|run| {
        let (files, times) = run.split_once('*').unwrap_or((run, "1"));
        (files.parse().unwrap_or_default(), times.parse().unwrap_or(1_usize))
    });
    let (mut files, mut left) = (0, 0);
    for cut in planned {
        if left == 0
            && let Some(next) = runs.next()
        {
            (files, left) = next;
        }
        left = left.saturating_sub(1);
        cut.files = Some(files).filter(|files| *files > 0);
    }
}

fn read_buckets(text: &str) -> Vec<(i64, i64)> {
    let (offsets, buckets) = text.split_once('/').unwrap_or_default();
    read_steps(offsets).zip(read_steps(buckets)).collect()
}

/// Escapes what separates fields, and everything that is not printable ASCII.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'%' | b';' | b',' | b'=') {
            escaped.push(byte.into());
        } else {
            let _infallible = write!(escaped, "%{byte:02x}");
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A stable hash (FNV-1a) of the settings that decide names and cuts.
pub(super) fn fingerprint<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (name, value) in settings {
        for byte in name.bytes().chain([0]).chain(value.trim().bytes()).chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(end: i64, files: Option<usize>) -> PlannedCut {
        PlannedCut { end, files }
    }

    fn journal() -> Journal {
        let place = Place { directory: "a;b,c=%/é /t/".to_owned(), name: "t+0+".to_owned(), is_exact: true, zero_pad_width: 10 };
        Journal {
            owner: Some(0x77),
            topic_id: Some("8Rv_o0aXTa6=".to_owned()),
            fingerprint: Some(0xabc),
            blind: true,
            looks_back: true,
            under_way_until: Some(1_700_000_030),
            planned: vec![cut(10, Some(1)), cut(25, Some(24)), cut(31, None)],
            every: true,
            buckets: vec![(0, 1_700_000_000_000), (17, 1_700_000_060_000)],
            places: vec![place],
            proofs: 3,
            ..Journal::new()
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let journal = journal();
        assert_eq!(Journal::read(&journal.text()).unwrap(), Some(journal));
        for counts in [vec![Some(1), Some(1)], vec![Some(2), Some(2)], vec![None], vec![Some(3), Some(1), Some(1)], vec![]] {
            let planned: Vec<_> = (1..).zip(counts).map(|(end, files)| cut(end * 5, files)).collect();
            let journal = Journal { planned, ..Journal::new() };
            assert_eq!(Journal::read(&journal.text()).unwrap(), Some(journal));
        }
    }

    #[test]
    fn a_journal_of_the_first_release_is_read() {
        let text = "connect-sink/1;h=8861f80bdee7b1ce;f=75e59021a23755c1;c=31,4,6;every;at=topics/t/partition%3d0/,t+0+,10";
        let journal = Journal::read(text).unwrap().unwrap();
        assert_eq!(journal.planned, [31, 35, 41].map(|end| cut(end, Some(1))));
        assert_eq!((journal.owner, journal.topic_id, journal.places.len()), (None, None, 1));
    }

    #[test]
    fn metadata_of_others_is_not_a_journal_and_what_must_be_obeyed_is_refused_where_it_is_not_understood() {
        assert_eq!(Journal::read("").unwrap(), None);
        assert_eq!(Journal::read("committed by hand").unwrap(), None);
        assert!(Journal::read("connect-sink/2;h=1").is_err());
        assert!(Journal::read("connect-sink/1;h=1;later=1").unwrap().is_some());
        let refused = Journal::read("connect-sink/1;h=1;!x=1").unwrap_err();
        assert!(refused.to_string().contains("`!x`"), "{refused}");
    }

    #[test]
    fn the_text_never_outgrows_what_a_broker_takes_and_loses_nothing_on_the_way() {
        let place =
            |c: char| Place { directory: c.to_string().repeat(900), name: "n".to_owned(), is_exact: false, zero_pad_width: 0 };
        let mut journal = Journal { places: vec![place('a'), place('b'), place('c')], planned: Vec::new(), ..journal() };
        journal.keep_places_that_fit();
        assert_eq!(journal.places.len(), 2);
        let mut end = 9_000_000_000_000_000;
        while journal.room(MAX_BYTES, false) >= PLANNED_BYTES {
            journal.plan(cut(end, Some(24)));
            end += 10_000_000_000;
        }
        // The spare room takes cuts before those that are there.
        while journal.room(MAX_BYTES, true) >= PLANNED_BYTES {
            journal.plan(cut(end - 9_000_000_000_000_000, Some(7)));
            end += 1;
        }
        assert!(journal.planned.len() > 30 && journal.text().len() <= MAX_BYTES, "{}", journal.text().len());
        assert_eq!(Journal::read(&journal.text()).unwrap(), Some(journal));
    }

    #[test]
    fn an_object_waits_until_its_planned_cut_and_what_the_clock_decided_are_committed() {
        let wanted = journal();
        assert!(!Journal::covers(None, &wanted, 10, true));
        let committed = Journal { planned: vec![cut(10, Some(1))], ..wanted.clone() };
        assert!(Journal::covers(Some(&committed), &wanted, 10, true));
        assert!(!Journal::covers(Some(&committed), &wanted, 25, true));
        assert!(!Journal::covers(Some(&Journal { clean: true, ..committed.clone() }), &wanted, 10, true));
        let undecided = Journal { buckets: vec![(0, 1_700_000_000_000)], ..wanted.clone() };
        assert!(Journal::covers(Some(&undecided), &wanted, 10, true));
        assert!(!Journal::covers(Some(&undecided), &wanted, 25, true));
    }

    #[test]
    fn histories_differ() {
        assert_ne!(Journal::new().history, Journal::new().history);
    }

    #[test]
    fn numbers_of_files_that_are_alike_stand_together() {
        let of = |counts: &[usize]| {
            let planned = counts.iter().enumerate();
            let planned = planned
                .map(|(index, files)| PlannedCut { end: 9 * (index as i64 + 1), files: Some(*files).filter(|files| *files > 0) });
            Journal { planned: planned.collect(), ..Journal::new() }
        };
        for (counts, told) in [
            (vec![1, 1, 1], None),
            (vec![2, 2, 2], Some(";n=2")),
            (vec![2, 2, 1, 1], Some(";!n=2*2,1")),
            (vec![1, 2], Some(";n=1,2")),
            (vec![18, 18, 18, 0, 0, 16], Some(";!n=18*3,0*2,16")),
        ] {
            let journal = of(&counts);
            let text = journal.text();
            assert_eq!(text.find("n=").map(|at| text[..at].rfind(';').unwrap_or(at)).map(|at| &text[at..]), told, "{text}");
            assert_eq!(Journal::read(&text).unwrap().unwrap().planned, journal.planned, "{text}");
        }
        let written_before = of(&[18, 18, 16]).text().replace(";!n=18*2,16", ";n=18,18,16");
        assert_eq!(Journal::read(&written_before).unwrap().unwrap().planned, of(&[18, 18, 16]).planned);
    }
}
