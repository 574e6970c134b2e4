//! What it means that a copy was not taken.

use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is about what was sent: a copy, or what it shared a batch with.
    Contents,
    /// Whatever is sent would be refused now.
    Queue,
    /// The client takes nothing any more.
    Client,
    /// Nobody refused it: the client gives up all that it has, because it ends, or because it cannot go on.
    Purged,
}

impl Refusal {
    /// Judges an error by its code. What nobody has thought of is about the queue: everything waits.
    pub(super) fn of(error: &KafkaError) -> Self {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            Some(
                Code::MessageSizeTooLarge
                | Code::MessageBatchTooLarge
                | Code::InvalidMessage
                | Code::InvalidMessageSize
                | Code::InvalidRecord
                | Code::InvalidDifferentRecord
                | Code::InvalidTimestamp
                | Code::UnsupportedForMessageFormat,
            ) => Self::Contents,
            Some(Code::Fatal | Code::Fenced) => Self::Client,
            Some(Code::PurgeQueue | Code::PurgeInflight) => Self::Purged,
            _ => Self::Queue,
        }
    }
}

/// Who refused a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The client, which has not sent it.
    Client,
    /// A broker.
    Broker,
}

/// What is wrong, and what mends it.
pub(super) fn reason(error: &KafkaError, by: By) -> String {
    use RDKafkaErrorCode as Code;
    let said = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
    let mended_by = match (error.rdkafka_error_code(), by) {
        (Some(Code::MessageSizeTooLarge), By::Client) => {
            "with its headers it is larger than the producer may send: raise producer.override.max.request.size in the connector's file"
        }
        (Some(Code::MessageSizeTooLarge | Code::MessageBatchTooLarge), By::Broker) => {
            "with its headers it is larger than the topic allows: raise the topic's max.message.bytes"
        }
        (Some(Code::InvalidTimestamp), _) => "the topic takes no such timestamp: look at its message.timestamp.* settings",
        (Some(Code::InvalidRecord), _) => "a compacted topic takes no record without a key: set the topic's cleanup.policy=delete",
        (Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition), _) => {
            "the topic does not exist any more: create it"
        }
        (Some(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed), _) => {
            "the producer may not write to the topic: allow it"
        }
        _ => return said,
    };
    format!("{said}; {mended_by}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_one_copy_is_told_from_what_concerns_all() {
        use RDKafkaErrorCode as Code;
        let of = |code| Refusal::of(&KafkaError::MessageProduction(code));
        assert_eq!([Code::MessageSizeTooLarge, Code::InvalidRecord].map(of), [Refusal::Contents; 2]);
        let about_the_queue = [Code::UnknownTopic, Code::TopicAuthorizationFailed, Code::MessageTimedOut, Code::Unknown];
        assert_eq!(about_the_queue.map(of), [Refusal::Queue; 4]);
        assert_eq!([Code::Fatal, Code::PurgeQueue].map(of), [Refusal::Client, Refusal::Purged]);
    }

    #[test]
    fn the_reason_says_what_mends_it_and_whose_limit_it_is() {
        let error = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
        assert!(reason(&error, By::Client).contains("max.request.size"));
        assert!(reason(&error, By::Broker).contains("max.message.bytes"));
    }
}
