//! Lines of a secret that was written on several lines without a backslash at their ends: to Java each of the others is a key of its own.

use std::collections::BTreeMap;

use connect_api::config::{Config, Entry, Problem};

use crate::config::client;

/// The keys that are probably the rest of a secret, with the key of that. They are never shown.
pub(super) fn of_secrets(config: &Config, is_known: impl Fn(&str) -> bool) -> BTreeMap<&str, &str> {
    let mut lines: Vec<_> = config.iter().filter_map(|(key, entry)| Some((entry.origin.as_ref()?.line, key, entry))).collect();
    lines.sort_unstable_by_key(|(line, ..)| *line);
    let (mut rests, mut secret) = (BTreeMap::new(), None);
    for (_, key, entry) in lines {
        if client::is_secret(key) || entry.value.contains("-----BEGIN") {
            secret = Some(key);
        } else if is_known(key) || !is_rest(key, entry) {
            secret = None;
        } else if let Some(secret) = secret {
            rests.insert(key, secret);
        }
    }
    rests
}

/// What a line of key material is taken for. Padding with `=` ends a key.
fn is_rest(key: &str, entry: &Entry) -> bool {
    entry.value.is_empty() || key.starts_with("-----") || entry.value.bytes().all(|byte| byte == b'=')
}

/// Says so without the line.
pub(super) fn warning(secret: &str, entry: &Entry) -> Problem {
    let message = format!("this line looks like the rest of {secret}: end every line of a value but its last one with a backslash");
    Problem::general(message).at(entry.origin.clone())
}

#[cfg(test)]
mod tests {
    use connect_api::config::Origin;

    use super::*;

    #[test]
    fn lines_after_a_secret_that_have_no_value_are_its_rest() {
        let mut config = Config::default();
        let lines = [
            ("consumer.override.ssl.keystore.key", "-----BEGIN PRIVATE KEY-----"),
            ("MIIEvQIBADANBgkqSECRET", ""),
            ("abcSECRET+2/x", "="),
            ("-----END", "PRIVATE KEY-----"),
            ("flush.size", "3"),
            ("flushsize", ""),
            ("sasl.jaas.config", "x required password=\"abc"),
            ("SECRETSECOND/LINE", ""),
        ];
        for (line, (key, value)) in (1..).zip(lines) {
            config.insert(key, value, Some(Origin { file: "x".into(), line }));
        }
        let rests = of_secrets(&config, |key| key == "flush.size");
        assert_eq!(
            rests.into_keys().collect::<Vec<_>>(),
            ["-----END", "MIIEvQIBADANBgkqSECRET", "SECRETSECOND/LINE", "abcSECRET+2/x"]
        );
    }
}
