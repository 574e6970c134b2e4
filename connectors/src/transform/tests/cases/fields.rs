//! Fields: taken out, flattened, inserted, masked, renamed.

use bytes::Bytes;
use connect_api::data::JsonText;

use super::*;

#[test]
fn null_becomes_the_default_of_its_field_where_that_is_asked_for() {
    let schema = json!({ "type": "int32", "optional": true, "default": 10 });
    for (replace, expected) in [("true", Value::Int32(10)), ("false", Value::Null)] {
        let replace = ("replace.null.with.default", replace);
        for (name, config) in [
            ("InsertField", &[("topic.field", "t"), replace][..]),
            ("ReplaceField", &[("include", "magic"), replace]),
            ("SetSchemaMetadata", &[("schema.name", "n"), replace]),
            ("TimestampConverter", &[("field", "other"), ("target.type", "Date"), replace]),
            ("MaskField", &[("fields", "other"), replace]),
        ] {
            assert_eq!(field(name, config, schema.clone(), &Json::Null).1, expected, "{name}");
        }
        let cast = field("Cast", &[("spec", "magic:string"), replace], schema.clone(), &Json::Null).1;
        assert_eq!(cast, if expected == Value::Null { Value::Null } else { Value::String("10".into()) });
        let whole = structure(&[("magic", schema.clone())], &json!({ "magic": null }));
        assert_eq!(value("ExtractField", &[("field", "magic"), replace], whole.clone()).unwrap().value, expected);
        let headers = [("fields", "magic"), ("headers", "h"), ("operation", "copy"), replace];
        assert_eq!(applied("HeaderFrom", &headers, of(whole.clone())).unwrap().headers[0].value.value, expected);
        let key = applied("ValueToKey", &[("fields", "magic"), replace], of(whole)).unwrap().key;
        assert_eq!(key.value, Value::Struct(vec![expected]));
    }
}

#[test]
fn a_field_takes_the_place_of_the_whole() {
    let int = json!({ "type": "int32" });
    let nested = |fields: &[(&str, Json)]| {
        let fields = fields.iter().map(|(name, schema)| {
            let mut schema = schema.clone();
            schema["field"] = json!(name);
            schema
        });
        json!({ "type": "struct", "optional": true, "fields": fields.collect::<Vec<_>>() })
    };
    let extract = |config: &[(&str, &str)], whole: Data| value("ExtractField", config, whole);
    let [magic, path] = [("field", "magic"), ("field", "magic.foo")];
    let v2 = ("field.syntax.version", "V2");
    assert_eq!(plain(&extract(&[magic], object(&json!({ "magic": 42 }))).unwrap().value), json!(42));
    let typed = extract(&[magic], structure(&[("magic", int.clone())], &json!({ "magic": 42 }))).unwrap();
    assert_eq!((typed.schema.unwrap().schema_type.name(), typed.value), ("INT32", Value::Int32(42)));
    assert_eq!(extract(&[magic], Data::default()).unwrap().value, Value::Null);
    let of_struct = typed_schema(&nested(&[("magic", int.clone())]));
    let null = extract(&[magic], Data::with_schema(of_struct, Value::Null)).unwrap();
    assert_eq!((null.schema.unwrap().schema_type.name(), null.value), ("INT32", Value::Null));
    assert_eq!(plain(&extract(&[path, v2], object(&json!({ "magic": { "foo": 42 } }))).unwrap().value), json!(42));
    let deep = || structure(&[("magic", nested(&[("foo", int.clone())]))], &json!({ "magic": { "foo": 42 } }));
    assert_eq!(extract(&[path, v2], deep()).unwrap().value, Value::Int32(42));
    for missing in [json!({ "magic": {} }), json!({ "magic": null }), json!({})] {
        assert_eq!(extract(&[path, v2], object(&missing)).unwrap().value, Value::Null, "{missing}");
    }
    for (config, said) in [
        (&[("field", "magic.nonexistent"), v2][..], "Unknown field: magic.nonexistent"),
        (&[("field", "nonexistent")], "Unknown field: nonexistent"),
    ] {
        let error = extract(config, deep()).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.class()), (said, "java.lang.IllegalArgumentException"));
    }
}

