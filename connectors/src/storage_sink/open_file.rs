//! One open file of an encoded partition, with its keys and headers files beside it.

use std::sync::Arc;

use connect_api::{Body, Budget, Error, RecordView, Reservation, Result, SinkRecord};

use super::{config::StorageSinkConfig, file_buffer::FileBuffer, parts::Parts, uploads::Uploads};
use crate::compression::Compression;

/// What the bookkeeping of an open file and of its upload weighs, roughly: small objects by the ten thousand must not escape the budget.
const OVERHEAD_BYTES: usize = 2 * 1024;

/// Which records a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first_offset: i64,
    pub(super) last_offset: i64,
    pub(super) records: u64,
}

/// A group of files that get the same records: values, keys, headers.
pub(super) struct OpenFile {
    pub(super) range: Range,
    views: Vec<View>,
    reservation: Reservation,
}

struct View {
    view: RecordView,
    key: String,
    buffer: FileBuffer,
    /// Where parts go once the file has outgrown one.
    parts: Option<Parts>,
}

/// A closed file: what is left to send.
pub(super) struct ClosedFile {
    pub(super) key: String,
    pub(super) body: Body,
    pub(super) range: Range,
    pub(super) parts: Option<Parts>,
    pub(super) reservation: Reservation,
}

impl OpenFile {
    /// Begins a file whose first record is at `first_offset`. `tombstones`: a file of null values has no values file.
    pub(super) fn new(
        config: &StorageSinkConfig,
        before_offset: &str,
        first_offset: i64,
        tombstones: bool,
        budget: &Budget,
    ) -> Result<Self> {
        let formats = config.formats.iter().filter(|format| !(tombstones && format.view == RecordView::Value));
        let mut views = Vec::with_capacity(1);
        for format in formats {
            let compressor = (config.compression != Compression::None).then(|| config.compression.compressor());
            let extension = &format.extension;
            let key = config.keys.key(before_offset, first_offset, format.view, extension);
            let buffer = FileBuffer::new(format.format.record_writer(format.view)?, compressor);
            views.push(View { view: format.view, key, buffer, parts: None });
        }
        let range = Range { first_offset, last_offset: first_offset, records: 0 };
        Ok(Self { range, views, reservation: budget.park(OVERHEAD_BYTES) })
    }

    /// Appends the record to each file, or to none.
    pub(super) fn write(&mut self, record: &SinkRecord) -> Result<()> {
        self.check(record)?;
        for index in 0..self.views.len() {
            if let Err(error) = self.views[index].buffer.write(record) {
                self.views[..index].iter_mut().for_each(|view| view.buffer.undo());
                return Err(error);
            }
        }
        for view in &mut self.views {
            view.buffer.settle()?;
        }
        self.range.last_offset = record.offset();
        self.range.records += 1;
        Ok(())
    }

    fn check(&self, record: &SinkRecord) -> Result<()> {
        let stores = |wanted| self.views.iter().any(|view| view.view == wanted);
        let missing = if stores(RecordView::Key) && matches!(record.key.value, connect_api::data::Value::Null) {
            "Key"
        } else if stores(RecordView::Headers) && record.headers.is_empty() {
            "Headers"
        } else {
            return Ok(());
        };
        let origin = record.origin().topic_partition();
        let place =
            format!("SinkRecord{{kafkaOffset={}, topic='{}', kafkaPartition={}}}", record.offset(), origin.topic, origin.partition);
        Err(Error::data(format!("{missing} cannot be null for SinkRecord: {place} ")))
    }

    /// Sends away what makes a part of at least `part_size` bytes, and keeps the budget told.
    pub(super) fn send_parts(
        &mut self,
        part_size: usize,
        uploads: &Arc<Uploads>,
        make: impl Fn(&str, Range) -> super::uploads::Target,
    ) {
        let range = self.range;
        for view in &mut self.views {
            if view.buffer.part_bytes() >= part_size {
                let parts = view.parts.get_or_insert_with(|| uploads.start_parts(make(&view.key, range)));
                let bytes = view.buffer.part_bytes();
                parts.send(view.buffer.take_part(), uploads.budget().reserve(bytes));
            }
        }
        let bytes: usize = self.views.iter().map(|view| view.buffer.bytes()).sum();
        self.reservation.resize(bytes + OVERHEAD_BYTES);
    }

    /// Closes the files.
    pub(super) fn close(self, budget: &Budget) -> Result<Vec<ClosedFile>> {
        let mut closed = Vec::with_capacity(self.views.len());
        for view in self.views {
            let body = view.buffer.finish()?;
            let bytes = body.iter().map(bytes::Bytes::len).sum::<usize>() + OVERHEAD_BYTES;
            closed.push(ClosedFile {
                key: view.key,
                body,
                range: self.range,
                parts: view.parts,
                reservation: budget.reserve(bytes),
            });
        }
        Ok(closed)
    }
}
