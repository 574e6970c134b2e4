//! Layers of settings, each remembering where it was written.

use std::collections::BTreeMap;

use connect_api::config::{Config, Entry, Problem};

use super::command_config::is_for_all;

/// Java's keys to what was written for them last.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<String, Setting>);

/// One value of a client.
#[derive(Clone)]
pub(super) struct Setting {
    /// The key as it stands in the file; `None` for what is built in.
    written_as: Option<String>,
    entry: Entry,
    /// Inherited from keys that are not the client's own, where those that mean nothing to it are no mistake.
    pub(super) inherited: bool,
}

impl Settings {
    pub(super) fn built_in(&mut self, key: &str, value: String) {
        let entry = Entry { value, origin: None };
        self.0.insert(key.to_owned(), Setting { written_as: None, entry, inherited: true });
    }

    /// Adds the keys that begin with `prefix`.
    pub(super) fn layer(&mut self, config: &Config, prefix: &str) {
        for (written_as, entry) in config.iter() {
            let Some(key) = written_as.strip_prefix(prefix) else { continue };
            // `consumer.override.x` of a worker is nobody's.
            if !key.is_empty() && !key.starts_with("override.") {
                let is_for_all = is_for_all(config, key, entry);
                let written_as = Some(if is_for_all { key } else { written_as }.to_owned());
                self.0.insert(key.to_owned(), Setting { written_as, entry: entry.clone(), inherited: is_for_all });
            }
        }
    }

    /// Adds all of a worker's keys but those for single clients.
    pub(super) fn inherit(&mut self, worker: &Config) {
        for (key, entry) in worker.iter() {
            let for_a_client = ["consumer.", "producer.", "admin."].iter().any(|prefix| key.starts_with(prefix));
            if !for_a_client && key != "bootstrap.servers" {
                let written_as = Some(key.to_owned());
                self.0.insert(key.to_owned(), Setting { written_as, entry: entry.clone(), inherited: true });
            }
        }
    }

    /// What is written for a key, or built in.
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    /// Adds to the end of what is written for a key, if anything is.
    pub(super) fn append(&mut self, key: &str, end: &str) {
        if let Some(setting) = self.0.get_mut(key).filter(|setting| !setting.text().is_empty()) {
            setting.entry.value = format!("{}{end}", setting.text());
        }
    }

    /// Takes the value of a key away.
    pub(super) fn take(&mut self, key: &str) -> Option<Setting> {
        self.0.remove(key)
    }

    /// The trimmed value of a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(Setting::text)
    }

    /// What is left, in the order of the keys.
    pub(super) fn into_iter(self) -> impl Iterator<Item = (String, Setting)> {
        self.0.into_iter()
    }
}

impl Setting {
    /// Whether it stands in a file, or is built in.
    pub(super) fn is_written(&self) -> bool {
        self.written_as.is_some()
    }

    /// The key as it stands in the file.
    pub(super) fn written_as<'a>(&'a self, key: &'a str) -> &'a str {
        self.written_as.as_deref().unwrap_or(key)
    }

    /// The value without the blanks around it.
    pub(super) fn text(&self) -> &str {
        self.entry.value.trim_matches(|c: char| c <= ' ')
    }

    /// The value is refused, for this reason; it is shown unless it may be a secret.
    pub(super) fn refuse(&self, key: &str, reason: impl std::fmt::Display) -> Problem {
        let written_as = self.written_as(key);
        Problem::of_entry(written_as, &self.entry, is_secret(key), reason)
    }

    /// Something is to be said about the key, without its value.
    pub(super) fn remark(&self, key: &str, message: impl FnOnce(&str) -> String) -> Problem {
        let written_as = self.written_as(key);
        Problem::of_key(written_as, message(written_as)).at(self.entry.origin.clone())
    }
}

/// Whether a value under this key must not be shown. Rather too many than one too few.
pub(in crate::config) fn is_secret(key: &str) -> bool {
    [
        "password",
        "jaas",
        "secret",
        "passphrase",
        "token",
        "ssl.key",
        "keystore.key",
        "private.key",
        "oauthbearer.config",
        "username",
        "user.info",
    ]
    .iter()
    .any(|part| key.contains(part))
        // The name of a file is none, and who cannot read it has to know which.
        && !key.ends_with(".location")
}
