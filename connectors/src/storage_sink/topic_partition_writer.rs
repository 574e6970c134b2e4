//! One partition within one assignment: which records are written, and which are left out. When files are cut is decided in [`rotation`](super::rotation) and
//! carried out in [`cutting`](super::cutting), which directory a record goes to is in [`directories`](super::directories), what may be committed in
//! [`committing`](super::committing).

use std::{ops::Range, sync::Arc};

use connect_api::{
    ConsumerRecord, ConsumerRecords, Error, ErrorKind, OffsetAndMetadata, Origin, PartitionedBy, PieceLimit, Result, SinkRecord,
    SinkTaskContext, Stuck, TopicPartition,
    data::{Data, Schema},
};
use tracing::warn;

use super::{
    boundaries::Boundaries,
    config::{NullValues, StorageSinkConfig},
    directories::Directories,
    gate::Gate,
    journal::Journal,
    ledger::{CutId, Ledger},
    metrics::{DURABLE_OFFSET, Reason, TaskMetrics},
    open_file::{Begins, OpenFile},
    open_files::{OpenFiles, Which},
    projection::project,
    provenance::Provenance,
    reporting::{Trial, has_moved, moved},
    rotation::{Group, Next},
    schema_files::SchemaFiles,
    slot::Slot,
    uploads::Uploads,
    writer_state::WriterState,
};

/// What all writers of a task share.
pub(super) struct Shared {
    pub(super) config: Arc<StorageSinkConfig>,
    pub(super) uploads: Arc<Uploads>,
    pub(super) context: SinkTaskContext,
    pub(super) metrics: TaskMetrics,
    /// Which connector this is, as journals and objects say it.
    pub(super) owner: u64,
}

impl Shared {
    /// Shows that everything before this offset is durable.
    pub(super) fn show_durable(&self, topic_partition: &TopicPartition, offset: i64) {
        let labels = [&self.context.connector, &topic_partition.topic, &*topic_partition.partition.to_string()];
        self.context.metrics.gauge(&DURABLE_OFFSET, &labels).set(offset);
    }
}

pub(super) struct TopicPartitionWriter {
    pub(super) topic_partition: TopicPartition,
    pub(super) state: Arc<WriterState>,
    pub(super) shared: Arc<Shared>,
    /// Of plain JSON, where one is inferred.
    pub(super) inferred: Option<Arc<Schema>>,
    pub(super) directories: Directories,
    schema_files: SchemaFiles,
    /// Names of objects with a longer one would be refused by every store.
    longest_directory: usize,
    /// What this store asks beside, if anything.
    piece_limit: Option<PieceLimit>,
    /// The clock's bucket that was looked at last.
    clock_bucket: Range<i64>,
    pub(super) files: OpenFiles,
    /// What the open files hold together.
    pub(super) group: Group,
    pub(super) last_written: i64,
    pub(super) next_to_read: i64,
    /// The offset after the last record that was left out because an object has it already.
    skipped_until: i64,
    pub(super) next_rotation: i64,
    pub(super) last_tick: i64,
    pub(super) boundaries: Boundaries,
    pub(super) knows_ahead: bool,
    /// Decisions of the wall clock that an earlier owner committed hold up to here.
    decided_until: i64,
    pub(super) ledger: Ledger,
    pub(super) gate: Gate,
    pub(super) uploading: usize,
    /// Reading is paused until the store takes again what waits for it.
    pub(super) is_paused: bool,
    /// An object of this history was cut elsewhere: look at the bucket, and go on from what is durable.
    pub(super) must_survey: bool,
    /// Objects of this history that were cut elsewhere, as uploads met them.
    pub(super) met: Vec<(String, Provenance)>,
    /// A file that is never sent, for records that may be in an object already.
    pub(super) trial: Trial,
    /// Since when the store has refused something of this partition without a break.
    pub(super) refused_since: Option<tokio::time::Instant>,
    /// What waits without an end in sight, as the budget knows it.
    pub(super) stuck: Stuck,
    /// Which cut has not been let go for how long, though all before it were.
    pub(super) held_since: Option<(CutId, tokio::time::Instant)>,
}

/// What a writer begins with.
pub(super) struct Beginning {
    pub(super) topic_partition: TopicPartition,
    pub(super) position: OffsetAndMetadata,
    pub(super) journal: Journal,
    pub(super) committed: Option<Journal>,
    pub(super) boundaries: Boundaries,
    /// Whether all that may lie in the bucket beyond the position is in `boundaries`.
    pub(super) knows_ahead: bool,
    pub(super) encoded_partition: Option<Box<str>>,
}

