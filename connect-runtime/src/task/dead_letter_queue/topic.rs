//! The queue's topic.

use std::{sync::Arc, time::Duration};

use connect_api::{Error, Result};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    config::ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::{
    config::{ClientProperties, DeadLetterQueueConfig},
    consumer::kafka::{self, ClientLog},
};

/// How often the admin client's log is passed on.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Creates the topic with one partition unless it is there.
pub(super) async fn create_topic(config: &DeadLetterQueueConfig, properties: ClientProperties, timeout: Duration) -> Result<()> {
    let topic = config.topic.as_str();
    let mut client = ClientConfig::new();
    let log = ClientLog::new(format!("admin client of {topic}"), &properties);
    client.set_log_level(log.level());
    client.extend(properties);
    let admin: AdminClient<ClientLog> = client.create_with_context(log).map_err(|error| not_initialized(topic, error))?;
    let admin = Arc::new(admin);
    let creating = create(&admin, config, timeout);
    tokio::pin!(creating);
    loop {
        let created = tokio::time::timeout(LOG_EVERY, &mut creating).await;
        kafka::pass_on(admin.inner());
        if let Ok(created) = created {
            return created;
        }
    }
}

async fn create(admin: &Arc<AdminClient<ClientLog>>, config: &DeadLetterQueueConfig, timeout: Duration) -> Result<()> {
    let topic = config.topic.as_str();
    let lister = admin.clone();
    // All topics: asking for one by name may create it with the broker's defaults. The call waits, so it gets a thread.
    let listing = tokio::task::spawn_blocking(move || lister.inner().fetch_metadata(None, timeout));
    let metadata = listing
        .await
        .map_err(|error| Error::fatal("listing topics was cut off").with_source(error))?
        .map_err(|error| not_initialized(topic, error))?;
    if metadata.topics().iter().any(|known| known.name() == topic) {
        return Ok(());
    }
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(config.replication_factor.into()));
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let created = admin.create_topics([&new], &options).await.map_err(|error| not_initialized(topic, error))?;
    match created.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | None => Ok(()),
        Some(Err((_, code))) => Err(not_initialized(topic, KafkaError::AdminOp(code))),
        Some(Ok(_)) => {
            tracing::info!(topic, "created the dead letter queue");
            Ok(())
        }
    }
}

pub(super) fn not_initialized(topic: &str, error: KafkaError) -> Error {
    let message = format!("Could not initialize dead letter queue with topic={topic}");
    // Not kept as the cause: it prints the value, which may be a secret.
    if matches!(error, KafkaError::ClientConfig(..)) {
        return kafka::refused(&error).context(message);
    }
    let error_of = match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut,
        ) => Error::retriable,
        _ => Error::fatal,
    };
    error_of(message).with_class("org.apache.kafka.connect.errors.ConnectException").with_source(error)
}
