use connect_api::{
    ErrorKind,
    data::{Decimal, LogicalType, SchemaType},
};
use serde_json::json;

use super::*;
use crate::registry::RegisteredSchema;

const DIALECT: Dialect = Dialect { flavour: Flavour::Confluent, optional_where_not_required: false, flattens_single_unions: true };

fn registered(schema_type: &str, schema: &str) -> RegisteredSchema {
    RegisteredSchema { schema_type: schema_type.to_owned(), schema: schema.to_owned(), references: Vec::new() }
}

fn read_with(dialect: Dialect, schema: &Json, referenced: &[(&str, Json)]) -> Result<Option<Arc<Schema>>> {
    let referenced = referenced.iter().map(|(name, schema)| ((*name).to_owned(), registered("JSON", &schema.to_string())));
    let text = SchemaText { schema: registered("JSON", &schema.to_string()), referenced: referenced.collect() };
    JsonSchemaReader(dialect).read(&text, Some(3))
}

fn read(schema: &Json) -> Arc<Schema> {
    read_with(DIALECT, schema, &[]).unwrap().unwrap()
}

fn refused(schema: &Json) -> String {
    let error = read_with(DIALECT, schema, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    error.report()
}

fn value(schema: &Json, payload: &Json) -> Result<Value> {
    data(Flavour::Confluent, Some(&read(schema)), &Bytes::from(payload.to_string())).map(|data| data.value)
}

fn object(properties: &Json) -> Json {
    json!({ "type": "object", "properties": properties })
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned().into())
}

#[test]
fn scalars_are_what_connect_has_for_them() {
    for (schema, payload, expected) in [
        (json!({ "type": "boolean" }), json!(true), Value::Boolean(true)),
        (json!({ "type": "integer" }), json!(7), Value::Int64(7)),
        (json!({ "type": "number" }), json!(1.5), Value::Float64(1.5)),
        (json!({ "type": "string", "format": "date" }), json!("2026-11-30"), text("2026-11-30")),
        (json!({ "type": "integer", "connect.type": "int8" }), json!(7), Value::Int8(7)),
        (json!({ "type": "integer", "connect.type": "int16" }), json!(7), Value::Int16(7)),
        (json!({ "type": "integer", "connect.type": "int32" }), json!(7), Value::Int32(7)),
        (json!({ "type": "number", "connect.type": "float32" }), json!(0.5), Value::Float32(0.5)),
        (json!({ "type": "string", "connect.type": "bytes" }), json!("AQI="), Value::Bytes(Bytes::from_static(&[1, 2]))),
        (json!({ "enum": ["A", "B"] }), json!("B"), text("B")),
        (json!({ "type": "string", "const": "A" }), json!("A"), text("A")),
        (json!({ "type": "integer", "enum": [1, 2] }), json!(2), Value::Int64(2)),
        (
            json!({ "type": "integer", "connect.type": "int32", "title": LogicalType::Date.name(), "connect.version": 1 }),
            json!(1),
            Value::Date(1),
        ),
        (
            json!({ "type": "number", "connect.type": "bytes", "title": LogicalType::Decimal.name(), "connect.parameters": { "scale": "2" } }),
            json!(1.25),
            Value::Decimal(Decimal::new(Bytes::from_static(&[125]), 2)),
        ),
    ] {
        assert_eq!(value(&schema, &payload).unwrap(), expected, "{schema}");
    }
    let colors = read(&json!({ "type": "string", "enum": ["A", 1] }));
    assert_eq!(colors.parameter("io.confluent.connect.json.Enum.1"), Some("1"));
    assert_eq!(colors.parameter("io.confluent.connect.json.Enum"), Some(""));
}

#[test]
fn what_a_schema_says_of_itself_stays_with_it() {
    let schema = read(&json!({ "type": "object", "title": "n.Pin", "description": "a pin", "properties": {
        "b": { "type": "integer", "connect.index": 1 }, "a": { "type": "string", "connect.index": 0, "default": "x" },
        "c": { "type": "integer", "connect.parameters": { "p": "v" } },
    } }));
    assert_eq!((schema.name.as_deref(), schema.doc.as_deref(), schema.version), (Some("n.Pin"), Some("a pin"), Some(3)));
    let fields = schema.fields().unwrap();
    let names: Vec<_> = fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!((fields[0].schema.default.clone(), fields[0].schema.version), (Some(text("x")), None));
    assert_eq!(fields[2].schema.parameter("p"), Some("v"));
    assert_eq!(read(&json!({ "type": "integer", "connect.version": 9 })).version, Some(9));
}

