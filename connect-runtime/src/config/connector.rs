//! What a sink connector is told.

use std::{collections::HashSet, sync::Arc, time::Duration};

use connect_api::config::{AnyConfigKey, Config, Problem, Problems};

use super::{
    TopicRegex, connector_keys as keys,
    worker::{duration, value},
};

/// A sink connector's configuration as it is meant, without its plugin's own keys. Made of a [`Config`] and in no other way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectorConfig {
    /// Its name.
    pub name: Arc<str>,
    /// The class or alias of its plugin.
    pub connector_class: String,
    /// Tasks in this process.
    pub tasks_max: usize,
    /// What it reads.
    pub topics: Topics,
    /// What happens to records that fail.
    pub errors: ErrorsConfig,
    /// The keys as they were typed.
    pub raw: Config,
}

/// Which topics a connector reads.
#[derive(Clone, Debug)]
pub enum Topics {
    /// These.
    List(Vec<String>),
    /// All with such a name.
    Regex(TopicRegex),
}

impl Topics {
    /// Whether the connector reads this topic.
    pub fn contains(&self, topic: &str) -> bool {
        match self {
            Self::List(topics) => topics.iter().any(|listed| listed == topic),
            Self::Regex(regex) => regex.is_match(topic),
        }
    }
}

/// What happens to records that can never be converted, transformed or written.
#[derive(Clone, Debug)]
pub struct ErrorsConfig {
    /// Whether they are skipped.
    pub tolerance: Tolerance,
    /// How long a retriable failure is tried again; `None` for ever.
    pub retry_timeout: Option<Duration>,
    /// Longest pause between two tries.
    pub retry_delay_max: Duration,
    /// Whether each is logged.
    pub log_enable: bool,
    /// Whether the log line says where the record came from.
    pub log_include_messages: bool,
    /// Where they are copied to.
    pub dead_letter_queue: Option<DeadLetterQueueConfig>,
}

/// `errors.tolerance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// The first failure ends the task.
    None,
    /// Failed records are skipped.
    All,
}

/// `errors.deadletterqueue.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterQueueConfig {
    /// The topic.
    pub topic: String,
    /// Its replicas where it has to be created.
    pub replication_factor: i16,
    /// Whether copies say where they came from and what failed.
    pub context_headers: bool,
}

impl TryFrom<&Config> for ConnectorConfig {
    type Error = Problems;

    fn try_from(config: &Config) -> Result<Self, Problems> {
        let mut problems = keys::definition().validate(config);
        problems.append(topic_problems(config));
        problems.into_result()?;
        Ok(Self {
            name: value(config, &keys::NAME)?.into(),
            connector_class: value(config, &keys::CONNECTOR_CLASS)?,
            tasks_max: value(config, &keys::TASKS_MAX)?.try_into().unwrap_or(1),
            topics: topics(config)?,
            errors: errors(config)?,
            raw: config.clone(),
        })
    }
}

fn topics(config: &Config) -> Result<Topics, Problems> {
    let regex = value(config, &keys::TOPICS_REGEX)?;
    if regex.is_empty() {
        return Ok(Topics::List(listed_topics(config)));
    }
    TopicRegex::new(&regex).map(Topics::Regex).map_err(|reason| {
        let mut problems = Problems::default();
        problems.push(Problem::of_key("topics.regex", reason));
        problems
    })
}

fn errors(config: &Config) -> Result<ErrorsConfig, Problems> {
    let topic = value(config, &keys::DLQ_TOPIC_NAME)?;
    let dead_letter_queue = DeadLetterQueueConfig {
        topic,
        replication_factor: value(config, &keys::DLQ_REPLICATION_FACTOR)?,
        context_headers: value(config, &keys::DLQ_CONTEXT_HEADERS)?,
    };
    let all = value(config, &keys::ERRORS_TOLERANCE)?.eq_ignore_ascii_case("all");
    let retry_timeout = value(config, &keys::ERRORS_RETRY_TIMEOUT)?;
    Ok(ErrorsConfig {
        tolerance: if all { Tolerance::All } else { Tolerance::None },
        retry_timeout: (retry_timeout >= 0).then(|| duration(retry_timeout)),
        retry_delay_max: duration(value(config, &keys::ERRORS_RETRY_DELAY_MAX_MS)?),
        log_enable: value(config, &keys::ERRORS_LOG_ENABLE)?,
        log_include_messages: value(config, &keys::ERRORS_LOG_INCLUDE_MESSAGES)?,
        dead_letter_queue: (!dead_letter_queue.topic.is_empty()).then_some(dead_letter_queue),
    })
}

/// Trimmed, without empty items and repetitions.
fn listed_topics(config: &Config) -> Vec<String> {
    let mut topics = config.get(&keys::TOPICS).map(|list| list.0).unwrap_or_default();
    let mut seen = HashSet::new();
    topics.retain(|topic| !topic.is_empty() && seen.insert(topic.clone()));
    topics
}

