//! As Confluent's documentation says (docs.confluent.io/kafka-connectors/transforms/current/…); the page is named at each test.

use std::{io::Write, sync::Arc};

use bytes::Bytes;
use connect_api::{
    SinkRecord,
    data::{Data, Field, Fields, Schema, SchemaType, Value},
};
use serde_json::{Value as Json, json};

use crate::transform::tests::applied::{applied, configured, json_value, record_of, refusal, with_schema};

const PACKAGE: &str = "io.confluent.connect.transforms.";

fn class(name: &str) -> String {
    format!("{PACKAGE}{name}")
}

fn said(name: &str, config: &[(&str, &str)], record: SinkRecord) -> String {
    configured(&class(name), config).apply(record).unwrap_err().to_string()
}

/// tombstonehandler.html, and Aiven's README for the names that begin with `drop_`.
#[test]
fn tombstones_are_dropped_or_fail_and_all_other_records_stay() {
    let with_schema_alone = || record_of(Json::Null, Data { value: Value::Null, ..with_schema(json!({"a": 1})) });
    for behavior in ["warn", "ignore", "drop_warn", "drop_silent", "WARN"] {
        let config: &[(&str, &str)] = &[("behavior", behavior)];
        assert!(applied(&class("TombstoneHandler"), config, record_of(json!(1), Data::default())).is_none(), "{behavior}");
        assert!(applied(&class("TombstoneHandler"), config, with_schema_alone()).is_none(), "{behavior}");
        assert!(applied(&class("TombstoneHandler"), config, record_of(Json::Null, json_value(json!({})))).is_some(), "{behavior}");
    }
    assert!(applied(&class("TombstoneHandler"), &[], record_of(json!(1), Data::default())).is_none(), "warn is the default");
    let said = said("TombstoneHandler", &[("behavior", "fail")], record_of(json!(1), Data::default()));
    assert!(said.contains("Tombstone record encountered") && said.contains("offset 42 of topic-3"), "{said}");
    assert!(refusal(&class("TombstoneHandler"), &[("behavior", "keep")]).contains("warn, ignore, fail"));
    configured("io.aiven.kafka.connect.transforms.TombstoneHandler", &[("behavior", "drop_silent")]);
}

/// drop.html
#[test]
fn drop_makes_the_whole_null_and_the_schema_what_is_asked_for() {
    let dropped = |behavior: &str| {
        applied(&class("Drop$Value"), &[("schema.behavior", behavior)], record_of(json!(7), with_schema(json!({"a": 1}))))
    };
    let value = |behavior: &str| dropped(behavior).unwrap().value;
    assert!(value("nullify").schema.is_none() && matches!(value("nullify").value, Value::Null));
    assert!(!value("retain").schema.unwrap().optional);
    let optional = value("force_optional").schema.unwrap();
    assert!(optional.optional && optional.fields().is_some() && optional.name.as_deref() == Some("row"));
    let record = || record_of(json!(7), with_schema(json!({"a": 1})));
    let refused = said("Drop$Value", &[("schema.behavior", "validate")], record());
    assert!(refused.contains("null is no value of the schema"), "{refused}");
    let keyless = applied(&class("Drop$Key"), &[], record()).unwrap();
    assert!(matches!(keyless.key.value, Value::Null) && matches!(keyless.value.value, Value::Struct(_)));
    for (schemaless, behavior) in [(json!({"a": 1}), "validate"), (Json::Null, "nullify")] {
        let record = applied(&class("Drop$Value"), &[("schema.behavior", behavior)], record_of(Json::Null, json_value(schemaless)));
        assert!(record.unwrap().value.schema.is_none(), "{behavior}");
    }
    assert!(refusal(&class("Drop$Key"), &[("schema.behavior", "keep")]).contains("force_optional"));
}

