//! Cases of the specification (12.8) that concern reading. J1 and so on are its numbers.

use connect_api::{
    ErrorKind,
    data::{Decimal, LogicalType, SchemaType},
};

use super::*;

fn converter(config: &[(&str, &str)]) -> JsonConverter {
    JsonConverter::configure(&config.iter().copied().collect()).unwrap()
}

fn message(converter: &JsonConverter, text: &str) -> Result<Data> {
    converter.to_connect_data("t", &[], Some(&Bytes::copy_from_slice(text.as_bytes())))
}

fn envelope(schema: &str, payload: &str) -> String {
    format!("{{\"schema\":{schema},\"payload\":{payload}}}")
}

fn read(schema: &str, payload: &str) -> Result<Data> {
    message(&converter(&[]), &envelope(schema, payload))
}

fn value(schema: &str, payload: &str) -> Value {
    read(schema, payload).unwrap_or_else(|error| panic!("{schema} {payload}: {error}")).value
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

/// JSON without a schema: as it was sent.
fn schemaless(data: Result<Data>) -> Option<String> {
    let data = data.unwrap();
    assert!(data.schema.is_none());
    match data.value {
        Value::Null => None,
        Value::Json(json) => Some(String::from_utf8(json.as_bytes().to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

// J1
#[test]
fn null_is_null_or_the_default_of_an_optional_schema() {
    let read = |schema: &str, payload: &str| {
        let data = read(schema, payload).unwrap();
        let schema = data.schema.unwrap();
        assert_eq!(schema.schema_type, SchemaType::Boolean);
        (schema.optional, data.value)
    };
    assert_eq!(read(r#"{"type":"boolean"}"#, "true"), (false, Value::Boolean(true)));
    assert_eq!(read(r#"{"type":"boolean","optional":true}"#, "null"), (true, Value::Null));
    assert_eq!(read(r#"{"type":"boolean","default":true}"#, "null"), (false, Value::Boolean(true)));
}

// J2
#[test]
fn all_attributes_of_a_schema_are_kept() {
    let schema = r#"{"type":"boolean","optional":false,"name":"bool","version":2,"doc":"the doc","parameters":{"foo":"bar"}}"#;
    let schema = read(schema, "true").unwrap().schema.unwrap();
    assert_eq!((schema.optional, schema.name.as_deref(), schema.version), (false, Some("bool"), Some(2)));
    assert_eq!((schema.doc.as_deref(), schema.parameter("foo")), (Some("the doc"), Some("bar")));
}

// J3, J4, J5, J6
#[test]
fn scalars_have_the_type_of_their_schema_and_numbers_may_begin_with_zeros() {
    for (schema, payload, expected) in [
        ("int8", "12", Value::Int8(12)),
        ("int16", "12", Value::Int16(12)),
        ("int32", "12", Value::Int32(12)),
        ("int64", "12", Value::Int64(12)),
        ("int64", "4398046511104", Value::Int64(4_398_046_511_104)),
        ("int8", "0012", Value::Int8(12)),
        ("int16", "000123", Value::Int16(123)),
        ("int32", "000012345", Value::Int32(12_345)),
        ("int64", "00000123456789", Value::Int64(123_456_789)),
        ("float", "12.34", Value::Float32(12.34)),
        ("double", "12.34", Value::Float64(12.34)),
        ("string", "\"foo-bar-baz\"", Value::String("foo-bar-baz".into())),
        ("bytes", "\"dGVzdC1zdHJpbmc=\"", Value::Bytes(Bytes::from_static(b"test-string"))),
    ] {
        assert_eq!(value(&format!("{{\"type\":\"{schema}\"}}"), payload), expected, "{schema} {payload}");
    }
}

// J7
#[test]
fn arrays_and_maps_hold_values_of_their_schemas() {
    let int = |number| Value::Int32(number);
    let array = r#"{"type":"array","items":{"type":"int32"}}"#;
    assert_eq!(value(array, "[1,2,3]"), Value::Array(vec![int(1), int(2), int(3)]));
    let map = |keys: &str| format!("{{\"type\":\"map\",\"keys\":{{\"type\":\"{keys}\"}},\"values\":{{\"type\":\"int32\"}}}}");
    let texts = [("key1", 12), ("key2", 15)].map(|(key, number)| (Value::String(key.into()), int(number)));
    assert_eq!(value(&map("string"), r#"{"key1":12,"key2":15}"#), Value::Map(texts.into()));
    assert_eq!(value(&map("int32"), "[[1,12],[2,15]]"), Value::Map(vec![(int(1), int(12)), (int(2), int(15))]));
}

// J8
#[test]
fn a_member_that_is_missing_is_null_in_an_optional_field() {
    let fields = r#"{"field":"field1","type":"boolean"},{"field":"field2","type":"string","optional":true}"#;
    let schema = format!("{{\"type\":\"struct\",\"fields\":[{fields}]}}");
    let text = Value::String("string".into());
    assert_eq!(value(&schema, r#"{"field1":true,"field2":"string"}"#), Value::Struct(vec![Value::Boolean(true), text]));
    assert_eq!(value(&schema, r#"{"field1":true}"#), Value::Struct(vec![Value::Boolean(true), Value::Null]));
}

// J9, J10
#[test]
fn no_bytes_and_null_without_a_schema_are_null_and_empty_bytes_are_no_envelope() {
    let null = converter(&[]).to_connect_data("t", &[], None).unwrap();
    assert!(null.schema.is_none() && null.value == Value::Null);
    assert_eq!(schemaless(read("null", "null")), None);
    assert_eq!(schemaless(message(&converter(&[("schemas.enable", "false")]), "")), None);
    assert_eq!(message(&converter(&[]), "").unwrap_err().kind(), ErrorKind::Data);
}

// J11, J12, J22
#[test]
fn json_without_a_schema_stays_as_it_was_sent() {
    let without = converter(&[("schemas.enable", "false")]);
    for text in ["true", "12", "12.24", "\"a string\"", r#"[1,"2",3]"#, r#"{"field1":1,"field2":2}"#, r#"{"a":"","b":null}"#] {
        assert_eq!(schemaless(message(&without, text)).as_deref(), Some(text));
        assert_eq!(schemaless(read("null", text)).as_deref(), Some(text));
    }
}

// J13
#[test]
fn decimals_are_read_from_bytes_and_from_numbers() {
    let schema = |scale: u32, more: &str| {
        let name = LogicalType::Decimal.name();
        format!("{{\"type\":\"bytes\",\"name\":\"{name}\",\"version\":1,\"parameters\":{{\"scale\":\"{scale}\"}}{more}}}")
    };
    assert_eq!(value(&schema(2, ""), "\"AJw=\""), decimal("1.56"));
    assert_eq!(value(&schema(2, ",\"optional\":true"), "null"), Value::Null);
    assert_eq!(value(&schema(2, ",\"default\":\"AJw=\""), "null"), decimal("1.56"));
    assert_eq!(value(&schema(2, ""), "1.56"), decimal("1.56"));
    assert_eq!(value(&schema(4, ""), "1.5600"), decimal("1.5600"));
    assert_eq!(value(&schema(17, ""), "1.23456789123456789"), decimal("1.23456789123456789"));
}

// J14
#[test]
fn dates_times_and_timestamps_are_read_from_numbers_and_have_defaults() {
    let schema = |logical_type: LogicalType, stored: &str, more: &str| {
        format!("{{\"type\":\"{stored}\",\"name\":\"{}\",\"version\":1{more}}}", logical_type.name())
    };
    for (logical_type, stored, payload, expected, zero, answer) in [
        (LogicalType::Date, "int32", "10000", Value::Date(10_000), Value::Date(0), Value::Date(42)),
        (LogicalType::Time, "int32", "14400000", Value::Time(14_400_000), Value::Time(0), Value::Time(42)),
        (LogicalType::Timestamp, "int64", "4000000000", Value::Timestamp(4_000_000_000), Value::Timestamp(0), Value::Timestamp(42)),
    ] {
        assert_eq!(value(&schema(logical_type, stored, ""), payload), expected);
        assert_eq!(value(&schema(logical_type, stored, ",\"optional\":true"), "null"), Value::Null);
        assert_eq!(value(&schema(logical_type, stored, ",\"default\":0"), "null"), zero);
        assert_eq!(value(&schema(logical_type, stored, ",\"optional\":true,\"default\":42"), "null"), answer);
    }
}

// J23
#[test]
fn a_schema_is_kept_under_its_text() {
    let converter = converter(&[]);
    let schema = |text: &str| message(&converter, &envelope(text, "true")).unwrap().schema.unwrap();
    let first = schema(r#"{"type":"boolean"}"#);
    assert!(std::sync::Arc::ptr_eq(&first, &schema(r#"{"type":"boolean"}"#)));
    let explicit = schema(r#"{"type":"boolean","optional":false}"#);
    assert!(!std::sync::Arc::ptr_eq(&first, &explicit) && first == explicit);
}

// J24
#[test]
fn null_is_replaced_by_its_default_only_where_that_is_asked_for() {
    let text = r#"{"type":"string","optional":true,"default":"d"}"#;
    let structure = format!("{{\"type\":\"struct\",\"fields\":[{}]}}", text.replace('{', "{\"field\":\"f\","));
    for (replaces, expected) in [("true", Value::String("d".into())), ("false", Value::Null)] {
        let converter = converter(&[("replace.null.with.default", replaces)]);
        let read = |schema: &str, payload: &str| message(&converter, &envelope(schema, payload)).unwrap().value;
        assert_eq!(read(text, "null"), expected);
        assert_eq!(read(&structure, "{\"f\":null}"), Value::Struct(vec![expected]));
    }
}

// J25
#[test]
fn numbers_beyond_64_bits_and_with_exponents_stay_and_what_follows_a_value_is_left_out() {
    let without = converter(&[("schemas.enable", "false")]);
    let read = |text: &str| schemaless(message(&without, text)).unwrap();
    assert_eq!(read("9223372036854775808"), "9223372036854775808", "the JVM writes -9223372036854775808");
    assert_eq!(read("1e2"), "1e2", "the JVM writes 100.0");
    assert_eq!(read("007"), "7");
    assert_eq!(read(r#"{"a":1} x"#), r#"{"a":1}"#);
    assert_eq!(message(&without, "NaN").unwrap_err().kind(), ErrorKind::Data);
}

// J26
#[test]
fn a_payload_that_does_not_fit_is_cut_as_on_the_jvm_or_refused() {
    assert_eq!(value(r#"{"type":"int32"}"#, "\"abc\""), Value::Int32(0));
    assert_eq!(value(r#"{"type":"int8"}"#, "300"), Value::Int8(44));
    let structure = r#"{"type":"struct","fields":[{"field":"f","type":"string"}]}"#;
    assert_eq!(read(structure, "{\"f\":5}").unwrap_err().kind(), ErrorKind::Data);
    let more = r#"{"schema":{"type":"int8"},"payload":1,"more":2}"#;
    assert_eq!(message(&converter(&[]), more).unwrap_err().kind(), ErrorKind::Data);
}
