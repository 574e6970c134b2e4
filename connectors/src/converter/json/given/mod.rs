//! Plain JSON with a schema that is given beside it: records have a schema from here on, as if the producer had sent one.
//!
//! | file | part |
//! |---|---|
//! | `source` | where the schema of a topic is |
//! | `text` | Avro, JSON Schema or Connect's own: to a schema |
//! | `read`, `scalar` | a text to a value of the schema |
//! | `misfit` | why it is none, and where |
//! | `infer`, `shape` | a schema for records that nobody has given one for |

mod infer;
mod misfit;
mod read;
mod scalar;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use connect_api::{
    Error, Fetch, Result,
    config::{AnyConfigKey, Config, ConfigKey, Importance},
    data::{Data, JsonText, Schema, Value},
};

use self::source::{Source, Template, of_file, place_of_file};
pub(crate) use self::{
    infer::{Inference, LONGEST_SCHEMA},
    misfit::with_place,
    read::{UnknownFields, read as read_by_schema},
    text::from_text as schema_from_text,
};
use crate::registry::confluent::{ConfluentConfig, ConfluentRegistry, SCHEMA_SUBJECT};

/// Marks a text of a schema that holds any JSON as it stands in the record, a text with its quotes and escapes.
pub(crate) const JSON_TEXT: &str = "json.text";

/// Says on a field what the member is called in JSON, where Avro refuses that name.
pub(crate) const JSON_NAME: &str = "json.name";

static FILE: ConfigKey<String> = ConfigKey::optional(
    "schema.file",
    "With `schemas.enable=false`: a file with the schema of plain JSON: an Avro schema, a JSON Schema, or a schema as envelopes have it, told by its content. \
     Records have this schema from then on, so that Avro and Parquet files can be written. `{topic}` in the path stands for the topic's name; then a \
     file that cannot be read yet makes the topic's records wait, and none is lost. It is read once, and again when the connector is started again. \
     Members that are missing are null or their default where the schema allows it; numbers must be in range, and have no fraction where integers are \
     wanted, and at most 1,000 digits; bytes are texts in Base64; decimals are numbers or texts of numbers; dates, times and timestamps are numbers as in envelopes, or texts in \
     ISO 8601 (without an offset in UTC; of seconds three digits of the fraction count). Of a union the first type counts that the value fits, or, with `schema.unknown.fields=ignore`, else \
     that which leaves out the fewest members. Numbers of more than 1,000 characters are none. A STRING with \
     the parameter `json.text` takes any JSON, as its text; a field with the parameter `json.name` \
     is the member with that name. What does not fit goes the way of `errors.tolerance`, with the member's path.",
)
.importance(Importance::High)
.extension();

static SUBJECT: ConfigKey<String> = ConfigKey::optional(
    SCHEMA_SUBJECT,
    "As `schema.file`, with the latest version of this subject in the registry at `schema.registry.url`, of type Avro or JSON Schema. `{topic}` stands for the \
     topic's name: `{topic}-value`. It is asked for at the first record of each topic and kept until the connector is started again, whatever is \
     registered meanwhile. Where the registry does not answer or has no such subject, records wait, and none is lost.",
)
.importance(Importance::High)
.extension();

static UNKNOWN: ConfigKey<String> = ConfigKey::with_default(
    "schema.unknown.fields",
    "fail",
    "What becomes of members that the schema of `schema.file` or `schema.subject` does not know: `fail`, the record goes the way of `errors.tolerance`; `ignore`, \
     they are left out.",
)
.one_of(&["fail", "ignore"])
.extension();

/// The keys of a schema that is given.
pub(super) const KEYS: &[&dyn AnyConfigKey] = &[&FILE, &SUBJECT, &UNKNOWN];

/// Reads plain JSON by the schema of its topic.
#[derive(Debug)]
pub(super) struct GivenSchemas {
    schemas: Schemas,
    unknown: UnknownFields,
    /// `replace.null.with.default`.
    replaces_null: bool,
}

#[derive(Debug)]
enum Schemas {
    /// One for all topics, known from the start, and the path of its file.
    One(Arc<Schema>, String),
    /// Those that are got at the first record.
    Later(Arc<Later>),
}

