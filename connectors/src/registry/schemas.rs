//! From an id to a schema, in the background.

use std::{fmt, sync::Arc};

use connect_api::{Error, ErrorKind, Fetch, Result, async_trait};

use super::known::Known;

/// What a producer says of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SchemaId {
    /// The registry's number.
    Number(i32),
    /// 16 bytes that no other schema has.
    Guid([u8; 16]),
}

/// A schema as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredSchema {
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub(crate) schema_type: String,
    /// Its text.
    pub(crate) schema: String,
    /// What it refers to.
    pub(crate) references: Vec<Reference>,
}

impl RegisteredSchema {
    /// Its text, if it is of this type.
    ///
    /// # Errors
    /// `Data` where it is of another one, with the converter that reads it.
    pub(crate) fn text(&self, schema_type: &str) -> Result<&str> {
        if self.schema_type == schema_type {
            return Ok(&self.schema);
        }
        Err(Error::data(match self.schema_type.as_str() {
            "AVRO" => "the schema is one of Avro (AVRO): io.confluent.connect.avro.AvroConverter reads that".to_owned(),
            "PROTOBUF" => {
                "the schema is one of Protobuf (PROTOBUF): io.confluent.connect.protobuf.ProtobufConverter reads that".to_owned()
            }
            "JSON" => "the schema is a JSON Schema (JSON): io.confluent.connect.json.JsonSchemaConverter reads that".to_owned(),
            other => format!("the schema is of type {other}, and not {schema_type}"),
        }))
    }
}

/// A schema that another one refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// How the other one calls it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) subject: String,
    pub(crate) version: i64,
}

/// Among those of its subject; `None` where the registry has no such thing.
pub(crate) type Version = Option<i32>;

/// The full name of the record that a schema describes, for registries that go by it.
pub(crate) type RecordName<'a> = &'a (dyn Fn(&SchemaText) -> Option<String> + Send + Sync);

/// Where schemas come from.
#[async_trait]
pub(crate) trait Registry: fmt::Debug + Send + Sync {
    /// The schema with this id, of a message in this topic.
    ///
    /// # Errors
    /// `Data` where there is none, `Retriable` where nobody answers.
    async fn schema(&self, id: SchemaId, topic: &str, record_name: RecordName<'_>) -> Result<(SchemaText, Version)>;
}

/// What a converter makes of the texts of a registry.
pub(crate) trait Reader: Send + Sync + 'static {
    /// What it makes.
    type Schema: Send + Sync + 'static;

    /// The full name of the record that a schema describes, for the strategies that name subjects by it.
    fn record_name(&self, text: &SchemaText) -> Option<String>;

    /// Reads a schema.
    ///
    /// # Errors
    /// `Data` where it cannot be read.
    fn read(&self, text: &SchemaText, version: Version) -> Result<Self::Schema>;
}

/// A schema with everything that it refers to.
#[derive(Debug)]
pub(crate) struct SchemaText {
    pub(crate) schema: RegisteredSchema,
    /// How others call it, and what it is. What others refer to comes before them.
    pub(crate) referenced: Vec<(String, RegisteredSchema)>,
}

/// The schemas of one converter.
pub(crate) struct Schemas<R: Reader>(Arc<Inner<R>>);

struct Inner<R: Reader> {
    registry: Box<dyn Registry>,
    known: Known<R::Schema>,
    reader: R,
}

impl<R: Reader> Schemas<R> {
    /// `most`: how many are kept.
    pub(crate) fn new(registry: impl Registry + 'static, most: usize, reader: R) -> Self {
        Self(Arc::new(Inner { registry: Box::new(registry), known: Known::new(most), reader }))
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
            let record_name = |text: &SchemaText| inner.reader.record_name(text);
            let found = inner.registry.schema(id, &topic, &record_name).await;
            let found = match found.and_then(|(text, version)| inner.reader.read(&text, version)) {
                Ok(schema) => Ok(schema),
                Err(error) if error.kind() == ErrorKind::Data => Err(error.report()),
                Err(error) => return Err(error),
            };
            inner.known.put(id, &topic, found);
            Ok(())
        })
    }
}

impl<R: Reader> fmt::Debug for Schemas<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schemas({:?})", self.0.registry)
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Guid(guid) => {
                for (place, byte) in guid.iter().enumerate() {
                    if matches!(place, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}
