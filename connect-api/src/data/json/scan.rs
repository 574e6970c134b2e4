//! The one pass over a text.

use std::ops::Range;

use super::{JsonError, number, string};

/// Levels of arrays and objects.
const MAX_DEPTH: usize = 1000;

/// What the pass found.
#[derive(Debug)]
pub(super) struct Scan {
    /// Where the value is. Valid JSON as it stands, unless `edited` says otherwise.
    pub(super) span: Range<usize>,
    /// The value without blanks and leading zeros, where it has any.
    pub(super) edited: Option<Vec<u8>>,
    /// Whether two names of one object may be the same.
    pub(super) repeated_names: bool,
}

/// Scans the first value of `input`, which stands in `around` arrays and objects. `None` where there are only blanks.
pub(super) fn scan(input: &[u8], around: usize) -> Result<Option<Scan>, JsonError> {
    let start = input.iter().position(|&byte| !is_blank(byte)).unwrap_or(input.len());
    if start == input.len() {
        return Ok(None);
    }
    let edits = Edits { input, copied: start, output: Vec::new(), any: false };
    let levels = Levels { most: MAX_DEPTH - around, ..Levels::default() };
    let mut scanner = Scanner { input, at: start, levels, edits, repeated_names: false };
    scanner.value()?;
    let Scanner { at, edits, repeated_names, .. } = scanner;
    Ok(Some(Scan { span: start..at, edited: edits.finish(at), repeated_names }))
}

struct Scanner<'a> {
    input: &'a [u8],
    at: usize,
    levels: Levels,
    edits: Edits<'a>,
    repeated_names: bool,
}

impl Scanner<'_> {
    /// The whole value. A loop and not a recursion: the depth is the producer's choice.
    fn value(&mut self) -> Result<(), JsonError> {
        loop {
            match self.peek() {
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b'{' => {
                    self.open(true)?;
                    if self.peek() != b'}' {
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.open(false)?;
                    if self.peek() != b']' {
                        continue;
                    }
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => return Err(self.error("a value is missing")),
            }
            if self.close()? {
                return Ok(());
            }
        }
    }

    /// What follows a value, up to where the next begins. True where it was the last.
    fn close(&mut self) -> Result<bool, JsonError> {
        while let Some(object) = self.levels.innermost() {
            self.blanks();
            match (self.peek(), object) {
                (b',', _) => {
                    self.at += 1;
                    self.blanks();
                    if object {
                        self.name()?;
                    }
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    self.repeated_names |= self.levels.pop();
                }
                _ => return Err(self.error("a comma or a closing bracket is missing")),
            }
        }
        Ok(true)
    }

    fn open(&mut self, object: bool) -> Result<(), JsonError> {
        if !self.levels.push(object) {
            return Err(self.error("more than 1000 levels"));
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    /// A name and its colon, up to where the value begins.
    fn name(&mut self) -> Result<(), JsonError> {
        if self.peek() != b'"' {
            return Err(self.error("a name in quotes is missing"));
        }
        let open = self.at;
        let (name, fingerprint) = string::name(self.input, open)?;
        // Equal names may be written in several ways once there are escapes: look closely.
        self.repeated_names |= name.escaped || !name.utf8;
        self.levels.fingerprints.push(fingerprint);
        self.take_string(name);
        self.blanks();
        if self.peek() != b':' {
            return Err(self.error("a colon is missing"));
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let span = string::string(self.input, self.at)?;
        self.take_string(span);
        Ok(())
    }

    #[inline]
    fn take_string(&mut self, span: string::StringSpan) {
        if !span.utf8 {
            self.rewrite(self.at + 1..span.end - 1);
        }
        self.at = span.end;
    }

    #[cold]
    fn rewrite(&mut self, content: Range<usize>) {
        let output = self.edits.replace(content.clone());
        string::write_units(string::units(&self.input[content]), output);
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let number = number::number(self.input, self.at)?;
        if number.leading_zeros > 0 {
            self.edits.replace(number.first_digit..number.first_digit + number.leading_zeros);
        }
        self.at = number.end;
        let ends = self.levels.innermost().is_some() || self.at == self.input.len() || is_blank(self.peek());
        if ends { Ok(()) } else { Err(self.error("a blank must follow a number")) }
    }

    fn literal(&mut self, literal: &'static [u8]) -> Result<(), JsonError> {
        let Some(rest) = self.input[self.at..].strip_prefix(literal) else { return Err(self.error("an unknown word")) };
        if self.levels.innermost().is_none() && continues_word(rest) {
            return Err(self.error("an unknown word"));
        }
        self.at += literal.len();
        Ok(())
    }

    #[inline]
    fn blanks(&mut self) {
        if self.peek() <= b' ' {
            self.skip_blanks();
        }
    }

    fn skip_blanks(&mut self) {
        let start = self.at;
        while is_blank(self.peek()) {
            self.at += 1;
        }
        if self.at > start {
            self.edits.replace(start..self.at);
        }
    }

    /// The next byte; 0 at the end, which is no part of JSON either.
    #[inline]
    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or_default()
    }

    fn error(&self, reason: &'static str) -> JsonError {
        JsonError { reason, at: self.at }
    }
}

#[inline]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether what follows a literal would be part of a Java identifier. Jackson takes everything beyond ASCII for it.
fn continues_word(rest: &[u8]) -> bool {
    matches!(rest.first(), Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x7f..))
}

/// The output, as far as it differs from the input.
struct Edits<'a> {
    input: &'a [u8],
    copied: usize,
    output: Vec<u8>,
    any: bool,
}

impl Edits<'_> {
    /// Leaves out this part of the input. What belongs there is to be appended to the result.
    fn replace(&mut self, part: Range<usize>) -> &mut Vec<u8> {
        if !self.any {
            self.any = true;
            self.output.reserve(self.input.len());
        }
        self.output.extend_from_slice(&self.input[self.copied..part.start]);
        self.copied = part.end;
        &mut self.output
    }

    fn finish(mut self, end: usize) -> Option<Vec<u8>> {
        self.any.then(|| {
            self.output.extend_from_slice(&self.input[self.copied..end]);
            self.output
        })
    }
}