/// What is wrong with the keys that say what is read, taken together (Kafka's `SinkConnectorConfig.validate`).
pub(super) fn topic_problems(config: &Config) -> Problems {
    let mut problems = Problems::default();
    let mut add = |key: &str, message: String| {
        let origin = config.entry(key).and_then(|entry| entry.origin.clone());
        problems.push(Problem::of_key(key, message).at(origin));
    };
    let text = |key| config.text(key).unwrap_or_default().trim();
    let (listed, regex, dlq) = (listed_topics(config), text("topics.regex"), text("errors.deadletterqueue.topic.name"));
    match (!listed.is_empty(), !regex.is_empty()) {
        (true, true) => ["topics", "topics.regex"].into_iter().for_each(|key| add(key, BOTH.to_owned())),
        // Where one of them is written, at its line.
        (false, false) => {
            add(["topics.regex"].into_iter().find(|key| config.entry(key).is_some()).unwrap_or("topics"), NEITHER.to_owned())
        }
        _ => {}
    };
    for topic in &listed {
        if let Some(reason) = not_a_topic(topic) {
            let several = if topic.contains(char::is_whitespace) { "; topics have commas between them" } else { "" };
            add("topics", format!("topics: {reason}{several}"));
        }
    }
    if let Some(reason) = not_a_topic(dlq).filter(|_| !dlq.is_empty()) {
        add("errors.deadletterqueue.topic.name", format!("errors.deadletterqueue.topic.name: {reason}"));
    }
    if dlq.is_empty() {
        return problems;
    }
    let factor = config.get(&keys::DLQ_REPLICATION_FACTOR).ok();
    if let Some(factor) = factor.filter(|factor| *factor < -1 || *factor == 0) {
        let key = keys::DLQ_REPLICATION_FACTOR.name();
        add(key, format!("{key}={factor}: write how many brokers keep a copy, at least 1, or -1 for as many as the brokers say"));
    }
    if listed.iter().any(|topic| topic == dlq) {
        let listed = listed.join(", ");
        let message = format!(
            "The DLQ topic '{dlq}' may not be included in the list of topics ('topics=[{listed}]') consumed by the connector"
        );
        add("topics", message);
    }
    if !regex.is_empty() && TopicRegex::new(regex).is_ok_and(|compiled| compiled.is_match(dlq)) {
        let message = format!(
            "The DLQ topic '{dlq}' may not be matched by the regex for the topics ('topics.regex={regex}') consumed by the connector"
        );
        add("topics.regex", message);
    }
    problems
}

const BOTH: &str = "topics and topics.regex are mutually exclusive options, but both are set. Remove one of them.";
const NEITHER: &str = "Must configure one of topics or topics.regex: topics=a,b or topics.regex=a.*";

/// Why no topic can have this name (Kafka's `Topic.validate`).
fn not_a_topic(name: &str) -> Option<String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.chars().all(is_legal) && !matches!(name, "." | "..") && name.len() <= 249 {
        return None;
    }
    let is_regex = name.contains(['*', '+', '?', '[', ']', '(', ')', '|', '^', '\\']);
    let instead = if is_regex { "; a regular expression goes into topics.regex" } else { "" };
    Some(format!("no topic can be called `{name}`: a name has 1 to 249 of a-z, A-Z, 0-9, `.`, `_` and `-`{instead}"))
}

