//! Finding out which topics these are: what librdkafka has kept of them may be minutes old, and it joins groups and makes topics known by it.

use std::{sync::atomic::Ordering, time::Duration};

use connect_api::TopicPartition;
use rdkafka::{
    consumer::{Consumer, base_consumer::BaseConsumer},
    types::RDKafkaErrorCode,
};
use tokio::time::Instant;

use super::{
    context::{BRIEFLY, Context},
    metadata::ask_about_all,
    state::Wait,
    trouble::ask_again_after,
};

/// Before the brokers are asked once more.
const PAUSE: Duration = Duration::from_millis(100);

impl Context {
    /// Finds out which topics those of an assignment are. librdkafka knows most of them; of others it learns by asking, of all at once.
    pub(super) fn identify(&self, consumer: &BaseConsumer<Self>, epoch: u64) {
        self.read_log();
        let is_unknown = |topic_partition: &TopicPartition| self.changes.id(&topic_partition.topic).is_none();
        let asks = self
            .state()
            .owned
            .iter()
            .any(|(topic_partition, owned)| owned.generation.epoch == epoch && is_unknown(topic_partition));
        if asks && let Err(code) = ask_about_all(consumer.client(), BRIEFLY) {
            tracing::warn!(%code, "it is not known yet which topics these are");
        }
        self.read_log();
        for (topic_partition, owned) in &mut self.state().owned {
            if owned.generation.epoch == epoch {
                owned.topic_id = owned.topic_id.take().or_else(|| self.changes.id(&topic_partition.topic));
            }
        }
    }

    /// Those of the partitions whose topic is gone: librdkafka has heard so, and brokers say it twice, since one that has just started may not know all
    /// topics. They are asked only then, for their answer may wait for that to a fetch.
    pub(super) fn deleted(&self, consumer: &BaseConsumer<Self>, partitions: &[TopicPartition]) -> Vec<TopicPartition> {
        let mut deleted = partitions.to_vec();
        deleted.retain(|topic_partition| self.changes.has_failed(&topic_partition.topic));
        for pause in [Duration::ZERO, PAUSE] {
            if deleted.is_empty() || self.stopping.load(Ordering::Relaxed) {
                return Vec::new();
            }
            std::thread::sleep(pause);
            let Ok(topics) = ask_about_all(consumer.client(), BRIEFLY) else { return Vec::new() };
            let is_gone = |code: &Option<RDKafkaErrorCode>| *code == Some(RDKafkaErrorCode::UnknownTopicOrPartition);
            deleted.retain(|topic_partition| topics.get(&*topic_partition.topic).is_some_and(is_gone));
        }
        deleted
    }

    /// Asks the brokers where a partition must not be read before it is known which topic it is of.
    pub(super) fn ask_topics(&self, consumer: &BaseConsumer<Self>, now: Instant) {
        let is_due = self.state().owned.values().any(|owned| matches!(owned.wait, Wait::Identify(at) if now >= at));
        if !is_due {
            return;
        }
        let answer = ask_about_all(consumer.client(), BRIEFLY);
        // Lines about topics that are others now were written before the answer came.
        self.look_at_changes();
        let (mut known, mut unknown, now) = (Vec::new(), Vec::new(), Instant::now());
        for (topic_partition, owned) in &mut self.state().owned {
            if !matches!(owned.wait, Wait::Identify(_)) {
                continue;
            }
            let told = answer.as_ref().map(|topics| topics.get(&*topic_partition.topic).copied().flatten());
            if let Some(code) = told.unwrap_or_else(|code| Some(*code)) {
                owned.failures += 1;
                owned.wait = Wait::Identify(now + ask_again_after(owned.failures));
                unknown.push((topic_partition.clone(), code));
            } else {
                owned.identified(self.changes.id(&topic_partition.topic), now);
                known.extend(owned.problem.take().map(|_| topic_partition.clone()));
            }
        }
        for (topic_partition, code) in unknown {
            self.show_trouble(&topic_partition, format!("it is not known which topic it is of: {code}"));
        }
        known.iter().for_each(|topic_partition| self.show_mended(topic_partition));
    }
}
