//! Keys of a worker's file that are for somebody else.

use connect_api::config::{Config, ConfigDef, Problem};

use super::Check;
use crate::config::client::{self, Client};

impl Check<'_> {
    /// As for a connector: some keys are right in another file, or with a prefix.
    pub(super) fn unknown_keys_of_worker(&mut self, config: &Config, known: &ConfigDef) {
        let of_connectors = self.definitions();
        let mut rest = config.clone();
        for (key, entry) in config.iter() {
            let warning = match of_connectors_clients(key) {
                Some(warning) => Some(warning),
                None if known.knows(key) => None,
                None => without_prefix(key).or_else(|| {
                    let is_connectors = of_connectors.iter().any(|def| def.knows(key));
                    is_connectors
                        .then(|| Problem::of_key(key, format!("{key} changes nothing in a worker's file: it is for connectors")))
                }),
            };
            if let Some(warning) = warning {
                rest.remove(key);
                self.validation.warnings.push(warning.at(entry.origin.clone()));
            }
        }
        self.unknown_keys("", &rest, &[known]);
    }
}

/// `consumer.override.x`: in a worker's file nobody reads it.
fn of_connectors_clients(key: &str) -> Option<Problem> {
    let clients = [Client::Consumer, Client::Producer, Client::Admin];
    let (client, setting) = clients.into_iter().find_map(|client| Some((client, key.strip_prefix(client.override_prefix())?)))?;
    let warning = Problem::of_key(key, format!("{key} changes nothing in a worker's file: it is for connectors"));
    Some(warning.suggest(format!("{}{setting}", client.prefix())))
}

/// A client's key that lacks the client.
fn without_prefix(key: &str) -> Option<Problem> {
    let client = client::reader_of(key)?;
    let message =
        format!("{key} changes nothing in a worker's file without a prefix: the {} of sinks do not read it", client.plural());
    Some(Problem::of_key(key, message).suggest(format!("{}{key}", client.prefix())))
}

#[cfg(test)]
mod tests {
    use super::super::validate_worker;
    use crate::config::{fake, properties};

    fn warned(worker: &str) -> Vec<String> {
        let worker = properties::parse(worker.as_bytes(), "w.properties").unwrap();
        validate_worker(&fake::plugins(), &worker).warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_override_in_a_worker_s_file_is_for_connectors() {
        let said = warned(
            "bootstrap.servers=a:1\nconsumer.override.fetch.min.bytes=1\nproducer.override.linger.ms=1\nadmin.override.x=1\n",
        );
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said.contains(
            &"w.properties:2: consumer.override.fetch.min.bytes changes nothing in a worker's file: it is for connectors (did you mean \
              `consumer.fetch.min.bytes`?)"
                .to_owned()
        ));
    }

    #[test]
    fn keys_of_connectors_and_of_clients_in_a_worker_s_file_are_told_from_unknown_ones() {
        let said = warned("bootstrap.servers=a:1\nflush.size=1\nmax.poll.records=5\nlinger.ms=5\nplugin.paht=x\n");
        assert_eq!(
            said,
            [
                "w.properties:2: flush.size changes nothing in a worker's file: it is for connectors",
                "w.properties:4: linger.ms changes nothing in a worker's file without a prefix: the producers of sinks do not read it (did you mean \
                 `producer.linger.ms`?)",
                "w.properties:3: max.poll.records changes nothing in a worker's file without a prefix: the consumers of sinks do not read it (did \
                 you mean `consumer.max.poll.records`?)",
                "w.properties:5: unknown key plugin.paht, it changes nothing (did you mean `plugin.path`?)",
            ]
        );
    }
}
