//! Records that no file takes. Those that lie among the records of an object that is there already are reported once more: the owner before may have died
//! after the object and before the report, which comes to the dead letter queue at least once.

use std::{collections::HashMap, sync::Arc};

use connect_api::{Error, ErrorKind, PartitionedBy, Result, SinkRecord, data::Schema};

use super::{
    compatibility::Compatibility,
    config::NullValues,
    open_file::OpenFile,
    projection::project,
    topic_partition_writer::{TopicPartitionWriter, has_moved, moved},
};

impl TopicPartitionWriter {
    /// Gives the record to whoever takes what cannot be written.
    ///
    /// # Errors
    /// Where nobody does.
    pub(super) fn report(&self, record: &SinkRecord, error: Error) -> Result<()> {
        match self.shared.context.errant_record_reporter() {
            Some(reporter) => reporter.report(record, &error),
            None => {
                Err(error.context(format!("record at offset {} of {} cannot be written", record.offset(), self.topic_partition)))
            }
        }
    }

    /// Looks whether a record that is not written again is in the object at all, and reports it where it is not.
    pub(super) fn report_what_no_file_took(&mut self, record: &SinkRecord, now: i64) -> Result<()> {
        let is_dropped = record.is_tombstone() && self.shared.config.null_values != NullValues::Write;
        if is_dropped || self.shared.context.errant_record_reporter().is_none() {
            return Ok(());
        }
        let tried = if has_moved(record) { Err(moved(record)) } else { self.try_to_write(record, now) };
        match tried {
            Err(error) if error.kind() == ErrorKind::Data => self.report(record, error),
            tried => tried,
        }
    }

    fn try_to_write(&mut self, record: &SinkRecord, now: i64) -> Result<()> {
        // Whose time cannot be known ends the task, and no owner came beyond it.
        let Ok(time) = self.time_of(record, now) else { return Ok(()) };
        // A directory that the clock decides alone fails for no record.
        if !self.shared.config.by_clock() || self.shared.config.partitioned_by == PartitionedBy::RecordAndTime {
            self.locate(record, time.unwrap_or(now))?;
        }
        let group = self.boundaries.durable_first();
        let trial = match &mut self.trial {
            Some(trial) => trial,
            none => none.insert(Trial::new(OpenFile::new(
                &self.shared.config,
                "",
                (0, false),
                |_| false,
                false,
                &self.shared.context.budget,
            )?)),
        };
        trial.would_take(record, group, self.directories.current(&self.shared.config), self.shared.config.compatibility)
    }
}

/// A file that is never sent, for records that may be in an object already.
pub(super) struct Trial {
    file: OpenFile,
    /// The first offset of the object whose records are tried.
    group: i64,
    /// Of the first record of each of its directories that was written.
    schemas: HashMap<Box<str>, Option<Arc<Schema>>>,
}

impl Trial {
    fn new(file: OpenFile) -> Self {
        Self { file, group: 0, schemas: HashMap::new() }
    }

    /// Whether the file that the record belongs to has taken it.
    fn would_take(&mut self, record: &SinkRecord, group: i64, directory: &str, compatibility: Compatibility) -> Result<()> {
        if compatibility == Compatibility::None {
            return self.file.would_take(record);
        }
        if self.group != group {
            self.group = group;
            self.schemas.clear();
        }
        match self.schemas.get(directory) {
            Some(current) if compatibility.change(record.value.schema.as_ref(), current.as_ref())?.is_none() => match current {
                Some(schema) if compatibility.projects(record, schema) => self.file.would_take(&project(record, schema)?),
                _ => self.file.would_take(record),
            },
            _ => {
                self.file.would_take(record)?;
                self.schemas.insert(directory.into(), record.value.schema.clone());
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        Budget,
        data::{Data, SchemaType, Value},
        testing::record_of,
    };

    use super::*;
    use crate::storage_sink::config::StorageSinkConfig;

    fn trial() -> Trial {
        let settings = [("format.class", "JsonFormat"), ("flush.size", "1")].into_iter().collect();
        let config = StorageSinkConfig::new(&settings, &crate::plugins()).unwrap();
        let budget = Budget::new(1 << 30);
        Trial::new(OpenFile::new(&config, "", (0, false), |_| false, false, &budget).unwrap())
    }

    fn record(name: &'static str, version: Option<i32>) -> SinkRecord {
        let schema = Schema { version, ..Schema::required(SchemaType::Int32).named(name) };
        record_of(Data::with_schema(Arc::new(schema), Value::Int32(1)))
    }

    #[test]
    fn a_record_that_its_file_refused_for_its_schema_is_refused_again() {
        let mut trial = trial();
        let mut takes = |record: SinkRecord, group: i64, directory: &str| {
            trial.would_take(&record, group, directory, Compatibility::Backward).is_ok()
        };
        assert!(takes(record("a", None), 0, "d"));
        assert!(!takes(record("b", None), 0, "d"), "schemas without versions cannot be compared");
        assert!(takes(record("b", None), 0, "another"));
        assert!(takes(record("a", None), 0, "d"));
        assert!(takes(record("b", None), 7, "d"), "the first of another object");
    }

    #[test]
    fn without_compatibility_no_schema_is_refused() {
        let mut trial = trial();
        for name in ["a", "b"] {
            assert!(trial.would_take(&record(name, None), 0, "d", Compatibility::None).is_ok());
        }
    }
}
