//! Bytes to data.

use bytes::Bytes;

use crate::{RawHeader, Result, data::Data};

/// Turns the bytes of a key or value into [`Data`].
///
/// Deterministic and synchronous: it is called for every record on the data path, by several threads at once.
pub trait Converter: Send + Sync {
    /// The data in `bytes`; `None` is a null key or value and never reaches a parser.
    ///
    /// Slices of `bytes` share its buffer: prefer them to copies.
    ///
    /// # Errors
    /// `Data` where the bytes can never be read.
    fn to_connect_data(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data>;
}

/// Turns the bytes of a header into [`Data`].
pub trait HeaderConverter: Send + Sync {
    /// The data of the header `name`.
    ///
    /// # Errors
    /// `Data` where the bytes can never be read.
    fn to_connect_header(&self, topic: &str, name: &str, bytes: Option<&Bytes>) -> Result<Data>;
}

/// What a converter converts; Connect passes it to `configure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConverterType {
    /// Record keys.
    Key,
    /// Record values.
    Value,
    /// Header values.
    Header,
}
