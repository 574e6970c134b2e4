//! Validated text, read from value to value: nothing is allocated, and nothing is decoded.

use super::{JsonText, Kind, find::value_end, tree::string_end};

/// A place in a validated, compact text. It begins before the text's value.
///
/// Where a value stands, it is skipped ([`Cursor::value`]) or entered ([`Cursor::enter`]). Of an array that was entered each element is such a value, of an object
/// each member is a name ([`Cursor::name`]) and a value; [`Cursor::goes_on`] stands between them and after the last one:
///
/// ```
/// # use connect_api::data::{JsonText, json::Cursor};
/// let text = JsonText::parse(&bytes::Bytes::from_static(b"{\"a\":[1,2],\"b\":{}}"))?.unwrap();
/// let mut cursor = Cursor::new(&text);
/// let mut more = cursor.enter();
/// while more {
///     println!("{:?}: {:?}", cursor.name(), cursor.value());
///     more = cursor.goes_on();
/// }
/// # Ok::<(), connect_api::data::json::JsonError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Before the value of a text.
    pub fn new(text: &'a JsonText) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    /// Before a value that another cursor has skipped.
    pub fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// What the next value is.
    pub fn kind(&self) -> Kind {
        Kind::of(self.text.get(self.at..).unwrap_or_default())
    }

    /// Skips the next value. Its text.
    pub fn value(&mut self) -> &'a [u8] {
        let start = self.at;
        self.at = value_end(self.text, start);
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Enters the next value, an array or an object. Whether it holds anything; it is left already where it does not.
    pub fn enter(&mut self) -> bool {
        self.at += 1;
        let is_empty = matches!(self.text.get(self.at), Some(b']' | b'}'));
        self.at += usize::from(is_empty);
        !is_empty
    }

    /// Skips a member's name, up to its value. Its text, with quotes.
    pub fn name(&mut self) -> &'a [u8] {
        let start = self.at;
        let end = string_end(self.text, start + 1);
        // Behind the colon.
        self.at = end + 1;
        self.text.get(start..end).unwrap_or_default()
    }

    /// Whether another element or member follows in the innermost array or object; it is left where none does.
    pub fn goes_on(&mut self) -> bool {
        let goes_on = self.text.get(self.at) == Some(&b',');
        self.at += 1;
        goes_on
    }
}
