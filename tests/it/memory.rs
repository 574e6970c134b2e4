//! One budget for all: what is stuck in one place leaves the rest at work, and nothing that others have put in the way costs more than the budget.
//!
//! `CONNECT_TEST_OUTAGE_SECONDS` says how long a store refuses; `CONNECT_TEST_MEASURE=1` measures what that costs the other connector.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::proxy::{Moment, Proxy, Verdict};
use crate::s3_server::{Manners, S3Server};
use crate::store_faults::outage;

const PATIENCE: Duration = Duration::from_secs(300);
/// What the program takes beside its budget: the clients of Kafka and the store, threads, the allocator's reserves.
const PROGRAM: u64 = 96 << 20;
const LIMIT: u64 = 32 << 20;

/// A connector with a topic of long records, and a bucket of its own.
struct Flow {
    name: String,
    records: Numbered,
    bucket: Bucket,
}

impl Flow {
    fn create(cluster: &Cluster, server: &S3Server, name: &str, partitions: i32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("memory-{name}-{}-{number}", std::process::id());
        let records = Numbered::create(cluster, &name, partitions).padded(960);
        Self { name, records, bucket: Bucket::at(&server.url()) }
    }

    fn file(&self, store_url: &str, settings: &str) -> String {
        connector(&self.name, &self.records.topic, &self.bucket, store_url, &format!("{PATIENT_GROUP}\n{settings}"))
    }

    fn is_done(&self, cluster: &Cluster) -> bool {
        self.records.is_committed(cluster, &format!("connect-{}", self.name))
    }

    fn assert_exactly_once(&self, server: &S3Server) {
        self.records.assert_exactly_once_in(server.objects(self.bucket.name()));
    }
}

/// A server before which a proxy refuses for one of its users.
struct Stores {
    server: S3Server,
    proxy: Proxy,
    refuses: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Stores {
    fn start() -> Self {
        let server = S3Server::start(Manners::default());
        let (refuses, refused) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (refusing, count) = (Arc::clone(&refuses), Arc::clone(&refused));
        let proxy = Proxy::start(&server.url(), move |request, moment| {
            if moment == Moment::Arrived && request.path.contains("/topics/") && refusing.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
                return Verdict::Answer(503, "SlowDown");
            }
            Verdict::Pass
        });
        Self { server, proxy, refuses, refused }
    }
}

fn limited(cluster: &Cluster) -> String {
    format!("{}memory.limit=32MiB\n", worker(cluster))
}

fn start(directory: &Path, cluster: &Cluster, files: &[&str]) -> Connect {
    Connect::start_all(directory, &limited(cluster), files, "info")
}

/// The sum of a metric's series of one connector.
fn metric(process: &Connect, connector: &str, name: &str) -> f64 {
    let label = format!("connector=\"{connector}\"");
    process.series(name).iter().filter(|(labels, _)| labels.contains(&label)).map(|(_, value)| value).sum()
}

/// Waits until the connector reads no more, however often the store is asked, because nothing of what it has read can be written.
fn wait_until_full(flow: &Flow, process: &Connect, refused: &AtomicUsize) {
    let (mut read, mut refused_then) = (0.0, 0);
    wait_until("the connector with the store that refuses reads no more", PATIENCE, || {
        let (read_now, refused_now) = (metric(process, &flow.name, "connect_records_read_total"), refused.load(Ordering::SeqCst));
        if read_now > read {
            (read, refused_then) = (read_now, refused_now);
        }
        read > 0.0 && refused_now >= refused_then + 30
    });
}

#[test]
fn a_connector_whose_store_refuses_everything_leaves_another_its_share() {
    let Some(cluster) = Cluster::from_environment("two connectors") else { return };
    let stores = Stores::start();
    let mut stuck = Flow::create(&cluster, &stores.server, "stuck", 4);
    let mut well = Flow::create(&cluster, &stores.server, "well", 4);
    stuck.records.write(&cluster, 12_000);
    let files = [stuck.file(&stores.proxy.url(), "flush.size=1000"), well.file(&stores.server.url(), "flush.size=1000")];
    let mut process = start(&scratch("two-connectors"), &cluster, &[&files[0], &files[1]]);
    wait_until_full(&stuck, &process, &stores.refused);

    let began = Instant::now();
    loop {
        well.records.write(&cluster, 6_000);
        wait_until("the other connector writes all that it has", PATIENCE, || well.is_done(&cluster));
        if began.elapsed() >= outage() {
            break;
        }
    }
    assert!(stores.refused.load(Ordering::SeqCst) > 0 && stores.server.count(stuck.bucket.name()) == 0, "nothing was refused");
    assert!(process.problems().iter().any(|problem| problem.contains("503") || problem.contains("SlowDown")), "readiness says why");
    stores.refuses.store(false, Ordering::SeqCst);
    wait_until("the first goes on", PATIENCE, || stuck.is_done(&cluster));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    stuck.assert_exactly_once(&stores.server);
    well.assert_exactly_once(&stores.server);
}

