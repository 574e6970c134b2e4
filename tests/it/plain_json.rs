//! The topics of the Pinterest pipeline, plain JSON without a schema, as Avro and Parquet files: their schema is given, or inferred.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, Record, wait_until};
use crate::crash::Victim;
use crate::files::worker;
use crate::numbered::assert_nothing_changed;
use crate::pinterest::{Dataset, TABLES};
use crate::process::{Connect, scratch};
use crate::real_registry::RealRegistry;
use crate::typed;

const PATIENCE: Duration = Duration::from_secs(90);
const ROWS: u32 = 60;
const PARTITIONS: i32 = 2;
const FORMATS: [&str; 2] = ["avro.AvroFormat", "parquet.ParquetFormat"];

/// Three topics, with a record in each that no schema of theirs takes.
struct Story {
    cluster: Cluster,
    bucket: Bucket,
    name: String,
    directory: PathBuf,
    /// By topic.
    expected: BTreeMap<String, Vec<Value>>,
}

impl Story {
    fn begin(test: &str) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let bucket = Bucket::create(Server::Moto, test)?;
        let name = format!("{test}-{}", std::process::id());
        let story = Self { cluster, bucket, directory: scratch(&name), name, expected: BTreeMap::new() };
        story.cluster.create_topic(&story.queue(), 1, &[]);
        for topic in story.topics() {
            story.cluster.create_topic(&topic, PARTITIONS, &[]);
        }
        Some(story)
    }

    /// Each topic gets these rows.
    fn write_rows(&mut self, rows: Range<u32>) {
        let dataset = Dataset::new();
        for (table, topic) in self.topics().into_iter().enumerate() {
            let values: Vec<_> = rows.clone().map(|row| dataset.posting(row)[table].clone()).collect();
            self.produce(&topic, &values);
            let read = values.iter().map(|value| serde_json::from_str::<Value>(value).expect("JSON"));
            self.expected.entry(topic).or_default().extend(read);
        }
    }

    fn write_misfits(&self) {
        for (topic, misfit) in self.topics().iter().zip(MISFITS) {
            self.produce(topic, &[misfit.to_owned()]);
        }
    }

    fn topics(&self) -> [String; 3] {
        TABLES.map(|table| format!("{}.{table}", self.name))
    }

    fn queue(&self) -> String {
        format!("{}.dlq", self.name)
    }

    fn produce(&self, topic: &str, values: &[String]) {
        let record = |(row, value): (i32, &String)| Record {
            topic: topic.to_owned(),
            partition: row % PARTITIONS,
            value: Some(value.clone().into_bytes()),
            ..Record::default()
        };
        self.cluster.produce(&(0..).zip(values).map(record).collect::<Vec<_>>());
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.directory.join(name), text).expect("a file");
    }

    fn start(&self, format: &str, more: &str) -> Connect {
        let (name, topics) = (&self.name, self.topics().join(","));
        let file = format!(
            "name={name}\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics={topics}\n\
             format.class=io.confluent.connect.s3.format.{format}\nstorage.class=io.confluent.connect.s3.storage.S3Storage\ns3.region=us-east-1\n\
             s3.bucket.name={}\nstore.url={}\nflush.size=7\nrotate.schedule.interval.ms=2000\ntimezone=UTC\n\
             consumer.override.session.timeout.ms=2000\nconsumer.override.heartbeat.interval.ms=500\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n\
             errors.tolerance=all\nerrors.deadletterqueue.topic.name={}\nerrors.deadletterqueue.topic.replication.factor=1\n\
             errors.deadletterqueue.context.headers.enable=true\n{more}\n",
            self.bucket.name(),
            self.bucket.url(),
            self.queue(),
        );
        Connect::start(&self.directory, &worker(&self.cluster), &file)
    }

    fn is_committed(&self) -> bool {
        let partitions: Vec<_> =
            self.topics().into_iter().flat_map(|topic| (0..PARTITIONS).map(move |partition| (topic.clone(), partition))).collect();
        let committed = self.cluster.committed(&format!("connect-{}", self.name), &partitions);
        let end = |(topic, partition): &(String, i32)| self.cluster.end_offset(topic, *partition);
        partitions.iter().all(|partition| committed.get(partition) == Some(&end(partition)))
    }

    fn run(&self, format: &str, more: &str) -> String {
        let mut process = self.start(format, more);
        wait_until("all is committed", PATIENCE, || self.is_committed());
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        process.log()
    }

    /// Times of places, as a schema with timestamps has them.
    fn expect_timestamps(&mut self) {
        for place in self.expected.values_mut().flatten().filter(|record| record.get("timestamp").is_some()) {
            let time: jiff::civil::DateTime = place["timestamp"].as_str().expect("a text").parse().expect("a time");
            place["timestamp"] = json!(time.in_tz("UTC").expect("UTC").timestamp().as_millisecond());
        }
    }

    /// Each record once, whatever its file; those of a topic in the order of their first member.
    fn assert_written(&self) {
        for (topic, expected) in &self.expected {
            let objects = self.bucket.objects();
            let of_topic = objects.iter().filter(|(key, _)| key.starts_with(&format!("topics/{topic}/partition=")));
            let mut written: Vec<_> = of_topic.flat_map(|(key, object)| typed::records(key, &object.body)).collect();
            written.sort_by_key(|record| record.as_object().and_then(|record| record.values().next()?.as_i64()));
            assert_eq!(&written, expected, "{topic}");
        }
    }

    /// Each record that fits no schema is in the dead letter queue, with a word about the member.
    fn assert_dead_letters(&self) {
        let letters = self.cluster.read_all(&self.queue());
        let texts: Vec<_> =
            letters.iter().map(|letter| String::from_utf8_lossy(letter.value.as_deref().unwrap_or_default())).collect();
        for misfit in MISFITS {
            assert_eq!(texts.iter().filter(|text| *text == misfit).count(), 1, "{misfit} in {texts:?}");
        }
        assert_eq!(letters.len(), MISFITS.len());
        for letter in &letters {
            let text =
                letter.headers.iter().map(|(_, value)| String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned());
            assert!(text.collect::<String>().contains("the member "), "{letter:?}");
        }
    }

    /// The schemas that are kept beside the files, by topic.
    fn inferred(&self) -> BTreeMap<String, Vec<u8>> {
        let object = |topic: String| {
            let object = self.bucket.get(&format!("topics/{topic}/_schema.avsc"));
            (topic, object.body)
        };
        self.topics().into_iter().map(object).collect()
    }

    fn end(&self) {
        self.topics().iter().chain([&self.queue()]).for_each(|topic| self.cluster.delete_topic(topic));
    }
}

