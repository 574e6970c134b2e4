//! From bytes to valid text: the scan, and what it leaves to do in rare cases.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use bytes::Bytes;

use super::{
    JsonError, Node, Tree,
    scan::scan,
    string::{units, write_units},
    tree::{self, Style},
};

/// The text of the first value, or `None` where there is none or where it is `null`.
pub(super) fn parse(bytes: &Bytes) -> Result<Option<Bytes>, JsonError> {
    let decoded = decode(bytes)?;
    let input = decoded.as_ref().unwrap_or(bytes);
    Ok(parse_utf8(input, 0)?.and_then(|(text, _)| text))
}

/// The text of the first value in UTF-8, nothing where it is `null`, and the byte after it; `None` where there is no value. It stands in `around` arrays and objects.
pub(super) fn parse_utf8(input: &Bytes, around: usize) -> Result<Option<(Option<Bytes>, usize)>, JsonError> {
    let Some(scan) = scan(input, around)? else { return Ok(None) };
    let end = scan.span.end;
    let text = scan.edited.map_or_else(|| input.slice(scan.span), Bytes::from);
    if text == b"null"[..] {
        return Ok(Some((None, end)));
    }
    let text = if scan.repeated_names { without_repeated_names(text) } else { text };
    Ok(Some((Some(text), end)))
}

/// Keeps the last of the values that one object has under one name, at the place of the first.
fn without_repeated_names(text: Bytes) -> Bytes {
    let mut style = LastValueAtFirstPlace { repeated: false };
    let mut written = Vec::with_capacity(text.len());
    tree::write(Tree::of(&text).root(), &mut style, &mut written);
    // Names with the same fingerprint need not be the same.
    if style.repeated { Bytes::from(written) } else { text }
}

struct LastValueAtFirstPlace {
    repeated: bool,
}

impl Style for LastValueAtFirstPlace {
    fn arrange<'t>(&mut self, members: &mut Vec<(Node<'t>, Node<'t>)>) {
        let mut places: HashMap<_, usize> = HashMap::with_capacity(members.len());
        let mut kept: Vec<(Node<'t>, Node<'t>)> = Vec::with_capacity(members.len());
        for &(name, value) in &*members {
            match places.entry(decoded_name(name)) {
                Entry::Occupied(place) => kept[*place.get()].1 = value,
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push((name, value));
                }
            }
        }
        self.repeated |= kept.len() < members.len();
        *members = kept;
    }

    fn scalar(&mut self, node: Node<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(node.text());
    }
}

/// The name in the one spelling that all its spellings share.
fn decoded_name<'t>(name: Node<'t>) -> Cow<'t, [u8]> {
    let content = name.content();
    if !content.contains(&b'\\') {
        return Cow::Borrowed(content);
    }
    let mut decoded = Vec::with_capacity(content.len());
    write_units(units(content), &mut decoded);
    Cow::Owned(decoded)
}

/// The text without its byte-order mark, and in UTF-8 where it is in another encoding. `None` where it can be read as it is.
///
/// The first bytes tell, as in Jackson: the first character of JSON is ASCII, so zeros around it show how wide characters are.
fn decode(bytes: &Bytes) -> Result<Option<Bytes>, JsonError> {
    match **bytes {
        [1..=0xee, 1..=0xff, ..] | [] | [_] => Ok(None),
        [0, 0, 0xfe, 0xff, ref text @ ..] => Ok(Some(from_utf32(text, u32::from_be_bytes))),
        [0xff, 0xfe, 0, 0, ref text @ ..] => Ok(Some(from_utf32(text, u32::from_le_bytes))),
        [0, 0, 0xff, 0xfe, ..] | [0xfe, 0xff, 0, 0, ..] => Err(MIXED_BYTES),
        [0xfe, 0xff, ref text @ ..] if bytes.len() >= 4 => Ok(Some(from_utf16(text, u16::from_be_bytes))),
        [0xff, 0xfe, ref text @ ..] if bytes.len() >= 4 => Ok(Some(from_utf16(text, u16::from_le_bytes))),
        [0xef, 0xbb, 0xbf, _, ..] => Ok(Some(bytes.slice(3..))),
        [0, 0, 0, _, ..] => Ok(Some(from_utf32(bytes, u32::from_be_bytes))),
        [_, 0, 0, 0, ..] => Ok(Some(from_utf32(bytes, u32::from_le_bytes))),
        [0, _, 0, 0, ..] | [0, 0, _, 0, ..] => Err(MIXED_BYTES),
        [0, ..] => Ok(Some(from_utf16(bytes, u16::from_be_bytes))),
        [_, 0, ..] => Ok(Some(from_utf16(bytes, u16::from_le_bytes))),
        _ => Ok(None),
    }
}

const MIXED_BYTES: JsonError = JsonError { reason: "a byte order that nobody uses", at: 0 };

/// Ends a text that breaks off: no JSON has this byte, but it may come after the first value.
const BROKEN: u8 = 0xff;

/// What is not UTF-16 becomes U+FFFD as in Java's decoder, where a high surrogate takes the unit after it along.
fn from_utf16(text: &[u8], unit: fn([u8; 2]) -> u16) -> Bytes {
    let (pairs, rest) = text.as_chunks::<2>();
    let mut units = pairs.iter().map(|pair| unit(*pair));
    let mut decoded = String::with_capacity(text.len());
    while let Some(unit) = units.next() {
        let pair = if (0xd800..0xdc00).contains(&unit) { [Some(unit), units.next()] } else { [Some(unit), None] };
        let character = char::decode_utf16(pair.into_iter().flatten()).next();
        decoded.push(character.and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !rest.is_empty() {
        decoded.push(char::REPLACEMENT_CHARACTER);
    }
    Bytes::from(decoded)
}

/// Surrogates pass, in three bytes each: the scan joins them.
fn from_utf32(text: &[u8], unit: fn([u8; 4]) -> u32) -> Bytes {
    let (quads, rest) = text.as_chunks::<4>();
    let mut decoded = Vec::with_capacity(text.len());
    for quad in quads {
        let code_point = unit(*quad);
        match (char::from_u32(code_point), u8::try_from(code_point >> 6 & 0x3f)) {
            (Some(character), _) => decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (None, Ok(middle)) if code_point < 0xe000 => {
                decoded.extend_from_slice(&[0xed, 0x80 | middle, 0x80 | (code_point & 0x3f) as u8])
            }
            _ => {
                decoded.push(BROKEN);
                break;
            }
        }
    }
    if !rest.is_empty() {
        decoded.push(BROKEN);
    }
    Bytes::from(decoded)
}
