//! Text that shares its buffer.

use std::{fmt, ops::Deref};

use bytes::Bytes;

/// UTF-8 text that shares its buffer.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Bytes);

impl Text {
    /// The text in `bytes`; what is not UTF-8 becomes U+FFFD, as Java's decoder does it. Copies only in that case.
    pub fn from_utf8_lossy(bytes: Bytes) -> Self {
        if std::str::from_utf8(&bytes).is_ok() {
            return Self(bytes);
        }
        Self::from(from_utf8_lossy(&bytes))
    }

    /// The text in UTF-8. Unlike a `str`, which is checked whenever one is made of it, this costs nothing.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no character.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As `String::from_utf8_lossy`, but what begins like a surrogate becomes one U+FFFD and not one a byte.
fn from_utf8_lossy(bytes: &[u8]) -> String {
    let (mut text, mut rest) = (String::with_capacity(bytes.len()), bytes);
    while let Some(chunk) = rest.utf8_chunks().next() {
        text.push_str(chunk.valid());
        rest = &rest[chunk.valid().len()..];
        let malformed = match rest {
            [] => break,
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
            [0xed, 0xa0..=0xbf, ..] => 2,
            _ => chunk.invalid().len(),
        };
        text.push(char::REPLACEMENT_CHARACTER);
        rest = &rest[malformed..];
    }
    text
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        // Checked by the only constructors; checking again costs a pass, being wrong costs nothing worse than an empty text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lossy(bytes: &'static [u8]) -> Text {
        Text::from_utf8_lossy(Bytes::from_static(bytes))
    }

    #[test]
    fn malformed_utf8_becomes_replacement_characters_as_in_java() {
        assert_eq!(&*lossy(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(&*lossy(b"a\xc3"), "a\u{fffd}");
        assert_eq!(&*lossy(b"\xed\xa0\x80"), "\u{fffd}");
        assert_eq!(&*lossy(b"\xed\xa0b"), "\u{fffd}b");
        assert_eq!(&*lossy(b"\xf0\x9f\x98"), "\u{fffd}");
        assert_eq!(&*lossy(b"\xe0\x80\x80b"), "\u{fffd}\u{fffd}\u{fffd}b");
    }
}
