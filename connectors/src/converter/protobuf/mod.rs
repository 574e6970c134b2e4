//! Protobuf, with the schemas of a registry.

mod bounds;
mod compile;
mod decode;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzzing;
mod glue;
mod glue_schema;
#[cfg(test)]
mod glue_tests;
mod plan;
mod schema;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use connect_api::{
    Converter, Error, Fetch, Plugin, RawHeader, Result,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, Importance},
    data::{Data, Schema},
};
use prost_reflect::MessageDescriptor;

pub(crate) use self::glue::AwsKafkaProtobufSchemaConverter;
use self::{
    compile::Compiled,
    decode::decode,
    glue_schema::GlueSchemaReader,
    plan::Plan,
    schema::{Dialect, SchemaReader},
};
use super::registered::{CACHE, ONLY_READS, Registered};
use crate::{
    registry::{
        Reader, SchemaText,
        confluent::{KEYS, Message},
    },
    zigzag,
};

/// A message in messages in messages: more say nothing that a schema could have.
const MOST_INDEXES: usize = 100;

macro_rules! flag {
    ($name:ident, $key:literal, $default:literal, $documentation:literal) => {
        static $name: ConfigKey<bool> = ConfigKey::with_default($key, $default, $documentation).importance(Importance::Low);
    };
}

flag!(
    ENHANCED,
    "enhanced.protobuf.schema.support",
    "false",
    "Whether structs and enums are called by full names, with their packages."
);
flag!(INT_FOR_ENUMS, "int.for.enums", "false", "Whether enums are their numbers. Else they are texts.");
flag!(OPTIONAL, "optional.for.nullables", "false", "Whether only fields with the word `optional` may be null. Else all may.");
flag!(
    OPTIONAL_2,
    "optional.for.proto2",
    "true",
    "Whether, with `optional.for.nullables`, that word counts in the second version of the language, too."
);
flag!(
    WRAPPERS,
    "wrapper.for.nullables",
    "false",
    "Whether fields of Google's wrapper types (`google.protobuf.StringValue`) are values that may be null. Else they are structs."
);
flag!(
    RAW_PRIMITIVES,
    "wrapper.for.raw.primitives",
    "true",
    "Whether a message that is one of Google's wrapper types is its value."
);
flag!(
    INDEX_FOR_UNIONS,
    "generate.index.for.unions",
    "true",
    "Whether the field of a `oneof` has its number behind its name: `choice_0`."
);
flag!(FLATTEN, "flatten.unions", "false", "Whether the fields of a `oneof` are fields of the message. Else they are in a struct.");

static STRUCT_FOR_NULLS: ConfigKey<bool> =
    ConfigKey::with_default("generate.struct.for.nulls", "false", "Whether null is written as an empty message.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

static SCRUB: ConfigKey<bool> = ConfigKey::with_default(
    "scrub.invalid.names",
    "false",
    "Whether names that Protobuf refuses are changed when they are written.",
)
.importance(Importance::Low)
.no_effect(ONLY_READS);

const DIALECT_KEYS: &[&dyn AnyConfigKey] = &[
    &ENHANCED,
    &INT_FOR_ENUMS,
    &OPTIONAL,
    &OPTIONAL_2,
    &WRAPPERS,
    &RAW_PRIMITIVES,
    &INDEX_FOR_UNIONS,
    &FLATTEN,
    &STRUCT_FOR_NULLS,
    &SCRUB,
    &CACHE,
];

/// Protobuf in Confluent's wire format.
#[derive(Debug)]
pub(crate) struct ProtobufConverter(Registered<ProtobufReader>);

/// Makes Connect schemas.
#[derive(Debug)]
struct ProtobufReader(Flavour);

/// Whose converter it is.
#[derive(Clone, Copy, Debug)]
enum Flavour {
    Confluent(Dialect),
    Glue,
}

/// A schema, which has several types of messages.
#[derive(Debug)]
struct ProtobufSchema {
    flavour: Flavour,
    compiled: Compiled,
    /// All message types as Glue counts them; of Confluent none.
    sorted: Vec<MessageDescriptor>,
    version: Option<i32>,
    /// That of nearly all topics.
    first: OnceLock<Known>,
    others: Mutex<HashMap<Vec<usize>, Known>>,
}

/// A message type, or why there is none.
type Known = Result<Arc<MessageType>, String>;

#[derive(Debug)]
struct MessageType {
    message: MessageDescriptor,
    schema: Arc<Schema>,
    plan: Plan,
}

impl Plugin for ProtobufConverter {
    const NAME: &'static str = "io.confluent.connect.protobuf.ProtobufConverter";
    const DOCUMENTATION: &'static str =
        "Protobuf with the id of its schema in front, which a schema registry has. Messages that contain themselves are refused.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ProtobufConverter", &[KEYS, DIALECT_KEYS].concat())
    }

    fn configure(config: &Config) -> Result<Self> {
        let dialect = Dialect {
            enhanced_protobuf_schema_support: config.get(&ENHANCED)?,
            int_for_enums: config.get(&INT_FOR_ENUMS)?,
            optional_for_nullables: config.get(&OPTIONAL)?,
            optional_for_proto2: config.get(&OPTIONAL_2)?,
            wrapper_for_nullables: config.get(&WRAPPERS)?,
            wrapper_for_raw_primitives: config.get(&RAW_PRIMITIVES)?,
            generate_index_for_unions: config.get(&INDEX_FOR_UNIONS)?,
            flatten_unions: config.get(&FLATTEN)?,
        };
        Ok(Self(Registered::new(config, ProtobufReader(Flavour::Confluent(dialect)))?))
    }
}

