use connect_api::{
    ErrorKind,
    data::{LogicalType, SchemaType, Value},
};

use super::*;
use crate::registry::RegisteredSchema;

const DIALECT: Dialect = Dialect {
    enhanced_protobuf_schema_support: false,
    int_for_enums: false,
    optional_for_nullables: false,
    optional_for_proto2: true,
    wrapper_for_nullables: false,
    wrapper_for_raw_primitives: true,
    generate_index_for_unions: true,
    flatten_unions: false,
};

fn registered(schema_type: &str, schema: &str) -> RegisteredSchema {
    RegisteredSchema { schema_type: schema_type.to_owned(), schema: schema.to_owned(), references: Vec::new() }
}

fn read_with(dialect: Dialect, schema: &str, referenced: &[(&str, &str)]) -> Result<ProtobufSchema> {
    let referenced = referenced.iter().map(|(name, schema)| ((*name).to_owned(), registered("PROTOBUF", schema)));
    let text = SchemaText { schema: registered("PROTOBUF", schema), referenced: referenced.collect() };
    ProtobufReader(Flavour::Confluent(dialect)).read(&text, Some(3))
}

/// The schema of the first message of a file in the third version of the language.
fn read(dialect: Dialect, body: &str) -> ProtobufSchema {
    read_with(dialect, &format!("syntax = \"proto3\";\npackage p;\n{body}"), &[]).unwrap()
}

fn data(schema: &ProtobufSchema, payload: &[u8]) -> Result<Data> {
    schema.data(&Bytes::from([&[0], payload].concat()))
}

/// Each field of a struct with its value.
fn fields(data: &Data) -> Vec<(String, Arc<Schema>, Value)> {
    let Value::Struct(values) = &data.value else { panic!("{data:?}") };
    let fields = data.schema.as_ref().unwrap().fields().unwrap().iter();
    fields.zip(values).map(|(field, value)| (field.name.to_string(), Arc::clone(&field.schema), value.clone())).collect()
}

fn values(data: &Data) -> Vec<Value> {
    fields(data).into_iter().map(|(_, _, value)| value).collect()
}

/// A field whose value has a length.
fn sized(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn text(text: &'static str) -> Value {
    Value::String(text.into())
}

const SCALARS: &str = "message M {
    int32 a = 1; sint32 b = 2; uint32 c = 3; int64 d = 4; uint64 e = 5; sfixed64 f = 6; float g = 7; double h = 8; bool i = 9;
    string j = 10; bytes k = 11; Color l = 12;
}
enum Color { RED = 0; BLUE = 7; }";

