//! An object of which some members are changed, while all others stay text.

use std::{borrow::Cow, sync::Arc};

use super::{Cursor, JsonText, Kind, Rendering, find::is_name, write_string};
use crate::{Result, data::Value};

/// A schemaless JSON object whose members can be set, renamed and removed. Members that nobody touches are neither decoded nor copied before
/// [`JsonObject::to_text`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject {
    /// Where it began; `None` for one that began empty.
    text: Option<JsonText>,
    members: Vec<Member>,
    /// Whether a name in the text has escapes.
    has_escapes: bool,
    /// Names that do not stand in the text.
    names: Vec<Arc<str>>,
    /// Values that do not stand in the text.
    values: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Member {
    name: Place,
    value: Place,
}

/// A part of the text, or an index of `names` or `values`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    start: u32,
    /// [`CHANGED`] where `start` is an index.
    end: u32,
}

const CHANGED: u32 = u32::MAX;

/// So many members have most objects.
const USUAL: usize = 16;

impl Place {
    fn part(start: usize, end: usize) -> Option<Self> {
        let end = u32::try_from(end).ok().filter(|end| *end != CHANGED)?;
        Some(Self { start: u32::try_from(start).ok()?, end })
    }

    fn changed(index: usize) -> Self {
        Self { start: u32::try_from(index).unwrap_or(CHANGED), end: CHANGED }
    }

    fn is_changed(self) -> bool {
        self.end == CHANGED
    }

    fn length(self) -> usize {
        (self.end - self.start) as usize
    }
}

