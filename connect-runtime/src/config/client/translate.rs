//! Java's keys to librdkafka's.

use std::collections::BTreeMap;

use connect_api::config::Problems;

use super::{
    Client, ClientProperties, librdkafka_keys, security,
    settings::{Setting, Settings},
};
use crate::{config::nearest::nearest, consumer::kafka};

/// What came of a client's settings.
pub(in crate::config) struct Translation {
    properties: BTreeMap<String, String>,
    /// What cannot work.
    pub(in crate::config) problems: Problems,
    /// What does nothing or not quite what it says.
    pub(in crate::config) warnings: Problems,
}

impl Translation {
    /// The settings, where nothing is wrong with them.
    pub(super) fn into_properties(self) -> Result<ClientProperties, Problems> {
        self.problems.into_result()?;
        Ok(self.properties.into_iter().collect())
    }

    /// Sets a key of librdkafka.
    pub(super) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.properties.insert(key.to_owned(), value.into());
    }
}

/// Java's keys that have other names.
pub(in crate::config) const RENAMED: &[(&str, &[&str])] = &[
    ("fetch.max.wait.ms", &["fetch.wait.max.ms"]),
    ("metadata.max.age.ms", &["topic.metadata.refresh.interval.ms", "metadata.max.age.ms"]),
    ("request.timeout.ms", &["socket.timeout.ms"]),
    ("receive.buffer.bytes", &["socket.receive.buffer.bytes"]),
    ("send.buffer.bytes", &["socket.send.buffer.bytes"]),
    ("max.request.size", &["message.max.bytes"]),
];

const COMMITS: &str = "offsets are committed once their records are durable, and in no other way";
const METRICS: &str = "metrics are served for Prometheus";

/// Keys that have no counterpart, with the reason.
pub(in crate::config) const NO_EFFECT: &[(&str, &str)] = &[
    ("enable.auto.commit", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", "offsets are committed every offset.flush.interval.ms"),
    ("interceptor.classes", "it names classes of the JVM"),
    ("metric.reporters", "it names classes of the JVM"),
    ("metrics.sample.window.ms", METRICS),
    ("metrics.num.samples", METRICS),
    ("metrics.recording.level", METRICS),
    ("auto.include.jmx.reporter", METRICS),
    ("buffer.memory", "the dead letter queue waits for each batch"),
    ("socket.connection.setup.timeout.max.ms", "librdkafka gives every attempt to connect socket.connection.setup.timeout.ms"),
];

/// Keys whose part here is done by other means: batches are bounded by memory, bytes need no serialiser.
pub(in crate::config) const IGNORED: &[&str] = &[
    "key.deserializer",
    "value.deserializer",
    "key.serializer",
    "value.serializer",
    "partitioner.class",
    "max.poll.records",
    "default.api.timeout.ms",
    "max.block.ms",
    "exclude.internal.topics",
];

fn find<T: Copy>(table: &[(&str, T)], key: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == key).map(|(_, found)| *found)
}

/// Translates what the layers came to.
pub(super) fn translate(client: Client, mut settings: Settings) -> Translation {
    let (properties, problems, warnings) = Default::default();
    let mut translation = Translation { properties, problems, warnings };
    security::translate(&mut settings, &mut translation);
    if settings.text("group.protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("consumer")) {
        // Brokers assign under KIP-848; librdkafka refuses a client-side strategy beside it.
        settings.take("partition.assignment.strategy");
    }
    let intervals = [MAX_POLL_INTERVAL, SESSION_TIMEOUT].map(|key| settings.get(key).cloned());
    for (key, setting) in settings.into_iter() {
        if IGNORED.contains(&key.as_str()) {
            continue;
        }
        match find(NO_EFFECT, &key) {
            Some(_) if setting.inherited => continue,
            Some(reason) => {
                translation
                    .warnings
                    .push(setting.remark(&key, |written_as| format!("{written_as} changes nothing here: {reason}")));
                continue;
            }
            None => {}
        }
        let names = find(RENAMED, &key).unwrap_or_default();
        names.iter().for_each(|name| known(client, &key, name, &setting, &mut translation));
        if names.is_empty() {
            known(client, &key, &key, &setting, &mut translation);
        }
    }
    if client == Client::Consumer {
        poll_interval(&intervals, &mut translation);
        translation.set("enable.auto.commit", "false");
        translation.set("enable.auto.offset.store", "false");
    }
    translation
}

const MAX_POLL_INTERVAL: &str = "max.poll.interval.ms";

const SESSION_TIMEOUT: &str = "session.timeout.ms";

