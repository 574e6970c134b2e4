//! How partitions of a task begin, and begin anew: once it is known what lies ahead of them in the bucket.

use connect_api::{Offsets, Result, TopicPartition};

use super::Started;
use crate::storage_sink::{opening::Why, topic_partition_writer::TopicPartitionWriter};

impl Started {
    /// Partitions begin where they were left.
    pub(super) async fn assign(&mut self, partitions: &Offsets, now: i64) -> Result<()> {
        let writers = self.openings.open(&self.shared, partitions, Why::Assigned, now)?;
        writers.into_iter().for_each(|writer| self.insert(writer));
        let writers = self.openings.begin_soon(&self.shared, now).await?;
        writers.into_iter().for_each(|writer| self.insert(writer));
        Ok(())
    }

    pub(super) fn insert(&mut self, writer: TopicPartitionWriter) {
        self.by_id.insert(writer.state.id, writer.topic_partition.clone());
        if let Some(before) = self.writers.insert(writer.topic_partition.clone(), writer) {
            self.by_id.remove(&before.state.id);
        }
    }

    /// Whether the topic is known to be another one than when the partition was opened. Otherwise its objects may hold the records that come again.
    pub(super) fn is_another_topic(&self, topic_partition: &TopicPartition) -> bool {
        let was = self.writers.get(topic_partition).and_then(|writer| writer.gate.journal.topic_id.as_deref());
        let was = was.or_else(|| self.openings.topic_id(topic_partition));
        was.zip(self.shared.context.topic_id(&topic_partition.topic)).is_some_and(|(was, is)| *was != *is)
    }

    /// Partitions go on as soon as it is known what lies ahead of them.
    pub(super) fn begin_what_was_surveyed(&mut self, now: i64) -> Result<()> {
        let writers = self.openings.begin(&self.shared, now)?;
        writers.into_iter().for_each(|writer| self.insert(writer));
        Ok(())
    }

    /// Looks at the bucket for partitions that met an object of their own that was cut elsewhere.
    pub(super) fn survey_again(&mut self, now: i64) -> Result<()> {
        let may_survey = |writer: &mut TopicPartitionWriter| writer.may_survey().then(|| writer.topic_partition.clone());
        let due: Vec<_> = self.writers.values_mut().filter_map(may_survey).collect();
        let (mut positions, mut before) = (Offsets::new(), Vec::new());
        for topic_partition in due {
            if let Some(mut writer) = self.writers.remove(&topic_partition) {
                self.by_id.remove(&writer.state.id);
                positions.insert(topic_partition.clone(), writer.durable_position());
                before.push((topic_partition, std::mem::take(&mut writer.met), writer.gate.doubts()));
            }
        }
        if !positions.is_empty() {
            let writers = self.openings.open(&self.shared, &positions, Why::CutOtherwise, now)?;
            writers.into_iter().for_each(|writer| self.insert(writer));
        }
        for (topic_partition, met, is_doubted) in before {
            self.openings.met(&topic_partition, met);
            if is_doubted {
                self.openings.doubt(|waiting| *waiting == topic_partition);
                self.writers.get_mut(&topic_partition).into_iter().for_each(TopicPartitionWriter::doubt);
            }
        }
        Ok(())
    }
}
