//! Records of certain topics.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use connect_api::{
    Error, JavaRegex, Plugin, Predicate, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
};

static PATTERN: ConfigKey<String> = ConfigKey::required("pattern", "Java regular expression that must match the whole topic.")
    .check(|pattern| {
        JavaRegex::new(pattern).map(drop).map_err(|reason| format!("entry must be a Java-compatible regular expression: {reason}"))
    });

/// Holds of records whose topic matches. A transform before may have changed it.
pub(crate) struct TopicNameMatches {
    pattern: JavaRegex,
    /// What was said of the last topic, which records of a batch share.
    last: ArcSwapOption<(Arc<str>, bool)>,
}

impl Plugin for TopicNameMatches {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
    const DOCUMENTATION: &'static str = "Holds of records whose whole topic matches a regular expression.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TopicNameMatches", &[&PATTERN])
    }

    fn configure(config: &Config) -> Result<Self> {
        let pattern = JavaRegex::new(&config.get(&PATTERN)?).map_err(Error::config)?;
        Ok(Self { pattern, last: ArcSwapOption::empty() })
    }
}

impl Predicate for TopicNameMatches {
    fn test(&self, record: &SinkRecord) -> Result<bool> {
        match &*self.last.load() {
            Some(last) if Arc::ptr_eq(&last.0, &record.topic) => Ok(last.1),
            _ => {
                let topic = &record.topic;
                let matches = self.pattern.matches(topic).map_err(|reason| {
                    let pattern = self.pattern.as_str();
                    Error::data(format!("the pattern {pattern} cannot be decided for the topic {topic}: {reason}"))
                })?;
                self.last.store(Some(Arc::new((Arc::clone(&record.topic), matches))));
                Ok(matches)
            }
        }
    }
}
