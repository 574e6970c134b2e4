//! The converters that a connector gets, and their keys.

use connect_api::config::{Config, ConfigDef, Entry, PluginKind, Problem};

use super::{Check, file_of, find};
use crate::config::{
    converter_keys,
    converters::{Choice, Role},
};

impl Check<'_> {
    pub(super) fn converters(&mut self, worker: &Config, connector: &Config) {
        for role in Role::ALL {
            let key = role.key();
            if connector.entry(key).is_none() {
                self.orphans(key, connector);
            }
            let Ok(choice) = Choice::of(role, worker, connector) else {
                let message = format!("Missing required configuration \"{key}\" which has no default value.");
                self.problem(Problem::of_key(key, message).at(file_of(connector)));
                continue;
            };
            let kind = if role == Role::Header { PluginKind::HeaderConverter } else { PluginKind::Converter };
            let described = self.plugins.describe();
            let Some(plugin) = find(&described, kind, &choice.class) else {
                // A connector's own class has been looked up with its other keys.
                if connector.entry(key).is_none() {
                    let inherited = worker.entry(key).cloned();
                    self.class(key, &inherited.unwrap_or(Entry { value: choice.class, origin: None }), kind);
                }
                continue;
            };
            let prefix = format!("{key}.");
            let known = plugin.config_def.clone().with_prefixes(&["converter.type"]);
            let before = self.validation.problems.len();
            self.keys(&prefix, &known, choice.config());
            let unread = self.unread(&prefix, plugin.names.first().copied().unwrap_or_default(), choice.config(), &known);
            self.unknown_keys(&prefix, &unread, &[&known]);
            // What stops it from being made is mostly a key that has just been reported.
            if self.validation.problems.len() == before
                && let Some(problem) = choice.check(self.plugins)
            {
                self.problem(problem);
            }
        }
    }

    /// A connector's keys for a converter that it does not name: Kafka Connect ignores them silently.
    fn orphans(&mut self, converter: &str, connector: &Config) {
        for (key, entry) in connector.iter().filter(|(key, _)| key.starts_with(&format!("{converter}."))) {
            let message = format!(
                "{key} changes nothing: the connector does not set {converter}, so the worker's is used with the worker's keys"
            );
            self.validation.warnings.push(Problem::of_key(key, message).at(entry.origin.clone()));
        }
    }

    /// Says which keys other converters read and this one does not; the rest of what it does not know.
    fn unread(&mut self, prefix: &str, class: &str, config: &Config, known: &ConfigDef) -> Config {
        let described = self.plugins.describe();
        let others: Vec<_> = described.iter().filter(|plugin| plugin.kind == PluginKind::Converter).collect();
        let mut rest = config.clone();
        for (key, entry) in config.iter().filter(|(key, _)| !known.knows(key)) {
            if !converter_keys::is_known(key) && !others.iter().any(|other| other.config_def.knows(key)) {
                continue;
            }
            rest.remove(key);
            let simple = class.rsplit('.').next().unwrap_or(class);
            let message = format!("{prefix}{key} changes nothing: {simple} does not read it");
            self.validation.warnings.push(Problem::of_key(&format!("{prefix}{key}"), message).at(entry.origin.clone()));
        }
        rest
    }
}
