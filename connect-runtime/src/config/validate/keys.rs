//! Each key by itself, and keys that nobody reads.

use connect_api::config::{AnyConfigKey, Config, ConfigDef, ConfigType, Entry, PluginKind, Problem};

use super::{Check, file_of, rests, values::without_invisible};
use crate::config::{
    aliased,
    client::{self, Client},
    converter_keys, elsewhere,
    nearest::{nearest, nearest_class},
    worker_keys,
};

impl Check<'_> {
    /// Each key by itself, its class where it names one, and whether it does anything. In the file the keys begin with `prefix`.
    pub(super) fn keys(&mut self, prefix: &str, def: &ConfigDef, config: &Config) {
        for problem in def.validate(config).iter() {
            let key = problem.key.as_deref().and_then(|name| def.keys.iter().find(|key| key.name() == name));
            // What is empty is said below.
            if key.is_some_and(|key| is_empty(*key, config)) {
                continue;
            }
            let problem = aliased::under(prefix, problem.clone());
            self.problem(key.map_or(problem.clone(), |key| in_plain_words(problem, *key, config)));
        }
        for key in &def.keys {
            let Some(entry) = config.entry(key.name()) else { continue };
            let written_as = format!("{prefix}{}", key.name());
            if let Some(other) = key.only_with().filter(|other| config.entry(other).is_none()) {
                let message = format!("{written_as} changes nothing without {prefix}{other}");
                self.validation.warnings.push(Problem::of_key(&written_as, message).at(entry.origin.clone()));
                continue;
            }
            // Who writes the default down asks for nothing.
            let is_default = key.default() == Some(entry.value.trim());
            if let Some(reason) = key.no_effect().filter(|_| !is_default) {
                let message = format!("{written_as} changes nothing here: {reason}");
                self.validation.warnings.push(Problem::of_key(&written_as, message).at(entry.origin.clone()));
            }
            if is_empty(*key, config) {
                let wanted = first_sentence(key.documentation());
                let message = format!("{written_as} is empty, and it is required: {wanted}");
                self.problem(Problem::of_key(&written_as, message).at(entry.origin.clone()));
            } else if let Some(kind) = key.plugin() {
                self.class(&written_as, entry, kind);
            }
        }
    }

    pub(super) fn class(&mut self, key: &str, entry: &Entry, kind: PluginKind) {
        if entry.value.trim().is_empty() {
            let message = format!("{key} is empty: name a class, or remove the line");
            return self.problem(Problem::of_key(key, message).at(entry.origin.clone()));
        }
        let plugins = self.plugins;
        macro_rules! look_up {
            ($known:expr) => {
                elsewhere::class_problem(key, entry, kind, $known, plugins)
            };
        }
        let problem = match kind {
            PluginKind::SinkConnector => look_up!(plugins.sink_connectors()),
            PluginKind::Converter => look_up!(plugins.converters()),
            PluginKind::HeaderConverter => look_up!(plugins.header_converters()),
            PluginKind::Transformation => look_up!(plugins.transformations()),
            PluginKind::Predicate => look_up!(plugins.predicates()),
            PluginKind::Partitioner => look_up!(plugins.partitioners()),
            PluginKind::TimestampExtractor => look_up!(plugins.timestamp_extractors()),
            PluginKind::Format => look_up!(plugins.formats()),
        };
        if let Some(problem) = problem {
            self.problem(problem);
        }
    }

    pub(super) fn unknown_keys(&mut self, prefix: &str, config: &Config, known: &[&ConfigDef]) {
        let rests = rests::of_secrets(config, |key| known.iter().any(|def| def.knows(key)));
        let mut guesses = MOST_GUESSES;
        for (key, entry) in config.iter() {
            // Of what nobody sees in a key enough is said elsewhere.
            if known.iter().any(|def| def.knows(key)) || without_invisible(key).is_some() {
                continue;
            }
            if let Some(secret) = rests.get(key) {
                self.validation.warnings.push(rests::warning(secret, entry));
                continue;
            }
            let names = known.iter().flat_map(|def| def.keys.iter().map(|key| key.name()));
            let written_as = format!("{prefix}{key}");
            let meant = known.iter().find_map(|def| def.meant_by(key));
            let message = match meant {
                // It may be a key all right, of another connector.
                Some(_) => format!("{written_as} is no key here, and changes nothing"),
                None => format!("unknown key {written_as}, it changes nothing"),
            };
            let warning = Problem::of_key(&written_as, message).at(entry.origin.clone());
            guesses = guesses.saturating_sub(1);
            self.validation.warnings.push(match meant.or_else(|| (guesses > 0).then(|| nearest(key, names))?) {
                Some(near) => warning.suggest(format!("{prefix}{near}")),
                None => warning,
            });
        }
    }

    /// As [`Check::unknown_keys`], for a connector: some keys are right elsewhere.
    pub(super) fn unknown_keys_of_connector(&mut self, config: &Config, known: &[&ConfigDef]) {
        let mut rest = config.clone();
        let foreign = self.foreign_class(config);
        let rests = rests::of_secrets(config, |key| known.iter().any(|def| def.knows(key)));
        for (key, entry) in config.iter().filter(|(key, _)| !known.iter().any(|def| def.knows(key))) {
            // Here, while the secret is still among the keys: it may be one that only lacks its prefix.
            if let Some(secret) = rests.get(key) {
                rest.remove(key);
                self.validation.warnings.push(rests::warning(secret, entry));
                continue;
            }
            let of_class = foreign.as_ref().filter(|_| !known.iter().any(|def| is_near(key, def))).map(|class| {
                Some(Problem::of_key(key, format!("{key} changes nothing here: it may be a key of {class}, which is not built in")))
            });
            let Some(warning) = misplaced(key, &entry.value, known).or(of_class) else { continue };
            rest.remove(key);
            self.validation.warnings.extend(warning.map(|warning| warning.at(entry.origin.clone())));
        }
        self.unknown_keys("", &rest, known);
    }

    /// A class of somebody else's that the connector's own plugins are to be of.
    fn foreign_class(&self, config: &Config) -> Option<String> {
        let classes = config.iter().filter(|(key, _)| *key == "partitioner.class" || key.ends_with("format.class"));
        let built_in = |class: &str| self.plugins.describe().iter().any(|plugin| plugin.names.contains(&class));
        classes
            .map(|(_, entry)| entry.value.trim())
            .find(|class| elsewhere::is_foreign_class(class) && !built_in(class))
            .map(str::to_owned)
    }
}