impl TopicPartitionWriter {
    pub(super) fn new(shared: &Arc<Shared>, beginning: Beginning, now: i64) -> Self {
        let Beginning { topic_partition, position, mut journal, committed, boundaries, knows_ahead, encoded_partition } = beginning;
        // Of what lies beyond the last planned cut nothing was completed: the clock decides anew.
        let decided_until = boundaries.every_until();
        journal.buckets.retain(|(from, _)| *from < decided_until);
        let longest_directory = shared.config.longest_directory(&topic_partition);
        Self {
            topic_partition,
            state: WriterState::new(now),
            shared: Arc::clone(shared),
            inferred: None,
            directories: Directories::new(encoded_partition),
            schema_files: SchemaFiles::default(),
            longest_directory,
            piece_limit: shared.uploads.storage.piece_limit(),
            clock_bucket: 0..0,
            files: OpenFiles::default(),
            group: Group::default(),
            last_written: -1,
            next_to_read: position.offset,
            skipped_until: 0,
            next_rotation: shared.config.schedule.as_ref().map_or(i64::MAX, |schedule| schedule.next_after(now)),
            last_tick: now,
            boundaries,
            knows_ahead,
            decided_until,
            ledger: Ledger::new(position.offset),
            gate: Gate::new(journal, committed, position),
            uploading: 0,
            is_paused: false,
            must_survey: false,
            met: Vec::new(),
            trial: Trial::default(),
            refused_since: None,
            stuck: shared.context.budget.stuck(),
            held_since: None,
        }
    }

    /// Takes the next record: writes it, or leaves it out on purpose.
    pub(super) fn append(&mut self, record: &SinkRecord, now: i64) -> Result<()> {
        let offset = record.offset();
        if offset < self.next_to_read || self.must_survey {
            // Read again though nobody asked for it, or about to be.
            return Ok(());
        }
        self.next_to_read = offset + 1;
        if let Some(end) = self.boundaries.pass(offset, self.last_written + 1) {
            self.cut(Reason::Recovery, end)?;
        }
        let is_durable = self.boundaries.is_durable(offset);
        if is_durable {
            self.skipped_until = self.next_to_read;
        }
        let Some(record) = self.typed(record, is_durable)? else { return Ok(()) };
        let record = &*record;
        if is_durable {
            return self.report_what_no_file_took(record, now);
        }
        if has_moved(record) {
            return Err(moved(record));
        }
        // `fail` and the report of `ignore` are the task's part: they come before anything of the list is written.
        if record.is_tombstone() && self.shared.config.null_values != NullValues::Write {
            return Ok(());
        }
        let time = self.time_of(record, now)?;
        match self.write(record, time, now) {
            Err(error) if error.kind() == ErrorKind::Data => return self.report(record, error),
            written => written?,
        }
        if let Some(end) = self.boundaries.pass(self.next_to_read, self.next_to_read) {
            self.cut(Reason::Recovery, end)?;
        } else if let Some(reason) = self.shared.config.rotation.after(&self.group)
            && !self.boundaries.decide(offset)
        {
            self.cut(reason, self.next_to_read)?;
        }
        Ok(())
    }

    fn write(&mut self, record: &SinkRecord, time: Option<i64>, now: i64) -> Result<()> {
        self.find_directory(record, time, now)?;
        let only_schema = self.only_schema(record);
        let fits = self.cut_before(record, time, only_schema)?;
        let tombstone = record.is_tombstone();
        let config = &self.shared.config;
        let directory = self.directories.current(config);
        let (bytes, file) = if let Some(file) = self.files.get_mut((directory, only_schema)) {
            let bytes = match &file.schema {
                Some(schema) if fits && config.compatibility.projects(record, schema) => file.write(&project(record, schema)?)?,
                _ => file.write(record)?,
            };
            (bytes, (file.range.records, file.bytes))
        } else {
            let before_offset = config.keys.before_offset(&self.topic_partition, directory);
            let is_there = |slot: &Slot| self.boundaries.has_file(slot, record.offset());
            let begins = Begins { first_offset: record.offset(), tombstones: tombstone, only_schema };
            let tolerates = self.shared.context.errant_record_reporter().is_some();
            let mut file = OpenFile::new(config, &before_offset, begins, is_there, tolerates, &self.shared.context.budget)?;
            // A file begins with the first record that was written to it: one that is refused leaves no file behind.
            let bytes = file.write(record)?;
            let written = (file.range.records, file.bytes);
            self.files.insert((directory, only_schema), file);
            self.shared.metrics.open_files.inc();
            (bytes, written)
        };
        if self.group.records == 0 {
            // A group of which some files are there keeps its first offset, though its first records may be gone from the log since; unless it was
            // divided on the way: what follows is another group.
            let known = self.boundaries.group_first(record.offset()).filter(|first| *first >= self.ledger.last_end());
            self.group.first = known.unwrap_or(record.offset());
            // Behind what was found durable nothing else was read: the rest is gone from the log, or was left out on purpose.
            if self.skipped_until > self.ledger.last_end() {
                self.ledger.skip(self.group.first);
            }
        }
        self.group.has_schemas |= record.value.schema.is_some();
        let next = Next { time, directory, is_tombstone: tombstone };
        self.group.wrote(&config.rotation, &next, (bytes, file), now);
        self.last_written = record.offset();
        Ok(())
    }

