//! JSON as a validated text that nobody has decoded yet.
//!
//! The scanner is our own because no library accepts exactly what the JVM's converter (Jackson with leading zeros allowed)
//! accepts: leading zeros, anything after the first value, UTF-16 and UTF-32, surrogates in three bytes, and limits on depth,
//! numbers, names and strings. What it accepts it leaves as the producer wrote it, so a compact text is neither copied nor
//! decoded: one pass over the bytes, and the result is a slice of them.
//!
//! | file | part |
//! |---|---|
//! | `scan` | the one pass: validates, removes blanks and leading zeros, notices doubtful keys |
//! | `string`, `number` | the scanner's scalars |
//! | `normalise` | the rare inputs: other encodings, repeated keys, text that is not UTF-8 |
//! | `tree` | an index over validated text |
//! | `jvm`, `java_double`, `java_hash_map` | the rendering that equals the JVM's byte for byte |

mod error;
mod java_double;
mod java_hash_map;
mod jvm;
mod normalise;
mod number;
mod scan;
mod string;
mod tree;
#[cfg(test)]
mod vectors;

use bytes::Bytes;

pub use error::JsonError;
pub use java_double::{double_to_string, float_to_string};
pub use jvm::write_jvm_string;
pub use string::write_string;
pub use tree::{Kind, Node, Tree};

/// The text of one JSON value, compact (no blanks outside strings) and valid: what `JsonConverter` with `schemas.enable=false`
/// makes of a key or value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(Bytes);

impl JsonText {
    /// Reads the first value in `bytes` as the JVM's converter does; what follows it is ignored. `None` where there is none, or
    /// where it is `null`.
    ///
    /// Key order and the text of numbers stay the producer's. Of keys that are repeated the last value stays, at the place of the first. The
    /// result shares `bytes` unless something had to be changed.
    ///
    /// # Errors
    /// The first thing that the JVM's converter does not accept.
    pub fn parse(bytes: &Bytes) -> Result<Option<Self>, JsonError> {
        normalise::parse(bytes).map(|text| text.map(Self))
    }

    /// The text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// An index of its values.
    pub fn tree(&self) -> Tree<'_> {
        Tree::of(&self.0)
    }

    /// Appends the text byte for byte as the JVM's connector writes it: keys in the order of a Java hash map, integers cut to
    /// 64 bits, other numbers as Java prints doubles, and Java's escapes.
    pub fn render_jvm(&self, out: &mut Vec<u8>) {
        jvm::render(&self.tree(), out);
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