#[test]
fn nested_fields_come_to_the_outermost_level_under_all_their_names() {
    let types = ["int8", "int16", "int32", "int64", "float", "double", "boolean", "string", "bytes"];
    let values = [json!(8), json!(16), json!(32), json!(64), json!(32.0), json!(64.0), json!(true), json!("s"), json!("Ynl0ZXM=")];
    let fields: Vec<_> = types.iter().map(|name| json!({ "type": name, "field": name })).collect();
    let payload: serde_json::Map<_, _> = types.iter().map(ToString::to_string).zip(values).collect();
    let inner = json!({ "type": "struct", "fields": fields });
    let outer = json!({ "type": "struct", "fields": [{ "field": "B", "type": "struct", "fields": inner["fields"] }] });
    let flat = value("Flatten", &[], structure(&[("A", outer)], &json!({ "A": { "B": payload } }))).unwrap();
    let names: Vec<_> = flat.schema.unwrap().fields().unwrap().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(names, types.map(|name| format!("A.B.{name}")));
    let map = value("Flatten", &[("delimiter", "#")], object(&json!({ "A": { "B": payload } }))).unwrap();
    assert_eq!(plain(&map.value)["A#B#int8"], json!(8));
    assert!(value("Flatten", &[], object(&json!(7))).is_err());
    assert!(value("Flatten", &[], typed(&json!({ "type": "int32" }), &json!(7))).is_err());
    let key = record_with(object(&json!({ "A": { "B": 12 } })), Data::default(), &[]);
    assert_eq!(plain(&applied("Flatten$Key", &[], key).unwrap().key.value), json!({ "A.B": 12 }));
}

#[test]
fn what_is_not_nested_is_flattened_to_itself() {
    let optional =
        json!({ "type": "struct", "optional": true, "fields": [{ "field": "opt_int32", "type": "int32", "optional": true }] });
    let flat = value("Flatten", &[], structure(&[("B", optional)], &json!({ "B": null }))).unwrap();
    let (schema, fields) = (flat.schema.unwrap(), Value::Struct(vec![Value::Null]));
    assert_eq!((&*schema.fields().unwrap()[0].name, schema.fields().unwrap()[0].schema.optional), ("B.opt_int32", true));
    assert_eq!(flat.value, fields);
    let unchanged = json!({ "list": [{ "a": 1 }], "null": null });
    assert_eq!(plain(&value("Flatten", &[], object(&unchanged)).unwrap().value), unchanged);
    let array = json!({ "type": "array", "items": { "type": "string" } });
    assert!(matches!(field("Flatten", &[], array, &json!(["a"])).1, Value::Array(values) if values.len() == 1));
    assert_eq!(plain(&value("Flatten", &[], object(&json!({ "a": {}, "b": 1 }))).unwrap().value), json!({ "b": 1 }));
}

#[test]
fn defaults_of_structs_become_those_of_their_fields() {
    let inner = json!({ "type": "struct", "optional": true, "default": { "req_field": "req_default" }, "fields": [
        { "field": "req_field", "type": "string" },
        { "field": "opt_field", "type": "string", "optional": true, "default": "child_default" },
    ]});
    let flat = value("Flatten", &[], structure(&[("s", inner)], &json!({ "s": null }))).unwrap();
    let fields = flat.schema.as_ref().unwrap().fields().unwrap();
    let defaults: Vec<_> = fields.iter().map(|field| (field.schema.optional, field.schema.default.clone())).collect();
    let text = |text: &'static str| Some(Value::String(text.into()));
    assert_eq!(defaults, [(true, text("req_default")), (true, text("child_default"))]);
}

#[test]
fn a_map_with_a_schema_is_not_flattened() {
    let map = json!({ "type": "map", "keys": { "type": "string" }, "values": { "type": "int32" } });
    let error = value("Flatten", &[], structure(&[("f", map)], &json!({ "f": {} }))).unwrap_err();
    assert_eq!(error.to_string(), "Flatten transformation does not support MAP for record with schemas (for field f).");
}

#[test]
fn the_whole_becomes_a_field() {
    assert_eq!(plain(&value("HoistField", &[("field", "magic")], object(&json!(42))).unwrap().value), json!({ "magic": 42 }));
    let hoisted = value("HoistField", &[("field", "magic")], typed(&json!({ "type": "int32" }), &json!(42))).unwrap();
    assert_eq!(hoisted.schema.unwrap().fields().unwrap()[0].schema.schema_type.name(), "INT32");
    assert_eq!(hoisted.value, Value::Struct(vec![Value::Int32(42)]));
    let required = Data::with_schema(Arc::new(Schema::required(SchemaType::Int32)), Value::Null);
    let error = value("HoistField", &[("field", "magic")], required).unwrap_err().to_string();
    assert_eq!(error, "Invalid value: null used for required field: \"magic\", schema type: INT32");
}

