//! What a path leads to.
//!
//! A path is read from the left. As long as it is definite (names and single indexes), what is missing is a failure; from the first wildcard, slice, list or
//! condition on it is only left out. The last name of a path may always be missing: then the path leads to nothing.

use std::cell::Cell;

use super::{
    Failure,
    item::Item,
    predicate::{Predicate, Token},
};

/// So much of one record is looked at: 256 MiB of text, or four million values.
const STEPS: usize = 4_000_000;

/// One look at one record.
pub(super) struct Evaluation<'a> {
    root: Item<'a>,
    steps: Cell<usize>,
}

/// Gets what is found; whether that is enough.
type Found<'f, 'a> = &'f mut dyn FnMut(Item<'a>) -> bool;

impl<'a> Evaluation<'a> {
    pub(super) fn new(root: &Item<'a>) -> Self {
        Self { root: root.clone(), steps: Cell::new(0) }
    }

    /// What `$` stands for.
    pub(super) fn root(&self) -> Item<'a> {
        self.root.clone()
    }

    /// Counts what is looked at.
    pub(super) fn spend(&self, item: &Item<'_>) -> Result<(), Failure> {
        self.spend_steps(item.steps())
    }

    /// Counts so many steps.
    pub(super) fn spend_steps(&self, steps: usize) -> Result<(), Failure> {
        self.steps.set(self.steps.get().saturating_add(steps));
        if self.steps.get() > STEPS { Err(Failure::TooManySteps) } else { Ok(()) }
    }

    /// Counts a match of a regular expression. Some take a million steps of their own and still end: a few thousand of them are enough.
    pub(super) fn spend_match(&self, text: &str) -> Result<(), Failure> {
        const A_MATCH: usize = 1_000;
        const BYTES_A_STEP: usize = 8;
        self.spend_steps(A_MATCH + text.len() / BYTES_A_STEP)
    }

    /// Follows the tokens from a value on. Recursive as deep as the path is long, whatever the record. Whether `found` has had enough.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn walk(&self, tokens: &'a [Token], definite: bool, item: Item<'a>, found: Found<'_, 'a>) -> Result<bool, Failure> {
        let Some((token, rest)) = tokens.split_first() else { return Ok(found(item)) };
        let missing = || if definite { Err(Failure::Missing) } else { Ok(false) };
        self.spend(&item)?;
        match token {
            Token::Property(_) if !item.is_object() => missing(),
            Token::Property(names) if names.len() > 1 && rest.is_empty() => Ok(found(item)),
            Token::Property(names) => {
                let definite = definite && names.len() == 1;
                for name in names {
                    let enough = match item.member(name) {
                        Some(value) => self.walk(rest, definite, value, found)?,
                        None if definite && !rest.is_empty() => return Err(Failure::Missing),
                        None => false,
                    };
                    if enough {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Token::Index(_) | Token::Slice(..) if !item.is_array() => missing(),
            Token::Index(indexes) => {
                let at = |index: &i64| {
                    let at = place(*index, || item.len())?;
                    item.children_within(at..at.saturating_add(1)).next()
                };
                self.walk_each(rest, definite && indexes.len() == 1, indexes.iter().filter_map(at), found)
            }
            Token::Slice(from, to) => {
                let bound = |bound: &Option<i64>, default| bound.map_or(default, |bound| place(bound, || item.len()).unwrap_or(0));
                self.walk_each(rest, false, item.children_within(bound(from, 0)..bound(to, usize::MAX)), found)
            }
            Token::Wildcard => self.walk_each(rest, false, item.children(), found),
            Token::Scan => self.scan(rest, item, found),
            Token::Filter(predicate) => self.filter(predicate, rest, definite, item, found),
        }
    }

    fn walk_each(
        &self,
        rest: &'a [Token],
        definite: bool,
        items: impl Iterator<Item = Item<'a>>,
        found: Found<'_, 'a>,
    ) -> Result<bool, Failure> {
        for item in items {
            self.spend_steps(1)?;
            if self.walk(rest, definite, item, found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A condition: of an object for itself, of an array for each element.
    fn filter(
        &self,
        predicate: &'a Predicate,
        rest: &'a [Token],
        definite: bool,
        item: Item<'a>,
        found: Found<'_, 'a>,
    ) -> Result<bool, Failure> {
        if item.is_object() {
            return Ok(predicate.holds(self, &item)? && self.walk(rest, false, item, found)?);
        }
        if !item.is_array() {
            return match (definite, item.is_null()) {
                (false, _) => Ok(false),
                (true, true) => Err(Failure::Missing),
                (true, false) => Err(Failure::NotAContainer),
            };
        }
        for element in item.children() {
            self.spend_steps(1)?;
            if predicate.holds(self, &element)? && self.walk(rest, false, element, found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `..`: the rest of the path from the value and from all that it holds. Not a recursion: the depth is the producer's choice.
    fn scan(&self, rest: &'a [Token], item: Item<'a>, found: Found<'_, 'a>) -> Result<bool, Failure> {
        let mut waiting = vec![item];
        while let Some(item) = waiting.pop() {
            self.spend(&item)?;
            // The elements of an array are met by themselves.
            let is_for = !matches!((rest.first(), item.is_array()), (Some(Token::Filter(_)), true));
            let is_container = item.is_object() || item.is_array();
            if is_for && is_container && self.walk(rest, false, item.clone(), found)? {
                return Ok(true);
            }
            for child in item.children() {
                self.spend_steps(1)?;
                waiting.push(child);
            }
        }
        Ok(false)
    }
}

/// Where an index stands; one below zero counts from the end, and nothing else asks for the length.
fn place(index: i64, len: impl FnOnce() -> usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}
