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

/// The broker refuses 4,096 bytes (`offset.metadata.max.bytes`).
#[cfg(test)]
const MAX_BYTES: usize = 4_095;
const VERSION: &str = "connect-sink/1";
/// So many planned cuts fit beside everything else in the 4,095 bytes that a broker takes (`offset.metadata.max.bytes`).
pub(super) const MAX_PLANNED: usize = 128;
/// Room for cuts that lie before those an earlier owner has planned, while all others wait for them.
pub(super) const SPARE_PLANNED: usize = 16;
/// So much of them may name places; the rest is for the planned cuts.
const MAX_PLACES_BYTES: usize = 2_000;

/// A partition's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Journal {
    /// Drawn when a partition is first owned without a journal: objects of another history were made from another past (offsets that
    /// were reset, a topic made anew, another sink).
    pub(super) history: String,
    /// The settings that decide names and cuts. `None` while objects of earlier settings lie ahead: the next owner must look for them.
    pub(super) fingerprint: Option<u64>,
    /// Nothing that the bucket holds lies beyond the committed offset.
    pub(super) clean: bool,
    /// Offsets where all files are cut whatever the settings say, ascending. Whoever reads them cuts there and nowhere else.
    pub(super) planned: Vec<i64>,
    /// `planned` has every cut: there is none between two of them. So it is where the wall clock cuts, since a cut by the clock moves all
    /// that come after it.
    pub(super) every: bool,
    /// Where objects of this history may lie.
    pub(super) places: Vec<Place>,
    /// Counts proofs of ownership: a commit with another number here is a new commit.
    pub(super) proofs: u32,
}

impl Journal {
    /// The journal of a partition that has none.
    pub(super) fn new() -> Self {
        let history = format!("{:016x}", RandomState::new().hash_one(0x5e_u8));
        Self { history, fingerprint: None, clean: false, planned: Vec::new(), every: false, places: Vec::new(), proofs: 0 }
    }

    /// Reads a committed offset's metadata; `None` where it is not a journal.
    ///
    /// # Errors
    /// `Fatal` where it is one of a later version: what it asks for is unknown.
    pub(super) fn read(metadata: &str) -> Result<Option<Self>> {
        let mut fields = metadata.split(';');
        let Some(version) = fields.next().filter(|first| first.starts_with("connect-sink/")) else { return Ok(None) };
        if version != VERSION {
            return Err(Error::fatal(format!(
                "the group's offsets carry a journal of version {version}, this release reads {VERSION}"
            )));
        }
        let mut journal = Self {
            history: String::new(),
            fingerprint: None,
            clean: false,
            planned: Vec::new(),
            every: false,
            places: Vec::new(),
            proofs: 0,
        };
        for field in fields {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            match name {
                "h" => value.clone_into(&mut journal.history),
                "f" => journal.fingerprint = u64::from_str_radix(value, 16).ok(),
                "clean" => journal.clean = true,
                "c" => journal.planned = read_cuts(value),
                "every" => journal.every = true,
                "p" => journal.proofs = value.parse().unwrap_or_default(),
                "at" | "in" => {
                    let mut parts = value.split(',');
                    let mut part = || parts.next().unwrap_or_default();
                    let (directory, file, width) = (unescape(part()), unescape(part()), part().parse().unwrap_or_default());
                    let place = Place { directory, name: file, is_exact: name == "at", zero_pad_width: width };
                    journal.places.push(place);
                }
                // A later release may add what an earlier one can do without.
                _ => {}
            }
        }
        Ok((!journal.history.is_empty()).then_some(journal))
    }