/// The open arrays and objects, with a fingerprint of each name in the open objects.
#[derive(Default)]
struct Levels {
    depth: usize,
    most: usize,
    /// A bit a level, the innermost lowest: whether it is an object. Only the last 64 levels.
    objects: u64,
    /// The bits of 64 levels each that are further out.
    outer: Vec<u64>,
    fingerprints: Stack,
    /// Where the fingerprints of the innermost object begin.
    base: usize,
}

impl Levels {
    /// Whether the innermost level is an object; `None` outside all.
    #[inline]
    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }

    fn push(&mut self, object: bool) -> bool {
        if self.depth == self.most {
            return false;
        }
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.objects);
        }
        self.objects = self.objects << 1 | u64::from(object);
        self.depth += 1;
        if object {
            self.fingerprints.push(self.base as u64);
            self.base = self.fingerprints.len();
        }
        true
    }

    /// Leaves the innermost level. True where two of its names may be the same.
    fn pop(&mut self) -> bool {
        let object = self.objects & 1 == 1;
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.objects = self.outer.pop().unwrap_or_default();
        }
        if !object {
            return false;
        }
        let repeated = has_repeated(self.fingerprints.tail(self.base));
        self.fingerprints.truncate(self.base);
        self.base = usize::try_from(self.fingerprints.pop()).unwrap_or_default();
        repeated
    }
}

fn has_repeated(fingerprints: &mut [u64]) -> bool {
    /// Up to this many, comparing all with all is faster than sorting.
    const FEW: usize = 32;
    if fingerprints.len() > FEW {
        fingerprints.sort_unstable();
        return fingerprints.windows(2).any(|pair| pair[0] == pair[1]);
    }
    let mut rest = &*fingerprints;
    while let Some((first, others)) = rest.split_first() {
        if others.contains(first) {
            return true;
        }
        rest = others;
    }
    false
}

/// A stack that allocates only where it grows beyond what a record usually needs.
struct Stack {
    first: [u64; 48],
    len: usize,
    spilled: Vec<u64>,
}

impl Default for Stack {
    fn default() -> Self {
        Self { first: [0; 48], len: 0, spilled: Vec::new() }
    }
}

impl Stack {
    fn len(&self) -> usize {
        if self.spilled.is_empty() { self.len } else { self.spilled.len() }
    }

    #[inline]
    fn push(&mut self, value: u64) {
        if !self.spilled.is_empty() {
            self.spilled.push(value);
        } else if let Some(slot) = self.first.get_mut(self.len) {
            *slot = value;
            self.len += 1;
        } else {
            self.spilled.extend_from_slice(&self.first);
            self.spilled.push(value);
        }
    }

    fn pop(&mut self) -> u64 {
        let last = self.len().saturating_sub(1);
        let value = self.tail(last).first().copied().unwrap_or_default();
        self.truncate(last);
        value
    }

    fn tail(&mut self, start: usize) -> &mut [u64] {
        if self.spilled.is_empty() { &mut self.first[start..self.len] } else { &mut self.spilled[start..] }
    }

    fn truncate(&mut self, len: usize) {
        if self.spilled.is_empty() {
            self.len = len;
        } else if len > self.first.len() {
            self.spilled.truncate(len);
        } else {
            self.first[..len].copy_from_slice(&self.spilled[..len]);
            self.len = len;
            self.spilled.clear();
        }
    }
}
