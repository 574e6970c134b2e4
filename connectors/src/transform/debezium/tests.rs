//! As Debezium's documentation of its transforms says (new record state extraction, topic routing), and `io.debezium.transforms.*` of its source; the class is named
//! at each test.

use std::sync::Arc;

use connect_api::{
    Header, SinkRecord,
    data::{Data, Field, Fields, Schema, SchemaType, Value},
    testing::record_with,
};
use serde_json::{Value as Json, json};

use super::schema_name::SchemaNameAdjustment;
use crate::transform::tests::applied::{applied, configured, json_value, record_of, refusal, with_schema};

const EXTRACT: &str = "io.debezium.transforms.ExtractNewRecordState";
const ROUTER: &str = "io.debezium.transforms.ByLogicalTableRouter";

type Config<'a> = &'a [(&'a str, &'a str)];

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

fn structure(fields: Vec<Field>) -> Schema {
    Schema::required(SchemaType::Struct(Fields::new(fields).unwrap()))
}

fn optional(schema: Schema) -> Schema {
    Schema { optional: true, ..schema }
}

fn text(text: &'static str) -> Value {
    Value::String(text.into())
}

/// A row: an id, and a name that may be null and then stands for `anon`.
fn row() -> Schema {
    let name = Schema { default: Some(text("anon")), ..optional(Schema::required(SchemaType::String)) };
    optional(structure(vec![field("id", Schema::required(SchemaType::Int32)), field("name", name)])).named("s.db.users.Value")
}

/// A change. `transaction` is null, as while a snapshot is taken.
fn envelope(before: Value, after: Value, op: &'static str) -> Data {
    let source =
        structure(vec![field("table", Schema::required(SchemaType::String)), field("ts_ms", Schema::required(SchemaType::Int64))]);
    let transaction = optional(structure(vec![field("id", Schema::required(SchemaType::String))]));
    let schema = structure(vec![
        field("before", row()),
        field("after", row()),
        field("source", source),
        field("op", Schema::required(SchemaType::String)),
        field("ts_ms", optional(Schema::required(SchemaType::Int64))),
        field("transaction", transaction),
    ]);
    let source = Value::Struct(vec![text("users"), Value::Int64(5)]);
    let values = vec![before, after, source, text(op), Value::Int64(7), Value::Null];
    Data::with_schema(Arc::new(schema.named("s.db.users.Envelope")), Value::Struct(values))
}

fn user(id: i32, name: Value) -> Value {
    Value::Struct(vec![Value::Int32(id), name])
}

fn record(value: Data) -> SinkRecord {
    record_of(Json::Null, value)
}

fn create() -> SinkRecord {
    record(envelope(Value::Null, user(1, text("ann")), "c"))
}

fn delete() -> SinkRecord {
    record(envelope(user(1, text("ann")), Value::Null, "d"))
}

fn tombstone() -> SinkRecord {
    record(Data::default())
}

fn truncate() -> SinkRecord {
    record(envelope(Value::Null, Value::Null, "t"))
}

/// Names and values of a row.
fn members(data: &Data) -> Vec<(String, Value)> {
    let fields = data.schema.as_ref().unwrap().fields().unwrap();
    let Value::Struct(values) = &data.value else { panic!("{data:?}") };
    assert_eq!(fields.len(), values.len());
    fields.iter().zip(values).map(|(field, value)| (field.name.to_string(), value.clone())).collect()
}

fn is(data: &Data, expected: &[(&str, Value)]) {
    let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    assert_eq!(members(data), expected);
}

