//! One open file: the records' bytes, compressed on the way, in blocks that are never copied again. Whole pages of them may lie on disk.

use std::{io, sync::Arc};

use bytes::Bytes;
use connect_api::{Body, RecordWriter, Result, SinkRecord};

use super::spill::{PAGE, Spill, Spilled};
use crate::compression::{COMPRESSED_AT_ONCE, Compression, Compressor, WINDOW};

/// A growing buffer is copied each time it doubles; blocks are not. A little below a power of two, so that the record that fills
/// a block does not double it.
const BLOCK: usize = 240 * 1024;

pub(super) struct FileBuffer {
    writer: Box<dyn RecordWriter>,
    compression: Compression,
    /// How many bytes of records the writer makes a block of, where it makes any.
    block_size: Option<usize>,
    /// Used with compression, and with blocks.
    raw: Raw,
    block: Vec<u8>,
    /// Where the last record begins, in `raw` or `block`.
    last_record: usize,
    sealed: Body,
    sealed_bytes: usize,
    /// What comes before `sealed`.
    on_disk: Spilled,
    /// Some of it has ever been on disk.
    has_spilled: bool,
}

/// What was written and is not compressed, and in front of it what was compressed last.
struct Raw {
    compressor: Compressor,
    bytes: Vec<u8>,
    /// What comes before `bytes`, of large blocks: whole records in each piece.
    sealed: Vec<Bytes>,
    sealed_bytes: usize,
    /// What comes before `sealed`.
    on_disk: Spilled,
    /// So many bytes of what is on disk and in `bytes` have been compressed.
    window: usize,
}

/// What a closed file holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    on_disk: Spilled,
    rest: Body,
}

impl Content {
    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.rest.iter().map(Bytes::len).sum()
    }

    /// Bytes on disk.
    pub(super) fn bytes_on_disk(&self) -> usize {
        self.on_disk.bytes()
    }

    /// All of it, in memory. What is on disk stays there.
    ///
    /// # Errors
    /// `Fatal` where the disk does not give back what is there.
    pub(super) fn read(&self) -> Result<Body> {
        let mut body = Vec::with_capacity(1 + self.rest.len());
        if self.on_disk.bytes() > 0 {
            let mut front = Vec::with_capacity(self.on_disk.bytes());
            self.on_disk.read(&mut front)?;
            body.push(front.into());
        }
        body.extend_from_slice(&self.rest);
        Ok(body)
    }

    /// Moves what fills pages to disk. On an error it stays in memory.
    pub(super) fn spill(&mut self, to: &Arc<Spill>) -> io::Result<()> {
        if self.bytes() >= PAGE {
            let rest = spill_pages(to, &mut self.on_disk, &self.rest.concat())?;
            self.rest = if rest.is_empty() { Vec::new() } else { vec![rest.into()] };
        }
        Ok(())
    }
}

impl From<Body> for Content {
    fn from(rest: Body) -> Self {
        Self { on_disk: Spilled::default(), rest }
    }
}

impl FileBuffer {
    pub(super) fn new(writer: Box<dyn RecordWriter>, compression: Compression) -> Self {
        Self {
            block_size: writer.block_size(),
            writer,
            raw: Raw::new(compression.compressor()),
            compression,
            block: Vec::new(),
            last_record: 0,
            sealed: Vec::new(),
            sealed_bytes: 0,
            on_disk: Spilled::default(),
            has_spilled: false,
        }
    }

    /// Appends the record, and says how many bytes it took before compression, as far as the writer keeps none back. On an error the file is as before.
    pub(super) fn write(&mut self, record: &SinkRecord) -> Result<usize> {
        let out = if self.is_raw() { &mut self.raw.bytes } else { &mut self.block };
        self.last_record = out.len();
        self.writer.write(record, out).inspect_err(|_| out.truncate(self.last_record))?;
        Ok(out.len() - self.last_record)
    }

    /// Whether records wait in `raw` for what becomes of them.
    fn is_raw(&self) -> bool {
        self.compression != Compression::None || self.block_size.is_some()
    }

    /// Takes back the last record. Only before [`FileBuffer::settle`].
    pub(super) fn undo(&mut self) {
        self.writer.undo();
        let out = if self.is_raw() { &mut self.raw.bytes } else { &mut self.block };
        out.truncate(self.last_record);
    }

