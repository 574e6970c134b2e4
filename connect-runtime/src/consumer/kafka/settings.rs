//! What a consumer needs to be made.

use std::{fmt, sync::Arc, time::Duration};

use connect_api::{Budget, Error};
use rdkafka::{config::RDKafkaLogLevel, error::KafkaError};

use super::{offsets::Reset, topic_ids};
use crate::{consumer::Subscription, rest::TaskHealth};

/// Bytes that one consumer may fetch ahead: a small batch at least.
pub(super) const PREFETCH: std::ops::RangeInclusive<usize> = 128 << 10..=2 << 20;

/// What librdkafka takes for the largest message where nothing is set.
const MESSAGE_MAX_BYTES: usize = 1_000_000;

/// Parts of the names of settings whose values nobody may see.
const SECRETS: [&str; 5] = ["password", "secret", "pem", "oauthbearer.config", "token"];

/// How a consumer is made.
pub(crate) struct KafkaSettings {
    /// The connector's name.
    pub(crate) connector: Arc<str>,
    /// The task's number.
    pub(crate) task: usize,
    /// Settings in librdkafka's spelling. They win over everything that is derived.
    pub(crate) properties: Vec<(String, String)>,
    /// What to read.
    pub(crate) subscription: Subscription,
    /// Where batches are counted.
    pub(crate) budget: Budget,
    /// Bytes to fetch ahead.
    pub(crate) prefetch: usize,
    /// Where the thread shows that it turns.
    pub(crate) health: TaskHealth,
}

// By hand: values may be passwords.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.properties.iter().map(|(key, _)| key).collect();
        let Self { connector, task, subscription, prefetch, .. } = self;
        f.debug_struct("KafkaSettings")
            .field("connector", connector)
            .field("task", task)
            .field("properties", &keys)
            .field("subscription", subscription)
            .field("prefetch", prefetch)
            .finish_non_exhaustive()
    }
}

/// What librdkafka says about settings that it refuses, but never a secret.
pub(crate) fn refused(error: &KafkaError) -> Error {
    let reason = match error {
        KafkaError::ClientConfig(_, _, key, _) if SECRETS.iter().any(|part| key.contains(part)) => format!("`{key}`"),
        KafkaError::ClientConfig(_, reason, key, _) => format!("`{key}`: {reason}"),
        error => error.to_string(),
    };
    Error::config(format!("the Kafka client refuses its settings: {reason}"))
}

/// Why librdkafka takes no such value for a key of its own, as far as it can say so before a client is made; but never a secret.
pub(crate) fn refused_value(key: &str, value: &str) -> Option<String> {
    match rdkafka::ClientConfig::new().set(key, value).create_native_config() {
        Err(KafkaError::ClientConfig(_, reason, key, _)) if !SECRETS.iter().any(|part| key.contains(part)) => Some(reason),
        Err(_) => Some("librdkafka does not take it".to_owned()),
        Ok(_) => None,
    }
}

/// Bytes that a consumer may fetch ahead: of the quarter that the budget keeps for this, a part for each task of the process, where the
/// limits allow it.
pub(crate) fn prefetch_for(budget: &Budget) -> usize {
    (budget.limit() / 4 / budget.tasks()).clamp(*PREFETCH.start(), *PREFETCH.end())
}

impl KafkaSettings {
    /// The name of the consumer's thread.
    pub(super) fn thread_name(&self) -> String {
        format!("consumer-{}-{}", self.connector, self.task)
    }

    /// All settings of its client.
    pub(super) fn client_config(&self) -> rdkafka::ClientConfig {
        consumer_config(&self.properties, self.prefetch)
    }

    /// How often topics are looked for.
    pub(super) fn metadata_max_age(&self) -> Duration {
        metadata_max_age(&self.properties)
    }

    /// How long a callback of librdkafka may block: well below what makes the group give us up.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(number(&self.properties, "max.poll.interval.ms").unwrap_or(300_000)) * 4 / 5
    }

    /// Where partitions without a committed offset begin.
    pub(super) fn reset(&self) -> Reset {
        Reset::parse(property(&self.properties, "auto.offset.reset").unwrap_or("earliest"))
    }
}

