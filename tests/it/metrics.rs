//! The metrics page under load, as Prometheus reads it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, seldom, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::proxy::{Moment, Proxy, Verdict};
use crate::s3_server::{Manners, S3Server};

#[test]
fn promtool_finds_nothing_wrong_with_a_scrape_under_load_and_the_counts_are_right() {
    let Some(cluster) = Cluster::from_environment("metrics") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "metrics") else { return };
    let name = format!("metrics-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 3);
    let file = connector(&name, &name, &bucket, bucket.url(), &format!("tasks.max=2\nflush.size=10\n{PATIENT_GROUP}"));
    let mut process = Connect::start(&scratch("metrics"), &worker(&cluster), &file);
    // Counters of a partition that moves end with it.
    wait_until("both tasks own partitions", Duration::from_secs(40), || {
        let owned = process.series("connect_assigned_partitions");
        owned.len() == 2 && owned.iter().all(|(_, count)| *count > 0.0)
    });
    records.write(&cluster, 100);
    wait_until("records flow", Duration::from_secs(40), || !bucket.keys().is_empty());
    let (status, page) = process.get("/metrics").expect("a metrics page");
    assert_eq!(status, 200);
    if let Some(complaints) = promtool(&page) {
        assert!(complaints.is_empty(), "{complaints}");
    }
    wait_until("all is committed", Duration::from_secs(40), || records.is_committed(&cluster, &group));
    wait_until("the metrics say so", Duration::from_secs(10), || {
        process.metric("connect_partition_committed_offset") == Some(300.0)
    });
    assert_eq!(process.metric("connect_records_read_total"), Some(300.0));
    assert_eq!(process.metric("connect_records_delivered_total"), Some(300.0));
    wait_until("the lag is zero", Duration::from_secs(10), || process.metric("connect_partition_lag_records") == Some(0.0));
    let (status, page) = process.get("/metrics").expect("a metrics page");
    assert_eq!(status, 200);
    if let Some(complaints) = promtool(&page) {
        assert!(complaints.is_empty(), "{complaints}");
    }
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).expect("the reference");
    for name in page.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()) {
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/metrics.md");
    }
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
}

#[test]
fn durable_offsets_and_lag_are_true_long_before_a_commit() {
    let Some(cluster) = Cluster::from_environment("metrics between commits") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "metrics between commits") else { return };
    let name = format!("between-commits-{}", std::process::id());
    let mut records = Numbered::create(&cluster, &name, 2);
    records.write(&cluster, 100);
    let file = connector(&name, &name, &bucket, bucket.url(), &format!("flush.size=10\n{PATIENT_GROUP}"));
    let mut process = Connect::start(&scratch("between-commits"), &seldom(&cluster), &file);
    wait_until("all is in the bucket", Duration::from_secs(40), || bucket.keys().len() == 20);
    let patience = Duration::from_secs(10);
    let committed = || process.metric("connect_partition_committed_offset");
    for name in ["connect_sink_durable_offset", "connect_partition_durable_offset", "connect_partition_log_end_offset"] {
        wait_until(&format!("{name} is at the end of the log"), patience, || process.metric(name) == Some(200.0));
    }
    assert_eq!(committed(), Some(0.0), "nothing has been committed");
    assert_eq!(process.metric("connect_partition_lag_records"), Some(200.0), "log end minus committed offset");
    // What is read and waits in open files is in the log, and not durable.
    records.write(&cluster, 5);
    wait_until("the log ends later", patience, || process.metric("connect_partition_log_end_offset") == Some(210.0));
    assert_eq!(process.metric("connect_sink_durable_offset"), Some(200.0));
    assert_eq!(process.metric("connect_partition_lag_records"), Some(210.0));
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
    cluster.delete_topic(&name);
}

#[test]
fn the_end_of_a_log_is_true_though_nothing_is_read_of_it() {
    let Some(cluster) = Cluster::from_environment("metrics of a log that is not read") else { return };
    let server = S3Server::start(Manners::default());
    let bucket = Bucket::at(&server.url());
    let proxy = Proxy::start(&server.url(), |request, moment| match moment {
        Moment::Arrived if request.path.contains("/topics/") => Verdict::Answer(503, "SlowDown"),
        _ => Verdict::Pass,
    });
    let name = format!("not-read-{}", std::process::id());
    let mut records = Numbered::create(&cluster, &name, 1).padded(100_000);
    records.write(&cluster, 400);
    let file = connector(&name, &name, &bucket, &proxy.url(), &format!("flush.size=10\n{PATIENT_GROUP}"));
    let mut process = Connect::start(&scratch("not-read"), &format!("{}memory.limit=8M\n", seldom(&cluster)), &file);
    let (mut read, patience) = (0.0, Duration::from_secs(60));
    wait_until("nothing is read any more", patience, || {
        let (before, now) = (read, process.metric("connect_records_read_total").unwrap_or_default());
        read = now;
        std::thread::sleep(Duration::from_secs(2));
        now > 0.0 && now == before
    });
    assert!(read < 400.0, "the memory holds not all");
    records.write(&cluster, 10);
    wait_until("the log's end is known", patience, || process.metric("connect_partition_log_end_offset") == Some(410.0));
    assert_eq!(process.metric("connect_partition_lag_records"), Some(410.0));
    process.kill();
    cluster.delete_topic(&name);
}

#[test]
fn the_log_tells_now_and_then_what_a_connector_has_done() {
    let Some(cluster) = Cluster::from_environment("progress") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "progress") else { return };
    let name = format!("progress-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 1);
    records.write(&cluster, 30);
    let file = connector(&name, &name, &bucket, bucket.url(), &format!("flush.size=10\n{PATIENT_GROUP}"));
    let worker = format!("{}progress.log.interval.ms=300\n", worker(&cluster));
    let mut process = Connect::start(&scratch("progress"), &worker, &file);
    let said = |parts: &[&str]| {
        let log = process.log();
        log.lines().filter(|line| line.contains("connector=\"") && parts.iter().all(|part| line.contains(part))).count()
    };
    wait_until("the records are told", Duration::from_secs(40), || {
        said(&["records_in_all=30", "objects_in_all=3", "bytes_in_all="]) > 0
    });
    wait_until("all is committed", Duration::from_secs(40), || records.is_committed(&cluster, &group));
    records.write(&cluster, 10);
    wait_until("the later ones are told", Duration::from_secs(40), || {
        said(&["records=10", "records_in_all=40"]) == 1 && said(&["objects=1", "objects_in_all=4"]) == 1
    });
    for part in ["lag=", "memory="] {
        assert!(said(&[part, "records_in_all=40"]) > 0, "{part}: {}", process.log());
    }
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
    cluster.delete_topic(&name);
}

/// What `promtool check metrics` complains about; nothing if there is no promtool.
fn promtool(page: &str) -> Option<String> {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = started else {
        crate::say("skipped: promtool check metrics (promtool is not installed)");
        return None;
    };
    promtool.stdin.take().expect("its input").write_all(page.as_bytes()).expect("it reads");
    let output = promtool.wait_with_output().expect("it ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some(if output.status.success() { said } else { format!("{}: {said}", output.status) })
}
