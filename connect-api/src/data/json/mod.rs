//! JSON as a validated text that nobody has decoded yet.

use bytes::Bytes;

/// The text of one JSON value, compact (no blanks outside strings) and valid: what `JsonConverter` with `schemas.enable=false`
/// makes of a key or value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(Bytes);

impl JsonText {
    /// Trusts the caller that the text is compact, valid JSON and not `null`.
    pub(crate) fn new_unchecked(text: Bytes) -> Self {
        Self(text)
    }

    /// The text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How Connect calls the value's type in messages.
    pub fn type_name(&self) -> &'static str {
        match self.0.first() {
            Some(b'{') => "java.util.HashMap",
            Some(b'[') => "java.util.ArrayList",
            Some(b'"') => "java.lang.String",
            Some(b't' | b'f') => "java.lang.Boolean",
            _ if self.0.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) => "java.lang.Double",
            _ => "java.lang.Long",
        }
    }
}
