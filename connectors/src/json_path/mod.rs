//! Paths into objects and structs, in the dialect of Java's JsonPath (`com.jayway.jsonpath`), in which transforms of Confluent state their conditions.
//!
//! | file | part |
//! |---|---|
//! | `parse` | texts to paths |
//! | `predicate`, `parse_predicate` | what stands in `[?(…)]` |
//! | `evaluate` | what a path leads to |
//! | `operand` | what is compared, and how |
//! | `item` | values of all kinds, as a path sees them |
//!
//! Not a crate: those that there are follow RFC 9535, which looks at the members of an object where JsonPath looks at the object itself
//! (`$[?(@.shop == 'a')]`), knows neither `=~` nor `$.[…]`, and does not tell a field that is missing from one that matches nothing. They also want a tree,
//! where this reads the text.
//!
//! Left out: functions but `length()` and `size()`, comparing objects with each other, `type`. A path in a condition that may lead to several values
//! (`@.a[*]`) holds here where it leads to any, with JsonPath also where it leads to none, whose list is there as well; `size` counts the members of an object, too, which
//! JsonPath's does not. What a record may cost is bounded: see `evaluate`.

mod evaluate;
mod item;
mod operand;
mod parse;
mod parse_predicate;
mod predicate;
#[cfg(test)]
mod tests;

use std::fmt;

use connect_api::data::{Data, Value};

use self::{evaluate::Evaluation, item::Item, predicate::Token};

/// A compiled path.
pub(crate) struct JsonPath {
    written: String,
    tokens: Vec<Token>,
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// A field that the path names is not there, or is null where it would have to hold something.
    Missing,
    /// A condition stands where the value is neither an object nor an array.
    NotAContainer,
    /// It would take too long.
    TooManySteps,
    /// A regular expression that cannot be decided, and why.
    Regex(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the path could not be found in the record"),
            Self::NotAContainer => {
                f.write_str("a condition in brackets is applied to a value that is neither an object nor an array")
            }
            Self::TooManySteps => f.write_str("it takes too many steps on this record"),
            Self::Regex(reason) => f.write_str(reason),
        }
    }
}

impl JsonPath {
    /// That of a text. As with JsonPath, `$.` may be left out.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Ok(Self { written: text.to_owned(), tokens: parse::path(text)? })
    }

    /// Whether it leads to one value at most: it has no wildcards, slices, lists or conditions.
    pub(crate) fn is_definite(&self) -> bool {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.iter().enumerate().all(|(at, token)| token.is_definite(at == last))
    }

    /// Whether it leads to anything in this object or struct; null is something, too.
    ///
    /// # Errors
    /// [`Failure::Missing`] where it is definite, at least at its beginning, and a field of that part is missing.
    pub(crate) fn matches(&self, data: &Data) -> Result<bool, Failure> {
        let root = Item::of(data);
        let mut any = false;
        Evaluation::new(&root).walk(&self.tokens, true, root.clone(), &mut |_item| {
            any = true;
            true
        })?;
        if !any && self.is_definite() { Err(Failure::Missing) } else { Ok(any) }
    }

    /// What a definite path leads to.
    ///
    /// # Errors
    /// [`Failure::Missing`] where it is not there.
    pub(crate) fn value(&self, data: &Data) -> Result<Value, Failure> {
        let root = Item::of(data);
        let mut last = None;
        Evaluation::new(&root).walk(&self.tokens, true, root.clone(), &mut |item| {
            last = Some(item.to_value());
            false
        })?;
        last.ok_or(Failure::Missing)
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonPath({})", self.written)
    }
}
