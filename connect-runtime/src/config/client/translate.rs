//! Java's keys to librdkafka's.

use std::collections::BTreeMap;

use connect_api::config::Problems;

use super::{
    Client, ClientProperties, iso_duration, librdkafka_keys, pairs, security,
    settings::{Setting, Settings},
    whole,
};
use crate::{config::nearest::nearest, consumer::kafka};

/// What came of a client's settings.
#[derive(Default)]
pub(in crate::config) struct Translation {
    properties: BTreeMap<String, String>,
    /// Of the same keys, what somebody wrote, with Java's key for it.
    written: BTreeMap<String, (String, Setting)>,
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

    /// The same as far as they go, whatever is wrong with them.
    pub(super) fn properties(&self) -> ClientProperties {
        self.properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The value of a key of librdkafka.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str)
    }

    /// The same as a number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.value(key)?.parse().ok()
    }

    /// What somebody wrote for a key of librdkafka, under this key of Java's.
    pub(super) fn written(&self, key: &str) -> Option<(&str, &Setting)> {
        self.written.get(key).map(|(java, setting)| (java.as_str(), setting))
    }

    /// Adds what is wrong with the settings together. It costs as much as a client: not for each start.
    pub(in crate::config) fn checked_as_a_whole(mut self, client: Client) -> Self {
        whole::check(client, &mut self);
        self
    }

    /// Sets a key of librdkafka to what comes of this setting.
    pub(super) fn set_from(&mut self, key: &str, value: impl Into<String>, (java, setting): (&str, &Setting)) {
        if setting.is_written() {
            self.written.insert(key.to_owned(), (java.to_owned(), setting.clone()));
        }
        self.set(key, value);
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
const IN_MEMORY: &str = "what waits for the dead letter queue has its place in memory.limit";
const METRICS: &str = "metrics are served for Prometheus";

const PARTITIONER: &str = "records of the dead letter queue go to partitions by their keys";
const LEVEL: &str = "librdkafka reads compression.level for every codec";
const TOKENS: &str = "it is for tokens of OAUTHBEARER, which is not supported yet";
const KERBEROS: &str = "it is for Kerberos, which is not supported";

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
    ("buffer.memory", IN_MEMORY),
    ("queue.buffering.max.messages", IN_MEMORY),
    ("queue.buffering.max.kbytes", IN_MEMORY),
    ("transactional.id", "the dead letter queue is written without transactions"),
    ("metadata.max.idle.ms", "librdkafka forgets topics by itself"),
    ("partitioner.ignore.keys", PARTITIONER),
    ("partitioner.adaptive.partitioning.enable", PARTITIONER),
    ("partitioner.availability.timeout.ms", PARTITIONER),
    ("compression.gzip.level", LEVEL),
    ("compression.lz4.level", LEVEL),
    ("compression.zstd.level", LEVEL),
    ("sasl.login.refresh.window.factor", TOKENS),
    ("sasl.login.refresh.window.jitter", TOKENS),
    ("sasl.login.refresh.min.period.seconds", TOKENS),
    ("sasl.login.refresh.buffer.seconds", TOKENS),
    ("sasl.login.connect.timeout.ms", TOKENS),
    ("sasl.login.read.timeout.ms", TOKENS),
    ("sasl.login.retry.backoff.ms", TOKENS),
    ("sasl.login.retry.backoff.max.ms", TOKENS),
    ("sasl.oauthbearer.jwks.endpoint.url", TOKENS),
    ("sasl.oauthbearer.jwks.endpoint.refresh.ms", TOKENS),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", TOKENS),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", TOKENS),
    ("sasl.oauthbearer.clock.skew.seconds", TOKENS),
    ("sasl.oauthbearer.expected.audience", TOKENS),
    ("sasl.oauthbearer.expected.issuer", TOKENS),
    ("sasl.oauthbearer.header.urlencode", TOKENS),
    ("sasl.oauthbearer.scope.claim.name", TOKENS),
    ("sasl.oauthbearer.sub.claim.name", TOKENS),
    ("sasl.kerberos.ticket.renew.window.factor", KERBEROS),
    ("sasl.kerberos.ticket.renew.jitter", KERBEROS),
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
    let mut translation = Translation::default();
    security::translate(&mut settings, &mut translation);
    if settings.text("group.protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("consumer")) {
        // Brokers assign under KIP-848; librdkafka refuses a client-side strategy beside it.
        let strategy = settings.take("partition.assignment.strategy");
        if let Some(strategy) = strategy.filter(Setting::is_written) {
            let message = |key: &str| format!("{key} changes nothing here: brokers assign under group.protocol=consumer");
            translation.warnings.push(strategy.remark("partition.assignment.strategy", message));
        }
    }
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
    pairs::reconcile(client, &mut translation);
    if client == Client::Consumer {
        translation.set("enable.auto.commit", "false");
        translation.set("enable.auto.offset.store", "false");
    }
    translation
}