#[test]
fn what_is_known_of_a_record_is_inserted() {
    let config = [
        ("topic.field", "topic_field!"),
        ("partition.field", "partition_field"),
        ("timestamp.field", "timestamp_field?"),
        ("static.field", "static"),
        ("static.value", "instance"),
    ];
    let line = json!({ "topic": "test", "partition": 0, "timestamp": 789, "key": { "schema": null, "payload": { "magic": 42 } } });
    let of_struct = |line: &Json| {
        let mut record = record(line, 123);
        let schema = json!({ "type": "struct", "name": "name", "version": 1, "doc": "doc", "optional": true, "fields": [{ "field": "magic", "type": "int64" }] });
        record.value = typed(&schema, &json!({ "magic": 42 }));
        record
    };
    let inserted = applied("InsertField", &config, of_struct(&line)).unwrap().value;
    let schema = inserted.schema.unwrap();
    assert_eq!(
        (schema.name.as_deref(), schema.version, schema.doc.as_deref(), schema.optional),
        (Some("name"), Some(1), Some("doc"), false)
    );
    let all: Vec<_> = schema
        .fields()
        .unwrap()
        .iter()
        .map(|field| (field.name.to_string(), field.schema.schema_type.name(), field.schema.optional))
        .collect();
    let expected = [
        ("magic", "INT64", false),
        ("topic_field", "STRING", false),
        ("partition_field", "INT32", true),
        ("timestamp_field", "INT64", true),
        ("static", "STRING", true),
    ];
    assert_eq!(all, expected.map(|(name, of, optional)| (name.to_owned(), of, optional)));
    let values =
        [Value::Int64(42), Value::String("test".into()), Value::Int32(0), Value::Timestamp(789), Value::String("instance".into())];
    assert_eq!(inserted.value, Value::Struct(values.into()));
    let mut untimed = line.clone();
    untimed["timestamp"] = Json::Null;
    let key = applied("InsertField$Key", &config, record(&untimed, 123)).unwrap().key;
    let expected = json!({ "magic": 42, "topic_field": "test", "partition_field": 0, "static": "instance" });
    assert_eq!(plain(&key.value), expected, "without a timestamp there is no field for it");
    let of_offset =
        applied("InsertField$Key", &[("offset.field", "magic"), ("timestamp.field", "t")], record(&line, 123)).unwrap().key;
    assert_eq!(plain(&of_offset.value), json!({ "magic": 123, "t": 789 }), "a name that is there gets the new value");
    assert!(value("InsertField", &config, typed(&json!({ "type": "int32" }), &json!(7))).is_err());
    let twice = applied("InsertField", &[("topic.field", "magic")], of_struct(&line)).unwrap_err();
    assert_eq!(twice.class(), "org.apache.kafka.connect.errors.SchemaBuilderException");
}

#[test]
fn masked_fields_are_empty_or_have_the_replacement() {
    let scalars =
        json!({ "bool": true, "long": 7, "double": 1.5, "string": "s", "list": [1], "map": { "a": 1 }, "magic": 42, "null": null });
    let masked = |fields: &str, replacement: Option<&str>, whole: Data| {
        let mut config = vec![("fields", fields)];
        config.extend(replacement.map(|text| ("replacement", text)));
        value("MaskField", &config, whole)
    };
    let all = masked("bool,long,double,string,list,map,null", None, object(&scalars)).unwrap();
    let expected =
        json!({ "bool": false, "long": 0, "double": 0.0, "string": "", "list": [], "map": {}, "magic": 42, "null": null });
    assert_eq!(plain(&all.value), expected);
    for (schema, payload, empty, replaced) in [
        ("int8", json!(7), Value::Int8(0), Some(Value::Int8(123))),
        ("int16", json!(7), Value::Int16(0), Some(Value::Int16(123))),
        ("int32", json!(7), Value::Int32(0), Some(Value::Int32(123))),
        ("int64", json!(7), Value::Int64(0), Some(Value::Int64(123))),
        ("float", json!(7), Value::Float32(0.0), Some(Value::Float32(123.0))),
        ("double", json!(7), Value::Float64(0.0), Some(Value::Float64(123.0))),
        ("string", json!("7"), Value::String("".into()), Some(Value::String("123".into()))),
        ("boolean", json!(true), Value::Boolean(false), None),
    ] {
        let schema = json!({ "type": schema });
        assert_eq!(field("MaskField", &[("fields", "magic")], schema.clone(), &payload).1, empty);
        let whole = || structure(&[("magic", schema.clone())], &json!({ "magic": payload }));
        let with = masked("magic", Some("123"), whole());
        assert_eq!(with.ok().map(|data| data.value), replaced.map(|value| Value::Struct(vec![value])), "{schema}");
    }
    for logical_type in [LogicalType::Date, LogicalType::Time, LogicalType::Timestamp] {
        let schema = json!({ "type": of_time(logical_type, false).schema_type.name().to_lowercase(), "name": logical_type.name() });
        assert_eq!(field("MaskField", &[("fields", "magic")], schema.clone(), &json!(7)).1.epoch_millis(), Some(0));
        assert!(masked("magic", Some("123"), structure(&[("magic", schema)], &json!({ "magic": 7 }))).is_err());
    }
    assert!(masked("long", Some("foo"), object(&scalars)).is_err() && masked("list", Some("123"), object(&scalars)).is_err());
    let truncated = masked("long", Some("1.9"), object(&scalars)).unwrap();
    assert_eq!(plain(&truncated.value)["long"], json!(1));
    assert!(is_refused("MaskField", &[("fields", "a"), ("replacement", "")]) && is_refused("MaskField", &[("fields", "")]));
}

