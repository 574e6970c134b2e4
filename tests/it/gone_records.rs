//! Records that retention takes away before they were read: it is said, and counted.

use std::path::Path;
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::worker;
use crate::process::{Connect, scratch};
use crate::reports::{self, committed, produce};

const PATIENCE: Duration = Duration::from_secs(60);

/// How the first run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    InOrder,
    Killed,
}

fn numbered(range: std::ops::Range<i64>) -> impl Iterator<Item = Vec<u8>> {
    range.map(|i| format!(r#"{{"i":{i}}}"#).into_bytes())
}

fn start(cluster: &Cluster, bucket: &Bucket, directory: &Path, topic: &str, more: &str) -> Connect {
    let more = format!("name={topic}\ntopics={topic}\nconsumer.override.session.timeout.ms=6000\n{more}");
    let file = reports::connector("offset-out-of-range-silent", bucket, more.trim_end());
    Connect::start(directory, &worker(cluster), &file)
}

#[test]
fn what_is_gone_before_it_was_read_is_said_and_counted() {
    let Some(cluster) = Cluster::from_environment("gone records") else { return };
    let runs = [("earliest", End::InOrder, 12, 7.0), ("earliest", End::Killed, 12, 7.0), ("latest", End::InOrder, 20, 15.0)];
    for (number, (reset, end, goes_on_at, lost)) in runs.into_iter().enumerate() {
        let Some(bucket) = Bucket::create(Server::Moto, "gone records") else { return };
        let topic = format!("gone-{number}-{}", std::process::id());
        let (group, directory) = (format!("connect-{topic}"), scratch("gone-records"));
        cluster.create_topic(&topic, 1, &[]);
        produce(&cluster, &topic, numbered(0..8));
        let reset = format!("consumer.override.auto.offset.reset={reset}");
        // A group that begins after the last record would read none of them.
        let mut process = start(&cluster, &bucket, &directory, &topic, "");
        wait_until("the first file is committed", PATIENCE, || committed(&cluster, &group, &topic) == Some(5));
        match end {
            End::InOrder => assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log()),
            End::Killed => process.kill(),
        }
        produce(&cluster, &topic, numbered(8..20));
        cluster.delete_records(&topic, 0, 12);

        let mut process = start(&cluster, &bucket, &directory, &topic, &reset);
        wait_until("the loss is counted", PATIENCE, || process.metric("connect_records_gone_total") == Some(lost));
        let log = process.log();
        let line = log.lines().find(|line| line.contains("records have gone from the log before they were read"));
        let line = line.unwrap_or_else(|| panic!("no line about it: {log}"));
        for part in ["WARN", &format!("{topic}-0"), "next=5", &format!("missing={lost}"), &format!("at={goes_on_at}")] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        produce(&cluster, &topic, numbered(20..25));
        wait_until("reading goes on", PATIENCE, || committed(&cluster, &group, &topic).is_some_and(|offset| offset >= 22));
        let first = format!("{topic}+0+{goes_on_at:010}.json");
        assert!(bucket.keys().iter().any(|key| key.ends_with(&first)), "{first} is not among {:?}", bucket.keys());
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    }
}
