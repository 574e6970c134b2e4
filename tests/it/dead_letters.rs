//! Records that go to the dead letter queue are there before their offsets are committed; what cannot go there holds them.

use std::path::PathBuf;
use std::time::Duration;

use crate::broker::Broker;
use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, Record, wait_until};
use crate::files::worker;
use crate::process::{Connect, scratch};
use crate::reports::{self, bad, committed, produce};

const PATIENCE: Duration = Duration::from_secs(180);

/// A connector whose file comes from a report, and its topics.
struct Letters {
    cluster: Cluster,
    bucket: Bucket,
    folder: &'static str,
    topic: String,
    queue: String,
    directory: PathBuf,
    flush_size: u32,
    /// More lines of the connector's file.
    more: &'static str,
}

impl Letters {
    fn new(folder: &'static str, what: &str, queue_config: &[(&str, &str)]) -> Option<Self> {
        Self::at(Cluster::from_environment(what)?, folder, what, queue_config)
    }

    fn at(cluster: Cluster, folder: &'static str, what: &str, queue_config: &[(&str, &str)]) -> Option<Self> {
        let bucket = Bucket::create(Server::Moto, what)?;
        let topic = format!("{what}-{}", std::process::id());
        let queue = format!("{topic}.dlq");
        cluster.create_topic(&topic, 1, &[]);
        cluster.create_topic(&queue, 1, queue_config);
        Some(Self { cluster, bucket, folder, directory: scratch(what), topic, queue, flush_size: 1, more: "" })
    }

    fn start(&self) -> Connect {
        let (topic, queue) = (&self.topic, &self.queue);
        let changes = format!(
            "name={topic}\ntopics={topic}\nerrors.deadletterqueue.topic.name={queue}\nflush.size={}{}",
            self.flush_size, self.more
        );
        let file = reports::connector(self.folder, &self.bucket, &changes);
        Connect::start(&self.directory, &worker(&self.cluster), &file)
    }

    fn committed(&self) -> Option<i64> {
        committed(&self.cluster, &format!("connect-{}", self.topic), &self.topic)
    }

    fn wait_until_committed(&self, offset: i64) {
        wait_until(&format!("{} is committed to {offset}", self.topic), PATIENCE, || self.committed() == Some(offset));
    }

    /// The sizes of the copies, in their order.
    fn copies(&self) -> Vec<usize> {
        self.cluster.read_all(&self.queue).iter().map(|copy| copy.value.as_ref().map_or(0, Vec::len)).collect()
    }

    fn texts(&self) -> Vec<String> {
        let text = |value: Option<Vec<u8>>| String::from_utf8(value.expect("a value")).expect("a text");
        self.cluster.read_all(&self.queue).into_iter().map(|copy| text(copy.value)).collect()
    }
}