#[test]
fn properties_that_are_missing_are_refused_unless_the_schema_or_the_converter_allows_it() {
    let schema = json!({ "type": "object", "required": ["a"], "properties": {
        "a": { "type": "integer" }, "b": { "type": "string" }, "c": { "type": "integer", "default": 5 },
        "d": { "oneOf": [{ "type": "null" }, { "type": "integer" }] },
    } });
    let refused = value(&schema, &json!({ "a": 1 })).unwrap_err();
    assert_eq!(refused.to_string(), "Invalid null value for required STRING field");
    let complete = Value::Struct(vec![Value::Int64(1), text("x"), Value::Int64(5), Value::Null]);
    assert_eq!(value(&schema, &json!({ "a": 1, "b": "x", "more": [1] })).unwrap(), complete);
    let dialect = Dialect { optional_where_not_required: true, ..DIALECT };
    let lenient = read_with(dialect, &schema, &[]).unwrap().unwrap();
    let optional: Vec<_> = lenient.fields().unwrap().iter().map(|field| field.schema.optional).collect();
    assert_eq!(optional, [false, true, true, true]);
    let read = data(Flavour::Confluent, Some(&lenient), &Bytes::from_static(b"{\"a\":1}")).unwrap().value;
    assert_eq!(read, Value::Struct(vec![Value::Int64(1), Value::Null, Value::Int64(5), Value::Null]));
}

#[test]
fn arrays_and_maps() {
    assert_eq!(
        value(&json!({ "type": "array", "items": { "type": "integer" } }), &json!([1, 2])).unwrap(),
        Value::Array(vec![Value::Int64(1), Value::Int64(2)])
    );
    let texts = json!({ "type": "object", "connect.type": "map", "additionalProperties": { "type": "integer" } });
    assert_eq!(value(&texts, &json!({ "k": 1 })).unwrap(), Value::Map(vec![(text("k"), Value::Int64(1))]));
    let numbers = json!({ "type": "array", "connect.type": "map", "items": object(&json!({
        "key": { "type": "integer" }, "value": { "type": "string" },
    })) });
    assert_eq!(value(&numbers, &json!([{ "value": "v", "key": 1 }])).unwrap(), Value::Map(vec![(Value::Int64(1), text("v"))]));
    for wrong in [json!([1]), json!([{ "key": 1 }]), json!([{ "key": 1, "value": "v", "more": 1 }]), json!({})] {
        assert_eq!(value(&numbers, &wrong).unwrap_err().kind(), ErrorKind::Data, "{wrong}");
    }
    assert!(refused(&json!({ "type": "array" })).contains("items type"));
}

#[test]
fn a_union_is_a_struct_of_its_schemas_and_null_makes_it_optional() {
    let nullable = json!({ "oneOf": [{ "type": "null" }, { "type": "string", "title": "n.S" }] });
    let schema = read(&nullable);
    assert!(schema.optional && schema.name.as_deref() == Some("n.S"));
    assert_eq!(value(&nullable, &json!(null)).unwrap(), Value::Null);
    assert!(read(&json!({ "type": ["null", "integer"] })).optional);
    assert!(matches!(read(&json!({ "anyOf": [{ "type": "integer" }] })).schema_type, SchemaType::Int64));

    let union = json!({ "oneOf": [{ "type": "integer" }, { "type": "string" }, object(&json!({ "a": { "type": "integer" } })), { "type": "null" },
        object(&json!({ "a": { "type": "integer" }, "b": { "type": "integer" } })), { "type": "array", "items": { "type": "boolean" } }] });
    let schema = read(&union);
    assert!(schema.optional && schema.name.as_deref() == Some(Flavour::Confluent.union()));
    let names: Vec<_> = schema.fields().unwrap().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(names[4], "io.confluent.connect.json.OneOf.field.4");
    let at = |place: usize, value: Value| {
        let mut values = vec![Value::Null; 5];
        values[place] = value;
        Value::Struct(values)
    };
    for (payload, expected) in [
        (json!(1), at(0, Value::Int64(1))),
        (json!("x"), at(1, text("x"))),
        (json!({ "a": 1 }), at(2, Value::Struct(vec![Value::Int64(1)]))),
        (json!({ "a": 1, "b": 2 }), at(3, Value::Struct(vec![Value::Int64(1), Value::Int64(2)]))),
        (json!([true]), at(4, Value::Array(vec![Value::Boolean(true)]))),
        (json!(null), Value::Null),
    ] {
        assert_eq!(value(&union, &payload).unwrap(), expected, "{payload}");
    }
    assert!(value(&union, &json!(true)).unwrap_err().to_string().contains("matching oneof field"));
}

