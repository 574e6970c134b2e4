//! One open file of an encoded partition, with its keys and headers files beside it.

use std::{io, sync::Arc};

use connect_api::{Budget, Error, RecordView, Reservation, Result, SinkRecord, data::Schema};

use super::{
    config::StorageSinkConfig,
    file_buffer::{Content, FileBuffer, split_off_front},
    parts::Parts,
    slot::Slot,
    spill::Spill,
    uploads::{Target, Uploads, length},
    writer_state::{WaitingBytes, WriterState},
};

/// What the bookkeeping of an open file and of its upload weighs, roughly: small objects by the ten thousand must not escape the budget.
const OVERHEAD_BYTES: usize = 2 * 1024;

/// Which records a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first_offset: i64,
    pub(super) last_offset: i64,
    pub(super) records: u64,
}

/// How a file begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begins {
    pub(super) first_offset: i64,
    /// A file of null values has no values file.
    pub(super) tombstones: bool,
    /// The fingerprint of the schema of all its records, where each schema has a file of its own.
    pub(super) only_schema: Option<u64>,
}

/// A group of files that get the same records: values, keys, headers.
pub(super) struct OpenFile {
    pub(super) range: Range,
    /// Written to all of its files, before compression.
    pub(super) bytes: u64,
    /// That of the value of its first record.
    pub(super) schema: Option<Arc<Schema>>,
    /// Its fingerprint, where each schema has a file of its own.
    only_schema: Option<u64>,
    /// Written to since its size was last looked at.
    pub(super) is_touched: bool,
    /// Not written to since memory was last full.
    pub(super) is_cold: bool,
    views: Vec<View>,
    /// Of files that are in the bucket already: what they did not take then must not come into the others now.
    tried: Vec<View>,
    /// How many of the group's files are in the bucket already, from before a crash, and are not written again.
    there: usize,
    needs_key: bool,
    needs_headers: bool,
    reservation: Reservation,
}

struct View {
    of: RecordView,
    key: String,
    buffer: FileBuffer,
    /// Where parts go once the file has outgrown one, and their size.
    parts: Option<(Parts, usize)>,
}

/// A closed file: what is left to send.
pub(super) struct ClosedFile {
    pub(super) view: RecordView,
    pub(super) key: String,
    pub(super) content: Content,
    pub(super) range: Range,
    pub(super) only_schema: Option<u64>,
    pub(super) parts: Option<Parts>,
    /// What it weighs, until it is durable: also while it waits for a commit.
    pub(super) bytes: WaitingBytes,
}

impl OpenFile {
    /// Begins a file. `is_there`: whether the bucket has this file of the group already. `tolerates`: whether records that no file takes are reported and left
    /// out.
    pub(super) fn new(
        config: &StorageSinkConfig,
        before_offset: &str,
        Begins { first_offset, tombstones, only_schema }: Begins,
        is_there: impl Fn(&Slot) -> bool,
        tolerates: bool,
        budget: &Budget,
    ) -> Result<Self> {
        let formats = config.formats.iter().filter(|format| !(tombstones && format.view == RecordView::Value));
        let (mut views, mut tried) = (Vec::with_capacity(1), Vec::new());
        let (mut there, mut needs_key, mut needs_headers) = (0, false, false);
        for format in formats {
            needs_key |= format.view == RecordView::Key;
            needs_headers |= format.view == RecordView::Headers;
            let extension = &format.extension;
            let is_there = is_there(&Slot::new(before_offset, format.view, extension, only_schema));
            if is_there {
                there += 1;
                if !tolerates {
                    continue;
                }
            }
            let key = config.keys.key(before_offset, first_offset, format.view, extension);
            let buffer = FileBuffer::new(format.format.record_writer(format.view)?, config.compression);
            let view = View { of: format.view, key, buffer, parts: None };
            if is_there { &mut tried } else { &mut views }.push(view);
        }
        let range = Range { first_offset, last_offset: first_offset, records: 0 };
        let reservation = budget.park(OVERHEAD_BYTES);
        let schema = None;
        Ok(Self {
            range,
            bytes: 0,
            schema,
            only_schema,
            is_touched: false,
            is_cold: false,
            views,
            tried,
            there,
            needs_key,
            needs_headers,
            reservation,
        })
    }

    /// Appends the record to each file, or to none. Returns the bytes that it took in all of them.
    pub(super) fn write(&mut self, record: &SinkRecord) -> Result<usize> {
        self.check(record)?;
        let bytes = write_all(&mut self.views, record)?;
        if let Err(error) = write_all(&mut self.tried, record) {
            undo_all(&mut self.views, record);
            return Err(error);
        }
        self.tried.iter_mut().for_each(|view| view.buffer.forget());
        for view in &mut self.views {
            view.buffer.settle()?;
        }
        if self.range.records == 0 {
            self.schema.clone_from(&record.value.schema);
        }
        self.range.last_offset = record.offset();
        self.range.records += 1;
        self.bytes += bytes as u64;
        Ok(bytes)
    }