    /// Leaves the bytes of the last record out, of a file that is never sent; what the writer has learnt of it stays.
    pub(super) fn forget(&mut self) {
        let out = if self.is_raw() { &mut self.raw.bytes } else { &mut self.block };
        out.truncate(self.last_record);
    }

    /// The record stays: compresses and seals what is enough of it.
    pub(super) fn settle(&mut self) -> Result<()> {
        match self.block_size {
            Some(size) if self.raw.len() >= size || self.writer.is_block() => self.write_block()?,
            Some(_) if self.raw.bytes.len() >= BLOCK => self.raw.seal(),
            None if self.raw.has_block() => self.raw.compress(&mut self.block)?,
            _ => {}
        }
        if self.block.len() > 2 * BLOCK {
            self.sealed_bytes += self.block.len();
            self.sealed.extend(pieces(std::mem::take(&mut self.block)));
        } else if self.block.len() >= BLOCK {
            self.seal(BLOCK + 16 * 1024);
        }
        Ok(())
    }

    fn write_block(&mut self) -> Result<()> {
        let mut records = self.raw.take()?;
        self.writer.write_block(&records, &mut self.block)?;
        // The same memory for the next block, where nobody keeps it.
        if let Some(last) = records.pop().filter(|last| last.len() <= 2 * BLOCK) {
            self.raw.bytes = last.into();
            self.raw.bytes.clear();
        }
        Ok(())
    }

    /// Lets go of what the writer keeps back, as far as it can: memory is tight.
    pub(super) fn flush(&mut self) -> Result<()> {
        let out = if self.is_raw() { &mut self.raw.bytes } else { &mut self.block };
        self.writer.flush(out)?;
        self.settle()
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.sealed_bytes + self.block.capacity() + self.raw.sealed_bytes + self.raw.bytes.capacity() + self.writer.kept_back()
    }

    /// Bytes that [`FileBuffer::take_part`] can give.
    pub(super) fn part_bytes(&self) -> usize {
        self.on_disk.bytes() + self.sealed_bytes
    }

    /// Takes the next part of the object, of exactly this size: some stores want all parts but the last alike.
    pub(super) fn take_part(&mut self, size: usize) -> Result<Body> {
        if self.on_disk.bytes() > 0 {
            let content = Content { on_disk: std::mem::take(&mut self.on_disk), rest: std::mem::take(&mut self.sealed) };
            self.sealed_bytes += content.bytes_on_disk();
            let mut body = content.read()?;
            self.sealed_bytes -= size;
            let part = split_off_front(&mut body, size);
            // Not a slice of what was read, which would stay as a whole.
            self.sealed = body.iter().map(|block| Bytes::copy_from_slice(block)).collect();
            return Ok(part);
        }
        self.sealed_bytes -= size;
        Ok(split_off_front(&mut self.sealed, size))
    }

    /// Whether some of it has ever been on disk.
    pub(super) fn has_spilled(&self) -> bool {
        self.has_spilled
    }

    /// Moves what fills pages to disk. On an error it stays in memory.
    pub(super) fn spill(&mut self, to: &Arc<Spill>) -> io::Result<()> {
        self.has_spilled = true;
        if self.sealed_bytes + self.block.len() >= PAGE {
            let mut all = self.sealed.concat();
            all.extend_from_slice(&self.block);
            self.block = spill_pages(to, &mut self.on_disk, &all)?;
            self.sealed.clear();
            self.sealed_bytes = 0;
        }
        self.raw.spill(to)?;
        for bytes in [&mut self.block, &mut self.raw.bytes] {
            if bytes.capacity() > PAGE {
                *bytes = bytes.to_vec();
            }
        }
        Ok(())
    }

    /// Closes the file and gives what was not taken.
    pub(super) fn finish(mut self) -> Result<Content> {
        if self.block_size.is_some() {
            if self.raw.len() > 0 {
                self.write_block()?;
            }
            self.writer.finish(&mut self.block)?;
        } else if self.compression == Compression::None {
            self.writer.finish(&mut self.block)?;
        } else {
            self.writer.finish(&mut self.raw.bytes)?;
            self.raw.finish(&mut self.block)?;
        }
        self.sealed.extend(pieces(self.block));
        Ok(Content { on_disk: self.on_disk, rest: self.sealed })
    }