#[test]
fn a_batch_of_copies_that_is_too_large_for_the_topic_is_divided() {
    for (what, limit, records) in [("dlq-10k", "10000", 20), ("dlq-100k", "100000", 200)] {
        let Some(letters) = Letters::new("dlq-batch-too-large", what, &[("max.message.bytes", limit)]) else { return };
        produce(&letters.cluster, &letters.topic, (0..records).map(|_| bad(1_000)).chain([br#"{"ok":1}"#.to_vec()]));
        let mut process = letters.start();
        letters.wait_until_committed(records + 1);
        assert_eq!(letters.copies(), vec![1_000; usize::try_from(records).unwrap()], "{}", process.log());
        wait_until("it is ready", PATIENCE, || process.is_ready());
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    }
}

#[test]
fn a_copy_that_is_too_large_alone_holds_its_offset_until_the_topic_takes_it_and_the_others_are_there() {
    let Some(letters) = Letters::new("dlq-batch-too-large", "dlq-4k", &[("max.message.bytes", "4000")]) else { return };
    let values = (0..100).map(|n| if n == 50 { bad(5_000) } else { bad(1_000) });
    produce(&letters.cluster, &letters.topic, values.chain([br#"{"ok":1}"#.to_vec()]));
    let mut process = letters.start();
    wait_until("the others are there", PATIENCE, || letters.cluster.end_offset(&letters.queue, 0) == 99);
    assert_eq!(letters.copies(), [1_000; 99]);
    let problem = format!("does not take the record at offset 50 of {}-0", letters.topic);
    wait_until("readiness says which", PATIENCE, || {
        process.problems().iter().any(|said| said.contains(&problem) && said.contains("max.message.bytes"))
    });
    assert_eq!(process.metric("connect_dead_letter_queue_failures_total"), Some(1.0));
    assert!(process.log().contains("could not send a record to the dead letter queue"), "{}", process.log());
    assert!(letters.committed().is_none_or(|offset| offset <= 50), "its offset is held: {:?}", letters.committed());
    // A crash loses no copy: the record is read again.
    process.kill();

    letters.cluster.configure_topic(&letters.queue, &[("max.message.bytes", "100000")]);
    let mut process = letters.start();
    letters.wait_until_committed(101);
    assert_eq!(letters.copies().iter().filter(|bytes| **bytes == 5_000).count(), 1);
    wait_until("it is ready", PATIENCE, || process.is_ready());
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

#[test]
fn while_a_copy_holds_its_offset_the_objects_behind_it_are_written_also_where_a_commit_must_say_so_first() {
    let limit = [("max.message.bytes", "4000")];
    let Some(mut letters) = Letters::new("dlq-batch-too-large", "dlq-scheduled", &limit) else { return };
    letters.flush_size = 5;
    letters.more = "\nrotate.schedule.interval.ms=3600000\ntimezone=UTC";
    let good = |n| format!("{{\"ok\":{n}}}").into_bytes();
    produce(&letters.cluster, &letters.topic, [bad(5_000)].into_iter().chain((0..20).map(good)));
    let mut process = letters.start();
    wait_until("they are there", PATIENCE, || letters.bucket.keys().len() == 4);
    assert!(letters.committed().is_none_or(|offset| offset == 0), "its offset is held: {:?}", letters.committed());
    process.kill();

    letters.cluster.configure_topic(&letters.queue, &[("max.message.bytes", "100000")]);
    let mut process = letters.start();
    letters.wait_until_committed(21);
    assert_eq!((letters.copies(), letters.bucket.keys().len()), (vec![5_000], 4));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

#[test]
fn copies_of_up_to_what_java_sends_arrive() {
    let Some(letters) = Letters::new("dlq-one-mebibyte", "dlq-mib", &[]) else { return };
    let sizes = [1_000, 999_000, 1_000_500, 1_020_000, 1_040_000];
    produce(&letters.cluster, &letters.topic, sizes.map(bad).into_iter().chain([br#"{"ok":1}"#.to_vec()]));
    let mut process = letters.start();
    letters.wait_until_committed(6);
    assert_eq!(letters.copies(), sizes);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

#[test]
fn while_the_queue_is_deleted_offsets_wait_and_once_it_is_there_again_it_gets_every_record() {
    let Some(letters) = Letters::new("dlq-topic-deleted", "dlq-deleted", &[]) else { return };
    let mut process = letters.start();
    produce(&letters.cluster, &letters.topic, [b"{bad0".to_vec()]);
    letters.wait_until_committed(1);
    assert_eq!(letters.texts(), ["{bad0"]);

    letters.cluster.delete_topic(&letters.queue);
    produce(&letters.cluster, &letters.topic, [b"{bad1".to_vec(), b"{bad2".to_vec(), br#"{"ok":1}"#.to_vec()]);
    wait_until("readiness says why", PATIENCE, || process.problems().iter().any(|said| said.contains("does not exist any more")));
    assert_eq!(letters.committed(), Some(1));

    letters.cluster.create_topic(&letters.queue, 1, &[]);
    produce(&letters.cluster, &letters.topic, [b"{bad3".to_vec()]);
    letters.wait_until_committed(5);
    assert_eq!(letters.texts(), ["{bad1", "{bad2", "{bad3"]);
    wait_until("it is ready", PATIENCE, || process.is_ready());
    assert!(process.log().contains("the dead letter queue takes records again"), "{}", process.log());
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

#[test]
fn a_stop_while_the_queue_refuses_loses_no_record() {
    let refuses = [("cleanup.policy", "compact")];
    let Some(letters) = Letters::new("dlq-topic-deleted", "dlq-compact", &refuses) else { return };
    // Without keys: a compacted topic takes none of them.
    produce(&letters.cluster, &letters.topic, [b"{bad0".to_vec(), br#"{"ok":1}"#.to_vec(), b"{bad2".to_vec()]);
    let mut process = letters.start();
    wait_until("readiness says why", PATIENCE, || process.problems().iter().any(|said| said.contains("cleanup.policy")));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert_eq!(letters.committed().unwrap_or(0), 0);

    letters.cluster.configure_topic(&letters.queue, &[("cleanup.policy", "delete")]);
    let mut process = letters.start();
    letters.wait_until_committed(3);
    assert_eq!(letters.texts(), ["{bad0", "{bad2"]);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

/// Whoever is not named may do everything, until somebody is named.
const RIGHTS: &str =
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nallow.everyone.if.no.acl.found=true";

#[test]
fn while_writing_to_the_queue_is_not_allowed_offsets_wait_and_go_on_once_it_is() {
    let Some(broker) = Broker::start_with("dlq-denied", RIGHTS) else { return };
    let Some(letters) = Letters::at(broker.cluster(), "dlq-topic-deleted", "dlq-denied", &[]) else { return };
    let mut process = letters.start();
    produce(&letters.cluster, &letters.topic, [b"{bad0".to_vec()]);
    letters.wait_until_committed(1);

    let of_queue = ["--topic", &letters.queue];
    let denied = ["--deny-principal", "User:ANONYMOUS", "--operation", "Write"];
    broker.change_rights(&[&["--add", "--allow-principal", "User:*", "--operation", "All"], &of_queue[..]].concat());
    broker.change_rights(&[&["--add"], &denied[..], &of_queue[..]].concat());
    produce(&letters.cluster, &letters.topic, [b"{bad1".to_vec(), br#"{"ok":1}"#.to_vec(), b"{bad3".to_vec()]);
    wait_until("readiness says why", PATIENCE, || process.problems().iter().any(|said| said.contains("may not write")));
    assert_eq!(letters.committed(), Some(1));

    broker.change_rights(&[&["--remove"], &denied[..], &of_queue[..]].concat());
    letters.wait_until_committed(4);
    assert_eq!(letters.texts(), ["{bad0", "{bad1", "{bad3"]);
    wait_until("it is ready", PATIENCE, || process.is_ready());
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

#[test]
fn partitions_whose_records_go_elsewhere_do_not_wait_for_the_queue() {
    let limit = [("max.message.bytes", "4000")];
    let Some(letters) = Letters::new("dlq-topic-deleted", "dlq-others", &limit) else { return };
    let letters = Letters { flush_size: 50, ..letters };
    letters.cluster.grow_topic(&letters.topic, 2);
    // Forty megabytes that the queue never takes: more than there is memory for.
    for _ in 0..10 {
        produce(&letters.cluster, &letters.topic, (0..8).map(|_| bad(500_000)));
    }
    let mut process = letters.start();
    wait_until("the partition waits", PATIENCE, || {
        process.log().contains("too many of its records wait for the dead letter queue")
    });
    let good = |n: i64| Record {
        topic: letters.topic.clone(),
        partition: 1,
        value: Some(format!(r#"{{"i":{n}}}"#).into_bytes()),
        ..Record::default()
    };
    for round in 0..3 {
        letters.cluster.produce(&(0..100).map(|n| good(round * 100 + n)).collect::<Vec<_>>());
        let partitions = [(letters.topic.clone(), 1)];
        wait_until("the other one goes on", PATIENCE, || {
            let committed = letters.cluster.committed(&format!("connect-{}", letters.topic), &partitions);
            committed.values().eq([&((round + 1) * 100)])
        });
    }
    assert_eq!(letters.committed().unwrap_or(0), 0);
    assert!(
        process.metric("connect_budget_used_bytes").is_some_and(|used| used < 40e6),
        "{:?}",
        process.series("connect_budget_used_bytes")
    );

    letters.cluster.configure_topic(&letters.queue, &[("max.message.bytes", "2000000")]);
    letters.wait_until_committed(80);
    assert_eq!(letters.copies().len(), 80);
    wait_until("it is ready", PATIENCE, || process.is_ready());
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}