impl Converter for ProtobufConverter {
    fn to_connect_data(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        let unreadable =
            |error| Error::data(format!("Failed to deserialize data for topic {topic} to Protobuf:")).with_source(error);
        self.0.to_connect_data(topic, headers, bytes, |schema, message| schema.message(message), unreadable)
    }

    fn fetch(&self, topic: &str, headers: &[RawHeader], bytes: Option<&Bytes>) -> Option<Fetch> {
        self.0.fetch(topic, headers, bytes)
    }
}

impl ProtobufSchema {
    /// # Errors
    /// `Data` where it is no message of the schema.
    fn message(&self, message: &Message) -> Result<Data> {
        match &message.in_header {
            Some(in_header) => self.data_of(&place(in_header)?.0, &message.payload),
            None => self.data(&message.payload),
        }
    }

    /// The same of bytes that begin with which of the schema's types they are.
    fn data(&self, payload: &Bytes) -> Result<Data> {
        let (place, length) = place(payload)?;
        self.data_of(&place, &payload.slice(length..))
    }

    fn data_of(&self, place: &[usize], payload: &Bytes) -> Result<Data> {
        let message = self.message_type(place)?;
        let value = decode(&message.message, &message.plan, payload).map_err(|malformed| Error::data(malformed.to_string()))?;
        Ok(Data::with_schema(Arc::clone(&message.schema), value))
    }

    fn message_type(&self, place: &[usize]) -> Result<Arc<MessageType>> {
        let known = if *place == [0] {
            self.first.get_or_init(|| self.read(place)).clone()
        } else {
            let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
            match others.get(place) {
                Some(known) => known.clone(),
                // What the schema does not have is not kept: anybody can ask for any number of such.
                None if self.find(place).is_none() => self.read(place),
                None => others.entry(place.to_vec()).or_insert_with(|| self.read(place)).clone(),
            }
        };
        known.map_err(Error::data)
    }

    fn find(&self, place: &[usize]) -> Option<MessageDescriptor> {
        match (self.flavour, place) {
            (Flavour::Confluent(_), place) => self.compiled.message(place),
            (Flavour::Glue, [number]) => self.sorted.get(*number).cloned(),
            (Flavour::Glue, _) => None,
        }
    }

    fn read(&self, place: &[usize]) -> Known {
        let message = self.find(place).ok_or_else(|| format!("the schema has no message type with the numbers {place:?}"))?;
        let read = match self.flavour {
            Flavour::Confluent(dialect) => SchemaReader::new(dialect, &self.compiled).top(&message),
            Flavour::Glue => GlueSchemaReader::new(&self.compiled).top(&message),
        };
        let (mut schema, plan) = read.map_err(|error| error.report())?;
        schema.version = schema.version.or(self.version);
        Ok(Arc::new(MessageType { message, schema: Arc::new(schema), plan }))
    }
}

/// Which of a schema's message types stands at the beginning, and its length there.
///
/// # Errors
/// `Data` where none does.
fn place(bytes: &[u8]) -> Result<(Vec<usize>, usize)> {
    let mut rest = bytes;
    let count = number(&mut rest).and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= MOST_INDEXES);
    let place = count.and_then(|count| match count {
        0 => Some(vec![0]),
        _ => (0..count).map(|_| usize::try_from(number(&mut rest)?).ok()).collect::<Option<_>>(),
    });
    let place = place.ok_or_else(|| Error::data("the message does not say which of its schema's types it has"))?;
    Ok((place, bytes.len() - rest.len()))
}

fn number(rest: &mut &[u8]) -> Option<i64> {
    let (number, length) = zigzag::read(rest).ok()?;
    *rest = rest.get(length..)?;
    Some(number)
}

impl Reader for ProtobufReader {
    type Schema = ProtobufSchema;

    fn record_name(&self, text: &SchemaText) -> Option<String> {
        let message = Compiled::new(text).ok()?.message(&[0])?;
        Some(message.full_name().to_owned())
    }

    fn read(&self, text: &SchemaText, version: Option<i32>) -> Result<ProtobufSchema> {
        let compiled = Compiled::new(text)?;
        let sorted = match self.0 {
            Flavour::Confluent(_) => Vec::new(),
            Flavour::Glue => compiled.messages_by_name(),
        };
        Ok(ProtobufSchema { flavour: self.0, compiled, sorted, version, first: OnceLock::new(), others: Mutex::default() })
    }
}
