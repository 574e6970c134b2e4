//! A client that is made to see whether librdkafka takes its settings.

use rdkafka::{
    ClientContext,
    config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, ConsumerContext},
    error::KafkaError,
    producer::{BaseProducer, DeliveryResult, ProducerContext},
};

use super::settings::{PREFETCH, consumer_config};

/// Why librdkafka makes no client of these settings, which it takes one by one. It is made without brokers and without a group, so nothing is connected to.
pub(crate) fn refused_together(is_consumer: bool, properties: &[(String, String)]) -> Option<String> {
    let refused = match is_consumer {
        true => make::<BaseConsumer<Silent>>(consumer_config(properties, *PREFETCH.start())),
        false => make::<BaseProducer<Silent>>(properties.iter().cloned().collect()),
    };
    match refused.err()? {
        KafkaError::ClientCreation(reason) => Some(reason),
        // Without the value: it may be a secret.
        KafkaError::ClientConfig(_, _, key, _) => Some(format!("`{key}` has a value that is not taken")),
        error => Some(error.to_string()),
    }
}

fn make<C: FromClientConfigAndContext<Silent>>(mut config: ClientConfig) -> Result<(), KafkaError> {
    for key in ["bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id", "debug"] {
        config.remove(key);
    }
    config.set_log_level(RDKafkaLogLevel::Emerg).create_with_context::<Silent, C>(Silent).map(drop)
}

/// Whoever runs the client hears what it says.
struct Silent;

impl ClientContext for Silent {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ConsumerContext for Silent {}

impl ProducerContext for Silent {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_client_is_refused_for_is_found_without_a_broker() {
        let of = |settings: &[(&str, &str)]| {
            let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            [true, false].map(|is_consumer| refused_together(is_consumer, &settings))
        };
        assert_eq!(of(&[("bootstrap.servers", "nowhere.invalid:9"), ("group.id", "g")]), [None, None]);
        let [consumer, producer] = of(&[("security.protocol", "ssl"), ("ssl.ca.location", "/no/such/file")]);
        assert!(consumer.unwrap().contains("ssl.ca.location") && producer.unwrap().contains("ssl.ca.location"));
    }
}
