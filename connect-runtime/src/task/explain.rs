//! What bytes look like that a converter could not read, and which converter would fit.

use std::str;

use serde_json::Value;

/// So many bytes are shown.
const SHOWN: usize = 8;
/// Of what is longer nothing is parsed.
const LONGEST: usize = 1 << 20;
/// No registry has more schemas.
const HIGHEST_ID: u32 = 100_000_000;

const WITH_SCHEMAS: &str = "schemas.enable=true";
const GLUE: &str = "com.amazonaws.services.schemaregistry.kafkaconnect.";
const GLUE_AVRO: &str = "com.amazonaws.services.schemaregistry.kafkaconnect.AWSKafkaAvroConverter";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// What an operator wants to know of bytes that `class` could not read. `prefix`: `key` or `value`.
pub(super) fn explain(class: &str, prefix: &str, bytes: &[u8]) -> String {
    let shown: Vec<_> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    let (what, converter, also) = looks_like(bytes);
    let bytes = match shown.len() {
        0 => "there are no bytes".to_owned(),
        count if count == bytes.len() => format!("the bytes are {}", shown.join(" ")),
        _ => format!("the first of {} bytes are {}", bytes.len(), shown.join(" ")),
    };
    let fits = match (converter, also) {
        (None, _) => String::new(),
        (Some(converter), None) if converter == class => String::new(),
        // The registry has said what it is.
        (Some(GLUE_AVRO), None) if class.starts_with(GLUE) => String::new(),
        // It would have read such bytes as they are, unless it was told so already.
        (Some(JSON), Some(WITH_SCHEMAS)) if class == JSON => String::new(),
        (Some(converter), None) => format!(": `{prefix}.converter={converter}` reads that"),
        (Some(converter), Some(setting)) => {
            format!(": `{prefix}.converter={converter}` with `{prefix}.converter.{setting}` reads that")
        }
    };
    format!("{bytes}, which looks like {what}{fits}")
}

/// What it is, the converter that reads it, and a setting of that.
fn looks_like(bytes: &[u8]) -> (String, Option<&'static str>, Option<&'static str>) {
    match bytes {
        [] => ("nothing at all".to_owned(), None, None),
        [0, a, b, c, d, payload @ ..] if u32::from_be_bytes([*a, *b, *c, *d]) <= HIGHEST_ID => {
            let id = u32::from_be_bytes([*a, *b, *c, *d]);
            if payload.first() == Some(&b'{') && parsed(payload).is_some() {
                let converter = "io.confluent.connect.json.JsonSchemaConverter";
                return (format!("JSON with the id {id} of a schema in a registry"), Some(converter), None);
            }
            let what = format!(
                "Avro or Protobuf with the id {id} of a schema in a registry (ProtobufConverter reads the latter; the registry says which it is)"
            );
            (what, Some("io.confluent.connect.avro.AvroConverter"), None)
        }
        [3, compression @ (0 | 5), rest @ ..] if rest.len() >= 16 => glue(*compression != 0, &rest[16..]),
        [b'O', b'b', b'j', 1, ..] => ("an Avro file in a message".to_owned(), None, None),
        [0x1f, 0x8b, ..] => ("gzip: the producer's program has compressed it by itself".to_owned(), None, None),
        _ => match (parsed(bytes), str::from_utf8(bytes)) {
            (Some(Value::Object(object)), _)
                if object.len() == 2 && object.contains_key("schema") && object.contains_key("payload") =>
            {
                ("JSON with its schema in each message".to_owned(), Some(JSON), Some(WITH_SCHEMAS))
            }
            (Some(_), _) => ("plain JSON".to_owned(), Some(JSON), Some("schemas.enable=false")),
            (None, Ok(text)) if !text.contains(|character: char| character.is_control() && !character.is_whitespace()) => {
                ("text".to_owned(), Some("org.apache.kafka.connect.storage.StringConverter"), None)
            }
            _ => {
                let what = "no form of data that is known here".to_owned();
                (what, Some("org.apache.kafka.connect.converters.ByteArrayConverter"), None)
            }
        },
    }
}

