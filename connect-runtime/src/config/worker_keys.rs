//! The keys of a worker's configuration, one definition each.

use connect_api::config::{AnyConfigKey, ConfigDef, ConfigKey, Importance, List, PluginKind, Secret};

use super::{memory_size::MemorySize, worker::Listeners};

pub(super) static BOOTSTRAP_SERVERS: ConfigKey<String> = ConfigKey::with_default(
    "bootstrap.servers",
    "localhost:9092",
    "Kafka brokers to begin with, as host:port with commas between them. Every client uses them unless its own settings say otherwise.",
)
.importance(Importance::High)
.check(|servers| match super::client::servers(servers) {
    servers if servers.is_empty() => Err("name at least one broker as host:port".to_owned()),
    servers => servers.iter().try_for_each(|server| super::client::check_server(server)),
});

pub(super) static KEY_CONVERTER: ConfigKey<String> = ConfigKey::optional(
    "key.converter",
    "Converter of record keys for connectors that name none. It gets the worker's `key.converter.*` keys and no others.",
)
.importance(Importance::High)
.plugin(PluginKind::Converter);

pub(super) static VALUE_CONVERTER: ConfigKey<String> = ConfigKey::optional(
    "value.converter",
    "Converter of record values for connectors that name none. It gets the worker's `value.converter.*` keys and no others.",
)
.importance(Importance::High)
.plugin(PluginKind::Converter);

pub(super) static HEADER_CONVERTER: ConfigKey<String> = ConfigKey::with_default(
    "header.converter",
    "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "Converter of record headers for connectors that name none. It gets the worker's `header.converter.*` keys and no others.",
)
.importance(Importance::Low)
.plugin(PluginKind::HeaderConverter);

pub(super) static OFFSET_FLUSH_INTERVAL_MS: ConfigKey<i64> =
    ConfigKey::with_default("offset.flush.interval.ms", "60000", "Time between commits of offsets.")
        .unit("milliseconds")
        .importance(Importance::Low)
        .check(|value| at_least(value, 0));

pub(super) static OFFSET_FLUSH_TIMEOUT_MS: ConfigKey<i64> =
    ConfigKey::with_default("offset.flush.timeout.ms", "5000", "Time after which an outstanding commit counts as failed.")
        .unit("milliseconds")
        .importance(Importance::Low)
        .check(|value| at_least(value, 0));

pub(super) static TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS: ConfigKey<i64> =
    ConfigKey::with_default("task.shutdown.graceful.timeout.ms", "5000", "Time that all tasks together have to stop.")
        .unit("milliseconds")
        .importance(Importance::Low)
        .check(|value| at_least(value, 0));

pub(super) static LISTENERS: ConfigKey<Listeners> = ConfigKey::with_default(
    "listeners",
    "http://:8083",
    "Where metrics and health are served: http://host:port with commas between them. An empty host means all interfaces; \
     an empty list means that nothing is served.",
)
.importance(Importance::Low);

pub(super) static MEMORY_LIMIT: ConfigKey<MemorySize> = ConfigKey::optional(
    "memory.limit",
    "Memory for everything that is read and not yet durable: batches, open files and uploads; what is fetched ahead may have a \
     quarter of it beside it. All connectors share it. A number of bytes, or one with a suffix: 512M, 2GiB. Left out, it is a quarter of what the control group or the machine allows, and no more than 32M.",
)
.unit("bytes")
.extension();

pub(super) static PROGRESS_LOG_INTERVAL_MS: ConfigKey<i64> = ConfigKey::with_default(
    "progress.log.interval.ms",
    "60000",
    "Time between two lines in the log, at INFO, about each connector that has done something or has something left to do: records that its sink \
     accepted, objects and their bytes that have become durable, each since the last line and in all (`_in_all`), the lag in records as in \
     `connect_partition_lag_records`, and bytes of memory that it holds. 0 writes none.",
)
.unit("milliseconds")
.importance(Importance::Low)
.check(|value| at_least(value, 0))
.extension();

pub(super) static CLIENT_CONFIG_OVERRIDE_POLICY: ConfigKey<String> = ConfigKey::with_default(
    "connector.client.config.override.policy",
    "All",
    "Which `consumer.override.*`, `producer.override.*` and `admin.override.*` keys connectors may set: all, none, or only those that \
     say who they are (`sasl.jaas.config`, `sasl.mechanism`, `security.protocol`).",
)
.one_of(&[
    "All",
    "None",
    "Principal",
    "org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy",
    "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy",
    "org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy",
]);

static CONFIG_PROVIDERS: ConfigKey<List> =
    ConfigKey::with_default("config.providers", "", "Names of what puts values in the place of `${name:path:key}`.")
        .importance(Importance::Low)
        .check(|names| match names.0.is_empty() {
            true => Ok(()),
            false => Err("config providers are not supported yet: write the values themselves".to_owned()),
        });

static SECURITY_PROTOCOL: ConfigKey<String> = ConfigKey::with_default(
    "security.protocol",
    "PLAINTEXT",
    "How admin clients speak to brokers. Sink consumers do not inherit it: they read `consumer.security.protocol`.",
)
.one_of_any_case(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]);

static SASL_MECHANISM: ConfigKey<String> =
    ConfigKey::optional("sasl.mechanism", "How admin clients authenticate. Sink consumers read `consumer.sasl.mechanism`.");

static SASL_JAAS_CONFIG: ConfigKey<Secret> =
    ConfigKey::optional("sasl.jaas.config", "User and password of admin clients. Sink consumers read `consumer.sasl.jaas.config`.");

