//! What converters of messages in Confluent's wire format have in common.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    ConverterType, Error, ErrorKind, Fetch, RawHeader, Result,
    config::{Config, ConfigKey, Importance},
    data::Data,
};

use crate::registry::{
    Reader, Schemas,
    confluent::{ConfluentConfig, ConfluentRegistry, Message},
};

pub(super) const ONLY_READS: &str = "a sink's converter only reads";

pub(super) static SUM_TYPES: ConfigKey<bool> = ConfigKey::with_default(
    "generalized.sum.type.support",
    "false",
    "Whether the fields of a union have names that converters of other formats give them, too. Only `false` is supported.",
)
.importance(Importance::Low)
.check(|is_on| if *is_on { Err("is not supported: only false is".to_owned()) } else { Ok(()) });

pub(super) static CACHE: ConfigKey<i32> =
    ConfigKey::with_default("schemas.cache.config", "1000", "Schemas that are kept in memory.")
        .importance(Importance::Low)
        .no_effect("`max.schemas.per.subject` counts");

/// Finds the schema of each message.
#[derive(Debug)]
pub(super) struct Registered<R: Reader> {
    schemas: Schemas<R>,
    /// The header that may hold the id of a schema.
    id_header: &'static str,
}

impl<R: Reader> Registered<R> {
    /// # Errors
    /// `Config` where the registry's keys are wrong.
    pub(super) fn new(config: &Config, reader: R) -> Result<Self> {
        let registry = ConfluentConfig::new(config)?;
        let id_header = if registry.side() == ConverterType::Key { "__key_schema_id" } else { "__value_schema_id" };
        let most = registry.most_schemas();
        Ok(Self { schemas: Schemas::new(ConfluentRegistry::new(registry), most, reader), id_header })
    }

    /// The data that `read` makes of a message; `unreadable` is what a failure is called.
    ///
    /// # Errors
    /// `Data` where the message cannot be read, `Retriable` where its schema must be [fetched](Self::fetch) first.
    pub(super) fn to_connect_data(
        &self,
        topic: &str,
        headers: &[RawHeader],
        bytes: Option<&Bytes>,
        read: impl Fn(&Arc<R::Schema>, &Message) -> Result<Data>,
        unreadable: impl Fn(Error) -> Error,
    ) -> Result<Data> {
        let Some(bytes) = bytes else { return Ok(Data::default()) };
        let message = Message::split(headers, self.id_header, bytes).map_err(|error| match error.class() {
            // What the JVM throws as it is.
            "java.nio.BufferUnderflowException" => error,
            _ => unreadable(error),
        })?;
        match self.schemas.get(message.id, topic).and_then(|schema| read(&schema, &message)) {
            Err(error) if error.kind() == ErrorKind::Data => Err(unreadable(error)),
            done => done,
        }
    }

    /// Gets the schema of a message.
    pub(super) fn fetch(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        let message = Message::split(headers, self.id_header, bytes?).ok()?;
        Some(self.schemas.fetch(message.id, topic))
    }
}
