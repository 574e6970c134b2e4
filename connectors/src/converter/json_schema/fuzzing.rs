//! JSON Schemas and their messages for fuzzers.

use std::sync::LazyLock;

use super::*;
use crate::converter::fuzzing::text;

const KNOWN: &str = r#"{"type":"object","properties":{"a":{"type":"integer","connect.type":"int16"},
    "u":{"oneOf":[{"type":"null"},{"type":"string"},{"type":"boolean"},{"type":"object","properties":{"a":{"type":"number"}}}]},
    "m":{"type":"object","connect.type":"map","additionalProperties":{"type":"number"}},
    "p":{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string","connect.type":"bytes"}}}}}}"#;
const FLAVOURS: [Flavour; 2] = [Flavour::Confluent, Flavour::Glue];

type Known = Option<Option<Arc<Schema>>>;

static SCHEMAS: LazyLock<[Known; 2]> = LazyLock::new(|| FLAVOURS.map(|flavour| read(flavour, KNOWN)));

fn read(flavour: Flavour, schema: &str) -> Known {
    let dialect = Dialect { flavour, optional_where_not_required: true, flattens_single_unions: flavour == Flavour::Confluent };
    let (reader, text) = (JsonSchemaReader(dialect), text("JSON", schema));
    reader.record_name(&text);
    reader.read(&text, Some(1)).ok()
}

/// What a message is by a schema.
pub(crate) fn json_schema(schema: &str, message: &Bytes) -> Vec<Data> {
    let read = |flavour| data(flavour, read(flavour, schema)?.as_ref(), message).ok();
    FLAVOURS.into_iter().filter_map(read).collect()
}

/// What a message is by a known schema.
pub(crate) fn json_schema_message(number: usize, message: &Bytes) -> Option<Data> {
    let schema = SCHEMAS.get(number)?.as_ref()?;
    data(*FLAVOURS.get(number)?, schema.as_ref(), message).ok()
}
