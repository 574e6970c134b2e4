//! One open file: the records' bytes, compressed on the way, in blocks that are never copied again.

use bytes::Bytes;
use connect_api::{Body, RecordWriter, Result, SinkRecord};

use crate::compression::{Compression, Compressor};

/// Compressors are several times slower when they are fed record by record.
const COMPRESSED_AT_ONCE: usize = 64 * 1024;
/// A growing buffer is copied each time it doubles; blocks are not. A little below a power of two, so that the record that fills
/// a block does not double it.
const BLOCK: usize = 240 * 1024;

/// What zlib keeps of a file that it compresses.
const COMPRESSOR_BYTES: usize = 270 * 1024;

pub(super) struct FileBuffer {
    writer: Box<dyn RecordWriter>,
    compression: Compression,
    /// Made for the first block: most files never fill one, and it weighs more than they do.
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
    pub(super) fn new(writer: Box<dyn RecordWriter>, compression: Compression) -> Self {
        let (raw, block, sealed) = (Vec::new(), Vec::new(), Vec::new());
        Self { writer, compression, compressor: None, raw, block, last_record: 0, sealed, sealed_bytes: 0 }
    }

    /// Appends the record, and says how many bytes it took before compression, as far as the writer keeps none back. On an error the file is as before.
    pub(super) fn write(&mut self, record: &SinkRecord) -> Result<usize> {
        let out = if self.compression == Compression::None { &mut self.block } else { &mut self.raw };
        self.last_record = out.len();
        self.writer.write(record, out).inspect_err(|_| out.truncate(self.last_record))?;
        Ok(out.len() - self.last_record)
    }

    /// Takes back the last record. Only before [`FileBuffer::settle`].
    pub(super) fn undo(&mut self) {
        self.writer.undo();
        let out = if self.compression == Compression::None { &mut self.block } else { &mut self.raw };
        out.truncate(self.last_record);
    }

    /// The record stays: compresses and seals what is enough of it.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.raw.len() >= COMPRESSED_AT_ONCE {
            self.compress()?;
        }
        if self.block.len() >= BLOCK {
            self.seal(BLOCK + 16 * 1024);
        }
        Ok(())
    }

    /// Lets go of what the writer keeps back, as far as it can: memory is tight.
    pub(super) fn flush(&mut self) -> Result<()> {
        let out = if self.compression == Compression::None { &mut self.block } else { &mut self.raw };
        self.writer.flush(out)?;
        self.settle()
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        let compressor = if self.compressor.is_some() { COMPRESSOR_BYTES } else { 0 };
        self.sealed_bytes + self.block.capacity() + self.raw.capacity() + self.writer.kept_back() + compressor
    }

    /// Bytes that [`FileBuffer::take_part`] can give.
    pub(super) fn part_bytes(&self) -> usize {
        self.sealed_bytes
    }

    /// Takes the next part of the object, of exactly this size: some stores want all parts but the last alike.
    pub(super) fn take_part(&mut self, size: usize) -> Body {
        self.sealed_bytes -= size;
        split_off_front(&mut self.sealed, size)
    }

    /// Closes the file and gives what was not taken.
    pub(super) fn finish(mut self) -> Result<Body> {
        if self.compression == Compression::None {
            self.writer.finish(&mut self.block)?;
        } else {
            self.writer.finish(&mut self.raw)?;
            let mut compressor = self.compressor.take().unwrap_or_else(|| self.compression.compressor());
            compressor.write(&self.raw, &mut self.block)?;
            compressor.finish(&mut self.block)?;
        }
        if !self.block.is_empty() {
            self.sealed.push(fitting(self.block));
        }
        Ok(self.sealed)
    }

    fn compress(&mut self) -> Result<()> {
        let compressor = self.compressor.get_or_insert_with(|| self.compression.compressor());
        compressor.write(&self.raw, &mut self.block)?;
        self.raw.clear();
        Ok(())
    }

    fn seal(&mut self, capacity: usize) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(capacity));
        self.sealed_bytes += block.len();
        self.sealed.push(Bytes::from(block));
    }
}

/// Takes the first `size` bytes, or all where there are fewer.
pub(super) fn split_off_front(body: &mut Body, size: usize) -> Body {
    let mut missing = size;
    let mut whole = 0;
    while let Some(block) = body.get(whole).filter(|block| block.len() <= missing) {
        missing -= block.len();
        whole += 1;
    }
    let rest = body.split_off(whole);
    let mut front = std::mem::replace(body, rest);
    if let Some(divided) = body.first_mut().filter(|_| missing > 0) {
        front.push(divided.split_to(missing));
    }
    front
}

/// The same bytes in no more memory than they need: small objects wait by the thousand, and a buffer that has grown is half empty at worst.
fn fitting(block: Vec<u8>) -> Bytes {
    let is_wasteful = block.len() < block.capacity() / 8 * 7;
    // Not `shrink_to_fit`: an allocator may leave a block where it is unless it shrinks by half.
    if is_wasteful { Bytes::copy_from_slice(&block) } else { Bytes::from(block) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_within_blocks_and_lose_nothing() {
        let mut body: Body = ["abcd", "", "efgh", "ij"].map(|block| Bytes::from_static(block.as_bytes())).to_vec();
        assert_eq!(split_off_front(&mut body, 3).concat(), b"abc");
        assert_eq!(split_off_front(&mut body, 5).concat(), b"defgh");
        assert_eq!(split_off_front(&mut body, 5).concat(), b"ij");
        assert!(body.is_empty());
    }
}