#[test]
fn scalars_are_what_connect_has_for_them_and_absent_ones_have_their_defaults() {
    let schema = read(DIALECT, SCALARS);
    let mut payload =
        vec![0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x10, 1, 0x18, 0xff, 0xff, 0xff, 0xff, 0x0f];
    payload.extend([0x20, 5, 0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    payload.extend([&[0x31][..], &2_i64.to_le_bytes(), &[0x3d], &1.5_f32.to_le_bytes(), &[0x41], &2.5_f64.to_le_bytes()].concat());
    payload.extend([&[0x48, 1, 0x52, 2][..], "é".as_bytes(), &[0x5a, 1, 9, 0x60, 7]].concat());
    let read = data(&schema, &payload).unwrap();
    assert_eq!(
        values(&read),
        [
            Value::Int32(-1),
            Value::Int32(-1),
            Value::Int64(u32::MAX.into()),
            Value::Int64(5),
            Value::Int64(-1),
            Value::Int64(2),
            Value::Float32(1.5),
            Value::Float64(2.5),
            Value::Boolean(true),
            text("é"),
            Value::Bytes(Bytes::from_static(&[9])),
            text("BLUE"),
        ]
    );
    let top = read.schema.as_ref().unwrap();
    assert_eq!((top.name.as_deref(), top.version, top.optional), (Some("M"), Some(3), false));
    for (place, (_, schema, _)) in fields(&read).into_iter().enumerate() {
        assert!(schema.optional);
        assert_eq!(schema.parameter("io.confluent.connect.protobuf.Tag"), Some(&*(place + 1).to_string()));
    }
    let kinds: Vec<_> = fields(&read)
        .iter()
        .map(|(_, schema, _)| schema.parameter("io.confluent.connect.protobuf.Type").map(str::to_owned))
        .collect();
    let kind = |kind: &str| Some(kind.to_owned());
    assert_eq!(kinds[..6], [None, kind("sint32"), kind("uint32"), None, kind("uint64"), kind("sfixed64")]);
    let color = &fields(&read)[11].1;
    assert_eq!(color.name.as_deref(), Some("Color"));
    assert_eq!(color.parameter("io.confluent.connect.protobuf.Enum.BLUE"), Some("7"));

    let absent = values(&data(&schema, &[]).unwrap());
    assert_eq!(absent[..3], [Value::Int32(0), Value::Int32(0), Value::Int64(0)]);
    assert_eq!(absent[9..], [text(""), Value::Bytes(Bytes::new()), text("RED")]);
    assert_eq!(values(&data(&schema, &[0x60, 9]).unwrap())[11], text("UNKNOWN_ENUM_VALUE_Color_9"));
}

#[test]
fn fields_that_may_be_absent_are_null_then() {
    let schema = read(DIALECT, "message M { optional int32 a = 1; Inner b = 2; int32 c = 3; } message Inner { int32 x = 1; }");
    assert_eq!(values(&data(&schema, &[]).unwrap()), [Value::Null, Value::Null, Value::Int32(0)]);
    let there = data(&schema, &[0x08, 0, 0x12, 0]).unwrap();
    assert_eq!(values(&there), [Value::Int32(0), Value::Struct(vec![Value::Int32(0)]), Value::Int32(0)]);
    let proto2 = "syntax = \"proto2\"; message M { optional int32 a = 1 [default = 5]; required int32 b = 2; }";
    let schema = read_with(DIALECT, proto2, &[]).unwrap();
    assert_eq!(values(&data(&schema, &[0x10, 1]).unwrap()), [Value::Null, Value::Int32(1)]);
}

#[test]
fn lists_and_maps_are_empty_where_they_are_absent_and_maps_have_an_order_that_stays() {
    let schema = read(
        DIALECT,
        "message M { repeated int32 a = 1; map<string, int32> some_tags = 2; repeated Inner b = 3; } message Inner {}",
    );
    let empty = [Value::Array(vec![]), Value::Map(vec![]), Value::Array(vec![])];
    assert_eq!(values(&data(&schema, &[]).unwrap()), empty);
    let entry = |key: &str, value| sized(2, &[sized(1, key.as_bytes()), vec![0x10, value]].concat());
    let payload = [sized(1, &[1, 2]), vec![0x08, 3], entry("z", 1), entry("a", 2), sized(3, &[])].concat();
    for _ in 0..20 {
        let read = data(&schema, &payload).unwrap();
        let entries = vec![(text("a"), Value::Int32(2)), (text("z"), Value::Int32(1))];
        let numbers = [1, 2, 3].map(Value::Int32).to_vec();
        assert_eq!(values(&read), [Value::Array(numbers), Value::Map(entries), Value::Array(vec![Value::Struct(vec![])])]);
        let map = &fields(&read)[1].1;
        assert_eq!(map.name.as_deref(), Some("some_tags"));
        let SchemaType::Map(keys, values) = &map.schema_type else { panic!("{map:?}") };
        assert!(keys.optional && values.optional);
        assert_eq!(keys.parameter("io.confluent.connect.protobuf.Tag"), Some("1"));
    }
}

#[test]
fn a_oneof_is_a_struct_before_the_other_fields() {
    let body = "message M { int32 a = 1; oneof choice { string b = 2; int32 c = 3; } oneof other { bool d = 4; } }";
    let schema = read(DIALECT, body);
    let read_one = data(&schema, &[0x08, 1, 0x18, 0, 0x20, 1]).unwrap();
    let names: Vec<_> = fields(&read_one).into_iter().map(|(name, schema, _)| (name, schema.name.clone())).collect();
    let union = |name: &str| Some(format!("io.confluent.connect.protobuf.Union.{name}").into());
    assert_eq!(names, [("choice_0".into(), union("choice")), ("other_1".into(), union("other")), ("a".into(), None)]);
    let one = |values: &[Value]| Value::Struct(values.to_vec());
    assert_eq!(values(&read_one), [one(&[Value::Null, Value::Int32(0)]), one(&[Value::Boolean(true)]), Value::Int32(1)]);
    assert_eq!(values(&data(&schema, &[]).unwrap()), [Value::Null, Value::Null, Value::Int32(0)]);

    let flat = read(Dialect { flatten_unions: true, ..DIALECT }, body);
    let read_flat = data(&flat, &[0x18, 0]).unwrap();
    assert_eq!(values(&read_flat), [Value::Null, Value::Int32(0), Value::Null, Value::Int32(0)]);
    let named = read(Dialect { generate_index_for_unions: false, ..DIALECT }, body);
    assert_eq!(fields(&data(&named, &[]).unwrap())[0].0, "choice");
}

#[test]
fn messages_with_a_meaning_are_logical_types() {
    let imports = [
        "google/type/date.proto",
        "google/type/timeofday.proto",
        "google/protobuf/timestamp.proto",
        "confluent/meta.proto",
        "confluent/type/decimal.proto",
    ];
    let imports: String = imports.map(|file| format!("import \"{file}\";\n")).concat();
    let body = "message M { google.type.Date a = 1; google.type.TimeOfDay b = 2; google.protobuf.Timestamp c = 3;
        confluent.type.Decimal d = 4 [(confluent.field_meta) = { params: [{ key: \"precision\", value: \"9\" }, { key: \"scale\", value: \"2\" }] }];
        int32 e = 5 [(confluent.field_meta).params = { key: \"connect.type\", value: \"int16\" }]; }";
    let schema = read(DIALECT, &format!("{imports}{body}"));
    let day = sized(1, &[0x08, 0xb1, 0x0f, 0x10, 12, 0x18, 31]);
    let time = sized(2, &[0x08, 1, 0x10, 2, 0x18, 3, 0x20, 0xc0, 0x84, 0x3d]);
    let stamp = sized(3, &[0x08, 1, 0x10, 0xc0, 0x84, 0x3d]);
    let decimal = sized(4, &[sized(1, &[0xff, 0x85]), vec![0x18, 2]].concat());
    let read_all = data(&schema, &[day, time, stamp, decimal, vec![0x28, 7]].concat()).unwrap();
    let decimal = connect_api::data::Decimal::new(Bytes::from_static(&[0xff, 0x85]), 2);
    let expected = [Value::Date(-1), Value::Time(3_723_001), Value::Timestamp(1_001), Value::Decimal(decimal), Value::Int16(7)];
    assert_eq!(values(&read_all), expected);
    let logical: Vec<_> = fields(&read_all).iter().map(|(_, schema, _)| schema.logical_type()).collect();
    let types = [LogicalType::Date, LogicalType::Time, LogicalType::Timestamp, LogicalType::Decimal].map(Some);
    assert_eq!(logical[..4], types);
    let decimal = &fields(&read_all)[3].1;
    assert_eq!((decimal.parameter("scale"), decimal.parameter("connect.decimal.precision")), (Some("2"), Some("9")));
    for wrong in [sized(1, &[0x08, 1]), sized(2, &[0x08, 24]), sized(4, &[])] {
        assert_eq!(data(&schema, &wrong).unwrap_err().kind(), ErrorKind::Data, "{wrong:?}");
    }
}

#[test]
fn wrappers_are_structs_unless_they_are_to_be_values() {
    let body = "import \"google/protobuf/wrappers.proto\"; message M { google.protobuf.StringValue a = 1; int32 b = 2; }";
    let schema = read(DIALECT, body);
    let payload = sized(1, &sized(1, b"x"));
    assert_eq!(values(&data(&schema, &payload).unwrap())[0], Value::Struct(vec![text("x")]));
    let unwrapped = read(Dialect { wrapper_for_nullables: true, ..DIALECT }, body);
    let read_one = data(&unwrapped, &payload).unwrap();
    assert_eq!(values(&read_one)[0], text("x"));
    let optional: Vec<_> = fields(&read_one).iter().map(|(_, schema, _)| schema.optional).collect();
    assert_eq!(optional, [true, false]);
    assert_eq!(values(&data(&unwrapped, &[]).unwrap()), [Value::Null, Value::Int32(0)]);
}

#[test]
fn a_message_may_be_any_of_its_schema_s() {
    let schema = read(
        DIALECT,
        "message A { message B { map<string, string> m = 1; message C { int32 x = 1; } } } message D { int32 y = 1; }",
    );
    let read_at = |place: &[u8], payload: &[u8]| schema.data(&Bytes::from([place, payload].concat()));
    let name = |data: Data| data.schema.unwrap().name.clone().unwrap().to_string();
    assert_eq!(name(read_at(&[0], &[]).unwrap()), "A");
    assert_eq!(name(read_at(&[2, 2], &[0x08, 1]).unwrap()), "D");
    assert_eq!(name(read_at(&[4, 0, 0], &[]).unwrap()), "B");
    assert_eq!(name(read_at(&[6, 0, 0, 0], &[0x08, 1]).unwrap()), "C");
    for none in [&[2, 4][..], &[4, 0, 2], &[2, 1], &[1], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[4, 0], &[]] {
        assert_eq!(read_at(none, &[]).unwrap_err().kind(), ErrorKind::Data, "{none:?}");
    }
}

#[test]
fn schemas_import_others_by_the_names_of_their_references() {
    let main = "syntax = \"proto3\"; import \"geo/point.proto\"; message M { geo.Point p = 1; }";
    let point = "syntax = \"proto3\"; package geo; message Point { int32 x = 1; }";
    let schema = read_with(DIALECT, main, &[("geo/point.proto", point)]).unwrap();
    assert_eq!(values(&data(&schema, &sized(1, &[0x08, 5])).unwrap()), [Value::Struct(vec![Value::Int32(5)])]);
    let error = read_with(DIALECT, main, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.report().contains("geo/point.proto"), "{}", error.report());
}

#[test]
fn what_connect_cannot_have_is_refused() {
    let contains_itself = read(DIALECT, "message M { M m = 1; }");
    assert!(data(&contains_itself, &[]).unwrap_err().to_string().contains("contains itself"));
    assert_eq!(read_with(DIALECT, "no schema", &[]).unwrap_err().kind(), ErrorKind::Data);
    let avro = SchemaText { schema: registered("AVRO", "\"int\""), referenced: Vec::new() };
    assert!(ProtobufReader(Flavour::Confluent(DIALECT)).read(&avro, None).unwrap_err().to_string().contains("AVRO"));
}

#[test]
fn whatever_bytes_come_there_is_a_value_or_an_error() {
    let schema = read(DIALECT, SCALARS);
    let mut state = 1_u32;
    for length in 0..3_000 {
        let bytes: Vec<u8> = (0..length % 40)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        if let Err(error) = schema.data(&Bytes::from(bytes)) {
            assert_eq!(error.kind(), ErrorKind::Data);
        }
    }
    // A text of 2 GiB in a few bytes.
    assert!(data(&schema, &[0x52, 0xff, 0xff, 0xff, 0xff, 0x07]).is_err());
}

#[test]
fn of_a_message_with_its_id_in_a_header_the_type_stands_there_too() {
    let schema = read(DIALECT, "message A {} message B { int32 x = 1; }");
    let message = |in_header: Option<&'static [u8]>, payload: &'static [u8]| Message {
        id: crate::registry::schema_id(1),
        payload: Bytes::from_static(payload),
        in_header: in_header.map(Bytes::from_static),
    };
    let x = |message: Message| values(&schema.message(&message).unwrap());
    assert_eq!(x(message(Some(&[2, 2]), &[8, 5])), [Value::Int32(5)]);
    assert_eq!(x(message(None, &[2, 2, 8, 5])), [Value::Int32(5)]);
    assert!(schema.message(&message(Some(&[]), &[8, 5])).is_err());
}

#[test]
fn few_bytes_do_not_become_more_values_than_memory_should_hold() {
    let fields: String = (1..=1_000).map(|number| format!("optional int32 f{number} = {number};")).collect();
    let schema = read(DIALECT, &format!("message M {{ repeated Wide w = 1; }} message Wide {{ {fields} }}"));
    let payload = [0x0a, 0].repeat(2_000);
    assert!(data(&schema, &payload).unwrap_err().to_string().contains("more values than memory should hold"));
    assert!(data(&schema, &payload[..200]).is_ok());
}

#[test]
fn brackets_that_stand_in_each_other_too_deep_are_refused() {
    let deep = format!("syntax = \"proto3\"; message M {{ int32 a = 1 [(x) = {}{}]; }}", "{ r ".repeat(20_000), "}".repeat(20_000));
    assert!(read_with(DIALECT, &deep, &[]).unwrap_err().to_string().contains("levels of brackets"));
    let texts = format!("syntax = \"proto3\"; // {}\n/* {} */ message M {{ }}", "{".repeat(200), "<".repeat(200));
    assert!(read_with(DIALECT, &texts, &[]).is_ok());
}

#[test]
fn types_that_confluent_brings_along_need_no_reference() {
    for (name, of) in [
        ("money", "Money"),
        ("latlng", "LatLng"),
        ("dayofweek", "DayOfWeek"),
        ("datetime", "DateTime"),
        ("decimal", "Decimal"),
        ("color", "Color"),
    ] {
        let schema = read(DIALECT, &format!("import \"google/type/{name}.proto\"; message M {{ google.type.{of} x = 1; }}"));
        assert!(data(&schema, &[]).is_ok(), "{name}");
    }
}

#[test]
fn with_keys_for_null_only_what_says_so_may_be_null() {
    let dialect = Dialect { optional_for_nullables: true, ..DIALECT };
    let body = "message M { int32 a = 1; optional int32 b = 2; map<string, int32> c = 3; oneof o { int32 d = 4; int32 e = 5; } }";
    let read_one = data(&read(dialect, body), &[0x20, 1]).unwrap();
    let optional: Vec<_> = fields(&read_one).iter().map(|(name, schema, _)| (name.clone(), schema.optional)).collect();
    let expected = [("o_0", true), ("a", false), ("b", true), ("c", true)].map(|(name, optional)| (name.to_owned(), optional));
    assert_eq!(optional, expected);
    let members = fields(&read_one)[0].1.fields().unwrap().iter().map(|field| field.schema.optional).collect::<Vec<_>>();
    assert_eq!(members, [true, true]);
    let proto2 = "syntax = \"proto2\"; message M { optional int32 a = 1 [default = 5]; required int32 b = 2; }";
    let without = Dialect { optional_for_proto2: false, ..dialect };
    let schema = read_with(without, proto2, &[]).unwrap();
    assert_eq!(values(&data(&schema, &[0x10, 1]).unwrap()), [Value::Int32(5), Value::Int32(1)]);
    assert!(data(&schema, &[0x08, 1]).unwrap_err().to_string().contains("missing required fields"));
}
