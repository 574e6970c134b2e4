//! How the pages of Parquet files are compressed.

use connect_api::{
    Error, Result,
    config::{ConfigType, ConfigValue},
};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};

/// Those of the JVM, in its order.
pub(super) const CODECS: &[&str] = &["none", "gzip", "snappy", "lz4", "brotli", "lz4_raw", "zstd", "lzo"];

/// `parquet.codec`, but `lzo`.
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
            "lzo" => Err("is not supported: on the JVM it fails with the first record, because the connector brings no such codec"
                .to_owned()),
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

    /// With the levels that the JVM has where nobody sets them.
    ///
    /// # Errors
    /// `Fatal` where the codec has no such level.
    pub(super) fn compression(self) -> Result<Compression> {
        const ZSTD: i32 = 3;
        let no_level = |error| Error::fatal("a codec of Parquet has not the level it should have").with_source(error);
        Ok(match self {
            Self::None => Compression::UNCOMPRESSED,
            Self::Gzip => Compression::GZIP(GzipLevel::default()),
            Self::Snappy => Compression::SNAPPY,
            Self::Lz4 => Compression::LZ4,
            Self::Brotli => Compression::BROTLI(BrotliLevel::default()),
            Self::Lz4Raw => Compression::LZ4_RAW,
            Self::Zstd => Compression::ZSTD(ZstdLevel::try_new(ZSTD).map_err(no_level)?),
        })
    }
}
