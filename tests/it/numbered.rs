//! Records that know their own offset, so that a bucket can be read back and every offset accounted for.

use std::collections::BTreeMap;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, Record};
use crate::typed::{Encoding, records};

/// A topic of numbered records.
pub(crate) struct Numbered {
    pub(crate) topic: String,
    /// How many records each partition has.
    pub(crate) written: Vec<i64>,
    /// What makes a record long.
    padding: String,
    /// Records have keys and headers.
    has_keys: bool,
    encoding: Encoding,
}

impl Numbered {
    pub(crate) fn create(cluster: &Cluster, topic: &str, partitions: i32) -> Self {
        cluster.create_topic(topic, partitions, &[]);
        let written = vec![0; usize::try_from(partitions).expect("a count")];
        Self { topic: topic.to_owned(), written, padding: String::new(), has_keys: false, encoding: Encoding::Plain }
    }

    /// Records will have keys and headers.
    pub(crate) fn with_keys(self) -> Self {
        Self { has_keys: true, ..self }
    }

    /// Records will be written like this.
    pub(crate) fn encode_as(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// Records will be longer by so many bytes.
    pub(crate) fn padded(self, bytes: usize) -> Self {
        Self { padding: ".".repeat(bytes), ..self }
    }

    pub(crate) fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// Adds so many records to every partition.
    pub(crate) fn write(&mut self, cluster: &Cluster, count: i64) {
        let padding = self.padding.clone();
        self.write_each(cluster, count, |_| padding.clone());
    }

    /// The same, with what `padding` makes for each number in place of the padding of all.
    pub(crate) fn write_each(&mut self, cluster: &Cluster, count: i64, mut padding: impl FnMut(i64) -> String) {
        let (mut records, has_keys, encoding) = (Vec::new(), self.has_keys, self.encoding);
        for (partition, written) in (0..).zip(&mut self.written) {
            records.extend((*written..*written + count).map(|n| {
                let value = format!(r#"{{"partition":{partition},"n":{n},"text":"record {n}{}"}}"#, padding(n));
                let key = has_keys.then(|| format!("key {n}").into_bytes());
                let headers = if has_keys { vec![("n".to_owned(), Some(n.to_string().into_bytes()))] } else { Vec::new() };
                Record {
                    topic: self.topic.clone(),
                    partition,
                    value: Some(encoding.encode(n, value)),
                    key,
                    headers,
                    ..Record::default()
                }
            }));
            *written += count;
        }
        cluster.produce(&records);
    }

    pub(crate) fn partitions(&self) -> Vec<(String, i32)> {
        (0..).zip(&self.written).map(|(partition, _)| (self.topic.clone(), partition)).collect()
    }

    /// Whether the group has committed every record.
    pub(crate) fn is_committed(&self, cluster: &Cluster, group: &str) -> bool {
        let committed = cluster.committed(group, &self.partitions());
        (0..)
            .zip(&self.written)
            .all(|(partition, written)| committed.get(&(self.topic.clone(), partition)).copied().unwrap_or(0) == *written)
    }

    /// Panics with what is missing, doubled or out of place, unless the bucket holds every record exactly once, each
    /// object's records follow each other, and its name says the first.
    pub(crate) fn assert_exactly_once(&self, bucket: &Bucket) {
        self.assert_exactly_once_in(bucket.objects().into_iter().map(|(key, object)| (key, object.body)));
    }

    /// The same, of these keys and contents.
    pub(crate) fn assert_exactly_once_in(&self, objects: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let mut found: BTreeMap<(usize, i64), Vec<String>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for (key, body) in objects {
            let Some((partition, first)) = self.named(&key) else { continue };
            for (value, expected) in records(&key, &body).into_iter().zip(first..) {
                let (at, n) = (value["partition"].as_u64(), value["n"].as_i64().expect("a number"));
                if at != u64::try_from(partition).ok() || n != expected {
                    wrong.push(format!("{key} holds {value} where offset {expected} belongs"));
                }
                found.entry((partition, n)).or_default().push(key.clone());
            }
        }
        for (partition, written) in self.written.iter().enumerate() {
            for n in 0..*written {
                match found.remove(&(partition, n)).unwrap_or_default().as_slice() {
                    [] => wrong.push(format!("{}-{partition} {n} is missing", self.topic)),
                    [_] => {}
                    several => wrong.push(format!("{}-{partition} {n} is in {}", self.topic, several.join(" and "))),
                }
            }
        }
        wrong.extend(found.keys().map(|(partition, n)| format!("{}-{partition} {n} was never written", self.topic)));
        let total = wrong.len();
        wrong.truncate(20);
        assert!(total == 0, "{total} offsets are wrong:\n{}", wrong.join("\n"));
    }

    /// Partition and first offset of an object of this topic, as its key says.
    fn named(&self, key: &str) -> Option<(usize, i64)> {
        let name = key.rsplit('/').next()?.strip_prefix(&self.topic)?.strip_prefix('+')?;
        let (partition, rest) = name.split_once('+')?;
        let offset = rest.split('.').next()?;
        assert!(key.contains(&format!("/{}/partition={partition}/", self.topic)), "{key} is in the wrong place");
        Some((partition.parse().ok()?, offset.parse().ok()?))
    }
}

/// Panics with the names of objects that exist in more than one version.
pub(crate) fn assert_nothing_changed(bucket: &Bucket) {
    let changed: Vec<String> = bucket
        .versions()
        .into_iter()
        .filter(|(_, versions)| *versions != 1)
        .map(|(key, versions)| format!("{key}: {versions} versions"))
        .collect();
    assert!(changed.is_empty(), "objects changed after they appeared:\n{}", changed.join("\n"));
}
