//! Java's keys to librdkafka's.

use std::collections::BTreeMap;

use connect_api::config::Problems;

use super::{
    Client, ClientProperties, librdkafka_keys, security,
    settings::{Setting, Settings},
};
use crate::config::nearest::nearest;

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

/// What becomes of one of Java's keys.
enum Rule {
    /// It has other names.
    Rename(&'static [&'static str]),
    /// It is handled in another way.
    Ignore,
    /// It has no counterpart, for this reason.
    NoEffect(&'static str),
}

/// Keys whose part here is done by other means: batches are bounded by memory, bytes need no serialiser.
const IGNORED: [&str; 9] = [
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

fn rule(key: &str, client: Client) -> Option<Rule> {
    Some(match key {
        "fetch.max.wait.ms" => Rule::Rename(&["fetch.wait.max.ms"]),
        "metadata.max.age.ms" => Rule::Rename(&["topic.metadata.refresh.interval.ms", "metadata.max.age.ms"]),
        "request.timeout.ms" => Rule::Rename(&["socket.timeout.ms"]),
        "receive.buffer.bytes" => Rule::Rename(&["socket.receive.buffer.bytes"]),
        "send.buffer.bytes" => Rule::Rename(&["socket.send.buffer.bytes"]),
        "max.request.size" if client == Client::Producer => Rule::Rename(&["message.max.bytes"]),
        _ if IGNORED.contains(&key) => Rule::Ignore,
        "enable.auto.commit" | "enable.auto.offset.store" | "auto.commit.enable" if client == Client::Consumer => {
            Rule::NoEffect("offsets are committed once their records are durable, and in no other way")
        }
        "auto.commit.interval.ms" => Rule::NoEffect("offsets are committed every offset.flush.interval.ms"),
        "interceptor.classes" | "metric.reporters" => Rule::NoEffect("it names classes of the JVM"),
        "metrics.sample.window.ms" | "metrics.num.samples" | "metrics.recording.level" | "auto.include.jmx.reporter" => {
            Rule::NoEffect("metrics are served for Prometheus")
        }
        "buffer.memory" => Rule::NoEffect("the dead letter queue waits for each batch"),
        "socket.connection.setup.timeout.max.ms" => {
            Rule::NoEffect("librdkafka gives every attempt to connect socket.connection.setup.timeout.ms")
        }
        _ => return None,
    })
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
    for (key, setting) in settings.into_iter() {
        match rule(&key, client) {
            Some(Rule::Rename(names)) => names.iter().for_each(|name| known(client, &key, name, &setting, &mut translation)),
            Some(Rule::Ignore) => {}
            Some(Rule::NoEffect(_)) if setting.inherited => {}
            Some(Rule::NoEffect(reason)) => {
                translation
                    .warnings
                    .push(setting.remark(&key, |written_as| format!("{written_as} changes nothing here: {reason}")));
            }
            None => known(client, &key, &key, &setting, &mut translation),
        }
    }
    if client == Client::Consumer {
        translation.set("enable.auto.commit", "false");
        translation.set("enable.auto.offset.store", "false");
    }
    translation
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
        Ok(Value::AsWritten(value)) => translation.set(name, value),
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
    match number {
        _ if number < least => Err(format!("Value must be at least {least}")),
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
