//! What becomes of records that fail, and topics that cannot be.

use connect_api::config::{AnyConfigKey, Config, Problem};

use super::{Check, unfilled};
use crate::config::connector_keys::{
    DLQ_TOPIC_NAME, ERRORS_LOG_ENABLE, ERRORS_LOG_INCLUDE_MESSAGES, ERRORS_TOLERANCE, TOPICS_REGEX,
};

impl Check<'_> {
    /// Failures that nobody hears of, or of which the log does not say which records they were, a queue that gets one record, and a pattern that no topic's name can match.
    pub(super) fn failures(&mut self, config: &Config) {
        let mut doubt = |key: &dyn AnyConfigKey, message: String| {
            let origin = config.entry(key.name()).and_then(|entry| entry.origin.clone());
            self.validation.warnings.push(Problem::of_key(key.name(), message).at(origin));
        };
        let Ok(tolerance) = config.get(&ERRORS_TOLERANCE) else { return };
        let tolerates = tolerance.eq_ignore_ascii_case("all");
        let queue = config.text(DLQ_TOPIC_NAME.name()).is_some_and(|topic| !topic.trim().is_empty());
        if tolerates && !queue {
            match (config.get(&ERRORS_LOG_ENABLE), config.get(&ERRORS_LOG_INCLUDE_MESSAGES)) {
                (Ok(false), _) => doubt(&ERRORS_TOLERANCE, SILENT.to_owned()),
                (Ok(true), Ok(false)) => doubt(&ERRORS_LOG_ENABLE, NAMELESS.to_owned()),
                _ => {}
            }
        }
        if queue && !tolerates {
            doubt(&DLQ_TOPIC_NAME, ONE_RECORD.to_owned());
        }
        let pattern = config.text(TOPICS_REGEX.name()).unwrap_or_default().trim();
        // Of what is to be filled in enough is said.
        if let Some(c) = never_in_a_name(pattern).filter(|_| unfilled::placeholder(TOPICS_REGEX.name(), pattern).is_none()) {
            let what = if c == ' ' { "a blank".to_owned() } else { format!("`{c}`") };
            let several = if c == ',' { "; several topics go into topics, or have | between them here" } else { "" };
            doubt(
                &TOPICS_REGEX,
                format!("topics.regex matches no topic: it asks for {what}, which no topic has in its name{several}"),
            );
        }
    }
}

const SILENT: &str = "errors.tolerance=all leaves out every record that cannot be converted or transformed, and nothing says which but the first, while one that cannot be written ends the task: set errors.deadletterqueue.topic.name to keep \
                      them, or errors.log.enable=true and errors.log.include.messages=true to have them named in the log";
const NAMELESS: &str = "errors.log.enable=true says in the log that a record failed, and not which one: errors.log.include.messages=true adds its topic, \
                        partition and offset, and no content";
const ONE_RECORD: &str = "errors.deadletterqueue.topic.name without errors.tolerance=all: the first record that fails is copied there, and then its \
                          task fails; set errors.tolerance=all to go on after it";

/// A character that every match of a pattern must have and that no topic has; found in simple patterns only.
fn never_in_a_name(pattern: &str) -> Option<char> {
    // With groups and alternatives it may be that not every match has it, and after a backslash a letter is another thing.
    if pattern.contains(['|', '(', '\\']) {
        return None;
    }
    let mut closes = None;
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        if let Some(end) = closes {
            closes = closes.filter(|_| c != end);
            continue;
        }
        match c {
            '[' => closes = Some(']'),
            '{' => closes = Some('}'),
            '/' | ',' | '"' | '<' | ' ' if !matches!(characters.peek(), Some('?' | '*' | '{')) => return Some(c),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{fake, validate};

    const GOOD: [(&str, &str); 6] = [
        ("name", "s3"),
        ("connector.class", "FakeSink"),
        ("flush.size", "1"),
        ("s3.bucket.name", "b"),
        ("key.converter", "String"),
        ("value.converter", "Json"),
    ];

    fn warned(pairs: &[(&str, &str)]) -> String {
        let config: Config = GOOD.iter().chain(pairs).copied().collect();
        let validation = validate(&fake::plugins(), &Config::default(), &config);
        assert!(validation.problems.is_empty(), "{}", validation.problems);
        validation.warnings.to_string()
    }

    #[test]
    fn failures_that_nobody_hears_of_and_a_queue_that_gets_one_record_are_doubtful() {
        let (topics, all, queue) = (("topics", "a"), ("errors.tolerance", "all"), ("errors.deadletterqueue.topic.name", "dlq"));
        assert_eq!(warned(&[topics, all]), SILENT);
        assert_eq!(warned(&[topics, queue]), ONE_RECORD);
        let (logged, named) = (("errors.log.enable", "true"), ("errors.log.include.messages", "true"));
        assert_eq!(warned(&[topics, all, logged]), NAMELESS);
        for pairs in [[topics, all, queue].as_slice(), &[topics, all, logged, named], &[topics, all, queue, logged], &[topics]] {
            assert_eq!(warned(pairs), "", "{pairs:?}");
        }
    }

    #[test]
    fn a_pattern_that_no_topic_can_match_is_doubtful() {
        for pattern in ["/orders.*/", "orders, returns", "\"orders", "<orders", "orders .*", "orders/+"] {
            assert!(never_in_a_name(pattern).is_some(), "{pattern}");
        }
        for pattern in ["orders.*", "orders[ ,/]?x", "a{2,3}", "orders|a b", "(?x) a", "a,?b", "a/*", r"\Qa b\E", "^shop-[0-9]+$"] {
            assert_eq!(never_in_a_name(pattern), None, "{pattern}");
        }
        assert!(warned(&[("topics.regex", "a,b")]).starts_with("topics.regex matches no topic: it asks for `,`"));
    }
}