const GROUP: &str = "workers of one group find each other through the consumer groups of their connectors";
const INTERNAL_TOPICS: &str =
    "configurations and states are not kept in topics: offsets are the only state, and the consumer groups keep them";
const REST: &str = "only metrics and health are served";
const SOURCE: &str = "it is for source connectors";
const METRICS: &str = "metrics are served for Prometheus";
const JVM: &str = "it is for the JVM";

/// Keys that worker files hold and that change nothing here, with the reason.
macro_rules! no_effect {
    ($name:ident: $($key:literal $type:ty, $reason:expr;)*) => {
        static $name: &[&dyn AnyConfigKey] =
            &[$(&ConfigKey::<$type>::optional($key, "Known to Kafka Connect.").importance(Importance::Low).no_effect($reason)),*];
    };
}

no_effect! { NO_EFFECT:
    "offset.storage.file.filename" String, SOURCE;
    "exactly.once.source.support" String, SOURCE;
    "topic.creation.enable" bool, SOURCE;
    "plugin.path" List, "plugins are compiled in";
    "plugin.discovery" String, "plugins are compiled in";
    "topic.tracking.enable" bool, REST;
    "topic.tracking.allow.reset" bool, REST;
    "rest.advertised.host.name" String, REST;
    "rest.advertised.port" i32, REST;
    "rest.advertised.listener" String, REST;
    "rest.extension.classes" List, REST;
    "access.control.allow.origin" String, REST;
    "access.control.allow.methods" String, REST;
    "admin.listeners" List, REST;
    "response.http.headers.config" String, REST;
    "ssl.client.auth" String, REST;
    "metrics.sample.window.ms" i64, METRICS;
    "metrics.num.samples" i32, METRICS;
    "metrics.recording.level" String, METRICS;
    "metric.reporters" List, METRICS;
    "auto.include.jmx.reporter" bool, METRICS;
    "internal.key.converter" String, INTERNAL_TOPICS;
    "internal.value.converter" String, INTERNAL_TOPICS;
    "group.id" String, GROUP;
    "config.storage.topic" String, INTERNAL_TOPICS;
    "offset.storage.topic" String, INTERNAL_TOPICS;
    "status.storage.topic" String, INTERNAL_TOPICS;
    "config.storage.replication.factor" i16, INTERNAL_TOPICS;
    "offset.storage.partitions" i32, INTERNAL_TOPICS;
    "offset.storage.replication.factor" i16, INTERNAL_TOPICS;
    "status.storage.partitions" i32, INTERNAL_TOPICS;
    "status.storage.replication.factor" i16, INTERNAL_TOPICS;
    "session.timeout.ms" i32, GROUP;
    "heartbeat.interval.ms" i32, GROUP;
    "rebalance.timeout.ms" i32, GROUP;
    "worker.sync.timeout.ms" i32, GROUP;
    "worker.unsync.backoff.ms" i32, GROUP;
    "connect.protocol" String, GROUP;
    "scheduled.rebalance.max.delay.ms" i32, GROUP;
    "inter.worker.key.ttl.ms" i32, GROUP;
    "inter.worker.key.generation.algorithm" String, GROUP;
    "inter.worker.key.size" i32, GROUP;
    "inter.worker.signature.algorithm" String, GROUP;
    "inter.worker.verification.algorithms" List, GROUP;
    "ssl.engine.factory.class" String, JVM;
    "rest.host.name" String, REST;
    "rest.port" i32, REST;
    "zookeeper.connect" String, "Kafka Connect does not read it either";
}

/// What admin clients take from a worker's keys without prefix (and the worker's own group would, on the JVM).
const CLIENT_KEYS: &[&str] = &[
    "client.id",
    "client.dns.lookup",
    "metadata.max.age.ms",
    "metadata.recovery.strategy",
    "send.buffer.bytes",
    "receive.buffer.bytes",
    "reconnect.backoff.",
    "retry.backoff.",
    "request.timeout.ms",
    "connections.max.idle.ms",
    "socket.connection.setup.timeout.",
    "ssl.",
    "sasl.",
];

/// All of them.
pub(super) fn definition() -> ConfigDef {
    let keys: &[&dyn AnyConfigKey] = &[
        &BOOTSTRAP_SERVERS,
        &KEY_CONVERTER,
        &VALUE_CONVERTER,
        &HEADER_CONVERTER,
        &LISTENERS,
        &MEMORY_LIMIT,
        &PROGRESS_LOG_INTERVAL_MS,
        &OFFSET_FLUSH_INTERVAL_MS,
        &OFFSET_FLUSH_TIMEOUT_MS,
        &TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS,
        &CLIENT_CONFIG_OVERRIDE_POLICY,
        &CONFIG_PROVIDERS,
        &SECURITY_PROTOCOL,
        &SASL_MECHANISM,
        &SASL_JAAS_CONFIG,
    ];
    ConfigDef::new("Worker", &[keys, NO_EFFECT].concat())
        .with_prefixes(&["consumer.", "producer.", "admin.", "key.converter.", "value.converter.", "header.converter."])
        .with_prefixes(&["config.storage.", "offset.storage.", "status.storage.", "metrics.context.", "config.providers."])
        .with_prefixes(&["listeners.https.", "admin.listeners.https.", "internal.key.converter.", "internal.value.converter."])
        .with_prefixes(CLIENT_KEYS)
}

fn at_least(value: &i64, least: i64) -> Result<(), String> {
    if *value < least { Err(format!("Value must be at least {least}")) } else { Ok(()) }
}
