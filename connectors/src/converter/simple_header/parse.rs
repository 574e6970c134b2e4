//! From a header's text to what it means.
//!
//! Connect's own rules with their oddities: text after a comma or after a closing bracket is dropped, a comma may end a list, a map
//! needs none, and a list or map with anything wrong in it is text.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    number,
    parsed::{self, Parsed},
    tokens::{Tokens, trim},
};
use crate::converter::temporal;

/// Lists and maps in lists and maps. What is deeper is text: the stack is not the producer's to use up.
const MAX_DEPTH: usize = 100;

/// What the text means; [`Parsed::String`] where it is just text.
pub(super) fn parse(text: &str) -> Parsed {
    let mut tokens = Tokens::new(text);
    if text.is_empty() {
        return Parsed::String(String::new());
    }
    if let Some(literal) = literal(&mut tokens, false) {
        return literal;
    }
    let start = tokens.mark();
    if let Some(container) = container(&mut tokens, 0) {
        return container;
    }
    tokens.rewind(start);
    scalar(&mut tokens).unwrap_or_else(|| Parsed::String(tokens.text().to_owned()))
}

/// A value in a list or map. `None` where there is none, and all of the text is just text.
fn element(tokens: &mut Tokens<'_>, depth: usize) -> Option<Parsed> {
    if tokens.is_empty() {
        return Some(Parsed::Null);
    }
    if tokens.take("\"") {
        return Some(quoted(tokens));
    }
    if let Some(literal) = literal(tokens, true) {
        return Some(literal);
    }
    let start = tokens.mark();
    if let Some(container) = container(tokens, depth) {
        return Some(container);
    }
    tokens.rewind(start);
    scalar(tokens)
}

fn literal(tokens: &mut Tokens<'_>, embedded: bool) -> Option<Parsed> {
    for (word, parsed) in [("null", Parsed::Null), ("true", Parsed::Boolean(true)), ("false", Parsed::Boolean(false))] {
        let start = tokens.mark();
        // By itself it must be all there is.
        if tokens.take(word) && (embedded || tokens.is_empty()) {
            return Some(parsed);
        }
        tokens.rewind(start);
    }
    None
}

fn container(tokens: &mut Tokens<'_>, depth: usize) -> Option<Parsed> {
    if depth == MAX_DEPTH {
        None
    } else if tokens.take("[") {
        array(tokens, depth + 1)
    } else if tokens.take("{") {
        map(tokens, depth + 1)
    } else {
        None
    }
}

fn array(tokens: &mut Tokens<'_>, depth: usize) -> Option<Parsed> {
    let mut items = Vec::new();
    while !tokens.is_empty() {
        if tokens.take("]") {
            return parsed::array(items);
        }
        if tokens.take(",") {
            return None;
        }
        items.push(element(tokens, depth)?);
        let end = tokens.mark();
        if tokens.take("]") {
            tokens.rewind(end);
        } else if !tokens.take(",") {
            return None;
        }
    }
    None
}

fn map(tokens: &mut Tokens<'_>, depth: usize) -> Option<Parsed> {
    let mut entries: Vec<(Parsed, Parsed)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    while !tokens.is_empty() {
        if tokens.take("}") {
            return parsed::map(entries);
        }
        if tokens.take(",") {
            return None;
        }
        let key = element(tokens, depth)?;
        if key == Parsed::Null || !tokens.take(":") {
            return None;
        }
        let value = element(tokens, depth)?;
        match places.entry(format!("{key:?}")) {
            Entry::Occupied(place) => entries[*place.get()].1 = value,
            Entry::Vacant(place) => {
                place.insert(entries.len());
                entries.push((key, value));
            }
        }
        tokens.take(",");
    }
    None
}

/// Up to the closing quote, or to the end without one. Backslashes stay.
fn quoted(tokens: &mut Tokens<'_>) -> Parsed {
    let mut content = String::new();
    while !tokens.is_empty() && !tokens.take_exactly("\"") {
        content.push_str(tokens.next());
    }
    temporal::parse(&content).map_or(Parsed::String(content), Parsed::Temporal)
}

fn scalar(tokens: &mut Tokens<'_>) -> Option<Parsed> {
    let token = trim(tokens.next());
    let digit = token.starts_with(|first: char| first.is_ascii_digit());
    if digit {
        // Its colons make five tokens of a time.
        let start = tokens.mark();
        let rest = tokens.next_together(4).unwrap_or_default();
        if let Some(millis) = temporal::parse(&format!("{token}{rest}")) {
            return Some(Parsed::Temporal(millis));
        }
        tokens.rewind(start);
        if let Some(millis) = temporal::parse(token) {
            return Some(Parsed::Temporal(millis));
        }
    }
    if digit || token.starts_with(['+', '-']) { number::parse(token) } else { None }
}
