//! Which directory a record's file is in.

use std::{ops::Range, sync::Arc};

use connect_api::{PartitionedBy, Result, SinkRecord};

use super::config::StorageSinkConfig;

/// So many buckets of time are remembered with their directories.
const REMEMBERED: usize = 1_024;

/// The directory that a record of one partition goes to. Nothing is allocated, and no pattern is formatted, where the directory is one of those before.
pub(super) struct Directories {
    /// The partition's directory, where it has only one.
    only: Option<Box<str>>,
    /// That of the record that was looked at last.
    current: Current,
    scratch: String,
    /// Those of buckets of time, by their first instant.
    buckets: Vec<(Range<i64>, Arc<str>)>,
    /// The bucket that was used last: records come in runs.
    last: usize,
}

enum Current {
    Only,
    Tombstones,
    Scratch,
    Bucket,
}

impl Directories {
    pub(super) fn new(only: Option<Box<str>>) -> Self {
        Self { only, current: Current::Only, scratch: String::new(), buckets: Vec::new(), last: 0 }
    }

    /// The partition's directory, where it has only one.
    pub(super) fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    /// Looks for the record's directory. `time`: the record's, where the partitioner goes by time.
    ///
    /// # Errors
    /// `Data` where the record has none.
    pub(super) fn find(&mut self, config: &StorageSinkConfig, record: &SinkRecord, time: i64) -> Result<()> {
        self.current = match config.partitioned_by {
            _ if record.is_tombstone() => Current::Tombstones,
            PartitionedBy::TopicPartition if self.only.is_some() => Current::Only,
            PartitionedBy::Time => {
                self.find_bucket(config, record, time)?;
                Current::Bucket
            }
            PartitionedBy::TopicPartition | PartitionedBy::Record | PartitionedBy::RecordAndTime => {
                self.scratch.clear();
                config.partitioner.encode_partition(record, time, &mut self.scratch)?;
                Current::Scratch
            }
        };
        Ok(())
    }

    /// What was found last.
    pub(super) fn current<'a>(&'a self, config: &'a StorageSinkConfig) -> &'a str {
        match self.current {
            Current::Only => self.only.as_deref().unwrap_or_default(),
            Current::Tombstones => &config.tombstone_partition,
            Current::Scratch => &self.scratch,
            Current::Bucket => self.buckets.get(self.last).map_or("", |(_, directory)| directory),
        }
    }

    fn find_bucket(&mut self, config: &StorageSinkConfig, record: &SinkRecord, time: i64) -> Result<()> {
        if self.buckets.get(self.last).is_some_and(|(bucket, _)| bucket.contains(&time)) {
            return Ok(());
        }
        let place = self.buckets.partition_point(|(bucket, _)| bucket.end <= time);
        if self.buckets.get(place).is_some_and(|(bucket, _)| bucket.contains(&time)) {
            self.last = place;
            return Ok(());
        }
        let bucket = config.partitioner.bucket(time);
        self.scratch.clear();
        config.partitioner.encode_partition(record, time, &mut self.scratch)?;
        if self.buckets.len() >= REMEMBERED {
            self.buckets.clear();
        }
        self.last = self.buckets.partition_point(|(other, _)| other.end <= time);
        self.buckets.insert(self.last, (bucket, self.scratch.as_str().into()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        config::Config,
        data::{Data, Value},
        testing::record_of,
    };

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn config() -> StorageSinkConfig {
        let settings: Config = [
            ("format.class", "JsonFormat"),
            ("flush.size", "1"),
            ("partitioner.class", "HourlyPartitioner"),
            ("timezone", "UTC"),
            ("locale", "en"),
        ]
        .into_iter()
        .collect();
        StorageSinkConfig::new(&settings, &crate::plugins()).unwrap()
    }

    #[test]
    fn directories_of_any_order_of_times_are_those_of_the_partitioner_however_many_are_remembered() {
        let (config, record) = (config(), record_of(Data::schemaless(Value::Int64(1))));
        let mut directories = Directories::new(None);
        for step in 0..5_000_i64 {
            let time = (step * 7_919 % 2_500) * HOUR / 2 + step;
            directories.find(&config, &record, time).unwrap();
            let mut expected = String::new();
            config.partitioner.encode_partition(&record, time, &mut expected).unwrap();
            assert_eq!(directories.current(&config), expected);
            assert!(directories.buckets.len() <= REMEMBERED);
        }
    }

    #[test]
    fn null_values_have_a_directory_of_their_own() {
        let config = config();
        let mut directories = Directories::new(None);
        directories.find(&config, &record_of(Data::default()), HOUR).unwrap();
        assert_eq!(directories.current(&config), "tombstone");
    }
}
