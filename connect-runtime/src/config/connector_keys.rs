//! The keys that every sink connector has, one definition each.

use connect_api::config::{AnyConfigKey, ConfigDef, ConfigKey, Importance, List, PluginKind};

pub(super) static NAME: ConfigKey<String> =
    ConfigKey::required("name", "The connector's name. Its consumer group is `connect-` and this name.")
        .importance(Importance::High)
        .check(|name| check_name(name));

pub(super) static CONNECTOR_CLASS: ConfigKey<String> =
    ConfigKey::required("connector.class", "The connector: its class name or an alias of it.")
        .importance(Importance::High)
        .plugin(PluginKind::SinkConnector);

pub(super) static TASKS_MAX: ConfigKey<i32> =
    ConfigKey::with_default("tasks.max", "1", "Tasks that share the partitions of the connector's topics in this process.")
        .importance(Importance::High)
        .check(|tasks| if *tasks < 1 { Err("Value must be at least 1".to_owned()) } else { Ok(()) });

pub(super) static TOPICS: ConfigKey<List> =
    ConfigKey::with_default("topics", "", "Topics to read. Give either this or `topics.regex`.").importance(Importance::High);

pub(super) static TOPICS_REGEX: ConfigKey<String> = ConfigKey::with_default(
    "topics.regex",
    "",
    "Java regular expression that must match the whole name of a topic. Topics created later are found within `metadata.max.age.ms`. \
     In a .properties file a backslash is written twice.",
)
.importance(Importance::High)
.check(|regex| if regex.is_empty() { Ok(()) } else { super::TopicRegex::new(regex).map(drop) });

pub(super) static KEY_CONVERTER: ConfigKey<String> = ConfigKey::optional(
    "key.converter",
    "Converter of record keys. It gets this connector's `key.converter.*` keys and none of the worker's.",
)
.plugin(PluginKind::Converter);

pub(super) static VALUE_CONVERTER: ConfigKey<String> = ConfigKey::optional(
    "value.converter",
    "Converter of record values. It gets this connector's `value.converter.*` keys and none of the worker's.",
)
.plugin(PluginKind::Converter);

pub(super) static HEADER_CONVERTER: ConfigKey<String> = ConfigKey::optional(
    "header.converter",
    "Converter of record headers. It gets this connector's `header.converter.*` keys and none of the worker's.",
)
.importance(Importance::Low)
.plugin(PluginKind::HeaderConverter);

pub(super) static TRANSFORMS: ConfigKey<List> = ConfigKey::with_default(
    "transforms",
    "",
    "Names of transforms in their order. `transforms.<name>.type` is the class of each; its other keys follow the same prefix. \
     `transforms.<name>.predicate` names a predicate: the transform is for the records of which it holds, or with \
     `transforms.<name>.negate=true` for all others.",
)
.importance(Importance::Low)
.check(each_once);

pub(super) static PREDICATES: ConfigKey<List> = ConfigKey::with_default(
    "predicates",
    "",
    "Names of predicates. `predicates.<name>.type` is the class of each; its other keys follow the same prefix.",
)
.importance(Importance::Low)
.check(each_once);

fn each_once(aliases: &List) -> Result<(), String> {
    match super::connector::repeated(&aliases.0) {
        Some(_) => Err("Duplicate alias provided.".to_owned()),
        None => Ok(()),
    }
}

pub(super) static ERRORS_RETRY_TIMEOUT: ConfigKey<i64> = ConfigKey::with_default(
    "errors.retry.timeout",
    "0",
    "How long a conversion or transform that may work later is tried again; 0 for not at all, -1 for ever.",
)
.unit("milliseconds");

pub(super) static ERRORS_RETRY_DELAY_MAX_MS: ConfigKey<i64> =
    ConfigKey::with_default("errors.retry.delay.max.ms", "60000", "Longest pause between two such tries.")
        .unit("milliseconds")
        .check(|value| if *value < 0 { Err("Value must be at least 0".to_owned()) } else { Ok(()) });

pub(super) static ERRORS_TOLERANCE: ConfigKey<String> = ConfigKey::with_default(
    "errors.tolerance",
    "none",
    "`none`: a record that can never be converted, transformed or written fails the task. `all`: it is skipped, but one that cannot be \
     written still fails the task where no dead letter queue takes it.",
)
.one_of_any_case(&["none", "all"]);