#[test]
fn schemas_refer_to_parts_of_themselves_and_to_others_by_name() {
    let schema = json!({ "type": "object", "properties": {
        "p": { "$ref": "#/definitions/Point" }, "q": { "$ref": "point.json" }, "r": { "$ref": "http://x/point.json#/$defs/N" },
    }, "definitions": { "Point": object(&json!({ "x": { "$ref": "#/definitions/N" } })), "N": { "type": "integer" } } });
    let point = json!({ "type": "object", "properties": { "y": { "$ref": "#/$defs/N" } }, "$defs": { "N": { "type": "string" } } });
    let read = read_with(DIALECT, &schema, &[("point.json", point)]).unwrap().unwrap();
    let payload = Bytes::from_static(b"{\"p\":{\"x\":1},\"q\":{\"y\":\"s\"},\"r\":\"t\"}");
    let one = |value| Value::Struct(vec![value]);
    let expected = Value::Struct(vec![one(Value::Int64(1)), one(text("s")), text("t")]);
    assert_eq!(data(Flavour::Confluent, Some(&read), &payload).unwrap().value, expected);
    assert!(refused(&schema).contains("point.json"));
    assert!(refused(&json!({ "$ref": "#/definitions/Gone" })).contains("#/definitions/Gone"));
}

#[test]
fn several_schemas_that_must_all_hold_are_one_with_the_properties_of_all() {
    let schema = json!({ "allOf": [{ "$ref": "#/$defs/Base" }, object(&json!({ "b": { "type": "string" } }))], "title": "Both",
        "$defs": { "Base": { "type": "object", "title": "Base", "properties": { "a": { "type": "integer" } } } } });
    assert_eq!(read(&schema).name.as_deref(), Some("Both"));
    assert_eq!(value(&schema, &json!({ "a": 1, "b": "x" })).unwrap(), Value::Struct(vec![Value::Int64(1), text("x")]));
}

#[test]
fn what_connect_cannot_have_is_refused() {
    let tree = json!({ "type": "object", "properties": { "next": { "$ref": "#" } } });
    assert!(refused(&tree).contains("contains itself"), "{}", refused(&tree));
    let list = json!({ "$ref": "#/$defs/L", "$defs": { "L": { "type": "array", "items": { "$ref": "#/$defs/L" } } } });
    assert!(refused(&list).contains("contains itself"));
    assert!(refused(&json!({})).contains("of anything"));
    assert!(refused(&object(&json!({ "a": true }))).contains("allows anything"));
    let avro = SchemaText { schema: registered("AVRO", "\"int\""), referenced: Vec::new() };
    assert!(JsonSchemaReader(DIALECT).read(&avro, None).unwrap_err().to_string().contains("AVRO"));
    let mut deep = json!({ "type": "integer" });
    for _ in 0..60 {
        deep = json!({ "type": "array", "items": deep });
    }
    assert!(read_with(DIALECT, &deep, &[]).is_ok());
}

