//! Values that cannot be meant, and settings that nobody gets.

use std::collections::BTreeMap;

use connect_api::config::{Config, Problem};

use super::{Check, clients_of, unfilled};
use crate::config::client::Client;

impl Check<'_> {
    /// Values that were to be filled in: a template that is run as it is matches no topic and finds no bucket. What cannot be a value because of
    /// it is refused in these words alone; of a key that changes nothing enough is said.
    pub(super) fn placeholders(&mut self, config: &Config) {
        for (key, entry) in config.iter() {
            let Some(placeholder) = unfilled::placeholder(key, &entry.value) else { continue };
            let message = format!("{key} still has a placeholder{placeholder}: fill it in");
            let problem = Problem::of_key(key, message).at(entry.origin.clone());
            self.doubt(key, problem);
        }
    }

    /// Values in quotes, as other formats than Java properties have them. What it is may be a secret.
    pub(super) fn quotes(&mut self, config: &Config) {
        for (key, entry) in config.iter() {
            let value = entry.value.trim();
            if value.len() > 1 && value.starts_with('"') && value.ends_with('"') {
                let message = format!("{key}: the quotes are a part of the value: write it without them");
                self.doubt(key, Problem::of_key(key, message).at(entry.origin.clone()));
            }
        }
    }

    /// An error in place of those that the key has, else a warning where there is none.
    fn doubt(&mut self, key: &str, problem: Problem) {
        if self.forget_problems(key) {
            self.problem(problem);
        } else if !self.validation.warnings.iter().any(|warning| warning.key.as_deref() == Some(key)) {
            self.validation.warnings.push(problem);
        }
    }

    /// What a config provider is to fill in (KIP-297). Kafka Connect leaves it as it is where no provider has that name, which is never meant.
    pub(super) fn references(&mut self, config: &Config) {
        for (key, entry) in config.iter().filter(|(_, entry)| unfilled::refers_to_provider(&entry.value)) {
            // What is filled in would be judged, not this.
            self.forget_problems(key);
            let message =
                format!("{key} refers to a config provider, ${{provider:…}}, and there are none yet: write the value itself");
            self.problem(Problem::of_key(key, message).at(entry.origin.clone()));
        }
    }

    /// Whether there were any of this key.
    fn forget_problems(&mut self, key: &str) -> bool {
        let before = std::mem::take(&mut self.validation.problems);
        let all = before.len();
        self.validation.problems.extend(before.iter().filter(|problem| problem.key.as_deref() != Some(key)).cloned());
        self.validation.problems.len() < all
    }

    /// Transforms and predicates that are set up and that no list names: Kafka Connect ignores them silently.
    pub(super) fn unlisted(&mut self, config: &Config) {
        for list in ["transforms", "predicates"] {
            let listed: Vec<_> = config.text(list).unwrap_or_default().split(',').map(str::trim).collect();
            let mut unlisted = BTreeMap::new();
            for (key, entry) in config.iter() {
                let Some((alias, _)) = key.strip_prefix(list).and_then(|rest| rest.strip_prefix('.')?.split_once('.')) else {
                    continue;
                };
                if !listed.contains(&alias) {
                    let lines = unlisted.entry(alias).or_insert_with(|| (key, entry.origin.clone()));
                    // Where its first key stands.
                    if line(&entry.origin) < line(&lines.1) {
                        *lines = (key, entry.origin.clone());
                    }
                }
            }
            for (alias, (key, origin)) in unlisted {
                let message = format!("{list}.{alias}.* changes nothing: `{list}` does not name {alias}");
                self.validation.warnings.push(Problem::of_key(key, message).at(origin));
            }
        }
    }

    /// A worker's settings of encryption and authentication that its admin clients get and a connector's other clients do not.
    pub(super) fn security(&mut self, worker: &Config, connector: &Config) {
        let asks = worker.text(PROTOCOL).is_some_and(|protocol| !protocol.trim().eq_ignore_ascii_case("PLAINTEXT"));
        for client in clients_of(connector).iter().filter(|client| **client != Client::Admin) {
            let (plural, prefix, override_prefix) = (client.plural(), client.prefix(), client.override_prefix());
            let is_set = |key: &str| {
                worker.entry(&format!("{prefix}{key}")).is_some() || connector.entry(&format!("{override_prefix}{key}")).is_some()
            };
            // Who sets the protocol has thought of it, and may need no more than what decides whom to trust and who one is.
            let secured = is_set(PROTOCOL);
            let keys = if secured { &SECURITY[1..DECISIVE] } else { &SECURITY[..] };
            let missed: Vec<_> =
                keys.iter().filter_map(|key| Some((*key, worker.entry(key)?))).filter(|(key, _)| !is_set(key)).collect();
            let (Some((key, entry)), true) = (missed.first(), asks || secured) else { continue };
            let names = missed.iter().map(|(key, _)| format!("{prefix}{key}")).collect::<Vec<_>>().join(", ");
            let plain = if secured { "" } else { ", and connect without encryption and authentication" };
            let message =
                format!("{key} is for admin clients alone: a connector's {plural} do not inherit it{plain}; set {names} too");
            self.validation.warnings.push(Problem::of_key(key, message).at(entry.origin.clone()));
        }
    }
}

const PROTOCOL: &str = "security.protocol";

/// The protocol, what else decides whether a client may connect, and what goes with it.
const SECURITY: [&str; 13] = [
    PROTOCOL,
    "sasl.mechanism",
    "sasl.jaas.config",
    "ssl.truststore.location",
    "ssl.truststore.certificates",
    "ssl.keystore.location",
    "ssl.keystore.key",
    "ssl.keystore.certificate.chain",
    "ssl.truststore.password",
    "ssl.keystore.password",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "sasl.client.callback.handler.class",
];
const DECISIVE: usize = 7;

fn line(origin: &Option<connect_api::config::Origin>) -> u32 {
    origin.as_ref().map_or(0, |origin| origin.line)
}
