//! The name of its schema in front of each message: a version, how the rest is compressed, and 16 bytes.

use std::io::Read;

use bytes::Bytes;
use connect_api::{Error, Result};
use flate2::read::ZlibDecoder;

use crate::registry::schemas::SchemaId;

const VERSION: u8 = 3;
const PLAIN: u8 = 0;
const ZLIB: u8 = 5;

/// A message of a few kilobytes could fill memory.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The schema's name, and the rest as it lies there.
///
/// # Errors
/// `Data` where there is none.
pub(crate) fn split(bytes: &Bytes) -> Result<(SchemaId, bool, Bytes)> {
    let (Some(&version), Some(&compression), Some(id)) = (bytes.first(), bytes.get(1), bytes.get(2..18)) else {
        return Err(Error::data(format!("a message of {} bytes is too short for the name of a Glue schema", bytes.len())));
    };
    if version != VERSION {
        return Err(Error::data("Invalid schema registry header version byte in data"));
    }
    let id = SchemaId::Guid(id.try_into().unwrap_or_default());
    match compression {
        PLAIN => Ok((id, false, bytes.slice(18..))),
        ZLIB => Ok((id, true, bytes.slice(18..))),
        _ => Err(Error::data("Invalid schema registry compression byte in data")),
    }
}

/// The message without compression.
///
/// # Errors
/// `Data` where it cannot be undone, or would take too much memory.
pub(crate) fn payload(is_compressed: bool, bytes: Bytes) -> Result<Bytes> {
    if !is_compressed {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let read = ZlibDecoder::new(&*bytes).take(LONGEST + 1).read_to_end(&mut plain);
    read.map_err(|error| Error::data("Error while decompressing data").with_source(error))?;
    if plain.len() as u64 > LONGEST {
        return Err(Error::data(format!("the message has more than {LONGEST} bytes once it is decompressed")));
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    fn message(head: [u8; 2], rest: &[u8]) -> Bytes {
        [&head[..], &(0..16).collect::<Vec<u8>>(), rest].concat().into()
    }

    fn compressed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &Bytes) -> Result<(String, Vec<u8>)> {
        let (id, is_compressed, rest) = split(bytes)?;
        Ok((id.to_string(), payload(is_compressed, rest)?.to_vec()))
    }

    #[test]
    fn a_message_is_plain_or_compressed() {
        let expected = ("00010203-0405-0607-0809-0a0b0c0d0e0f".to_owned(), b"xyz".to_vec());
        assert_eq!(read(&message([3, 0], b"xyz")).unwrap(), expected);
        assert_eq!(read(&message([3, 5], &compressed(b"xyz"))).unwrap(), expected);
    }

    #[test]
    fn what_has_no_such_head_is_bad_data() {
        assert!(read(&message([0, 0], b"")).unwrap_err().to_string().contains("version byte"));
        assert!(read(&message([3, 1], b"")).unwrap_err().to_string().contains("compression byte"));
        assert!(read(&Bytes::from_static(&[3, 0, 1])).unwrap_err().to_string().contains("too short"));
        assert!(read(&message([3, 5], b"no zlib")).unwrap_err().to_string().contains("decompressing"));
    }

    #[test]
    fn a_small_message_does_not_fill_memory() {
        let huge = vec![0; usize::try_from(LONGEST).unwrap() + 1];
        assert!(read(&message([3, 5], &compressed(&huge))).unwrap_err().to_string().contains("more than"));
        assert!(read(&message([3, 5], &compressed(&huge[1..]))).is_ok());
    }
}
