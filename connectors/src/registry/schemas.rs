//! From an id to a schema, in the background.

use std::{collections::HashSet, sync::Arc};

use connect_api::{Error, ErrorKind, Fetch, Result};

use super::{
    client::{Answer, Client, Reference, RegisteredSchema},
    config::RegistryConfig,
    known::Known,
    wire::SchemaId,
};

/// A schema refers to so many others at most, directly and through them.
const MOST_REFERENCES: usize = 1_000;

/// What a converter makes of the texts of a registry.
pub(crate) trait Reader: Send + Sync + 'static {
    /// What it makes.
    type Schema: Send + Sync + 'static;

    /// The full name of the record that a schema describes, for the strategies that name subjects by it.
    fn record_name(&self, text: &SchemaText) -> Option<String>;

    /// Reads a schema whose version among those of its subject is `version`.
    ///
    /// # Errors
    /// `Data` where it cannot be read.
    fn read(&self, text: &SchemaText, version: i32) -> Result<Self::Schema>;
}

/// A schema with everything that it refers to.
#[derive(Debug)]
pub(crate) struct SchemaText {
    pub(crate) schema: RegisteredSchema,
    /// What others refer to comes before them.
    pub(crate) referenced: Vec<(Reference, RegisteredSchema)>,
}

/// The schemas of one converter.
pub(crate) struct Schemas<R: Reader>(Arc<Inner<R>>);

struct Inner<R: Reader> {
    config: RegistryConfig,
    client: Client,
    known: Known<R::Schema>,
    reader: R,
}

impl<R: Reader> Schemas<R> {
    pub(crate) fn new(config: RegistryConfig, reader: R) -> Self {
        let (known, client) = (Known::new(config.most_schemas), Client::new(config.clone()));
        Self(Arc::new(Inner { config, client, known, reader }))
    }

    /// The schema of a message in this topic.
    ///
    /// # Errors
    /// `Data` where there is none, `Retriable` where it must be [fetched](Self::fetch) first.
    pub(crate) fn get(&self, id: SchemaId, topic: &str) -> Result<Arc<R::Schema>> {
        match self.0.known.get(id, topic) {
            Some(Ok(schema)) => Ok(schema),
            Some(Err(reason)) => Err(Error::data(reason)),
            None => Err(Error::retriable(format!("the schema with id {id} is not here yet"))),
        }
    }

    /// Asks for a schema; then [`get`](Self::get) has it, or says why there is none. The error is the registry's, or its address's.
    pub(crate) fn fetch(&self, id: SchemaId, topic: &str) -> Fetch {
        let (inner, topic) = (Arc::clone(&self.0), topic.to_owned());
        Box::pin(async move {
            let found = match inner.ask(id, &topic).await {
                Ok(schema) => Ok(schema),
                Err(error) if error.kind() == ErrorKind::Data => Err(error.report()),
                Err(error) => return Err(error),
            };
            inner.known.put(id, &topic, found);
            Ok(())
        })
    }
}

impl<R: Reader> Inner<R> {
    async fn ask(&self, id: SchemaId, topic: &str) -> Result<R::Schema> {
        let RegistryConfig { strategy, side, .. } = self.config;
        let subject = strategy.before_schema(topic, side);
        let schema = match self.client.schema(id, subject.as_deref()).await? {
            Answer::Found(schema) => schema,
            Answer::Unknown(words) => return Err(Error::data(format!("the registry has no schema with id {id}: {words}"))),
        };
        let referenced = self.referenced(&schema).await?;
        let text = SchemaText { schema, referenced };
        let subject = strategy.of(topic, side, self.reader.record_name(&text).as_deref())?;
        let version = match self.client.version(&subject, &text.schema).await? {
            Answer::Found(version) => version,
            Answer::Unknown(words) => {
                return Err(Error::data(format!(
                    "the schema with id {id} has no version in the subject {subject}: {words} (is it registered under another name? See \
                     `key.subject.name.strategy` and `value.subject.name.strategy`)"
                )));
            }
        };
        self.reader.read(&text, version)
    }

    /// All schemas that this one refers to, those that refer to no others first.
    async fn referenced(&self, schema: &RegisteredSchema) -> Result<Vec<(Reference, RegisteredSchema)>> {
        let mut all = Vec::new();
        let mut met = HashSet::new();
        // From each schema that is being looked at, what is left of its references.
        let mut open = vec![(None, schema.references.clone().into_iter())];
        while let Some((_, references)) = open.last_mut() {
            let Some(reference) = references.next() else {
                let done = open.pop().and_then(|(done, _)| done);
                all.extend(done);
                continue;
            };
            if !met.insert((reference.subject.clone(), reference.version)) {
                continue;
            }
            if met.len() > MOST_REFERENCES {
                return Err(Error::data(format!("the schema refers to more than {MOST_REFERENCES} others")));
            }
            match self.client.referenced(&reference).await? {
                Answer::Found(schema) => {
                    let references = schema.references.clone().into_iter();
                    open.push((Some((reference, schema)), references));
                }
                Answer::Unknown(words) => {
                    let Reference { name, subject, version } = reference;
                    return Err(Error::data(format!("the registry lacks {name} (version {version} of {subject}): {words}")));
                }
            }
        }
        Ok(all)
    }
}

impl<R: Reader> std::fmt::Debug for Schemas<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schemas({:?})", self.0.client)
    }
}
