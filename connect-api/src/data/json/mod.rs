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
//! | `cursor` | validated text from value to value, without an index |
//! | `find` | one value of a validated text, without an index |
//! | `decode` | scalars as values |
//! | `object` | an object of which some members were changed |
//! | `plain`, `scalar` | values in memory, as JSON |
//! | `jvm`, `java_double`, `java_hash_map` | the rendering that equals the JVM's byte for byte |

mod cursor;
mod decode;
mod error;
mod find;
mod java_double;
mod java_hash_map;
mod jvm;
mod normalise;
mod number;
mod object;
mod plain;
pub mod scalar;
mod scan;
mod string;
mod tree;
#[cfg(test)]
mod vectors;

use bytes::Bytes;

pub use cursor::Cursor;
pub use error::JsonError;
pub use find::decode_string;
pub use java_double::{double_to_string, float_to_string};
pub use java_hash_map::java_map_order;
pub use jvm::{write_jvm_string, write_jvm_text};
pub use object::JsonObject;
pub use plain::Rendering;
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

    /// Reads a member of an object in UTF-8 whose beginning is known: `bytes` begins with its value. `None` where it is `null` or a number,
    /// where it is not the last member, or where it is no value: who reads the whole object finds out.
    pub fn parse_last_member(bytes: &Bytes) -> Option<Self> {
        let (text, end) = normalise::parse_utf8(bytes, 1).ok()??;
        let after = bytes.get(end..)?.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        text.filter(|_| after == Some(&b'}')).map(Self)
    }

    /// A text that was put together of valid parts, without blanks.
    fn of_valid(text: Vec<u8>) -> Self {
        Self(text.into())
    }

    /// The text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A value of this text, as a [`Cursor`] found it; `None` where it is `null`. Shares the buffer.
    pub fn part(&self, value: &[u8]) -> Option<Self> {
        (Kind::of(value) != Kind::Null).then(|| Self(self.share(value)))
    }

    /// The same text in a buffer of its own, for what outlives the batch.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// A part of [`JsonText::as_bytes`] that shares the buffer.
    pub fn share(&self, part: &[u8]) -> Bytes {
        self.0.slice_ref(part)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_member_of_an_object_is_read_and_no_other() {
        let parse = |text: &'static str| JsonText::parse_last_member(&Bytes::from_static(text.as_bytes()));
        for (text, expected) in [("true}", "true"), ("{\"a\": 01 } \n} and more", "{\"a\":1}"), ("\"é\"}", "\"é\"")] {
            assert_eq!(parse(text).unwrap().as_bytes(), expected.as_bytes(), "{text}");
        }
        // A number alone ends with a blank.
        for text in ["1}", "null}", "1,\"b\":2}", "1", "1 ", "}", "", "[1}", "1]"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    fn parse(text: impl AsRef<[u8]>) -> Result<Option<JsonText>, JsonError> {
        JsonText::parse(&Bytes::copy_from_slice(text.as_ref()))
    }

    fn parsed(text: impl AsRef<[u8]>) -> String {
        String::from_utf8(parse(text).unwrap().unwrap().as_bytes().to_vec()).unwrap()
    }

    fn rendered(text: &str) -> String {
        let mut out = Vec::new();
        parse(text).unwrap().unwrap().render_jvm(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn compact_text_is_a_slice_of_the_input() {
        let bytes = Bytes::from_static(b" {\"a\":[1,\"\\u00e9\",{}],\"b\":-1.50e+3} {\"more\":1}");
        let text = JsonText::parse(&bytes).unwrap().unwrap();
        assert_eq!(text.as_bytes(), &bytes[1..35]);
        assert_eq!(text.as_bytes().as_ptr(), bytes[1..].as_ptr());
    }

    #[test]
    fn blanks_and_leading_zeros_are_removed_and_nothing_else() {
        assert_eq!(parsed("{ \"a b\" :\t[ 007 , -00.10 , 0 ] ,\r\n\"c\": { } }"), "{\"a b\":[7,-0.10,0],\"c\":{}}");
    }

    #[test]
    fn of_repeated_names_the_last_value_stays_at_the_first_place() {
        assert_eq!(parsed("{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"\\u0061\":3}"), "{\"a\":3,\"b\":{\"c\":2}}");
        // In a name the letter's spelling may differ; other objects have names of their own.
        let text = "[{\"a\":1},{\"a\":{\"a\":1}},{\"\\u0061\":1}]";
        assert_eq!(parsed(text), text);
    }

    #[test]
    fn repeated_names_are_found_in_objects_of_any_size() {
        for len in [2, 9, 33, 47, 48, 49, 1000] {
            let members: Vec<_> = (0..len).map(|index| format!("\"name-{index}\":{{\"n\":{index}}}")).collect();
            let text = format!("{{{}}}", members.join(","));
            assert_eq!(parsed(&text), text);
            let repeated = format!("{{{},\"name-0\":true}}", members.join(","));
            assert_eq!(parsed(&repeated), text.replacen("{\"n\":0}", "true", 1));
        }
    }

    #[test]
    fn the_limits_are_those_of_the_jvm() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(parsed(nested(1000)), nested(1000));
        assert_eq!(parse(nested(1001)).unwrap_err().reason, "more than 1000 levels");
        assert_eq!(parsed(format!("[{}1]", "0".repeat(5000))), "[1]");
        assert!(parse("1".repeat(1001)).is_err());
        assert!(parse(format!("1.{}e10", "0".repeat(997))).unwrap().is_some());
        assert!(parse(format!("1.{}e10", "0".repeat(998))).is_err());
        let named = |len| format!("{{\"{}\":1}}", "n".repeat(len));
        assert!(parse(named(50_000)).is_ok());
        assert!(parse(named(50_001)).is_err());
    }

    #[test]
    fn strings_end_at_20_million_characters() {
        let text = |len| format!("\"{}\"", "é".repeat(len));
        assert!(parse(text(20_000_000)).is_ok());
        assert!(parse(text(20_000_001)).is_err());
    }

    #[test]
    fn exponents_must_fit_a_big_decimal() {
        for accepted in ["1e2147483647", "1e-2147483647", "1e00000000000000000001", "1.5e-2147483646", "1e2147483647 x"] {
            assert!(parse(accepted).is_ok(), "{accepted}");
        }
        for refused in ["1e2147483648", "1e-2147483648", "1e99999999999", "1.5e-2147483647", "[1e12345678901]"] {
            assert_eq!(parse(refused).unwrap_err().reason, "the exponent is out of range", "{refused}");
        }
    }

    #[test]
    fn levels_are_remembered_beyond_64() {
        let text = format!("{}1{}", "[{\"a\":".repeat(200), "}]".repeat(200));
        assert_eq!(parsed(&text), text);
        assert!(parse(text.replacen("}]}]", "}]]]", 1)).is_err());
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_stops_being_json() {
        let at = |text: &str| parse(text).unwrap_err().at;
        assert_eq!(at("{\"a\":}"), 5);
        assert_eq!(at("[1,]"), 3);
        assert_eq!(at("{\"a\":1,}"), 7);
        assert_eq!(at("{,}"), 1);
        assert_eq!(at("[\"a\\x\"]"), 3);
        assert_eq!(at("\"\u{1}\""), 1);
        assert_eq!(at("truex"), 0);
        assert_eq!(at("1x"), 1);
        assert_eq!(at("[1 2]"), 3);
    }

    #[test]
    fn utf16_and_utf32_are_told_by_their_first_bytes() {
        let text = "{\"é\":\"😀\"}";
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let utf32: Vec<u32> = text.chars().map(u32::from).collect();
        let encodings: [Vec<u8>; 7] = [
            utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            std::iter::once(&0xfeff).chain(&utf16).flat_map(|unit| unit.to_be_bytes()).collect(),
            utf32.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            utf32.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            std::iter::once(&0xfeff).chain(&utf32).flat_map(|unit| unit.to_le_bytes()).collect(),
            format!("\u{feff}{text}").into_bytes(),
        ];
        for bytes in encodings {
            assert_eq!(parsed(&bytes), text, "{bytes:?}");
        }
    }

    #[test]
    fn surrogates_in_three_bytes_are_joined_or_escaped() {
        assert_eq!(parsed(b"\"\xed\xa0\xbd\xed\xb8\x80\""), "\"😀\"");
        assert_eq!(parsed(b"{\"\xed\xa0\xbd\":\"\xc0\x80\xc0\xa2\"}"), "{\"\\uD83D\":\"\\u0000\\\"\"}");
    }

    #[test]
    fn the_pinterest_records_are_what_the_jvm_writes() {
        let geo = "{\"ind\":10,\"timestamp\":\"2018-01-02 03:04:05\",\"latitude\":0.000859,\"longitude\":-100.0,\"country\":\"Cote d'Ivoire\"}";
        let expected = "{\"country\":\"Cote d'Ivoire\",\"latitude\":8.59E-4,\"ind\":10,\"timestamp\":\"2018-01-02 03:04:05\",\"longitude\":-100.0}";
        assert_eq!(rendered(geo), expected);
    }

    #[test]
    fn names_come_in_the_order_of_a_java_hash_map() {
        let order = |names: &[&str]| {
            let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":0")).collect();
            let text = rendered(&format!("{{{}}}", members.join(",")));
            let names = text.split('"').skip(1).step_by(2).filter(|name| !name.starts_with('x'));
            names.collect::<Vec<_>>().join(" ")
        };
        let numbered: Vec<_> = (1..=13).map(|number| format!("k{number}")).collect();
        let numbered: Vec<_> = numbered.iter().map(String::as_str).collect();
        assert_eq!(order(&numbered), "k1 k2 k3 k4 k5 k11 k6 k10 k7 k13 k8 k12 k9");
        assert_eq!(order(&["BB", "Aa", "C#"]), "BB Aa C#");
        // Thirteen names of one hash make a tree in a table of 128 bins.
        let fillers: Vec<_> = (0..50).map(|number| format!("x{number}")).collect();
        let mut names: Vec<_> = fillers.iter().map(String::as_str).collect();
        names.extend(SAME_HASH);
        assert_eq!(
            order(&names),
            "AaAaBBBB AaAaAaAa AaAaAaBB AaAaBBAa AaBBAaAa AaBBAaBB AaBBBBAa AaBBBBBB BBAaAaAa BBAaAaBB BBAaBBAa BBAaBBBB BBBBAaAa"
        );
        assert_eq!(
            order(&SAME_HASH[..11]),
            "AaAaBBBB AaAaAaAa AaAaAaBB AaAaBBAa AaBBAaAa AaBBAaBB AaBBBBAa AaBBBBBB BBAaAaAa BBAaAaBB BBAaBBAa"
        );
    }

    const SAME_HASH: [&str; 13] = [
        "AaAaAaAa", "AaAaAaBB", "AaAaBBAa", "AaAaBBBB", "AaBBAaAa", "AaBBAaBB", "AaBBBBAa", "AaBBBBBB", "BBAaAaAa", "BBAaAaBB",
        "BBAaBBAa", "BBAaBBBB", "BBBBAaAa",
    ];
}