/// extracttopic.html
#[test]
fn the_topic_is_a_field_a_nested_field_the_whole_or_a_header() {
    let nested = json!({"f1": {"f3": "nested"}, "f2": "field", "n": null, "i": 1, "e": ""});
    for value in [json_value(nested.clone()), with_schema(nested)] {
        for (field, format, expected) in
            [("f2", "PLAIN", "field"), (r#"$["f1"]["f3"]"#, "JSON_PATH", "nested"), ("$.f1.f3", "json_path", "nested")]
        {
            let config = [("field", field), ("field.format", format)];
            let record = applied(&class("ExtractTopic$Value"), &config, record_of(Json::Null, value.clone())).unwrap();
            assert_eq!(&*record.topic, expected, "{field}");
            assert!(!record.is_tombstone());
        }
        for (field, format) in
            [("none", "PLAIN"), ("n", "PLAIN"), ("$.f1.none", "JSON_PATH"), ("$.n", "JSON_PATH"), ("$.n.x", "JSON_PATH"), ("e", "")]
        {
            let skips = [("field", field), ("field.format", format), ("skip.missing.or.null", "true")];
            let record = applied(&class("ExtractTopic$Value"), &skips, record_of(Json::Null, value.clone())).unwrap();
            assert_eq!(&*record.topic, "topic", "{field}");
            let said = said("ExtractTopic$Value", &skips[..2], record_of(Json::Null, value.clone()));
            assert!(said.contains(field) && said.contains("the topic cannot be taken"), "{said}");
        }
        let said = said("ExtractTopic$Value", &[("field", "i")], record_of(Json::Null, value));
        assert!(said.contains("is no text but java.lang.Long"), "{said}");
    }
    let whole = applied(&class("ExtractTopic$Key"), &[], record_of(json!("whole"), Data::default())).unwrap();
    assert_eq!((&*whole.topic, matches!(whole.key.value, Value::Json(_))), ("whole", true));
    assert!(said("ExtractTopic$Key", &[], record_of(Json::Null, Data::default())).contains("the whole is missing or null"));
    let skips = [("skip.missing.or.null", "true")];
    assert_eq!(&*applied(&class("ExtractTopic$Key"), &skips, record_of(Json::Null, Data::default())).unwrap().topic, "topic");

    let headers = [("h", Data::schemaless(Value::String("first".into()))), ("h", Data::schemaless(Value::String("last".into())))];
    let record = || connect_api::testing::record_with(Data::default(), Data::default(), &headers);
    assert_eq!(&*applied(&class("ExtractTopic$Header"), &[("field", "h")], record()).unwrap().topic, "last");
    assert!(said("ExtractTopic$Header", &[("field", "x")], record()).contains("the header x is missing or null"));
}

#[test]
fn a_null_field_with_a_default_gives_the_default_as_the_topic() {
    let default = Schema { default: Some(Value::String("usual".into())), ..Schema::required(SchemaType::String) };
    let field = Field { name: "f".into(), schema: Arc::new(Schema { optional: true, ..default }) };
    let schema = Schema::required(SchemaType::Struct(Fields::new(vec![field]).unwrap()));
    let value = Data::with_schema(Arc::new(schema), Value::Struct(vec![Value::Null]));
    let record = applied(&class("ExtractTopic$Value"), &[("field", "f")], record_of(Json::Null, value)).unwrap();
    assert_eq!(&*record.topic, "usual");
    // The value itself stays as it is.
    assert_eq!(record.value.value, Value::Struct(vec![Value::Null]));
}

/// extracttopic.html: `field` is required for headers, which have PLAIN alone.
#[test]
fn fields_that_cannot_be_topics_are_refused_at_the_start() {
    for (name, config, expected) in [
        ("ExtractTopic$Value", &[("field", "$.a[*]"), ("field.format", "JSON_PATH")][..], "may lead to several"),
        ("ExtractTopic$Value", &[("field", "$.a["), ("field.format", "JSON_PATH")], "`field` is no path"),
        ("ExtractTopic$Value", &[("field.format", "XPATH")], "PLAIN, JSON_PATH"),
        ("ExtractTopic$Header", &[], "field"),
        ("ExtractTopic$Header", &[("field", "h"), ("field.format", "JSON_PATH")], "PLAIN"),
    ] {
        let refusal = refusal(&class(name), config);
        assert!(refusal.contains(expected), "{name} {config:?}: {refusal}");
    }
}

/// filter-confluent.html
#[test]
fn records_that_match_the_condition_stay_or_go() {
    let matching = json!({"key": {"nestedKey": "value1"}});
    let other = json!({"key": {"nestedKey": "value3"}});
    let condition = r#"$.key[?(@.nestedKey == "value1" || @.nestedKey == "value2")]"#;
    let stays = |kind: &str, value: Data| {
        applied(&class("Filter$Value"), &[("filter.condition", condition), ("filter.type", kind)], record_of(Json::Null, value))
            .is_some()
    };
    for with in [json_value, with_schema] {
        assert!(stays("include", with(matching.clone())) && !stays("include", with(other.clone())));
        assert!(!stays("exclude", with(matching.clone())) && stays("exclude", with(other.clone())));
    }
    // A null operand is not looked at.
    assert!(stays("include", Data::default()));
    let on_key = [("filter.condition", "$[?(@.a == 1)]"), ("filter.type", "exclude")];
    assert!(applied(&class("Filter$Key"), &on_key, record_of(json!({"a": 1}), Data::default())).is_none());
    assert!(applied(&class("Filter$Key"), &on_key, record_of(json!({"a": 2}), Data::default())).is_some());
}

/// filter-confluent.html: within `[?()]` a missing field only does not match.
#[test]
fn a_field_that_is_missing_fails_or_stays_or_goes() {
    let record = || record_of(Json::Null, json_value(json!({"after": null, "l": "x"})));
    for condition in ["$.after.topic_name", "$.before", "$.before[?(@.a == 1)]"] {
        let config =
            |behavior| [("filter.condition", condition), ("filter.type", "include"), ("missing.or.null.behavior", behavior)];
        assert!(applied(&class("Filter$Value"), &config("include"), record()).is_some(), "{condition}");
        assert!(applied(&class("Filter$Value"), &config("exclude"), record()).is_none(), "{condition}");
        let said = said("Filter$Value", &config("fail")[..2], record());
        assert!(said.contains("the path could not be found in the record") && said.contains("missing.or.null.behavior"), "{said}");
    }
    let config = [("filter.condition", "$[?(@.none == 1)]"), ("filter.type", "include")];
    assert!(applied(&class("Filter$Value"), &config, record()).is_none());
}

/// filter-confluent.html, and `Filter` as others took it over: values are maps or structs.
#[test]
fn what_has_no_fields_and_conditions_that_are_none_are_refused() {
    let config = [("filter.condition", "$.a"), ("filter.type", "include")];
    let said = said("Filter$Value", &config, record_of(Json::Null, json_value(json!([1]))));
    assert!(said.contains("Only Map objects supported in absence of schema for [filtering record without schema]"), "{said}");
    for (config, expected) in [
        (&[("filter.type", "include")][..], "filter.condition"),
        (&[("filter.condition", "$.a")], "filter.type"),
        (&[("filter.condition", "$.a["), ("filter.type", "include")], "Invalid json path defined"),
        (&[("filter.condition", "$.a"), ("filter.type", "drop")], "include, exclude"),
        (&[("filter.condition", "$.a"), ("filter.type", "include"), ("missing.or.null.behavior", "x")], "fail, include, exclude"),
    ] {
        let refusal = refusal(&class("Filter$Value"), config);
        assert!(refusal.contains(expected), "{config:?}: {refusal}");
    }
}

/// messagetimestamprouter.html
#[test]
fn a_time_of_the_value_becomes_part_of_the_topic() {
    let config = [
        ("topic.format", "foo-${topic}-${timestamp}"),
        ("message.timestamp.format", "yyyy-MM-dd"),
        ("topic.timestamp.format", "yyyy.MM.dd"),
        ("message.timestamp.keys", "timestamp,time,ts"),
    ];
    let routed = |config: &[(&str, &str)], value: Json| {
        applied(&class("MessageTimestampRouter"), config, record_of(Json::Null, json_value(value))).unwrap()
    };
    let record = routed(&config, json!({"time": "2019-08-06", "ts": "1999-01-01", "timestamp": null}));
    assert_eq!(&*record.topic, "foo-topic-2019.08.06");
    assert!(matches!(record.value.value, Value::Json(_) | Value::Object(_)));
    for (value, expected) in
        [(json!("2019-08-06T12:00:00Z"), "topic-20190806"), (json!("2019-08-06"), "topic-20190806"), (json!(0), "topic-19700101")]
    {
        assert_eq!(&*routed(&[("message.timestamp.keys", "ts")], json!({"ts": value})).topic, expected);
    }
    for (value, expected) in [
        (json_value(json!({"x": 1})), "none of timestamp, time, ts"),
        (json_value(json!({"ts": "yesterday"})), "the field ts holds no time"),
        (json_value(json!({"ts": true})), "is neither a text nor a whole number"),
        (json_value(json!("text")), "Only Map objects"),
        (with_schema(json!({"ts": "2019-08-06"})), "Only Map objects"),
        (Data::default(), "Only Map objects"),
    ] {
        let said = said("MessageTimestampRouter", &config, record_of(Json::Null, value));
        assert!(said.contains(expected), "{said}");
    }
    assert!(refusal(&class("MessageTimestampRouter"), &[]).contains("message.timestamp.keys"));
    let pattern = [("message.timestamp.keys", "ts"), ("message.timestamp.format", "bad")];
    assert!(refusal(&class("MessageTimestampRouter"), &pattern).contains("message.timestamp.format"));
}

/// gzipdecompress.html
#[test]
fn bytes_are_decompressed_and_nothing_else_is() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        Data::schemaless(Value::Bytes(Bytes::from(encoder.finish().unwrap())))
    };
    let record = applied(&class("GzipDecompress$Value"), &[], record_of(Json::Null, gzip(b"Hello world"))).unwrap();
    assert_eq!(record.value.value, Value::Bytes(Bytes::from_static(b"Hello world")));
    assert!(applied(&class("GzipDecompress$Value"), &[], record_of(Json::Null, Data::default())).unwrap().is_tombstone());
    let bytes = Data::schemaless(Value::Bytes(Bytes::from_static(b"no gzip")));
    assert!(said("GzipDecompress$Value", &[], record_of(Json::Null, bytes)).contains("cannot be decompressed"));
    assert!(said("GzipDecompress$Value", &[], record_of(Json::Null, json_value(json!({})))).contains("takes bytes alone"));
    let bomb = gzip(&vec![0; 65 * 1024 * 1024]);
    assert!(said("GzipDecompress$Value", &[], record_of(Json::Null, bomb)).contains("more than 64 MiB"));
}

