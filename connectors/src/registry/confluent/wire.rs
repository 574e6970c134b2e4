//! The id of its schema in front of each message, or in its headers.

use bytes::Bytes;
use connect_api::{Error, RawHeader, Result};

use crate::registry::schemas::SchemaId;

/// A message without the id of its schema.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: SchemaId,
    pub(crate) payload: Bytes,
    /// What stands behind the id in the header, where it is there: of Protobuf, which of the schema's types it is.
    #[cfg_attr(not(feature = "protobuf"), expect(dead_code, reason = "only Protobuf has anything there"))]
    pub(crate) in_header: Option<Bytes>,
}

/// What stands before a number.
const NUMBER: u8 = 0;
/// What stands before a name.
const GUID: u8 = 1;

impl Message {
    /// Splits `bytes`; newer serializers leave them alone, and put the id into the header `id_header`.
    ///
    /// # Errors
    /// `Data` where there is no id, with the classes that the JVM's deserializer throws.
    pub(crate) fn split(headers: &[RawHeader], id_header: &str, bytes: &Bytes) -> Result<Self> {
        let in_header = headers.iter().rev().find(|(name, _)| **name == *id_header).and_then(|(_, value)| value.as_ref());
        if let Some(header) = in_header {
            let id = match header.split_first() {
                Some((&GUID, rest)) => rest.first_chunk().map(|guid| (SchemaId::Guid(*guid), 17)),
                Some((&NUMBER, rest)) => rest.first_chunk().map(|number| (SchemaId::Number(i32::from_be_bytes(*number)), 5)),
                _ => None,
            };
            return match id {
                Some((id, length)) => Ok(Self { id, payload: bytes.clone(), in_header: Some(header.slice(length..)) }),
                None => Err(Error::data(format!("the header {id_header} holds no id of a schema"))),
            };
        }
        match bytes.first() {
            Some(&NUMBER) => match bytes.get(1..5).and_then(|number| number.try_into().ok()) {
                Some(number) => {
                    Ok(Self { id: SchemaId::Number(i32::from_be_bytes(number)), payload: bytes.slice(5..), in_header: None })
                }
                None => Err(too_short(bytes)),
            },
            Some(&GUID) => match bytes.get(1..17).and_then(|guid| guid.try_into().ok()) {
                Some(guid) => Ok(Self { id: SchemaId::Guid(guid), payload: bytes.slice(17..), in_header: None }),
                None => Err(too_short(bytes)),
            },
            Some(_) => Err(Error::data("Unknown magic byte!")),
            None => Err(too_short(bytes)),
        }
    }
}

fn too_short(bytes: &[u8]) -> Error {
    let reason = format!("a message of {} bytes is too short for the id of a schema", bytes.len());
    // The JVM's has no message.
    Error::data("").with_class("java.nio.BufferUnderflowException").with_source(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID_TEXT: &str = "00010203-0405-0607-0809-0a0b0c0d0e0f";

    fn guid() -> Vec<u8> {
        std::iter::once(1).chain(0..16).collect()
    }

    fn split(headers: &[RawHeader], bytes: &[u8]) -> Result<(String, Vec<u8>)> {
        let Message { id, payload, .. } = Message::split(headers, "__value_schema_id", &Bytes::copy_from_slice(bytes))?;
        Ok((id.to_string(), payload.to_vec()))
    }

    #[test]
    fn an_id_stands_in_front_of_the_payload() {
        assert_eq!(split(&[], &[0, 0, 0, 1, 2, 7, 8]).unwrap(), ("258".to_owned(), vec![7, 8]));
        assert_eq!(split(&[], &[0, 0, 0, 0, 1]).unwrap(), ("1".to_owned(), vec![]));
        assert_eq!(split(&[], &[guid(), vec![9]].concat()).unwrap(), (GUID_TEXT.to_owned(), vec![9]));
    }

    #[test]
    fn an_id_in_the_headers_comes_first_and_the_last_of_several_counts() {
        let header = |name: &str, value: &[u8]| (name.into(), Some(Bytes::copy_from_slice(value)));
        let headers = [header("__value_schema_id", &[0, 0, 0, 0, 3]), header("__value_schema_id", &guid()), header("other", b"x")];
        assert_eq!(split(&headers, &[0, 0]).unwrap(), (GUID_TEXT.to_owned(), vec![0, 0]));
        assert_eq!(split(&headers[..1], &[5]).unwrap(), ("3".to_owned(), vec![5]));
        assert_eq!(split(&[header("__key_schema_id", &guid())], &[0, 0, 0, 0, 4]).unwrap(), ("4".to_owned(), vec![]));
        let error = split(&[header("__value_schema_id", b"x")], &[0, 0, 0, 0, 4]).unwrap_err();
        assert_eq!(error.to_string(), "the header __value_schema_id holds no id of a schema");
    }

    #[test]
    fn what_has_no_id_is_bad_data() {
        assert_eq!(split(&[], b"{\"a\":1}").unwrap_err().to_string(), "Unknown magic byte!");
        for short in [&[][..], &[0], &[0, 0, 0, 0], &[1, 2, 3]] {
            assert_eq!(split(&[], short).unwrap_err().class(), "java.nio.BufferUnderflowException", "{short:?}");
        }
    }
}