/// The same of a message with a schema in Glue.
fn glue(is_compressed: bool, payload: &[u8]) -> (String, Option<&'static str>, Option<&'static str>) {
    if !is_compressed && parsed(payload).is_some() {
        let what = "JSON with a schema in the AWS Glue Schema Registry".to_owned();
        return (what, Some("com.amazonaws.services.schemaregistry.kafkaconnect.jsonschema.JsonSchemaConverter"), None);
    }
    let formats = if is_compressed { "compressed data" } else { "Avro or Protobuf" };
    let also = if is_compressed { ", and jsonschema.JsonSchemaConverter JSON" } else { "" };
    let what = format!(
        "{formats} with a schema in the AWS Glue Schema Registry (protobuf.ProtobufSchemaConverter reads Protobuf{also}; the registry says which it is)"
    );
    (what, Some(GLUE_AVRO), None)
}

/// The JSON in these bytes; a number or a word alone is rather text.
fn parsed(bytes: &[u8]) -> Option<Value> {
    let json: Value = if bytes.len() > LONGEST { return None } else { serde_json::from_slice(bytes).ok()? };
    (json.is_object() || json.is_array()).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVRO: &str = "io.confluent.connect.avro.AvroConverter";

    #[test]
    fn what_bytes_look_like_is_said_with_the_converter_that_reads_them() {
        for (bytes, expected) in [
            (
                &b"{\"a\":1}"[..],
                "the bytes are 7b 22 61 22 3a 31 7d, which looks like plain JSON: `value.converter=org.apache.kafka.connect.json.JsonConverter` with `value.converter.schemas.enable=false` reads that",
            ),
            (
                b"{\"schema\":null,\"payload\":1}",
                "the first of 27 bytes are 7b 22 73 63 68 65 6d 61, which looks like JSON with its schema in each message: `value.converter=org.apache.kafka.connect.json.JsonConverter` with `value.converter.schemas.enable=true` reads that",
            ),
            (
                b"plain",
                "the bytes are 70 6c 61 69 6e, which looks like text: `value.converter=org.apache.kafka.connect.storage.StringConverter` reads that",
            ),
            (
                b"42",
                "the bytes are 34 32, which looks like text: `value.converter=org.apache.kafka.connect.storage.StringConverter` reads that",
            ),
            (
                b"\xff\xfe\x00",
                "the bytes are ff fe 00, which looks like no form of data that is known here: `value.converter=org.apache.kafka.connect.converters.ByteArrayConverter` reads that",
            ),
            (b"", "there are no bytes, which looks like nothing at all"),
            (
                b"\x00\x00\x00\x00\x04{}",
                "the bytes are 00 00 00 00 04 7b 7d, which looks like JSON with the id 4 of a schema in a registry: `value.converter=io.confluent.connect.json.JsonSchemaConverter` reads that",
            ),
        ] {
            assert_eq!(explain(AVRO, "value", bytes), expected);
        }
    }

    #[test]
    fn the_converter_that_was_asked_is_not_recommended() {
        let said = explain(AVRO, "value", b"\x00\x00\x00\x00\x04\x02");
        assert!(said.contains("Avro or Protobuf with the id 4") && !said.contains("reads that"), "{said}");
        assert!(
            explain(JSON, "key", b"\x00\x00\x00\x00\x04\x02").contains("`key.converter=io.confluent.connect.avro.AvroConverter`")
        );
        let glue = [&[3, 5][..], &[7; 20]].concat();
        assert!(!explain(JSON, "value", b"{\"schema\":null,\"payload\":1}").contains("reads that"));
        assert!(explain(JSON, "value", &glue).contains("AWSKafkaAvroConverter` reads that"));
        let protobuf = format!("{GLUE}protobuf.ProtobufSchemaConverter");
        let said = explain(&protobuf, "value", &glue);
        assert!(said.contains("AWS Glue Schema Registry") && !said.contains("reads that"), "{said}");
        let json = [&[3, 0][..], &[7; 16], b"{\"a\":1}"].concat();
        assert!(explain(&protobuf, "value", &json).contains("jsonschema.JsonSchemaConverter` reads that"));
    }
}