    /// Whether each file takes the record, of a group that is never sent: no file keeps its bytes.
    pub(super) fn would_take(&mut self, record: &SinkRecord) -> Result<()> {
        self.check(record)?;
        write_all(&mut self.views, record)?;
        self.views.iter_mut().for_each(|view| view.buffer.forget());
        Ok(())
    }

    fn check(&self, record: &SinkRecord) -> Result<()> {
        let missing = if self.needs_key && matches!(record.key.value, connect_api::data::Value::Null) {
            "Key"
        } else if self.needs_headers && record.headers.is_empty() {
            "Headers"
        } else {
            return Ok(());
        };
        let origin = record.origin().topic_partition();
        let place =
            format!("SinkRecord{{kafkaOffset={}, topic='{}', kafkaPartition={}}}", record.offset(), origin.topic, origin.partition);
        Err(Error::data(format!("{missing} cannot be null for SinkRecord: {place} ")))
    }

    /// How many of its files are in the bucket already.
    pub(super) fn there(&self) -> usize {
        self.there
    }

    /// Sends away what makes parts of this size, or of the size that the first part of the object had, and keeps the budget told. `is_tight`: also lets
    /// go of what the format keeps back.
    pub(super) fn send_parts(
        &mut self,
        (part_size, is_tight): (usize, bool),
        uploads: &Arc<Uploads>,
        make: impl Fn(&str, Range, Option<u64>) -> Target,
    ) -> Result<()> {
        let (range, only_schema) = (self.range, self.only_schema);
        for view in &mut self.views {
            if is_tight {
                view.buffer.flush()?;
            }
            let size = view.parts.as_ref().map_or(part_size, |(_, size)| *size);
            if view.buffer.part_bytes() < size {
                continue;
            }
            let target = make(&view.key, range, only_schema);
            let writer = Arc::clone(&target.writer);
            let (parts, _) = view.parts.get_or_insert_with(|| (uploads.start_parts(target), size));
            while view.buffer.part_bytes() >= size {
                parts.send(view.buffer.take_part(size)?, writer.wait(uploads.budget().reserve(size), 0));
            }
        }
        self.count();
        Ok(())
    }

    fn count(&mut self) {
        let bytes: usize = self.views.iter().map(|view| view.buffer.bytes()).sum();
        self.reservation.resize(bytes + OVERHEAD_BYTES);
    }

    /// Moves what it can of the files to disk.
    pub(super) fn spill(&mut self, to: &Arc<Spill>) -> io::Result<()> {
        let spilled = self.views.iter_mut().try_for_each(|view| view.buffer.spill(to));
        self.count();
        spilled
    }

    /// Closes the files. What memory has no room for goes to `disk`.
    pub(super) fn close(self, uploads: &Uploads, writer: &Arc<WriterState>, disk: &Arc<Spill>) -> Result<Vec<ClosedFile>> {
        let mut closed = Vec::with_capacity(self.views.len());
        for view in self.views {
            let has_spilled = view.buffer.has_spilled();
            let mut content = view.buffer.finish()?;
            let mut parts = None;
            if let Some((sending, size)) = view.parts {
                if content.bytes() + content.bytes_on_disk() > size {
                    let mut body = content.read()?;
                    while length(&body) > size as u64 {
                        sending.send(split_off_front(&mut body, size), writer.wait(uploads.budget().reserve(size), 0));
                    }
                    content = body.into();
                }
                parts = Some(sending);
            }
            // Only what was there before: what a store refuses is to stop reading, and not to fill a disk. Where the disk takes nothing it stays in memory.
            if has_spilled && uploads.budget().is_over() {
                let _kept = content.spill(disk);
            }
            let bytes = uploads.budget().reserve(content.bytes() + OVERHEAD_BYTES);
            let bytes = writer.wait(bytes, content.bytes_on_disk());
            let (range, only_schema) = (self.range, self.only_schema);
            closed.push(ClosedFile { view: view.of, key: view.key, content, range, only_schema, parts, bytes });
        }
        Ok(closed)
    }
}

/// Appends the record to each of these files, or to none. Returns the bytes that it took in all of them.
fn write_all(views: &mut [View], record: &SinkRecord) -> Result<usize> {
    let mut bytes = 0;
    for index in 0..views.len() {
        if !views[index].takes(record) {
            continue;
        }
        match views[index].buffer.write(record) {
            Ok(written) => bytes += written,
            Err(error) => {
                undo_all(&mut views[..index], record);
                return Err(error);
            }
        }
    }
    Ok(bytes)
}

/// Takes the record back that these files have taken.
fn undo_all(views: &mut [View], record: &SinkRecord) {
    views.iter_mut().filter(|view| view.takes(record)).for_each(|view| view.buffer.undo());
}

impl View {
    /// There is no row of a null value.
    fn takes(&self, record: &SinkRecord) -> bool {
        self.of != RecordView::Value || !record.is_tombstone()
    }
}