/// All settings of a consumer: what is derived, then what was set, then what must be so.
pub(super) fn consumer_config(properties: &[(String, String)], prefetch: usize) -> rdkafka::ClientConfig {
    let mut config = rdkafka::ClientConfig::new();
    let set = |key| number(properties, key).and_then(|bytes| usize::try_from(bytes).ok());
    // librdkafka takes no larger message than an answer, though it means only messages that are sent.
    let bytes = prefetch.max(set("message.max.bytes").unwrap_or(0));
    // Nor a larger answer than it receives, with what is around it.
    let received = set("receive.message.max.bytes").map_or(usize::MAX, |bytes| bytes.saturating_sub(512));
    let bytes = bytes.min(received).max(*PREFETCH.start());
    let largest = set("fetch.max.bytes").unwrap_or(bytes).clamp(1_000, MESSAGE_MAX_BYTES);
    let (bytes, largest) = (bytes.to_string(), largest.to_string());
    let kilobytes = (prefetch >> 10).to_string();
    let metadata_age = metadata_max_age(properties).as_millis().to_string();
    for (key, value) in [
        // Messages that are fetched ahead live outside the budget's batches: this is their share of it.
        ("queued.max.messages.kbytes", kilobytes.as_str()),
        // The limit in bytes shall decide, not this one: with small records it would stall each fetch.
        ("queued.min.messages", "1000000"),
        // One answer may be as large: it stays in memory until the last of its messages is read.
        ("fetch.max.bytes", bytes.as_str()),
        ("message.max.bytes", largest.as_str()),
        // The default of a second stalls whenever the queue was full for a moment.
        ("fetch.queue.backoff.ms", "5"),
        ("topic.metadata.refresh.interval.ms", metadata_age.as_str()),
        ("statistics.interval.ms", "5000"),
    ] {
        config.set(key, value);
    }
    for (key, value) in properties {
        config.set(key, value);
    }
    let debug = property(properties, "debug").map_or(topic_ids::DEBUG.to_owned(), |debug| format!("{debug},{}", topic_ids::DEBUG));
    for (key, value) in [
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("enable.partition.eof", "false"),
        // Where to go on is decided here (`trouble.rs`), where it can be counted and told.
        ("auto.offset.reset", "error"),
        // One of its lines tells that a topic was made again (`topic_ids.rs`).
        ("debug", debug.as_str()),
    ] {
        config.set(key, value);
    }
    config.set_log_level(RDKafkaLogLevel::Debug);
    config
}

fn metadata_max_age(properties: &[(String, String)]) -> Duration {
    Duration::from_millis(number(properties, "metadata.max.age.ms").unwrap_or(300_000))
}

fn number(properties: &[(String, String)], key: &str) -> Option<u64> {
    property(properties, key)?.parse().ok()
}

fn property<'a>(properties: &'a [(String, String)], key: &str) -> Option<&'a str> {
    properties.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)]) -> KafkaSettings {
        let properties = properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        KafkaSettings {
            connector: "c".into(),
            task: 0,
            properties,
            subscription: Subscription::Topics(vec![]),
            budget: Budget::new(64 << 20),
            prefetch: prefetch_for(&Budget::new(64 << 20)),
            health: crate::rest::Health::new(connect_api::Metrics::default()).task(&"c".into(), 0),
        }
    }

    #[test]
    fn prefetch_is_what_all_tasks_leave_of_a_quarter_of_the_budget() {
        assert_eq!(prefetch_for(&Budget::new(16 << 30)), 2 << 20);
        assert_eq!(prefetch_for(&Budget::new(0)), 128 << 10);
        let process = Budget::new(32 << 20);
        let _elsewhere: Vec<_> = (0..7).map(|_| process.task()).collect();
        assert_eq!(prefetch_for(&process.task()), 1 << 20);
    }

    #[test]
    fn librdkafka_takes_any_prefetch_and_either_limit_that_is_set() {
        for prefetch in [128 << 10, 2 << 20] {
            let limits = [("fetch.max.bytes", "500000"), ("message.max.bytes", "5000000"), ("receive.message.max.bytes", "200000")];
            for set in [None].into_iter().chain(limits.map(Some)) {
                let settings = KafkaSettings { prefetch, ..settings(set.as_slice()) };
                let client: Result<rdkafka::consumer::BaseConsumer, _> = settings.client_config().set("group.id", "g").create();
                assert!(client.is_ok(), "{prefetch} {set:?}: {:?}", client.err());
            }
        }
    }

    #[test]
    fn what_was_set_wins_over_what_is_derived_but_never_commits_by_itself() {
        let config = settings(&[("queued.max.messages.kbytes", "77"), ("enable.auto.commit", "true")]).client_config();
        assert_eq!(config.get("queued.max.messages.kbytes"), Some("77"));
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
    }

    #[test]
    fn a_secret_that_is_refused_is_named_and_not_shown() {
        let text = |key: &str, value: &str| {
            let client: Result<rdkafka::consumer::BaseConsumer, _> = settings(&[(key, value)]).client_config().create();
            refused(&client.map(drop).unwrap_err()).to_string()
        };
        assert!(text("isolation.level", "sideways").contains("sideways"));
        let secret = text("no.such.password", "hunter2");
        assert!(secret.contains("`no.such.password`") && !secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn printing_settings_shows_no_values() {
        let text = format!("{:?}", settings(&[("sasl.password", "hunter2")]));
        assert!(text.contains("sasl.password") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn where_to_go_on_is_never_left_to_librdkafka() {
        let settings = settings(&[("auto.offset.reset", "latest"), ("debug", "fetch")]);
        assert_eq!(settings.client_config().get("auto.offset.reset"), Some("error"));
        assert_eq!(settings.reset(), Reset::Latest);
        assert_eq!(settings.client_config().get("debug"), Some("fetch,topic"));
    }

    #[test]
    fn callbacks_give_up_before_the_group_does() {
        assert_eq!(settings(&[("max.poll.interval.ms", "1000")]).patience(), Duration::from_millis(800));
    }
}
