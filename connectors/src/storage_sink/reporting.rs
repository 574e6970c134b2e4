//! Records that no file takes. Those that lie among the records of an object that is there already are reported once more: the owner before may have died
//! after the object and before the report, which comes to the dead letter queue at least once.

use connect_api::{Error, ErrorKind, PartitionedBy, Result, SinkRecord};

use super::{
    config::NullValues,
    open_file::OpenFile,
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
        if self.trial.is_none() {
            self.trial = Some(OpenFile::new(&self.shared.config, "", (0, false), |_| false, false, &self.shared.context.budget)?);
        }
        self.trial.as_mut().map_or(Ok(()), |trial| trial.would_take(record))
    }
}
