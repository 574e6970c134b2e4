//! Whether a cluster answers.

use std::{sync::Mutex, time::Duration};

use connect_api::{Error, Result};
use rdkafka::{
    ClientContext,
    consumer::{Consumer, ConsumerContext, base_consumer::BaseConsumer},
    error::KafkaError,
};

use super::settings::{PREFETCH, consumer_config, refused};

/// The id comes with the first answer, if at all.
const CLUSTER_ID_TIMEOUT: Duration = Duration::from_millis(100);

/// Events that are looked at for the reason.
const EVENTS: usize = 50;

/// Keeps the last error: librdkafka's own answer is only that time is up.
#[derive(Default)]
struct LastError(Mutex<Option<String>>);

impl ConsumerContext for LastError {}

impl ClientContext for LastError {
    // The reason is in the error that is returned, and the clients that follow say the rest.
    fn log(&self, _level: rdkafka::config::RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, _error: KafkaError, reason: &str) {
        if let Ok(mut last) = self.0.lock()
            // That all are down says less than why one is.
            && (last.is_none() || !reason.contains("brokers are down"))
        {
            *last = Some(reason.to_owned());
        }
    }
}

/// Waits for a broker to answer, on the calling thread; returns the cluster's id.
///
/// # Errors
/// `Config` where librdkafka refuses the settings; `Retriable` where no broker answers in time.
pub(crate) fn probe(properties: &[(String, String)], within: Duration) -> Result<Option<String>> {
    let mut config = consumer_config(properties, *PREFETCH.start());
    // Without a group nothing is joined, and closing takes no time.
    config.remove("group.id").remove("group.instance.id");
    let brokers = config.get("bootstrap.servers").unwrap_or_default().to_owned();
    let consumer: BaseConsumer<LastError> = config.create_with_context(LastError::default()).map_err(|error| refused(&error))?;
    match consumer.fetch_metadata(Some("__consumer_offsets"), within) {
        Ok(_) => Ok(consumer.client().fetch_cluster_id(CLUSTER_ID_TIMEOUT)),
        Err(error) => {
            // Errors arrive as events, one at a time.
            for _ in 0..EVENTS {
                consumer.poll(Duration::ZERO);
            }
            let last = consumer.context().0.lock().ok().and_then(|mut last| last.take());
            let reason = last.unwrap_or_else(|| error.to_string());
            Err(Error::retriable(format!("no Kafka broker answered at {brokers} within {} s: {reason}", within.as_secs())))
        }
    }
}
