//! The metrics page under load, as Prometheus reads it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};

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