#[test]
fn one_schema_may_stand_in_two_places() {
    let schema = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/N" }, "b": { "$ref": "#/$defs/N" } },
        "$defs": { "N": { "type": "integer" } } });
    assert_eq!(value(&schema, &json!({ "a": 1, "b": 2 })).unwrap(), Value::Struct(vec![Value::Int64(1), Value::Int64(2)]));
    let schema = json!({ "allOf": [{ "$ref": "#/$defs/Base" }], "properties": { "other": { "$ref": "#/$defs/Base" } },
        "$defs": { "Base": object(&json!({ "a": { "type": "integer" } })) } });
    let base = Value::Struct(vec![Value::Int64(2)]);
    assert_eq!(value(&schema, &json!({ "a": 1, "other": { "a": 2 } })).unwrap(), Value::Struct(vec![base, Value::Int64(1)]));
}

#[test]
fn null_alone_is_no_schema() {
    assert!(read_with(DIALECT, &json!({ "type": "null" }), &[]).unwrap().is_none());
    assert!(matches!(data(Flavour::Confluent, None, &Bytes::from_static(b"null")).unwrap().value, Value::Null));
}

#[test]
fn a_union_keeps_its_name_and_goes_by_what_the_value_shares_with_its_structs() {
    let shape = json!({ "title": "Shape", "oneOf": [object(&json!({ "r": { "type": "number" } })), object(&json!({ "w": { "type": "number" } }))] });
    let one = |value| Value::Struct(vec![Value::Float64(value)]);
    assert_eq!(value(&shape, &json!({ "w": 1 })).unwrap(), Value::Struct(vec![Value::Null, one(1.0)]));
    let scalars = json!({ "title": "X", "type": ["string", "integer"] });
    assert_eq!(value(&scalars, &json!("a")).unwrap(), Value::Struct(vec![text("a"), Value::Null]));
    let two = json!({ "oneOf": [object(&json!({ "a": { "type": "integer" } })),
        object(&json!({ "a": { "type": "integer" }, "b": { "type": "integer" } }))] });
    let both = Value::Struct(vec![Value::Int64(1), Value::Int64(2)]);
    assert_eq!(value(&two, &json!({ "a": 1, "b": 2, "extra": 3 })).unwrap(), Value::Struct(vec![Value::Null, both]));
    let map = json!({ "type": "object", "connect.type": "map", "additionalProperties": { "type": "integer" } });
    let entry = Value::Map(vec![(text("a"), Value::Int64(1))]);
    let union = json!({ "oneOf": [object(&json!({ "a": { "type": "integer" } })), map] });
    assert_eq!(value(&union, &json!({ "a": 1 })).unwrap(), Value::Struct(vec![Value::Null, entry]));
    let texts = json!({ "oneOf": [{ "type": "string", "connect.type": "bytes" }, { "type": "string" }] });
    assert_eq!(value(&texts, &json!("hello!")).unwrap(), Value::Struct(vec![Value::Null, text("hello!")]));
}

#[test]
fn parts_of_several_documents_refer_to_their_own() {
    let main = json!({ "allOf": [{ "$ref": "base.json" }, object(&json!({ "b": { "$ref": "#/$defs/N" } }))], "$defs": { "N": { "type": "string" } } });
    let base = json!({ "type": "object", "title": "Base", "properties": { "a": { "$ref": "#/$defs/N" } }, "$defs": { "N": { "type": "integer" } } });
    let read = read_with(DIALECT, &main, &[("base.json", base)]).unwrap().unwrap();
    assert_eq!(read.name, None, "what is made of several is none of them");
    let payload = Bytes::from_static(b"{\"a\":1,\"b\":\"x\"}");
    assert_eq!(data(Flavour::Confluent, Some(&read), &payload).unwrap().value, Value::Struct(vec![Value::Int64(1), text("x")]));
    let schemas = [("b.json", json!({ "type": "integer" })), ("a/b.json", json!({ "type": "string" }))];
    for _ in 0..20 {
        let read = read_with(DIALECT, &json!({ "$ref": "http://x/a/b.json" }), &schemas).unwrap().unwrap();
        assert!(matches!(read.schema_type, SchemaType::String));
    }
}

