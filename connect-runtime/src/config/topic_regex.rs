//! `topics.regex` in Java's syntax.

use std::fmt;

mod translate;

/// A Java regular expression that must match the whole name of a topic.
#[derive(Clone)]
pub struct TopicRegex {
    java: String,
    regex: fancy_regex::Regex,
}

impl TopicRegex {
    /// Translates a Java pattern.
    ///
    /// # Errors
    /// What is wrong with it, or what of Java's syntax cannot be translated.
    pub fn new(java: &str) -> Result<Self, String> {
        let translated = translate::translate(java)?;
        let regex = fancy_regex::Regex::new(&translated).map_err(|error| format!("Invalid regex: {error}"))?;
        Ok(Self { java: java.to_owned(), regex })
    }

    /// Whether the whole name matches. A pattern that takes too many steps to decide does not.
    pub fn is_match(&self, topic: &str) -> bool {
        self.regex.is_match(topic).unwrap_or(false)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.java
    }
}

impl fmt::Debug for TopicRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicRegex({})", self.java)
    }
}