    fn seal(&mut self, capacity: usize) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(capacity));
        self.sealed_bytes += block.len();
        self.sealed.push(Bytes::from(block));
    }
}

impl Raw {
    fn new(compressor: Compressor) -> Self {
        let (bytes, sealed, on_disk) = (Vec::new(), Vec::new(), Spilled::default());
        Self { compressor, bytes, sealed, sealed_bytes: 0, on_disk, window: 0 }
    }

    /// Whether there is enough to compress some of it.
    fn has_block(&self) -> bool {
        self.len() >= self.window + COMPRESSED_AT_ONCE
    }

    fn len(&self) -> usize {
        self.bytes.len() + self.sealed_bytes + self.on_disk.bytes()
    }

    /// The records so far are a piece: they are not copied again when more come.
    fn seal(&mut self) {
        let piece = std::mem::replace(&mut self.bytes, Vec::with_capacity(BLOCK + 16 * 1024));
        self.sealed_bytes += piece.len();
        self.sealed.push(piece.into());
    }

    /// All of it, in pieces of whole records. What was on disk ends in the middle of a record, so it makes one piece with the rest.
    fn take(&mut self) -> Result<Vec<Bytes>> {
        if self.on_disk.bytes() > 0 {
            let mut all = Vec::with_capacity(self.len());
            std::mem::take(&mut self.on_disk).read(&mut all)?;
            self.sealed.drain(..).for_each(|piece| all.extend_from_slice(&piece));
            all.append(&mut self.bytes);
            self.sealed = vec![all.into()];
        } else {
            self.sealed.push(std::mem::take(&mut self.bytes).into());
        }
        self.sealed_bytes = 0;
        Ok(std::mem::take(&mut self.sealed))
    }

    /// Moves what fills pages to disk. On an error it stays in memory.
    fn spill(&mut self, to: &Arc<Spill>) -> io::Result<()> {
        if self.sealed_bytes + self.bytes.len() >= PAGE {
            let mut all = self.sealed.concat();
            all.extend_from_slice(&self.bytes);
            self.bytes = spill_pages(to, &mut self.on_disk, &all)?;
            self.sealed.clear();
            self.sealed_bytes = 0;
        }
        Ok(())
    }

    /// Brings what is on disk back.
    fn read_back(&mut self) -> Result<()> {
        if self.on_disk.bytes() > 0 {
            let mut all = Vec::with_capacity(self.len());
            std::mem::take(&mut self.on_disk).read(&mut all)?;
            all.append(&mut self.bytes);
            self.bytes = all;
        }
        Ok(())
    }

    /// Compresses as many whole blocks as there are.
    fn compress(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.read_back()?;
        while self.has_block() {
            let (before, pending) = self.bytes.split_at(self.window);
            let window = &before[before.len().saturating_sub(WINDOW)..];
            self.compressor.write(window, &pending[..COMPRESSED_AT_ONCE], out)?;
            self.window += COMPRESSED_AT_ONCE;
        }
        let behind = self.window.saturating_sub(WINDOW);
        self.bytes.drain(..behind);
        self.window -= behind;
        Ok(())
    }

    /// Compresses all of it.
    fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.compress(out)?;
        let (window, rest) = self.bytes.split_at(self.window);
        self.compressor.finish(window, rest, out)
    }
}