    /// The metadata to commit.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{VERSION};h={}", self.history);
        // Writing to a string cannot fail.
        if let Some(fingerprint) = self.fingerprint {
            let _infallible = write!(text, ";f={fingerprint:x}");
        }
        if self.clean {
            text.push_str(";clean");
        }
        if self.proofs > 0 {
            let _infallible = write!(text, ";p={}", self.proofs);
        }
        if !self.planned.is_empty() {
            text.push_str(";c=");
            write_cuts(&self.planned, &mut text);
        }
        if self.every {
            text.push_str(";every");
        }
        for place in &self.places {
            text.push_str(&field(place));
        }
        text
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
    /// the partition counts as not clean, and the cut is known if it is a planned one.
    pub(super) fn covers(committed: Option<&Self>, wanted: &Self, end: i64, is_planned: bool) -> bool {
        let Some(committed) = committed else { return false };
        let settings_known = committed.fingerprint.is_none() || committed.fingerprint == wanted.fingerprint;
        let places_known = wanted.places.iter().all(|place| committed.places.contains(place));
        let same_way = committed.every == wanted.every && (!is_planned || committed.planned.contains(&end));
        committed.history == wanted.history && !committed.clean && settings_known && places_known && same_way
    }
}

fn field(place: &Place) -> String {
    let kind = if place.is_exact { "at" } else { "in" };
    format!(";{kind}={},{},{}", escape(&place.directory), escape(&place.name), place.zero_pad_width)
}

/// The first cut, then how far each is from the one before: `31,4,6` is 31, 35, 41.
fn write_cuts(cuts: &[i64], text: &mut String) {
    let mut before = 0;
    for (index, cut) in cuts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _infallible = write!(text, "{comma}{}", cut - before);
        before = *cut;
    }
}

fn read_cuts(text: &str) -> Vec<i64> {
    let steps = text.split(',').filter_map(|step| step.parse::<i64>().ok());
    steps
        .scan(0_i64, |cut, step| {
            *cut = cut.saturating_add(step);
            Some(*cut)
        })
        .collect()
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

    fn journal() -> Journal {
        let place = Place { directory: "a;b,c=%/é /t/".to_owned(), name: "t+0+".to_owned(), is_exact: true, zero_pad_width: 10 };
        Journal { fingerprint: Some(0xabc), planned: vec![10, 25], every: true, places: vec![place], proofs: 3, ..Journal::new() }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let journal = journal();
        assert_eq!(Journal::read(&journal.text()).unwrap(), Some(journal));
    }

    #[test]
    fn metadata_of_others_is_not_a_journal_and_a_later_version_is_refused() {
        assert_eq!(Journal::read("").unwrap(), None);
        assert_eq!(Journal::read("committed by hand").unwrap(), None);
        assert!(Journal::read("connect-sink/2;h=1").is_err());
    }

    #[test]
    fn the_text_never_outgrows_what_a_broker_takes_and_loses_nothing_on_the_way() {
        let place =
            |c: char| Place { directory: c.to_string().repeat(900), name: "n".to_owned(), is_exact: false, zero_pad_width: 0 };
        let planned = (0..(MAX_PLANNED + SPARE_PLANNED) as i64).map(|cut| 9_000_000_000_000_000 + cut * 10_000_000_000).collect();
        let mut journal = Journal { planned, places: vec![place('a'), place('b'), place('c')], ..journal() };
        journal.keep_places_that_fit();
        assert_eq!(journal.places.len(), 2);
        assert!(journal.text().len() <= MAX_BYTES);
        assert_eq!(Journal::read(&journal.text()).unwrap(), Some(journal));
    }

    #[test]
    fn an_object_waits_until_its_planned_cut_is_committed() {
        let wanted = journal();
        assert!(!Journal::covers(None, &wanted, 10, true));
        let committed = Journal { planned: vec![10], ..wanted.clone() };
        assert!(Journal::covers(Some(&committed), &wanted, 10, true));
        assert!(!Journal::covers(Some(&committed), &wanted, 25, true));
        assert!(!Journal::covers(Some(&Journal { clean: true, ..committed }), &wanted, 10, true));
    }

    #[test]
    fn histories_differ() {
        assert_ne!(Journal::new().history, Journal::new().history);
    }
}
