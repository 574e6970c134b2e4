//! The journal for fuzzers.

use super::journal::Journal;

/// What stands beside an offset. What we make of it we can read again.
pub(crate) fn journal(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(Some(mut journal)) = Journal::read(text) else { return };
    let again = Journal::read(&journal.text());
    assert!(matches!(again, Ok(Some(_))), "{text} becomes {} and that {again:?}", journal.text());
    journal.fit(4_095);
    assert!(Journal::read(&journal.text()).is_ok(), "{}", journal.text());
}
