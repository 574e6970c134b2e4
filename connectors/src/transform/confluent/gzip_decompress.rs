//! Bytes that were compressed by producers.

use std::io::Read;

use bytes::Bytes;
use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef},
    data::{Data, Value},
};
use flate2::read::MultiGzDecoder;

use crate::transform::operand::{OperandTransformation, classes};

/// So much becomes of one record at most: what is compressed may stand for a thousand times as much.
const MOST: u64 = 64 * 1024 * 1024;

/// Decompresses bytes.
pub(crate) struct GzipDecompress;

impl OperandTransformation for GzipDecompress {
    classes!("io.confluent.connect.transforms.", "GzipDecompress");
    const DOCUMENTATION: &'static str = "Decompresses the whole, which is bytes that were compressed with gzip.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("GzipDecompress", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        let bytes = match &operand.value {
            Value::Null => return Ok(operand),
            Value::Bytes(bytes) => bytes,
            other => return Err(Error::data(format!("GzipDecompress takes bytes alone, found: {}", other.type_name()))),
        };
        let mut decompressed = Vec::new();
        let read = MultiGzDecoder::new(&bytes[..]).take(MOST + 1).read_to_end(&mut decompressed);
        read.map_err(|error| Error::data("the bytes cannot be decompressed with gzip").with_source(error))?;
        if decompressed.len() as u64 > MOST {
            return Err(Error::data(format!("the bytes decompress to more than {} MiB", MOST / 1024 / 1024)));
        }
        Ok(Data { schema: operand.schema, value: Value::Bytes(Bytes::from(decompressed)) })
    }
}
