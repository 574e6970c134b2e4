//! Avro records of two schemas that take turns: how many objects they make, with an open file for each schema and without, and that a kill in the middle moves
//! none of them.
//!
//! `CONNECT_TEST_ALTERNATING` says how many records there are in all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, Record, wait_until};
use crate::files::{connector, worker};
use crate::process::{Connect, scratch};
use crate::real_registry::RealRegistry;
use crate::s3_server::{Manners, S3Server};
use crate::typed::{long, records};

const PATIENCE: Duration = Duration::from_secs(3_600);
const PARTITIONS: i32 = 4;
const FLUSH_SIZE: i64 = 500;
/// So many records are handed to the producer at once.
const AT_ONCE: i64 = 10_000;

/// A topic whose records are of two schemas in turns, in several partitions.
struct Alternating {
    cluster: Cluster,
    registry: RealRegistry,
    topic: String,
    /// Records of each partition.
    each: i64,
}

impl Alternating {
    /// `all`: so many records, where the environment says nothing else.
    fn write(test: &str, all: i64) -> Option<Self> {
        let (cluster, registry) = (Cluster::from_environment(test)?, RealRegistry::from_environment(test)?);
        let all = std::env::var("CONNECT_TEST_ALTERNATING").map_or(all, |all| all.parse::<i64>().expect("a number"));
        let topic = format!("{test}-{}", std::process::id());
        cluster.create_topic(&topic, PARTITIONS, &[]);
        let first = json!({ "type": "record", "name": "Order", "namespace": "o", "fields": [{ "name": "n", "type": "long" }] });
        let mut second = first.clone();
        second["fields"]
            .as_array_mut()
            .expect("fields")
            .push(json!({ "name": "note", "type": ["null", "string"], "default": null }));
        let ids = [&first, &second].map(|schema| registry.register(&format!("{topic}-value"), schema, &json!([])));
        let story = Self { cluster, registry, topic, each: all / i64::from(PARTITIONS) };
        for partition in 0..PARTITIONS {
            for begin in (0..story.each).step_by(usize::try_from(AT_ONCE).expect("small")) {
                let numbers = begin..story.each.min(begin + AT_ONCE);
                let record =
                    |n: i64| Record { topic: story.topic.clone(), partition, value: Some(message(&ids, n)), ..Record::default() };
                story.cluster.produce(&numbers.map(record).collect::<Vec<_>>());
            }
        }
        Some(story)
    }

    /// One connector over the topic, killed when half of the objects are there: as many of them as `objects` says of each partition, with all records up to
    /// `committed`.
    fn becomes(self, more: &str, objects: i64, committed: i64) {
        // Few objects come too quickly to be killed between.
        let latency = Duration::from_millis(if objects < 500 { 100 } else { 0 });
        let server = S3Server::start(Manners { latency, ..Manners::default() });
        let bucket = Bucket::at(&server.url());
        let name = &self.topic;
        let settings = format!(
            "flush.size={FLUSH_SIZE}\nuploads.in.flight.max=8\nformat.class=io.confluent.connect.s3.format.avro.AvroFormat\n\
             value.converter=io.confluent.connect.avro.AvroConverter\nvalue.converter.schema.registry.url={}\n{more}",
            self.registry.url
        );
        let file = connector(name, name, &bucket, &server.url(), &settings);
        let objects = usize::try_from(objects * i64::from(PARTITIONS)).expect("a count");
        let began = Instant::now();
        let mut process = Connect::start(&scratch(name), &worker(&self.cluster), &file);
        wait_until("half of the objects are there", PATIENCE, || {
            server.count(bucket.name()) >= objects / 2 || !process.is_running()
        });
        process.kill();
        let at_kill = server.count(bucket.name());
        server.behave(Manners::default());
        let mut process = Connect::start(&scratch(name), &worker(&self.cluster), &file);
        let partitions: Vec<_> = (0..PARTITIONS).map(|partition| (self.topic.clone(), partition)).collect();
        let has_committed = || {
            let offsets = self.cluster.committed(&format!("connect-{name}"), &partitions);
            partitions.iter().all(|partition| offsets.get(partition) == Some(&committed))
        };
        wait_until("everything is committed", PATIENCE, || has_committed() || !process.is_running());
        assert!(process.stop(Duration::from_secs(20)).success() && has_committed(), "{}", process.log());
        let (found, all) = (server.count(bucket.name()), self.each * i64::from(PARTITIONS));
        let took = began.elapsed().as_secs_f64();
        crate::say(&format!("{name}: {all} records, {found} objects, {at_kill} at the kill, {took:.1} s"));
        assert_eq!((found, server.replaced(), server.unfinished()), (objects, 0, 0));
        self.assert_account(&server, bucket.name(), committed);
        self.cluster.delete_topic(&self.topic);
    }

    /// Each record once, no two schemas in one object, and the first offset in its name.
    fn assert_account(&self, server: &S3Server, bucket: &str, committed: i64) {
        let mut times = BTreeMap::<(i32, i64), usize>::new();
        for (key, body) in server.objects(bucket) {
            let (place, _) = key.rsplit_once('.').expect("an ending");
            let mut parts = place.rsplit('+').map(|part| part.parse::<i64>().ok());
            let (first, partition) = (parts.next().flatten().expect("an offset"), parts.next().flatten().expect("a partition"));
            let held: Vec<_> = records(&key, &body).into_iter().collect();
            assert_eq!(held.first().and_then(|record| record["n"].as_i64()), Some(first), "{key}");
            for record in held {
                let n = record["n"].as_i64().expect("a number");
                assert!(n % 2 == first % 2 && record.get("note").is_some() == (n % 2 == 1), "{key} holds {record}");
                *times.entry((i32::try_from(partition).expect("a partition"), n)).or_default() += 1;
            }
        }
        let expected = (0..PARTITIONS).flat_map(|partition| (0..committed).map(move |n| (partition, n)));
        let wrong: Vec<_> = expected.filter(|place| times.get(place) != Some(&1)).take(20).collect();
        assert!(wrong.is_empty(), "missing, or there several times: {wrong:?}");
        assert_eq!(i64::try_from(times.len()), Ok(committed * i64::from(PARTITIONS)));
    }
}

/// Even numbers have the first schema, odd ones the second.
fn message(ids: &[u8; 2], n: i64) -> Vec<u8> {
    let is_second = n % 2 == 1;
    let mut bytes = vec![0, 0, 0, 0, ids[usize::from(is_second)]];
    long(n, &mut bytes);
    if is_second {
        // No note.
        bytes.push(0);
    }
    bytes
}

/// As `rotate.file.on.schema.change` is documented: of each `flush.size` records as many objects as there are schemas.
#[test]
fn two_schemas_in_turns_fill_two_objects_where_each_has_an_open_file_whoever_is_killed() {
    let Some(story) = Alternating::write("schema-files", 20_000) else { return };
    let full = story.each / FLUSH_SIZE;
    story.becomes("rotate.file.on.schema.change=false", full * 2, full * FLUSH_SIZE);
}

/// One object for each record, and the last one waits for another.
#[test]
fn two_schemas_in_turns_make_an_object_of_each_record_where_a_schema_closes_files_whoever_is_killed() {
    let Some(story) = Alternating::write("schema-cuts", 4_000) else { return };
    let whole = story.each - 1;
    story.becomes("rotate.file.on.schema.change=true", whole, whole);
}