/// The first name that is there twice.
pub(super) fn repeated(names: &[String]) -> Option<&String> {
    let mut seen = HashSet::new();
    names.iter().find(|name| !seen.insert(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(pairs: &[(&str, &str)]) -> Result<ConnectorConfig, Problems> {
        let mut config: Config = [("name", "s3"), ("connector.class", "S3Sink"), ("topics", "a")].into_iter().collect();
        for (key, value) in pairs {
            config.insert(*key, *value, None);
        }
        ConnectorConfig::try_from(&config)
    }

    fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
        connector(pairs).unwrap_err().iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn defaults_are_those_of_kafka_connect() {
        let connector = connector(&[]).unwrap();
        assert_eq!((&*connector.name, connector.connector_class.as_str(), connector.tasks_max), ("s3", "S3Sink", 1));
        assert!(connector.topics.contains("a") && !connector.topics.contains("b"));
        assert_eq!(connector.errors.tolerance, Tolerance::None);
        assert_eq!(connector.errors.retry_timeout, Some(Duration::ZERO));
        assert_eq!(connector.errors.retry_delay_max, Duration::from_secs(60));
        assert_eq!(connector.errors.dead_letter_queue, None);
    }

    #[test]
    fn topics_are_trimmed_and_named_once() {
        let connector = connector(&[("topics", " a, ,b,a ")]).unwrap();
        assert!(matches!(connector.topics, Topics::List(topics) if topics == ["a", "b"]));
    }

    #[test]
    fn topics_and_topics_regex_exclude_each_other_and_one_is_needed() {
        assert_eq!(problems(&[("topics.regex", "a.*")]), [BOTH, BOTH]);
        assert_eq!(problems(&[("topics", " ")]), [NEITHER]);
        assert!(connector(&[("topics", ""), ("topics.regex", "a.*")]).is_ok());
    }

    #[test]
    fn what_no_topic_can_be_called_is_refused_with_what_was_probably_meant() {
        let said = |topics: &str| problems(&[("topics", topics)]).join("\n");
        assert!(
            said("orders.*").starts_with("topics: no topic can be called `orders.*`: a name has 1 to 249"),
            "{}",
            said("orders.*")
        );
        assert!(said("orders.*").ends_with("a regular expression goes into topics.regex"));
        assert!(said("orders returns").ends_with("topics have commas between them"));
        for topics in ["a,..", ".", "a b", "ä", "${TOPIC}", "a;b", &"a".repeat(250)] {
            assert_eq!(problems(&[("topics", topics)]).len(), 1, "{topics}");
        }
        assert!(connector(&[("topics", &format!("A.b_c-9, {}", "a".repeat(249)))]).is_ok());
        let dlq = problems(&[("errors.deadletterqueue.topic.name", "my dlq")]);
        assert!(dlq[0].starts_with("errors.deadletterqueue.topic.name: no topic can be called `my dlq`"), "{dlq:?}");
    }

    #[test]
    fn the_dead_letter_queue_is_not_read_by_its_own_connector() {
        let listed = problems(&[("errors.deadletterqueue.topic.name", "a")]);
        assert_eq!(
            listed,
            ["The DLQ topic 'a' may not be included in the list of topics ('topics=[a]') consumed by the connector"]
        );
        let matched = problems(&[("topics", ""), ("topics.regex", "a.*"), ("errors.deadletterqueue.topic.name", "a.dlq")]);
        assert!(matched[0].starts_with("The DLQ topic 'a.dlq' may not be matched by the regex"), "{matched:?}");
    }

    #[test]
    fn a_dead_letter_queue_has_replicas_or_as_many_as_the_brokers_say() {
        let with = |factor: &'static str| {
            [("errors.deadletterqueue.topic.name", "dlq"), ("errors.deadletterqueue.topic.replication.factor", factor)]
        };
        for factor in ["0", "-2"] {
            let said = problems(&with(factor));
            assert!(said[0].contains(&format!("replication.factor={factor}: write how many")), "{said:?}");
            assert!(connector(&with(factor)[1..]).is_ok(), "there is no queue");
        }
        assert!(connector(&with("-1")).is_ok() && connector(&with("1")).is_ok());
    }

    // D5 and R10 of the specification.
    #[test]
    fn replicas_and_times_of_retries_are_those_that_are_written() {
        let errors = |more: &[(&'static str, &'static str)]| {
            let queue = [("errors.deadletterqueue.topic.name", "dlq")];
            connector(&[&queue[..], more].concat()).unwrap().errors
        };
        assert_eq!(errors(&[]).dead_letter_queue.unwrap().replication_factor, 3);
        let seven = errors(&[("errors.deadletterqueue.topic.replication.factor", "7")]);
        assert_eq!(seven.dead_letter_queue.unwrap().replication_factor, 7);
        let times = [("errors.retry.timeout", "100"), ("errors.retry.delay.max.ms", "100"), ("errors.tolerance", "none")];
        let written = errors(&times);
        let tenth = Duration::from_millis(100);
        assert_eq!((written.retry_timeout, written.retry_delay_max, written.tolerance), (Some(tenth), tenth, Tolerance::None));
    }

    #[test]
    fn twenty_thousand_topics_are_read_at_once() {
        let topics = (0..20_000).map(|number| format!("orders-{number}")).collect::<Vec<_>>().join(",");
        assert!(matches!(connector(&[("topics", &topics)]).unwrap().topics, Topics::List(topics) if topics.len() == 20_000));
    }

    #[test]
    fn a_name_is_not_empty_and_holds_no_control_characters() {
        assert_eq!(problems(&[("name", " ")]), ["Invalid value  for configuration name: String may not be empty"]);
        assert!(problems(&[("name", "a\nb")])[0].ends_with("the following ASCII chars: 10"));
    }

    #[test]
    fn errors_for_ever_and_a_dead_letter_queue_are_understood() {
        let connector = connector(&[
            ("errors.retry.timeout", "-1"),
            ("errors.tolerance", "ALL"),
            ("errors.deadletterqueue.topic.name", "dlq"),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
        ]);
        let errors = connector.unwrap().errors;
        assert_eq!((errors.tolerance, errors.retry_timeout), (Tolerance::All, None));
        let queue = DeadLetterQueueConfig { topic: "dlq".to_owned(), replication_factor: 1, context_headers: false };
        assert_eq!(errors.dead_letter_queue, Some(queue));
    }

    #[test]
    fn every_problem_is_reported() {
        let problems = problems(&[("tasks.max", "0"), ("errors.tolerance", "some"), ("transforms", "a,a"), ("topics", "")]);
        assert_eq!(problems.len(), 4, "{problems:?}");
    }
}
