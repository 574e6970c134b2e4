//! Under which name a topic's schema is registered.

use connect_api::{ConverterType, Error, Result};

/// The strategies' common package.
const PACKAGE: &str = "io.confluent.kafka.serializers.subject.";

/// How a subject is named (`key.subject.name.strategy`, `value.subject.name.strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SubjectNameStrategy {
    /// `<topic>-value`
    #[default]
    Topic,
    /// The full name of the record.
    Record,
    /// `<topic>-<record>`
    TopicRecord,
}

impl SubjectNameStrategy {
    /// By its class, with or without the package.
    ///
    /// # Errors
    /// What is allowed, as it follows the key's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix(PACKAGE).unwrap_or(text) {
            "TopicNameStrategy" => Ok(Self::Topic),
            "RecordNameStrategy" => Ok(Self::Record),
            "TopicRecordNameStrategy" => Ok(Self::TopicRecord),
            _ => Err(format!(
                "must be one of {PACKAGE}TopicNameStrategy, {PACKAGE}RecordNameStrategy, {PACKAGE}TopicRecordNameStrategy"
            )),
        }
    }

    /// The subject; `None` where the schema must be known first.
    pub(super) fn before_schema(self, topic: &str, side: ConverterType) -> Option<String> {
        (self == Self::Topic).then(|| format!("{topic}-{}", if side == ConverterType::Key { "key" } else { "value" }))
    }

    /// The subject of a schema whose record has this name.
    ///
    /// # Errors
    /// `Data` where a record is needed, and the schema is none.
    pub(super) fn of(self, topic: &str, side: ConverterType, record: Option<&str>) -> Result<String> {
        match (self.before_schema(topic, side), record) {
            (Some(subject), _) => Ok(subject),
            (None, Some(record)) if self == Self::TopicRecord => Ok(format!("{topic}-{record}")),
            (None, Some(record)) => Ok(record.to_owned()),
            (None, None) => Err(Error::data(
                "In configuration the record subject name strategy is set, but the message's schema is no record: its subject has no name",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_named_by_topic_record_or_both() {
        for (strategy, expected) in [
            ("TopicNameStrategy", "t-value"),
            ("RecordNameStrategy", "com.example.Pin"),
            ("TopicRecordNameStrategy", "t-com.example.Pin"),
        ] {
            for name in [strategy.to_owned(), format!("{PACKAGE}{strategy}")] {
                let strategy = SubjectNameStrategy::parse(&name).unwrap();
                assert_eq!(strategy.of("t", ConverterType::Value, Some("com.example.Pin")).unwrap(), expected);
            }
        }
        assert_eq!(SubjectNameStrategy::Topic.of("t", ConverterType::Key, None).unwrap(), "t-key");
        assert!(SubjectNameStrategy::Record.of("t", ConverterType::Key, None).is_err());
        assert!(SubjectNameStrategy::parse("com.example.Mine").unwrap_err().starts_with("must be one of "));
    }
}
