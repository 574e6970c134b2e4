//! What is wrong with a configuration, in plain words.

use std::fmt;

use super::{Entry, Origin};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key it is about, if it is about one.
    pub key: Option<String>,
    /// Where the value was written.
    pub origin: Option<Origin>,
    /// The sentence: what is wrong, with what, and what is allowed. Never a secret.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Problem {
    /// A value that is refused.
    pub fn of_entry(key: &str, entry: &Entry, secret: bool, reason: impl fmt::Display) -> Self {
        let value = if secret { "[hidden]" } else { entry.value.trim() };
        Self {
            key: Some(key.to_owned()),
            origin: entry.origin.clone(),
            message: format!("Invalid value {value} for configuration {key}: {reason}"),
            suggestion: None,
        }
    }

    /// Something about a key that has no value, or not about its value.
    pub fn of_key(key: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), origin: None, message: message.into(), suggestion: None }
    }

    /// Something about no key.
    pub fn general(message: impl Into<String>) -> Self {
        Self { key: None, origin: None, message: message.into(), suggestion: None }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// Says what was probably meant.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " (did you mean `{suggestion}`?)"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong, in the order it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds all of another list.
    pub fn append(&mut self, other: Problems) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each in turn.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// `Ok` where nothing is wrong.
    ///
    /// # Errors
    /// Itself.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}
