//! Records whose schemas a registry has.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, Record, wait_until};
use crate::files::{connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::real_registry::{RealRegistry, post};
use crate::registry_server::RegistryServer;
use crate::typed::{self, Encoding, records};

const PATIENCE: Duration = Duration::from_secs(60);

struct Story {
    cluster: Cluster,
    bucket: Bucket,
    registry: RegistryServer,
    name: String,
}

impl Story {
    fn begin(test: &str) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let bucket = Bucket::create(Server::Moto, test)?;
        let name = format!("{test}-{}", std::process::id());
        Some(Self { cluster, bucket, registry: RegistryServer::start(), name })
    }

    fn start(&self, more: &str) -> Connect {
        let more = format!("{}{more}", Encoding::Avro.settings(&self.registry));
        let file = connector(&self.name, &self.name, &self.bucket, self.bucket.url(), &more);
        Connect::start(&scratch(&self.name), &worker(&self.cluster), &file)
    }

    /// Records of one partition, as bytes.
    fn produce(&self, values: &[Vec<u8>]) {
        let record = |value: &Vec<u8>| Record { topic: self.name.clone(), value: Some(value.clone()), ..Record::default() };
        self.cluster.produce(&values.iter().map(record).collect::<Vec<_>>());
    }

    fn has_committed(&self, offset: i64) -> bool {
        let partition = (self.name.clone(), 0);
        self.cluster.committed(&format!("connect-{}", self.name), std::slice::from_ref(&partition)).get(&partition) == Some(&offset)
    }

    /// Writes with these settings two files of four records: the first version of a schema alone; then the second, to which a record of the first is made fit; the
    /// last record waits for more.
    fn write_two_versions(&self, real: &RealRegistry, converter: &str, more: &str) {
        let more = format!(
            "value.converter=io.confluent.connect.{converter}\nvalue.converter.schema.registry.url={}\nflush.size=2\n\
             schema.compatibility=BACKWARD\n{more}",
            real.url
        );
        let file = connector(&self.name, &self.name, &self.bucket, self.bucket.url(), &more);
        let mut process = Connect::start(&scratch(&self.name), &worker(&self.cluster), &file);
        wait_until("two files are there", PATIENCE, || self.has_committed(3));
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        self.cluster.delete_topic(&self.name);
    }

    /// All records that are in the bucket.
    fn written(&self) -> Vec<Value> {
        self.bucket.objects().iter().flat_map(|(key, object)| records(key, &object.body)).collect()
    }
}

#[test]
fn while_a_registry_does_not_answer_records_wait_and_readiness_says_so() {
    let Some(story) = Story::begin("registry-down") else { return };
    let mut numbered = Numbered::create(&story.cluster, &story.name, 2);
    numbered.encode_as(Encoding::Avro);
    typed::register(&story.registry, &story.name);
    let is_committed = |numbered: &Numbered| numbered.is_committed(&story.cluster, &format!("connect-{}", story.name));
    numbered.write(&story.cluster, 4);
    let mut process = story.start("flush.size=4\nschema.compatibility=BACKWARD");
    wait_until("all is committed", PATIENCE, || is_committed(&numbered));

    // The second version comes after eight records, and nobody has asked for it yet.
    story.registry.set_down(true);
    numbered.write(&story.cluster, 8);
    let names_it = |process: &Connect| {
        process.problems().iter().any(|problem| problem.contains(&story.registry.url()) && problem.contains("503"))
    };
    wait_until("readiness names the registry", PATIENCE, || names_it(&process));
    assert!(!process.has_failed_task() && !is_committed(&numbered), "{}", process.log());
    let asked = story.registry.requests();
    wait_until("it is asked again", PATIENCE, || story.registry.requests() > asked);

    story.registry.set_down(false);
    wait_until("all is committed", PATIENCE, || is_committed(&numbered));
    wait_until("it is ready", PATIENCE, || process.is_ready());
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    numbered.assert_exactly_once(&story.bucket);
    // Once for each version, a topic and a task; the rest was asked in vain.
    assert!(!process.log().contains("ERROR"), "{}", process.log());
    story.cluster.delete_topic(&story.name);
}