    /// The record's time, where the partitioner goes by time. Null values have the one that they have in Kafka.
    pub(super) fn time_of(&self, record: &SinkRecord, now: i64) -> Result<Option<i64>> {
        let Some(extractor) = &self.shared.config.extractor else { return Ok(None) };
        if record.is_tombstone() {
            return Ok(record.timestamp);
        }
        // As on the JVM not even `errors.tolerance=all` helps: where the record belongs cannot be known.
        let timestamp = extractor.timestamp(record, now).map(Some);
        timestamp
            .map_err(|error| error.context(format!("record at offset {} of {} has no time", record.offset(), self.topic_partition)))
    }

    fn find_directory(&mut self, record: &SinkRecord, time: Option<i64>, now: i64) -> Result<()> {
        let by_clock = self.shared.config.by_clock() && !record.is_tombstone();
        let time = if by_clock { self.decide(record.offset(), now) } else { time.unwrap_or(now) };
        self.locate(record, time)
    }

    /// Finds the record's directory, and sees to it that it can be one.
    ///
    /// # Errors
    /// `Data` where the record has none, one that only null values have, or one so long that no store takes the names in it, or this store does not.
    pub(super) fn locate(&mut self, record: &SinkRecord, time: i64) -> Result<()> {
        let config = &self.shared.config;
        self.directories.find(config, record, time)?;
        let directory = self.directories.current(config);
        if directory.len() > self.longest_directory {
            let (length, most) = (directory.len(), self.longest_directory);
            return Err(Error::data(format!(
                "its directory would have {length} bytes, and names of objects leave room for {most}"
            )));
        }
        // Of one that has a file it is known.
        if let Some(limit) = &self.piece_limit
            && !self.files.has_any_in(directory)
            && let Some((length, most)) = limit.broken_by(&config.longest_name(&self.topic_partition, directory))
        {
            return Err(Error::data(format!(
                "a file or a directory of its name would have {length} bytes in its own, and this store takes {most}"
            )));
        }
        if config.null_values == NullValues::Write && directory == config.tombstone_partition && !record.is_tombstone() {
            let what_to_do = "set tombstone.encoded.partition to a name that no record has";
            return Err(Error::data(format!("its directory, {directory}, is that of null values: {what_to_do}")));
        }
        Ok(())
    }

    /// The fingerprint of the record's schema, where it has a file of its own.
    pub(super) fn only_schema(&mut self, record: &SinkRecord) -> Option<u64> {
        let schema = record.value.schema.as_ref().filter(|_| self.shared.config.file_for_each_schema)?;
        Some(self.schema_files.fingerprint(schema))
    }

    /// Why the record's schema keeps it out of the file that is open for it, if it does. Data without schemas costs nothing here.
    fn schema_change(&self, record: &SinkRecord, which: Which<'_>) -> Result<Option<Reason>> {
        let schema = record.value.schema.as_ref();
        if self.group.records == 0 || schema.is_none() && !self.group.has_schemas || self.shared.config.file_for_each_schema {
            return Ok(None);
        }
        let Some(file) = self.files.get(which) else { return Ok(None) };
        self.shared.config.compatibility.change(schema, file.schema.as_ref())
    }

