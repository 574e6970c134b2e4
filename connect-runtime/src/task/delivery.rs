//! A batch on its way into the sink task.

use std::collections::BTreeMap;

use connect_api::{Reservation, Result, SinkRecord, TopicPartition};
use tokio::time::Instant;

use super::{Convert, Progress, assignment::Assignment, fetching::Fetching};
use crate::consumer::{Batch, PartitionRecords};

/// A batch, as far as it is converted. It is kept until the sink task has accepted it.
#[derive(Debug)]
pub(super) struct Delivery {
    partitions: Vec<PartitionRecords>,
    /// How many of them are converted, and how many records of the next one.
    converted: (usize, usize),
    /// What the sink task gets.
    records: Vec<SinkRecord>,
    /// Do nothing before.
    pub(super) not_before: Option<Instant>,
    /// It waits for a converter or a transform, and not for the sink task.
    pub(super) is_converting: bool,
    /// What a converter lacks.
    pub(super) fetching: Fetching,
    _reservation: Option<Reservation>,
}

impl Delivery {
    /// A batch without what was read before its partition was lost or sought, and without what is paused: it is not converted twice.
    pub(super) fn new(batch: Batch, assignment: &mut Assignment) -> Self {
        let Batch { mut partitions, reservation, .. } = batch;
        partitions.retain(|read| assignment.wants(&read.records.topic_partition, read.generation));
        let read = partitions.iter().map(|read| read.records.records.len()).sum();
        Self {
            partitions,
            converted: (0, 0),
            records: Vec::with_capacity(read),
            not_before: None,
            is_converting: false,
            fetching: Fetching::default(),
            _reservation: Some(reservation),
        }
    }

    /// No records at all: the sink task's clock.
    pub(super) fn empty() -> Self {
        Self {
            partitions: Vec::new(),
            converted: (0, 0),
            records: Vec::new(),
            not_before: None,
            is_converting: false,
            fetching: Fetching::default(),
            _reservation: None,
        }
    }

    /// Converts what is not converted yet.
    ///
    /// # Errors
    /// What is not tolerated.
    pub(super) fn convert(&mut self, convert: &Convert) -> Result<Progress> {
        while let Some(next) = self.partitions.get(self.converted.0) {
            match convert.apply(&next.records, self.converted.1, &mut self.records)? {
                Progress::Done => self.converted = (self.converted.0 + 1, 0),
                Progress::RetryAfter { at, delay } => {
                    self.converted.1 = at;
                    return Ok(Progress::RetryAfter { at, delay });
                }
                Progress::Lacks { at, stage } => {
                    self.converted.1 = at;
                    if let Some(fetch) = convert.fetch(&next.records, at, stage) {
                        self.fetching.begin(fetch);
                    }
                    return Ok(Progress::Lacks { at, stage });
                }
            }
        }
        Ok(Progress::Done)
    }

    /// What the sink task gets.
    pub(super) fn records(&self) -> &[SinkRecord] {
        &self.records
    }

    /// The offset after the last record of each partition, those that were left out included.
    pub(super) fn ends(&self) -> impl Iterator<Item = (&TopicPartition, i64)> {
        self.partitions.iter().filter_map(|read| {
            let last = read.records.records.last()?;
            Some((&read.records.topic_partition, last.offset + 1))
        })
    }

    /// Drops what belongs to partitions that are lost or are read anew. Compares where records were consumed, not what a transform
    /// made of their topics.
    pub(super) fn retain_current(&mut self, assignment: &Assignment) {
        let is_current = |read: &PartitionRecords| assignment.is_current(&read.records.topic_partition, read.generation);
        let stale: BTreeMap<_, _> = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, read)| !is_current(read))
            .map(|(index, read)| (read.records.topic_partition.clone(), index))
            .collect();
        if stale.is_empty() {
            return;
        }
        let gone_before = stale.values().filter(|index| **index < self.converted.0).count();
        if stale.values().any(|index| *index == self.converted.0) {
            self.converted.1 = 0;
            // What was got was for a record of a partition that is gone.
            self.fetching = Fetching::default();
        }
        self.converted.0 -= gone_before;
        self.records.retain(|record| !stale.contains_key(record.origin().topic_partition()));
        self.partitions.retain(is_current);
    }
}
