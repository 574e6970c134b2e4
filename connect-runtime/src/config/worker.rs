//! What a worker is told.

use std::{fmt, time::Duration};

use connect_api::config::{Config, ConfigKey, ConfigType, ConfigValue, Problem, Problems};

use super::{memory_size::MemorySize, worker_keys as keys};

/// A worker's configuration as it is meant. Made of a [`Config`] and in no other way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerConfig {
    /// Brokers, `host:port` with commas between them.
    pub bootstrap_servers: String,
    /// Time between commits.
    pub offset_flush_interval: Duration,
    /// Time after which an outstanding commit counts as failed.
    pub offset_flush_timeout: Duration,
    /// Time that all tasks together have to stop.
    pub graceful_timeout: Duration,
    /// Where metrics and health are served.
    pub listeners: Vec<Listener>,
    /// Bytes for everything that waits to become durable; `None`: as the control group or the machine allows.
    pub memory: Option<usize>,
    /// Between two lines in the log about what each connector has done; `None` for none.
    pub progress_log_interval: Option<Duration>,
    /// The keys as they were typed.
    pub raw: Config,
}

impl TryFrom<&Config> for WorkerConfig {
    type Error = Problems;

    fn try_from(config: &Config) -> Result<Self, Problems> {
        keys::definition().validate(config).into_result()?;
        let milliseconds = |key: &ConfigKey<i64>| value(config, key).map(duration);
        Ok(Self {
            bootstrap_servers: super::client::servers(&value(config, &keys::BOOTSTRAP_SERVERS)?).join(","),
            offset_flush_interval: milliseconds(&keys::OFFSET_FLUSH_INTERVAL_MS)?,
            offset_flush_timeout: milliseconds(&keys::OFFSET_FLUSH_TIMEOUT_MS)?,
            graceful_timeout: milliseconds(&keys::TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS)?,
            listeners: value(config, &keys::LISTENERS)?.0,
            memory: config.find(&keys::MEMORY_LIMIT).map_err(|error| one(&error))?.map(|MemorySize(bytes)| bytes),
            progress_log_interval: Some(milliseconds(&keys::PROGRESS_LOG_INTERVAL_MS)?).filter(|interval| !interval.is_zero()),
            raw: config.clone(),
        })
    }
}

/// Milliseconds that have been checked not to be negative.
pub(super) fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(milliseconds.try_into().unwrap_or_default())
}

/// A value that has been validated already.
pub(super) fn value<T: ConfigValue>(config: &Config, key: &ConfigKey<T>) -> Result<T, Problems> {
    config.get(key).map_err(|error| one(&error))
}

fn one(error: &connect_api::Error) -> Problems {
    let mut problems = Problems::default();
    problems.push(Problem::general(error.to_string()));
    problems
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// A name or an address; empty for all interfaces.
    pub host: String,
    /// The port; 0 for any that is free.
    pub port: u16,
}

impl Listener {
    /// `host:port` to bind to; `0.0.0.0` for all interfaces.
    pub fn address(&self) -> String {
        match self.host.as_str() {
            "" => format!("0.0.0.0:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

/// The value of `listeners`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listeners(pub(super) Vec<Listener>);

impl ConfigValue for Listeners {
    const TYPE: ConfigType = ConfigType::List;

    fn parse(text: &str) -> Result<Self, String> {
        let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
        urls.map(listener).collect::<Result<_, _>>().map(Self)
    }
}

fn listener(url: &str) -> Result<Listener, String> {
    let refused = || format!("{url} is not of the form http://host:port");
    let (scheme, address) = url.split_once("://").ok_or_else(refused)?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {}
        "https" => return Err(format!("{url} asks for TLS, which is not supported yet: use http, behind a proxy if need be")),
        _ => return Err(refused()),
    }
    let (host, port) = address.trim_end_matches('/').rsplit_once(':').ok_or_else(refused)?;
    let port = port.parse().map_err(|_not_a_port| refused())?;
    if host.contains('/') {
        return Err(refused());
    }
    Ok(Listener { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(pairs: &[(&str, &str)]) -> Result<WorkerConfig, Problems> {
        WorkerConfig::try_from(&pairs.iter().copied().collect::<Config>())
    }

    #[test]
    fn defaults_are_those_of_kafka_connect() {
        let worker = worker(&[]).unwrap();
        assert_eq!(worker.bootstrap_servers, "localhost:9092");
        assert_eq!(worker.offset_flush_interval, Duration::from_secs(60));
        assert_eq!(worker.offset_flush_timeout, Duration::from_secs(5));
        assert_eq!(worker.graceful_timeout, Duration::from_secs(5));
        assert_eq!(worker.listeners, [Listener { host: String::new(), port: 8083 }]);
        assert_eq!(worker.listeners[0].address(), "0.0.0.0:8083");
        assert_eq!(worker.memory, None);
    }

    #[test]
    fn every_problem_is_reported() {
        let problems = worker(&[
            ("offset.flush.interval.ms", "soon"),
            ("listeners", "ftp://x:1"),
            ("memory.limit", "much"),
            ("bootstrap.servers", " , "),
        ]);
        let problems = problems.unwrap_err();
        let keys: Vec<_> = problems.iter().filter_map(|problem| problem.key.as_deref()).collect();
        assert_eq!(keys, ["bootstrap.servers", "listeners", "memory.limit", "offset.flush.interval.ms"]);
    }

    #[test]
    fn listeners_are_urls() {
        let worker = worker(&[("listeners", "HTTP://127.0.0.1:0, http://[::1]:80/")]).unwrap();
        let addresses: Vec<_> = worker.listeners.iter().map(Listener::address).collect();
        assert_eq!(addresses, ["127.0.0.1:0", "[::1]:80"]);
        assert!(listener("https://:8443").unwrap_err().contains("TLS"));
    }
}
