//! Connectors of one process that would write under the same names.

use std::collections::HashSet;

use connect_api::{
    Destination, Error, Plugins, Result,
    config::{Config, Problem, Problems},
    plugins,
};

use super::{ConnectorConfig, Topics};

/// Where a connector writes, and of which topics.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    topics: Topics,
    places: Vec<Destination>,
}

impl Destinations {
    /// What the connector's plugin says of it.
    pub(crate) fn of(plugins: &Plugins, connector: &ConnectorConfig) -> Result<Self> {
        let plugin = plugins::find(plugins.sink_connectors(), &connector.connector_class)?.configure(&connector.raw)?;
        Ok(Self { topics: connector.topics.clone(), places: plugin.destinations(&connector.raw, plugins) })
    }

    /// The place and the topic that both write.
    fn shared_with<'a>(&'a self, other: &'a Self) -> Option<(&'a Destination, &'a str)> {
        let place = self.places.iter().find(|place| other.places.contains(place))?;
        Some((place, shared_topic(&self.topics, &other.topics)?))
    }

    /// # Errors
    /// `Config` where the connector `other` writes under the same names.
    pub(crate) fn refuse_shared_with(&self, other: &Self, name: &str) -> Result<()> {
        match self.shared_with(other) {
            None => Ok(()),
            Some((place, topic)) => Err(Error::config(message(place, topic, name))),
        }
    }
}

/// A topic that both read, or the pattern that both have. Whether two patterns have a topic in common is not looked into.
pub(super) fn shared_topic<'a>(one: &'a Topics, other: &'a Topics) -> Option<&'a str> {
    match (one, other) {
        (Topics::List(one), Topics::List(other)) => {
            let known: HashSet<_> = other.iter().collect();
            one.iter().find(|topic| known.contains(topic)).map(String::as_str)
        }
        (Topics::List(topics), other) | (other, Topics::List(topics)) => {
            topics.iter().map(String::as_str).find(|topic| other.contains(topic))
        }
        (Topics::Regex(one), Topics::Regex(other)) => Some(one.as_str()).filter(|pattern| *pattern == other.as_str()),
    }
}

fn message(place: &Destination, topic: &str, other: &str) -> String {
    let Destination { place, key } = place;
    format!(
        "connector {other} reads {topic} too and would write under the same names, {place}: give one of the two another `{key}`"
    )
}

/// What is wrong with connectors that are to run together: each that would write under the names of an earlier one. What is wrong with each by itself
/// is not looked at.
pub(crate) fn shared_destinations(plugins: &Plugins, connectors: &[Config]) -> Problems {
    let mut problems = Problems::default();
    let of = |raw| {
        let connector = ConnectorConfig::try_from(raw).ok()?;
        let destinations = Destinations::of(plugins, &connector).ok()?;
        Some((connector, destinations))
    };
    let known: Vec<_> = connectors.iter().filter_map(of).collect();
    for (index, (connector, destinations)) in known.iter().enumerate() {
        let shared = known[..index].iter().find_map(|(other, theirs)| Some((other, destinations.shared_with(theirs)?)));
        if let Some((other, (place, topic))) = shared {
            let file = |config: &ConnectorConfig| config.raw.entry("name").and_then(|entry| entry.origin.clone());
            let other = match file(other) {
                Some(origin) => format!("{} ({})", other.name, origin.file),
                None => other.name.to_string(),
            };
            let origin = connector.raw.entry(place.key).and_then(|entry| entry.origin.clone()).or_else(|| file(connector));
            problems.push(Problem::of_key(place.key, message(place, topic, &other)).at(origin));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake;

    fn connector(name: &str, topics: (&str, &str), place: &str) -> Config {
        [("name", name), ("connector.class", "FakeSink"), topics, ("sink.place", place)].into_iter().collect()
    }

    fn problems(one: ((&str, &str), &str), other: ((&str, &str), &str)) -> Vec<String> {
        let connectors = [connector("one", one.0, one.1), connector("other", other.0, other.1)];
        shared_destinations(&fake::plugins(), &connectors).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn connectors_that_share_a_place_and_a_topic_are_refused() {
        let (list, regex) = (("topics", "a,b"), ("topics.regex", "b.*"));
        for (one, other) in [(list, ("topics", "c, b")), (list, regex), (regex, list), (regex, regex)] {
            let found = problems((one, "x"), (other, "x"));
            assert_eq!(found.len(), 1, "{one:?} {other:?}");
            assert!(found[0].contains("connector one reads b") && found[0].contains("another `sink.place`"), "{found:?}");
        }
    }

    #[test]
    fn connectors_that_share_only_one_of_the_two_are_not() {
        let list = ("topics", "a,b");
        for (one, other) in [((list, "x"), (list, "y")), ((list, "x"), (("topics", "c"), "x")), ((list, ""), (list, ""))] {
            assert_eq!(problems(one, other), [""; 0], "{one:?} {other:?}");
        }
        assert_eq!(problems((list, "x"), (("topics.regex", "c.*"), "x")), [""; 0]);
    }
}