#[derive(Debug)]
struct Later {
    source: Source,
    /// By topic, or by nothing where all topics have one. Replaced as a whole, and never taken back: records of one run have one schema.
    known: ArcSwap<HashMap<Arc<str>, Arc<Schema>>>,
}

impl GivenSchemas {
    /// `None` where no schema is given.
    ///
    /// # Errors
    /// `Config` where keys contradict each other, or the file holds no schema that can be used.
    pub(super) fn new(config: &Config, replaces_null: bool, has_envelopes: bool) -> Result<Option<Self>> {
        let unknown = if config.get(&UNKNOWN)? == "ignore" { UnknownFields::Ignore } else { UnknownFields::Fail };
        let (file, subject) = (config.find(&FILE)?, config.find(&SUBJECT)?);
        let (key, template) = match (file, subject) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(Error::config(format!(
                    "`{}` and `{SCHEMA_SUBJECT}` are both set: a schema comes from one of them",
                    FILE.name()
                )));
            }
            (Some(path), None) => (FILE.name(), path),
            (None, Some(subject)) => (SCHEMA_SUBJECT, subject),
        };
        if has_envelopes {
            return Err(Error::config(format!(
                "`{key}` needs `schemas.enable=false`: with `true`, its default, each message brings a schema of its own"
            )));
        }
        if config.text("converter.type") == Some("header") {
            return Err(Error::config(format!("`{key}` is for keys and values, and not for headers")));
        }
        if template.is_empty() {
            return Err(Error::config(format!("`{key}` is empty: name one, or remove the line")));
        }
        let template = Template(template);
        let schemas = match key == SCHEMA_SUBJECT {
            true => Schemas::later(Source::Subject(template, Box::new(ConfluentRegistry::new(ConfluentConfig::new(config)?)))),
            false if template.is_of_topic() => Schemas::later(Source::File(template)),
            false => Schemas::One(of_file(&template.0)?, template.0),
        };
        Ok(Some(Self { schemas, unknown, replaces_null }))
    }

    /// # Errors
    /// `Data` where the text does not fit, `Retriable` where the schema must be [fetched](Self::fetch) first.
    pub(super) fn read(&self, topic: &str, text: Option<&JsonText>) -> Result<Data> {
        let Some(text) = text else { return Ok(Data::schemaless(Value::Null)) };
        let schema = match &self.schemas {
            Schemas::One(schema, _) => Arc::clone(schema),
            Schemas::Later(later) => {
                later.get(topic).ok_or_else(|| Error::retriable(format!("the schema of {topic} is not here yet")))?
            }
        };
        let value = read_by_schema(text, &schema, self.unknown, self.replaces_null)
            .map_err(|error| with_place(&error, &self.place(topic, &schema)))?;
        Ok(Data::with_schema(schema, value))
    }

    fn place(&self, topic: &str, schema: &Schema) -> String {
        match &self.schemas {
            Schemas::One(_, path) => place_of_file(path),
            Schemas::Later(later) => later.source.place(topic, schema),
        }
    }

    /// Gets the schema of a topic, where it is not there yet.
    pub(super) fn fetch(&self, topic: &str) -> Option<Fetch> {
        let Schemas::Later(later) = &self.schemas else { return None };
        let (later, topic) = (Arc::clone(later), topic.to_owned());
        Some(Box::pin(async move {
            let schema = later.source.schema(&topic).await?;
            later.put(&topic, &schema);
            Ok(())
        }))
    }
}

impl Schemas {
    fn later(source: Source) -> Self {
        Self::Later(Arc::new(Later { source, known: ArcSwap::default() }))
    }
}

impl Later {
    fn name<'a>(&self, topic: &'a str) -> &'a str {
        if self.source.template().is_of_topic() { topic } else { "" }
    }

    fn get(&self, topic: &str) -> Option<Arc<Schema>> {
        self.known.load().get(self.name(topic)).map(Arc::clone)
    }

    /// The first one stays: two tasks may ask at the same time.
    fn put(&self, topic: &str, schema: &Arc<Schema>) {
        let name: Arc<str> = self.name(topic).into();
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.entry(Arc::clone(&name)).or_insert_with(|| Arc::clone(schema));
            known
        });
    }
}
