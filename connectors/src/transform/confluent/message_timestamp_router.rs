//! Topics by a time in the value.

use connect_api::{
    Error, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{JsonObject, Value},
};

use crate::{
    joda::{Separator, Zone, parse_iso},
    simple_date_format::SimpleDateFormat,
    transform::{non_empty, operand::object, timestamp_router::TOPIC_FORMAT, topic_format::TopicFormat},
};

static TOPIC_TIMESTAMP_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "topic.timestamp.format",
    "yyyyMMdd",
    "How the time is written: a pattern of Java's SimpleDateFormat, in UTC.",
)
.check(|pattern| SimpleDateFormat::new(pattern).map(drop));
static MESSAGE_TIMESTAMP_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "message.timestamp.format",
    "",
    "How the time is read of a text: a pattern of Java's SimpleDateFormat, in UTC; empty for ISO 8601, such as 2019-08-06 or 2019-08-06T12:00:00Z. Numbers are \
     milliseconds since 1970.",
)
.check(|pattern| SimpleDateFormat::new(pattern).map(drop));
static MESSAGE_TIMESTAMP_KEYS: ConfigKey<List> =
    ConfigKey::required("message.timestamp.keys", "The fields with the time: the first that the value has counts.")
        .check(non_empty);

const PURPOSE: &str = "timestamp extraction";

/// Gives records another topic, with a time of their value in it. Structs have no such fields, as at Confluent: values are objects without a schema.
pub(crate) struct MessageTimestampRouter {
    topic_format: TopicFormat,
    message_format: MessageFormat,
    keys: Vec<String>,
}

/// How the time is read of a text.
enum MessageFormat {
    Pattern(SimpleDateFormat),
    /// ISO 8601; in this zone where the text names none.
    Iso(Zone),
}

impl Plugin for MessageTimestampRouter {
    const NAME: &'static str = "io.confluent.connect.transforms.MessageTimestampRouter";
    const DOCUMENTATION: &'static str = "Replaces the topic by one that has a time of the value in it.";

    fn config_def() -> ConfigDef {
        ConfigDef::new(
            "MessageTimestampRouter",
            &[&TOPIC_FORMAT, &TOPIC_TIMESTAMP_FORMAT, &MESSAGE_TIMESTAMP_FORMAT, &MESSAGE_TIMESTAMP_KEYS],
        )
        .with_mistaken(&[("timestamp.format", "topic.timestamp.format")])
    }

    fn configure(config: &Config) -> Result<Self> {
        let format = |pattern: &str| SimpleDateFormat::new(pattern).map_err(Error::config);
        let message_format = config.get(&MESSAGE_TIMESTAMP_FORMAT)?;
        Ok(Self {
            topic_format: TopicFormat::new(config.get(&TOPIC_FORMAT)?, format(&config.get(&TOPIC_TIMESTAMP_FORMAT)?)?),
            message_format: match message_format.as_str() {
                "" => MessageFormat::Iso(Zone::utc()),
                pattern => MessageFormat::Pattern(format(pattern)?),
            },
            keys: config.get(&MESSAGE_TIMESTAMP_KEYS)?.0,
        })
    }
}

impl Transformation for MessageTimestampRouter {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        if let Some(schema) = &record.value.schema {
            let message = format!(
                "Only Map objects supported in absence of schema for [{PURPOSE}], found: a value with a schema ({}): use \
                 org.apache.kafka.connect.transforms.TimestampRouter, or a converter without schemas",
                schema.schema_type.name()
            );
            return Err(Error::data(message));
        }
        let object = object(std::mem::take(&mut record.value.value), PURPOSE)?;
        let millis = self.millis(&object);
        record.value.value = Value::Object(object);
        record.topic = self.topic_format.topic(&record.topic, millis?);
        Ok(Some(record))
    }
}

impl MessageTimestampRouter {
    fn millis(&self, object: &JsonObject) -> Result<i64> {
        let found = self.keys.iter().find_map(|key| Some((key, object.get(key).filter(|value| !matches!(value, Value::Null))?)));
        let Some((key, time)) = found else {
            let keys = self.keys.join(", ");
            return Err(Error::data(format!(
                "the value has no time: none of {keys} (`message.timestamp.keys`) is there, or all are null"
            )));
        };
        match (&time, &self.message_format) {
            (Value::String(text), MessageFormat::Pattern(format)) => {
                format.parse(text).ok_or_else(|| format!("{} does not match `message.timestamp.format`", &**text))
            }
            (Value::String(text), MessageFormat::Iso(zone)) => parse_iso(text, zone, Separator::TOrBlank),
            (Value::Int64(millis), _) => Ok(*millis),
            (other, _) => other.epoch_millis().ok_or_else(|| format!("{} is neither a text nor a whole number", other.type_name())),
        }
        .map_err(|reason| Error::data(format!("the field {key} holds no time: {reason}")))
    }
}