/// What keys of mechanisms begin with that are not here: there are more of them with every release of Kafka.
const OF_MECHANISMS: [(&str, &str); 3] = [("sasl.login.", TOKENS), ("sasl.oauthbearer.", TOKENS), ("sasl.kerberos.", KERBEROS)];
const MOST_GUESSES: usize = 100;

/// Sets a key of librdkafka, if it is one and the value can be one.
fn known(client: Client, java: &str, name: &str, setting: &Setting, translation: &mut Translation) {
    let Some(key) = librdkafka_keys::find(name) else {
        let of_mechanism = OF_MECHANISMS.iter().find(|(start, _)| java.starts_with(start));
        if let Some((_, reason)) = of_mechanism.filter(|_| !setting.inherited) {
            translation.warnings.push(setting.remark(java, |written_as| format!("{written_as} changes nothing here: {reason}")));
        } else if !setting.inherited {
            // Each guess costs time, and who has so many unknown keys has another kind of file.
            let few = translation.warnings.len() < MOST_GUESSES;
            let near = few.then(|| nearest(java, librdkafka_keys::KEYS.iter().map(|key| key.name))).flatten();
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
        Ok(Value::OurOwn(value)) => translation.set_from(name, value, (java, setting)),
        Ok(Value::AsWritten(value)) => match kafka::refused_value(name, &value) {
            None => translation.set_from(name, value, (java, setting)),
            Some(reason) => translation.problems.push(setting.refuse(java, reason)),
        },
        Ok(Value::Limited(value)) => {
            let limit = |written_as: &str| format!("{written_as} is limited to {value} by librdkafka");
            translation.warnings.push(setting.remark(java, limit));
            translation.set_from(name, value.to_string(), (java, setting));
        }
        Err(reason) => translation.problems.push(setting.refuse(java, reason)),
    }
}

/// Addresses of brokers, at least one, each checked as those of a worker are.
fn brokers(text: &str) -> Result<String, String> {
    let servers = super::servers(text);
    if servers.is_empty() {
        return Err("name at least one broker as host:port".to_owned());
    }
    servers.iter().try_for_each(|server| super::check_server(server))?;
    Ok(servers.join(","))
}

enum Value {
    AsWritten(String),
    /// librdkafka is never told.
    OurOwn(String),
    Limited(i64),
}

fn value(name: &str, range: Option<(i64, i64)>, text: &str) -> Result<Value, String> {
    let as_written = match name {
        "auto.offset.reset" => match text.to_ascii_lowercase().as_str() {
            reset @ ("earliest" | "latest") => reset.to_owned(),
            "none" | "error" => "error".to_owned(),
            other => match other.strip_prefix("by_duration:").map(iso_duration::parse) {
                Some(Ok(duration)) => return Ok(Value::OurOwn(format!("by_duration:{}", duration.as_millis()))),
                Some(Err(reason)) => return Err(reason.to_owned()),
                None => {
                    return Err(
                        "must be one of earliest, latest, none, by_duration:<ISO 8601>, such as by_duration:PT1H".to_owned()
                    );
                }
            },
        },
        "isolation.level" => match text.to_ascii_lowercase().as_str() {
            level @ ("read_uncommitted" | "read_committed") => level.to_owned(),
            _ => return Err("must be one of read_uncommitted, read_committed".to_owned()),
        },
        "partition.assignment.strategy" => assignors(text)?,
        "bootstrap.servers" | "metadata.broker.list" => brokers(text)?,
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
