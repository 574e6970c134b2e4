//! What a bucket holds of a topic whose records have vanished in part, against what is in its log now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bucket::Bucket;
use crate::cluster::Cluster;
use crate::vanishing::{SHARED_KEY, Vanishing};

/// Where a record is: partition, log, offset.
type Place = (i32, u64, i64);

/// The objects in which each record was found, and what is wrong with objects by themselves.
struct Account {
    found: BTreeMap<Place, Vec<String>>,
    /// How often each key of a partition is in files of keys. Those of values need not hold the same records: each file of a group is made once, from
    /// what is in the log then.
    keys: BTreeMap<(i32, String), usize>,
    wrong: Vec<String>,
}

impl Vanishing {
    /// Panics unless every record that is in the log is in the bucket exactly once; every other, of this log or an earlier one, at most once; no object
    /// holds records of two logs; and no object has changed after it appeared, except that a record of a newer log has taken its name.
    pub(crate) fn assert_accounted_for(&self, cluster: &Cluster, bucket: &Bucket) {
        let Account { mut found, keys, mut wrong } = self.read(bucket);
        let (has_keys, in_log) = (!keys.is_empty(), cluster.read_all(&self.topic));
        let record = |(partition, log, n): Place| format!("{}-{partition} {n} of log {log}", self.topic);
        for (place, keys) in &found {
            if keys.len() > 1 {
                wrong.push(format!("{} is in {}", record(*place), keys.join(" and ")));
            }
            if place.1 == self.log && place.2 >= self.written[usize::try_from(place.0).expect("a partition")] {
                wrong.push(format!("{} was never written", record(*place)));
            }
        }
        for there in in_log {
            let place = (there.partition, self.log, there.offset);
            if found.remove(&place).is_none() {
                wrong.push(format!("{} is missing", record(place)));
            }
            if has_keys && !keys.contains_key(&(there.partition, Self::key(there.offset))) {
                wrong.push(format!("the key of {} is missing", record(place)));
            }
        }
        // All other keys are of one record each.
        let doubled = keys.iter().filter(|((_, key), times)| **times > 1 && key != SHARED_KEY);
        wrong.extend(
            doubled.map(|((partition, key), times)| format!("the key {key} of partition {partition} is there {times} times")),
        );
        let total = wrong.len();
        wrong.truncate(20);
        assert!(total == 0, "{total} wrong in {}:\n{}", self.topic, wrong.join("\n"));
    }

    fn read(&self, bucket: &Bucket) -> Account {
        let mut account = Account { found: BTreeMap::new(), keys: BTreeMap::new(), wrong: Vec::new() };
        let versions = bucket.versions();
        for (name, object) in bucket.objects() {
            let text = String::from_utf8(object.body).expect("JSON lines");
            let versions = u64::try_from(versions.get(&name).copied().unwrap_or(0)).expect("few");
            if name.ends_with(".keys.json") {
                account.check_versions(&name, versions, self.log);
                let Some((partition, _)) = named(&self.topic, &name) else { continue };
                for key in text.lines() {
                    *account.keys.entry((partition, key.trim_matches('"').to_owned())).or_default() += 1;
                }
                continue;
            }
            let places: Vec<Place> = text.lines().map(place).collect();
            account.check_versions(&name, versions, places.first().map_or(0, |place| place.1));
            account.check(&self.topic, &name, &places);
        }
        account
    }
}

impl Account {
    /// Each log before this one can have left an object under this name that had to go.
    fn check_versions(&mut self, name: &str, versions: u64, log: u64) {
        if versions > log + 1 {
            self.wrong.push(format!("{name} of log {log} changed after it appeared: {versions} versions"));
        }
    }

    fn check(&mut self, topic: &str, name: &str, places: &[Place]) {
        let Some((partition, first)) = named(topic, name) else { return self.wrong.push(format!("{name} is nobody's")) };
        let logs: BTreeSet<u64> = places.iter().map(|place| place.1).collect();
        if logs.len() > 1 {
            self.wrong.push(format!("{name} mixes the logs {logs:?}"));
        }
        if !places.is_sorted()
            || places.first().is_none_or(|place| place.2 != first)
            || places.iter().any(|place| place.0 != partition)
        {
            self.wrong.push(format!("{name} holds {places:?}"));
        }
        for place in places {
            self.found.entry(*place).or_default().push(name.to_owned());
        }
    }
}

fn place(line: &str) -> Place {
    let value: Value = serde_json::from_str(line).expect("a record");
    let number = |field: &str| value[field].as_i64().expect("a number");
    let (partition, log) = (i32::try_from(number("partition")).expect("a partition"), number("log"));
    (partition, u64::try_from(log).expect("a log"), number("n"))
}

/// Partition and first offset of an object, as its key says.
fn named(topic: &str, key: &str) -> Option<(i32, i64)> {
    let name = key.rsplit('/').next()?.strip_prefix(topic)?.strip_prefix('+')?;
    let (partition, rest) = name.split_once('+')?;
    Some((partition.parse().ok()?, rest.split('.').next()?.parse().ok()?))
}
