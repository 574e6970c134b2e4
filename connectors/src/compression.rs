//! Stream compression of whole files.

use std::{cell::RefCell, fmt};

use connect_api::{Error, Result};
use flate2::{Compress, CompressError, Crc, FlushCompress, Status};

/// How a file is compressed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// One gzip member at this level: 0 to 9, or -1 for zlib's own choice.
    Gzip(i32),
}

impl Compression {
    /// What is appended to the file's extension.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip(_) => ".gz",
        }
    }

    /// Begins a file.
    pub(crate) fn compressor(self) -> Compressor {
        match self {
            Self::None => Compressor(None),
            Self::Gzip(level) => Compressor(Some(Gzip::new(level))),
        }
    }
}

/// So many bytes are compressed at once, all but the last of a file: its bytes follow from them and not from when they came.
pub(crate) const COMPRESSED_AT_ONCE: usize = 64 * 1024;

/// So far deflate looks back for what it has seen before.
pub(crate) const WINDOW: usize = 32 * 1024;

/// Compresses one file, and remembers no more of it than a checksum: zlib's own state would weigh more than most files, and thousands are open at the same
/// time. What was compressed last is handed in again instead.
pub(crate) struct Compressor(Option<Gzip>);

impl Compressor {
    /// Appends what `block` becomes to `out`. `window`: up to [`WINDOW`] bytes before it.
    ///
    /// # Errors
    /// `Fatal` where zlib fails.
    pub(crate) fn write(&mut self, window: &[u8], block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match &mut self.0 {
            None => out.extend_from_slice(block),
            Some(gzip) => gzip.write(window, block, FlushCompress::Sync, out)?,
        }
        Ok(())
    }

    /// The same with the last block of the file.
    ///
    /// # Errors
    /// `Fatal` where zlib fails.
    pub(crate) fn finish(self, window: &[u8], block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self.0 {
            None => out.extend_from_slice(block),
            Some(gzip) => gzip.finish(window, block, out)?,
        }
        Ok(())
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Compressor(gzip)" } else { "Compressor(none)" })
    }
}

/// No name, no time, no extra flags, unknown system: what Java writes.
const HEADER: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

struct Gzip {
    level: u32,
    /// Of the bytes so far.
    checksum: Crc,
    begun: bool,
}

thread_local! {
    /// zlib's state, with its level, and room for a block: made once a thread. It forgets everything between two blocks.
    static DEFLATE: RefCell<Option<(u32, Compress, Vec<u8>)>> = const { RefCell::new(None) };
}

/// Room for a block that cannot be compressed, and what is around it. Always the same: where zlib finds less, it writes other bytes.
const ROOM: usize = COMPRESSED_AT_ONCE + COMPRESSED_AT_ONCE / 4;

impl Gzip {
    fn new(level: i32) -> Self {
        let level = u32::try_from(level).map_or_else(|_negative| flate2::Compression::default(), flate2::Compression::new);
        Self { level: level.level(), checksum: Crc::new(), begun: false }
    }

    /// Blocks end at whole bytes, so that they can stand one behind the other.
    fn write(&mut self, window: &[u8], block: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(HEADER);
        }
        self.checksum.update(block);
        DEFLATE.with_borrow_mut(|kept| {
            let new = |level| (level, Compress::new(flate2::Compression::new(level), false), Vec::with_capacity(ROOM));
            let (level, deflate, room) = kept.get_or_insert_with(|| new(self.level));
            if *level != self.level {
                (*level, *deflate) = (self.level, new(self.level).1);
            }
            deflate.reset();
            if !window.is_empty() {
                deflate.set_dictionary(window).map_err(failed)?;
            }
            deflate_all(deflate, block, flush, room, out)
        })
    }

    fn finish(mut self, window: &[u8], block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.write(window, block, FlushCompress::Finish, out)?;
        out.extend_from_slice(&self.checksum.sum().to_le_bytes());
        out.extend_from_slice(&self.checksum.amount().to_le_bytes());
        Ok(())
    }
}

