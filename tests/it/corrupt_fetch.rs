//! Bits of fetched records flip on the way: what cannot be read is not passed over.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::kafka_proxy::{KafkaProxy, find};
use crate::numbered::{Numbered, assert_nothing_changed};
use crate::process::{Connect, scratch};

const PATIENCE: Duration = Duration::from_secs(120);
/// Record 17 of the last partition, in the second of several batches of ten.
const SPOILED: &str = r#""n":17,"#;

/// A connector that reads through a proxy.
struct Line {
    cluster: Cluster,
    bucket: Bucket,
    records: Numbered,
    directory: PathBuf,
    /// How many more answers are spoiled.
    to_spoil: Arc<AtomicUsize>,
    proxy: KafkaProxy,
}

impl Line {
    fn create(test: &str, partitions: i32, to_spoil: usize) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let bucket = Bucket::create(Server::Moto, test)?;
        bucket.keep_versions();
        let topic = format!("corrupt-{test}-{}", std::process::id());
        let mut records = Numbered::create(&cluster, &topic, partitions);
        records.write(&cluster, 10);
        let to_spoil = Arc::new(AtomicUsize::new(to_spoil));
        let left = Arc::clone(&to_spoil);
        let spoiled = format!(r#""partition":{},{SPOILED}"#, partitions - 1);
        let proxy = KafkaProxy::start(cluster.bootstrap_servers(), move |answer| {
            let Some(at) = find(answer, spoiled.as_bytes()) else { return };
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                answer[at + spoiled.len() - 2] ^= 1;
            }
        });
        let directory = scratch(&topic);
        Some(Self { cluster, bucket, records, directory, to_spoil, proxy })
    }

    fn start(&self, settings: &str) -> Connect {
        let topic = &self.records.topic;
        let file = connector(topic, topic, &self.bucket, self.bucket.url(), &format!("flush.size=5\n{PATIENT_GROUP}\n{settings}"));
        let worker = worker(&Cluster::new(self.proxy.bootstrap_servers()));
        Connect::start(&self.directory, &worker, &file)
    }

    fn write_batches(&mut self) {
        for _batch in 0..5 {
            self.records.write(&self.cluster, 10);
        }
    }

    fn group(&self) -> String {
        format!("connect-{}", self.records.topic)
    }

    fn committed(&self, partition: i32) -> i64 {
        let at = (self.records.topic.clone(), partition);
        self.cluster.committed(&self.group(), std::slice::from_ref(&at)).get(&at).copied().unwrap_or(0)
    }

    fn everything_arrives(&self, mut process: Connect) {
        wait_until("everything is committed", PATIENCE, || self.records.is_committed(&self.cluster, &self.group()));
        wait_until("it is ready", PATIENCE, || process.is_ready());
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        self.records.assert_exactly_once(&self.bucket);
        assert_nothing_changed(&self.bucket);
    }
}

/// What librdkafka makes of a spoiled batch that an answer begins with: it may go on anywhere, or ask where to.
#[test]
fn a_batch_that_is_spoiled_once_is_read_again_and_every_record_is_there_once() {
    let Some(mut line) = Line::create("once", 1, 1) else { return };
    let mut process = line.start("");
    wait_until("the first batch is committed", PATIENCE, || line.records.is_committed(&line.cluster, &line.group()));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    line.write_batches();
    let process = line.start("consumer.override.auto.offset.reset=latest");
    wait_until("an answer is spoiled", PATIENCE, || line.to_spoil.load(Ordering::SeqCst) == 0);
    // So that there is something behind what might have been passed over.
    line.write_batches();
    line.everything_arrives(process);
}

#[test]
fn a_batch_that_stays_spoiled_is_named_and_holds_its_partition_until_it_can_be_read() {
    let Some(mut line) = Line::create("always", 2, usize::MAX) else { return };
    line.write_batches();
    let process = line.start("");
    let names_it = |text: &str| {
        let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        text.contains(&format!("{}-1", line.records.topic)) && words.contains(&"10")
    };
    wait_until("the task says which offset cannot be read", PATIENCE, || {
        assert!(line.committed(1) <= 10, "passed over records that were never read: {}", process.log());
        process.get("/readyz").is_some_and(|(status, body)| status == 503 && names_it(&body))
    });
    assert!(process.log().lines().any(names_it), "the log names it: {}", process.log());
    wait_until("the other partition is read", PATIENCE, || line.committed(0) == 60);
    assert!(line.committed(1) <= 10, "passed over records that were never read: {}", process.log());
    line.to_spoil.store(0, Ordering::SeqCst);
    line.everything_arrives(process);
}