const MISFITS: [&str; 3] =
    [r#"{"index":"not a number","unique_id":"x"}"#, r#"{"ind":1,"latitude":"north"}"#, r#"{"ind":9223372036854775808}"#];

fn fields(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(name, kind)| json!({ "name": name, "type": ["null", kind], "default": null })).collect()
}

fn pin() -> Value {
    let texts =
        ["unique_id", "title", "description", "poster_name", "follower_count", "tag_list", "is_image_or_video", "image_src"];
    let all: Vec<_> = [("index", "long")]
        .into_iter()
        .chain(texts.map(|name| (name, "string")))
        .chain([("downloaded", "int"), ("save_location", "string"), ("category", "string")])
        .collect();
    json!({ "type": "record", "name": "Pin", "fields": fields(&all) })
}

fn user() -> Value {
    let text = json!({ "type": "string" });
    json!({ "type": "object", "title": "User", "properties": {
        "ind": { "type": "integer" }, "first_name": text, "last_name": text, "age": { "type": "integer", "connect.type": "int32" },
        "date_joined": text,
    } })
}

const GEO: [(&str, &str); 5] =
    [("ind", "long"), ("timestamp", "string"), ("latitude", "double"), ("longitude", "double"), ("country", "string")];

fn geo() -> Value {
    json!({ "type": "struct", "name": "Geo", "fields": [
        { "field": "ind", "type": "int64" },
        { "field": "timestamp", "type": "int64", "optional": true, "version": 1, "name": "org.apache.kafka.connect.data.Timestamp" },
        { "field": "latitude", "type": "double", "optional": true },
        { "field": "longitude", "type": "double", "optional": true },
        { "field": "country", "type": "string", "optional": true },
    ] })
}

#[test]
fn schemas_in_files_of_three_languages_make_avro_and_parquet_of_plain_json() {
    for format in FORMATS {
        let Some(mut story) = Story::begin(&format!("given-{}", &format[..4])) else { return };
        story.write_rows(0..ROWS);
        story.write_misfits();
        let [pins, places, users] = story.topics();
        story.expect_timestamps();
        for (topic, schema) in [(&pins, pin()), (&users, user())] {
            story.file(&format!("{topic}.schema"), &schema.to_string());
        }
        let path = format!("value.converter.schema.file={}/{{topic}}.schema", story.directory.display());
        let mut process = story.start(format, &path);
        // One of the files is not there yet: nothing of its topic is lost meanwhile.
        let says_so = |process: &Connect| process.problems().iter().any(|problem| problem.contains(&format!("{places}.schema")));
        wait_until("readiness names the file", PATIENCE, || says_so(&process));
        story.file(&format!("{places}.schema"), &geo().to_string());
        wait_until("all is committed", PATIENCE, || story.is_committed());
        assert!(process.stop(Duration::from_secs(20)).success() && !process.log().contains("ERROR"), "{}", process.log());
        story.assert_written();
        story.assert_dead_letters();
        story.end();
    }
}