/// `java.util.zip.GZIPInputStream`
#[test]
fn what_follows_the_last_member_of_gzip_is_ignored() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let record = |bytes: Vec<u8>| record_of(Json::Null, Data::schemaless(Value::Bytes(Bytes::from(bytes))));
    let two = [gzip(b"one "), gzip(b"two")].concat();
    for behind in [&b""[..], b"\0\0\0\0", b"no gzip, but longer than a header of it", b"\x1f\x8b"] {
        let record = applied(&class("GzipDecompress$Value"), &[], record([&two[..], behind].concat())).unwrap();
        assert_eq!(record.value.value, Value::Bytes(Bytes::from_static(b"one two")));
    }
    for broken in [two[..two.len() - 1].to_vec(), two[..10].to_vec(), Vec::new()] {
        assert!(said("GzipDecompress$Value", &[], record(broken)).contains("cannot be decompressed"));
    }
}

/// timestampconverter.html: Confluent documents it by that of Apache Kafka.
#[test]
fn confluents_timestamp_converter_is_that_of_apache_kafka() {
    let config = [("target.type", "unix"), ("field", "ts"), ("format", "yyyy-MM-dd")];
    let record = record_of(Json::Null, json_value(json!({"ts": "1970-01-02"})));
    let mut record = applied(&class("TimestampConverter$Value"), &config, record).unwrap();
    record.settle().unwrap();
    assert!(matches!(record.value.value, Value::Json(json) if json.as_bytes() == br#"{"ts":86400000}"#));
    configured(&class("TimestampConverter$Key"), &[("target.type", "unix")]);
}