fn deflate_all(
    deflate: &mut Compress,
    mut block: &[u8],
    flush: FlushCompress,
    room: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let finishing = matches!(flush, FlushCompress::Finish);
    loop {
        room.clear();
        let taken = deflate.total_in();
        let status = deflate.compress_vec(block, room, flush).map_err(failed)?;
        out.extend_from_slice(room);
        block = &block[usize::try_from(deflate.total_in() - taken).unwrap_or(block.len())..];
        let has_room = room.len() < room.capacity();
        if status == Status::StreamEnd || !finishing && block.is_empty() && has_room {
            return Ok(());
        }
    }
}

fn failed(error: CompressError) -> Error {
    Error::fatal("gzip failed").with_source(error)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn compressed(compression: Compression, blocks: &[&[u8]]) -> Vec<u8> {
        let (mut compressor, mut out, mut window) = (compression.compressor(), Vec::new(), Vec::new());
        for block in blocks {
            compressor.write(&window, block, &mut out).unwrap();
            window.extend_from_slice(block);
            window.drain(..window.len().saturating_sub(WINDOW));
        }
        compressor.finish(&window, &[], &mut out).unwrap();
        out
    }

    fn decompressed(bytes: &[u8]) -> Vec<u8> {
        let mut decoder = flate2::read::GzDecoder::new(bytes);
        let mut plain = Vec::new();
        decoder.read_to_end(&mut plain).unwrap();
        assert!(decoder.into_inner().is_empty(), "more than one member");
        plain
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(&mut next).take(len).collect()
    }

    #[test]
    fn without_compression_bytes_pass_unchanged() {
        assert_eq!(compressed(Compression::None, &[b"a", b"", b"bc"]), b"abc");
    }

    #[test]
    fn every_level_gives_one_gzip_member_with_the_header_of_the_jvm() {
        let blocks = [b"text ".repeat(40_000), noise(200_000), Vec::new(), b"end".to_vec()];
        let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
        for level in -1..=9 {
            let bytes = compressed(Compression::Gzip(level), &blocks);
            assert_eq!(bytes[..10], *HEADER);
            assert_eq!(decompressed(&bytes), blocks.concat(), "level {level}");
        }
    }

    #[test]
    fn an_empty_file_is_an_empty_member() {
        assert_eq!(decompressed(&compressed(Compression::Gzip(-1), &[])), b"");
    }

    #[test]
    fn the_level_matters() {
        let text = noise(2000).repeat(50);
        let len = |level| compressed(Compression::Gzip(level), &[&text]).len();
        assert!(len(0) > text.len());
        assert!(len(9) < text.len() / 4);
        assert_eq!(len(-1), len(6));
    }

    #[test]
    fn files_of_several_levels_may_be_written_in_turns() {
        let text = noise(3_000).repeat(20);
        let alone = |level| compressed(Compression::Gzip(level), &[&text, &text]);
        let (fast, small) = (alone(1), alone(9));
        let mut both = [1, 9].map(|level| (Compression::Gzip(level).compressor(), Vec::new()));
        for (compressor, out) in &mut both {
            compressor.write(&[], &text, out).unwrap();
        }
        for (compressor, out) in &mut both {
            compressor.write(&text[text.len() - WINDOW..], &text, out).unwrap();
        }
        let [one, nine] = both.map(|(compressor, mut out)| {
            compressor.finish(&text[text.len() - WINDOW..], &[], &mut out).unwrap();
            out
        });
        assert!(one == fast && nine == small);
    }

    #[test]
    fn what_lies_in_the_window_costs_little_more_than_in_one_piece() {
        let text = noise(20_000).repeat(16);
        let blocks: Vec<&[u8]> = text.chunks(COMPRESSED_AT_ONCE).collect();
        let (in_blocks, whole) = (compressed(Compression::Gzip(-1), &blocks), compressed(Compression::Gzip(-1), &[&text]));
        assert_eq!(decompressed(&in_blocks), text);
        assert!(in_blocks.len() < whole.len() + whole.len() / 20, "{} and {}", in_blocks.len(), whole.len());
    }
}
