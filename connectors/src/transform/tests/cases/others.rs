//! Headers, topics, schemas and keys.

use super::*;

#[test]
fn null_passes_most_transforms_unchanged() {
    let schema = structure(&[("a", json!({ "type": "int32" }))], &json!({ "a": 1 })).schema.unwrap();
    for (name, config) in [
        ("Cast", &[("spec", "a:int8")][..]),
        ("InsertField", &[("topic.field", "t")]),
        ("ReplaceField", &[("exclude", "a")]),
        ("Flatten", &[]),
    ] {
        let without = value(name, config, Data::default()).unwrap();
        assert_eq!((without.schema, without.value), (None, Value::Null), "{name}");
        let with = value(name, config, Data::with_schema(Arc::clone(&schema), Value::Null)).unwrap();
        assert_eq!((with.schema.as_deref(), with.value), (Some(&*schema), Value::Null), "{name}");
    }
}

#[test]
fn headers_are_dropped_by_name_and_others_stay() {
    let text = |text: &'static str| Data::schemaless(Value::String(text.into()));
    let all = [("to-drop", text("a")), ("kept", text("b")), ("to-drop", text("c"))];
    let names = |record: SinkRecord| record.headers.iter().map(|header| header.key.to_string()).collect::<Vec<_>>();
    let record = record_with(Data::default(), Data::default(), &all);
    assert_eq!(names(applied("DropHeaders", &[("headers", "to-drop")], record.clone()).unwrap()), ["kept"]);
    assert_eq!(names(applied("DropHeaders", &[("headers", "other")], record).unwrap()).len(), 3);
    assert!(is_refused("DropHeaders", &[("headers", "")]));
}

#[test]
fn fields_become_headers_after_those_that_are_there() {
    let text = |text: &'static str| Data::schemaless(Value::String(text.into()));
    let whole = || object(&json!({ "field1": "a", "field2": "b" }));
    let record = || record_with(Data::default(), whole(), &[("inserted1", text("before"))]);
    let run = |fields: &str, headers: &str, operation: &str| {
        let config = [("fields", fields), ("headers", headers), ("operation", operation)];
        let record = applied("HeaderFrom", &config, record()).unwrap();
        let headers: Vec<_> = record.headers.iter().map(|header| (header.key.to_string(), plain(&header.value.value))).collect();
        (headers, plain(&record.value.value))
    };
    let header = |name: &str, value: &str| (name.to_owned(), json!(value));
    let before = || header("inserted1", "before");
    let both = json!({ "field1": "a", "field2": "b" });
    assert_eq!(run("field1", "inserted1", "copy"), (vec![before(), header("inserted1", "a")], both));
    assert_eq!(run("field1", "inserted1", "move"), (vec![before(), header("inserted1", "a")], json!({ "field2": "b" })));
    let twice = vec![before(), header("inserted1", "a"), header("inserted2", "a")];
    assert_eq!(run("field1,field1", "inserted1,inserted2", "move"), (twice, json!({ "field2": "b" })));
    let one_name = vec![before(), header("inserted1", "a"), header("inserted1", "b")];
    assert_eq!(run("field1,field2", "inserted1,inserted1", "move"), (one_name, json!({})));
    for config in [
        &[("fields", "a,b"), ("headers", "h"), ("operation", "copy")][..],
        &[("fields", "a"), ("headers", "h"), ("operation", "MOVE")],
        &[("headers", "h"), ("operation", "copy")],
        &[("fields", "a"), ("operation", "copy")],
    ] {
        assert!(is_refused("HeaderFrom", config), "{config:?}");
    }
}

#[test]
fn a_header_is_inserted_with_the_type_of_its_literal() {
    let other = [("existing", Data::default()), ("inserted", Data::default())];
    let record = record_with(Data::default(), Data::default(), &other);
    let inserted = applied("InsertHeader", &[("header", "inserted"), ("value.literal", "1")], record).unwrap().headers;
    assert_eq!(inserted.iter().map(|header| &*header.key).collect::<Vec<_>>(), ["existing", "inserted", "inserted"]);
    assert_eq!(inserted[2].value.value, Value::Int8(1));
    assert!(is_refused("InsertHeader", &[("header", "h")]) && is_refused("InsertHeader", &[("value.literal", "1")]));
}

#[test]
fn topics_are_routed_by_regular_expressions() {
    for (regex, replacement, topic, expected) in [
        ("foo", "bar", "foo", "bar"),
        ("foo", "bar", "orig", "orig"),
        ("(.*)", "$1", "orig", "orig"),
        ("(.*)", "prefix-$1", "orig", "prefix-orig"),
        ("(.*)", "$1-suffix", "orig", "orig-suffix"),
        (r"(.*)-(\d\d\d\d\d\d\d\d)", "$1", "index-20160117", "index"),
    ] {
        let config = [("regex", regex), ("replacement", replacement)];
        let routed = applied("RegexRouter", &config, record(&json!({ "topic": topic }), 0)).unwrap();
        assert_eq!((&*routed.topic, &*routed.origin().topic_partition().topic), (expected, topic));
    }
}

#[test]
fn schemas_get_names_and_versions() {
    let whole = || structure(&[("a", json!({ "type": "int32" }))], &json!({ "a": 1 }));
    for (config, name, version) in [
        (&[("schema.name", "foo")][..], Some("foo"), None),
        (&[("schema.version", "42")], None, Some(42)),
        (&[("schema.name", "foo"), ("schema.version", "42")], Some("foo"), Some(42)),
    ] {
        for value_of in [whole().value, Value::Null] {
            let with = Data { value: value_of.clone(), ..whole() };
            let updated = value("SetSchemaMetadata", config, with).unwrap();
            let schema = updated.schema.unwrap();
            assert_eq!((schema.name.as_deref(), schema.version, updated.value), (name, version, value_of));
        }
    }
    let error = value("SetSchemaMetadata", &[("schema.name", "foo")], object(&json!(42))).unwrap_err();
    assert_eq!(error.to_string(), "Schema required for [updating schema metadata]");
    assert_eq!(value("SetSchemaMetadata", &[("schema.name", "foo")], Data::default()).unwrap().value, Value::Null);
}

#[test]
fn fields_of_the_value_become_the_key() {
    let fields = &[("fields", "a,b")][..];
    let key = applied("ValueToKey", fields, of(object(&json!({ "a": 1, "b": 2, "c": 3 })))).unwrap();
    assert_eq!((plain(&key.key.value), plain(&key.value.value)), (json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 2, "c": 3 })));
    let int = || json!({ "type": "int32" });
    let whole = || structure(&[("c", int()), ("b", int()), ("a", int())], &json!({ "a": 1, "b": 2, "c": 3 }));
    assert_eq!(
        applied("ValueToKey", fields, of(whole())).unwrap().key.value,
        Value::Struct(vec![Value::Int32(1), Value::Int32(2)])
    );
    let missing = applied("ValueToKey", &[("fields", "not_exist")], of(whole())).unwrap_err();
    assert_eq!(missing.to_string(), "Field does not exist: not_exist");
}
