//! Topics by the time of records.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use connect_api::{
    Error, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
};

use crate::simple_date_format::SimpleDateFormat;

static TOPIC_FORMAT: ConfigKey<String> = ConfigKey::with_default(
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
    topic_format: String,
    timestamp_format: SimpleDateFormat,
    /// What the last topic became, and at what time: the next record mostly has both.
    last: ArcSwapOption<Routed>,
}

struct Routed {
    from: Arc<str>,
    time: String,
    to: Arc<str>,
}

impl Plugin for TimestampRouter {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.TimestampRouter";
    const DOCUMENTATION: &'static str = "Replaces the topic by one that has the record's time in it.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TimestampRouter", &[&TOPIC_FORMAT, &TIMESTAMP_FORMAT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let timestamp_format = SimpleDateFormat::new(&config.get(&TIMESTAMP_FORMAT)?).map_err(Error::config)?;
        Ok(Self { topic_format: config.get(&TOPIC_FORMAT)?, timestamp_format, last: ArcSwapOption::empty() })
    }
}

impl Transformation for TimestampRouter {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        let Some(millis) = record.timestamp else {
            let partition = record.origin().topic_partition();
            return Err(Error::data(format!("Timestamp missing on record: offset {} of {partition}", record.offset())));
        };
        let mut time = String::new();
        self.timestamp_format.format(millis, &mut time);
        record.topic = match &*self.last.load() {
            Some(last) if Arc::ptr_eq(&last.from, &record.topic) && last.time == time => Arc::clone(&last.to),
            _ => {
                let to: Arc<str> = self.topic_format.replace("${topic}", &record.topic).replace("${timestamp}", &time).into();
                self.last.store(Some(Arc::new(Routed { from: record.topic, time, to: Arc::clone(&to) })));
                to
            }
        };
        Ok(Some(record))
    }
}
