//! Offsets to librdkafka's lists and back, and where an assignment begins.

use std::time::Duration;

use connect_api::{Error, OffsetAndMetadata, Offsets, Result, TopicPartition};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer, ConsumerContext, base_consumer::BaseConsumer},
    error::{KafkaError, KafkaResult},
    topic_partition_list::TopicPartitionListElem,
    types::RDKafkaErrorCode,
};

/// How long one question to the brokers may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// The pause before a question is asked again, at first and at most.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Where to begin a partition that has no committed offset (`auto.offset.reset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reset {
    /// At its first record.
    Earliest,
    /// After its last record.
    Latest,
    /// At the first record that is no older than this (KIP-1106), or after its last one.
    Since(Duration),
    /// Nowhere: that is an error.
    Error,
}

impl Reset {
    /// Where librdkafka shall begin until it is known which offset that is.
    pub(super) fn begin(self) -> Offset {
        if self == Self::Latest { Offset::End } else { Offset::Beginning }
    }

    /// As librdkafka spells it, or for a duration `by_duration:<milliseconds>`.
    pub(super) fn parse(text: &str) -> Self {
        if let Some(millis) = text.strip_prefix("by_duration:").and_then(|millis| millis.parse().ok()) {
            return Self::Since(Duration::from_millis(millis));
        }
        match text {
            "earliest" | "smallest" | "beginning" => Self::Earliest,
            "error" | "none" => Self::Error,
            _ => Self::Latest,
        }
    }
}

/// The partitions of a list.
pub(super) fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(|element| TopicPartition::new(element.topic(), element.partition())).collect()
}

/// Offsets with their metadata as a list.
pub(super) fn to_list(offsets: &Offsets) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (topic_partition, OffsetAndMetadata { offset, metadata }) in offsets {
        let mut element = list.add_partition(&topic_partition.topic, topic_partition.partition);
        // Only negative offsets are refused, and there are none.
        if element.set_offset(Offset::Offset(*offset)).is_ok() && !metadata.is_empty() {
            element.set_metadata(metadata);
        }
    }
    list
}

/// What is committed for these partitions. Asks while it `goes_on`, and says what is wrong through `trouble`.
///
/// # Errors
/// `Retriable` where the brokers do not answer in time, `Fatal` where they refuse.
pub(super) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    added: &TopicPartitionList,
    goes_on: &dyn Fn() -> bool,
    trouble: &dyn Fn(&KafkaError),
) -> Result<Offsets> {
    let committed = ask_while(goes_on, trouble, "fetching committed offsets", || {
        let committed = consumer.committed_offsets(added.clone(), REQUEST_TIMEOUT)?;
        committed.elements().iter().try_for_each(|element| element.error())?;
        Ok(committed)
    })?;
    let offset = |element: &TopicPartitionListElem<'_>| {
        let Offset::Offset(offset) = element.offset() else { return None };
        Some((TopicPartition::new(element.topic(), element.partition()), OffsetAndMetadata::new(offset, element.metadata())))
    };
    Ok(committed.elements().iter().filter_map(offset).collect())
}

/// Nothing is committed for these partitions, and nobody has said where to begin.
pub(super) fn nowhere_to_begin<'a>(missing: impl Iterator<Item = &'a TopicPartition>) -> Error {
    let named: Vec<_> = missing.map(ToString::to_string).collect();
    Error::fatal(format!("no offset is committed for {} and `auto.offset.reset` is `none`", named.join(", ")))
}

/// Asks again while the answer is a fault that may pass.
fn ask_while<T>(
    goes_on: &dyn Fn() -> bool,
    trouble: &dyn Fn(&KafkaError),
    doing: &str,
    ask: impl Fn() -> KafkaResult<T>,
) -> Result<T> {
    let mut pause = RETRY_PAUSE.0;
    loop {
        let error = match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if is_refusal(&error) {
            return Err(refused(doing, error));
        }
        if !goes_on() {
            return Err(Error::retriable(doing).with_source(error));
        }
        tracing::warn!(%error, retry_in = ?pause, "{doing} failed, trying again");
        trouble(&error);
        std::thread::sleep(pause);
        pause = (pause * 2).min(RETRY_PAUSE.1);
    }
}

fn refused(doing: &str, error: KafkaError) -> Error {
    Error::fatal(doing.to_owned()).with_source(error)
}

fn is_refusal(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{ClusterAuthorizationFailed, Fatal, GroupAuthorizationFailed, InvalidGroupId, TopicAuthorizationFailed};
    let refusals = [ClusterAuthorizationFailed, Fatal, GroupAuthorizationFailed, InvalidGroupId, TopicAuthorizationFailed];
    error.rdkafka_error_code().is_some_and(|code| refusals.contains(&code))
}
