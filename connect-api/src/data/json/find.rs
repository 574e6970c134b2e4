//! One value of a text, found by the names that lead to it: no index is made, nothing is decoded that need not be.

use std::borrow::Cow;

use super::{JsonText, string, tree::string_end};

impl JsonText {
    /// The text of the value that these names lead to, from the outermost object inwards. `None` where a name is missing, or where something that is not an
    /// object has no names.
    pub fn find<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<&[u8]> {
        let mut at = 0;
        for name in names {
            at = member(&self.0, at, name)?;
        }
        self.0.get(at..value_end(&self.0, at))
    }
}

/// What a string says, given its text with quotes. Halves of surrogate pairs become U+FFFD.
pub fn decode_string(text: &[u8]) -> Cow<'_, str> {
    let content = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    match std::str::from_utf8(content) {
        Ok(plain) if !content.contains(&b'\\') => Cow::Borrowed(plain),
        _ => {
            Cow::Owned(char::decode_utf16(string::units(content)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
    }
}

/// Where the value of this name begins in the object that begins at `at`.
fn member(text: &[u8], mut at: usize, name: &str) -> Option<usize> {
    if text.get(at) != Some(&b'{') || text.get(at + 1) == Some(&b'}') {
        return None;
    }
    loop {
        // Behind the brace or the comma stands a name in quotes.
        let first = at + 2;
        let end = string_end(text, first);
        let found = text.get(first..end.saturating_sub(1))?;
        let value = end + 1;
        if is_name(found, name) {
            return Some(value);
        }
        at = value_end(text, value);
        if text.get(at) != Some(&b',') {
            return None;
        }
    }
}

/// Whether what stands between quotes says this name.
pub(super) fn is_name(found: &[u8], name: &str) -> bool {
    found == name.as_bytes() || found.contains(&b'\\') && string::units(found).eq(name.encode_utf16())
}

/// The byte after the value that begins at `at`.
pub(super) fn value_end(text: &[u8], mut at: usize) -> usize {
    match text.get(at) {
        Some(b'"') => return string_end(text, at + 1),
        Some(b'{' | b'[') => {}
        _ => {
            let word = text.get(at..).unwrap_or_default().iter().position(|byte| !is_of_word(*byte));
            return word.map_or(text.len(), |length| at + length);
        }
    }
    let mut depth = 0_usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at + 1),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// Whether a number or a literal may go on with this.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn json(text: &str) -> JsonText {
        JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap()
    }

    fn found(text: &str, names: &[&str]) -> Option<String> {
        json(text).find(names.iter().copied()).map(|found| String::from_utf8(found.to_vec()).unwrap())
    }

    #[test]
    fn values_are_found_by_their_names_at_any_depth() {
        let text = r#"{"a":[1,{"x":"}"},"]"],"b\"c":"q,\"","d":{"e":{"f":-1.5e+3,"g":null},"h":{}},"\u00e9":true,"z":[]}"#;
        for (names, expected) in [
            (&["a"][..], Some(r#"[1,{"x":"}"},"]"]"#)),
            (&["b\"c"], Some(r#""q,\"""#)),
            (&["d", "e", "f"], Some("-1.5e+3")),
            (&["d", "e", "g"], Some("null")),
            (&["d", "h"], Some("{}")),
            (&["é"], Some("true")),
            (&["z"], Some("[]")),
            (&["d", "x"], None),
            (&["d", "h", "x"], None),
            (&["z", "x"], None),
            (&["x"], None),
        ] {
            assert_eq!(found(text, names).as_deref(), expected, "{names:?}");
        }
        assert_eq!(found("{}", &["a"]), None);
        assert_eq!(found("7", &["a"]), None);
        assert_eq!(found("7", &[]).as_deref(), Some("7"));
    }

    #[test]
    fn every_value_is_where_the_index_says() {
        let text = r#"{"s":"a\\","n":[[],[[1]],{"m":{"k":[{}]}}],"o":{"p":0,"q":"\\\"{"},"t":false}"#;
        let json = json(text);
        for (name, value) in json.tree().root().members() {
            let name = String::from_utf16(&name.units().collect::<Vec<_>>()).unwrap();
            assert_eq!(json.find([name.as_str()]), Some(value.text()), "{name}");
        }
    }

    #[test]
    fn strings_are_decoded_only_where_they_have_escapes() {
        assert!(matches!(decode_string("\"é\"".as_bytes()), Cow::Borrowed("é")));
        assert_eq!(decode_string(br#""a\u00e9\n\ud83d""#), "aé\n\u{fffd}");
    }
}
