//! Connectors of one process whose consumers are in one group.

use connect_api::config::{Config, Entry, Problem, Problems};

use super::{ConnectorConfig, shared_destinations::shared_topic};

/// What is doubtful about connectors that are to run together: each that shares a group and a topic with an earlier one. The group divides the
/// topic's partitions among both, so that each gets a part of the records.
pub(crate) fn shared_groups(worker: &Config, connectors: &[Config]) -> Problems {
    let mut warnings = Problems::default();
    let known: Vec<_> = connectors.iter().filter_map(|raw| ConnectorConfig::try_from(raw).ok()).collect();
    let groups: Vec<_> = known.iter().map(|connector| group(worker, connector)).collect();
    for (index, (connector, (group, key, entry))) in known.iter().zip(&groups).enumerate() {
        let shared = known[..index].iter().zip(&groups).find_map(|(other, (other_group, ..))| {
            let is_same = other_group == group && other.name != connector.name;
            Some((other, is_same.then(|| shared_topic(&connector.topics, &other.topics))??))
        });
        let Some((other, topic)) = shared else { continue };
        let message = format!(
            "connectors {} and {} read {topic} in one consumer group, {group}: each would get a part of the records; give each a group of its own, with \
             {OVERRIDE}, or leave it to its name",
            other.name, connector.name
        );
        warnings.push(Problem::of_key(key, message).at(entry.and_then(|entry| entry.origin.clone())));
    }
    warnings
}

const OVERRIDE: &str = "consumer.override.group.id";
const OF_WORKER: &str = "consumer.group.id";

/// The group, with the key that decides it.
fn group<'a>(worker: &'a Config, connector: &'a ConnectorConfig) -> (String, &'static str, Option<&'a Entry>) {
    let written = connector.raw.entry(OVERRIDE).map(|entry| (OVERRIDE, entry));
    match written.or_else(|| worker.entry(OF_WORKER).map(|entry| (OF_WORKER, entry))) {
        Some((key, entry)) => (entry.value.trim().to_owned(), key, Some(entry)),
        None => (format!("connect-{}", connector.name), "name", connector.raw.entry("name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(name: &str, topics: &str, group: Option<&str>) -> Config {
        let pairs = [("name", name), ("connector.class", "FakeSink"), ("topics", topics)];
        pairs.into_iter().chain(group.map(|group| (OVERRIDE, group))).collect()
    }

    fn said(worker: &[(&str, &str)], connectors: &[Config]) -> String {
        shared_groups(&worker.iter().copied().collect(), connectors).to_string()
    }

    #[test]
    fn connectors_that_divide_a_topic_between_them_are_named() {
        let (one, other) = (connector("one", "a,b", Some("g")), connector("other", "b", Some("g")));
        let named = said(&[], &[one.clone(), other.clone()]);
        assert!(named.starts_with("connectors one and other read b in one consumer group, g: "), "{named}");
        assert!(said(&[], &[connector("two", "a", None), connector("b", "a", Some("connect-two"))]).contains("connect-two"));
        let of_worker = [("consumer.group.id", "all")];
        assert!(said(&of_worker, &[connector("two", "a", None), connector("three", "a", None)]).contains("group, all"));
        assert_eq!(said(&of_worker, &[one.clone(), connector("three", "a", None)]), "");
        assert_eq!(said(&[], &[one, connector("other", "c", Some("g"))]), "");
        assert_eq!(said(&[], &[connector("two", "a", None), connector("three", "a", None)]), "");
    }
}
