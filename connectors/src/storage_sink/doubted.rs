//! Partitions whose journal is about another topic than is known: one of the two is out of date, and which one only the brokers can say.

use std::{collections::HashMap, sync::Arc};

use connect_api::{OffsetAndMetadata, Offsets, Result, TopicPartition};
use tracing::info;

use super::{journal::Journal, topic_partition_writer::Shared};

/// The topic that each journal is about, and where the partition was left, until its first record comes.
#[derive(Default)]
pub(super) struct Doubted(HashMap<TopicPartition, (Arc<str>, OffsetAndMetadata)>);

impl Doubted {
    /// Says of which topics these positions are, where that is not what is known.
    ///
    /// # Errors
    /// `Fatal` where a journal is not to be understood.
    pub(super) fn expect(&mut self, shared: &Shared, partitions: &Offsets) -> Result<()> {
        for (topic_partition, position) in partitions {
            let Some(was) = Journal::read(&position.metadata)?.and_then(|journal| journal.topic_id) else { continue };
            if shared.context.topic_id(&topic_partition.topic).as_deref() != Some(&was) {
                let was: Arc<str> = was.into();
                shared.context.expect_topic(topic_partition.clone(), Arc::clone(&was));
                self.0.insert(topic_partition.clone(), (was, position.clone()));
            }
        }
        Ok(())
    }

    /// Asks for a partition to be read on where it was left, if its topic was only taken for another one and is known now for the one of its journal.
    pub(super) fn goes_back(&mut self, shared: &Shared, topic_partition: &TopicPartition) -> Option<OffsetAndMetadata> {
        let is = shared.context.topic_id(&topic_partition.topic)?;
        self.0.get(topic_partition).filter(|(was, _)| *was == is)?;
        let (_, position) = self.0.remove(topic_partition)?;
        info!(%topic_partition, position.offset, "the topic is the one that was read before: going on where it was left");
        shared.context.offset(topic_partition.clone(), position.offset);
        Some(position)
    }

    /// Records of the partition have come, or it is no longer ours: nothing is in doubt.
    pub(super) fn settle(&mut self, topic_partition: &TopicPartition) {
        if !self.0.is_empty() {
            self.0.remove(topic_partition);
        }
    }
}
