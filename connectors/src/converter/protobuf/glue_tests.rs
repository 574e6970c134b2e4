use connect_api::{
    ErrorKind,
    data::{Decimal, LogicalType, SchemaType, Value},
};

use super::*;
use crate::registry::RegisteredSchema;

fn read(body: &str) -> ProtobufSchema {
    let schema = format!("syntax = \"proto3\";\npackage p;\n{body}");
    let registered = RegisteredSchema { schema_type: "PROTOBUF".to_owned(), schema, references: Vec::new() };
    ProtobufReader(Flavour::Glue).read(&SchemaText { schema: registered, referenced: Vec::new() }, None).unwrap()
}

fn data(schema: &ProtobufSchema, number: &[u8], payload: &[u8]) -> Result<Data> {
    schema.glue_data(&Bytes::from([number, payload].concat()))
}

fn values(data: &Data) -> Vec<Value> {
    let Value::Struct(values) = &data.value else { panic!("{data:?}") };
    values.clone()
}

/// Name, whether it may be null, and parameters of each field of a struct.
fn fields(schema: &Schema) -> Vec<(String, bool, String)> {
    let parameters = |schema: &Schema| schema.parameters.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    let field = |field: &connect_api::data::Field| (field.name.to_string(), field.schema.optional, parameters(&field.schema));
    schema.fields().unwrap().iter().map(field).collect()
}

fn text(text: &'static str) -> Value {
    Value::String(text.into())
}

#[test]
fn message_types_are_counted_by_their_full_names_with_all_that_is_in_them() {
    let schema = read("message B { message C {} message A { message D {} } map<string, int32> z = 1; } message A {}");
    let name = |number: &[u8]| data(&schema, number, &[]).unwrap().schema.unwrap().name.clone().unwrap().to_string();
    // p.A, p.B, p.B.A, p.B.A.D, p.B.C, p.B.ZEntry
    assert_eq!([0, 1, 2, 3, 4, 5].map(|number| name(&[number])), ["A", "B", "A", "D", "C", "ZEntry"]);
    // The sign is in no bit of it, and zeros may follow.
    assert_eq!(name(&[0x83, 0]), "D");
    for none in [&[6][..], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0x80], &[0xff; 11], &[]] {
        assert_eq!(data(&schema, none, &[]).unwrap_err().kind(), ErrorKind::Data, "{none:?}");
    }
}

#[test]
fn only_what_says_optional_is_null_where_it_is_absent_and_comes_last() {
    let body = "message M { optional int32 b = 2; int32 a = 1; Inner i = 3; repeated int32 l = 4; map<string, sint32> m = 5; }
        message Inner { Color c = 1; } enum Color { RED = 0; BLUE = 7; }";
    let schema = read(body);
    let absent = data(&schema, &[1], &[]).unwrap();
    let inner = Value::Struct(vec![text("RED")]);
    assert_eq!(values(&absent), [Value::Int32(0), inner, Value::Array(vec![]), Value::Map(vec![]), Value::Null]);
    let top = absent.schema.unwrap();
    assert_eq!((top.name.as_deref(), top.version, top.parameter("protobuf.package")), (Some("M"), Some(1), Some("p")));
    let tag = |number| format!("protobuf.tag={number} ");
    let expected = [("a", false, 1), ("i", false, 3), ("l", true, 4), ("m", false, 5), ("b", true, 2)];
    assert_eq!(fields(&top), expected.map(|(name, optional, number)| (name.to_owned(), optional, tag(number))));
    let inner = &top.fields().unwrap()[1].schema;
    assert_eq!(inner.name.as_deref(), Some("p.Inner"));
    let parameters = "protobuf.type=enum PROTOBUF_ENUM_VALUE.RED=0 PROTOBUF_ENUM_VALUE.BLUE=7 ENUM_NAME=p.Color protobuf.tag=1 ";
    assert_eq!(fields(inner), [("c".to_owned(), false, parameters.to_owned())]);
    let SchemaType::Map(keys, entries) = &top.fields().unwrap()[3].schema.schema_type else { panic!("{top:?}") };
    assert!(keys.optional && entries.optional);
    assert_eq!(entries.parameter("protobuf.type"), Some("SINT32"));

    let there = data(&schema, &[1], &[0x08, 1, 0x10, 0, 0x1a, 2, 0x08, 7, 0x22, 1, 9]).unwrap();
    let inner = Value::Struct(vec![text("BLUE")]);
    let list = Value::Array(vec![Value::Int32(9)]);
    assert_eq!(values(&there), [Value::Int32(1), inner, list, Value::Map(vec![]), Value::Int32(0)]);
}

