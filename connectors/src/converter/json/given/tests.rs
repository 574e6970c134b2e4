use bytes::Bytes;
use connect_api::{Converter, ErrorKind, Plugin, testing::converter};

use super::*;
use crate::converter::json::JsonConverter;

fn configured(pairs: &[(&str, &str)]) -> Result<JsonConverter> {
    JsonConverter::configure(&[&[("schemas.enable", "false")], pairs].concat().into_iter().collect())
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// A converter with the schema of these fields in Avro.
fn with_fields(fields: &str, pairs: &[(&str, &str)]) -> JsonConverter {
    let file = file(&format!("{{\"type\":\"record\",\"name\":\"Pin\",\"fields\":[{fields}]}}"));
    configured(&[&[("schema.file", file.path().to_str().unwrap())], pairs].concat()).unwrap()
}

fn read(converter: &JsonConverter, text: &str) -> Result<Data> {
    converter.to_connect_data("t", &[], Some(&Bytes::copy_from_slice(text.as_bytes())))
}

/// The values of the record's fields.
fn values(converter: &JsonConverter, text: &str) -> Vec<Value> {
    match read(converter, text) {
        Ok(Data { value: Value::Struct(values), .. }) => values,
        other => panic!("{text}: {other:?}"),
    }
}

fn refusal(converter: &JsonConverter, text: &str) -> String {
    let error = read(converter, text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Data, "{text}: {error}");
    error.to_string()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned().into())
}

#[test]
fn it_keeps_the_contract() {
    let converter = with_fields("{\"name\":\"id\",\"type\":\"long\"}", &[]);
    let inputs = [&b""[..], b"{", b"{\"id\": 1}", b"{\"id\":1}", b"null", b"[1]", b"{}"].map(Bytes::from_static);
    converter::keeps_the_contract(&converter, &inputs);
}

#[test]
fn all_records_of_a_run_have_the_very_same_schema() {
    let converter = with_fields("{\"name\":\"id\",\"type\":\"long\"}", &[]);
    let schema = |text| read(&converter, text).unwrap().schema.unwrap();
    assert!(Arc::ptr_eq(&schema("{\"id\":1}"), &schema("{\"id\":2}")));
}

#[test]
fn nothing_and_null_have_no_schema_as_without_one() {
    let converter = with_fields("{\"name\":\"id\",\"type\":\"long\"}", &[]);
    for bytes in [None, Some(&b""[..]), Some(b"null")] {
        let data = converter.to_connect_data("t", &[], bytes.map(Bytes::from_static).as_ref()).unwrap();
        assert!(data.schema.is_none() && data.value == Value::Null, "{bytes:?}");
    }
}

#[test]
fn members_come_in_any_order_and_missing_ones_are_null_or_their_default() {
    let fields = "{\"name\":\"a\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"b\",\"type\":\"int\",\"default\":7},{\"name\":\"c\",\"type\":\"boolean\"}";
    let converter = with_fields(fields, &[]);
    assert_eq!(values(&converter, "{\"c\":true,\"a\":\"x\"}"), [text("x"), Value::Int32(7), Value::Boolean(true)]);
    assert_eq!(values(&converter, "{\"c\":false,\"b\":null,\"a\":null}"), [Value::Null, Value::Int32(7), Value::Boolean(false)]);
    let refused = refusal(&converter, "{\"a\":\"x\"}");
    let reason = "the member c is missing: the schema wants BOOLEAN: true or false, and neither allows null nor has a default; the schema is in the file /";
    assert!(refused.starts_with(reason), "{refused}");
    assert!(refusal(&converter, "{\"c\":null}").contains("the member c does not fit the schema: found null"));
    let keeps_null = with_fields(fields, &[("replace.null.with.default", "false")]);
    assert!(refusal(&keeps_null, "{\"c\":true,\"b\":null}").contains("the member b "));
    assert_eq!(values(&keeps_null, "{\"c\":true}")[1], Value::Int32(7));
}

