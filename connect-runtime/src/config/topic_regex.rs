//! `topics.regex` in Java's syntax.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use connect_api::JavaRegex;

/// A Java regular expression that must match the whole name of a topic.
#[derive(Clone)]
pub struct TopicRegex {
    regex: JavaRegex,
    /// Topics that took too many steps, and of which that has been said.
    undecided: Arc<Mutex<BTreeSet<String>>>,
}

impl TopicRegex {
    /// Translates a Java pattern.
    ///
    /// # Errors
    /// What is wrong with it, or what of Java's syntax cannot be translated.
    pub fn new(java: &str) -> Result<Self, String> {
        Ok(Self { regex: JavaRegex::new(java)?, undecided: Arc::default() })
    }

    /// Whether the whole name matches. A pattern that takes too many steps to decide does not: a warning says so, once for each topic.
    pub fn is_match(&self, topic: &str) -> bool {
        self.regex.matches(topic).unwrap_or_else(|error| {
            if self.is_news(topic) {
                tracing::warn!(
                    pattern = self.as_str(),
                    topic,
                    error,
                    "topics.regex cannot be decided for this topic, which is not read"
                );
            }
            false
        })
    }

    /// Whether nothing has been said of this topic yet.
    fn is_news(&self, topic: &str) -> bool {
        self.undecided.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }
}

impl fmt::Debug for TopicRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicRegex({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_takes_too_many_steps_does_not_match_and_is_news_once() {
        let regex = TopicRegex::new(r"(a|b|ab)*(?=c)c").unwrap();
        let topic = "ab".repeat(40);
        assert!(!regex.is_match(&topic));
        assert!(!regex.clone().is_news(&topic), "it has been said");
        assert!(!regex.is_match("other"));
        assert!(regex.is_news("other"), "it was decided, so nothing was said");
    }
}