#[test]
fn a_task_that_waits_for_a_registry_stops_at_once_and_loses_nothing() {
    let Some(story) = Story::begin("registry-stop") else { return };
    let mut numbered = Numbered::create(&story.cluster, &story.name, 1);
    numbered.encode_as(Encoding::Avro);
    typed::register(&story.registry, &story.name);
    story.registry.set_down(true);
    numbered.write(&story.cluster, 4);
    let mut process = story.start("flush.size=2");
    wait_until("it waits", PATIENCE, || process.problems().iter().any(|problem| problem.contains("503")));
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
    story.registry.set_down(false);
    let mut process = story.start("flush.size=2");
    wait_until("all is committed", PATIENCE, || numbered.is_committed(&story.cluster, &format!("connect-{}", story.name)));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    numbered.assert_exactly_once(&story.bucket);
    story.cluster.delete_topic(&story.name);
}

#[test]
fn schemas_that_refer_to_others_are_read_with_them_and_users_are_named() {
    let Some(story) = Story::begin("registry-references") else { return };
    story.cluster.create_topic(&story.name, 1, &[]);
    let money = json!({ "type": "record", "name": "Money", "namespace": "m", "fields": [{ "name": "cents", "type": "long" }] });
    let part = json!({ "type": "record", "name": "Part", "namespace": "p", "fields": [{ "name": "price", "type": "m.Money" }] });
    let whole = json!({ "type": "record", "name": "Whole", "namespace": "p",
        "fields": [{ "name": "part", "type": "Part" }, { "name": "sum", "type": ["null", "m.Money"] }] });
    let reference = |name: &str, subject: &str| json!([{ "name": name, "subject": subject, "version": 1 }]);
    story.registry.register(1, "money", &money);
    story.registry.register_with(2, "part", &part, &reference("m.Money", "money"));
    story.registry.register_with(3, &format!("{}-value", story.name), &whole, &reference("p.Part", "part"));
    story.registry.want("Basic dXNlcjpwQHNz");
    story.produce(&[vec![0, 0, 0, 0, 3, 14, 2, 16]]);

    let mut process = story.start("flush.size=1");
    let is_refused = |process: &Connect| {
        process.problems().iter().any(|problem| problem.contains("401") && problem.contains("basic.auth.credentials.source"))
    };
    wait_until("readiness says that nobody is named", PATIENCE, || is_refused(&process));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());

    let user =
        "flush.size=1\nvalue.converter.basic.auth.credentials.source=USER_INFO\nvalue.converter.basic.auth.user.info=user:p@ss";
    let mut process = story.start(user);
    wait_until("all is committed", PATIENCE, || story.has_committed(1));
    assert!(process.stop(Duration::from_secs(20)).success() && !process.log().contains("p@ss"), "{}", process.log());
    assert_eq!(story.written(), [json!({ "part": { "price": { "cents": 7 } }, "sum": { "cents": 8 } })]);
    story.cluster.delete_topic(&story.name);
}

#[test]
fn a_subject_by_another_name_is_said_with_the_key_that_names_it() {
    let Some(story) = Story::begin("registry-subject") else { return };
    story.cluster.create_topic(&story.name, 1, &[]);
    story.registry.register(
        1,
        "n.R",
        &json!({ "type": "record", "name": "R", "namespace": "n", "fields": [{ "name": "a", "type": "int" }] }),
    );
    story.produce(&[vec![0, 0, 0, 0, 1, 14]]);
    let mut process = story.start("flush.size=1");
    wait_until("the task has failed", PATIENCE, || process.has_failed_task());
    process.stop(Duration::from_secs(20));
    let log = process.log();
    assert!(log.contains(&format!("has no version in the subject {}-value", story.name)), "{log}");
    assert!(log.contains("`value.subject.name.strategy`"), "{log}");

    let strategy = "value.converter.value.subject.name.strategy=io.confluent.kafka.serializers.subject.RecordNameStrategy";
    let mut process = story.start(&format!("flush.size=1\n{strategy}"));
    wait_until("all is committed", PATIENCE, || story.has_committed(1));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert_eq!(story.written(), [json!({ "a": 7 })]);
    story.cluster.delete_topic(&story.name);
}

