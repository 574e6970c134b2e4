//! A connector's configuration with what it inherits of that which decides what a record becomes.

use connect_api::{
    Result,
    config::{AnyConfigKey, Config},
};

use super::{ConnectorConfig, WorkerConfig, consumer_properties, converters::Role, worker_keys};

const ISOLATION_LEVEL: &str = "isolation.level";

/// The connector's keys as they are and, where it does not set them, the worker's converters with their keys and the isolation level that its
/// consumers read with. A sink that compares what it is told now with what it was told before finds a change that was made elsewhere, too.
///
/// # Errors
/// `Config` where the consumer's settings are refused.
pub(crate) fn effective(worker: &WorkerConfig, connector: &ConnectorConfig) -> Result<Config> {
    let mut config = with_converters(&worker.raw, &connector.raw);
    let header_converter = &worker_keys::HEADER_CONVERTER;
    if let Some(default) = header_converter.default() {
        add(&mut config, header_converter.name(), default.to_owned());
    }
    let consumer = consumer_properties(worker, connector, 0)?;
    if let Some((_, level)) = consumer.into_iter().find(|(key, _)| key == ISOLATION_LEVEL) {
        add(&mut config, &format!("consumer.override.{ISOLATION_LEVEL}"), level);
    }
    Ok(config)
}

/// The connector's keys and, where it does not name them, the worker's converters with their keys.
pub(super) fn with_converters(worker: &Config, connector: &Config) -> Config {
    let mut config = connector.clone();
    // A connector that names a converter configures it alone.
    for role in Role::ALL.into_iter().filter(|role| connector.entry(role.key()).is_none()) {
        for (name, entry) in worker.iter() {
            if name.strip_prefix(role.key()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                add(&mut config, name, entry.value.clone());
            }
        }
    }
    config
}

fn add(config: &mut Config, key: &str, value: String) {
    if config.entry(key).is_none() {
        config.insert(key, value, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: [(&str, &str); 7] = [
        ("bootstrap.servers", "a:1"),
        ("key.converter", "K"),
        ("key.converter.x", "1"),
        ("value.converter", "V"),
        ("value.converter.x", "2"),
        ("value.converters", "not one of its keys"),
        ("consumer.isolation.level", "read_committed"),
    ];

    /// What is there beside the connector's own keys, which are as they were.
    fn inherited(worker: &[(&str, &str)], own: &[(&str, &str)]) -> Vec<(String, String)> {
        let worker = WorkerConfig::try_from(&worker.iter().copied().collect::<Config>()).unwrap();
        let mut raw: Config = [("name", "s3"), ("connector.class", "S3Sink"), ("topics", "a")].into_iter().collect();
        own.iter().for_each(|(key, value)| raw.insert(*key, *value, None));
        let mut config = effective(&worker, &ConnectorConfig::try_from(&raw).unwrap()).unwrap();
        for (key, entry) in raw.iter() {
            assert_eq!(config.remove(key).as_ref(), Some(entry), "{key}");
        }
        config.iter().map(|(key, entry)| (key.to_owned(), entry.value.clone())).collect()
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_the_connector_does_not_set_is_the_worker_s() {
        let expected = [
            ("consumer.override.isolation.level", "read_committed"),
            ("header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
            ("key.converter", "K"),
            ("key.converter.x", "1"),
            ("value.converter", "V"),
            ("value.converter.x", "2"),
        ];
        assert_eq!(inherited(&WORKER, &[]), pairs(&expected));
    }

    #[test]
    fn a_converter_that_the_connector_names_inherits_nothing_and_its_own_keys_stay() {
        let own = [
            ("value.converter", "Mine"),
            ("key.converter.x", "9"),
            ("header.converter", "H"),
            ("consumer.override.isolation.level", "READ_UNCOMMITTED"),
        ];
        assert_eq!(inherited(&WORKER, &own), pairs(&[("key.converter", "K")]));
    }

    #[test]
    fn the_isolation_level_is_told_though_nobody_sets_it() {
        let inherited = inherited(&[("bootstrap.servers", "a:1")], &[]);
        assert!(inherited.contains(&("consumer.override.isolation.level".to_owned(), "read_uncommitted".to_owned())));
    }
}