#[test]
fn numbers_must_be_in_range_and_nothing_is_cut_off() {
    let fields = "{\"name\":\"i\",\"type\":[\"null\",\"int\"]},{\"name\":\"l\",\"type\":[\"null\",\"long\"]},{\"name\":\"f\",\"type\":[\"null\",\"float\"]},\
                  {\"name\":\"d\",\"type\":[\"null\",\"double\"]}";
    let converter = with_fields(fields, &[]);
    let read = values(&converter, "{\"i\":-2147483648,\"l\":9223372036854775807,\"f\":1,\"d\":2}");
    assert_eq!(read, [Value::Int32(i32::MIN), Value::Int64(i64::MAX), Value::Float32(1.0), Value::Float64(2.0)]);
    assert_eq!(values(&converter, "{\"i\":3.0}")[0], Value::Int32(3));
    for (record, place, found) in [
        ("{\"i\":2147483648}", "i", "the number 2147483648"),
        ("{\"i\":1.5}", "i", "the number 1.5"),
        ("{\"i\":\"7\"}", "i", "the text \"7\""),
        ("{\"l\":9223372036854775808}", "l", "the number 9223372036854775808"),
        ("{\"f\":1e39}", "f", "the number 1e39"),
        ("{\"d\":1e400}", "d", "the number 1e400"),
        ("{\"d\":true}", "d", "found true"),
    ] {
        let refused = refusal(&converter, record);
        assert!(refused.contains(&format!("the member {place} does not fit")) && refused.contains(found), "{record}: {refused}");
    }
}

#[test]
fn logical_types_are_numbers_as_in_envelopes_or_texts() {
    let logical = |name: &str, base: &str, more: &str| {
        format!("{{\"name\":\"{name}\",\"type\":[\"null\",{{\"type\":\"{base}\",\"logicalType\":\"{name}\"{more}}}]}}")
    };
    let fields = [
        logical("date", "int", ""),
        logical("time-millis", "int", ""),
        logical("timestamp-millis", "long", ""),
        logical("decimal", "bytes", ",\"precision\":10,\"scale\":2"),
    ];
    let fields = fields
        .join(",")
        .replace("\"name\":\"time-millis\"", "\"name\":\"time\"")
        .replace("\"name\":\"timestamp-millis\"", "\"name\":\"ts\"");
    let converter = with_fields(&fields, &[]);
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    for (record, place, expected) in [
        ("{\"date\":18502}", 0, Value::Date(18_502)),
        ("{\"date\":\"2020-08-28\"}", 0, Value::Date(18_502)),
        ("{\"time\":80000500}", 1, Value::Time(80_000_500)),
        ("{\"time\":\"22:13:20.5\"}", 1, Value::Time(80_000_500)),
        ("{\"ts\":1700000000000}", 2, Value::Timestamp(1_700_000_000_000)),
        ("{\"ts\":\"2023-11-14T22:13:20Z\"}", 2, Value::Timestamp(1_700_000_000_000)),
        ("{\"ts\":\"2020-08-28 03:52:47\"}", 2, Value::Timestamp(1_598_586_767_000)),
        ("{\"decimal\":12.3}", 3, decimal("12.30")),
        ("{\"decimal\":\"-12.34\"}", 3, decimal("-12.34")),
        ("{\"decimal\":1e3}", 3, decimal("1000.00")),
    ] {
        assert_eq!(values(&converter, record)[place], expected, "{record}");
    }
    for record in [
        "{\"date\":\"2020-08-28T03:52:47Z\"}",
        "{\"date\":1.5}",
        "{\"time\":86400001}",
        "{\"time\":\"25:00\"}",
        "{\"ts\":\"yesterday\"}",
        "{\"ts\":\"1700000000000\"}",
        "{\"ts\":1.5}",
        "{\"decimal\":1.234}",
        "{\"decimal\":\"a\"}",
        "{\"decimal\":1e2147483647}",
        "{\"decimal\":true}",
    ] {
        assert!(refusal(&converter, record).contains("does not fit the schema: found "), "{record}");
    }
}

#[test]
fn what_the_schema_does_not_know_is_refused_or_left_out_as_asked() {
    let nested = "{\"name\":\"images\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Image\",\"fields\":[{\"name\":\"size\",\"type\":\"int\"}]}}}";
    let record = "{\"images\":[{\"size\":1},{\"size\":2,\"extra\":\"x\"}],\"more\":1}";
    let refused = refusal(&with_fields(nested, &[]), record);
    let reason = "the member images[1].extra does not fit the schema, which has no such field (`schema.unknown.fields=ignore` leaves such members out); \
                  the schema is in the file /";
    assert!(refused.starts_with(reason), "{refused}");
    let ignores = with_fields(nested, &[("schema.unknown.fields", "ignore")]);
    let sizes = [1, 2].map(|size| Value::Struct(vec![Value::Int32(size)]));
    assert_eq!(values(&ignores, record), [Value::Array(sizes.into())]);
    assert!(
        refusal(&ignores, "{\"images\":[{\"size\":1},{\"size\":\"big\"}]}").starts_with("the member images[1].size does not fit")
    );
    assert!(refusal(&ignores, "{\"images\":{}}").contains("found an object, and the schema wants ARRAY: an array"));
    assert!(refusal(&ignores, "[]").starts_with("the record does not fit the schema: found an array"));
}