/// Whether a key is a slip or two from one that is known, or often written in place of one.
fn is_near(key: &str, def: &ConfigDef) -> bool {
    def.meant_by(key).is_some() || nearest(key, def.keys.iter().map(|known| known.name())).is_some()
}

/// What is said of a key that means nothing to a connector and something elsewhere; nothing is said where it asks for nothing.
fn misplaced(key: &str, value: &str, known: &[&ConfigDef]) -> Option<Option<Problem>> {
    let is_worker_s = worker_keys::definition().knows(key);
    if let Some((_, reason)) = ELSEWHERE.iter().find(|(start, _)| key.starts_with(start)) {
        let warning = Problem::of_key(key, format!("{key} changes nothing here: {reason}"));
        return Some(Some(warning).filter(|_| !value.trim().is_empty()));
    }
    // A worker's keys for its clients have their prefix.
    let prefixed = [Client::Consumer, Client::Producer, Client::Admin]
        .into_iter()
        .find_map(|client| Some((client, key.strip_prefix(client.prefix())?)));
    if let Some((client, setting)) = prefixed {
        let warning = Problem::of_key(key, format!("{key} changes nothing in a connector's file: it is for the worker's"));
        return Some(Some(warning.suggest(format!("{}{setting}", client.override_prefix()))));
    }
    if known.iter().any(|def| def.meant_by(key).is_some()) {
        return None;
    }
    if let Some(client) = client::reader_of(key) {
        let (plural, prefix) = (client.plural(), client.prefix());
        if client == Client::Producer {
            let message =
                format!("{key} changes nothing here: it is for {plural}, which a sink has for its dead letter queue alone");
            return Some(Some(Problem::of_key(key, message).suggest(format!("{}{key}", client.override_prefix()))));
        }
        let message = format!(
            "{key} changes nothing in a connector's file without a prefix: its {plural} take the worker's {prefix}{key}, or one from here"
        );
        return Some(Some(Problem::of_key(key, message).suggest(format!("{}{key}", client.override_prefix()))));
    }
    if is_worker_s {
        return Some(Some(Problem::of_key(key, format!("{key} changes nothing in a connector's file: it is for the worker's"))));
    }
    converter_keys::is_known(key).then(|| {
        let warning = Problem::of_key(key, format!("{key} changes nothing without a converter's prefix"));
        Some(warning.suggest(format!("value.converter.{key}")))
    })
}

const JDBC: &str = "it is for the JDBC connector";
const SOURCE: &str = "it is for source connectors";
const DEBEZIUM: &str = "it is for the connectors of Debezium, which read databases";
const HDFS: &str = "it is for the HDFS connector";
const CLOUD: &str = "it is for the connectors that Confluent Cloud runs";

