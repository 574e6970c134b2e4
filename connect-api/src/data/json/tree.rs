//! An index over validated, compact text: no value is decoded, only found.

use super::string;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

impl Kind {
    /// What the text of a value is.
    pub fn of(text: &[u8]) -> Self {
        match text.first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }
}

/// The values of a text, each before those that it holds.
#[derive(Debug)]
pub struct Tree<'a> {
    text: &'a [u8],
    slots: Vec<Slot>,
}

/// Where a value is. The names of an object's members are values too.
#[derive(Clone, Copy, Debug)]
struct Slot {
    start: usize,
    end: usize,
    /// The slot of the next value that is not in this one.
    next: usize,
}

impl<'a> Tree<'a> {
    /// The index of a text that is valid and has no blanks.
    pub(super) fn of(text: &'a [u8]) -> Self {
        let (mut slots, mut open, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(&byte) = text.get(at) {
            let start = at;
            at += 1;
            match byte {
                b',' | b':' => continue,
                b'{' | b'[' => open.push(slots.len()),
                b'}' | b']' => {
                    close(&mut slots, open.pop(), at);
                    continue;
                }
                b'"' => at = string_end(text, at),
                _ => at = text[at..].iter().position(|b| matches!(b, b',' | b'}' | b']')).map_or(text.len(), |len| at + len),
            }
            slots.push(Slot { start, end: at, next: slots.len() + 1 });
        }
        Self { text, slots }
    }

    /// The value that holds all others.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }
}

fn close(slots: &mut [Slot], index: Option<usize>, end: usize) {
    let next = slots.len();
    if let Some(slot) = index.and_then(|index| slots.get_mut(index)) {
        (slot.end, slot.next) = (end, next);
    }
}

/// The byte after the closing quote of a string whose content begins at `at`.
pub(super) fn string_end(text: &[u8], mut at: usize) -> usize {
    loop {
        at = next_special(text, at);
        match text.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at += 2,
            None => return text.len(),
        }
    }
}

/// The next quote or backslash, eight bytes at a time.
fn next_special(text: &[u8], mut at: usize) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = LOW * b'"' as u64;
    const BACKSLASHES: u64 = LOW * b'\\' as u64;
    // The high bit of each byte that is zero; those above the first such byte may be wrong.
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*bytes);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).map_or(text.len(), |found| at + found)
}

/// A value, or the name of a member.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tree: &'t Tree<'t>,
    index: usize,
}

impl<'t> Node<'t> {
    /// What it is.
    pub fn kind(self) -> Kind {
        Kind::of(self.text())
    }

    /// Its text.
    pub fn text(self) -> &'t [u8] {
        self.tree.slots.get(self.index).map_or(&[], |slot| &self.tree.text[slot.start..slot.end])
    }

    /// Of a string, what is between the quotes, escapes as they are.
    pub fn content(self) -> &'t [u8] {
        let text = self.text();
        text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Of a string, its UTF-16 units.
    pub fn units(self) -> impl Iterator<Item = u16> + use<'t> {
        string::units(self.content())
    }

    /// The items of an array; of an object, the names and values in turn; of anything else nothing.
    pub fn items(self) -> impl Iterator<Item = Node<'t>> {
        let slots = &self.tree.slots;
        let end = slots.get(self.index).map_or(0, |slot| slot.next);
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            let node = (index < end).then_some(Node { index, ..self })?;
            index = slots[index].next;
            Some(node)
        })
    }

    /// The names and values of an object.
    pub fn members(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let mut items = self.items();
        std::iter::from_fn(move || Some((items.next()?, items.next()?)))
    }
}

/// How the values of a tree are written again.
pub(super) trait Style {
    /// Brings the members of an object into their order.
    fn arrange<'t>(&mut self, members: &mut Vec<(Node<'t>, Node<'t>)>);

    /// Appends a value that holds no others, or a name.
    fn scalar(&mut self, node: Node<'_>, out: &mut Vec<u8>);
}

/// Appends the value. Not a recursion: the depth is the producer's choice.
pub(super) fn write(root: Node<'_>, style: &mut impl Style, out: &mut Vec<u8>) {
    enum Step<'t> {
        Value(Node<'t>),
        Byte(u8),
    }
    let mut steps = vec![Step::Value(root)];
    while let Some(step) = steps.pop() {
        let node = match step {
            Step::Value(node) => node,
            Step::Byte(byte) => {
                out.push(byte);
                continue;
            }
        };
        let after_opening = steps.len() + 1;
        match node.kind() {
            Kind::Object => {
                let mut members: Vec<_> = node.members().collect();
                style.arrange(&mut members);
                out.push(b'{');
                steps.push(Step::Byte(b'}'));
                for (name, value) in members.into_iter().rev() {
                    steps.extend([Step::Value(value), Step::Byte(b':'), Step::Value(name), Step::Byte(b',')]);
                }
            }
            Kind::Array => {
                out.push(b'[');
                steps.push(Step::Byte(b']'));
                steps.extend(node.items().flat_map(|item| [Step::Byte(b','), Step::Value(item)]));
                steps[after_opening..].reverse();
            }
            _ => {
                style.scalar(node, out);
                continue;
            }
        }
        // No comma before the first.
        if steps.len() > after_opening {
            steps.pop();
        }
    }
}
