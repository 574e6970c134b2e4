//! A line in the log now and then for each connector that has done something: that it works is seen without a dashboard.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use connect_api::Metrics;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::{
    ConnectorBudgets,
    definitions::{LAG, RECORDS_DELIVERED},
};

/// What sinks that write objects count: a sink that has these names is shown with them.
const OBJECTS: &str = "connect_sink_objects_total";
const OBJECT_BYTES: &str = "connect_sink_object_bytes_total";

/// What has been told of each connector.
#[derive(Debug)]
pub(crate) struct Progress {
    metrics: Metrics,
    budgets: ConnectorBudgets,
    told: BTreeMap<Arc<str>, Done>,
}

/// What a connector has done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Done {
    records: f64,
    objects: f64,
    bytes: f64,
}

/// What there is to tell of a connector.
#[derive(Debug, PartialEq)]
struct News {
    since: Done,
    in_all: Done,
    lag: f64,
}

impl Progress {
    /// Nothing told yet of the connectors that have these budgets.
    pub(crate) fn new(metrics: Metrics, budgets: ConnectorBudgets) -> Self {
        Self { metrics, budgets, told: BTreeMap::new() }
    }

    /// Tells every `interval`, until `stop`.
    pub(crate) async fn tell_every(mut self, interval: Duration, stop: CancellationToken) {
        let mut ticks = interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.tell(interval),
            }
        }
    }

    fn tell(&mut self, interval: Duration) {
        let running = self.budgets.used();
        self.told.retain(|connector, _| running.iter().any(|(name, _)| name == connector));
        for (connector, memory) in running {
            let Some(News { since, in_all, lag }) = self.news(&connector) else { continue };
            tracing::info!(
                connector = &*connector,
                records = %Whole(since.records),
                objects = %Whole(since.objects),
                bytes = %Whole(since.bytes),
                lag = %Whole(lag),
                memory,
                records_in_all = %Whole(in_all.records),
                objects_in_all = %Whole(in_all.objects),
                bytes_in_all = %Whole(in_all.bytes),
                "progress of the last {interval:?}"
            );
        }
    }

    /// What has happened since it was told last; nothing where nothing has, and nothing is left to read or to commit.
    fn news(&mut self, connector: &Arc<str>) -> Option<News> {
        let sum = |name| self.metrics.sum(name, "connector", connector).unwrap_or_default();
        let in_all = Done { records: sum(RECORDS_DELIVERED.name), objects: sum(OBJECTS), bytes: sum(OBJECT_BYTES) };
        let lag = sum(LAG.name);
        let told = self.told.insert(connector.clone(), in_all).unwrap_or_default();
        // A connector of this name that was made anew counts anew.
        let told = if in_all.records < told.records { Done::default() } else { told };
        let since = Done {
            records: in_all.records - told.records,
            objects: in_all.objects - told.objects,
            bytes: in_all.bytes - told.bytes,
        };
        (since != Done::default() || lag > 0.0).then_some(News { since, in_all, lag })
    }
}

/// A count, as Prometheus keeps it, without a fraction.
struct Whole(f64);

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use connect_api::TopicPartition;

    use super::*;
    use crate::metrics::TaskMetrics;

    #[test]
    fn what_was_done_is_told_once_and_nothing_where_nothing_was() {
        let metrics = Metrics::default();
        let task = TaskMetrics::new(&metrics, "s3", 0);
        let mut progress = Progress::new(metrics.clone(), ConnectorBudgets::default());
        let connector: Arc<str> = "s3".into();
        assert_eq!(progress.news(&connector), None);
        task.records_delivered.inc_by(5);
        let news = progress.news(&connector).unwrap();
        assert_eq!((news.since.records, news.in_all.records, news.lag), (5.0, 5.0, 0.0));
        assert_eq!(progress.news(&connector), None);
        task.records_delivered.inc_by(2);
        let news = progress.news(&connector).unwrap();
        assert_eq!((news.since.records, news.in_all.records), (2.0, 7.0));
        assert_eq!(Whole(news.in_all.records).to_string(), "7");
    }

    #[test]
    fn a_connector_that_does_nothing_though_something_is_to_be_done_is_told_of() {
        let metrics = Metrics::default();
        let task = TaskMetrics::new(&metrics, "s3", 0);
        let partition = task.partition(&TopicPartition::new("orders", 0));
        partition.set_log_end(9);
        let mut progress = Progress::new(metrics.clone(), ConnectorBudgets::default());
        for _ in 0..2 {
            let news = progress.news(&"s3".into()).unwrap();
            assert_eq!((news.since, news.lag), (Done::default(), 9.0));
        }
        partition.set_committed(9);
        assert_eq!(progress.news(&"s3".into()), None);
    }
}
