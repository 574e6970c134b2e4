//! What converters of messages with schemas in the AWS Glue Schema Registry have in common.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{Error, ErrorKind, Fetch, Result, config::Config, data::Data};

use crate::registry::{
    Reader, Schemas,
    glue::{DataFormat, GlueConfig, GlueRegistry, payload, split},
};

/// Finds the schema of each message.
#[derive(Debug)]
pub(super) struct InGlue<R: Reader>(Schemas<R>);

impl<R: Reader> InGlue<R> {
    /// `format`: that of the messages.
    ///
    /// # Errors
    /// `Config` where the registry's keys are wrong.
    pub(super) fn new(config: &Config, format: DataFormat, reader: R) -> Result<Self> {
        let glue = GlueConfig::new(config)?;
        let most = glue.most_schemas();
        Ok(Self(Schemas::new(GlueRegistry::new(glue, format), most, reader)))
    }

    /// The data that `read` makes of a message without the name of its schema, and without compression.
    ///
    /// # Errors
    /// `Data` where the message cannot be read, `Retriable` where its schema must be [fetched](Self::fetch) first.
    pub(super) fn to_connect_data(
        &self,
        topic: &str,
        bytes: Option<&Bytes>,
        read: impl Fn(&Arc<R::Schema>, &Bytes) -> Result<Data>,
    ) -> Result<Data> {
        let Some(bytes) = bytes else { return Ok(Data::default()) };
        let read = || {
            let (id, is_compressed, rest) = split(bytes)?;
            let schema = self.0.get(id, topic)?;
            read(&schema, &payload(is_compressed, rest)?)
        };
        match read() {
            Err(error) if error.kind() == ErrorKind::Data => {
                let what = "Converting byte[] to Kafka Connect data failed due to serialization error: ";
                Err(Error::data(what).with_source(error))
            }
            done => done,
        }
    }

    /// Gets the schema of a message.
    pub(super) fn fetch(&self, topic: &str, bytes: Option<&Bytes>) -> Option<Fetch> {
        let (id, ..) = split(bytes?).ok()?;
        Some(self.0.fetch(id, topic))
    }
}
