//! Strings: their end, whether they are UTF-8, and their UTF-16 units as Java sees them.

use super::JsonError;

/// UTF-16 units that a string may have.
const MAX_STRING: usize = 20_000_000;

/// Bytes that a name may have.
const MAX_NAME: usize = 50_000;

/// A string in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct StringSpan {
    /// The byte after the closing quote.
    pub(super) end: usize,
    /// Whether it holds escapes.
    pub(super) escaped: bool,
    /// Whether all of it is UTF-8. Jackson accepts more: surrogates in three bytes, code points in too many bytes.
    pub(super) utf8: bool,
}

/// The string whose opening quote is at `open`.
#[inline]
pub(super) fn string(input: &[u8], open: usize) -> Result<StringSpan, JsonError> {
    let at = plain_run(input, open + 1);
    if input.get(at) == Some(&b'"') && at - open <= MAX_STRING {
        return Ok(StringSpan { end: at + 1, escaped: false, utf8: true });
    }
    rest_of_string(input, open, at)
}

/// The string whose plain characters end at `at`.
fn rest_of_string(input: &[u8], open: usize, mut at: usize) -> Result<StringSpan, JsonError> {
    let (mut escaped, mut utf8) = (false, true);
    loop {
        match input.get(at) {
            Some(b'"') => break,
            Some(b'\\') => {
                escaped = true;
                at = skip_escape(input, at)?;
            }
            Some(0x80..) => {
                let sequence = sequence(&input[at..]).ok_or(JsonError { reason: "invalid UTF-8", at })?;
                utf8 &= sequence.valid;
                at += sequence.len;
            }
            Some(0..0x20) => return Err(JsonError { reason: "a control character must be escaped", at }),
            Some(_) => at = plain_run(input, at + 1),
            None => return Err(JsonError { reason: "the string does not end", at }),
        }
    }
    if at - open > MAX_STRING && units(&input[open + 1..at]).count() > MAX_STRING {
        return Err(JsonError { reason: "the string has more than 20,000,000 characters", at: open });
    }
    Ok(StringSpan { end: at + 1, escaped, utf8 })
}

/// As [`string`], for the name of a member, with its fingerprint.
#[inline]
pub(super) fn name(input: &[u8], open: usize) -> Result<(StringSpan, u64), JsonError> {
    let (mut at, mut hash) = (open + 1, 0);
    while let Some(chunk) = input.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let stops = stops(word);
        if stops == 0 {
            hash = mix(hash, word);
            at += 8;
            continue;
        }
        let bits = stops.trailing_zeros() - 7;
        at += (bits / 8) as usize;
        if input[at] != b'"' || at - open > MAX_NAME {
            break;
        }
        let tail = word & ((1 << bits) - 1);
        return Ok((StringSpan { end: at + 1, escaped: false, utf8: true }, mix(hash, tail)));
    }
    rest_of_name(input, open, at)
}

/// The name whose first plain characters end at `at`.
fn rest_of_name(input: &[u8], open: usize, at: usize) -> Result<(StringSpan, u64), JsonError> {
    let span = rest_of_string(input, open, at)?;
    let content = &input[open + 1..span.end - 1];
    if content.len() > MAX_NAME && (!span.escaped || name_len(content) > MAX_NAME) {
        return Err(JsonError { reason: "the name has more than 50,000 bytes", at: open });
    }
    let (words, tail) = content.as_chunks::<8>();
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let tail = tail.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    Ok((span, mix(hash, tail)))
}

/// One step of a name's fingerprint, over words of eight bytes and what is left: equal for equal bytes, and almost never for others.
#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Bytes of the name in Jackson's buffer, where each unit of a surrogate pair takes three if it was escaped.
fn name_len(content: &[u8]) -> usize {
    let len = |unit: u16| match unit {
        0..0x80 => 1,
        0x80..0x800 => 2,
        _ => 3,
    };
    units(content).map(len).sum()
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of the lowest byte that is not plain, and perhaps of some above it.
#[inline]
fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    // A borrow can set a bit wrongly only above a byte that is set rightly.
    ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | word.wrapping_sub(ONES * 0x20) | word)
        & HIGHS
}

