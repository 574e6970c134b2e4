//! Handles of one task's metrics, looked up once.

use std::sync::OnceLock;

use connect_api::{Metrics, TopicPartition};
use prometheus::{Histogram, IntCounter, IntGauge};

use super::definitions::*;

/// The metrics of one task. Its owner adds to them per batch, never per record.
#[derive(Debug)]
pub(crate) struct TaskMetrics {
    pub(crate) batches: IntCounter,
    pub(crate) consumer_paused: IntGauge,
    pub(crate) records_filtered: IntCounter,
    pub(crate) records_delivered: IntCounter,
    pub(crate) put_records: Histogram,
    pub(crate) put_duration: Histogram,
    pub(crate) put_retries: IntCounter,
    pub(crate) commits_succeeded: IntCounter,
    pub(crate) commits_failed: IntCounter,
    pub(crate) commits_skipped: IntCounter,
    pub(crate) commit_duration: Histogram,
    pub(crate) partitions_assigned: IntCounter,
    pub(crate) partitions_revoked: IntCounter,
    pub(crate) partitions_lost: IntCounter,
    pub(crate) assigned_partitions: IntGauge,
    pub(crate) restarts: IntCounter,
    metrics: Metrics,
    connector: String,
    task: String,
}

impl TaskMetrics {
    /// The handles of this task.
    pub(crate) fn new(metrics: &Metrics, connector: &str, task: usize) -> Self {
        let task = task.to_string();
        let labels = [connector, task.as_str()];
        let commits = |outcome| metrics.counter(&COMMITS, &[connector, &task, outcome]);
        let rebalances = |kind| metrics.counter(&REBALANCES, &[connector, &task, kind]);
        Self {
            batches: metrics.counter(&BATCHES, &labels),
            consumer_paused: metrics.gauge(&CONSUMER_PAUSED, &labels),
            records_filtered: metrics.counter(&RECORDS_FILTERED, &labels),
            records_delivered: metrics.counter(&RECORDS_DELIVERED, &labels),
            put_records: metrics.histogram(&PUT_RECORDS, &labels),
            put_duration: metrics.histogram(&PUT_DURATION, &labels),
            put_retries: metrics.counter(&PUT_RETRIES, &labels),
            commits_succeeded: commits("succeeded"),
            commits_failed: commits("failed"),
            commits_skipped: commits("skipped"),
            commit_duration: metrics.histogram(&COMMIT_DURATION, &labels),
            partitions_assigned: rebalances("assigned"),
            partitions_revoked: rebalances("revoked"),
            partitions_lost: rebalances("lost"),
            assigned_partitions: metrics.gauge(&ASSIGNED_PARTITIONS, &labels),
            restarts: metrics.counter(&TASK_RESTARTS, &labels),
            metrics: metrics.clone(),
            connector: connector.to_owned(),
            task,
        }
    }

    /// The handles of a partition that the task has just been given. Drop those of an earlier assignment first.
    pub(crate) fn partition(&self, topic_partition: &TopicPartition) -> PartitionMetrics {
        let labels =
            [self.connector.clone(), self.task.clone(), topic_partition.topic.to_string(), topic_partition.partition.to_string()];
        let names = labels.each_ref().map(String::as_str);
        PartitionMetrics {
            records_read: self.metrics.counter(&RECORDS_READ, &names),
            read_bytes: self.metrics.counter(&READ_BYTES, &names),
            unreadable: self.metrics.gauge(&PARTITION_UNREADABLE, &names),
            records_gone: self.metrics.counter(&RECORDS_GONE, &names),
            position: self.metrics.gauge(&POSITION, &names),
            delivered: self.metrics.gauge(&DELIVERED_OFFSET, &names),
            durable: self.metrics.gauge(&DURABLE_OFFSET, &names),
            committed: self.metrics.gauge(&COMMITTED_OFFSET, &names),
            log_end: OnceLock::new(),
            metrics: self.metrics.clone(),
            labels,
        }
    }
}

