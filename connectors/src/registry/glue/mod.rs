//! The AWS Glue Schema Registry.
//!
//! | file | part |
//! |---|---|
//! | `wire` | the name of its schema in front of each message, which may be compressed |
//! | `config` | the keys of a converter that say where the registry is, and who asks |
//! | `client` | requests |
//! | `data_format` | what the messages of a schema are |

mod client;
mod config;
mod data_format;
mod wire;

use connect_api::{Result, async_trait};

use self::client::Client;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use self::client::read_any;
pub(crate) use self::{
    config::{GlueConfig, keys},
    data_format::DataFormat,
    wire::{payload, split},
};
use super::schemas::{RecordName, Registry, SchemaId, SchemaText, Version};

/// The registry itself.
#[derive(Debug)]
pub(crate) struct GlueRegistry {
    client: Client,
    format: DataFormat,
}

impl GlueRegistry {
    /// `format`: that of the only schemas that can be read.
    pub(crate) fn new(config: GlueConfig, format: DataFormat) -> Self {
        Self { client: Client::new(config), format }
    }
}

#[async_trait]
impl Registry for GlueRegistry {
    /// Its schemas refer to no others, and its converters make nothing of their versions.
    async fn schema(&self, id: SchemaId, _topic: &str, _record_name: RecordName<'_>) -> Result<(SchemaText, Version)> {
        let schema = self.client.schema(id).await?;
        self.format.check(&schema)?;
        Ok((SchemaText { schema, referenced: Vec::new() }, None))
    }
}
