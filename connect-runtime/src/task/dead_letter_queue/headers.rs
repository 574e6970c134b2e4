//! What a copy says of the record and of its failure.

use connect_api::{ConsumerRecord, Error};
use rdkafka::message::{Header, OwnedHeaders};

use super::super::tolerance::Failure;

/// The record's own headers.
pub(super) fn of_record(record: &ConsumerRecord) -> OwnedHeaders {
    let insert =
        |headers: OwnedHeaders, (key, value): &connect_api::RawHeader| headers.insert(Header { key, value: value.as_deref() });
    record.headers.iter().fold(OwnedHeaders::new(), insert)
}

/// Adds what Kafka Connect says of a failed record.
pub(super) fn with_context(headers: OwnedHeaders, connector: &str, task: usize, failure: &Failure<'_>) -> OwnedHeaders {
    let insert =
        |headers: OwnedHeaders, (key, value): (&str, Option<String>)| headers.insert(Header { key, value: value.as_deref() });
    context(connector, task, failure).into_iter().fold(headers, insert)
}

/// What Kafka Connect says of a failed record in the headers of its copy, in its order.
pub(super) fn context(connector: &str, task: usize, failure: &Failure<'_>) -> [(&'static str, Option<String>); 10] {
    let Failure { stage, class, error, topic_partition, record } = failure;
    // An exception without a message has an empty one here.
    let message = Some(error.to_string()).filter(|message| !message.is_empty());
    [
        ("__connect.errors.topic", Some(topic_partition.topic.to_string())),
        ("__connect.errors.partition", Some(topic_partition.partition.to_string())),
        ("__connect.errors.offset", Some(record.offset.to_string())),
        ("__connect.errors.connector.name", Some(connector.to_owned())),
        ("__connect.errors.task.id", Some(task.to_string())),
        ("__connect.errors.stage", Some(stage.name().to_owned())),
        ("__connect.errors.class.name", Some((*class).to_owned())),
        ("__connect.errors.exception.class.name", Some(error.class().to_owned())),
        ("__connect.errors.exception.message", message),
        ("__connect.errors.exception.stacktrace", Some(trace(error))),
    ]
}

/// Shaped like a printed stack trace: the class and message, then the causes.
pub(super) fn trace(error: &Error) -> String {
    let message = error.to_string();
    let mut trace = error.class().to_owned();
    if !message.is_empty() {
        trace += &format!(": {message}");
    }
    trace.push('\n');
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        trace += &format!("Caused by: {error}\n");
        cause = error.source();
    }
    trace
}
