//! The settings of Kafka clients: in layers as Kafka Connect puts them together, written for Java, read by librdkafka.

mod command_config;
mod iso_duration;
mod jaas;
mod librdkafka_keys;
mod pairs;
mod security;
mod settings;
mod translate;
mod whole;

use connect_api::config::Problems;

use super::{ConnectorConfig, WorkerConfig};
pub(crate) use command_config::add_command_config;
pub(super) use command_config::in_own_file;
use settings::Settings;
pub(super) use settings::is_secret;
use translate::Translation;
pub(super) use translate::{IGNORED, NO_EFFECT, RENAMED};

/// Keys and values in librdkafka's spelling. Some are secrets: never print it.
pub type ClientProperties = Vec<(String, String)>;

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Reads a sink's topics.
    Consumer,
    /// Writes to the dead letter queue.
    Producer,
    /// Creates the dead letter queue.
    Admin,
}

impl Client {
    /// What a worker's keys for this client begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Consumer => "consumer.",
            Self::Producer => "producer.",
            Self::Admin => "admin.",
        }
    }

    /// What such clients are called.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Consumer => "consumers",
            Self::Producer => "producers",
            Self::Admin => "admin clients",
        }
    }

    /// What a connector's keys for this client begin with.
    pub(super) fn override_prefix(self) -> &'static str {
        match self {
            Self::Consumer => "consumer.override.",
            Self::Producer => "producer.override.",
            Self::Admin => "admin.override.",
        }
    }
}

/// The settings of a sink task's consumer.
///
/// # Errors
/// Every setting that has no counterpart here, and every malformed one.
pub fn consumer_properties(worker: &WorkerConfig, connector: &ConnectorConfig, task: usize) -> Result<ClientProperties, Problems> {
    translate_for(Client::Consumer, worker, connector, task).into_properties()
}

/// The settings of the producer of a task's dead letter queue.
///
/// # Errors
/// As [`consumer_properties`].
pub fn producer_properties(worker: &WorkerConfig, connector: &ConnectorConfig, task: usize) -> Result<ClientProperties, Problems> {
    translate_for(Client::Producer, worker, connector, task).into_properties()
}

/// The settings of the client that creates the dead letter queue.
///
/// # Errors
/// As [`consumer_properties`].
pub fn admin_properties(worker: &WorkerConfig, connector: &ConnectorConfig) -> Result<ClientProperties, Problems> {
    translate_for(Client::Admin, worker, connector, 0).into_properties()
}

/// The settings with what is wrong and what is doubtful about them.
pub(super) fn translate_for(client: Client, worker: &WorkerConfig, connector: &ConnectorConfig, task: usize) -> Translation {
    let mut settings = Settings::default();
    for (key, value) in built_in(client, &connector.name, task) {
        settings.built_in(key, value);
    }
    settings.built_in("bootstrap.servers", worker.bootstrap_servers.clone());
    if client == Client::Admin {
        settings.inherit(&worker.raw);
    }
    settings.layer(&worker.raw, client.prefix());
    settings.layer(&connector.raw, client.override_prefix());
    if client == Client::Consumer && connector.tasks_max > 1 {
        // An id is of one member; two that have the same throw each other out of the group for ever.
        settings.append("group.instance.id", &format!("-{task}"));
    }
    translate::translate(client, settings)
}

/// What Kafka Connect sets, and Java's defaults where librdkafka's differ.
fn built_in(client: Client, connector: &str, task: usize) -> Vec<(&'static str, String)> {
    let pairs: &[(&str, &str)] = match client {
        Client::Consumer => &[
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_uncommitted"),
            ("allow.auto.create.topics", "true"),
            ("check.crcs", "true"),
            ("partition.assignment.strategy", "range"),
            ("connections.max.idle.ms", "540000"),
        ],
        Client::Producer => &[
            ("enable.idempotence", "false"),
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            // librdkafka's is smaller: a record that was read could be too large for the queue.
            ("max.request.size", "1048576"),
            // So is this: a topic whose limit is lower than librdkafka's megabyte would refuse whole batches of what it takes.
            ("batch.size", "16384"),
            ("delivery.timeout.ms", "2147483647"),
            ("partitioner", "murmur2_random"),
            ("connections.max.idle.ms", "540000"),
        ],
        Client::Admin => &[],
    };
    let mut all: Vec<_> = pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    match client {
        Client::Consumer => {
            all.push(("group.id", format!("connect-{connector}")));
            all.push(("client.id", format!("connector-consumer-{connector}-{task}")));
        }
        Client::Producer => all.push(("client.id", format!("connector-dlq-producer-{connector}-{task}"))),
        Client::Admin => all.push(("client.id", "connector-dlq-adminclient-".to_owned())),
    }
    all
}

/// Which client reads a key that stands without a prefix: the producer where it is for that alone, else the consumer; none where no client
/// does, or the worker's own brokers are named.
pub(super) fn reader_of(key: &str) -> Option<Client> {
    const OF_PRODUCERS: [&str; 5] = ["max.request.size", "buffer.memory", "key.serializer", "value.serializer", "max.block.ms"];
    const BEGIN_AS_PRODUCERS: [&str; 2] = ["partitioner.", "compression."];
    let known = librdkafka_keys::find(key);
    let for_consumers = known.is_none_or(|key| key.is_for(Client::Consumer));
    let of_java =
        RENAMED.iter().map(|(name, _)| *name).chain(NO_EFFECT.iter().map(|(name, _)| *name)).chain(IGNORED.iter().copied());
    let is_client_s =
        known.is_some() || of_java.into_iter().any(|name| name == key) || key.starts_with("sasl.") || key.starts_with("ssl.");
    match key {
        "bootstrap.servers" => None,
        _ if OF_PRODUCERS.contains(&key) || known.is_some() && !for_consumers => Some(Client::Producer),
        _ if is_client_s && BEGIN_AS_PRODUCERS.iter().any(|start| key.starts_with(start)) => Some(Client::Producer),
        _ => is_client_s.then_some(Client::Consumer),
    }
}

/// The brokers of a list, without blanks and empty items.
pub(super) fn servers(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|server| !server.is_empty()).map(str::to_owned).collect()
}

/// A broker's address: host and port, with a protocol before them that is not looked at, as in Kafka's clients.
pub(super) fn check_server(server: &str) -> Result<(), String> {
    let address = match server.split_once("://") {
        Some((protocol, _)) if protocol.to_ascii_lowercase().starts_with("http") => server,
        Some((_, address)) => address,
        None => server,
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    // As Kafka's clients read it. What else it has are placeholders and slips.
    let is_host = |host: &str| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'%' | b':'))
    };
    match address.rsplit_once(':') {
        Some((host, port)) if is_host(host) && is_port(port) => Ok(()),
        _ => Err(format!("a broker is written as host:port, several with commas between them, and {server} is not")),
    }
}

#[cfg(test)]
mod tests;
