//! Files of connectors that did not do what their operators expected (`tests/reports`), as they were found.

use std::path::Path;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, Record};

/// The file of one of them, for this bucket. Each line of `changes` takes the place of the line that sets the same key, or follows the others.
pub(crate) fn connector(folder: &str, bucket: &Bucket, changes: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports").join(folder).join("connector.properties");
    let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = file.replace("${BUCKET}", bucket.name()).replace("${STORE_URL}", bucket.url());
    let key = |line: &str| line.split_once('=').expect("a key and a value").0.to_owned();
    let changed: Vec<String> = changes.lines().map(key).collect();
    let kept = file.lines().filter(|line| !changed.contains(&key(line)));
    kept.chain(changes.lines()).map(|line| format!("{line}\n")).collect()
}

/// Writes these values, one after the other, into the first partition of a topic.
pub(crate) fn produce(cluster: &Cluster, topic: &str, values: impl IntoIterator<Item = Vec<u8>>) {
    let record = |value| Record { topic: topic.to_owned(), value: Some(value), ..Record::default() };
    cluster.produce(&values.into_iter().map(record).collect::<Vec<_>>());
}

/// No JSON, of so many bytes.
pub(crate) fn bad(bytes: usize) -> Vec<u8> {
    let mut value = b"{bad".to_vec();
    value.resize(bytes, b'x');
    value
}

/// What a group has committed of the first partition of a topic.
pub(crate) fn committed(cluster: &Cluster, group: &str, topic: &str) -> Option<i64> {
    cluster.committed(group, &[(topic.to_owned(), 0)]).into_values().next()
}
