//! One open file: the records' bytes, compressed on the way, in blocks that are never copied again.

use bytes::Bytes;
use connect_api::{Body, RecordWriter, Result, SinkRecord};

use crate::compression::Compressor;

/// Compressors are several times slower when they are fed record by record.
const COMPRESSED_AT_ONCE: usize = 64 * 1024;
/// A growing buffer is copied each time it doubles; blocks are not. A little below a power of two, so that the record that fills
/// a block does not double it.
const BLOCK: usize = 240 * 1024;

pub(super) struct FileBuffer {
    writer: Box<dyn RecordWriter>,
    compressor: Option<Compressor>,
    /// Written and not compressed; unused without a compressor.
    raw: Vec<u8>,
    block: Vec<u8>,
    /// Where the last record begins, in `raw` or `block`.
    last_record: usize,
    sealed: Body,
    sealed_bytes: usize,
}

impl FileBuffer {
    pub(super) fn new(writer: Box<dyn RecordWriter>, compressor: Option<Compressor>) -> Self {
        Self { writer, compressor, raw: Vec::new(), block: Vec::new(), last_record: 0, sealed: Vec::new(), sealed_bytes: 0 }
    }

    /// Appends the record. On an error the file is as before.
    pub(super) fn write(&mut self, record: &SinkRecord) -> Result<()> {
        let out = if self.compressor.is_some() { &mut self.raw } else { &mut self.block };
        self.last_record = out.len();
        self.writer.write(record, out).inspect_err(|_| out.truncate(self.last_record))
    }

    /// Takes back the last record. Only before [`FileBuffer::settle`].
    pub(super) fn undo(&mut self) {
        let out = if self.compressor.is_some() { &mut self.raw } else { &mut self.block };
        out.truncate(self.last_record);
    }

    /// The record stays: compresses and seals what is enough of it.
    pub(super) fn settle(&mut self) -> Result<()> {
        if let Some(compressor) = self.compressor.as_mut().filter(|_| self.raw.len() >= COMPRESSED_AT_ONCE) {
            compressor.write(&self.raw, &mut self.block)?;
            self.raw.clear();
        }
        if self.block.len() >= BLOCK {
            self.seal(BLOCK + 16 * 1024);
        }
        Ok(())
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.sealed_bytes + self.block.len() + self.raw.len() + self.writer.kept_back()
    }

    /// Bytes that [`FileBuffer::take_part`] would give.
    pub(super) fn part_bytes(&self) -> usize {
        self.sealed_bytes
    }

    /// Takes the sealed blocks: the next part of the object.
    pub(super) fn take_part(&mut self) -> Body {
        self.sealed_bytes = 0;
        std::mem::take(&mut self.sealed)
    }

    /// Closes the file and gives what was not taken.
    pub(super) fn finish(mut self) -> Result<Body> {
        let out = if self.compressor.is_some() { &mut self.raw } else { &mut self.block };
        self.writer.finish(out)?;
        if let Some(mut compressor) = self.compressor.take() {
            compressor.write(&self.raw, &mut self.block)?;
            compressor.finish(&mut self.block)?;
        }
        if !self.block.is_empty() {
            self.sealed.push(fitting(self.block));
        }
        Ok(self.sealed)
    }

    fn seal(&mut self, capacity: usize) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(capacity));
        self.sealed_bytes += block.len();
        self.sealed.push(Bytes::from(block));
    }
}

/// The same bytes in no more memory than they need: small objects wait by the thousand, and a buffer that has grown is half empty at worst.
fn fitting(block: Vec<u8>) -> Bytes {
    let is_wasteful = block.len() < block.capacity() / 8 * 7;
    // Not `shrink_to_fit`: an allocator may leave a block where it is unless it shrinks by half.
    if is_wasteful { Bytes::copy_from_slice(&block) } else { Bytes::from(block) }
}
