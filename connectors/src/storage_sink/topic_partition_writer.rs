//! One partition within one assignment: which file a record goes to, when the files are cut, what may be uploaded, what may be
//! committed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use connect_api::{
    Error, ErrorKind, OffsetAndMetadata, PartitionedBy, Result, SinkRecord, SinkTaskContext, TopicPartition, data::Value,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    boundaries::Boundaries,
    config::{NullValues, StorageSinkConfig},
    gate::{Gate, HeldCut},
    journal::Journal,
    ledger::{CutId, Ledger},
    metrics::{Reason, TaskMetrics},
    open_file::OpenFile,
    open_files::OpenFiles,
    provenance::{Cut, Provenance},
    uploads::{Target, Uploads, WriterId},
};

/// Parts of this size are the smallest that stores take.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

/// What all writers of a task share.
pub(super) struct Shared {
    pub(super) config: Arc<StorageSinkConfig>,
    pub(super) uploads: Arc<Uploads>,
    pub(super) context: SinkTaskContext,
    pub(super) metrics: TaskMetrics,
}

/// Why a writer must begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reopen {
    /// An object of this history was cut elsewhere: look at the bucket, and go on from what is durable.
    Survey,
    /// The log has begun again below what was read: other records, another history.
    NewHistory { first_offset: i64 },
}

pub(super) struct TopicPartitionWriter {
    pub(super) id: WriterId,
    pub(super) topic_partition: TopicPartition,
    shared: Arc<Shared>,
    /// The partition's directory, where it has only one.
    encoded_partition: Option<Box<str>>,
    scratch: String,
    files: OpenFiles,
    records: u64,
    group_first: i64,
    last_written: i64,
    next_to_read: i64,
    next_rotation: i64,
    boundaries: Boundaries,
    knows_ahead: bool,
    /// The end of the range that is being skipped because it is in the bucket already, and its cut.
    skipping: Option<(i64, CutId)>,
    ledger: Ledger,
    gate: Gate,
    uploading: usize,
    cancelled: CancellationToken,
    reopen: Option<Reopen>,
}

