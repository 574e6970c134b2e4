//! Metrics from one table of definitions.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::Collector,
    proto::{LabelPair, MetricFamily},
};

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricKind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric: registered, documented and checked from this and from nothing else.
#[derive(Debug)]
pub struct MetricDefinition {
    /// The name with its unit: `_seconds`, `_bytes`, `_total`.
    pub name: &'static str,
    /// The kind.
    pub kind: MetricKind,
    /// Label names. Their values are bounded: connectors, tasks, partitions, operations; never keys or offsets.
    pub labels: &'static [&'static str],
    /// What it counts, in one sentence.
    pub help: &'static str,
}

/// Makes metrics of definitions. Look handles up at start and keep them: a look-up costs a hundred increments.
#[derive(Clone, Default)]
pub struct Metrics {
    registry: Registry,
    registered: Arc<Mutex<HashMap<&'static str, (&'static MetricDefinition, Registered)>>>,
}

#[derive(Clone)]
enum Registered {
    Counter(IntCounterVec),
    Gauge(IntGaugeVec),
    Histogram(HistogramVec),
}

impl Metrics {
    /// The counter of these label values.
    ///
    /// # Panics
    /// Where the definition is of another kind or has other labels: a mistake that every run shows.
    pub fn counter(&self, definition: &'static MetricDefinition, labels: &[&str]) -> IntCounter {
        match self.registered(definition) {
            Registered::Counter(vec) => vec.with_label_values(labels),
            _ => panic!("{} is not a counter", definition.name),
        }
    }

    /// The gauge of these label values.
    ///
    /// # Panics
    /// As [`Metrics::counter`].
    pub fn gauge(&self, definition: &'static MetricDefinition, labels: &[&str]) -> IntGauge {
        match self.registered(definition) {
            Registered::Gauge(vec) => vec.with_label_values(labels),
            _ => panic!("{} is not a gauge", definition.name),
        }
    }

    /// The histogram of these label values.
    ///
    /// # Panics
    /// As [`Metrics::counter`].
    pub fn histogram(&self, definition: &'static MetricDefinition, labels: &[&str]) -> Histogram {
        match self.registered(definition) {
            Registered::Histogram(vec) => vec.with_label_values(labels),
            _ => panic!("{} is not a histogram", definition.name),
        }
    }

    /// Forgets the series of these label values, such as those of a partition that has moved away.
    pub fn remove(&self, definition: &'static MetricDefinition, labels: &[&str]) {
        // A series that was never made is as good as removed.
        let _absent = match self.registered(definition) {
            Registered::Counter(vec) => vec.remove_label_values(labels),
            Registered::Gauge(vec) => vec.remove_label_values(labels),
            Registered::Histogram(vec) => vec.remove_label_values(labels),
        };
    }

    /// Forgets all series that have this value of this label, such as those of a connector that is gone. Handles that somebody still has count
    /// on without being seen.
    pub fn forget(&self, label: &str, value: &str) {
        let registered: Vec<_> = self.registered.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for (definition, metric) in registered {
            if !definition.labels.contains(&label) {
                continue;
            }
            for series in metric.collect().iter().flat_map(MetricFamily::get_metric) {
                let of = |name: &str| series.get_label().iter().find(|pair| pair.name() == name).map(LabelPair::value);
                let labels: Vec<_> = definition.labels.iter().map(|name| of(name).unwrap_or_default()).collect();
                if of(label) == Some(value) {
                    self.remove(definition, &labels);
                }
            }
        }
    }

    /// The sum of all counters or gauges of this name that have this value of this label; nothing where there is none. For who looks now and then: it
    /// collects all series of the name.
    pub fn sum(&self, name: &str, label: &str, value: &str) -> Option<f64> {
        let metric = self.registered.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(|(_, metric)| metric.clone())?;
        let families = metric.collect();
        let series = families.iter().flat_map(MetricFamily::get_metric);
        let of = series.filter(|series| series.get_label().iter().any(|pair| pair.name() == label && pair.value() == value));
        let values = of.map(|series| series.get_counter().get_value() + series.get_gauge().get_value());
        values.fold(None, |sum, value| Some(sum.unwrap_or_default() + value))
    }

    /// All metrics in Prometheus' text format 0.0.4.
    pub fn scrape(&self) -> String {
        prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    fn registered(&self, definition: &'static MetricDefinition) -> Registered {
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || (definition, Registered::new(definition, &self.registry));
        registered.entry(definition.name).or_insert_with(made).1.clone()
    }
}

impl Registered {
    fn collect(&self) -> Vec<MetricFamily> {
        match self {
            Self::Counter(vec) => vec.collect(),
            Self::Gauge(vec) => vec.collect(),
            Self::Histogram(vec) => vec.collect(),
        }
    }

    fn new(definition: &'static MetricDefinition, registry: &Registry) -> Self {
        let MetricDefinition { name, kind, labels, help } = *definition;
        let (registered, collector): (_, Box<dyn Collector>) = match kind {
            MetricKind::Counter => {
                let vec = IntCounterVec::new(Opts::new(name, help), labels).unwrap_or_else(|e| panic!("{name}: {e}"));
                (Self::Counter(vec.clone()), Box::new(vec))
            }
            MetricKind::Gauge => {
                let vec = IntGaugeVec::new(Opts::new(name, help), labels).unwrap_or_else(|e| panic!("{name}: {e}"));
                (Self::Gauge(vec.clone()), Box::new(vec))
            }
            MetricKind::Histogram(buckets) => {
                let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
                let vec = HistogramVec::new(opts, labels).unwrap_or_else(|e| panic!("{name}: {e}"));
                (Self::Histogram(vec.clone()), Box::new(vec))
            }
        };
        registry.register(collector).unwrap_or_else(|e| panic!("{name}: {e}"));
        registered
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static RECORDS: MetricDefinition =
        MetricDefinition { name: "records_total", kind: MetricKind::Counter, labels: &["task", "connector"], help: "Records." };
    static DURATION: MetricDefinition =
        MetricDefinition { name: "put_seconds", kind: MetricKind::Histogram(&[1.0]), labels: &["connector"], help: "Time." };
    static USED: MetricDefinition = MetricDefinition { name: "used_bytes", kind: MetricKind::Gauge, labels: &[], help: "Bytes." };

    #[test]
    fn series_of_a_connector_are_added_up() {
        let metrics = Metrics::default();
        for (task, connector, count) in [("0", "a", 3), ("1", "a", 4), ("0", "b", 9)] {
            metrics.counter(&RECORDS, &[task, connector]).inc_by(count);
        }
        assert_eq!(metrics.sum("records_total", "connector", "a"), Some(7.0));
        assert_eq!(metrics.sum("records_total", "connector", "c"), None);
        assert_eq!(metrics.sum("used_bytes", "connector", "a"), None);
    }

    #[test]
    fn all_series_of_a_connector_are_forgotten_and_no_others() {
        let metrics = Metrics::default();
        metrics.gauge(&USED, &[]).set(7);
        for connector in ["a", "b"] {
            for task in ["0", "a"] {
                metrics.counter(&RECORDS, &[task, connector]).inc();
            }
            metrics.histogram(&DURATION, &[connector]).observe(0.5);
        }
        metrics.forget("connector", "a");
        let scrape = metrics.scrape();
        assert!(!scrape.contains(r#"connector="a""#), "{scrape}");
        for kept in [r#"{connector="b",task="a"} 1"#, r#"{connector="b",task="0"} 1"#, r#"count{connector="b"} 1"#, "used_bytes 7"]
        {
            assert!(scrape.contains(kept), "{kept}: {scrape}");
        }
    }
}