/// Keys that connector files hold for others, by how they begin.
const ELSEWHERE: [(&str, &str); 35] = [
    ("confluent.license", "no licence is needed"),
    ("confluent.topic.", "no licence is needed, and none is kept in a topic"),
    ("confluent.", "it is for services of Confluent's"),
    ("topic.creation.", SOURCE),
    ("exactly.once.support", SOURCE),
    ("offsets.storage.topic", SOURCE),
    ("transaction.boundary", SOURCE),
    ("s3.storage.class", "objects get the storage class STANDARD, and a lifecycle rule of the bucket moves them to another"),
    ("table.name.format", JDBC),
    ("connection.", JDBC),
    ("insert.mode", JDBC),
    ("pk.", JDBC),
    ("auto.create", JDBC),
    ("auto.evolve", JDBC),
    ("max.retries", JDBC),
    ("mode", SOURCE),
    ("poll.interval.ms", SOURCE),
    ("topic.prefix", SOURCE),
    ("database.", DEBEZIUM),
    ("table.include.list", DEBEZIUM),
    ("snapshot.", DEBEZIUM),
    ("schema.history.", DEBEZIUM),
    ("hdfs.", HDFS),
    ("hive.", HDFS),
    ("hadoop.", HDFS),
    ("logs.dir", HDFS),
    ("kafka.api.", CLOUD),
    ("kafka.auth.", CLOUD),
    ("kafka.service.", CLOUD),
    ("output.keys.format", CLOUD),
    ("subject.name.strategy", CLOUD),
    ("reporter.", "it is for Confluent's reporter; errors.deadletterqueue.topic.name keeps records that fail"),
    ("connect.s3.", "it is for the S3 connector of Lenses"),
    (
        "file.name.",
        "it is for the S3 connector of Aiven; names of objects are made of topics.dir, the partition and file.delim here",
    ),
    ("format.output.", "it is for the S3 connector of Aiven; format.class says it here"),
];

/// So many unknown keys get a guess at what was meant: a file with more of them is another kind of file, and each guess costs time.
const MOST_GUESSES: u32 = 100;

/// Whether nothing was written for a key that needs something.
fn is_empty(key: &dyn AnyConfigKey, config: &Config) -> bool {
    key.is_required() && config.text(key.name()).is_some_and(|text| text.trim().is_empty())
}

/// Kafka's words, and what to write instead.
fn in_plain_words(mut problem: Problem, key: &dyn AnyConfigKey, config: &Config) -> Problem {
    if config.entry(key.name()).is_none() {
        let written_as = problem.key.as_deref().unwrap_or(key.name());
        let hint = format!(" Add {written_as}=…: {}", first_sentence(key.documentation()));
        problem.message.push_str(&hint);
        return problem.at(file_of(config));
    }
    if config.text(key.name()).is_some_and(|text| text.trim().is_empty()) {
        let default = key.default().filter(|default| !default.is_empty()).map(|default| format!(", which means {default}"));
        let written_as = problem.key.as_deref().unwrap_or(key.name());
        let message = format!("{written_as} is empty: write a value, or remove the line{}", default.unwrap_or_default());
        return Problem { message, ..problem };
    }
    let value = config.text(key.name()).unwrap_or_default().trim();
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let limits = [("INT", i64::from(i32::MIN), i64::from(i32::MAX)), ("LONG", i64::MIN, i64::MAX)];
    let limits = limits.iter().find(|(name, ..)| problem.message.contains(&format!("Not a number of type {name}")));
    if let Some((_, least, most)) = limits.filter(|_| is_whole) {
        problem.message.push_str(&if value.starts_with('-') {
            format!("; {least} is the least")
        } else {
            format!("; {most} is the most")
        });
    } else if problem.message.contains("Not a number of type") {
        // -1 turns something off as a rule, and who writes something wants it.
        let example = key.default().filter(|default| default.starts_with(|c: char| c.is_ascii_digit()));
        let is_time = matches!(key.unit(), "ms" | "milliseconds");
        let example = example.unwrap_or(if is_time { "600000 for ten minutes" } else { "1000" });
        let unit = if key.unit().is_empty() { String::new() } else { format!(" of {}", key.unit()) };
        problem.message.push_str(&format!("; write a whole number{unit} in digits, such as {example}"));
    }
    let near = match key.config_type() {
        ConfigType::Class => nearest_class(value, key.suggested()),
        _ => nearest(value, key.suggested().iter().copied()),
    };
    match near {
        Some(near) => problem.suggest(near),
        None => problem,
    }
}

fn first_sentence(documentation: &str) -> &str {
    documentation.split_inclusive(". ").next().unwrap_or(documentation).trim_end()
}
