//! A client's own file, such as `client.properties`: its keys are for every client, and stand without a prefix.

use connect_api::config::{Config, Entry, Origin, Problem, Problems};

use super::{Client, librdkafka_keys, reader_of};
use crate::config::nearest::nearest;

const CLIENTS: [Client; 3] = [Client::Consumer, Client::Producer, Client::Admin];

/// Adds the keys of a client's own file to a worker's: they are for every client. Returns what is to be said of keys that no client has.
///
/// # Errors
/// The file has keys, and none of a client: it is another kind of file.
pub(crate) fn add_command_config(worker: &mut Config, client_file: &Config) -> Result<Problems, Problems> {
    let is_known = |key: &str| key == "bootstrap.servers" || reader_of(key).is_some();
    if let Some((_, entry)) = client_file.iter().next()
        && !client_file.iter().any(|(key, _)| is_known(key))
    {
        return Err(another_kind(client_file, entry).into());
    }
    let mut warnings = Problems::default();
    for (key, entry) in client_file.iter() {
        if key == "bootstrap.servers" {
            if worker.entry(key).is_none() {
                worker.insert(key, entry.value.clone(), entry.origin.clone());
            }
        } else if is_known(key) {
            // For each, so that it is seen that all of them have it from here: a key for consumers alone is no mistake of the others.
            for client in CLIENTS {
                worker.insert(format!("{}{key}", client.prefix()), entry.value.clone(), entry.origin.clone());
            }
        } else {
            warnings.push(of_nobody(key).at(entry.origin.clone()));
        }
    }
    Ok(warnings)
}

/// What is said of a file without one known key.
fn another_kind(file: &Config, first: &Entry) -> Problem {
    let whole = first.origin.as_ref().map(|origin| Origin { line: 0, ..origin.clone() });
    if let Some(entry) = file.entry("connector.class") {
        let message = "this is a connector's file: --command-config takes one with keys of Kafka clients, as security.protocol and sasl.mechanism";
        return Problem::of_key("connector.class", message).at(entry.origin.clone());
    }
    let message =
        "no key of a Kafka client is in this file: --command-config takes Java properties or TOML, as security.protocol=SASL_SSL";
    match file.iter().find_map(|(key, entry)| Some((key, without_prefix(key)?, entry))) {
        Some((key, bare, entry)) => {
            Problem::of_key(key, format!("{message}; keys have no prefix there")).at(entry.origin.clone()).suggest(bare)
        }
        None => Problem::general(message).at(whole),
    }
}

/// The key that was meant by one that is written as in a worker's or a connector's file.
fn without_prefix(key: &str) -> Option<&str> {
    let bare = CLIENTS
        .iter()
        .find_map(|client| key.strip_prefix(client.override_prefix()).or_else(|| key.strip_prefix(client.prefix())))?;
    (bare == "bootstrap.servers" || reader_of(bare).is_some()).then_some(bare)
}

/// What is said of a key that is no client's, though it stands in a client's file.
fn of_nobody(key: &str) -> Problem {
    let of_registry = ["schema.registry.", "basic.auth.", "bearer.auth."].iter().any(|prefix| key.starts_with(prefix));
    if of_registry {
        return Problem::of_key(key, format!("{key} changes nothing here: it is for converters, as value.converter.{key}"));
    }
    if let Some(bare) = without_prefix(key) {
        return Problem::of_key(key, format!("{key} changes nothing here: keys have no prefix in a client's file")).suggest(bare);
    }
    let problem = Problem::of_key(key, format!("unknown client setting {key}, it changes nothing"));
    match nearest(key, librdkafka_keys::KEYS.iter().map(|key| key.name)) {
        Some(near) => problem.suggest(near),
        None => problem,
    }
}

/// The key as it stands in a client's own file, once and without a prefix, where it is from there.
pub(in crate::config) fn in_own_file<'a>(worker: &Config, written_as: &'a str, entry: &Entry) -> Option<&'a str> {
    let key = CLIENTS.iter().find_map(|client| written_as.strip_prefix(client.prefix()))?;
    is_for_all(worker, key, entry).then_some(key)
}

/// Whether a key stands in a client's own file: once, and without a prefix.
pub(super) fn is_for_all(config: &Config, key: &str, entry: &Entry) -> bool {
    let is_same = |client: Client| {
        config
            .entry(&format!("{}{key}", client.prefix()))
            .is_some_and(|other| other.origin.is_some() && other.origin == entry.origin)
    };
    CLIENTS.into_iter().all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Config, Result<Problems, Problems>) {
        let mut file = Config::default();
        for (line, (key, value)) in (1..).zip(pairs) {
            file.insert(*key, *value, Some(Origin { file: "client.properties".into(), line }));
        }
        let mut worker = Config::default();
        let warnings = add_command_config(&mut worker, &file);
        (worker, warnings)
    }

    #[test]
    fn a_file_without_one_key_of_a_client_is_of_another_kind() {
        let said = |pairs: &[(&str, &str)]| read(pairs).1.unwrap_err().to_string();
        let connector = said(&[("connector.class", "S3"), ("topics", "a")]);
        assert!(connector.starts_with("client.properties:1: this is a connector's file"), "{connector}");
        let prefixed = said(&[("consumer.security.protocol", "SSL")]);
        assert!(prefixed.starts_with("client.properties:1: no key of a Kafka client is in this file"), "{prefixed}");
        assert!(prefixed.ends_with("(did you mean `security.protocol`?)"), "{prefixed}");
        assert!(said(&[("a", "b")]).starts_with("client.properties: no key of a Kafka client"));
        assert!(read(&[]).1.unwrap().is_empty() && read(&[("bootstrap.servers", "b:1")]).1.unwrap().is_empty());
    }

    #[test]
    fn a_key_with_a_prefix_gets_the_one_without_it() {
        let (worker, warnings) = read(&[("security.protocol", "SSL"), ("consumer.override.sasl.mechanism", "PLAIN")]);
        let warnings = warnings.unwrap().to_string();
        assert_eq!(
            warnings,
            "client.properties:2: consumer.override.sasl.mechanism changes nothing here: keys have no prefix in a client's file (did you mean \
             `sasl.mechanism`?)"
        );
        let entry = worker.entry("admin.security.protocol").unwrap();
        assert_eq!(in_own_file(&worker, "admin.security.protocol", entry), Some("security.protocol"));
    }
}
