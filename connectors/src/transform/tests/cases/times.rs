//! Times in other forms.

use super::*;

#[test]
fn conversions_of_times_that_cannot_be_are_refused() {
    for config in [
        &[][..],
        &[("target.type", "invalid")],
        &[("target.type", "unix"), ("unix.precision", "invalid")],
        &[("target.type", "string")],
        &[("target.type", "string"), ("format", "bad-format")],
    ] {
        assert!(is_refused("TimestampConverter", config), "{config:?}");
    }
}

const PATTERN: &str = "yyyy MM dd HH mm ss SSS z";
const TEXT: &str = "1970 01 02 00 00 01 234 UTC";

fn converted(target: &str, more: &[(&str, &str)], whole: Data) -> Data {
    let config: Vec<_> = [("target.type", target), ("format", PATTERN)].into_iter().chain(more.iter().copied()).collect();
    value("TimestampConverter", &config, whole).unwrap()
}

fn timestamp(millis: i64) -> Data {
    Data::with_schema(Arc::new(of_time(LogicalType::Timestamp, false)), Value::Timestamp(millis))
}

#[test]
fn times_are_converted_between_all_forms() {
    let millis = DAY + 1234;
    for (target, expected) in [
        ("Date", Value::Date(1)),
        ("Time", Value::Time(1234)),
        ("Timestamp", Value::Timestamp(millis)),
        ("unix", Value::Int64(millis)),
        ("string", Value::String(TEXT.into())),
    ] {
        assert_eq!(converted(target, &[], timestamp(millis)).value, expected, "{target}");
    }
    let of = |schema: Schema, value: Value| Data::with_schema(Arc::new(schema), value);
    for (whole, expected) in [
        (of(of_time(LogicalType::Date, false), Value::Date(1)), DAY),
        (of(of_time(LogicalType::Time, false), Value::Time(1234)), 1234),
        (of(of_type(SchemaType::Int64, false), Value::Int64(millis)), millis),
        (of(of_type(SchemaType::String, false), Value::String(TEXT.into())), millis),
        (Data::schemaless(Value::Int64(millis)), millis),
        (Data::schemaless(Value::String(TEXT.into())), millis),
        (Data::schemaless(Value::Timestamp(millis)), millis),
    ] {
        assert_eq!(converted("Timestamp", &[], whole.clone()).value, Value::Timestamp(expected), "{whole:?}");
    }
    let unparsable =
        value("TimestampConverter", &[("target.type", "Date"), ("format", "yyyy")], Data::schemaless(Value::String("x".into())));
    assert_eq!(unparsable.unwrap_err().to_string(), "Could not parse timestamp: value (x) does not match pattern (yyyy)");
    assert!(value("TimestampConverter", &[("target.type", "Date")], Data::schemaless(Value::Int32(1))).is_err());
}

#[test]
fn numbers_of_times_have_a_unit() {
    let unit = |name| [("unix.precision", name)];
    for (name, number, millis) in [
        ("seconds", 86_401, 86_401_000),
        ("milliseconds", 86_401_234, 86_401_234),
        ("microseconds", 86_401_234_123, 86_401_234),
        ("nanoseconds", 86_401_234_123_456, 86_401_234),
    ] {
        let read = converted("Timestamp", &unit(name), Data::schemaless(Value::Int64(number)));
        assert_eq!(read.value, Value::Timestamp(millis), "{name}");
    }
    for (name, number) in [("seconds", 86_401), ("microseconds", 86_401_234_000), ("nanoseconds", 86_401_234_000_000)] {
        let written = converted("unix", &unit(name), Data::schemaless(Value::String(TEXT.into())));
        assert_eq!(written.value, Value::Int64(number), "{name}");
    }
    assert_eq!(converted("unix", &unit("seconds"), timestamp(-1)).value, Value::Int64(0), "towards zero");
}

#[test]
fn a_time_that_is_null_stays_null_and_its_schema_is_converted() {
    let sources = [
        of_type(SchemaType::String, true),
        of_type(SchemaType::Int64, true),
        of_time(LogicalType::Date, true),
        of_time(LogicalType::Time, true),
        of_time(LogicalType::Timestamp, true),
    ];
    for target in ["string", "unix", "Date", "Time", "Timestamp"] {
        for source in &sources {
            let null = converted(target, &[], Data::with_schema(Arc::new(source.clone()), Value::Null));
            assert_eq!((null.value, null.schema.unwrap().optional), (Value::Null, true), "{target}");
        }
    }
    assert_eq!(converted("Date", &[], Data::default()).value, Value::Null);
    let int = json!({ "type": "struct", "optional": true, "fields": [{ "field": "ts", "type": "int64" }] });
    let null = converted("Date", &[("field", "ts")], Data::with_schema(typed_schema(&int), Value::Null));
    assert_eq!(null.schema.unwrap().fields().unwrap()[0].schema.logical_type(), Some(LogicalType::Date));
}

#[test]
fn a_field_of_a_struct_is_converted_and_the_others_stay() {
    let long = || json!({ "type": "int64" });
    let whole = structure(&[("other", long()), ("ts", long())], &json!({ "other": 7, "ts": 9 }));
    let field = converted("Timestamp", &[("field", "ts")], whole.clone());
    assert_eq!(field.value, Value::Struct(vec![Value::Int64(7), Value::Timestamp(9)]));
    let missing = converted("Timestamp", &[("field", "x")], whole.clone());
    assert_eq!((missing.schema, missing.value), (whole.schema, whole.value));
    assert_eq!(plain(&converted("unix", &[("field", "x")], object(&json!({ "a": 1 }))).value), json!({ "a": 1, "x": null }));
    let defaulted = json!({ "type": "int64", "optional": true, "default": 0 });
    let config = [("field", "magic"), ("target.type", "Timestamp"), ("replace.null.with.default", "false")];
    let (schema, null) = self::field("TimestampConverter", &config, defaulted, &Json::Null);
    assert_eq!((schema.optional, schema.logical_type(), null), (true, Some(LogicalType::Timestamp), Value::Null));
}

#[test]
fn topics_are_routed_by_time() {
    let record = |timestamp: Json| record(&json!({ "topic": "test", "timestamp": timestamp }), 0);
    let routed = applied("TimestampRouter", &[], record(json!(1_483_425_001_864_i64))).unwrap();
    assert_eq!(&*routed.topic, "test-20170103");
    assert!(
        applied("TimestampRouter", &[], record(Json::Null)).unwrap_err().to_string().starts_with("Timestamp missing on record")
    );
}

#[test]
fn the_first_and_the_last_instant_have_a_date_and_a_text() {
    for millis in [i64::MIN, i64::MAX] {
        assert!(matches!(
            converted("Date", &[], Data::schemaless(Value::Int64(millis))).value,
            Value::Json(_) | Value::Timestamp(_)
        ));
        let text = value("Cast", &[("spec", "string")], timestamp(millis)).unwrap().value;
        assert!(matches!(&text, Value::String(text) if !text.is_empty()), "{text:?}");
    }
}
