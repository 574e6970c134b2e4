//! A group that is reset while many objects lie ahead: it opens, says how far it is, and asks the store for no more than it can bear.
//!
//! `CONNECT_TEST_OBJECTS` says how many objects each of the fifty partitions has.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::s3_server::{Manners, S3Server};

const PARTITIONS: i32 = 50;
const PATIENCE: Duration = Duration::from_secs(1_800);
const LIMIT: u64 = 32 << 20;
/// What the program takes beside its budget: the clients of Kafka and the store, threads, the allocator's reserves.
const PROGRAM: u64 = 64 << 20;

fn objects_a_partition() -> u32 {
    std::env::var("CONNECT_TEST_OBJECTS").map_or(100, |text| text.parse().expect("a number"))
}

#[test]
fn a_group_that_is_reset_before_many_objects_opens_in_sight_of_everybody() {
    let Some(cluster) = Cluster::from_environment("survey") else { return };
    let server = S3Server::start(Manners::default());
    let bucket = Bucket::at(&server.url());
    let name = format!("survey-{}", std::process::id());
    let group = format!("connect-{name}");
    let directory = scratch(&name);
    let mut records = Numbered::create(&cluster, &name, PARTITIONS);
    records.write(&cluster, i64::from(objects_a_partition()));
    let worker = format!("{}memory.limit=32MiB\n", worker(&cluster));
    // Half of the requests to find out what is there, half to write.
    let settings = format!("tasks.max=2\nflush.size=1\nuploads.in.flight.max=32\n{PATIENT_GROUP}");
    let file = connector(&name, &name, &bucket, bucket.url(), &settings);

    let mut process = Connect::start(&directory, &worker, &file);
    wait_until("the objects are written", PATIENCE, || records.is_committed(&cluster, &group));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    wait_until("the group forgets its offsets", Duration::from_secs(60), || {
        cluster.delete_group(&group);
        cluster.committed(&group, &records.partitions()).is_empty()
    });

    // The fewer objects, the slower the store: the survey is to be seen.
    let objects = PARTITIONS.unsigned_abs() * objects_a_partition();
    let latency = Duration::from_millis(u64::from((600_000 / objects).clamp(15, 60)));
    server.behave(Manners { refuses_every: 100, latency, ..Manners::default() });
    let heads = server.counts().heads.load(Ordering::SeqCst);
    let mut process = Connect::start(&directory, &worker, &file);
    let mut seen = Seen::default();
    let deadline = Instant::now() + PATIENCE;
    while !records.is_committed(&cluster, &group) {
        assert!(Instant::now() < deadline, "not committed within {PATIENCE:?}: {:?}", seen.problems);
        seen.look(&process);
        // Who looks without a break takes a core from what it looks at.
        std::thread::sleep(Duration::from_millis(50));
    }
    wait_until("it is ready", Duration::from_secs(60), || process.is_ready());
    let counts = server.counts();
    let (most, heads) = (counts.most_under_way.load(Ordering::SeqCst), counts.heads.load(Ordering::SeqCst) - heads);
    let refused = counts.refused.load(Ordering::SeqCst);
    let log = process.log();
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    let memory = seen.memory >> 20;
    crate::say(&format!("survey: {objects} objects, {heads} HEAD, {refused} refused, {most} at once, {memory} MiB"));
    assert!(most <= 64, "{most} requests under way at once");
    assert!(seen.memory <= LIMIT + PROGRAM, "{memory} MiB");
    assert!(refused > 0, "the store refused nothing");
    // How far it is changes while it goes on.
    let told = seen.problems.iter().filter(|problem| problem.contains("objects")).count();
    assert!(told >= 2, "readiness says how far it is: {:?}", seen.problems);
    assert!(log.lines().any(|line| line.contains(&name) && line.contains("objects")), "the log says what lies ahead: {log}");
    assert_eq!(server.count(bucket.name()), usize::try_from(objects).expect("a count"), "objects were added");
    records.assert_exactly_once_in(server.objects(bucket.name()));
    cluster.delete_topic(&name);
}

/// What an observer of the process has seen.
#[derive(Default)]
struct Seen {
    was_alive: bool,
    problems: BTreeSet<String>,
    memory: u64,
}

impl Seen {
    fn look(&mut self, process: &Connect) {
        match process.get("/livez") {
            Some((status, body)) => {
                assert_eq!(status, 200, "{body}");
                self.was_alive = true;
            }
            None => assert!(!self.was_alive, "it does not answer any more"),
        }
        self.problems.extend(process.problems());
        self.memory = self.memory.max(process.memory().unwrap_or(0));
    }
}
