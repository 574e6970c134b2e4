//! Bytes that were compressed by producers.

use std::io::{self, Read};

use bytes::Bytes;
use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef},
    data::{Data, Value},
};
use flate2::bufread::GzDecoder;

use crate::transform::operand::{OperandTransformation, classes};

/// So much becomes of one record at most: what is compressed may stand for a thousand times as much.
const MOST: u64 = 64 * 1024 * 1024;

/// Decompresses bytes.
pub(crate) struct GzipDecompress;

impl OperandTransformation for GzipDecompress {
    classes!("io.confluent.connect.transforms.", "GzipDecompress");
    const DOCUMENTATION: &'static str = "Decompresses the whole, which is bytes that were compressed with gzip. Those that become more than 64 MiB fail; what follows the last \
         member of gzip is ignored.";

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
        let decompressed =
            decompress(bytes).map_err(|error| Error::data("the bytes cannot be decompressed with gzip").with_source(error))?;
        if decompressed.len() as u64 > MOST {
            return Err(Error::data(format!("the bytes decompress to more than {} MiB", MOST / 1024 / 1024)));
        }
        Ok(Data { schema: operand.schema, value: Value::Bytes(Bytes::from(decompressed)) })
    }
}

/// What the members of gzip stand for, up to a byte more than may be. As Java's `GZIPInputStream`, what follows a member and begins no other one is ignored.
fn decompress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    let mut member = GzDecoder::new(bytes);
    loop {
        (&mut member).take(MOST + 1 - decompressed.len() as u64).read_to_end(&mut decompressed)?;
        let next = GzDecoder::new(member.into_inner());
        if next.header().is_none() || decompressed.len() as u64 > MOST {
            return Ok(decompressed);
        }
        member = next;
    }
}