#[test]
fn a_real_registry_serves_references_and_schemas_that_change_in_mid_topic() {
    let (Some(story), Some(real)) = (Story::begin("real-registry"), RealRegistry::from_environment("a real registry")) else {
        return;
    };
    story.cluster.create_topic(&story.name, 1, &[]);
    let (subject, none) = (format!("{}-value", story.name), json!([]));
    let money_name = format!("money-{}", std::process::id());
    let money = json!({ "type": "record", "name": "Money", "namespace": "m", "fields": [{ "name": "cents", "type": "long" }] });
    let first = json!({ "type": "record", "name": "Order", "namespace": "o", "fields": [{ "name": "price", "type": "m.Money" }] });
    let mut second = first.clone();
    second["fields"].as_array_mut().expect("fields").push(json!({ "name": "note", "type": ["null", "string"], "default": null }));
    real.register(&money_name, &money, &none);
    let references = json!([{ "name": "m.Money", "subject": money_name, "version": 1 }]);
    let ids = [&first, &second].map(|schema| real.register(&subject, schema, &references));

    let message = |id: u8, rest: &[u8]| [&[0, 0, 0, 0, id], rest].concat();
    story.produce(&[message(ids[0], &[2]), message(ids[1], &[4, 2, 2, b'x']), message(ids[0], &[6]), message(ids[1], &[8, 0])]);
    story.write_two_versions(&real, "avro.AvroConverter", "format.class=io.confluent.connect.s3.format.avro.AvroFormat");
    let order = |cents: i64, note: Value| json!({ "price": { "cents": cents }, "note": note });
    let expected = [json!({ "price": { "cents": 1 } }), order(2, json!("x")), order(3, Value::Null)];
    assert_eq!(story.written(), expected);
}

#[test]
fn a_real_registry_serves_protobuf_with_references_and_schemas_that_change_in_mid_topic() {
    let (Some(story), Some(real)) = (Story::begin("real-protobuf"), RealRegistry::from_environment("a real registry")) else {
        return;
    };
    story.cluster.create_topic(&story.name, 1, &[]);
    let (subject, none) = (format!("{}-value", story.name), json!([]));
    let money_name = format!("money-proto-{}", std::process::id());
    real.register_as("PROTOBUF", &money_name, "syntax = \"proto3\";\npackage m;\nmessage Money { int64 cents = 1; }", &none);
    let references = json!([{ "name": "m/money.proto", "subject": money_name, "version": 1 }]);
    let order = |more: &str| {
        format!(
            "syntax = \"proto3\";\npackage o;\nimport \"m/money.proto\";\nimport \"google/protobuf/timestamp.proto\";\n\
             message Order {{ m.Money price = 1; google.protobuf.Timestamp at = 2; {more} }}"
        )
    };
    let ids =
        [order(""), order("optional string note = 3;")].map(|schema| real.register_as("PROTOBUF", &subject, &schema, &references));

    let message = |id: u8, rest: &[u8]| [&[0, 0, 0, 0, id, 0], rest].concat();
    let price = |cents: u8| [0x0a, 2, 0x08, cents, 0x12, 2, 0x08, 7];
    let noted = [&price(2)[..], &[0x1a, 1, b'x']].concat();
    story.produce(&[message(ids[0], &price(1)), message(ids[1], &noted), message(ids[0], &price(3)), message(ids[1], &[])]);
    story.write_two_versions(&real, "protobuf.ProtobufConverter", "");
    let order = |cents: i64, note: Value| json!({ "price": { "cents": cents }, "at": 7_000, "note": note });
    assert_eq!(story.written(), [json!({ "price": { "cents": 1 }, "at": 7_000 }), order(2, json!("x")), order(3, Value::Null)]);
}

