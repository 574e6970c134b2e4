//! Bytes to data.

use std::pin::Pin;

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
    /// `Data` where the bytes can never be read; `Retriable` where something is not there yet, see [`fetch`](Self::fetch).
    fn to_connect_data(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data>;

    /// Gets what [`to_connect_data`](Self::to_connect_data) lacked when it answered `Retriable` for these bytes: their schema, which a
    /// registry has. Once it is there the same bytes are converted again. `None`, as by default, where there is nothing to get: then
    /// `errors.retry.timeout` decides how often the same call is tried.
    ///
    /// The task goes on turning while it waits, keeps the batch, and asks again for ever after a `Retriable` error: a service that does
    /// not answer is the environment's fault, and readiness shows it. An answer that no such thing exists is no error here: remember it,
    /// and let `to_connect_data` say so.
    fn fetch(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        let (_, _, _) = (topic, headers, bytes);
        None
    }
}

/// What a converter gets from outside. `Retriable` errors are tried again; any other fails the task.
pub type Fetch = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

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