/// Between two polls librdkafka allows no less time than a session has; Java does.
fn poll_interval(written: &[Option<Setting>; 2], translation: &mut Translation) {
    let number = |key, default| translation.properties.get(key).and_then(|text| text.parse::<i64>().ok()).unwrap_or(default);
    // The defaults are librdkafka's and Java's.
    let (interval, session) = (number(MAX_POLL_INTERVAL, 300_000), number(SESSION_TIMEOUT, 45_000));
    // Of no interest under KIP-848, where brokers set the time of a session.
    let by_broker = translation.properties.get("group.protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("consumer"));
    if by_broker || interval >= session {
        return;
    }
    for (key, setting) in [MAX_POLL_INTERVAL, SESSION_TIMEOUT].into_iter().zip(written) {
        if let Some(setting) = setting {
            let raised = |written_as: &str| {
                format!("{written_as}: {MAX_POLL_INTERVAL} is raised to {session}, {SESSION_TIMEOUT}: librdkafka takes no less")
            };
            translation.warnings.push(setting.remark(key, raised));
            break;
        }
    }
    translation.set(MAX_POLL_INTERVAL, session.to_string());
}

/// Sets a key of librdkafka, if it is one and the value can be one.
fn known(client: Client, java: &str, name: &str, setting: &Setting, translation: &mut Translation) {
    let Some(key) = librdkafka_keys::find(name) else {
        if !setting.inherited {
            let near = nearest(java, librdkafka_keys::KEYS.iter().map(|key| key.name));
            let problem = setting.remark(java, |written_as| format!("unknown client setting {written_as}, it changes nothing"));
            translation.warnings.push(match near {
                Some(near) => problem.suggest(near),
                None => problem,
            });
        }
        return;
    };
    if !key.is_for(client) {
        if !setting.inherited {
            let warning = setting.remark(java, |written_as| format!("{written_as} means nothing to {}", client.plural()));
            translation.warnings.push(warning);
        }
        return;
    }
    match value(name, key.range, setting.text()) {
        Ok(Value::AsWritten(value)) => match kafka::refused_value(name, &value) {
            None => translation.set(name, value),
            Some(reason) => translation.problems.push(setting.refuse(java, reason)),
        },
        Ok(Value::Limited(value)) => {
            let limit = |written_as: &str| format!("{written_as} is limited to {value} by librdkafka");
            translation.warnings.push(setting.remark(java, limit));
            translation.set(name, value.to_string());
        }
        Err(reason) => translation.problems.push(setting.refuse(java, reason)),
    }
}

enum Value {
    AsWritten(String),
    Limited(i64),
}

fn value(name: &str, range: Option<(i64, i64)>, text: &str) -> Result<Value, String> {
    let as_written = match name {
        "auto.offset.reset" => match text.to_ascii_lowercase().as_str() {
            reset @ ("earliest" | "latest") => reset.to_owned(),
            "none" | "error" => "error".to_owned(),
            _ => return Err("must be one of earliest, latest, none".to_owned()),
        },
        "isolation.level" => match text.to_ascii_lowercase().as_str() {
            level @ ("read_uncommitted" | "read_committed") => level.to_owned(),
            _ => return Err("must be one of read_uncommitted, read_committed".to_owned()),
        },
        "partition.assignment.strategy" => assignors(text)?,
        "bootstrap.servers" => super::servers(text).join(","),
        _ => text.to_owned(),
    };
    let Some((least, most)) = range else { return Ok(Value::AsWritten(as_written)) };
    let number: i64 = text.parse().map_err(|_not_a_number| "Not a number of type LONG".to_owned())?;
    // Java's -1 leaves buffers to the system and connections open for ever, which is 0 in librdkafka.
    let number = match name {
        "socket.receive.buffer.bytes" | "socket.send.buffer.bytes" | "connections.max.idle.ms" => number.max(0),
        _ => number,
    };
    match number {
        // At once means all the time to Java, and never to librdkafka.
        0 if matches!(name, "metadata.max.age.ms" | "topic.metadata.refresh.interval.ms") => Ok(Value::Limited(1_000)),
        _ if number < least.min(0) => Err(format!("Value must be at least {least}")),
        _ if number < least => Ok(Value::Limited(least)),
        // Java's "for ever" (2147483647) is beyond what librdkafka takes for many keys.
        _ if number > most => Ok(Value::Limited(most)),
        _ => Ok(Value::AsWritten(number.to_string())),
    }
}

/// Java's assignors in librdkafka's names. Java's default list (range, then cooperative-sticky) behaves as range until an operator removes
/// the first, and librdkafka refuses to mix the two protocols: of a mixed list the eager ones are used.
fn assignors(text: &str) -> Result<String, String> {
    let mut names = Vec::new();
    for class in text.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        let name = match class.rsplit('.').next().unwrap_or(class) {
            "RangeAssignor" | "range" => "range",
            "RoundRobinAssignor" | "roundrobin" => "roundrobin",
            "CooperativeStickyAssignor" | "cooperative-sticky" => "cooperative-sticky",
            "StickyAssignor" | "sticky" => {
                return Err("StickyAssignor has no counterpart here: use CooperativeStickyAssignor".to_owned());
            }
            _ => {
                return Err(format!(
                    "{class} is not known here: use RangeAssignor, RoundRobinAssignor or CooperativeStickyAssignor"
                ));
            }
        };
        names.push(name);
    }
    if names.iter().any(|name| *name != "cooperative-sticky") {
        names.retain(|name| *name != "cooperative-sticky");
    }
    match names.is_empty() {
        true => Err("name at least one assignor".to_owned()),
        false => Ok(names.join(",")),
    }
}