#[test]
fn maps_enums_bytes_unions_and_any_json_have_their_forms() {
    let fields = "{\"name\":\"map\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"int\"}]},\
                  {\"name\":\"enum\",\"type\":[\"null\",{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}]},\
                  {\"name\":\"fixed\",\"type\":[\"null\",{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}]},\
                  {\"name\":\"union\",\"type\":[\"null\",\"int\",\"string\",{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}]},\
                  {\"name\":\"any\",\"type\":[\"null\",{\"type\":\"string\",\"connect.parameters\":{\"json.text\":\"true\"}}]}";
    let converter = with_fields(fields, &[]);
    let one = |place: usize, value: Value| {
        let mut values = vec![Value::Null; 3];
        values[place] = value;
        Value::Struct(values)
    };
    for (record, place, expected) in [
        ("{\"map\":{\"x\":1,\"y\":2}}", 0, Value::Map(vec![(text("x"), Value::Int32(1)), (text("y"), Value::Int32(2))])),
        ("{\"enum\":\"B\"}", 1, text("B")),
        ("{\"fixed\":\"AAE=\"}", 2, Value::Bytes(Bytes::from_static(&[0, 1]))),
        ("{\"union\":7}", 3, one(0, Value::Int32(7))),
        ("{\"union\":\"7\"}", 3, one(1, text("7"))),
        ("{\"union\":{\"a\":7}}", 3, one(2, Value::Struct(vec![Value::Int32(7)]))),
        ("{\"any\":\"a\\n\"}", 4, text("\"a\\n\"")),
        ("{\"any\": {\"b\" : [1, 2.50]}}", 4, text("{\"b\":[1,2.50]}")),
        ("{\"any\":1.0}", 4, text("1.0")),
    ] {
        assert_eq!(values(&converter, record)[place], expected, "{record}");
    }
    for (record, reason) in [
        ("{\"map\":{\"x\":\"1\"}}", "the member map.x "),
        ("{\"enum\":\"C\"}", "one of A, B"),
        ("{\"fixed\":\"AA==\"}", "BYTES: a text in Base64"),
        ("{\"union\":true}", "one of INT32, STRING, STRUCT"),
        ("{\"union\":{\"a\":\"x\"}}", "the member union.a "),
    ] {
        let refused = refusal(&converter, record);
        assert!(refused.contains(reason), "{record}: {refused}");
    }
}

#[test]
fn of_a_union_the_type_counts_that_leaves_out_the_least() {
    let branch = |name: &str, fields: &str| format!("{{\"type\":\"record\",\"name\":\"{name}\",\"fields\":[{fields}]}}");
    let field = |name: &str| format!("{{\"name\":\"{name}\",\"type\":[\"null\",\"int\"],\"default\":null}}");
    let (one, two) = (branch("A", &field("a")), branch("B", &format!("{},{}", field("b"), field("c"))));
    let converter = with_fields(&format!("{{\"name\":\"u\",\"type\":[{one},{two}]}}"), &[("schema.unknown.fields", "ignore")]);
    let (null, int) = (Value::Null, Value::Int32);
    let (first, second) = (|value| Value::Struct(vec![value, Value::Null]), |value| Value::Struct(vec![Value::Null, value]));
    for (record, expected) in [
        ("{\"a\":1}", first(Value::Struct(vec![int(1)]))),
        ("{\"b\":1}", second(Value::Struct(vec![int(1), null.clone()]))),
        ("{\"b\":1,\"c\":2,\"d\":3}", second(Value::Struct(vec![int(1), int(2)]))),
        ("{\"a\":1,\"d\":3}", first(Value::Struct(vec![int(1)]))),
        ("{\"a\":1,\"b\":\"no number\"}", first(Value::Struct(vec![int(1)]))),
        ("{\"d\":1}", first(Value::Struct(vec![null.clone()]))),
    ] {
        assert_eq!(values(&converter, &format!("{{\"u\":{record}}}")), [expected], "{record}");
    }
}

#[test]
fn types_of_a_union_that_were_not_meant_do_not_count_as_values() {
    let wide: Vec<_> =
        (0..200).map(|field| format!("{{\"name\":\"f{field}\",\"type\":[\"null\",\"int\"],\"default\":null}}")).collect();
    let wide = format!("{{\"type\":\"record\",\"name\":\"W\",\"fields\":[{}]}}", wide.join(","));
    let converter = with_fields(
        &format!("{{\"name\":\"u\",\"type\":{{\"type\":\"array\",\"items\":[{wide},{{\"type\":\"map\",\"values\":\"int\"}}]}}}}"),
        &[],
    );
    let record = format!("{{\"u\":[{}]}}", vec!["{\"x\":1}"; 10_000].join(","));
    assert_eq!(values(&converter, &record).len(), 1);
}