    /// Cuts before the record, where it belongs into another group. Nobody cuts where the journal or an object that is there says where the group ends: then its
    /// schema may not fit the file that it goes into all the same.
    fn cut_before(&mut self, record: &SinkRecord, time: Option<i64>, only_schema: Option<u64>) -> Result<bool> {
        let config = &self.shared.config;
        let directory = self.directories.current(config);
        let which = (directory, only_schema);
        let has_file = config.rotation.max_open_files.is_some() && self.files.has(which);
        let next = Next { time, directory, is_tombstone: record.is_tombstone() };
        let reason = match config.rotation.before(&self.group, &next, (self.files.len(), has_file)) {
            None => self.schema_change(record, which)?,
            reason => reason,
        };
        match reason {
            Some(reason) if !self.boundaries.decide(self.last_written) => self.cut(reason, self.last_written + 1).map(|()| true),
            reason => Ok(reason != Some(Reason::Schema)),
        }
    }

    /// The first instant of the bucket that the clock decided for this record. What is decided is in the journal before an object shows it.
    fn decide(&mut self, offset: i64, now: i64) -> i64 {
        let buckets = &self.gate.journal.buckets;
        let until = buckets.partition_point(|(from, _)| *from <= offset);
        // A record that an earlier owner did not see may lie before its first decision, which then holds for it as well.
        let decided = buckets[..until.max(1).min(buckets.len())].last().map(|(_, bucket)| *bucket);
        if let Some(decided) = decided.filter(|_| offset < self.decided_until) {
            return decided;
        }
        if !self.clock_bucket.contains(&now) {
            self.clock_bucket = self.shared.config.partitioner.bucket(now);
        }
        let bucket = self.clock_bucket.start;
        match decided {
            Some(decided) if decided == bucket => bucket,
            // The journal has no room: records stay in the last bucket until the store has taken something.
            Some(decided) if !self.gate.has_room() => decided,
            _ => {
                self.gate.journal.buckets.push((offset, bucket));
                bucket
            }
        }
    }

    #[cfg(test)]
    pub(super) fn describe(&self) -> String {
        format!(
            "next={} records={} uploading={} must_survey={} durable={} in_flight={} waits={} refused={} doubted={:?}",
            self.next_to_read,
            self.group.records,
            self.uploading,
            self.must_survey,
            self.durable(),
            self.ledger.has_cuts_in_flight(),
            self.gate.holds(),
            self.state.is_refused(),
            self.state.is_doubted,
        )
    }

    /// Nobody may be able to read these records again. But the brokers may be wrong: only what a next owner would know of is sent.
    pub(super) fn cut_all(&mut self) -> Result<()> {
        let is_free = !self.must_survey && !self.boundaries.decide(self.next_to_read);
        if is_free { self.cut(Reason::Recovery, self.last_written + 1) } else { Ok(()) }
    }

    /// The log has begun anew: what was read of the old one is written now, for it can never be read again.
    pub(super) fn end_log(&mut self) -> Result<()> {
        let topic_partition = &self.topic_partition;
        warn!(%topic_partition, read_until = self.next_to_read, "the log has begun anew; what was read of the old one is written now");
        self.state.end_log();
        // No commit will prove anything any more.
        self.uploading = self.uploading.saturating_sub(self.gate.forget_proofs());
        self.cut(Reason::Recovery, self.last_written + 1)?;
        self.release_all();
        Ok(())
    }
}

impl Drop for TopicPartitionWriter {
    fn drop(&mut self) {
        self.state.cancelled.cancel();
        self.shared.metrics.open_files.sub(i64::try_from(self.files.len()).unwrap_or_default());
    }
}

/// A record for partitioners that look at nothing but its partition, or its time.
pub(super) fn record_without_content(topic_partition: &TopicPartition) -> SinkRecord {
    let records = ConsumerRecords { topic_partition: topic_partition.clone(), records: vec![ConsumerRecord::default()] };
    SinkRecord::new(Origin::new(Arc::new(records), 0), Data::default(), Data::default(), Vec::new())
}

/// The directory of a partition whose partitioner looks at nothing else.
pub(super) fn encoded_partition(config: &StorageSinkConfig, topic_partition: &TopicPartition) -> Result<Option<Box<str>>> {
    if config.partitioner.partitioned_by() != PartitionedBy::TopicPartition {
        return Ok(None);
    }
    let mut encoded_partition = String::new();
    config.partitioner.encode_partition(&record_without_content(topic_partition), 0, &mut encoded_partition)?;
    Ok(Some(encoded_partition.into()))
}
