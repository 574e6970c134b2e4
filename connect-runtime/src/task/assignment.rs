//! The partitions that a task has, and what it knows of each.

use std::collections::BTreeMap;

use connect_api::{OffsetAndMetadata, Offsets, TopicPartition};

use crate::{
    consumer::{EpochOffset, Generation, NewLog},
    metrics::PartitionMetrics,
};

/// One partition while it is ours.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) generation: Generation,
    /// What is committed, with its metadata, as far as we know.
    pub(super) committed: OffsetAndMetadata,
    /// The offset after the last record that the sink task accepted or that was left out.
    pub(super) delivered: i64,
    /// Whether the sink task has opened it.
    pub(super) opened: bool,
    /// Who wants nothing of it to be read for now.
    pub(super) paused: PausedBy,
    /// Records came while it was paused: they are read again.
    pub(super) missed: bool,
    /// Commits before this one say nothing of this assignment, or of this log.
    pub(super) first_commit: u64,
    /// The group may hold an offset of an earlier log.
    pub(super) owes_commit: bool,
    pub(super) metrics: PartitionMetrics,
}

/// Who wants a partition paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PausedBy {
    /// The sink task.
    pub(super) sink: bool,
    /// Too many of its records wait for the dead letter queue.
    pub(super) dead_letters: bool,
}

impl PausedBy {
    /// Whether anybody does.
    pub(super) fn anybody(self) -> bool {
        self.sink || self.dead_letters
    }
}

/// All partitions of a task.
#[derive(Debug, Default)]
pub(super) struct Assignment(pub(super) BTreeMap<TopicPartition, Partition>);

impl Assignment {
    /// Whether records of this generation are what the partition reads now.
    pub(super) fn is_current(&self, topic_partition: &TopicPartition, generation: Generation) -> bool {
        self.0.get(topic_partition).is_some_and(|partition| partition.generation == generation)
    }

    /// Where the partitions begin that the sink task has not opened.
    pub(super) fn unopened(&self) -> Offsets {
        let unopened = self.0.iter().filter(|(_, partition)| !partition.opened);
        unopened.map(|(topic_partition, partition)| (topic_partition.clone(), partition.committed.clone())).collect()
    }

    /// The offsets after what was delivered of the opened partitions among `of`, with the metadata that is committed.
    pub(super) fn delivered(&self, of: impl Fn(&TopicPartition) -> bool) -> Offsets {
        let opened = self.0.iter().filter(|(topic_partition, partition)| partition.opened && of(topic_partition));
        let offset = |partition: &Partition| OffsetAndMetadata::new(partition.delivered, partition.committed.metadata.as_str());
        opened.map(|(topic_partition, partition)| (topic_partition.clone(), offset(partition))).collect()
    }

    /// What is committed of these partitions.
    pub(super) fn committed(&self, of: &Offsets) -> Offsets {
        let committed = |topic_partition| Some(self.0.get(topic_partition)?.committed.clone());
        of.keys().filter_map(|topic_partition| Some((topic_partition.clone(), committed(topic_partition)?))).collect()
    }

    /// What may be committed of `delivered` where only of the `settled` all is done: the others keep their offset, and what the sink task says beside
    /// it may be committed all the same.
    pub(super) fn held_back(&self, delivered: &Offsets, settled: Offsets) -> Offsets {
        self.committed(delivered).into_iter().chain(settled).collect()
    }

    /// The offsets with the epochs that they may be committed in.
    pub(super) fn with_epochs(&self, offsets: Offsets) -> Vec<EpochOffset> {
        let of_epoch = |(topic_partition, offset)| {
            let Generation { epoch, log, .. } = self.0.get(&topic_partition)?.generation;
            Some(EpochOffset { topic_partition, epoch, log, offset })
        };
        offsets.into_iter().filter_map(of_epoch).collect()
    }

    /// Whether records of this generation are wanted now. Those that are not, because the partition is paused, are read again later: nobody has
    /// looked at them yet.
    pub(super) fn wants(&mut self, topic_partition: &TopicPartition, generation: Generation) -> bool {
        let Some(partition) = self.0.get_mut(topic_partition).filter(|partition| partition.generation == generation) else {
            return false;
        };
        let paused = partition.paused.anybody();
        partition.missed |= paused;
        !paused
    }

    /// The partition is read from `offset` on; returns the new generation.
    pub(super) fn rewind(&mut self, topic_partition: &TopicPartition, offset: i64) -> Option<Generation> {
        let partition = self.0.get_mut(topic_partition)?;
        partition.generation.seeks += 1;
        partition.delivered = offset;
        partition.missed = false;
        Some(partition.generation)
    }

    /// The log has begun anew: nothing of the old one counts any more, and its commits say nothing, the one under way included. Returns where
    /// the new one begins, unless the assignment is over.
    pub(super) fn begin_anew(&mut self, log: &NewLog, first_commit: u64) -> Option<OffsetAndMetadata> {
        let partition = self.0.get_mut(&log.topic_partition)?;
        if partition.generation.epoch != log.generation.epoch || partition.generation.log >= log.generation.log {
            return None;
        }
        partition.generation = log.generation;
        partition.delivered = log.begin;
        partition.committed = OffsetAndMetadata::new(log.begin, "");
        partition.first_commit = first_commit;
        partition.owes_commit = true;
        partition.metrics.begin(log.begin);
        Some(partition.committed.clone())
    }

    /// Whether any of these must be committed though nothing seems to change.
    pub(super) fn owes_commit(&self, of: &Offsets) -> bool {
        of.keys().any(|topic_partition| self.0.get(topic_partition).is_some_and(|partition| partition.owes_commit))
    }

    /// Shows what the sink task says is durable.
    pub(super) fn show_durable(&self, offered: &Offsets) {
        for (topic_partition, offset) in offered {
            if let Some(partition) = self.0.get(topic_partition) {
                partition.metrics.durable.set(offset.offset);
            }
        }
    }

    /// Says which records of topics that have been deleted were read and are not known to be durable, where `last` is to be committed.
    pub(super) fn say_what_is_lost(&self, deleted: &[TopicPartition], last: &Offsets) {
        for topic_partition in deleted {
            let Some(partition) = self.0.get(topic_partition) else { continue };
            let durable = last.get(topic_partition).unwrap_or(&partition.committed).offset;
            if durable < partition.delivered {
                tracing::error!(
                    %topic_partition,
                    from = durable,
                    before = partition.delivered,
                    "the topic was deleted before all that was read of it was written: records of these offsets may be missing for ever"
                );
            }
        }
    }

    /// Takes the result of a commit; returns what of it is about partitions as they are assigned now.
    pub(super) fn merge_committed(&mut self, seq: u64, offsets: Offsets) -> Offsets {
        let mut merged = Offsets::new();
        for (topic_partition, offset) in offsets {
            if let Some(partition) = self.0.get_mut(&topic_partition)
                && seq >= partition.first_commit
            {
                partition.metrics.set_committed(offset.offset);
                partition.committed = offset.clone();
                partition.owes_commit = false;
                merged.insert(topic_partition, offset);
            }
        }
        merged
    }
}