#[test]
fn decimals_lists_and_maps_are_masked_too_and_null_stays_null() {
    let decimal = json!({ "type": "bytes", "name": LogicalType::Decimal.name(), "parameters": { "scale": "1" } });
    let array = json!({ "type": "array", "items": { "type": "int32" } });
    let map = json!({ "type": "map", "keys": { "type": "string" }, "values": { "type": "int32" } });
    let whole = |schema: &Json, payload: Json| structure(&[("magic", schema.clone())], &json!({ "magic": payload }));
    for (schema, payload, empty) in [
        (&decimal, json!(7.5), Value::Decimal("0".parse::<Decimal>().unwrap())),
        (&array, json!([1]), Value::Array(Vec::new())),
        (&map, json!({ "a": 1 }), Value::Map(Vec::new())),
    ] {
        let masked = value("MaskField", &[("fields", "magic")], whole(schema, payload)).unwrap();
        assert_eq!(masked.value, Value::Struct(vec![empty]), "{schema}");
    }
    let replace = |text: &str, whole: Data| value("MaskField", &[("fields", "magic"), ("replacement", text)], whole);
    let replaced = replace("123.0", whole(&decimal, json!(7.5))).unwrap().value;
    assert_eq!(replaced, Value::Struct(vec![Value::Decimal("123.0".parse::<Decimal>().unwrap())]));
    assert!(replace("123", whole(&array, json!([1]))).is_err() && replace("123", whole(&map, json!({ "a": 1 }))).is_err());
    let defaulted = json!({ "type": "string", "optional": true, "default": "d" });
    let config = [("fields", "magic"), ("replace.null.with.default", "false")];
    assert_eq!(field("MaskField", &config, defaulted, &Json::Null).1, Value::Null);
}

#[test]
fn fields_are_excluded_included_and_renamed() {
    let config = [("exclude", "dont"), ("renames", "abc:xyz,foo:bar")];
    let replaced = value("ReplaceField", &config, object(&json!({ "dont": "x", "abc": 42, "foo": true, "etc": "etc" }))).unwrap();
    assert_eq!(plain(&replaced.value), json!({ "xyz": 42, "bar": true, "etc": "etc" }));
    let int = || json!({ "type": "int32" });
    let whole = structure(&[("dont", int()), ("abc", int()), ("foo", int())], &json!({ "dont": 1, "abc": 2, "foo": 3 }));
    let config = [("include", "abc,foo"), ("renames", "abc:xyz,foo:bar")];
    let replaced = value("ReplaceField", &config, whole.clone()).unwrap();
    let names: Vec<_> = replaced.schema.unwrap().fields().unwrap().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(
        (names.as_slice(), replaced.value),
        (&["xyz".to_owned(), "bar".to_owned()][..], Value::Struct(vec![Value::Int32(2), Value::Int32(3)]))
    );
    let swapped = value("ReplaceField", &[("renames", "abc:foo,foo:abc")], object(&json!({ "abc": 1, "foo": 2 }))).unwrap();
    assert_eq!(plain(&swapped.value), json!({ "abc": 2, "foo": 1 }));
    let clash = value("ReplaceField", &[("renames", "abc:foo")], whole).unwrap_err();
    assert_eq!(clash.class(), "org.apache.kafka.connect.errors.SchemaBuilderException");
    let former = value("ReplaceField", &[("blacklist", "a")], object(&json!({ "a": 1, "b": 2 }))).unwrap();
    assert_eq!(plain(&former.value), json!({ "b": 2 }));
    let both = [("exclude", "b"), ("blacklist", "a"), ("whitelist", "a,b")];
    assert_eq!(plain(&value("ReplaceField", &both, object(&json!({ "a": 1, "b": 2, "c": 3 }))).unwrap().value), json!({ "a": 1 }));
}

