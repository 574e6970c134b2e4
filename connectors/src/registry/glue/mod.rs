//! The AWS Glue Schema Registry.
//!
//! | file | part |
//! |---|---|
//! | `wire` | the name of its schema in front of each message, which may be compressed |
//! | `config` | the keys of a converter that say where the registry is, and who asks |
//! | `client` | requests |

mod client;
mod config;
mod wire;

use connect_api::{Result, async_trait};

use self::client::Client;
pub(crate) use self::{
    config::{GlueConfig, keys},
    wire::{payload, split},
};
use super::schemas::{RecordName, Registry, SchemaId, SchemaText, Version};

/// The registry itself.
#[derive(Debug)]
pub(crate) struct GlueRegistry(Client);

impl GlueRegistry {
    pub(crate) fn new(config: GlueConfig) -> Self {
        Self(Client::new(config))
    }
}

#[async_trait]
impl Registry for GlueRegistry {
    /// Its schemas refer to no others, and its converters make nothing of their versions.
    async fn schema(&self, id: SchemaId, _topic: &str, _record_name: RecordName<'_>) -> Result<(SchemaText, Version)> {
        Ok((SchemaText { schema: self.0.schema(id).await?, referenced: Vec::new() }, None))
    }
}
