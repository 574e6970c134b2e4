//! Records that no file takes. Those that lie among the records of an object that is there already are reported once more: the owner before may have died
//! after the object and before the report, which comes to the dead letter queue at least once.

use std::{collections::HashMap, sync::Arc};

use connect_api::{Error, ErrorKind, PartitionedBy, Result, SinkRecord, data::Schema};

use super::{
    compatibility::Compatibility,
    config::NullValues,
    open_file::{Begins, OpenFile},
    open_files::Which,
    projection::project,
    topic_partition_writer::TopicPartitionWriter,
};

impl TopicPartitionWriter {
    /// Gives the record to whoever takes what cannot be written.
    ///
    /// # Errors
    /// Where nobody does.
    pub(super) fn report(&self, record: &SinkRecord, error: Error) -> Result<()> {
        let error = self.explained(record, error);
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
        let only_schema = self.only_schema(record);
        let begins = Begins { first_offset: 0, tombstones: false, only_schema };
        let begin = || OpenFile::new(&self.shared.config, "", begins, |_| false, false, &self.shared.context.budget);
        let directory = self.directories.current(&self.shared.config);
        self.trial.would_take(record, group, (directory, only_schema), self.shared.config.compatibility, begin)
    }
}

/// Files that are never sent, for records that may be in objects already.
#[derive(Default)]
pub(super) struct Trial {
    /// The first offset of the group whose records are tried.
    group: i64,
    /// By directory, for each schema that has files of its own.
    files: HashMap<Option<u64>, HashMap<Box<str>, Tried>>,
}

struct Tried {
    file: OpenFile,
    /// Of its first record.
    schema: Option<Arc<Schema>>,
}

impl Trial {
    /// Whether the file that the record belongs to has taken it. `begin` begins one.
    fn would_take(
        &mut self,
        record: &SinkRecord,
        group: i64,
        (directory, only_schema): Which<'_>,
        compatibility: Compatibility,
        begin: impl Fn() -> Result<OpenFile>,
    ) -> Result<()> {
        if self.group != group {
            self.group = group;
            self.files.clear();
        }
        let files = self.files.entry(only_schema).or_default();
        match files.get_mut(directory) {
            Some(Tried { file, schema })
                if compatibility == Compatibility::None
                    || compatibility.change(record.value.schema.as_ref(), schema.as_ref())?.is_none() =>
            {
                match schema {
                    Some(schema) if compatibility.projects(record, schema) => file.would_take(&project(record, schema)?),
                    _ => file.would_take(record),
                }
            }
            _ => {
                let mut file = begin()?;
                file.would_take(record)?;
                files.insert(directory.into(), Tried { file, schema: record.value.schema.clone() });
                Ok(())
            }
        }
    }
}

/// Whether a transform has given the record to another partition. The name is the same text in memory as a rule.
pub(super) fn has_moved(record: &SinkRecord) -> bool {
    let origin = record.origin().topic_partition();
    record.partition != origin.partition || !Arc::ptr_eq(&record.topic, &origin.topic) && record.topic != origin.topic
}

/// No record of its topic could be written: it is no matter of `errors.tolerance`, as on the JVM.
pub(super) fn moved(record: &SinkRecord) -> Error {
    let origin = record.origin().topic_partition();
    let hint = "a transform has changed its topic or partition, and this sink writes records of the partitions that it reads: take that transform out of \
                `transforms`; topics.dir, or InsertField with topic.field and FieldPartitioner, bring another name into those of objects";
    Error::fatal(format!("a record of {origin} says it belongs to {}-{}: {hint}", record.topic, record.partition))
        .with_class("org.apache.kafka.connect.errors.ConnectException")
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

    fn begin(format: &str) -> OpenFile {
        let settings = [("format.class", format), ("flush.size", "1")].into_iter().collect();
        let config = StorageSinkConfig::new(&settings, &crate::plugins()).unwrap();
        let begins = Begins { first_offset: 0, tombstones: false, only_schema: None };
        OpenFile::new(&config, "", begins, |_| false, false, &Budget::new(1 << 30)).unwrap()
    }

    fn record(name: &'static str, version: Option<i32>) -> SinkRecord {
        let schema = Schema { version, ..Schema::required(SchemaType::Int32).named(name) };
        record_of(Data::with_schema(Arc::new(schema), Value::Int32(1)))
    }

    #[test]
    fn a_record_that_its_file_refused_for_its_schema_is_refused_again() {
        let mut trial = Trial::default();
        let mut takes = |record: SinkRecord, group: i64, directory: &str| {
            trial.would_take(&record, group, (directory, None), Compatibility::Backward, || Ok(begin("JsonFormat"))).is_ok()
        };
        assert!(takes(record("a", None), 0, "d"));
        assert!(!takes(record("b", None), 0, "d"), "schemas without versions cannot be compared");
        assert!(takes(record("b", None), 0, "another"));
        assert!(takes(record("a", None), 0, "d"));
        assert!(takes(record("b", None), 7, "d"), "the first of another object");
    }

    #[test]
    fn without_compatibility_no_schema_is_refused() {
        let mut trial = Trial::default();
        for name in ["a", "b"] {
            let taken = trial.would_take(&record(name, None), 0, ("d", None), Compatibility::None, || Ok(begin("JsonFormat")));
            assert!(taken.is_ok());
        }
    }

    #[test]
    fn a_file_of_one_schema_refuses_what_it_refused() {
        let mut trial = Trial::default();
        let mut takes = |name, directory: &str, group| {
            let begin = || Ok(begin("AvroFormat"));
            trial.would_take(&record(name, None), group, (directory, None), Compatibility::None, begin).is_ok()
        };
        assert!(takes("a", "d", 0));
        assert!(!takes("b", "d", 0));
        assert!(takes("a", "d", 0));
        assert!(takes("b", "e", 0));
        assert!(takes("b", "d", 7), "the first of another object");
    }

    #[test]
    fn where_each_schema_has_a_file_of_its_own_each_is_tried_with_its_own() {
        let mut trial = Trial::default();
        let mut takes = |name, only_schema| {
            let begin = || Ok(begin("AvroFormat"));
            trial.would_take(&record(name, None), 0, ("d", Some(only_schema)), Compatibility::None, begin).is_ok()
        };
        assert!(takes("a", 1) && takes("b", 2) && takes("a", 1) && takes("b", 2));
        assert!(!takes("b", 1));
    }
}
