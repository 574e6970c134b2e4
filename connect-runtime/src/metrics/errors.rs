//! Handles of the counters of one task's failed records, by stage.

use connect_api::Metrics;
use prometheus::{IntCounter, IntGauge};

use super::definitions::*;

/// The counters of one stage.
#[derive(Debug)]
pub(crate) struct StageMetrics {
    pub(crate) failures: IntCounter,
    pub(crate) errors: IntCounter,
    pub(crate) skipped: IntCounter,
    pub(crate) retries: IntCounter,
    pub(crate) logged: IntCounter,
    pub(crate) dead_letter_queue_requests: IntCounter,
    pub(crate) dead_letter_queue_failures: IntCounter,
}

impl StageMetrics {
    /// The counters of this stage, whose name is as Connect spells it.
    pub(crate) fn new(metrics: &Metrics, connector: &str, task: usize, stage: &str) -> Self {
        let task = task.to_string();
        let counter = |definition| metrics.counter(definition, &[connector, &task, stage]);
        Self {
            failures: counter(&RECORD_FAILURES),
            errors: counter(&RECORD_ERRORS),
            skipped: counter(&RECORDS_SKIPPED),
            retries: counter(&RECORD_RETRIES),
            logged: counter(&ERRORS_LOGGED),
            dead_letter_queue_requests: counter(&DEAD_LETTER_QUEUE_REQUESTS),
            dead_letter_queue_failures: counter(&DEAD_LETTER_QUEUE_FAILURES),
        }
    }
}

/// When the last record of a task failed.
pub(crate) fn last_error(metrics: &Metrics, connector: &str, task: usize) -> IntGauge {
    metrics.gauge(&LAST_ERROR_TIMESTAMP, &[connector, &task.to_string()])
}