/// The metrics of one assigned partition; dropping it removes its series, since another task or process shows them from then on.
#[derive(Debug)]
pub(crate) struct PartitionMetrics {
    pub(crate) records_read: IntCounter,
    pub(crate) read_bytes: IntCounter,
    pub(crate) unreadable: IntGauge,
    pub(crate) records_gone: IntCounter,
    pub(crate) position: IntGauge,
    pub(crate) delivered: IntGauge,
    pub(crate) durable: IntGauge,
    committed: IntGauge,
    /// The log's end and the lag, once the end is known: no number is better than a wrong one.
    log_end: OnceLock<(IntGauge, IntGauge)>,
    metrics: Metrics,
    labels: [String; 4],
}

impl PartitionMetrics {
    /// Where reading begins, or begins anew.
    pub(crate) fn begin(&self, offset: i64) {
        self.position.set(offset);
        self.delivered.set(offset);
        self.durable.set(offset);
        // That of an earlier log says nothing.
        if let Some((log_end, _)) = self.log_end.get() {
            log_end.set(offset);
        }
        self.set_committed(offset);
    }

    /// Everything before this offset has been read, and the log reaches as far at least.
    pub(crate) fn read_until(&self, offset: i64) {
        self.position.set(offset);
        if self.log_end.get().is_some_and(|(log_end, _)| offset > log_end.get()) {
            self.set_log_end(offset);
        }
    }

    /// The offset that the group holds now.
    pub(crate) fn set_committed(&self, offset: i64) {
        self.committed.set(offset);
        self.set_lag();
    }

    /// The high watermark as the consumer saw it last.
    pub(crate) fn set_log_end(&self, offset: i64) {
        let names = self.labels.each_ref().map(String::as_str);
        let gauges = || (self.metrics.gauge(&LOG_END_OFFSET, &names), self.metrics.gauge(&LAG, &names));
        self.log_end.get_or_init(gauges).0.set(offset);
        self.set_lag();
    }

    // Either side may be seen first, and the high watermark may be older than the commit: lag never shows below zero.
    fn set_lag(&self) {
        if let Some((log_end, lag)) = self.log_end.get() {
            lag.set((log_end.get() - self.committed.get()).max(0));
        }
    }
}

impl Drop for PartitionMetrics {
    fn drop(&mut self) {
        let names = self.labels.each_ref().map(String::as_str);
        for definition in DEFINITIONS.iter().filter(|definition| definition.labels.len() == names.len()) {
            self.metrics.remove(definition, &names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_log_end_minus_the_committed_offset_and_never_negative() {
        let metrics = Metrics::default();
        let partition = TaskMetrics::new(&metrics, "s3", 0).partition(&TopicPartition::new("orders", 3));
        let lag = || partition.log_end.get().map(|(_, lag)| lag.get());
        partition.begin(10);
        assert!(lag().is_none() && !metrics.scrape().contains("lag"), "nobody knows the end of the log yet");
        assert_eq!(partition.durable.get(), 10, "what is committed is durable");
        partition.set_log_end(25);
        assert_eq!(lag(), Some(15));
        partition.set_committed(30);
        assert_eq!(lag(), Some(0));
        partition.begin(0);
        assert_eq!((lag(), partition.durable.get()), (Some(0), 0), "another log");
    }

    #[test]
    fn what_was_read_lies_in_the_log() {
        let metrics = Metrics::default();
        let partition = TaskMetrics::new(&metrics, "s3", 0).partition(&TopicPartition::new("orders", 3));
        partition.begin(10);
        partition.set_log_end(12);
        partition.read_until(15);
        let end = || partition.log_end.get().map(|(log_end, lag)| (log_end.get(), lag.get()));
        assert_eq!((partition.position.get(), end()), (15, Some((15, 5))));
        partition.read_until(13);
        assert_eq!((partition.position.get(), end()), (13, Some((15, 5))), "read again");
    }

    #[test]
    fn the_series_of_a_partition_go_with_it_and_others_stay() {
        let metrics = Metrics::default();
        let task = TaskMetrics::new(&metrics, "s3", 0);
        let (orders, users) = (task.partition(&TopicPartition::new("orders", 3)), task.partition(&TopicPartition::new("users", 0)));
        orders.records_read.inc_by(5);
        users.records_read.inc_by(7);
        drop(orders);
        let scrape = metrics.scrape();
        assert!(!scrape.contains("orders"), "{scrape}");
        assert!(
            scrape.contains(r#"connect_records_read_total{connector="s3",partition="0",task="0",topic="users"} 7"#),
            "{scrape}"
        );
    }
}