#[test]
fn of_renames_and_types_for_one_field_the_last_counts() {
    let renamed =
        |renames: &str, whole: Json| plain(&value("ReplaceField", &[("renames", renames)], object(&whole)).unwrap().value);
    assert_eq!(renamed("a:b,a:b", json!({ "a": 1, "c": 2 })), json!({ "b": 1, "c": 2 }));
    assert_eq!(renamed("a:b,a:c", json!({ "a": 1, "b": 2 })), json!({ "b": 2, "c": 1 }));
    let former = [("blacklist", "a"), ("exclude", "b")];
    assert_eq!(plain(&value("ReplaceField", &former, object(&json!({ "a": 1, "b": 2 }))).unwrap().value), json!({ "a": 1 }));
    let former = [("whitelist", "a")];
    assert_eq!(plain(&value("ReplaceField", &former, object(&json!({ "a": 1, "b": 2 }))).unwrap().value), json!({ "a": 1 }));
    let cast = [("spec", " a : int8 , a : string ")];
    assert_eq!(plain(&value("Cast", &cast, object(&json!({ "a": 1 }))).unwrap().value), json!({ "a": "1" }));
}

#[test]
fn what_is_on_the_way_to_a_field_must_have_fields() {
    let config = [("field", "addr.city"), ("field.syntax.version", "V2")];
    for whole in [json!({ "addr": "London" }), json!({ "addr": [1] })] {
        let error = value("ExtractField", &config, object(&whole)).unwrap_err().to_string();
        assert!(error.starts_with("Only Map objects supported in absence of schema for [nested field access], found: "), "{error}");
    }
}

#[test]
fn a_required_field_without_a_value_is_refused_where_it_is_inserted() {
    let mut record = record(&json!({ "topic": "t", "timestamp": null }), 0);
    record.value = structure(&[("a", json!({ "type": "int32" }))], &json!({ "a": 1 }));
    let error = applied("InsertField", &[("timestamp.field", "ts!")], record).unwrap_err().to_string();
    assert_eq!(error, "Invalid value: null used for required field: \"ts\", schema type: INT64");
}

#[test]
fn objects_of_a_thousand_levels_are_flattened_in_one_pass_and_names_have_a_limit() {
    let levels = 990;
    let deep = format!("{}{{\"x\":[{}0]}}{}", "{\"a\":".repeat(levels), "0,".repeat(100_000), "}".repeat(levels));
    let flat = value("Flatten", &[], Data::schemaless(json_text(&deep))).unwrap();
    let Value::Json(text) = flat.value else { panic!("{:?}", flat.value) };
    assert!(text.as_bytes().starts_with(format!("{{\"{}x\":[0,0,", "a.".repeat(levels)).as_bytes()));
    let members: Vec<_> = (0..1_500).map(|number| format!("\"{number}\":1")).collect();
    let wide = format!("{{\"{}\":{{{}}}}}", "n".repeat(50_000), members.join(","));
    let error = value("Flatten", &[], Data::schemaless(json_text(&wide))).unwrap_err().to_string();
    assert!(error.starts_with("the names of the flattened fields are longer than memory should hold"), "{error}");
}

fn json_text(text: &str) -> Value {
    Value::Json(JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap())
}

#[test]
fn what_no_transform_changes_is_the_producer_s_own_text() {
    let text = r#"{"b":1.50,"a":"\u00e9","n":12345678901234567890}"#;
    for (name, config) in [
        ("ValueToKey", &[("fields", "b")][..]),
        ("HeaderFrom", &[("fields", "a"), ("headers", "h"), ("operation", "copy")]),
        ("ReplaceField", &[("exclude", "x")]),
    ] {
        let Value::Json(value) = value(name, config, Data::schemaless(json_text(text))).unwrap().value else { panic!("{name}") };
        assert_eq!(std::str::from_utf8(value.as_bytes()), Ok(text), "{name}");
    }
}