/// What a writer begins with.
pub(super) struct Opening {
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
    pub(super) fn new(shared: &Arc<Shared>, opening: Opening, now: i64) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let Opening { topic_partition, position, journal, committed, boundaries, knows_ahead, encoded_partition } = opening;
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            topic_partition,
            shared: Arc::clone(shared),
            encoded_partition,
            scratch: String::new(),
            files: OpenFiles::default(),
            records: 0,
            group_first: 0,
            last_written: -1,
            next_to_read: position.offset,
            next_rotation: shared.config.schedule.as_ref().map_or(i64::MAX, |schedule| schedule.next_after(now)),
            boundaries,
            knows_ahead,
            skipping: None,
            ledger: Ledger::new(position.offset),
            gate: Gate::new(journal, committed, position.metadata),
            uploading: 0,
            cancelled: CancellationToken::new(),
            reopen: None,
        }
    }

    /// Takes the next record: writes it, or leaves it out on purpose.
    pub(super) fn append(&mut self, record: &SinkRecord, now: i64) -> Result<()> {
        let offset = record.offset();
        if offset < self.next_to_read || self.reopen.is_some() {
            self.log_began_again(offset);
            return Ok(());
        }
        self.next_to_read = offset + 1;
        if self.boundaries.is_reached(offset) {
            self.cut(Reason::Recovery)?;
        }
        if self.skips(offset) {
            return Ok(());
        }
        // `fail` and the report of `ignore` are the task's part: they come before anything of the list is written.
        if record.is_tombstone() && self.shared.config.null_values != NullValues::Write {
            return Ok(());
        }
        match self.write(record, now) {
            Err(error) if error.kind() == ErrorKind::Data => return self.report(record, error),
            written => written?,
        }
        if self.boundaries.is_reached(self.next_to_read) {
            self.cut(Reason::Recovery)?;
        } else if self.records >= self.shared.config.flush_size && !self.boundaries.decides(offset) {
            self.cut(Reason::Size)?;
        }
        Ok(())
    }

    /// Whether the record lies in an object that is there already. The range becomes durable as a whole, when its last record has been skipped: an
    /// offset inside of it would make the next owner write the rest of it again.
    fn skips(&mut self, offset: i64) -> bool {
        let end = self.boundaries.durable_until(offset);
        if let Some((skipped, id)) = self.skipping.filter(|(skipped, _)| end != Some(*skipped)) {
            debug!(topic_partition = %self.topic_partition, end = skipped, "kept what was in the bucket already");
            self.ledger.file_is_durable(id);
            self.skipping = None;
        }
        if let (Some(end), None) = (end, self.skipping) {
            self.skipping = Some((end, self.ledger.cut(end, 1)));
        }
        if let Some((end, id)) = self.skipping.filter(|(end, _)| *end <= offset + 1) {
            self.ledger.file_is_durable(id);
            self.skipping = Some((end, id));
        }
        end.is_some()
    }

    fn log_began_again(&mut self, offset: i64) {
        if self.reopen.is_none() {
            let (topic_partition, expected) = (&self.topic_partition, self.next_to_read);
            warn!(%topic_partition, offset, expected, "the log goes on below what was read: the topic was made anew, so this is another history");
            self.reopen = Some(Reopen::NewHistory { first_offset: offset });
        }
    }

    fn report(&self, record: &SinkRecord, error: Error) -> Result<()> {
        match self.shared.context.errant_record_reporter() {
            Some(reporter) => reporter.report(record, &error),
            None => {
                Err(error.context(format!("record at offset {} of {} cannot be written", record.offset(), self.topic_partition)))
            }
        }
    }

    fn write(&mut self, record: &SinkRecord, now: i64) -> Result<()> {
        let config = &self.shared.config;
        let tombstone = record.is_tombstone();
        let encoded_partition = match &self.encoded_partition {
            _ if tombstone => config.tombstone_partition.as_str(),
            Some(encoded_partition) => encoded_partition,
            None => {
                self.scratch.clear();
                config.partitioner.encode_partition(record, now, &mut self.scratch)?;
                self.scratch.as_str()
            }
        };
        if let Some(file) = self.files.get_mut(encoded_partition) {
            file.write(record)?;
        } else {
            let before_offset = config.keys.before_offset(&self.topic_partition, encoded_partition);
            let mut file = OpenFile::new(config, &before_offset, record.offset(), tombstone, &self.shared.context.budget)?;
            // A file begins with the first record that was written to it: one that is refused leaves no file behind.
            file.write(record)?;
            self.files.insert(encoded_partition, file);
            self.shared.metrics.open_files.inc();
        }
        if self.records == 0 {
            self.group_first = record.offset();
        }
        self.records += 1;
        self.last_written = record.offset();
        Ok(())
    }

    /// What the clock asks for. At most one scheduled cut, before the records of a batch, as on the JVM.
    pub(super) fn tick(&mut self, now: i64) -> Result<()> {
        let Some(schedule) = &self.shared.config.schedule else { return Ok(()) };
        if now < self.next_rotation || self.reopen.is_some() || self.boundaries.decides(self.next_to_read) {
            return Ok(());
        }
        self.next_rotation = schedule.next_after(now);
        self.cut(Reason::Schedule)
    }

    /// Closes all open files at one offset. If one stayed open, a crash would redeliver records of its uploaded siblings and cut them into other
    /// objects.
    fn cut(&mut self, reason: Reason) -> Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        let end = self.last_written + 1;
        let files = self.files.take();
        self.shared.metrics.open_files.sub(i64::try_from(files.len()).unwrap_or_default());
        let mut closed = Vec::with_capacity(files.len());
        for file in files {
            closed.extend(file.close(&self.shared.context.budget)?);
        }
        // Objects in parts said what they are before their end was known: the journal says it for them.
        let is_planned = self.gate.journal.every || closed.iter().any(|file| file.parts.is_some());
        let count = closed.len();
        let files = closed.into_iter().map(|file| {
            let cut = Cut { range: file.range, end };
            let target = self.target(&file.key, cut, count);
            (file, target)
        });
        let files = files.collect();
        let id = self.ledger.cut(end, count);
        self.gate.hold(HeldCut { id, end, is_planned, files });
        self.records = 0;
        self.shared.metrics.rotated(reason);
        self.release();
        Ok(())
    }

    fn target(&self, key: &str, cut: Cut, files: usize) -> Target {
        let provenance = Provenance {
            history: self.gate.journal.history.clone(),
            topic_partition: self.topic_partition.clone(),
            first_offset: cut.range.first_offset,
            group_first: self.group_first,
            cut: Some(cut),
            files: Some(files),
        };
        Target { writer: self.id, key: key.to_owned(), provenance, cancelled: self.cancelled.clone() }
    }

    /// Uploads what may be; asks for a commit where something must wait for it.
    fn release(&mut self) {
        while let Some(HeldCut { id, files, .. }) = self.gate.release() {
            self.uploading += files.len();
            for (file, target) in files {
                self.shared.uploads.send(file, target, id);
            }
        }
        if self.gate.waits() {
            self.shared.context.request_commit();
        }
    }

    /// Sends parts of files that have outgrown one, smaller ones where memory is tight. Once per batch.
    pub(super) fn send_parts(&mut self) {
        let tight = self.shared.context.budget.is_tight();
        let part_size = if tight { SMALLEST_PART } else { self.shared.config.part_size };
        // Null values and other directories may still join the group.
        let only_views = self.encoded_partition.is_some() && self.shared.config.null_values != NullValues::Write;
        let files = only_views.then(|| self.shared.config.formats.len());
        let provenance = |first_offset| Provenance {
            history: self.gate.journal.history.clone(),
            topic_partition: self.topic_partition.clone(),
            first_offset,
            group_first: self.group_first,
            cut: None,
            files,
        };
        for file in self.files.iter_mut() {
            file.send_parts(part_size, &self.shared.uploads, |key, range| Target {
                writer: self.id,
                key: key.to_owned(),
                provenance: provenance(range.first_offset),
                cancelled: self.cancelled.clone(),
            });
        }
    }

    /// One file of a cut is durable.
    pub(super) fn file_is_durable(&mut self, cut: CutId) {
        self.uploading = self.uploading.saturating_sub(1);
        self.ledger.file_is_durable(cut);
    }

    /// One file of a cut will never be durable in this assignment.
    pub(super) fn upload_failed(&mut self) {
        self.uploading = self.uploading.saturating_sub(1);
    }

    /// An object of this history is cut elsewhere.
    pub(super) fn cut_otherwise(&mut self, key: &str) {
        self.uploading = self.uploading.saturating_sub(1);
        let topic_partition = &self.topic_partition;
        info!(%topic_partition, key, "an object of this history was cut elsewhere: looking at the bucket, then cutting as it was cut");
        self.reopen.get_or_insert(Reopen::Survey);
    }

    /// A commit at the current generation is wanted.
    pub(super) fn proof_wanted(&mut self, proven: oneshot::Sender<()>) {
        if self.reopen.is_some() {
            self.uploading = self.uploading.saturating_sub(1);
            return;
        }
        self.gate.prove(proven);
        self.shared.context.request_commit();
    }

    /// What to commit. `closing`: nothing more will be uploaded in this assignment.
    pub(super) fn pre_commit(&mut self, delivered: i64, closing: bool) -> OffsetAndMetadata {
        let offset = self.ledger.committable(delivered, self.records > 0 || self.reopen.is_some());
        if self.boundaries.are_behind(offset) && self.gate.journal.fingerprint.is_none() {
            self.settle_recovery();
        }
        let is_clean = closing && self.knows_ahead && self.uploading == 0 && !self.ledger.has_cuts_in_flight();
        OffsetAndMetadata::new(offset, self.gate.metadata(offset, is_clean))
    }

    /// Nothing of earlier settings lies ahead any more.
    fn settle_recovery(&mut self) {
        self.gate.journal.fingerprint = Some(self.shared.config.fingerprint);
        self.gate.journal.places = self.shared.config.places(&self.topic_partition, self.encoded_partition.as_deref());
        self.gate.journal.keep_places_that_fit();
        debug!(topic_partition = %self.topic_partition, "recovered: everything ahead is new");
    }

    /// This has been committed.
    pub(super) fn committed(&mut self, committed: &OffsetAndMetadata) {
        self.gate.committed(committed);
        self.release();
    }

    /// Whether the writer must begin anew, and nothing of it is under way any more.
    pub(super) fn must_reopen(&mut self) -> Option<Reopen> {
        let reopen = self.reopen?;
        self.uploading = self.uploading.saturating_sub(self.gate.forget_proofs());
        (self.uploading == 0).then_some(reopen)
    }

    /// Where to go on when it is opened anew for this reason: with what is committed of the journal, or with none.
    pub(super) fn position(&self, reopen: Reopen) -> OffsetAndMetadata {
        match reopen {
            Reopen::Survey => OffsetAndMetadata::new(self.ledger.durable(), self.gate.committed_metadata()),
            Reopen::NewHistory { first_offset } => OffsetAndMetadata::new(first_offset, ""),
        }
    }

    pub(super) fn durable(&self) -> i64 {
        self.ledger.durable()
    }

    /// Uploads under way that a little patience may see end.
    pub(super) fn is_uploading(&self) -> bool {
        self.uploading > 0
    }
}

impl Drop for TopicPartitionWriter {
    fn drop(&mut self) {
        self.cancelled.cancel();
        self.shared.metrics.open_files.sub(i64::try_from(self.files.len()).unwrap_or_default());
    }
}

/// The directory of a partition whose partitioner looks at nothing else.
pub(super) fn encoded_partition(config: &StorageSinkConfig, topic_partition: &TopicPartition) -> Result<Option<Box<str>>> {
    if config.partitioner.partitioned_by() == PartitionedBy::Record {
        return Ok(None);
    }
    let nowhere = connect_api::ConsumerRecords {
        topic_partition: topic_partition.clone(),
        records: vec![connect_api::ConsumerRecord::default()],
    };
    let origin = connect_api::Origin::new(Arc::new(nowhere), 0);
    let record =
        SinkRecord::new(origin, connect_api::data::Data::schemaless(Value::Null), connect_api::data::Data::default(), Vec::new());
    let mut encoded_partition = String::new();
    config.partitioner.encode_partition(&record, 0, &mut encoded_partition)?;
    Ok(Some(encoded_partition.into()))
}