/// Bytes that are looked at together: a loop over so many becomes a handful of vector instructions.
const BLOCK: usize = 32;

/// The first byte from `at` on that is not plain: a quote, a backslash, a control character, or not ASCII; or the end.
#[inline]
fn plain_run(input: &[u8], mut at: usize) -> usize {
    while let Some(block) = input.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        if !is_plain(block) {
            break;
        }
        at += BLOCK;
    }
    while let Some(chunk) = input.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let stops = stops(word);
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = input.get(at)
        && !matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..)
    {
        at += 1;
    }
    at
}

/// Whether all bytes are plain.
#[inline]
fn is_plain(block: &[u8; BLOCK]) -> bool {
    // Taken as signed, whatever is not ASCII is below the control characters. No early end: that would look at byte after byte.
    let stops = |byte: u8| byte.cast_signed() < 0x20 || byte == b'"' || byte == b'\\';
    !block.iter().fold(false, |any, &byte| any | stops(byte))
}

/// The byte after the escape at `at`.
fn skip_escape(input: &[u8], at: usize) -> Result<usize, JsonError> {
    match input.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match input.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
            _ => Err(JsonError { reason: "four hexadecimal digits must follow \\u", at }),
        },
        _ => Err(JsonError { reason: "unknown escape", at }),
    }
}

/// A character of several bytes.
struct Sequence {
    len: usize,
    valid: bool,
}

/// The sequence that `rest` begins with, as leniently as Jackson takes it.
#[inline]
fn sequence(rest: &[u8]) -> Option<Sequence> {
    let continues = |byte: u8| byte & 0xc0 == 0x80;
    let (len, valid, complete) = match *rest {
        [lead @ 0xc0..=0xdf, second, ..] => (2, lead >= 0xc2, continues(second)),
        [lead @ 0xe0..=0xef, second, third, ..] => {
            let valid = match lead {
                0xe0 => second >= 0xa0,
                0xed => second < 0xa0,
                _ => true,
            };
            (3, valid, continues(second) && continues(third))
        }
        [lead @ 0xf0..=0xf7, second, third, fourth, ..] => {
            let valid = match lead {
                0xf0 => second >= 0x90,
                0xf4 => second < 0x90,
                _ => lead < 0xf4,
            };
            (4, valid, continues(second) && continues(third) && continues(fourth))
        }
        _ => return None,
    };
    complete.then_some(Sequence { len, valid })
}

/// The UTF-16 units of a string's content, escapes decoded.
pub(super) fn units(content: &[u8]) -> Units<'_> {
    Units { content, at: 0, low: None }
}

/// See [`units`]. The content must have been scanned.
#[derive(Debug)]
pub(super) struct Units<'a> {
    content: &'a [u8],
    at: usize,
    low: Option<u16>,
}

impl Units<'_> {
    fn byte(&self, ahead: usize) -> u32 {
        self.content.get(self.at + ahead).copied().unwrap_or_default().into()
    }

    fn continuation(&self, ahead: usize) -> u32 {
        self.byte(ahead) & 0x3f
    }

    fn escape(&mut self) -> u32 {
        let escape = self.byte(1);
        self.at += 2;
        match u8::try_from(escape).unwrap_or_default() {
            b'b' => 0x08,
            b't' => 0x09,
            b'n' => 0x0a,
            b'f' => 0x0c,
            b'r' => 0x0d,
            b'u' => {
                let digit = |ahead| char::from_u32(self.byte(ahead)).and_then(|digit| digit.to_digit(16)).unwrap_or_default();
                let unit = (0..4).fold(0, |unit, ahead| unit << 4 | digit(ahead));
                self.at += 4;
                unit
            }
            _ => escape,
        }
    }
}

