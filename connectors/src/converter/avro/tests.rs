use connect_api::{
    ErrorKind,
    data::{LogicalType, SchemaType, Value},
};
use serde_json::{Value as Json, json};

use super::{attributes::Read, decode::Malformed, *};

const DIALECT: Dialect = Dialect { has_full_names: false, flattens_single_unions: true };

fn read_as(dialect: Dialect, schema: &Json) -> Result<Read> {
    SchemaReader::new(dialect).read(&schema.to_string())
}

fn read(schema: &Json) -> Result<Read> {
    read_as(DIALECT, schema)
}

fn value(schema: &Json, bytes: &[u8]) -> Result<Value, Malformed> {
    decode(&read(schema).unwrap().plan, &Bytes::copy_from_slice(bytes))
}

fn record(fields: &Json) -> Json {
    json!({ "type": "record", "name": "R", "namespace": "n", "fields": fields })
}

fn text(text: &'static str) -> Value {
    Value::String(text.into())
}

fn refused(schema: &Json) -> String {
    let error = read(schema).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    error.report()
}

#[test]
fn scalars_are_read_as_connect_has_them() {
    for (schema, bytes, expected) in [
        (json!("boolean"), &[1][..], Value::Boolean(true)),
        (json!("boolean"), &[2], Value::Boolean(false)),
        (json!("int"), &[0xff, 0xff, 0xff, 0xff, 0x0f], Value::Int32(i32::MIN)),
        (json!("long"), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Value::Int64(i64::MIN)),
        (json!("float"), &[0, 0, 0xc0, 0x3f], Value::Float32(1.5)),
        (json!("double"), &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f], Value::Float64(1.5)),
        (json!("string"), &[4, b'a', b'b', 9], text("ab")),
        (json!("bytes"), b"as it is", Value::Bytes(Bytes::from_static(b"as it is"))),
        (json!({ "type": "int", "connect.type": "int8" }), &[0xd8, 4], Value::Int8(44)),
        (json!({ "type": "int", "connect.type": "int16" }), &[3], Value::Int16(-2)),
        (json!({ "type": "int", "logicalType": "date" }), &[2], Value::Date(1)),
        (json!({ "type": "int", "logicalType": "time-millis" }), &[2], Value::Time(1)),
        (json!({ "type": "long", "logicalType": "timestamp-millis" }), &[1], Value::Timestamp(-1)),
        (json!({ "type": "long", "logicalType": "timestamp-micros" }), &[1], Value::Int64(-1)),
        (json!({ "type": "string", "logicalType": "uuid" }), &[2, b'u'], text("u")),
        (json!({ "type": "fixed", "name": "F", "size": 2 }), b"xyz", Value::Bytes(Bytes::from_static(b"xy"))),
        (json!({ "type": "enum", "name": "E", "symbols": ["A", "B"] }), &[2], text("B")),
        (json!({ "type": "int", "connect.name": LogicalType::Date.name() }), &[2], Value::Date(1)),
    ] {
        assert_eq!(value(&schema, bytes).unwrap(), expected, "{schema}");
    }
}

