//! What the JVM makes of envelopes, as data: `tests/golden/vectors`. Here what a value is; how `JsonFormat` writes it is tested in `format/json`.

use base64::Engine;
use connect_api::data::{
    Schema, SchemaType,
    json::{double_to_string, float_to_string},
};
use serde_json::Value as Json;

use super::*;

const VECTORS: &str = include_str!("../../../../tests/golden/vectors/json-with-schema.jsonl");

fn converter() -> JsonConverter {
    JsonConverter::configure(&[("schemas.enable", "true")].into_iter().collect()).unwrap()
}

fn read(input: &str) -> Result<Data> {
    converter().to_connect_data("t", &[], Some(&Bytes::copy_from_slice(input.as_bytes())))
}

/// As the vectors print it: the class and the content.
fn print(schema: Option<&Schema>, value: &Value) -> String {
    let of = |schema: &Schema, value: &Value| print(Some(schema), value);
    use SchemaType;
    const DAY: i64 = 86_400_000;
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => format!("Boolean {value}"),
        Value::Int8(value) => format!("Byte {value}"),
        Value::Int16(value) => format!("Short {value}"),
        Value::Int32(value) => format!("Integer {value}"),
        Value::Int64(value) => format!("Long {value}"),
        Value::Float32(value) => format!("Float {}", float_to_string(*value)),
        Value::Float64(value) => format!("Double {}", double_to_string(*value)),
        Value::String(value) => format!("String {}", &**value),
        Value::Bytes(value) => format!("bytes {}", base64::engine::general_purpose::STANDARD.encode(value)),
        Value::Decimal(value) => format!("BigDecimal {value}"),
        Value::Date(value) => format!("Date {}", i64::from(*value) * DAY),
        Value::Time(value) => format!("Date {value}"),
        Value::Timestamp(value) => format!("Date {value}"),
        Value::Array(values) => {
            let Some(SchemaType::Array(items)) = schema.map(|schema| &schema.schema_type) else { panic!("{value:?}") };
            format!("List[{}]", values.iter().map(|value| of(items, value) + ",").collect::<String>())
        }
        Value::Map(entries) => {
            let Some(SchemaType::Map(keys, values)) = schema.map(|schema| &schema.schema_type) else { panic!("{value:?}") };
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{}={}", of(keys, key), of(values, value))).collect();
            format!("Map{{{}}}", entries.join(", "))
        }
        Value::Struct(values) => {
            let fields = schema.and_then(Schema::fields).unwrap().iter();
            let fields = fields.zip(values).map(|(field, value)| format!("{}={},", field.name, of(&field.schema, value)));
            format!("Struct{{{}}}", fields.collect::<String>())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_payload_is_read_as_on_the_jvm() {
    let (mut read_count, mut refused) = (0, 0);
    for line in VECTORS.lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let input = vector["input"].as_str().unwrap();
        let result = read(input);
        if let Some(expected) = vector["error"].as_str() {
            let error = result.expect_err(input);
            assert_eq!(error.to_string(), expected, "{input}");
            refused += 1;
            continue;
        }
        let data = result.unwrap_or_else(|error| panic!("{input}: {error}"));
        read_count += 1;
        let Some(schema) = &data.schema else {
            assert!(vector["schema_type"].is_null(), "{input}");
            assert!(matches!(data.value, Value::Json(_) | Value::Null), "{input}");
            continue;
        };
        assert_eq!(Some(schema.schema_type.name()), vector["schema_type"].as_str(), "{input}");
        assert_eq!(print(Some(schema), &data.value), vector["value"].as_str().unwrap(), "{input}");
    }
    assert_eq!((read_count, refused), (299, 225));
}