/// ExtractNewRecordState, LegacyDeleteHandlingStrategy
#[test]
fn a_change_becomes_the_row_and_deletions_and_tombstones_are_dropped_unless_asked_for() {
    let extracted = applied(EXTRACT, &[], create()).unwrap().value;
    is(&extracted, &[("id", Value::Int32(1)), ("name", text("ann"))]);
    let schema = extracted.schema.unwrap();
    assert_eq!((schema.name.as_deref(), schema.optional), (Some("s.db.users.Value"), false));
    for record in [delete(), tombstone(), truncate()] {
        assert!(applied(EXTRACT, &[], record).is_none());
    }
    let keeps: Config<'_> = &[("drop.tombstones", "false"), ("delete.handling.mode", "none")];
    assert!(applied(EXTRACT, keeps, tombstone()).unwrap().is_tombstone());
    let deleted = applied(EXTRACT, keeps, delete()).unwrap();
    assert!(deleted.is_tombstone() && deleted.value.schema.is_some());
    assert_eq!(applied(EXTRACT, keeps, truncate()).unwrap().value.schema.unwrap().name.as_deref(), Some("s.db.users.Envelope"));
}

/// DefaultDeleteHandlingStrategy; `delete-to-tombstone`: ExtractNewRecordStateConfigDefinition
#[test]
fn the_newer_mode_goes_before_the_former_keys() {
    for (mode, tombstones, deletions) in [
        ("drop", false, None),
        ("tombstone", false, Some("null")),
        ("delete-to-tombstone", false, Some("tombstone")),
        ("rewrite", false, Some("rewritten")),
        ("rewrite-with-tombstone", true, Some("rewritten")),
    ] {
        let config = [("delete.tombstone.handling.mode", mode), ("drop.tombstones", "false"), ("delete.handling.mode", "none")];
        assert_eq!(applied(EXTRACT, &config, tombstone()).is_some(), tombstones, "{mode}");
        assert!(applied(EXTRACT, &config, truncate()).is_none(), "{mode}");
        let deleted = applied(EXTRACT, &config, delete()).map(|record| match (record.is_tombstone(), record.value.schema) {
            (true, Some(_)) => "null",
            (true, None) => "tombstone",
            (false, _) => "rewritten",
        });
        assert_eq!(deleted, deletions, "{mode}");
    }
}

/// AbstractExtractRecordStrategy: the field is inserted as InsertField does it.
#[test]
fn rewritten_rows_say_whether_they_are_deleted() {
    let config: Config<'_> = &[("delete.handling.mode", "rewrite")];
    let unnamed = || record(envelope(Value::Null, user(1, Value::Null), "r"));
    is(
        &applied(EXTRACT, config, unnamed()).unwrap().value,
        &[("id", Value::Int32(1)), ("name", text("anon")), ("__deleted", text("false"))],
    );
    is(
        &applied(EXTRACT, config, delete()).unwrap().value,
        &[("id", Value::Int32(1)), ("name", text("ann")), ("__deleted", text("true"))],
    );
    let keeps_null = [config[0], ("replace.null.with.default", "false")];
    is(
        &applied(EXTRACT, &keeps_null, unnamed()).unwrap().value,
        &[("id", Value::Int32(1)), ("name", Value::Null), ("__deleted", text("false"))],
    );
    // Where nothing is rewritten, null stays null.
    is(&applied(EXTRACT, &[], unnamed()).unwrap().value, &[("id", Value::Int32(1)), ("name", Value::Null)]);
}

