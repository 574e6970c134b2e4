//! The table `tests/golden/COVERAGE.md`: which cases we do as the JVM does, which differently, which not yet.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::case::{Case, Snapshot, root, topic_partition};
use super::run::{Outcome, agrees};

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) status: Status,
    /// Of a case that is not covered yet: what is missing.
    pub(super) features: Vec<String>,
    /// What the process must say: every `quoted` text of a covered or different case's remark.
    pub(super) says: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Does what the JVM does.
    Covered,
    /// Does what `tests/golden/ours/<case>.json` says, on purpose.
    Differs,
    /// Needs something that does not exist yet.
    NotYet,
}

impl Status {
    pub(super) fn runs(self) -> bool {
        self != Self::NotYet
    }
}

pub(super) fn rows() -> Vec<Row> {
    let table = std::fs::read_to_string(root().join("COVERAGE.md")).expect("the table");
    let lines = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    lines.filter(|line| !line.starts_with("case |")).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.splitn(3, " | ").map(str::trim).collect();
    let [case, status, remark] = cells[..] else { panic!("not a row of the table: {line}") };
    let status = match status {
        "covered" => Status::Covered,
        "differs" => Status::Differs,
        "not yet" => Status::NotYet,
        other => panic!("{case}: no such status: {other}"),
    };
    let features = if status == Status::NotYet { remark.split(", ").map(str::to_owned).collect() } else { Vec::new() };
    let says = if status.runs() { remark.split('`').skip(1).step_by(2).map(str::to_owned).collect() } else { Vec::new() };
    Row { case: case.to_owned(), status, features, says }
}

/// What a case's configuration and steps need that does not exist yet.
pub(super) fn missing_features(case: &Case) -> Vec<&'static str> {
    let setting = |key: &str| {
        let of_worker = case.worker.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        case.setting(key).or(of_worker).unwrap_or_default()
    };
    let any_step = |start: &str| case.steps.iter().any(|step| step["op"].as_str().is_some_and(|op| op.starts_with(start)));
    let missing = [("transforms", !setting("transforms").is_empty()), ("REST API", any_step("REST "))];
    missing.iter().filter(|(_, needed)| *needed).map(|(feature, _)| *feature).collect()
}

/// What we do where we differ on purpose.
pub(super) struct Ours(Value);

impl Ours {
    pub(super) fn read(case: &str) -> Self {
        let path = root().join("ours").join(format!("{case}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{case} differs, but ours/{case}.json is missing"));
        Self(serde_json::from_str(&text).expect("valid JSON"))
    }

    pub(super) fn of(outcome: &Outcome) -> Self {
        let objects: BTreeMap<&String, String> =
            outcome.objects.iter().map(|(key, object)| (key, String::from_utf8_lossy(&object.body).into_owned())).collect();
        let snapshots: Vec<Value> = outcome.snapshots.iter().map(as_json).collect();
        Self(json!({ "refused": outcome.refused, "snapshots": snapshots, "objects": objects }))
    }

    pub(super) fn write(&self, case: &str) {
        std::fs::create_dir_all(root().join("ours")).expect("a directory");
        let text = serde_json::to_string_pretty(&self.0).expect("JSON");
        std::fs::write(root().join("ours").join(format!("{case}.json")), text + "\n").expect("it is written");
    }

    /// How many of the JVM's dead letters there are, the last ones, where they are not all; or how many there are, where there are more.
    pub(super) fn dead_letters(&self) -> Option<usize> {
        self.0["dead_letters"].as_u64().and_then(|count| usize::try_from(count).ok())
    }

    pub(super) fn snapshots(&self, case: &Case) -> Vec<Snapshot> {
        let list = self.0["snapshots"].as_array().expect("snapshots");
        list.iter().zip(&case.snapshots).map(|(ours, theirs)| from_json(ours, &theirs.when)).collect()
    }

    pub(super) fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let mut differences = Vec::new();
        let now = Self::of(outcome).0;
        for part in ["refused", "objects"] {
            // Null: chance decides, and both is well.
            if now[part] != self.0[part] && !self.0[part].is_null() {
                differences.push(format!("{part}: {} instead of {}", now[part], self.0[part]));
            }
        }
        let list = self.0["snapshots"].as_array().expect("snapshots");
        for (now, ours) in outcome.snapshots.iter().zip(list) {
            let ours = from_json(ours, "");
            // A process that gives up may or may not have been seen with a failed task before it ended.
            let (any_objects, any_state) = (self.0["objects"].is_null(), outcome.refused);
            let by_chance =
                (any_objects || any_state) && now.committed == ours.committed && (any_state || now.failed == ours.failed);
            if !by_chance && !agrees(now, &ours) {
                differences.push(format!("snapshot: {} instead of {}", as_json(now), as_json(&ours)));
            }
        }
        differences
    }
}

fn as_json(snapshot: &Snapshot) -> Value {
    let committed: BTreeMap<String, i64> =
        snapshot.committed.iter().map(|((topic, partition), offset)| (format!("{topic}-{partition}"), *offset)).collect();
    json!({ "committed": committed, "keys": snapshot.keys, "failed": snapshot.failed })
}

fn from_json(value: &Value, when: &str) -> Snapshot {
    let committed = value["committed"].as_object().expect("offsets").iter();
    let keys = value["keys"].as_array().expect("keys").iter();
    Snapshot {
        when: when.to_owned(),
        committed: committed.map(|(at, offset)| (topic_partition(at), offset.as_i64().expect("an offset"))).collect(),
        keys: keys.map(|key| key.as_str().expect("a key").to_owned()).collect(),
        failed: value["failed"].as_bool().expect("failed"),
    }
}
