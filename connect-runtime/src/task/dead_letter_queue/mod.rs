//! The topic that keeps copies of records that were skipped.
//!
//! A copy that is not there holds the offset of its partition, for whatever reason: it is sent again until it is, or until nobody waits for it
//! any more because the partition is someone else's, who reads the record again.

mod carrier;
mod headers;
mod pending;
mod refusal;
mod topic;
mod waiting;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use connect_api::{Budget, ConsumerRecord, Error, Offsets, Result, Stuck, TopicPartition};
use rdkafka::config::ClientConfig;
use tokio::time::{Instant, timeout_at};

use super::tolerance::{Failure, OnRefusal};
use crate::{
    config::{ClientProperties, ConnectorConfig, DeadLetterQueueConfig, WorkerConfig, admin_properties, producer_properties},
    consumer::kafka::ClientLog,
    metrics::StageMetrics,
};
use carrier::{Carrier, Contents, Slip};
use pending::{Copies, Pending};
use topic::{create_topic, not_initialized};

/// How long the cluster has to answer before the task gives up starting; Kafka's `default.api.timeout.ms`.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(60);
/// What librdkafka keeps beside the bytes of a message, roughly.
const MESSAGE_OVERHEAD: usize = 512;
/// What Kafka Connect's headers hold, roughly.
const CONTEXT_OVERHEAD: usize = 1024;
/// A partition of whose copies none arrives for so long has trouble.
const LATE_AFTER: Duration = Duration::from_secs(2);
/// Partitions that a message names, at most.
const NAMED: usize = 3;

/// Sends copies, and knows of each partition which are not there yet.
pub(super) struct DeadLetterQueue {
    topic: String,
    context_headers: bool,
    connector: Arc<str>,
    task: usize,
    budget: Budget,
    carrier: Carrier,
    pending: Pending,
    /// What the queue does not take for now, as the budget knows it.
    stuck: Mutex<Stuck>,
}

/// What waits for the queue.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// What is wrong, where it is.
    pub(crate) problem: Option<String>,
    /// Partitions of whose copies so many wait that no more of them should be read: they would fill the memory of all.
    pub(crate) crowded: Vec<TopicPartition>,
    /// Those that should not be read again yet.
    pub(crate) half_full: Vec<TopicPartition>,
}

impl DeadLetterQueue {
    /// The queue of a connector that has one; creates its topic with one partition where it is missing.
    ///
    /// # Errors
    /// `Config` where the client's settings are wrong, `Fatal` where the topic cannot be created, `Retriable` where no broker
    /// answers.
    pub(super) async fn start(
        worker: &WorkerConfig,
        connector: &ConnectorConfig,
        task: usize,
        budget: &Budget,
    ) -> Result<Option<Self>> {
        let Some(config) = &connector.errors.dead_letter_queue else { return Ok(None) };
        create_topic(config, admin_properties(worker, connector)?, ADMIN_TIMEOUT).await?;
        let properties = producer_properties(worker, connector, task)?;
        Self::new(&connector.name, task, config, properties, budget).map(Some)
    }

    fn new(
        connector: &Arc<str>,
        task: usize,
        config: &DeadLetterQueueConfig,
        properties: ClientProperties,
        budget: &Budget,
    ) -> Result<Self> {
        let mut client = ClientConfig::new();
        let log = ClientLog::new(format!("producer of {}", config.topic), &properties);
        client.set_log_level(log.level());
        // A topic that is gone shall be known as gone soon: copies are not lost by it.
        client.set("topic.metadata.propagation.max.ms", "5000");
        client.extend(properties);
        // What is under way is reserved in the budget, which stops reading at its limit; limits of the client would drop copies.
        client.set("queue.buffering.max.messages", "0").set("queue.buffering.max.kbytes", "2147483647");
        let carrier = Carrier::new(&config.topic, &client, log).map_err(|error| not_initialized(&config.topic, error))?;
        carrier.serve(format!("dead-letters-{connector}-{task}"))?;
        Ok(Self {
            topic: config.topic.clone(),
            context_headers: config.context_headers,
            connector: connector.clone(),
            task,
            budget: budget.clone(),
            carrier,
            pending: Pending::default(),
            stuck: Mutex::new(budget.stuck()),
        })
    }

    /// Sends a copy without waiting for it.
    pub(super) fn send(&self, failure: &Failure<'_>, on_refusal: OnRefusal, counters: &Arc<StageMetrics>) {
        counters.dead_letter_queue_requests.inc();
        let Failure { topic_partition, record, .. } = *failure;
        let (mut headers, mut bytes) = (headers::of_record(record), size(record) + MESSAGE_OVERHEAD);
        if self.context_headers {
            headers = headers::with_context(headers, &self.connector, self.task, failure);
            bytes += CONTEXT_OVERHEAD;
        }
        let slip = Slip {
            copies: self.pending.add(topic_partition, bytes, on_refusal),
            topic_partition: topic_partition.clone(),
            offset: record.offset,
            on_refusal,
            counters: counters.clone(),
            reservation: self.budget.reserve(bytes),
            is_counted: false,
            number: 0,
        };
        let contents = Contents {
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers,
            timestamp: (record.timestamp != -1).then_some(record.timestamp),
        };
        self.carrier.send(contents, Box::new(slip));
    }