/// AbstractExtractNewRecordState, FieldReference
#[test]
fn fields_and_headers_are_added_of_what_the_message_has() {
    let config: Config<'_> = &[
        ("add.fields", "op, table,source.ts_ms:at,transaction.id,none"),
        ("add.headers", "op,ts_ms"),
        ("add.headers.prefix", "h."),
        ("delete.tombstone.handling.mode", "rewrite-with-tombstone"),
    ];
    let added = [("__op", text("c")), ("__table", text("users")), ("__at", Value::Int64(5)), ("__transaction_id", Value::Null)];
    let row = [("id", Value::Int32(1)), ("name", text("ann")), ("__deleted", text("false"))];
    let record = applied(EXTRACT, config, create()).unwrap();
    is(&record.value, &[&row[..], &added].concat());
    let schema = record.value.schema.clone().unwrap();
    assert!(["__op", "__transaction_id"].iter().all(|name| schema.fields().unwrap().get(name).unwrap().schema.optional));
    let headers = |record: &SinkRecord| {
        record.headers.iter().map(|header| (header.key.to_string(), header.value.value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(headers(&record), [("h.op".to_owned(), text("c")), ("h.ts_ms".to_owned(), Value::Int64(7))]);
    let deleted = applied(EXTRACT, config, delete()).unwrap();
    assert_eq!(members(&deleted.value)[3], ("__op".to_owned(), text("d")));
    // A tombstone has only that it is a deletion.
    assert_eq!(headers(&applied(EXTRACT, config, tombstone()).unwrap()), [("h.op".to_owned(), text("d"))]);
    let twice = configured(EXTRACT, &[("add.fields", "op:id"), ("add.fields.prefix", "")]).apply(create()).unwrap_err();
    assert!(twice.to_string().contains("field name duplication id"), "{twice}");
}

/// ExtractNewRecordState: `route.by.field`
#[test]
fn the_topic_is_a_field_of_the_row() {
    let config: Config<'_> = &[("route.by.field", "name"), ("delete.handling.mode", "none")];
    assert_eq!(&*applied(EXTRACT, config, create()).unwrap().topic, "ann");
    assert_eq!(&*applied(EXTRACT, config, delete()).unwrap().topic, "ann");
    assert_eq!(&*applied(EXTRACT, config, record(envelope(Value::Null, user(1, text(" ")), "c"))).unwrap().topic, "topic");
    for (name, expected) in [("none", "none is not a valid field name"), ("id", "Field 'id' is not of type STRING")] {
        let error = configured(EXTRACT, &[("route.by.field", name)]).apply(create()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn records_with_one_topic_share_its_text() {
    let transform = configured(EXTRACT, &[("route.by.field", "name"), ("delete.handling.mode", "none")]);
    let topic = |record| transform.apply(record).unwrap().unwrap().topic;
    assert!(Arc::ptr_eq(&topic(create()), &topic(delete())));
}

/// ExtractNewRecordState: `drop.fields.*`
#[test]
fn fields_that_a_header_lists_are_left_out() {
    let dropped = |config: &[(&str, &str)], names: Value| {
        let mut record = create();
        record.key = with_schema(json!({"id": 1, "name": "ann"}));
        record.headers.push(Header { key: "drop".into(), value: Data::schemaless(names) });
        let record = applied(EXTRACT, &[&[("drop.fields.header.name", "drop")][..], config].concat(), record).unwrap();
        let names = |data: &Data| members(data).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(",");
        (names(&record.key), names(&record.value))
    };
    let of = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    // Only what may be null, unless told otherwise. Header converters make texts of lists.
    assert_eq!(dropped(&[], text(r#"["id","name"]"#)), of("id,name", "id"));
    assert_eq!(dropped(&[], Value::Array(vec![text("name")])), of("id,name", "id"));
    assert_eq!(dropped(&[], text("[]")), of("id,name", "id,name"));
    assert_eq!(dropped(&[("drop.fields.keep.schema.compatible", "false")], text(r#"["id"]"#)), of("id,name", "name"));
    assert_eq!(
        dropped(&[("drop.fields.keep.schema.compatible", "false"), ("drop.fields.from.key", "true")], text(r#"["id"]"#)),
        of("name", "name")
    );
    let mut record = create();
    record.headers.push(Header { key: "drop".into(), value: Data::schemaless(text("name")) });
    let error = configured(EXTRACT, &[("drop.fields.header.name", "drop")]).apply(record).unwrap_err().to_string();
    assert!(error.contains("the header drop (`drop.fields.header.name`) is no list of names"), "{error}");
}

/// SmtManager.isValidEnvelope: a schema with such a name is needed.
#[test]
fn what_is_no_change_passes_as_it_is() {
    let config: Config<'_> = &[("add.headers", "op"), ("delete.handling.mode", "rewrite")];
    for value in [
        json_value(json!({"before": null, "after": {"id": 1}, "op": "c"})),
        with_schema(json!({"after": {"id": 1}})),
        json_value(json!("x")),
    ] {
        let passed = applied(EXTRACT, config, record(value.clone())).unwrap();
        assert!(passed.value.value == value.value && passed.value.schema == value.schema && passed.headers.is_empty());
    }
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    for (config, expected) in [
        (&[("delete.handling.mode", "keep")][..], "drop, rewrite, none"),
        (&[("delete.tombstone.handling.mode", "none")], "rewrite-with-tombstone"),
        (&[("drop.tombstones", "maybe")], "true or false"),
        (&[("add.fields", "a:b:c")], "add.fields: Unexpected field name: a:b:c"),
        (&[("add.headers", "source.")], "add.headers: Unexpected field name: source."),
        (&[("add.fields", "op,source.ts_ms:op")], "two fields would be named op"),
        (
            &[("add.fields", "op:deleted"), ("add.fields.prefix", "__"), ("delete.handling.mode", "rewrite")],
            "`add.fields` gives a field",
        ),
        (&[("add.fields", "op:deleted"), ("delete.tombstone.handling.mode", "rewrite-with-tombstone")], "the name __deleted"),
    ] {
        let refusal = refusal(EXTRACT, config);
        assert!(refusal.contains(expected), "{config:?}: {refusal}");
    }
    for (config, expected) in [
        (&[("topic.replacement", "x")][..], "topic.regex"),
        (&[("topic.regex", "("), ("topic.replacement", "x")], "Unclosed group"),
        (&[("topic.regex", ".*")], "topic.replacement"),
        (
            &[("topic.regex", ".*"), ("topic.replacement", "x"), ("key.field.regex", ".*")],
            "key.field.replacement must be non-empty",
        ),
        (&[("topic.regex", ".*"), ("topic.replacement", "x"), ("logical.table.cache.size", "0")], "at least 1"),
        (&[("topic.regex", "(.*)"), ("topic.replacement", "$2")], "topic.replacement=$2 does not fit topic.regex=(.*): No group 2"),
        (
            &[("topic.regex", "(.*)"), ("topic.replacement", "x"), ("key.field.regex", ".*"), ("key.field.replacement", "$1")],
            "key.field.replacement=$1 does not fit key.field.regex=.*: No group 1",
        ),
        (&[("topic.regex", ".*"), ("topic.replacement", "x"), ("schema.name.adjustment.mode", "json")], "none, avro, avro_unicode"),
    ] {
        let refusal = refusal(ROUTER, config);
        assert!(refusal.contains(expected), "{config:?}: {refusal}");
    }
}

fn routed(config: Config<'_>, key: Data, value: Data) -> SinkRecord {
    applied(
        ROUTER,
        &[&[("topic.regex", "to(p)ic"), ("topic.replacement", "all-$1s")][..], config].concat(),
        record_with(key, value, &[]),
    )
    .unwrap()
}

/// ToLogicalTopicRouter (formerly ByLogicalTableRouter)
#[test]
fn a_topic_is_routed_and_the_key_says_which_it_was() {
    let key = || with_schema(json!({"id": 1}));
    let record = routed(&[], key(), envelope(Value::Null, user(1, Value::Null), "c"));
    assert_eq!(&*record.topic, "all-ps");
    is(&record.key, &[("id", Value::Int64(1)), ("__dbz__physicalTableIdentifier", text("topic"))]);
    assert_eq!(record.key.schema.unwrap().name.as_deref(), Some("all-ps.Key"));
    let schema = record.value.schema.as_ref().unwrap();
    assert_eq!(schema.name.as_deref(), Some("all-ps.Envelope"));
    let row = |name| schema.fields().unwrap().get(name).unwrap().schema.clone();
    assert!(["before", "after"].iter().all(|name| row(name).name.as_deref() == Some("all-ps.Value")));
    // Values are read with their defaults.
    assert_eq!(members(&record.value)[1].1, user(1, text("anon")));

    let config: Config<'_> = &[("key.field.name", "shard"), ("key.field.regex", "t(.)pic"), ("key.field.replacement", "shard_$1")];
    is(&routed(config, key(), Data::default()).key, &[("id", Value::Int64(1)), ("shard", text("shard_o"))]);
    let other: Config<'_> = &[("key.field.regex", "nothing"), ("key.field.replacement", "x")];
    assert_eq!(members(&routed(other, key(), Data::default()).key)[1].1, text("topic"));
    is(&routed(&[("key.enforce.uniqueness", "false")], key(), Data::default()).key, &[("id", Value::Int64(1))]);
    let adjusted = routed(&[("schema.name.adjustment.mode", "avro")], key(), Data::default());
    assert_eq!(adjusted.key.schema.unwrap().name.as_deref(), Some("all_ps.Key"));
    configured("io.debezium.transforms.ToLogicalTopicRouter", &[("topic.regex", "a"), ("topic.replacement", "b")]);
}

#[test]
fn the_schemas_of_many_topics_in_turn_are_made_once() {
    let transform = configured(ROUTER, &[("topic.regex", ".*"), ("topic.replacement", "all")]);
    let key = with_schema(json!({"id": 1}));
    let schema = |topic: &str| {
        let mut record = record_with(key.clone(), Data::default(), &[]);
        record.topic = topic.into();
        transform.apply(record).unwrap().unwrap().key.schema.unwrap()
    };
    let first: Vec<_> = (0..200).map(|shard| schema(&format!("shard-{shard}"))).collect();
    assert!((0..200).all(|shard| Arc::ptr_eq(&schema(&format!("shard-{shard}")), &first[shard])));
    // More topics than are remembered are routed as well.
    assert!((0..5_000).all(|shard| schema(&format!("other-{shard}")).name.as_deref() == Some("all.Key")));
}

/// ToLogicalTopicRouter: tombstones, heartbeats and tables without a primary key
#[test]
fn records_without_a_key_or_a_change_are_routed_with_the_value_they_have() {
    let record = routed(&[], Data::default(), json_value(json!({"heartbeat": 1})));
    assert!(&*record.topic == "all-ps" && matches!(record.key.value, Value::Null) && !record.is_tombstone());
    let transform = configured(ROUTER, &[("topic.regex", "to(p)ic"), ("topic.replacement", "all")]);
    let error = transform.apply(record_of(json!({"id": 1}), Data::default())).unwrap_err().to_string();
    assert!(error.contains("Only Struct objects supported for [Updating schema]"), "{error}");
    for config in
        [[("topic.regex", "other"), ("topic.replacement", "all")], [("topic.regex", "topic(x?)"), ("topic.replacement", "$1")]]
    {
        let untouched = applied(ROUTER, &config, record_of(json!({"id": 1}), Data::default())).unwrap();
        assert!(&*untouched.topic == "topic" && matches!(untouched.key.value, Value::Json(_)), "{config:?}");
    }
}

/// SchemaNameAdjuster
#[test]
fn names_are_made_fit_for_avro() {
    let (avro, unicode) = (SchemaNameAdjustment::of("AVRO"), SchemaNameAdjustment::of("avro_unicode"));
    for (adjustment, name, expected) in [
        (avro, "test-server.table.Key", "test_server.table.Key"),
        (avro, "9a.b", "_9a.b"),
        (avro, "é", "_"),
        (unicode, "a-b_c.9", "a_u002db_u005fc.9"),
        (unicode, "9a", "_u0039a"),
        (SchemaNameAdjustment::of("none"), "a-b", "a-b"),
    ] {
        assert_eq!(adjustment.adjust(name.to_owned()), expected);
    }
}
