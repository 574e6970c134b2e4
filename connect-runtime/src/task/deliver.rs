//! From a batch to the sink task.

use connect_api::{ErrorKind, Result};
use tokio::time::Instant;

use super::{Progress, SinkLoop, delivery::Delivery, fetching::Fetched, turning::shown_to_turn};

/// What readiness calls a converter that waits for something.
const CONVERTER: &str = "converter";

impl SinkLoop {
    /// Converts what is not converted, and gives it to the sink task, even if it is nothing.
    pub(super) async fn deliver(&mut self) -> Result<()> {
        let now = Instant::now();
        let delivery = self.delivery.get_or_insert_with(Delivery::empty);
        if delivery.not_before.is_some_and(|at| now < at) {
            return if delivery.is_converting { self.let_the_sink_go_on().await } else { Ok(()) };
        }
        if !self.convert(now)? {
            return self.let_the_sink_go_on().await;
        }
        let Some(delivery) = &self.delivery else { return Ok(()) };
        let putting = self.parts.sink.put(delivery.records());
        let put = shown_to_turn(&self.parts.health, putting).await.and_then(|()| self.parts.errors.check_reports());
        match put {
            Ok(()) => self.delivered(now),
            Err(error) if error.kind() == ErrorKind::Retriable => {
                let pause = self.parts.host.take_timeout().map_or(self.commits.next(now), |pause| Instant::now() + pause);
                tracing::error!(error = error.report(), retry_in = ?(pause - now), "RetriableException from SinkTask:");
                self.parts.metrics.put_retries.inc();
                self.parts.metrics.consumer_paused.set(1);
                self.retrying = true;
                if let Some(delivery) = &mut self.delivery {
                    delivery.not_before = Some(pause);
                }
            }
            Err(error) => return Err(error.context("Exiting WorkerSinkTask due to unrecoverable exception.")),
        }
        Ok(())
    }

    /// Whether everything is converted. Where it is not, something must happen first.
    ///
    /// # Errors
    /// What is neither tolerated nor tried again.
    fn convert(&mut self, now: Instant) -> Result<bool> {
        let Some(delivery) = &mut self.delivery else { return Ok(true) };
        match delivery.fetching.look(now)? {
            Fetched::Yes => {}
            Fetched::NotYet => {
                if delivery.fetching.is_slow(now) {
                    let problem = "what a converter needs has been asked for, and there is no answer for seconds";
                    self.parts.health.set_problem(CONVERTER, Some(problem.to_owned()));
                }
                return Ok(false);
            }
            Fetched::Failed(error, retry_in) => {
                if delivery.fetching.is_worth_a_word() {
                    tracing::warn!(error = error.report(), ?retry_in, "a converter lacks something; records wait for it");
                }
                self.parts.health.set_problem(CONVERTER, Some(error.report()));
                return Ok(false);
            }
        }
        match delivery.convert(&self.parts.convert)? {
            Progress::Done => {
                delivery.is_converting = false;
                self.parts.health.set_problem(CONVERTER, None);
                Ok(true)
            }
            Progress::RetryAfter { delay, .. } => {
                (delivery.not_before, delivery.is_converting) = (Some(now + delay), true);
                Ok(false)
            }
            Progress::Lacks { .. } => {
                delivery.is_converting = true;
                Ok(false)
            }
        }
    }

    /// While a converter waits for the environment the sink task's clock goes on.
    async fn let_the_sink_go_on(&mut self) -> Result<()> {
        match shown_to_turn(&self.parts.health, self.parts.sink.put(&[])).await {
            Err(error) if error.kind() != ErrorKind::Retriable => {
                Err(error.context("Exiting WorkerSinkTask due to unrecoverable exception."))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The sink task has accepted the batch.
    fn delivered(&mut self, since: Instant) {
        self.parts.host.take_timeout();
        let Some(delivery) = self.delivery.take() else { return };
        for (topic_partition, end) in delivery.ends() {
            if let Some(partition) = self.assignment.0.get_mut(topic_partition) {
                partition.delivered = end;
                partition.metrics.delivered.set(end);
            }
        }
        let metrics = &self.parts.metrics;
        if self.retrying {
            self.retrying = false;
            metrics.consumer_paused.set(0);
        }
        let records = delivery.records().len();
        if records > 0 {
            metrics.records_delivered.inc_by(records as u64);
            metrics.put_records.observe(records as f64);
            metrics.put_duration.observe(since.elapsed().as_secs_f64());
        }
    }
}