#[test]
fn the_latest_schema_of_a_subject_makes_avro_and_parquet_of_plain_json() {
    for format in FORMATS {
        let test = format!("subject-{}", &format[..4]);
        let (Some(mut story), Some(registry)) = (Story::begin(&test), RealRegistry::from_environment(&test)) else { return };
        story.write_rows(0..ROWS);
        story.write_misfits();
        let [pins, places, users] = story.topics();
        let first = json!({ "type": "record", "name": "Geo", "fields": [{ "name": "ind", "type": "long" }] });
        let latest = json!({ "type": "record", "name": "Geo", "fields": fields(&GEO) });
        registry.register(&format!("{pins}-value"), &pin(), &json!([]));
        registry.register(&format!("{places}-value"), &first, &json!([]));
        registry.register(&format!("{places}-value"), &latest, &json!([]));
        let settings =
            format!("value.converter.schema.subject={{topic}}-value\nvalue.converter.schema.registry.url={}", registry.url);
        let mut process = story.start(format, &settings);
        // One of the subjects is not there yet: nothing of its topic is lost meanwhile.
        let says_so = |process: &Connect| process.problems().iter().any(|problem| problem.contains(&format!("{users}-value")));
        wait_until("readiness names the subject", PATIENCE, || says_so(&process));
        registry.register_as("JSON", &format!("{users}-value"), &user().to_string(), &json!([]));
        wait_until("all is committed", PATIENCE, || story.is_committed());
        assert!(process.stop(Duration::from_secs(20)).success() && !process.log().contains("ERROR"), "{}", process.log());
        story.assert_written();
        story.assert_dead_letters();
        story.end();
    }
}

#[test]
fn a_schema_that_was_inferred_once_holds_for_two_tasks_and_a_restart() {
    for format in FORMATS {
        let Some(mut story) = Story::begin(&format!("inferred-{}", &format[..4])) else { return };
        story.write_rows(0..ROWS);
        let mut process = story.start(format, "schema.infer=true\ntasks.max=2");
        wait_until("all is committed", PATIENCE, || story.is_committed());
        let schemas = story.inferred();
        story.write_misfits();
        story.write_rows(ROWS..ROWS + 10);
        wait_until("all is committed", PATIENCE, || story.is_committed());
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        // What another run reads first would be a schema of its own.
        for topic in story.topics() {
            story.produce(&topic, &[r#"{"unlike":"all others"}"#.to_owned()]);
        }
        story.write_rows(ROWS + 10..ROWS + 20);
        story.run(format, "schema.infer=true\nerrors.deadletterqueue.topic.name=\nerrors.log.enable=true");
        assert_eq!(story.inferred(), schemas);
        let places: Value = serde_json::from_slice(&schemas[&story.topics()[1]]).expect("JSON");
        assert_eq!(places["fields"], fields(&GEO));
        story.assert_written();
        story.assert_dead_letters();
        story.end();
    }
}

#[test]
fn a_schema_that_an_operator_has_put_beside_the_files_is_heeded() {
    let Some(mut story) = Story::begin("edited-schema") else { return };
    let [pins, places, users] = story.topics();
    let mut edited = json!({ "type": "record", "name": "Geo", "fields": fields(&GEO) });
    edited["fields"][1]["type"][1] = json!({ "type": "long", "logicalType": "timestamp-millis" });
    edited["fields"].as_array_mut().expect("fields").push(json!({ "name": "more", "type": ["null", "string"], "default": null }));
    let key = format!("topics/{places}/_schema.avsc");
    story.bucket.put(&key, b"{");
    story.write_rows(0..ROWS);
    let more = format!("schema.infer=true\nschema.infer.topics={pins},{places},{users}\nschema.unknown.fields=ignore");
    let mut process = story.start("parquet.ParquetFormat", &more);
    let says_so =
        |process: &Connect| process.problems().iter().any(|problem| problem.contains(&key) && problem.contains("Mend it"));
    wait_until("readiness names the object", PATIENCE, || says_so(&process));
    story.bucket.put(&key, edited.to_string().as_bytes());
    wait_until("all is committed", PATIENCE, || story.is_committed());
    wait_until("it is ready", PATIENCE, || process.is_ready());
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    story.expect_timestamps();
    for place in story.expected.get_mut(&places).expect("places") {
        place["more"] = Value::Null;
    }
    story.assert_written();
    story.end();
}

#[test]
fn kills_between_an_inferred_schema_and_its_files_lose_nothing_and_leave_one_schema() {
    let Some(mut victim) = Victim::create("inferred-schema") else { return };
    let settings = "format.class=io.confluent.connect.s3.format.parquet.ParquetFormat\nflush.size=10\nschema.infer=true\ntasks.max=2\nrecovery.hold.ms=0";
    victim.suffer_with(|_| settings.to_owned(), |victim| victim.records.write(&victim.cluster, 50));
    victim.finish_with(settings, |victim| {
        victim.records.assert_exactly_once(&victim.bucket);
        // The schema's object is among those that have one version.
        assert_nothing_changed(&victim.bucket);
        assert_eq!(victim.bucket.keys().iter().filter(|key| key.ends_with("/_schema.avsc")).count(), 1);
    });
}