#[test]
fn members_with_another_name_than_their_field_are_found_in_any_order_and_called_by_it() {
    let field = |name: &str, member: &str| {
        format!("{{\"name\":\"{name}\",\"type\":{{\"type\":\"int\",\"connect.parameters\":{{\"json.name\":\"{member}\"}}}}}}")
    };
    let converter = with_fields(&format!("{},{}", field("a", "b"), field("b", "c-d")), &[]);
    let expected = [Value::Int32(1), Value::Int32(2)];
    assert_eq!(values(&converter, "{\"b\":1,\"c-d\":2}"), expected);
    assert_eq!(values(&converter, "{\"c-d\":2,\"b\":1}"), expected);
    assert!(refusal(&converter, "{\"b\":1}").starts_with("the member c-d is missing"));
    assert!(refusal(&converter, "{\"b\":1,\"c-d\":true}").starts_with("the member c-d does not fit"));
    assert!(refusal(&converter, "{\"b\":1,\"c-d\":2,\"a\":1}").starts_with("the member a does not fit"));
}

#[test]
fn unions_of_many_types_do_not_fill_memory() {
    let branch = |number: usize| {
        format!("{{\"type\":\"record\",\"name\":\"R{number}\",\"fields\":[{{\"name\":\"a{number}\",\"type\":\"int\"}}]}}")
    };
    let branches: Vec<_> = (0..1_000).map(branch).collect();
    let fields = format!("{{\"name\":\"u\",\"type\":{{\"type\":\"array\",\"items\":[{}]}}}}", branches.join(","));
    let record = format!("{{\"u\":[{}]}}", vec!["{\"a999\":1}"; 10_000].join(","));
    assert!(refusal(&with_fields(&fields, &[]), &record).contains("more values than memory should hold"));
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let good = file("{\"type\":\"record\",\"name\":\"A\",\"fields\":[]}");
    let (path, scalar) = (good.path().to_str().unwrap(), file("\"string\""));
    let registry = ("schema.registry.url", "http://localhost:1");
    for (pairs, reason) in [
        (&[("schema.file", "/nowhere/pin.avsc")][..], "`schema.file`: /nowhere/pin.avsc cannot be read: "),
        (&[("schema.file", scalar.path().to_str().unwrap())], "none of a struct"),
        (&[("schema.file", "")], "`schema.file` is empty"),
        (&[("schema.file", path), ("schemas.enable", "true")], "`schema.file` needs `schemas.enable=false`"),
        (&[("schema.file", path), ("converter.type", "header")], "not for headers"),
        (&[("schema.file", path), ("schema.subject", "a"), registry], "both set"),
        (&[("schema.subject", "a")], "schema.registry.url"),
        (&[("schema.file", path), ("schema.unknown.fields", "drop")], "must be one of fail, ignore"),
    ] {
        let error = configured(pairs).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.report().contains(reason), "{}", error.report());
    }
    assert!(configured(&[("schema.file", path)]).is_ok());
    assert!(configured(&[("schema.subject", "{topic}-value"), registry]).is_ok());
}

#[tokio::test]
async fn a_file_of_a_topic_that_is_not_there_yet_makes_records_wait_and_stays_as_it_was_read_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = |topic: &str| folder.path().join(format!("{topic}.avsc"));
    let converter = configured(&[("schema.file", path("{topic}").to_str().unwrap())]).unwrap();
    let record = Bytes::from_static(b"{\"id\":1}");
    let read = |topic: &str| converter.to_connect_data(topic, &[], Some(&record));
    assert_eq!(read("pins").unwrap_err().kind(), ErrorKind::Retriable);
    let error = converter.fetch("pins", &[], Some(&record)).unwrap().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable);
    assert!(error.to_string().contains("pins.avsc") && error.to_string().contains("none is lost"), "{error}");
    let schema =
        |field: &str| format!("{{\"type\":\"record\",\"name\":\"A\",\"fields\":[{{\"name\":\"{field}\",\"type\":\"int\"}}]}}");
    std::fs::write(path("pins"), schema("id")).unwrap();
    std::fs::write(path("users"), schema("name")).unwrap();
    for topic in ["pins", "users"] {
        converter.fetch(topic, &[], Some(&record)).unwrap().await.unwrap();
    }
    assert_eq!(read("pins").unwrap().value, Value::Struct(vec![Value::Int32(1)]));
    assert_eq!(read("users").unwrap_err().kind(), ErrorKind::Data);
    std::fs::write(path("pins"), schema("other")).unwrap();
    converter.fetch("pins", &[], Some(&record)).unwrap().await.unwrap();
    assert!(read("pins").is_ok());
}
