//! Avro messages for fuzzers.

use std::sync::LazyLock;

use super::*;
use crate::converter::fuzzing::text;

const KNOWN: [&str; 4] = [
    r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","string"]},{"name":"b","type":{"type":"array","items":"long"}}]}"#,
    r#"{"type":"array","items":{"type":"map","values":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}}"#,
    r#"{"type":"record","name":"W","fields":[{"name":"u","type":["int","double","boolean",{"type":"fixed","name":"F","size":3}]},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#,
    // Values of no bytes: any number of them may be said.
    r#"{"type":"array","items":{"type":"record","name":"N","fields":[{"name":"n","type":"null"}]}}"#,
];

static SCHEMAS: LazyLock<[Option<AvroSchema>; 4]> = LazyLock::new(|| KNOWN.map(|schema| read(false, schema)));

fn read(has_full_names: bool, schema: &str) -> Option<AvroSchema> {
    let reader = AvroReader(Dialect { has_full_names, flattens_single_unions: !has_full_names });
    let text = text(TYPE, schema);
    reader.record_name(&text);
    reader.read(&text, Some(1)).ok()
}

/// What a message is by a schema.
pub(crate) fn avro(schema: &str, message: &Bytes) -> Vec<Data> {
    [false, true].into_iter().filter_map(|full| data(&read(full, schema)?, message).ok()).collect()
}

/// What a message is by a known schema.
pub(crate) fn avro_message(number: usize, message: &Bytes) -> Option<Data> {
    data(SCHEMAS.get(number)?.as_ref()?, message).ok()
}
