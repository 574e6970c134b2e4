//! Stream compression of whole files.

use std::fmt;

use connect_api::{Error, Result};
use flate2::{Compress, Crc, FlushCompress, Status};

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
            Self::Gzip(level) => Compressor(Some(Box::new(Gzip::new(level)))),
        }
    }
}

/// Compresses one file. Blocks of 64 KiB and more cost least.
pub(crate) struct Compressor(Option<Box<Gzip>>);

impl Compressor {
    /// Appends what `block` becomes to `out`; some of it may come with later calls.
    ///
    /// # Errors
    /// `Fatal` where zlib fails.
    pub(crate) fn write(&mut self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match &mut self.0 {
            None => out.extend_from_slice(block),
            Some(gzip) => gzip.write(block, out)?,
        }
        Ok(())
    }

    /// Appends what is left. The file is complete.
    ///
    /// # Errors
    /// `Fatal` where zlib fails.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        self.0.map_or(Ok(()), |gzip| gzip.finish(out))
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
    deflate: Compress,
    /// Of the bytes so far.
    checksum: Crc,
    begun: bool,
}

impl Gzip {
    fn new(level: i32) -> Self {
        let level = u32::try_from(level).map_or_else(|_negative| flate2::Compression::default(), flate2::Compression::new);
        Self { deflate: Compress::new(level, false), checksum: Crc::new(), begun: false }
    }

    fn write(&mut self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if !self.begun {
            self.begun = true;
            out.extend_from_slice(HEADER);
        }
        self.checksum.update(block);
        self.deflate(block, FlushCompress::None, out)
    }

    fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        self.write(&[], out)?;
        self.deflate(&[], FlushCompress::Finish, out)?;
        out.extend_from_slice(&self.checksum.sum().to_le_bytes());
        out.extend_from_slice(&self.checksum.amount().to_le_bytes());
        Ok(())
    }

    fn deflate(&mut self, mut block: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Result<()> {
        /// Room for output; deflating stops where it ends and goes on with more.
        const ROOM: usize = 16 * 1024;
        let finishing = matches!(flush, FlushCompress::Finish);
        loop {
            out.reserve(ROOM);
            let taken = self.deflate.total_in();
            let status =
                self.deflate.compress_vec(block, out, flush).map_err(|error| Error::fatal("gzip failed").with_source(error))?;
            block = &block[usize::try_from(self.deflate.total_in() - taken).unwrap_or(block.len())..];
            let has_room = out.len() < out.capacity();
            if status == Status::StreamEnd || !finishing && block.is_empty() && has_room {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn compressed(compression: Compression, blocks: &[&[u8]]) -> Vec<u8> {
        let (mut compressor, mut out) = (compression.compressor(), Vec::new());
        for block in blocks {
            compressor.write(block, &mut out).unwrap();
        }
        compressor.finish(&mut out).unwrap();
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
}
