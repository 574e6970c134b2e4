//! Which converters a connector gets.

use std::{fmt, sync::Arc};

use connect_api::{
    Converter, Error, HeaderConverter, Plugins, Result,
    config::{AnyConfigKey, Config, Problem},
    plugins::{self, PluginEntry},
};

use super::{ConnectorConfig, WorkerConfig, worker_keys};

/// A connector's converters and the classes they stand for.
#[derive(Clone)]
pub struct Converters {
    /// Of record keys.
    pub key: Arc<dyn Converter>,
    /// Of record values.
    pub value: Arc<dyn Converter>,
    /// Of record headers.
    pub header: Arc<dyn HeaderConverter>,
    /// The class of `key`.
    pub key_class: &'static str,
    /// The class of `value`.
    pub value_class: &'static str,
    /// The class of `header`.
    pub header_class: &'static str,
}

impl fmt::Debug for Converters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Converters({}, {}, {})", self.key_class, self.value_class, self.header_class)
    }
}

/// A connector that names a converter configures it alone; otherwise the worker's is used as the worker configures it.
///
/// # Errors
/// `Config` where a class is missing or unknown, or refuses its keys.
pub fn converters(plugins: &Plugins, worker: &WorkerConfig, connector: &ConnectorConfig) -> Result<Converters> {
    let choice = |role| Choice::of(role, &worker.raw, &connector.raw);
    let (key, value, header) = (choice(Role::Key)?, choice(Role::Value)?, choice(Role::Header)?);
    let (key_class, key) = key.configure(plugins.converters())?;
    let (value_class, value) = value.configure(plugins.converters())?;
    let (header_class, header) = header.configure(plugins.header_converters())?;
    Ok(Converters { key, value, header, key_class, value_class, header_class })
}

/// Which part of a record a converter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    Value,
    Header,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Key, Self::Value, Self::Header];

    /// The key that names the class.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Key => "key.converter",
            Self::Value => "value.converter",
            Self::Header => "header.converter",
        }
    }

    fn converter_type(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Header => "header",
        }
    }
}

/// A class and its part of the configuration.
pub(super) struct Choice {
    pub(super) class: String,
    role: Role,
    config: Config,
    problem: Problem,
}

impl Choice {
    /// # Errors
    /// Neither names a class.
    pub(super) fn of(role: Role, worker: &Config, connector: &Config) -> Result<Self> {
        let key = role.key();
        let written_in = if connector.entry(key).is_some() { connector } else { worker };
        let entry = written_in.entry(key);
        let default = if role == Role::Header { worker_keys::HEADER_CONVERTER.default() } else { None };
        let Some(class) = entry.map(|entry| entry.value.trim()).or(default) else {
            let reason = format!("Missing required configuration \"{key}\" which has no default value.");
            return Err(Error::config(Problem::of_key(key, reason).to_string()));
        };
        let mut config = written_in.with_prefix(&format!("{key}."));
        config.insert("converter.type", role.converter_type(), None);
        let origin = entry.and_then(|entry| entry.origin.clone());
        Ok(Self { class: class.to_owned(), role, config, problem: Problem::of_key(key, String::new()).at(origin) })
    }

    /// Its own keys, `converter.type` among them.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    fn configure<C: ?Sized>(self, known: &[PluginEntry<C>]) -> Result<(&'static str, Arc<C>)> {
        let refused = |error: Error| Error::config(self.refused(&error).to_string());
        let entry = plugins::find(known, &self.class).map_err(refused)?;
        Ok((entry.name, entry.configure(&self.config).map_err(refused)?))
    }

    /// Whether it can be made.
    pub(super) fn check(&self, plugins: &Plugins) -> Option<Problem> {
        let made = match self.role {
            Role::Header => {
                plugins::find(plugins.header_converters(), &self.class).and_then(|entry| entry.configure(&self.config).map(drop))
            }
            _ => plugins::find(plugins.converters(), &self.class).and_then(|entry| entry.configure(&self.config).map(drop)),
        };
        made.err().map(|error| self.refused(&error))
    }

    fn refused(&self, error: &Error) -> Problem {
        let message = format!("Invalid value {} for configuration {}: {}", self.class, self.role.key(), error.report());
        Problem { message, ..self.problem.clone() }
    }
}
