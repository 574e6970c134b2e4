//! A configuration as it was typed.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{ConfigKey, ConfigValue, Problem};
use crate::{Error, Result};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file as it was named, or another word for the place: `--bootstrap-servers`.
    pub file: Arc<str>,
    /// The line, from 1; 0 where lines mean nothing.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// A value as it was typed.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The text, blanks included.
    pub value: String,
    /// Where it was written, if in a file.
    pub origin: Option<Origin>,
}

/// Keys and texts. It prints only the keys: any value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config {
    entries: BTreeMap<String, Entry>,
}

impl Config {
    /// Sets a value; the one before it is forgotten.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>, origin: Option<Origin>) {
        self.entries.insert(name.into(), Entry { value: value.into(), origin });
    }

    /// Forgets a value.
    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        self.entries.remove(name)
    }

    /// What was typed for a key.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The text of a key.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(|entry| entry.value.as_str())
    }

    /// All keys in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// The keys that begin with `prefix`, without it: what a converter or a client gets.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        let entries = self.entries.iter();
        let entries = entries.filter_map(|(name, entry)| Some((name.strip_prefix(prefix)?.to_owned(), entry.clone())));
        Self { entries: entries.collect() }
    }

    /// The value of a required key or of one with a default.
    ///
    /// # Errors
    /// `Config` where it is missing or refused; [`ConfigDef::validate`](super::ConfigDef::validate) finds all of them before.
    pub fn get<T: ConfigValue>(&self, key: &ConfigKey<T>) -> Result<T> {
        self.find(key)?.ok_or_else(|| {
            let reason = format!("Missing required configuration \"{}\" which has no default value.", key.name);
            Error::config(Problem::of_key(key.name, reason).to_string())
        })
    }

    /// The value of a key, or its default, or nothing.
    ///
    /// # Errors
    /// `Config` where it is refused.
    pub fn find<T: ConfigValue>(&self, key: &ConfigKey<T>) -> Result<Option<T>> {
        let Some(text) = self.text(key.name).or(key.default) else { return Ok(None) };
        let parsed = key.parse(text).map_err(|reason| match self.entry(key.name) {
            Some(entry) => Problem::of_entry(key.name, entry, T::TYPE == super::ConfigType::Password, reason),
            None => Problem::of_key(key.name, reason),
        });
        parsed.map(Some).map_err(|problem| Error::config(problem.to_string()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let entry = |(name, value): (K, V)| (name.into(), Entry { value: value.into(), origin: None });
        Self { entries: pairs.into_iter().map(entry).collect() }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?})", self.origin)
    }
}