#[test]
fn a_real_registry_serves_json_schemas_with_references_that_change_in_mid_topic() {
    let (Some(story), Some(real)) = (Story::begin("real-json-schema"), RealRegistry::from_environment("a real registry")) else {
        return;
    };
    story.cluster.create_topic(&story.name, 1, &[]);
    let (subject, none) = (format!("{}-value", story.name), json!([]));
    let money_name = format!("money-json-{}", std::process::id());
    let money = json!({ "type": "object", "title": "Money", "properties": { "cents": { "type": "integer" } } });
    real.register_as("JSON", &money_name, &money.to_string(), &none);
    let references = json!([{ "name": "money.json", "subject": money_name, "version": 1 }]);
    let first = json!({ "type": "object", "title": "Order", "additionalProperties": false, "properties": {
        "price": { "$ref": "money.json" }, "kind": { "enum": ["A", "B"] },
    } });
    let mut second = first.clone();
    second["properties"]["note"] = json!({ "oneOf": [{ "type": "null" }, { "type": "string" }] });
    let ids = [&first, &second].map(|schema| real.register_as("JSON", &subject, &schema.to_string(), &references));

    let message = |id: u8, value: Value| [&[0, 0, 0, 0, id], value.to_string().as_bytes()].concat();
    let order = |cents: i64| json!({ "price": { "cents": cents }, "kind": "A" });
    let noted = |cents: i64, note: Value| json!({ "price": { "cents": cents }, "kind": "A", "note": note });
    story.produce(&[
        message(ids[0], order(1)),
        message(ids[1], noted(2, json!("x"))),
        message(ids[0], order(3)),
        message(ids[1], order(4)),
    ]);
    story.write_two_versions(&real, "json.JsonSchemaConverter", "");
    assert_eq!(story.written(), [order(1), noted(2, json!("x")), noted(3, Value::Null)]);
}

/// A call of Glue's API at the server that stands in for AWS.
fn glue(url: &str, action: &str, body: &Value) -> Value {
    // Who asks matters not; that it is a request to Glue does.
    let credential = "Credential=AK/20260101/us-east-1/glue/aws4_request, SignedHeaders=host, Signature=none";
    let target = format!(
        "Authorization: AWS4-HMAC-SHA256 {credential}\r\nX-Amz-Target: AWSGlue.{action}\r\nContent-Type: application/x-amz-json-1.1\r\n"
    );
    let answer = post(url, "/", &target, &body.to_string());
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).unwrap_or_else(|_| panic!("{answer}"))
}

/// Of a schema that is registered there, what stands in front of its messages.
struct GlueSchema([u8; 16]);

impl GlueSchema {
    /// `format`: `AVRO`, `JSON` or `PROTOBUF`.
    fn register(story: &Story, format: &str, definition: &str) -> Self {
        let url = story.bucket.url();
        glue(url, "CreateRegistry", &json!({ "RegistryName": story.name }));
        let created = json!({ "RegistryId": { "RegistryName": story.name }, "SchemaName": format, "DataFormat": format,
            "Compatibility": "BACKWARD", "SchemaDefinition": definition });
        let created = glue(url, "CreateSchema", &created);
        let id = created["SchemaVersionId"].as_str().unwrap_or_else(|| panic!("{created}")).replace('-', "");
        Self(std::array::from_fn(|byte| u8::from_str_radix(&id[2 * byte..2 * byte + 2], 16).expect("hexadecimal")))
    }

    fn plain(&self, payload: &[u8]) -> Vec<u8> {
        [&[3, 0], &self.0[..], payload].concat()
    }

    fn compressed(&self, payload: &[u8]) -> Vec<u8> {
        let mut compressed = flate2::write::ZlibEncoder::new([&[3, 5], &self.0[..]].concat(), flate2::Compression::fast());
        compressed.write_all(payload).expect("memory takes it");
        compressed.finish().expect("memory takes it")
    }
}

