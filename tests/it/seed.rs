//! The file that people run on MSK Connect, unchanged but for its placeholders, on a real broker and a real S3 server.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::broker::Broker;
use crate::bucket::{Bucket, Server};
use crate::cluster::{Record, wait_until};
use crate::pinterest::{Dataset, TABLES};
use crate::process::{Connect, scratch};

const ROOT: &str = "126ca3664fbb";

#[test]
fn three_thousand_pinterest_records_become_three_thousand_objects_and_a_new_topic_is_picked_up() {
    let Some(bucket) = Bucket::create(Server::Versitygw, "Pinterest records") else { return };
    let Some(broker) = Broker::start("Pinterest records") else { return };
    let cluster = broker.cluster();
    let dataset = Dataset::new();
    let mut expected = BTreeSet::new();
    let mut values = std::collections::BTreeMap::new();
    for (table, suffix) in TABLES.iter().enumerate() {
        let topic = format!("{ROOT}.{suffix}");
        cluster.create_topic(&topic, 3, &[]);
        let mut records = Vec::new();
        for (index, offset) in (0..1_000_u32).map(|row| (row, i64::from(row / 3))) {
            let partition = i32::try_from(index % 3).unwrap();
            let value = dataset.posting(index)[table].clone();
            let key = format!("topics/{topic}/partition={partition}/{topic}+{partition}+{offset:010}.json");
            values.insert(key.clone(), serde_json::from_str::<Value>(&value).unwrap());
            expected.insert(key);
            records.push(Record { topic: topic.clone(), partition, value: Some(value.into_bytes()), ..Record::default() });
        }
        cluster.produce(&records);
    }

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/msk-s3-sink.properties");
    let file = std::fs::read_to_string(file).unwrap();
    let file = file.replace("<TOPIC_ROOT>", ROOT).replace("<BUCKET_NAME>", bucket.name());
    // MSK Connect gives a name and the endpoint of the region: here both are in the file.
    let file = format!("name=msk\nstore.url={}\n{file}", bucket.url());
    let worker = format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\noffset.flush.interval.ms=1000\n\
         consumer.metadata.max.age.ms=1000\n",
        cluster.bootstrap_servers()
    );
    let mut process = Connect::start(&scratch("seed"), &worker, &file);
    let topics = TABLES.map(|suffix| format!("{ROOT}.{suffix}"));
    let committed = |topics: &[String]| {
        let partitions: Vec<(String, i32)> = topics.iter().flat_map(|topic| (0..3).map(move |p| (topic.clone(), p))).collect();
        let committed = cluster.committed("connect-msk", &partitions);
        partitions.iter().all(|at| committed.get(at).copied().unwrap_or(0) == cluster.end_offset(&at.0, at.1))
    };
    wait_until("committed offsets equal the log ends", Duration::from_secs(90), || committed(&topics));
    let keys: BTreeSet<String> = bucket.keys().into_iter().collect();
    assert_eq!(keys, expected);
    for (key, value) in values.iter().step_by(97) {
        let body = bucket.get(key).body;
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), *value, "{key}");
        assert_eq!(body.iter().filter(|byte| **byte == b'\n').count(), 1, "{key} is one line");
    }

    let fourth = format!("{ROOT}.late");
    cluster.create_topic(&fourth, 3, &[]);
    let records: Vec<Record> = (0..9)
        .map(|n| Record {
            topic: fourth.clone(),
            partition: n % 3,
            value: Some(format!(r#"{{"n":{n}}}"#).into_bytes()),
            ..Record::default()
        })
        .collect();
    cluster.produce(&records);
    wait_until("the fourth topic is committed", Duration::from_secs(40), || committed(std::slice::from_ref(&fourth)));
    assert_eq!(bucket.keys().len(), 3_009);
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
}