/// Prints what part of its throughput a connector keeps while another is stuck, in turns. Machines that do something else make this a test of nothing.
#[test]
fn what_a_stuck_connector_costs_another_is_measured_on_demand() {
    if std::env::var("CONNECT_TEST_MEASURE").is_err() {
        return crate::skipped("throughput beside a stuck connector", "CONNECT_TEST_MEASURE");
    }
    let Some(cluster) = Cluster::from_environment("throughput") else { return };
    let stores = Stores::start();
    let mut stuck = Flow::create(&cluster, &stores.server, "stuck", 4);
    let mut well = Flow::create(&cluster, &stores.server, "well", 4);
    stuck.records.write(&cluster, 12_000);
    for _ in 0..20 {
        well.records.write(&cluster, 3_000);
    }
    let directory = scratch("throughput");
    let topic = well.records.topic.clone();
    let rate = |beside: bool, turn: u32| {
        // The same records for another group and another bucket.
        let (name, bucket) = (format!("{topic}-{beside}-{turn}"), Bucket::at(&stores.server.url()));
        let settings = format!("{PATIENT_GROUP}\nflush.size=1000");
        let well_file = connector(&name, &topic, &bucket, &stores.server.url(), &settings);
        let stuck_file = stuck.file(&stores.proxy.url(), "flush.size=1000");
        let files: Vec<&str> = if beside { vec![&stuck_file, &well_file] } else { vec![&well_file] };
        let mut process = start(&directory, &cluster, &files);
        if beside {
            wait_until_full(&stuck, &process, &stores.refused);
        }
        let delivered = || metric(&process, &name, "connect_records_delivered_total");
        wait_until("records flow", PATIENCE, || delivered() > 0.0);
        let (began, before) = (Instant::now(), delivered());
        wait_until("all is committed", PATIENCE, || well.records.is_committed(&cluster, &format!("connect-{name}")));
        let rate = (delivered() - before) / began.elapsed().as_secs_f64();
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        rate
    };
    for turn in 0..3 {
        let (alone, beside) = (rate(false, turn), rate(true, turn));
        if beside == 0.0 {
            crate::say(&format!("turn {turn}: all was delivered before the other connector was stuck: nothing to measure"));
            continue;
        }
        let ratio = beside / alone;
        crate::say(&format!("turn {turn}: {alone:.0} records/s alone, {beside:.0} beside a stuck connector, ratio {ratio:.2}"));
    }
}

#[test]
fn sixty_four_tasks_drain_a_backlog_with_little_memory() {
    let Some(cluster) = Cluster::from_environment("sixty-four tasks") else { return };
    let server = S3Server::start(Manners::default());
    let mut flow = Flow::create(&cluster, &server, "tasks", 64);
    flow.records.write(&cluster, 500);
    let file = flow.file(&server.url(), "tasks.max=64\nflush.size=100");
    let mut process = start(&scratch("tasks"), &cluster, &[&file]);
    let mut most = 0;
    wait_until("the backlog is drained", PATIENCE, || {
        most = most.max(process.memory().unwrap_or(0));
        flow.is_done(&cluster)
    });
    crate::say(&format!("sixty-four tasks: {} MiB", most >> 20));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    flow.assert_exactly_once(&server);
}

#[test]
fn a_foreign_object_of_any_size_under_a_wanted_name_is_replaced_and_not_fetched() {
    let Some(cluster) = Cluster::from_environment("a foreign object") else { return };
    let server = S3Server::start(Manners::default());
    let mut flow = Flow::create(&cluster, &server, "foreign", 1);
    flow.records.write(&cluster, 100);
    let key = format!("topics/{0}/partition=0/{0}+0+0000000000.json", flow.name);
    server.pretend(flow.bucket.name(), &key, 3 << 30);
    let file = flow.file(&server.url(), "flush.size=50");
    let mut process = start(&scratch("foreign"), &cluster, &[&file]);
    wait_until("everything is committed", PATIENCE, || {
        let (memory, sent) = (process.memory().unwrap_or(0), server.counts().sent.load(Ordering::SeqCst));
        assert!(memory <= LIMIT + PROGRAM, "{} MiB of memory, {} MiB fetched", memory >> 20, sent >> 20);
        assert!(sent <= LIMIT, "{} MiB fetched", sent >> 20);
        flow.is_done(&cluster)
    });
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert!(process.log().contains("replaced"), "says what became of it: {}", process.log());
    flow.assert_exactly_once(&server);
}