#[test]
fn decimals_have_their_scale_in_bytes_and_in_fixed_types() {
    for schema in [
        json!({ "type": "record", "name": "R", "fields": [
            { "name": "d", "type": { "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 } }] }),
        json!({ "type": "record", "name": "R", "fields": [
            { "name": "d", "type": { "type": "fixed", "name": "D", "size": 2, "logicalType": "decimal", "precision": 9, "scale": 2 } }] }),
    ] {
        let is_fixed = schema.to_string().contains("fixed");
        let bytes = if is_fixed { &[0x04, 0xd2][..] } else { &[4, 0x04, 0xd2] };
        let Value::Struct(values) = value(&schema, bytes).unwrap() else { panic!() };
        assert!(matches!(&values[0], Value::Decimal(decimal) if decimal.to_string() == "12.34"));
        let schema = read(&schema).unwrap().schema;
        let decimal = &schema.fields().unwrap()[0].schema;
        assert_eq!((decimal.logical_type(), decimal.version), (Some(LogicalType::Decimal), Some(1)));
        assert_eq!((decimal.parameter("scale"), decimal.parameter("connect.decimal.precision")), (Some("2"), Some("9")));
        assert_eq!(decimal.parameter("connect.fixed.size"), is_fixed.then_some("2"));
    }
    let decimal = json!({ "type": "bytes", "logicalType": "decimal", "scale": 2 });
    let alone = value(&decimal, &[0x04, 0xd2]).unwrap();
    assert!(matches!(alone, Value::Decimal(decimal) if decimal.to_string() == "12.34"), "without its length, as bytes alone");
    assert_eq!(value(&decimal, &[]), Err(Malformed::Because("Zero length BigInteger")));
}

#[test]
fn arrays_and_maps_come_in_blocks_with_and_without_their_size() {
    let numbers = json!({ "type": "array", "items": "int" });
    let expected = Value::Array([1, 2, 3].map(Value::Int32).to_vec());
    assert_eq!(value(&numbers, &[6, 2, 4, 6, 0]).unwrap(), expected);
    assert_eq!(value(&numbers, &[3, 4, 2, 4, 2, 6, 0]).unwrap(), expected);
    assert_eq!(value(&numbers, &[0]).unwrap(), Value::Array(Vec::new()));
    let map = json!({ "type": "map", "values": ["null", "int"] });
    let twice = [6, 2, b'a', 2, 2, 2, b'b', 0, 2, b'a', 2, 4, 0];
    assert_eq!(value(&map, &twice).unwrap(), Value::Map(vec![(text("a"), Value::Int32(2)), (text("b"), Value::Null)]));
}

#[test]
fn arrays_of_map_entries_are_maps() {
    let entry = |more: Json| {
        let mut entry = json!({ "type": "record", "name": "Entry", "fields": [{ "name": "key", "type": "int" }, { "name": "value", "type": "string" }] });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "array", "items": entry })
    };
    for named in
        [json!({ "name": "MapEntry", "namespace": "io.confluent.connect.avro" }), json!({ "connect.internal.type": "MapEntry" })]
    {
        let schema = entry(named);
        assert!(matches!(read(&schema).unwrap().schema.schema_type, SchemaType::Map(..)));
        assert_eq!(value(&schema, &[2, 14, 2, b'x', 0]).unwrap(), Value::Map(vec![(Value::Int32(7), text("x"))]));
    }
    assert!(matches!(read(&entry(json!({}))).unwrap().schema.schema_type, SchemaType::Array(_)));

    // By name, inside of its namespace, and the other way round.
    let entry = json!({ "type": "record", "name": "MapEntry", "fields": [{ "name": "value", "type": "string" }, { "name": "key", "type": "int" }] });
    let schema = json!({ "type": "record", "name": "R", "namespace": "io.confluent.connect.avro", "fields": [
        { "name": "a", "type": { "type": "array", "items": entry } },
        { "name": "b", "type": { "type": "array", "items": "MapEntry" } }] });
    let map = |key, text: Value| Value::Map(vec![(Value::Int32(key), text)]);
    let expected = Value::Struct(vec![map(7, text("x")), map(8, text("y"))]);
    assert_eq!(value(&schema, &[2, 2, b'x', 14, 0, 2, 2, b'y', 16, 0]).unwrap(), expected);
}

#[test]
fn unions_of_null_and_a_type_are_that_type_and_others_are_structs() {
    for (union, null) in [(json!(["null", "int"]), 0), (json!(["int", "null"]), 2)] {
        let read = read(&union).unwrap();
        assert!(read.schema.optional && read.schema.schema_type == SchemaType::Int32);
        assert_eq!(value(&union, &[null]).unwrap(), Value::Null);
        assert_eq!(value(&union, &[2 - null, 14]).unwrap(), Value::Int32(7));
    }
    assert_eq!(value(&json!(["int"]), &[0, 14]).unwrap(), Value::Int32(7));
    let single = Dialect { flattens_single_unions: false, ..DIALECT };
    assert_eq!(read_as(single, &json!(["int"])).unwrap().schema.name.as_deref(), Some("io.confluent.connect.avro.Union"));

    let several = json!(["int", "null", { "type": "record", "name": "R", "namespace": "n", "fields": [] }]);
    let names = |dialect| {
        let schema = read_as(dialect, &several).unwrap().schema;
        schema.fields().unwrap().iter().map(|field| field.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(DIALECT), ["int", "R"]);
    assert_eq!(names(Dialect { has_full_names: true, ..DIALECT }), ["int", "n.R"]);
    assert!(read(&several).unwrap().schema.optional);
    assert_eq!(value(&several, &[0, 14]).unwrap(), Value::Struct(vec![Value::Int32(7), Value::Null]));
    assert_eq!(value(&several, &[2]).unwrap(), Value::Null);
    assert_eq!(value(&several, &[4]).unwrap(), Value::Struct(vec![Value::Null, Value::Struct(Vec::new())]));
    let alike = json!([{ "type": "fixed", "name": "a.F", "size": 1 }, { "type": "fixed", "name": "b.F", "size": 1 }]);
    assert!(refused(&alike).contains("Multiple union schemas map to the Connect union field name F"));
}

#[test]
fn names_stand_for_what_was_defined_before_in_their_namespace() {
    let schema = record(&json!([
        { "name": "a", "type": { "type": "record", "name": "In", "fields": [{ "name": "x", "type": "int" }] } },
        { "name": "b", "type": ["null", "In"] },
        { "name": "c", "type": "n.In", "default": { "x": 5 } },
    ]));
    let fields = read(&schema).unwrap().schema;
    let fields = fields.fields().unwrap();
    assert!(fields.iter().all(|field| field.schema.name.as_deref() == Some("n.In")));
    assert_eq!(fields.iter().map(|field| field.schema.optional).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(fields[2].schema.default, Some(Value::Struct(vec![Value::Int32(5)])));
    let inner = |number| Value::Struct(vec![Value::Int32(number)]);
    assert_eq!(value(&schema, &[2, 2, 4, 6]).unwrap(), Value::Struct(vec![inner(1), inner(2), inner(3)]));
}

#[test]
fn docs_defaults_and_attributes_are_kept_where_the_jvm_keeps_them() {
    let schema = json!({
        "type": "record", "name": "R", "doc": "a record", "connect.name": "other", "connect.version": 3, "connect.doc": "d",
        "connect.parameters": { "p": "q" },
        "fields": [
            { "name": "i", "type": "int", "default": 42, "doc": "a field" },
            { "name": "o", "type": ["string", "null"], "default": "x" },
            { "name": "own", "type": { "type": "int", "connect.default": 7 }, "default": 8 },
            { "name": "bad", "type": "int", "default": "x" },
            { "name": "b", "type": "bytes", "default": "\u{ff}" },
        ],
    });
    let java = read(&json!({ "type": "string", "avro.java.string": "String" })).unwrap().schema;
    assert_eq!(java.parameter("avro.java.string"), Some("String"));
    // As Connect on the JVM writes it.
    let twice = json!({ "type": "string", "avro.java.string": "String", "connect.parameters": { "avro.java.string": "String" } });
    assert_eq!(read(&twice).unwrap().schema.parameters.len(), 1);
    let read = read(&schema).unwrap().schema;
    assert_eq!((read.name.as_deref(), read.version, read.doc.as_deref()), (Some("other"), Some(3), Some("d")));
    let parameter = |name: &str| read.parameter(name);
    assert_eq!(parameter("io.confluent.connect.avro.record.doc"), Some("a record"));
    assert_eq!((parameter("io.confluent.connect.avro.field.doc.i"), parameter("p")), (Some("a field"), Some("q")));
    let fields = read.fields().unwrap();
    let default = |place: usize| (fields[place].schema.default.clone(), fields[place].schema.parameter(FIELD_DEFAULT));
    assert_eq!(default(0), (Some(Value::Int32(42)), Some("true")));
    assert_eq!(default(1), (None, None));
    assert_eq!(default(2), (Some(Value::Int32(8)), None));
    assert_eq!(default(3), (None, None));
    assert_eq!(default(4), (Some(Value::Bytes(Bytes::from_static(&[0xff]))), Some("true")));
}

#[test]
fn what_is_no_schema_is_refused_with_the_place() {
    let endless = record(&json!([{ "name": "next", "type": ["null", "R"] }]));
    assert_eq!(refused(&endless), "the field next: the record n.R contains itself: schemas without an end are not supported");
    assert!(refused(&json!("null")).starts_with("Standalone null schemas"));
    assert!(refused(&json!("Unknown")).contains("\"Unknown\" is not a defined name"));
    assert!(refused(&json!({ "type": "record", "name": "R" })).starts_with("Record has no fields"));
    let twice = record(&json!([{ "name": "a", "type": "int" }, { "name": "a", "type": "int" }]));
    assert_eq!(refused(&twice), "Duplicate field a in record n.R");
    let mut deeper = json!([{ "name": "f0", "type": { "type": "record", "name": "r0", "fields": [] } }]);
    for level in 1..4 {
        let mut inside = json!(format!("r{}", level - 1));
        for _ in 0..80 {
            inside = json!({ "type": "array", "items": inside });
        }
        let named = json!({ "type": "record", "name": format!("r{level}"), "fields": [{ "name": "a", "type": inside }] });
        deeper.as_array_mut().unwrap().push(json!({ "name": format!("f{level}"), "type": named }));
    }
    assert!(refused(&record(&deeper)).contains("the schema has more than 200 levels"));
    let mut deep = json!("int");
    for _ in 0..60 {
        deep = json!({ "type": "array", "items": deep });
    }
    assert!(read(&deep).is_ok());
    // Each level has the one below it twice.
    let mut wide = json!({ "type": "record", "name": "r0", "fields": [] });
    for level in 1..30 {
        let below = format!("r{}", level - 1);
        wide = json!({ "type": "record", "name": format!("r{level}"), "fields": [{ "name": "a", "type": wide }, { "name": "b", "type": below }] });
    }
    assert!(refused(&wide).contains("the schema has more than 100000 types"));
}

#[test]
fn lengths_that_lie_take_no_memory() {
    let numbers = json!({ "type": "array", "items": "int" });
    // A count and a length of 2^62 in a few bytes.
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
    assert!(matches!(value(&numbers, &huge), Err(Malformed::Because(_))));
    assert_eq!(value(&json!("string"), &huge), Err(Malformed::Truncated));
    assert_eq!(value(&json!("string"), &[1]), Err(Malformed::Because("Malformed data. Length is negative")));
    assert_eq!(value(&numbers, &[0xc8, 1, 2]), Err(Malformed::Truncated));
    let nothing = json!({ "type": "array", "items": { "type": "record", "name": "R", "fields": [] } });
    assert!(matches!(value(&nothing, &[0x80, 0x80, 0x80, 0x80, 0x10, 0]), Err(Malformed::Because(_))));
    assert_eq!(value(&json!("long"), &[0xff; 11]), Err(Malformed::Because("Invalid long encoding")));
    assert_eq!(value(&json!("int"), &[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(Malformed::Because("Invalid int encoding")));
    assert_eq!(value(&json!(["null", "int"]), &[4]), Err(Malformed::Because("a union has no branch with this number")));
    assert!(value(&json!({ "type": "enum", "name": "E", "symbols": ["A"] }), &[2]).is_err());
}

#[test]
fn every_cut_of_a_message_is_an_error_and_no_panic() {
    let schema = record(&json!([
        { "name": "a", "type": { "type": "map", "values": { "type": "array", "items": ["null", "string", "double"] } } },
        { "name": "f", "type": { "type": "fixed", "name": "F", "size": 3 } },
        { "name": "l", "type": "long" },
    ]));
    let whole = [2, 2, b'k', 4, 2, 4, b'x', b'y', 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0x80, 1];
    assert!(value(&schema, &whole).is_ok());
    for end in 0..whole.len() {
        assert_eq!(value(&schema, &whole[..end]), Err(Malformed::Truncated), "{end}");
    }
}

#[test]
fn texts_and_bytes_share_the_message() {
    let bytes = Bytes::from_static(&[4, b'a', b'b']);
    let Value::String(text) = decode(&read(&json!("string")).unwrap().plan, &bytes).unwrap() else { panic!() };
    assert_eq!(text.as_ptr(), bytes[1..].as_ptr());
}

#[test]
fn whatever_bytes_come_there_is_a_value_or_an_error() {
    let schema = record(&json!([
        { "name": "u", "type": ["null", "int", { "type": "map", "values": ["string", { "type": "array", "items": "double" }] }] },
        { "name": "d", "type": { "type": "bytes", "logicalType": "decimal", "precision": 4 } },
        { "name": "e", "type": { "type": "enum", "name": "E", "symbols": ["A"] } },
        { "name": "o", "type": ["null", "string"] },
    ]));
    let plan = read(&schema).unwrap().plan;
    let valid = [4, 4, 2, b'k', 0, 4, b'v', b'w', 2, b'l', 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 0, 2, 2, b'x'];
    assert!(decode(&plan, &Bytes::copy_from_slice(&valid)).is_ok());
    // A small generator (xorshift).
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 8).unwrap()
    };
    let mut read = 0;
    for _ in 0..100_000 {
        let mut bytes = valid.to_vec();
        for _ in 0..=next() % 3 {
            let at = next() % bytes.len();
            bytes[at] = u8::try_from(next() % 256).unwrap();
        }
        bytes.truncate(1 + next() % bytes.len());
        read += usize::from(decode(&plan, &bytes.into()).is_ok());
    }
    assert!((1..100_000).contains(&read), "{read}");
}
