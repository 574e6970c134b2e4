//! How blocks of Avro files are compressed.

use std::io::Write;

use connect_api::{
    Error, Result,
    config::{ConfigType, ConfigValue},
};

/// `avro.codec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Bzip2,
}

pub(super) const CODECS: &[&str] = &["null", "deflate", "snappy", "bzip2"];

impl ConfigValue for Codec {
    const TYPE: ConfigType = ConfigType::String;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "null" => Ok(Self::Null),
            "deflate" => Ok(Self::Deflate),
            "snappy" => Ok(Self::Snappy),
            "bzip2" => Ok(Self::Bzip2),
            _ => Err(format!("must be one of {}", CODECS.join(", "))),
        }
    }
}

impl Codec {
    /// As files say it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
            Self::Bzip2 => "bzip2",
        }
    }

    /// A block, compressed.
    ///
    /// # Errors
    /// `Fatal` where the codec fails.
    pub(super) fn compress(self, block: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Null => Ok(block.to_vec()),
            Self::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(block).and_then(|()| encoder.finish()).map_err(failed)
            }
            Self::Snappy => {
                let mut compressed = snap::raw::Encoder::new().compress_vec(block).map_err(failed)?;
                // Avro's own: a checksum of what it is before compression.
                compressed.extend_from_slice(&crc32fast::hash(block).to_be_bytes());
                Ok(compressed)
            }
            Self::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                encoder.write_all(block).and_then(|()| encoder.finish()).map_err(failed)
            }
        }
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::fatal("a block cannot be compressed").with_source(error)
}