pub(super) static ERRORS_LOG_ENABLE: ConfigKey<bool> =
    ConfigKey::with_default("errors.log.enable", "false", "Whether each failed record is logged.");

pub(super) static ERRORS_LOG_INCLUDE_MESSAGES: ConfigKey<bool> = ConfigKey::with_default(
    "errors.log.include.messages",
    "false",
    "Whether that log line names the record's topic, partition, offset and timestamp. Keys, values and headers are never logged.",
);

pub(super) static DLQ_TOPIC_NAME: ConfigKey<String> = ConfigKey::with_default(
    "errors.deadletterqueue.topic.name",
    "",
    "Topic that failed records are copied to; empty for none. It is created with one partition where it is missing.",
);

pub(super) static DLQ_REPLICATION_FACTOR: ConfigKey<i16> = ConfigKey::with_default(
    "errors.deadletterqueue.topic.replication.factor",
    "3",
    "Replicas of that topic where it has to be created; -1 leaves it to the brokers.",
);

pub(super) static DLQ_CONTEXT_HEADERS: ConfigKey<bool> = ConfigKey::with_default(
    "errors.deadletterqueue.context.headers.enable",
    "false",
    "Whether copied records get `__connect.errors.*` headers that say where they came from and what failed.",
);

static TASKS_MAX_ENFORCE: ConfigKey<bool> =
    ConfigKey::with_default("tasks.max.enforce", "true", "Whether more tasks than `tasks.max` fail the connector.")
        .importance(Importance::Low)
        .no_effect("there are never more tasks than tasks.max");

static CONFIG_ACTION_RELOAD: ConfigKey<String> =
    ConfigKey::with_default("config.action.reload", "restart", "What happens when a value of a config provider expires.")
        .one_of(&["none", "restart"])
        .importance(Importance::Low)
        .no_effect("config providers are not supported yet");

/// All of them.
pub(super) fn definition() -> ConfigDef {
    let keys: &[&dyn AnyConfigKey] = &[
        &NAME,
        &CONNECTOR_CLASS,
        &TASKS_MAX,
        &TOPICS,
        &TOPICS_REGEX,
        &KEY_CONVERTER,
        &VALUE_CONVERTER,
        &HEADER_CONVERTER,
        &TRANSFORMS,
        &PREDICATES,
        &ERRORS_TOLERANCE,
        &ERRORS_RETRY_TIMEOUT,
        &ERRORS_RETRY_DELAY_MAX_MS,
        &ERRORS_LOG_ENABLE,
        &ERRORS_LOG_INCLUDE_MESSAGES,
        &DLQ_TOPIC_NAME,
        &DLQ_REPLICATION_FACTOR,
        &DLQ_CONTEXT_HEADERS,
        &TASKS_MAX_ENFORCE,
        &CONFIG_ACTION_RELOAD,
    ];
    ConfigDef::new("Sink connectors", keys)
        .with_prefixes(&["consumer.override.", "producer.override.", "admin.override.", "transforms.", "predicates."])
        .with_prefixes(&["key.converter.", "value.converter.", "header.converter."])
        .with_mistaken(&[
            ("value.schema.registry.url", "value.converter.schema.registry.url"),
            ("key.schema.registry.url", "key.converter.schema.registry.url"),
            ("value.schemas.enable", "value.converter.schemas.enable"),
            ("key.schemas.enable", "key.converter.schemas.enable"),
            ("format.class.schemas.enable", "value.converter.schemas.enable"),
            ("dlq.topic.name", "errors.deadletterqueue.topic.name"),
            ("errors.dead.letter.queue.topic.name", "errors.deadletterqueue.topic.name"),
            ("errors.deadletterqueue.topic", "errors.deadletterqueue.topic.name"),
            ("errors.deadletterqueue.name", "errors.deadletterqueue.topic.name"),
            ("errors.dlq.topic.name", "errors.deadletterqueue.topic.name"),
            ("dead.letter.queue.topic.name", "errors.deadletterqueue.topic.name"),
            ("topics.list", "topics"),
            ("max.tasks", "tasks.max"),
            ("topic", "topics"),
        ])
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("String may not be empty".to_owned());
    }
    let codes: Vec<_> = name.chars().filter(|c| c.is_control()).map(|c| u32::from(c).to_string()).collect();
    match codes.is_empty() {
        true => Ok(()),
        false => Err(format!("String may not contain control sequences but had the following ASCII chars: {}", codes.join(", "))),
    }
}
