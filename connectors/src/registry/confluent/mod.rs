//! A registry with Confluent's API.
//!
//! | file | part |
//! |---|---|
//! | `wire` | the id of its schema in front of each message, or in its headers |
//! | `config` | the keys of a converter that say where the registry is, and who asks |
//! | `address` | its URLs, and the user and password in them |
//! | `tls` | who is trusted, and the client's own certificate |
//! | `client` | requests |
//! | `references` | what a schema refers to |
//! | `subject` | under which name a topic's schema is registered |

mod address;
mod client;
mod config;
mod references;
mod subject;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::time::Duration;

use connect_api::{Error, Result, async_trait};

#[cfg(any(test, feature = "fuzzing"))]
pub(super) use self::client::read_any;
use self::{
    client::{Answer, Client},
    references::with_references,
};
pub(crate) use self::{
    config::{ConfluentConfig, KEYS, KEYS_WITH_SUBJECT, SCHEMA_SUBJECT},
    wire::Message,
};
use super::schemas::{RecordName, Registry, SchemaId, SchemaText, Version};

const BEFORE_IT_IS_BELIEVED: Duration = Duration::from_secs(1);

/// The registry itself.
#[derive(Debug)]
pub(crate) struct ConfluentRegistry {
    config: ConfluentConfig,
    client: Client,
}

impl ConfluentRegistry {
    pub(crate) fn new(config: ConfluentConfig) -> Self {
        Self { client: Client::new(config.clone()), config }
    }

    /// The latest schema of a subject.
    ///
    /// # Errors
    /// `Data` where there is none, `Retriable` where nobody answers.
    pub(crate) async fn latest(&self, subject: &str) -> Result<(SchemaText, Version)> {
        match twice(|| self.client.latest(subject)).await? {
            Answer::Found((schema, version)) => Ok((with_references(schema, &self.client).await?, Some(version))),
            Answer::Unknown(words) => Err(Error::data(words)),
        }
    }
}

/// Asks again after a while where there is no such thing: a registry of several members may not have heard of it everywhere.
async fn twice<T, F: Future<Output = Result<Answer<T>>>>(ask: impl Fn() -> F) -> Result<Answer<T>> {
    match ask().await? {
        found @ Answer::Found(_) => Ok(found),
        Answer::Unknown(_) => {
            tokio::time::sleep(BEFORE_IT_IS_BELIEVED).await;
            ask().await
        }
    }
}

#[async_trait]
impl Registry for ConfluentRegistry {
    async fn schema(&self, id: SchemaId, topic: &str, record_name: RecordName<'_>) -> Result<(SchemaText, Version)> {
        let ConfluentConfig { strategy, side, .. } = self.config;
        let subject = strategy.before_schema(topic, side);
        let schema = match twice(|| self.client.schema(id, subject.as_deref())).await? {
            Answer::Found(schema) => schema,
            Answer::Unknown(words) => return Err(Error::data(format!("the registry has no schema with id {id}: {words}"))),
        };
        let text = with_references(schema, &self.client).await?;
        let subject = strategy.of(topic, side, record_name(&text).as_deref())?;
        match twice(|| self.client.version(&subject, &text.schema)).await? {
            Answer::Found(version) => Ok((text, Some(version))),
            Answer::Unknown(words) => Err(Error::data(format!(
                "the schema with id {id} has no version in the subject {subject}: {words} (is it registered under another name? See \
                 `key.subject.name.strategy` and `value.subject.name.strategy`)"
            ))),
        }
    }
}
