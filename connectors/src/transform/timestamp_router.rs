//! Topics by the time of records.

use connect_api::{
    Error, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
};

use super::topic_format::TopicFormat;
use crate::simple_date_format::SimpleDateFormat;

pub(super) static TOPIC_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "topic.format",
    "${topic}-${timestamp}",
    "The new topic: `${topic}` is the old one, `${timestamp}` the time.",
);
static TIMESTAMP_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "timestamp.format",
    "yyyyMMdd",
    "How the time is written: a pattern of Java's SimpleDateFormat, in UTC. `YYYY` is the year of a week, `yyyy` the year.",
)
.check(|pattern| SimpleDateFormat::new(pattern).map(drop));

/// Gives records another topic, with their time in it.
pub(crate) struct TimestampRouter {
    topic_format: TopicFormat,
}

impl Plugin for TimestampRouter {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.TimestampRouter";
    const DOCUMENTATION: &'static str = "Replaces the topic by one that has the record's time in it.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TimestampRouter", &[&TOPIC_FORMAT, &TIMESTAMP_FORMAT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let timestamp_format = SimpleDateFormat::new(&config.get(&TIMESTAMP_FORMAT)?).map_err(Error::config)?;
        Ok(Self { topic_format: TopicFormat::new(config.get(&TOPIC_FORMAT)?, timestamp_format) })
    }
}

impl Transformation for TimestampRouter {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        let Some(millis) = record.timestamp else {
            let partition = record.origin().topic_partition();
            return Err(Error::data(format!("Timestamp missing on record: offset {} of {partition}", record.offset())));
        };
        record.topic = self.topic_format.topic(&record.topic, millis);
        Ok(Some(record))
    }
}
