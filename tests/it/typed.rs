//! Numbered records with schemas, in two versions that alternate, and files in which they are read back.

use apache_avro::{Reader, types::Value as AvroValue};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use serde_json::{Map, Value, json};

use crate::registry_server::RegistryServer;

/// How the value of a numbered record is written, which is made as JSON first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As JSON.
    #[default]
    Plain,
    /// JSON with its schema in each message.
    Envelope,
    /// Avro with the id of its schema.
    Avro,
}

/// Fields of numbered records: name, Avro type, whether each record has it. The last one is in the second version alone.
const FIELDS: [(&str, &str, bool); 6] = [
    ("partition", "int", true),
    ("n", "long", true),
    ("text", "string", true),
    ("t", "long", false),
    ("f", "string", false),
    ("more", "string", false),
];

/// Whether the record with this number has the second version: runs of some records.
fn is_second(n: i64) -> bool {
    n / 4 % 3 == 2
}

impl Encoding {
    /// Settings of a connector that reads it.
    pub(crate) fn settings(self, registry: &RegistryServer) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Envelope => {
                "value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=true\n".to_owned()
            }
            Self::Avro => {
                let url = registry.url();
                format!("value.converter=io.confluent.connect.avro.AvroConverter\nvalue.converter.schema.registry.url={url}\n")
            }
        }
    }

    /// The record with the number `n`, whose fields are in `text`.
    pub(crate) fn encode(self, n: i64, text: String) -> Vec<u8> {
        if self == Self::Plain {
            return text.into_bytes();
        }
        let mut record: Map<String, Value> = serde_json::from_str(&text).expect("an object");
        let fields = &FIELDS[..if is_second(n) { 6 } else { 5 }];
        if is_second(n) && n % 2 == 0 {
            record.insert("more".to_owned(), json!(format!("more of {n}")));
        }
        if self == Self::Envelope {
            let field = |(name, kind, required): &(&str, &str, bool)| {
                let kind = match *kind {
                    "int" => "int32",
                    "long" => "int64",
                    other => other,
                };
                json!({ "field": name, "type": kind, "optional": !required })
            };
            let schema = json!({
                "type": "struct", "name": "Numbered", "version": 1 + i32::from(is_second(n)),
                "fields": fields.iter().map(field).collect::<Vec<_>>(),
            });
            return json!({ "schema": schema, "payload": record }).to_string().into_bytes();
        }
        let mut bytes = vec![0, 0, 0, 0, 1 + u8::from(is_second(n))];
        for (name, kind, required) in fields {
            let value = record.get(*name);
            if !required {
                long(i64::from(value.is_some()), &mut bytes);
            }
            let Some(value) = value else { continue };
            match *kind {
                "string" => {
                    let text = value.as_str().expect("a text");
                    long(i64::try_from(text.len()).expect("a length"), &mut bytes);
                    bytes.extend_from_slice(text.as_bytes());
                }
                _ => long(value.as_i64().expect("a number"), &mut bytes),
            }
        }
        bytes
    }
}

/// Registers both versions for the values of a topic.
pub(crate) fn register(registry: &RegistryServer, topic: &str) {
    for (id, count) in [(1, 5), (2, 6)] {
        let field = |(name, kind, required): &(&str, &str, bool)| match required {
            true => json!({ "name": name, "type": kind }),
            false => json!({ "name": name, "type": ["null", kind], "default": null }),
        };
        let fields: Vec<_> = FIELDS[..count].iter().map(field).collect();
        registry.register(id, &format!("{topic}-value"), &json!({ "type": "record", "name": "Numbered", "fields": fields }));
    }
}

/// Appends a number as Avro writes it.
pub(crate) fn long(value: i64, bytes: &mut Vec<u8>) {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
}

/// The records in a file, as JSON, by the ending of its name.
pub(crate) fn records(key: &str, body: &[u8]) -> Vec<Value> {
    if key.ends_with(".avro") {
        let reader = Reader::new(body).expect("an Avro file");
        return reader.map(|record| as_json(record.expect("a record"))).collect();
    }
    if key.ends_with(".parquet") {
        let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(body)).expect("a Parquet file");
        let rows = reader.get_row_iter(None).expect("rows");
        return rows.map(|row| row_as_json(&row.expect("a row"))).collect();
    }
    let text = std::str::from_utf8(body).expect("JSON lines");
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

fn as_json(value: AvroValue) -> Value {
    match value {
        AvroValue::Int(number) => json!(number),
        AvroValue::Long(number) | AvroValue::TimestampMillis(number) => json!(number),
        AvroValue::Double(number) => json!(number),
        AvroValue::Boolean(is_true) => json!(is_true),
        AvroValue::Array(items) => items.into_iter().map(as_json).collect(),
        AvroValue::String(text) => json!(text),
        AvroValue::Union(_, value) => as_json(*value),
        AvroValue::Record(fields) => fields.into_iter().map(|(name, value)| (name, as_json(value))).collect::<Map<_, _>>().into(),
        _ => Value::Null,
    }
}

fn row_as_json(row: &parquet::record::Row) -> Value {
    row.get_column_iter().map(|(name, field)| (name.clone(), field_as_json(field))).collect::<Map<_, _>>().into()
}

fn field_as_json(field: &Field) -> Value {
    match field {
        Field::Int(number) => json!(number),
        Field::Long(number) | Field::TimestampMillis(number) => json!(number),
        Field::Double(number) => json!(number),
        Field::Bool(is_true) => json!(is_true),
        Field::Str(text) => json!(text),
        Field::Group(row) => row_as_json(row),
        Field::ListInternal(items) => items.elements().iter().map(field_as_json).collect(),
        _ => Value::Null,
    }
}