impl JsonObject {
    /// That of a text; `None` where the text is no object (or has 4 GiB).
    pub fn of(text: &JsonText) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut cursor = Cursor::new(text);
        if cursor.kind() != Kind::Object {
            return None;
        }
        let (mut members, mut has_escapes) = (Vec::with_capacity(USUAL), false);
        let mut more = cursor.enter();
        // The cursor's parts are looked for by where they begin: behind the brace, and behind each other with one sign between them.
        let mut at = 1;
        while more {
            let (name, value) = (cursor.name(), cursor.value().len());
            has_escapes |= name.contains(&b'\\');
            let between = at + name.len();
            members.push(Member { name: Place::part(at, between)?, value: Place::part(between + 1, between + 1 + value)? });
            at = between + 1 + value + 1;
            more = cursor.goes_on();
        }
        debug_assert!(members.is_empty() || at == bytes.len());
        Some(Self { text: Some(text.clone()), members, has_escapes, names: Vec::new(), values: Vec::new() })
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The place of the member with this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| {
            if member.name.is_changed() {
                return self.names.get(member.name.start as usize).is_some_and(|own| **own == *name);
            }
            // What has escapes is longer than what it says; most names are told by their length.
            let quoted = name.len() + 2;
            member.name.length() == quoted && content(self.part(member.name)) == name.as_bytes()
                || self.has_escapes && member.name.length() > quoted && is_name(content(self.part(member.name)), name)
        })
    }

    /// The name of the member at this place.
    pub fn name(&self, at: usize) -> Cow<'_, str> {
        match self.members.get(at) {
            Some(member) if member.name.is_changed() => {
                self.names.get(member.name.start as usize).map_or(Cow::Borrowed(""), |name| Cow::Borrowed(&**name))
            }
            Some(member) => super::decode_string(self.part(member.name)),
            None => Cow::Borrowed(""),
        }
    }

    /// The value of the member at this place: scalars are decoded, arrays and objects of the text stay text.
    pub fn value(&self, at: usize) -> Value {
        match (self.members.get(at), &self.text) {
            (Some(member), _) if member.value.is_changed() => {
                self.values.get(member.value.start as usize).cloned().unwrap_or_default()
            }
            (Some(member), Some(text)) => text.part_value(self.part(member.value)),
            _ => Value::Null,
        }
    }

    /// The value of the member at this place as it stands in the text, where nobody has changed it.
    pub fn unread(&self, at: usize) -> Value {
        match (self.members.get(at), &self.text) {
            (Some(member), Some(text)) if !member.value.is_changed() => {
                text.part(self.part(member.value)).map_or(Value::Null, Value::Json)
            }
            _ => self.value(at),
        }
    }

    /// The value of the member with this name.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.find(name).map(|at| self.value(at))
    }

    /// Gives the member with this name a value; a new one becomes the last member.
    pub fn set(&mut self, name: &Arc<str>, value: Value) {
        match self.find(name) {
            Some(at) => self.set_at(at, value),
            None => self.push(name, value),
        }
    }

    /// Gives the member with this name what is made of its value, or of null where there is no such member.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn replace(&mut self, name: &Arc<str>, make: impl FnOnce(Value) -> Result<Value>) -> Result<()> {
        match self.find(name) {
            Some(at) => self.set_at(at, make(self.value(at))?),
            None => self.push(name, make(Value::Null)?),
        }
        Ok(())
    }

    /// Gives the member at this place a value.
    pub fn set_at(&mut self, at: usize, value: Value) {
        if let Some(member) = self.members.get_mut(at) {
            member.value = Place::changed(self.values.len());
            reserve(&mut self.values);
            self.values.push(value);
        }
    }

    /// Adds a member that is known not to be there yet.
    pub fn push(&mut self, name: &Arc<str>, value: Value) {
        self.members.push(Member { name: Place::changed(self.names.len()), value: Place::changed(self.values.len()) });
        reserve(&mut self.names);
        self.names.push(Arc::clone(name));
        reserve(&mut self.values);
        self.values.push(value);
    }

    /// Gives the members at these places other names, all at once: names may be swapped. Where a member that keeps its name has one of them, it goes; of two that
    /// get the same, the last stays.
    pub fn rename<'n>(&mut self, names: impl Iterator<Item = (usize, &'n Arc<str>)>) {
        let renamed: Vec<_> = names.filter(|(at, _)| *at < self.members.len()).collect();
        let mut gone: Vec<_> = renamed.iter().filter_map(|(_, name)| self.find(name)).collect();
        gone.retain(|at| !renamed.iter().any(|(other, _)| other == at));
        for (index, (at, name)) in renamed.iter().enumerate() {
            if renamed[index + 1..].iter().any(|(_, later)| later == name) {
                gone.push(*at);
            }
            self.members[*at].name = Place::changed(self.names.len());
            self.names.push(Arc::clone(name));
        }
        if !gone.is_empty() {
            self.retain_at(|at| !gone.contains(&at));
        }
    }

    /// Removes the member at this place.
    pub fn remove_at(&mut self, at: usize) {
        if at < self.members.len() {
            self.members.remove(at);
        }
    }

    /// Removes all members but those whose names are kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let kept: Vec<_> = (0..self.len()).map(|at| keep(&self.name(at))).collect();
        self.retain_at(|at| kept[at]);
    }

    fn retain_at(&mut self, keep: impl Fn(usize) -> bool) {
        let mut at = 0;
        self.members.retain(|_member| {
            at += 1;
            keep(at - 1)
        });
    }

    /// The object as text. Members that follow each other as they did are copied together.
    ///
    /// # Errors
    /// `Data` where a member has been given a value that JSON cannot hold.
    pub fn to_text(&self) -> Result<JsonText> {
        let mut out = Vec::with_capacity(self.length());
        let mut rest = self.members.iter().copied().peekable();
        while let Some(member) = rest.next() {
            out.push(if out.is_empty() { b'{' } else { b',' });
            if member.name.is_changed() || member.value.is_changed() {
                self.write(member, &mut out)?;
                continue;
            }
            let mut end = member.value.end;
            while let Some(next) =
                rest.next_if(|next| next.name.start == end + 1 && !next.name.is_changed() && !next.value.is_changed())
            {
                end = next.value.end;
            }
            let run = self.part(Place { start: member.name.start, end });
            let is_all = out.len() == 1 && rest.peek().is_none();
            if let Some(text) = self.text.as_ref().filter(|text| is_all && run.len() + 2 == text.as_bytes().len()) {
                // Nothing was changed.
                return Ok(text.clone());
            }
            out.extend_from_slice(run);
        }
        if out.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(JsonText::of_valid(out))
    }

    /// About how long the text will be.
    fn length(&self) -> usize {
        const NUMBER: usize = 24;
        let value = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.len() + 2,
            Some(Value::Json(json)) => json.as_bytes().len(),
            _ => NUMBER,
        };
        let of = |member: &Member| {
            let Member { name, value: of_value } = *member;
            let name = if name.is_changed() {
                self.names.get(name.start as usize).map_or(0, |name| name.len() + 2)
            } else {
                name.length()
            };
            let value = if of_value.is_changed() { value(self.values.get(of_value.start as usize)) } else { of_value.length() };
            name + value + 2
        };
        self.members.iter().map(of).sum::<usize>() + 2
    }

    fn write(&self, member: Member, out: &mut Vec<u8>) -> Result<()> {
        if member.name.is_changed() {
            write_string(self.names.get(member.name.start as usize).map_or("", |name| name), out);
        } else {
            out.extend_from_slice(self.part(member.name));
        }
        out.push(b':');
        if member.value.is_changed() {
            return Rendering::Lossless.write_plain(self.values.get(member.value.start as usize).unwrap_or(&Value::Null), out);
        }
        out.extend_from_slice(self.part(member.value));
        Ok(())
    }

    fn part(&self, place: Place) -> &[u8] {
        let text = self.text.as_ref().map_or(&[][..], JsonText::as_bytes);
        text.get(place.start as usize..place.end as usize).unwrap_or_default()
    }
}