#[test]
fn schemas_that_stand_for_more_than_memory_should_hold_are_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..48 {
        let next = json!({ "$ref": format!("#/$defs/a{}", level + 1) });
        definitions.insert(format!("a{level}"), json!({ "allOf": [next.clone(), next] }));
    }
    definitions.insert("a48".to_owned(), json!({ "type": "object", "required": ["x"] }));
    assert!(refused(&json!({ "$ref": "#/$defs/a0", "$defs": definitions })).contains("memory should hold"));
    assert!(refused(&json!({ "type": vec!["string"; 20_000] })).contains("more types than there are"));
    let properties: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("p{n}"), json!({ "$ref": "#/$defs/D" }))).collect();
    let long = json!({ "type": "string", "description": "d".repeat(1 << 20) });
    assert!(refused(&json!({ "type": "object", "properties": properties, "$defs": { "D": long } })).contains("memory should hold"));
}

#[test]
fn defaults_belong_to_what_they_stand_in() {
    let nullable = json!({ "oneOf": [{ "type": "null" }, { "type": "string" }], "default": "x" });
    assert_eq!(value(&object(&json!({ "p": nullable })), &json!({ "p": null })).unwrap(), Value::Struct(vec![Value::Null]));
    assert!(refused(&json!({ "type": "string", "default": 5 })).contains("Invalid default"));
    let keys = json!({ "type": "array", "connect.type": "map", "items": object(&json!({
        "key": { "oneOf": [{ "type": "null" }, { "type": "string" }] }, "value": { "type": "integer" },
    })) });
    assert_eq!(value(&keys, &json!([{ "key": "k", "value": 1 }])).unwrap(), Value::Map(vec![(text("k"), Value::Int64(1))]));
}

const GLUE: Dialect = Dialect { flavour: Flavour::Glue, optional_where_not_required: false, flattens_single_unions: false };

fn glue(schema: &Json) -> Arc<Schema> {
    read_with(GLUE, schema, &[]).unwrap().unwrap()
}

#[test]
fn glue_has_names_of_its_own() {
    let schema = glue(&json!({ "type": "object", "title": "T", "connect.name": "n.N", "description": "d", "connect.doc": "D",
        "connect.version": 2, "required": ["b"], "properties": {
            "b": { "type": "integer" },
            "a": { "type": "number", "connect.type": "int16", "connect.index": 0 },
            "e": { "enum": ["X"] },
            "o": { "oneOf": [{ "type": "null" }, { "type": "string" }] },
            "u": { "oneOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] },
            "n": { "type": ["string", "null"] },
    } }));
    assert_eq!((schema.name.as_deref(), schema.doc.as_deref(), schema.version), (Some("n.N"), Some("D"), Some(2)));
    let fields = schema.fields().unwrap();
    let names: Vec<_> = fields.iter().map(|field| (&*field.name, field.schema.optional)).collect();
    assert_eq!(names, [("a", false), ("b", false), ("e", false), ("o", true), ("u", true), ("n", true)]);
    let enumeration = "com.amazonaws.services.schemaregistry.kafkaconnect.jsonschema.Enum.X";
    assert_eq!(fields[2].schema.parameter(enumeration), Some("X"));
    let union = &fields[4].schema;
    let branches: Vec<_> = union.fields().unwrap().iter().map(|field| &*field.name).collect();
    assert_eq!((union.name.as_deref(), &branches[..]), (Some("oneOf"), &["field1", "field2"][..]));
    // Only a `oneOf` of two is no union.
    assert_eq!(fields[5].schema.name.as_deref(), Some("oneOf"));

    let payload = Bytes::from_static(br#"{"a":1,"b":2,"e":"X","u":3,"n":"z"}"#);
    let read = data(Flavour::Glue, Some(&schema), &payload).unwrap().value;
    let one = |values: &[Value]| Value::Struct(values.to_vec());
    let (union, single) = (one(&[Value::Null, Value::Int64(3)]), one(&[text("z")]));
    assert_eq!(read, one(&[Value::Int16(1), Value::Int64(2), text("X"), Value::Null, union, single]));
    let missing = data(Flavour::Glue, Some(&schema), &Bytes::from_static(br#"{"a":1,"b":2,"n":null}"#)).unwrap_err();
    assert!(missing.to_string().contains("null value for required"), "{missing}");
}
