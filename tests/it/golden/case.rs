//! One case of `tests/golden/cases` as data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cluster::Record;
use crate::registry_server::RegistryServer;

pub(super) struct Case {
    pub(super) name: String,
    directory: PathBuf,
    pub(super) connector: String,
    pub(super) worker: String,
    pub(super) records: Vec<Record>,
    pub(super) steps: Vec<Value>,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) objects: BTreeMap<String, Expected>,
    /// Records of the dead letter queue, if the case looks at it.
    pub(super) dead_letters: Option<Vec<Record>>,
    pub(super) final_state: String,
}

/// What was there at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) when: String,
    pub(super) committed: BTreeMap<(String, i32), i64>,
    pub(super) keys: Vec<String>,
    pub(super) failed: bool,
}

/// An object of the JVM's.
pub(super) struct Expected {
    pub(super) size: usize,
    /// Not stored above 2 MB.
    pub(super) body: Option<Vec<u8>>,
    pub(super) content_type: Option<String>,
    /// Empty where it was not looked for any.
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The names of all cases.
pub(super) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("cases")).expect("the cases");
    let directories = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut names: Vec<String> = directories.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

impl Case {
    pub(super) fn load(name: &str) -> Self {
        let directory = root().join("cases").join(name);
        let text = |file: &str| std::fs::read_to_string(directory.join(file)).ok();
        let json = |file: &str| text(file).map(|text| serde_json::from_str::<Value>(&text).expect("valid JSON"));
        let records = text("records.jsonl").unwrap_or_default();
        let list = |value: Option<Value>| value.and_then(|value| value.as_array().cloned()).unwrap_or_default();
        let case = json("case.json").expect("case.json");
        let mut loaded = Self {
            name: name.to_owned(),
            connector: text("connector.properties").expect("connector.properties"),
            worker: text("worker.properties").unwrap_or_default(),
            records: records.lines().map(|line| record(&serde_json::from_str(line).expect("valid JSON"))).collect(),
            steps: list(json("steps.json")),
            snapshots: list(json("committed.json")).iter().map(snapshot).collect(),
            objects: BTreeMap::new(),
            dead_letters: json("dlq.json").map(|value| list(Some(value)).iter().map(record).collect()),
            final_state: case["final_state"].as_str().expect("a state").to_owned(),
            directory: directory.clone(),
        };
        let paths = json("expected-paths.json").unwrap_or_default();
        for object in list(json("expected.json")) {
            let key = object["key"].as_str().expect("a key").to_owned();
            let path = paths[&key].as_str().map_or_else(|| Path::new("expected").join(&key), expected_path);
            let stored = object["body_not_stored"].as_bool() != Some(true);
            let expected = Expected {
                size: usize::try_from(object["size"].as_u64().expect("a size")).expect("a size"),
                body: stored.then(|| std::fs::read(loaded.directory.join(&path)).expect("a stored body")),
                content_type: object["content_type"].as_str().map(str::to_owned),
                tags: tags(&object["tags"]),
            };
            loaded.objects.insert(key, expected);
        }
        loaded
    }

    /// Topics that a step creates, with their partitions at the end.
    pub(super) fn partitions(&self) -> Vec<(String, i32)> {
        let mut partitions: Vec<(String, i32)> = Vec::new();
        for step in &self.steps {
            if step["op"] == "create topic" {
                let topic = step["topic"].as_str().expect("a topic");
                let count = i32::try_from(step["partitions"].as_i64().expect("a count")).expect("a count");
                partitions.extend((0..count).map(|partition| (topic.to_owned(), partition)));
            }
            for produced in step["offsets"].as_object().into_iter().flatten() {
                let partition = topic_partition(produced.0);
                if !partitions.contains(&partition) {
                    partitions.push(partition);
                }
            }
        }
        partitions
    }

    /// A registry with the case's schemas, where it has any.
    pub(super) fn registry(&self) -> Option<RegistryServer> {
        let text = std::fs::read_to_string(self.directory.join("schemas.json")).ok()?;
        let schemas: Value = serde_json::from_str(&text).expect("valid JSON");
        let topic = self.partitions().remove(0).0;
        let server = RegistryServer::start();
        for (id, schema) in schemas.get("by_id").unwrap_or(&schemas).as_object().expect("schemas by id") {
            server.register(id.parse().expect("an id"), &format!("{topic}-value"), schema);
        }
        Some(server)
    }

    /// A value of the connector's file, read loosely.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.connector.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    }
}

fn expected_path(path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.starts_with("expected") { path.to_owned() } else { Path::new("expected").join(path) }
}

pub(super) fn topic_partition(text: &str) -> (String, i32) {
    let (topic, partition) = text.rsplit_once('-').expect("topic-partition");
    (topic.to_owned(), partition.parse().expect("a partition"))
}

fn tags(value: &Value) -> BTreeMap<String, String> {
    let tags = value.as_object().into_iter().flatten();
    tags.map(|(key, value)| (key.clone(), value.as_str().expect("a text").to_owned())).collect()
}

fn snapshot(value: &Value) -> Snapshot {
    let offsets = value["offsets"].as_object().into_iter().flatten();
    let keys = value["keys"].as_array().into_iter().flatten();
    let states = value["task_states"].as_array().into_iter().flatten();
    Snapshot {
        when: value["when"].as_str().unwrap_or_default().to_owned(),
        committed: offsets.map(|(at, offset)| (topic_partition(at), offset.as_i64().expect("an offset"))).collect(),
        keys: keys.map(|key| key.as_str().expect("a key").to_owned()).collect(),
        failed: states.into_iter().any(|state| state == "FAILED"),
    }
}

fn record(value: &Value) -> Record {
    let bytes = |value: &Value| value.as_str().map(decode_base64);
    let headers = value["headers"].as_array().into_iter().flatten();
    let mut record = Record {
        topic: value["topic"].as_str().expect("a topic").to_owned(),
        partition: i32::try_from(value["partition"].as_i64().expect("a partition")).expect("a partition"),
        offset: value["offset"].as_i64().expect("an offset"),
        timestamp: value["timestamp"].as_i64(),
        key: bytes(&value["key_b64"]),
        value: bytes(&value["value_b64"]),
        headers: headers.map(|header| (header[0].as_str().expect("a name").to_owned(), bytes(&header[1]))).collect(),
    };
    if let Some(size) = value["value_not_stored"]["size"].as_u64() {
        record.value = Some(big_value(&record, usize::try_from(size).expect("a size")));
    }
    record
}

/// Values too big to store, as the notes of the two cases that have them say.
fn big_value(record: &Record, size: usize) -> Vec<u8> {
    if record.topic == "mp1" {
        let i = record.offset;
        return format!(r#"{{"i":{i},"pad":"{}"}}"#, format!("{i:08}").repeat(50_000)).into_bytes();
    }
    vec![if record.offset == 0 { b'a' } else { b'b' }; size]
}

fn decode_base64(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for character in text.bytes().filter(|byte| *byte != b'=') {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            other => panic!("not base64: {other}"),
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    bytes
}