/// Room for what a chain of transforms usually changes, got at once.
fn reserve<T>(items: &mut Vec<T>) {
    if items.capacity() == 0 {
        items.reserve_exact(8);
    }
}

/// A string without its quotes.
fn content(string: &[u8]) -> &[u8] {
    string.get(1..string.len().saturating_sub(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn object(text: &str) -> JsonObject {
        JsonObject::of(&JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap()).unwrap()
    }

    fn text(object: &JsonObject) -> String {
        String::from_utf8(object.to_text().unwrap().as_bytes().to_vec()).unwrap()
    }

    const TEXT: &str = r#"{"a":1.50,"b\"c":{"x":[1,"}"]},"\u00e9":"é\n","z":null}"#;

    #[test]
    fn what_is_not_touched_stays_as_the_producer_wrote_it() {
        for unchanged in [TEXT, "{}", r#"{"a":{}}"#] {
            assert_eq!(text(&object(unchanged)), unchanged);
        }
    }

    #[test]
    fn members_are_found_by_what_their_names_say() {
        let object = object(TEXT);
        assert_eq!(["a", "b\"c", "é", "z", "x"].map(|name| object.find(name)), [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!((0..4).map(|at| object.name(at).into_owned()).collect::<Vec<_>>(), ["a", "b\"c", "é", "z"]);
        assert_eq!(object.get("a"), Some(Value::Float64(1.5)));
        assert_eq!(object.get("é"), Some(Value::String("é\n".into())));
        assert_eq!(object.get("z"), Some(Value::Null));
        assert!(matches!(object.get("b\"c"), Some(Value::Json(inner)) if inner.as_bytes() == br#"{"x":[1,"}"]}"#));
    }

    #[test]
    fn members_are_set_renamed_and_removed_and_the_others_keep_their_place() {
        let inner = object(r#"{"i":1}"#);
        let mut object = object(TEXT);
        object.set(&"z".into(), Value::Int64(7));
        object.set(&"n\"ew".into(), Value::String("\u{1}".into()));
        object.rename([(0, &"first".into())].into_iter());
        object.remove_at(1);
        assert_eq!(text(&object), r#"{"first":1.50,"\u00e9":"é\n","z":7,"n\"ew":"\u0001"}"#);
        object.retain(|name| name == "é");
        assert_eq!(text(&object), r#"{"\u00e9":"é\n"}"#);
        object.remove_at(0);
        assert_eq!(text(&object), "{}");
        object.push(&"o".into(), Value::Object(Box::new(inner)));
        assert_eq!(text(&object), r#"{"o":{"i":1}}"#);
    }

    #[test]
    fn names_are_swapped_and_taken_from_members_that_keep_theirs() {
        let [a, b, x] = ["a", "b", "x"].map(Arc::from);
        for (renames, expected) in [
            (vec![(2, &a)], r#"{"b":2,"a":3}"#),
            (vec![(0, &b), (1, &a)], r#"{"b":1,"a":2,"c":3}"#),
            (vec![(0, &x), (2, &x)], r#"{"b":2,"x":3}"#),
            (vec![(0, &a)], r#"{"a":1,"b":2,"c":3}"#),
        ] {
            let mut object = object(r#"{"a":1,"b":2,"c":3}"#);
            object.rename(renames.into_iter());
            assert_eq!(text(&object), expected);
        }
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        let json = |text: &'static str| JsonText::parse(&Bytes::from_static(text.as_bytes())).unwrap().unwrap();
        assert!(["[{}]", "1", "\"{}\""].iter().all(|text| JsonObject::of(&json(text)).is_none()));
    }
}