/// Moves whole pages to disk, and returns the rest.
fn spill_pages(to: &Arc<Spill>, on_disk: &mut Spilled, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let (pages, rest) = bytes.split_at(bytes.len() / PAGE * PAGE);
    to.append(on_disk, pages)?;
    Ok(rest.to_vec())
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

/// What a writer has made at once, in pieces where it is large: parts of the object are slices of them, and each slice keeps its whole piece in memory.
fn pieces(block: Vec<u8>) -> Body {
    match block.len() {
        0 => Vec::new(),
        length if length > 2 * BLOCK => block.chunks(BLOCK).map(Bytes::copy_from_slice).collect(),
        _ => vec![fitting(block)],
    }
}

/// The same bytes in no more memory than they need: small objects wait by the thousand, and a buffer that has grown is half empty at worst.
fn fitting(block: Vec<u8>) -> Bytes {
    let is_wasteful = block.len() < block.capacity() / 8 * 7;
    // Not `shrink_to_fit`: an allocator may leave a block where it is unless it shrinks by half.
    if is_wasteful { Bytes::copy_from_slice(&block) } else { Bytes::from(block) }
}

#[cfg(test)]
mod tests {
    use connect_api::{ConsumerRecord, ConsumerRecords, Origin, TopicPartition, data::Data};

    use super::*;

    #[test]
    fn parts_are_cut_within_blocks_and_lose_nothing() {
        let mut body: Body = ["abcd", "", "efgh", "ij"].map(|block| Bytes::from_static(block.as_bytes())).to_vec();
        assert_eq!(split_off_front(&mut body, 3).concat(), b"abc");
        assert_eq!(split_off_front(&mut body, 5).concat(), b"defgh");
        assert_eq!(split_off_front(&mut body, 5).concat(), b"ij");
        assert!(body.is_empty());
    }

    /// Writes some thousand bytes a record, which follow from its offset. With a size, in blocks between brackets.
    struct Noise(Option<usize>);

    impl RecordWriter for Noise {
        fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
            let mut state = u32::try_from(record.offset()).unwrap().wrapping_mul(2_654_435_761) | 1;
            for _ in 0..state % 9_000 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                out.push(b'a' + u8::try_from(state >> 29).unwrap());
            }
            out.push(b'.');
            Ok(())
        }

        fn block_size(&self) -> Option<usize> {
            self.0
        }

        fn write_block(&mut self, records: &[Bytes], out: &mut Vec<u8>) -> Result<()> {
            assert!(records.iter().all(|piece| piece.ends_with(b".")), "a record lies in two pieces");
            out.push(b'[');
            out.extend_from_slice(&records.concat());
            out.push(b']');
            Ok(())
        }

        fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
            out.push(b'!');
            Ok(())
        }
    }

    fn record(offset: i64) -> SinkRecord {
        let consumed = ConsumerRecord { offset, ..ConsumerRecord::default() };
        let batch = ConsumerRecords { topic_partition: TopicPartition::new("t", 0), records: vec![consumed] };
        SinkRecord::new(Origin::new(Arc::new(batch), 0), Data::default(), Data::default(), Vec::new())
    }

    /// Spills after each of the records for which `spills` says so, and takes a part where there is enough for one.
    fn written(noise: Noise, compression: Compression, to: &Arc<Spill>, spills: impl Fn(i64) -> bool) -> Vec<u8> {
        let block = noise.0.unwrap_or(0);
        let (mut buffer, mut sent) = (FileBuffer::new(Box::new(noise), compression), Vec::new());
        for offset in 0..400 {
            buffer.write(&record(1_000)).unwrap();
            buffer.undo();
            buffer.write(&record(offset)).unwrap();
            buffer.settle().unwrap();
            if spills(offset) {
                buffer.spill(to).unwrap();
                assert!(buffer.bytes() < 2 * PAGE, "{} with blocks of {block}", buffer.bytes());
            }
            while buffer.part_bytes() >= 500_000 {
                sent.extend(buffer.take_part(500_000).unwrap().concat());
            }
        }
        sent.extend(buffer.finish().unwrap().read().unwrap().concat());
        sent
    }

    #[test]
    fn a_file_holds_the_same_bytes_whenever_it_went_to_disk() {
        let directory = tempfile::tempdir().unwrap();
        let spill = Spill::new(directory.path().to_owned(), u64::MAX);
        let compressions = [Compression::None, Compression::Gzip(-1), Compression::Gzip(0), Compression::Gzip(1)];
        let blocks = [64_000, 700_000, 10_000_000].map(|size| (Some(size), Compression::None));
        for (block, compression) in compressions.map(|compression| (None, compression)).into_iter().chain(blocks) {
            let written = |spills: &dyn Fn(i64) -> bool| written(Noise(block), compression, &spill, spills);
            let in_memory = written(&|_| false);
            assert!(in_memory.len() > 500_000, "{}", in_memory.len());
            assert!(written(&|_| true) == in_memory);
            assert!(written(&|offset| offset % 7 == 3) == in_memory);
            assert!(written(&|offset| offset > 390) == in_memory);
        }
    }
}