#[test]
fn a_oneof_is_a_struct_of_its_name_behind_the_plain_fields() {
    let body = "message M { int32 a = 1; oneof choice { string b = 2; int32 c = 3; } Inner i = 4; }
        message Inner { oneof inner { int32 x = 1; } }";
    let schema = read(body);
    let read_one = data(&schema, &[1], &[0x18, 0, 0x22, 2, 0x08, 5]).unwrap();
    let one = |values: &[Value]| Value::Struct(values.to_vec());
    let inner = one(&[one(&[Value::Int32(5)])]);
    assert_eq!(values(&read_one), [Value::Int32(0), inner, one(&[Value::Null, Value::Int32(0)])]);
    let union = &read_one.schema.as_ref().unwrap().fields().unwrap()[2];
    assert_eq!((&*union.name, union.schema.name.as_deref(), union.schema.optional), ("choice", Some("choice"), true));
    assert_eq!(union.schema.parameter("protobuf.type"), Some("oneof"));
    let tag = |number| format!("protobuf.tag={number} ");
    assert_eq!(fields(&union.schema), [("b".to_owned(), true, tag(2)), ("c".to_owned(), true, tag(3))]);
}

#[test]
fn types_that_the_serializers_bring_along_are_logical_and_need_no_reference() {
    let imports = ["google/type/date.proto", "google/type/timeofday.proto", "google/protobuf/timestamp.proto"];
    let own = ["metadata/metadata.proto", "additionalTypes/decimal.proto"];
    let imports: String = imports.into_iter().chain(own).map(|file| format!("import \"{file}\";\n")).collect();
    let body = "message M { google.type.Date a = 1; google.type.TimeOfDay b = 2; google.protobuf.Timestamp c = 3;
        additionalTypes.Decimal d = 4 [(metadata.metadataKey) = \"connect.decimal.scale\", (metadata.metadataValue) = \"2\"];
        int32 e = 5 [(metadata.metadataKey) = \"connect.schema\", (metadata.metadataValue) = \"int8\"];
        optional additionalTypes.Decimal f = 6; }";
    let schema = read(&format!("{imports}{body}"));
    let sized = |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let day = sized(1, &[0x08, 0xb1, 0x0f, 0x10, 12, 0x18, 31]);
    // -1 and -230,000,000 billionths.
    let negative = |number: i64| -> Vec<u8> {
        let mut rest = number.cast_unsigned();
        let mut bytes = Vec::new();
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        [bytes, vec![u8::try_from(rest).unwrap()]].concat()
    };
    let parts = |fraction: i64| [vec![0x08], negative(-1), vec![0x10], negative(fraction), vec![0x18, 3, 0x20, 2]].concat();
    let payload = [day, sized(2, &[0x08, 1]), sized(3, &[0x08, 1]), sized(4, &parts(-230_000_000)), vec![0x28, 7]].concat();
    let read_all = data(&schema, &[0], &payload).unwrap();
    let decimal = Decimal::new(Bytes::from_static(&[0x85]), 2);
    let expected =
        [Value::Date(-1), Value::Time(3_600_000), Value::Timestamp(1_000), Value::Decimal(decimal), Value::Int8(7), Value::Null];
    assert_eq!(values(&read_all), expected);
    let fields = read_all.schema.as_ref().unwrap().fields().unwrap().to_vec();
    let logical = |place: usize| fields[place].schema.logical_type();
    let types = [LogicalType::Date, LogicalType::Time, LogicalType::Timestamp, LogicalType::Decimal].map(Some);
    assert_eq!([0, 1, 2, 3].map(logical), types);
    let parameter = |place: usize, name| fields[place].schema.parameter(name);
    assert_eq!((parameter(3, "scale"), parameter(3, "connect.decimal.scale")), (Some("2"), Some("2")));
    assert_eq!((parameter(5, "scale"), parameter(5, "connect.decimal.scale")), (Some("0"), None));

    // A digit that the scale has no room for, and a day that is none: an absent one has no month.
    let rounded = [sized(1, &[0x08, 0xb1, 0x0f, 0x10, 12, 0x18, 31]), sized(4, &parts(-231_000_000))].concat();
    for wrong in [&rounded[..], &[]] {
        assert_eq!(data(&schema, &[0], wrong).unwrap_err().kind(), ErrorKind::Data, "{wrong:?}");
    }
}

#[test]
fn messages_that_contain_themselves_are_refused() {
    let schema = read("message M { M m = 1; }");
    assert!(data(&schema, &[0], &[]).unwrap_err().to_string().contains("contains itself"));
}