/// Writes with a converter of this name, in a file for each record.
fn write_with_glue(story: &Story, records: i64, converter: &str, more: &str) -> String {
    let converter = format!(
        "value.converter=com.amazonaws.services.schemaregistry.kafkaconnect.{converter}\nvalue.converter.region=us-east-1\n\
         value.converter.endpoint={}\nvalue.converter.registry.name=r\nerrors.tolerance=all\n{more}",
        story.bucket.url()
    );
    let more = format!("flush.size=1\n{converter}");
    let file = connector(&story.name, &story.name, &story.bucket, story.bucket.url(), &more);
    let mut process = Connect::start(&scratch(&story.name), &worker(&story.cluster), &file);
    wait_until("all is committed", PATIENCE, || story.has_committed(records));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    story.cluster.delete_topic(&story.name);
    process.log()
}

#[test]
fn schemas_of_the_glue_registry_are_read_plain_and_compressed() {
    let Some(story) = Story::begin("glue") else { return };
    story.cluster.create_topic(&story.name, 1, &[]);
    let schema =
        json!({ "type": "record", "name": "R", "fields": [{ "name": "a", "type": "int" }, { "name": "s", "type": "string" }] });
    let schema = GlueSchema::register(&story, "AVRO", &schema.to_string());
    let unknown = GlueSchema([7; 16]).plain(&[2]);
    story.produce(&[schema.plain(&[2, 2, b'x']), unknown, schema.compressed(&[4, 2, b'y'])]);
    let more = "value.converter.schemaAutoRegistrationEnabled=true\nvalue.converter.avroRecordType=GENERIC_RECORD";
    let log = write_with_glue(&story, 3, "AWSKafkaAvroConverter", more);
    assert_eq!(story.written(), [json!({ "a": 1, "s": "x" }), json!({ "a": 2, "s": "y" })]);
    assert!(log.contains("the Glue Schema Registry has no such schema"), "{log}");
}

#[test]
fn json_schemas_of_the_glue_registry_are_read_plain_and_compressed_and_others_are_refused_by_name() {
    let Some(story) = Story::begin("glue-json") else { return };
    story.cluster.create_topic(&story.name, 1, &[]);
    let schema = json!({ "type": "object", "properties": {
        "a": { "type": "integer" }, "s": { "oneOf": [{ "type": "null" }, { "type": "string" }] } } });
    let schema = GlueSchema::register(&story, "JSON", &schema.to_string());
    let avro = GlueSchema::register(&story, "AVRO", "\"int\"");
    story.produce(&[schema.plain(br#"{"a":1,"s":"x"}"#), avro.plain(&[2]), schema.compressed(br#"{"a":2}"#)]);
    let log = write_with_glue(&story, 3, "jsonschema.JsonSchemaConverter", "");
    assert_eq!(story.written(), [json!({ "a": 1, "s": "x" }), json!({ "a": 2, "s": null })]);
    assert!(log.contains("the data format AVRO, and not of JSON: com.amazonaws"), "{log}");
    assert!(log.contains("AWSKafkaAvroConverter reads that"), "{log}");
}

#[test]
fn protobuf_schemas_of_the_glue_registry_are_read_plain_and_compressed() {
    let Some(story) = Story::begin("glue-protobuf") else { return };
    story.cluster.create_topic(&story.name, 1, &[]);
    // By name `p.Before` comes first, and then the messages in the other one.
    let schema =
        "syntax = \"proto3\"; package p; message Order { message Line { int64 cents = 1; } Line line = 1; string note = 2; }
        message Before { int32 x = 1; }";
    let schema = GlueSchema::register(&story, "PROTOBUF", schema);
    let (order, line) = ([1, 0x0a, 2, 0x08, 7, 0x12, 1, b'x'], [2, 0x08, 9]);
    story.produce(&[schema.plain(&order), schema.compressed(&line), schema.plain(&[3]), schema.plain(&[0, 0x08, 5])]);
    let more = "value.converter.protobufMessageType=DYNAMIC_MESSAGE";
    let log = write_with_glue(&story, 4, "protobuf.ProtobufSchemaConverter", more);
    let order = json!({ "line": { "cents": 7 }, "note": "x" });
    assert_eq!(story.written(), [order, json!({ "cents": 9 }), json!({ "x": 5 })]);
    assert!(log.contains("the schema has no message type with the numbers [3]"), "{log}");
}