    /// Waits for the copies of records of these partitions, but no longer than `within`, and not for what is known to have trouble: a task that waits
    /// for a queue that is down would miss everything else. Partitions whose copies are not there are taken out of `offsets`.
    ///
    /// # Errors
    /// `Fatal` where a copy was refused that the sink task relied on, or the producer has ended.
    pub(super) async fn settle(&self, offsets: &mut Offsets, within: Duration) -> Result<()> {
        let waited_for: Vec<_> =
            offsets.keys().filter_map(|partition| Some((partition.clone(), self.pending.of(partition)?))).collect();
        let deadline = Instant::now() + within;
        for (topic_partition, copies) in &waited_for {
            if !self.has_trouble(copies, Instant::now()) {
                // Too late is not there.
                let _late = timeout_at(deadline, copies.decided()).await;
            }
            if copies.state().count > 0 {
                offsets.remove(topic_partition);
            } else {
                self.pending.forget_settled(topic_partition);
            }
        }
        self.check()
    }

    /// Whether no copy of the partition's records is under way or refused.
    pub(super) fn is_settled(&self, topic_partition: &TopicPartition) -> bool {
        self.pending.of(topic_partition).is_none_or(|copies| copies.state().count == 0)
    }

    /// What waits, and why. Costs nothing where nothing does.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub(super) fn held(&self) -> Result<Held> {
        if self.pending.is_empty() {
            self.set_stuck(0);
            return Ok(Held::default());
        }
        self.check()?;
        let (now, partitions) = (Instant::now(), self.pending.partitions());
        let troubled: Vec<_> = partitions.iter().filter(|(_, copies)| self.has_trouble(copies, now)).collect();
        self.set_stuck(troubled.iter().map(|(_, copies)| copies.state().bytes).sum());
        // As much as the sink lets one partition hold of what its store refuses; those in trouble hold no more than the task's share together.
        let limit = self.budget.connector_share() / 8;
        let in_trouble = limit.min(self.budget.share() / troubled.len().max(1));
        let is_troubled = |topic_partition: &TopicPartition| troubled.iter().any(|(troubled, _)| *troubled == topic_partition);
        let more_than = |part: usize| {
            let limit = |topic_partition: &TopicPartition| if is_troubled(topic_partition) { in_trouble } else { limit } / part;
            let more = partitions.iter().filter(|(topic_partition, copies)| copies.state().bytes > limit(topic_partition));
            more.map(|(topic_partition, _)| topic_partition.clone()).collect()
        };
        Ok(Held { problem: self.problem(&troubled), crowded: more_than(1), half_full: more_than(2) })
    }

    fn set_stuck(&self, bytes: usize) {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner).set(bytes);
    }

    fn problem(&self, troubled: &[(&TopicPartition, &Copies)]) -> Option<String> {
        if troubled.is_empty() {
            return None;
        }
        let queue = &self.topic;
        let first = |(topic_partition, copies): &(&TopicPartition, &Copies)| {
            let state = copies.state();
            let (offset, refused) = state.refused.first_key_value()?;
            Some(format!("the record at offset {offset} of {topic_partition}: {}", refused.reason))
        };
        let what = match (self.carrier.trouble(), troubled.iter().find_map(first)) {
            (Some(reason), _) => format!("{queue} takes no records: {reason}"),
            (None, Some(refused)) => format!("{queue} does not take {refused}"),
            (None, None) => format!("{queue} does not answer"),
        };
        let named: Vec<_> = troubled.iter().take(NAMED).map(|(topic_partition, _)| topic_partition.to_string()).collect();
        let more = troubled.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more partitions") } else { String::new() };
        Some(format!("{what}; offsets of {}{more} are not committed until it does", named.join(", ")))
    }

    fn has_trouble(&self, copies: &Copies, now: Instant) -> bool {
        // First: the carrier looks at copies while it is locked, never the other way round.
        let takes_nothing = self.carrier.trouble().is_some();
        let state = copies.state();
        let is_late = now.saturating_duration_since(state.progress) > LATE_AFTER;
        state.count > 0 && (takes_nothing || is_late || !state.refused.is_empty())
    }

    fn check(&self) -> Result<()> {
        self.carrier.check()?;
        let trouble = self.carrier.trouble();
        for (topic_partition, copies) in self.pending.partitions() {
            if let Some(reason) = copies.state().broken_promise(trouble.as_ref()) {
                let message = format!("could not send records of {topic_partition} to the dead letter queue {}", self.topic);
                return Err(Error::fatal(message).with_source(reason.to_string()));
            }
        }
        Ok(())
    }

    /// Gives up these partitions' copies: whoever reads the records next sends them.
    pub(super) fn forget(&self, partitions: &[TopicPartition]) {
        self.pending.forget(partitions);
        self.carrier.drop_forgotten();
    }
}

impl fmt::Debug for DeadLetterQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeadLetterQueue({})", self.topic)
    }
}

fn size(record: &ConsumerRecord) -> usize {
    let length = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, bytes::Bytes::len);
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + length(value)).sum();
    length(&record.key) + length(&record.value) + headers
}

#[cfg(test)]
mod tests;
