//! How the pages of Parquet files are compressed.

use std::io::{self, Write};

use connect_api::config::{ConfigType, ConfigValue};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};

/// The levels that the JVM has where nobody sets them.
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: u32 = 1;
const BROTLI_WINDOW: u32 = 22;
/// Hadoop reads LZ4 by the block, and has room for blocks of 256 KiB.
const LZ4_BLOCK: usize = 128 * 1024;

/// Those of the JVM but `lzo`, in its order.
pub(super) const CODECS: &[&str] = &["none", "gzip", "snappy", "lz4", "brotli", "lz4_raw", "zstd"];

/// `parquet.codec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Gzip,
    Snappy,
    /// In frames of Hadoop's.
    Lz4,
    Brotli,
    Lz4Raw,
    Zstd,
}

impl ConfigValue for Codec {
    const TYPE: ConfigType = ConfigType::String;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "gzip" => Ok(Self::Gzip),
            "snappy" => Ok(Self::Snappy),
            "lz4" => Ok(Self::Lz4),
            "brotli" => Ok(Self::Brotli),
            "lz4_raw" => Ok(Self::Lz4Raw),
            "zstd" => Ok(Self::Zstd),
            _ => Err(format!("must be one of {}", CODECS.join(", "))),
        }
    }
}

impl Codec {
    /// As Parquet's own library for the JVM names files.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::None => ".parquet",
            Self::Gzip => ".gz.parquet",
            Self::Snappy => ".snappy.parquet",
            Self::Lz4 => ".lz4hadoop.parquet",
            Self::Brotli => ".br.parquet",
            Self::Lz4Raw => ".lz4raw.parquet",
            Self::Zstd => ".zstd.parquet",
        }
    }

    /// As the footer says it.
    pub(super) fn compression(self) -> Compression {
        match self {
            Self::None => Compression::UNCOMPRESSED,
            Self::Gzip => Compression::GZIP(GzipLevel::default()),
            Self::Snappy => Compression::SNAPPY,
            Self::Lz4 => Compression::LZ4,
            Self::Brotli => Compression::BROTLI(BrotliLevel::default()),
            Self::Lz4Raw => Compression::LZ4_RAW,
            Self::Zstd => Compression::ZSTD(ZstdLevel::default()),
        }
    }
}

/// Compresses pages, one after the other: what a codec needs to do so is there once, and not for each column.
pub(super) enum Compressor {
    None,
    Gzip,
    Snappy(Box<snap::raw::Encoder>),
    Lz4,
    Brotli,
    Lz4Raw,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    /// # Errors
    /// Where the codec has no memory.
    pub(super) fn new(codec: Codec) -> io::Result<Self> {
        Ok(match codec {
            Codec::None => Self::None,
            Codec::Gzip => Self::Gzip,
            Codec::Snappy => Self::Snappy(Box::new(snap::raw::Encoder::new())),
            Codec::Lz4 => Self::Lz4,
            Codec::Brotli => Self::Brotli,
            Codec::Lz4Raw => Self::Lz4Raw,
            Codec::Zstd => Self::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
        })
    }

    /// The page, compressed; `None` where it stays as it is.
    ///
    /// # Errors
    /// Where the codec fails.
    pub(super) fn compress(&mut self, page: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(Some(match self {
            Self::None => return Ok(None),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(page)?;
                encoder.finish()?
            }
            Self::Snappy(encoder) => encoder.compress_vec(page)?,
            Self::Lz4 => lz4_blocks(page)?,
            Self::Brotli => {
                let mut out = Vec::new();
                brotli::CompressorWriter::new(&mut out, 4096, BROTLI_LEVEL, BROTLI_WINDOW).write_all(page)?;
                out
            }
            Self::Lz4Raw => lz4_flex::block::compress(page),
            Self::Zstd(compressor) => compressor.compress(page)?,
        }))
    }
}

/// Hadoop's form: blocks, each behind its two sizes.
fn lz4_blocks(page: &[u8]) -> io::Result<Vec<u8>> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
    let mut out = Vec::new();
    for block in page.chunks(LZ4_BLOCK) {
        let compressed = lz4_flex::block::compress(block);
        out.extend_from_slice(&size(block)?.to_be_bytes());
        out.extend_from_slice(&size(&compressed)?.to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_page_is_several_blocks_of_lz4_that_hadoop_has_room_for() {
        let page: Vec<u8> = (0..600_000_u32).flat_map(u32::to_le_bytes).collect();
        let compressed = lz4_blocks(&page).unwrap();
        let (mut rest, mut read, mut blocks) = (&*compressed, Vec::new(), 0);
        while let Some((sizes, behind)) = rest.split_first_chunk::<8>() {
            let [raw, size] = [&sizes[..4], &sizes[4..]].map(|size| u32::from_be_bytes(size.try_into().unwrap()) as usize);
            assert!(raw <= LZ4_BLOCK && size < 2 * LZ4_BLOCK);
            read.extend(lz4_flex::block::decompress(&behind[..size], raw).unwrap());
            (rest, blocks) = (&behind[size..], blocks + 1);
        }
        assert!(read == page && rest.is_empty());
        assert_eq!(blocks, page.len().div_ceil(LZ4_BLOCK));
    }
}
