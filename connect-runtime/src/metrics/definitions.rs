//! The runtime's metrics: everything about them is said here and nowhere else.
//!
//! Names follow Prometheus' conventions; labels are bounded by what is configured: connectors, tasks, partitions, stages.

use connect_api::{MetricDefinition, MetricKind};

/// From a memory store to a store that hangs, in seconds.
const DURATIONS: &[f64] = &[0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
/// Records in one call.
const RECORDS: &[f64] = &[1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0];

const TASK: &[&str] = &["connector", "task"];
const PARTITION: &[&str] = &["connector", "task", "topic", "partition"];
const STAGE: &[&str] = &["connector", "task", "stage"];

macro_rules! definitions {
    ($($id:ident $name:literal $kind:expr, $labels:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $id: MetricDefinition = MetricDefinition { name: $name, kind: $kind, labels: $labels, help: $help };
        )*

        /// All of them, in the order of the reference.
        pub static DEFINITIONS: &[&MetricDefinition] = &[$(&$id),*];
    };
}

use MetricKind::{Counter, Gauge, Histogram};

definitions! {
    BUILD_INFO "connect_build_info" Gauge, &["version", "commit"],
        "Always 1; the labels say what is running.";
    BUDGET_USED "connect_budget_used_bytes" Gauge, &[],
        "Memory reserved by batches, open files and uploads.";
    CONNECTOR_BUDGET_USED "connect_connector_budget_used_bytes" Gauge, &["connector"],
        "Memory reserved by the connector's batches, open files and uploads, and for what its consumers fetch ahead.";
    BUDGET_LIMIT "connect_budget_limit_bytes" Gauge, &[],
        "Memory that may be reserved; reading pauses at this limit.";

    TASK_STATE "connect_task_state" Gauge, &["connector", "task", "state"],
        "1 for the state that the task is in (unassigned, running, paused, restarting, failed), 0 for the others.";
    TASK_RESTARTS "connect_task_restarts_total" Counter, TASK,
        "Starts of the task after a failure.";

    RECORDS_READ "connect_records_read_total" Counter, PARTITION,
        "Records read from Kafka, before converters and transforms.";
    READ_BYTES "connect_read_bytes_total" Counter, PARTITION,
        "Bytes of keys, values and headers read from Kafka.";
    BATCHES "connect_batches_total" Counter, TASK,
        "Batches handed from the consumer to the task.";
    CONSUMER_PAUSED "connect_consumer_paused" Gauge, TASK,
        "1 while reading is paused because the memory budget is used up or the sink asks for a retry, else 0.";
    RECORDS_FILTERED "connect_records_filtered_total" Counter, TASK,
        "Records dropped by transforms.";
    RECORDS_DELIVERED "connect_records_delivered_total" Counter, TASK,
        "Records that the sink task accepted.";
    PUT_RECORDS "connect_put_records" Histogram(RECORDS), TASK,
        "Records in one call of the sink task's put; calls without records are not counted.";
    PUT_DURATION "connect_put_duration_seconds" Histogram(DURATIONS), TASK,
        "Time that the sink task took to accept a batch.";
    PUT_RETRIES "connect_put_retries_total" Counter, TASK,
        "Calls of put that the sink task asked to be repeated.";

    PARTITION_UNREADABLE "connect_partition_unreadable" Gauge, PARTITION,
        "1 while nothing can be read from the partition (readiness says why), else 0.";
    RECORDS_GONE "connect_records_gone_total" Counter, PARTITION,
        "Records that had gone from the log before they were read: retention was shorter than the backlog, or somebody deleted them.";
    POSITION "connect_partition_position" Gauge, PARTITION,
        "Offset of the next record to read.";
    DELIVERED_OFFSET "connect_partition_delivered_offset" Gauge, PARTITION,
        "Offset after the last record that the sink task accepted or that was skipped.";
    DURABLE_OFFSET "connect_partition_durable_offset" Gauge, PARTITION,
        "Offset before which everything is durable, as the sink task said within the last second.";
    COMMITTED_OFFSET "connect_partition_committed_offset" Gauge, PARTITION,
        "Offset committed to the consumer group.";
    LOG_END_OFFSET "connect_partition_log_end_offset" Gauge, PARTITION,
        "Offset after the last record of the partition, as the broker said with the last answer to a fetch, looked at once a second. \
         Of partitions that are not read for now (`connect_consumer_paused`) it is asked every five seconds.";
    LAG "connect_partition_lag_records" Gauge, PARTITION,
        "Log end minus committed offset: what would be read again after a crash, and what is still to be read. Between commits \
         (`offset.flush.interval.ms`) it grows though everything may be durable.";

    COMMITS "connect_commits_total" Counter, &["connector", "task", "outcome"],
        "Offset commits by outcome: succeeded, failed, or skipped because a newer one was under way.";
    COMMIT_DURATION "connect_commit_duration_seconds" Histogram(DURATIONS), TASK,
        "Time from asking the sink task for its offsets to the broker's answer.";
    REBALANCES "connect_rebalances_total" Counter, &["connector", "task", "kind"],
        "Changes of the assignment: assigned, revoked, or lost without a chance to commit.";
    ASSIGNED_PARTITIONS "connect_assigned_partitions" Gauge, TASK,
        "Partitions that the task owns now.";

    RECORD_FAILURES "connect_record_failures_total" Counter, STAGE,
        "Attempts at an operation on a record that failed.";
    RECORD_ERRORS "connect_record_errors_total" Counter, STAGE,
        "Operations on a record that failed for good.";
    RECORDS_SKIPPED "connect_records_skipped_total" Counter, STAGE,
        "Records left out because errors are tolerated.";
    RECORD_RETRIES "connect_record_retries_total" Counter, STAGE,
        "Repeated attempts at an operation on a record.";
    ERRORS_LOGGED "connect_record_errors_logged_total" Counter, STAGE,
        "Failed records named in the log.";
    LAST_ERROR_TIMESTAMP "connect_last_record_error_timestamp_seconds" Gauge, TASK,
        "When the last record failed, in seconds since 1970; 0 if none has.";
    DEAD_LETTER_QUEUE_REQUESTS "connect_dead_letter_queue_requests_total" Counter, STAGE,
        "Records sent to the dead letter queue.";
    DEAD_LETTER_QUEUE_FAILURES "connect_dead_letter_queue_failures_total" Counter, STAGE,
        "Records that the dead letter queue refused, each counted once; they are sent again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_end_as_prometheus_wants_them() {
        let mut names: Vec<_> = DEFINITIONS.iter().map(|definition| definition.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DEFINITIONS.len());
        for definition in DEFINITIONS {
            assert!(definition.name.starts_with("connect_"), "{}", definition.name);
            assert_eq!(definition.name.ends_with("_total"), definition.kind == Counter, "{}", definition.name);
            assert!(!definition.name.ends_with("_count"), "{}", definition.name);
            assert!(definition.help.ends_with('.') && definition.help.len() > 10, "{}", definition.name);
        }
    }
}