impl Iterator for Units<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if let Some(low) = self.low.take() {
            return Some(low);
        }
        let lead = u32::from(*self.content.get(self.at)?);
        let (len, unit) = match lead {
            0x5c => (0, self.escape()),
            0..0x80 => (1, lead),
            0x80..0xe0 => (2, (lead & 0x1f) << 6 | self.continuation(1)),
            0xe0..0xf0 => (3, (lead & 0x0f) << 12 | self.continuation(1) << 6 | self.continuation(2)),
            _ => {
                let code_point =
                    (lead & 0x07) << 18 | self.continuation(1) << 12 | self.continuation(2) << 6 | self.continuation(3);
                // Jackson does not look whether there is such a code point: these are its steps, on 32 bits.
                let beyond = code_point.wrapping_sub(0x1_0000);
                self.low = Some((0xdc00 | (beyond & 0x3ff)) as u16);
                (4, 0xd800 | (beyond.cast_signed() >> 10).cast_unsigned())
            }
        };
        self.at += len;
        Some(unit as u16)
    }
}

/// Appends the units as the content of a JSON string in UTF-8: a surrogate without its other half, which UTF-8 cannot hold, as an escape.
pub(super) fn write_units(units: impl Iterator<Item = u16>, out: &mut Vec<u8>) {
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(character) => write_char(character, out),
            Err(lone) => write_unit_escape(lone.unpaired_surrogate(), out),
        }
    }
}

/// Appends the text as a JSON string with no more escapes than JSON asks for.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    write_utf8(text.as_bytes(), out);
}

/// The same for a text that was checked before.
pub(super) fn write_utf8(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    out.push(b'"');
    loop {
        let (plain, escaped) = rest.split_at(without_escape(rest));
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = escaped.split_first() else { break };
        write_char(char::from(byte), out);
        rest = behind;
    }
    out.push(b'"');
}

/// How many bytes at the beginning need no escape. Looks at many at once, which the compiler does in a few instructions.
fn without_escape(bytes: &[u8]) -> usize {
    const AT_ONCE: usize = 32;
    let needs_escape = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let is_plain = |chunk: &&[u8]| !chunk.iter().fold(false, |any, byte| any | needs_escape(byte));
    let looked_at = bytes.chunks_exact(AT_ONCE).take_while(is_plain).count() * AT_ONCE;
    looked_at + bytes[looked_at..].iter().take_while(|byte| !needs_escape(byte)).count()
}

fn write_char(character: char, out: &mut Vec<u8>) {
    match short_escape(character as u32) {
        Some(letter) => out.extend_from_slice(&[b'\\', letter]),
        None if (character as u32) < 0x20 => write_unit_escape(character as u16, out),
        None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The letter of the escape of two characters, where there is one.
pub(super) fn short_escape(unit: u32) -> Option<u8> {
    Some(match unit {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x22 => b'"',
        0x5c => b'\\',
        _ => return None,
    })
}

/// Appends `\uXXXX` with Java's upper-case digits.
pub(super) fn write_unit_escape(unit: u16, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |shift: u16| DIGITS[usize::from(unit >> shift & 0xf)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_an_escape_gets_one_wherever_it_stands() {
        for length in 0..100 {
            let plain = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let mut out = Vec::new();
            write_string(&plain, &mut out);
            assert_eq!(out, format!("\"{plain}\"").into_bytes());
            for at in (0..=plain.len()).filter(|at| plain.is_char_boundary(*at)) {
                for (character, escape) in
                    [('"', "\\\""), ('\\', "\\\\"), ('\n', "\\n"), ('\u{1}', "\\u0001"), ('\u{1f}', "\\u001F")]
                {
                    let (before, behind) = plain.split_at(at);
                    out.clear();
                    write_string(&format!("{before}{character}{behind}{character}"), &mut out);
                    assert_eq!(String::from_utf8_lossy(&out), format!("\"{before}{escape}{behind}{escape}\""));
                }
            }
        }
    }
}
