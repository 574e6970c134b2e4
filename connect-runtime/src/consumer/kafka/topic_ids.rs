//! When librdkafka takes a topic for another one of the same name.
//!
//! It fetches by a topic's id, and where metadata bring another id it goes on fetching at the old offset in the new log without a word to
//! us (a FIXME in its `rdkafka_topic.c`). But it writes a line to its log, while it holds the topic's lock and before it takes the new id.
//! The line arrives in a queue of its own: whoever has taken messages, and finds no such line in that queue afterwards, has messages of the
//! old log only. A test sees to it that the line is still written. Asking the brokers instead costs a request whenever records are read, and
//! one of them may not have heard yet of what the one that is fetched from does already. Brokers before 3.1 do not fetch by id: there,
//! records may come before the line.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How Kafka writes the id of a topic that has none.
const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// What librdkafka must be told to write (`debug`) for its line to be written.
pub(super) const DEBUG: &str = "topic";

/// A topic that has another id now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) topic: String,
    /// Whether the topic had an id before, as far as librdkafka knew.
    pub(super) had_id: bool,
    pub(super) id: Arc<str>,
}

impl Change {
    /// Reads librdkafka's line.
    fn parse(line: &str) -> Option<Self> {
        let (topic, ids) = line.split_once(" changed id from ")?;
        let (_, topic) = topic.rsplit_once("Topic ")?;
        let (old, new) = ids.split_once(" to ")?;
        // librdkafka and Kafka spell two of the 64 digits differently.
        let id = new.trim_end().replace('+', "-").replace('/', "_").into();
        Some(Self { topic: topic.to_owned(), had_id: old != NO_ID, id })
    }
}

/// Changes that have not been looked at, and the ids of all topics.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    /// As librdkafka knows them: it fetches by these.
    known: HashMap<String, Arc<str>>,
    changes: Vec<Change>,
    /// Topics of which the brokers have said, at some time, that something is wrong with them.
    failed: HashSet<String>,
}

/// The topic that librdkafka's line tells an error of.
fn failed(line: &str) -> Option<&str> {
    let (_, topic) = line.split_once("Error in metadata reply for topic ")?;
    topic.split_once(" (PartCnt ").map(|(topic, _)| topic)
}

impl Changes {
    /// Looks at a line of librdkafka's log.
    pub(super) fn note(&self, line: &str) {
        if let Some(change) = Change::parse(line) {
            let mut ids = self.lock();
            ids.known.insert(change.topic.clone(), change.id.clone());
            ids.changes.push(change);
        } else if let Some(topic) = failed(line) {
            self.lock().failed.insert(topic.to_owned());
        }
    }

    /// Whether something has been wrong with the topic: it may be gone.
    pub(super) fn has_failed(&self, topic: &str) -> bool {
        self.lock().failed.contains(topic)
    }

    /// The topic's id, where librdkafka knows one.
    pub(super) fn id(&self, topic: &str) -> Option<Arc<str>> {
        self.lock().known.get(topic).cloned()
    }

    /// What has changed since the last call.
    pub(super) fn take(&self) -> Vec<Change> {
        mem::take(&mut self.lock().changes)
    }

    fn lock(&self) -> MutexGuard<'_, Ids> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_tells_of_a_new_id_is_read() {
        let changes = Changes::default();
        changes.note("[thrd:main]: Topic orders.eu changed id from AAAAAAAAAAAAAAAAAAAAAA to p7Y0sVZbT2uQvC/m0r+9Ag");
        changes.note("[thrd:main]: Topic orders.eu changed id from p7Y0sVZbT2uQvC/m0r+9Ag to q7Y0sVZbT2uQvC1m0rX9Ag");
        changes.note("[thrd:main]: Topic orders.eu [3] Leader 1 Epoch 0");
        let change = |had_id, id: &str| Change { topic: "orders.eu".to_owned(), had_id, id: id.into() };
        assert_eq!(changes.take(), [change(false, "p7Y0sVZbT2uQvC_m0r-9Ag"), change(true, "q7Y0sVZbT2uQvC1m0rX9Ag")]);
        assert_eq!(changes.take(), []);
        assert_eq!(changes.id("orders.eu").as_deref(), Some("q7Y0sVZbT2uQvC1m0rX9Ag"));
    }

    #[test]
    fn the_line_that_tells_that_something_is_wrong_with_a_topic_is_read() {
        let changes = Changes::default();
        changes.note("[thrd:main]: Error in metadata reply for topic orders.eu (PartCnt 0): Broker: Unknown topic or partition");
        assert!(changes.has_failed("orders.eu") && !changes.has_failed("orders"));
        assert_eq!(changes.take(), []);
    }
}
