//! Partitions move between instances: nothing is lost, nothing is doubled, no object changes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, worker};
use crate::numbered::{Numbered, assert_nothing_changed};
use crate::process::{Connect, scratch};

/// The same files, run by several processes.
struct Fleet {
    cluster: Cluster,
    bucket: Bucket,
    records: Numbered,
    name: String,
    settings: String,
    directory: PathBuf,
}

impl Fleet {
    fn create(test: &str, partitions: i32, settings: &str) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let bucket = Bucket::create(Server::Moto, test)?;
        bucket.keep_versions();
        let name = format!("fleet-{test}-{}", std::process::id());
        let records = Numbered::create(&cluster, &name, partitions);
        let directory = scratch(&name);
        Some(Self { cluster, bucket, records, name, settings: settings.to_owned(), directory })
    }

    fn start(&self) -> Connect {
        let file = connector(&self.name, &self.name, &self.bucket, self.bucket.url(), &self.settings);
        Connect::start(&self.directory, &worker(&self.cluster), &file)
    }

    fn write(&mut self, count: i64) {
        self.records.write(&self.cluster, count);
    }

    fn is_done(&self) -> bool {
        self.records.is_committed(&self.cluster, &format!("connect-{}", self.name))
    }

    fn wait_until_done(&self) {
        wait_until("all is committed", Duration::from_secs(60), || self.is_done());
    }

    fn account(&self) {
        self.records.assert_exactly_once(&self.bucket);
        assert_nothing_changed(&self.bucket);
    }
}

fn owned(process: &Connect) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a small count")]
    process.metric("connect_assigned_partitions").map_or(0, |partitions| partitions as i64)
}

fn wait_for_shares(processes: &[&Connect], partitions: i64) {
    wait_until("every instance owns a part", Duration::from_secs(40), || {
        let shares: Vec<i64> = processes.iter().map(|process| owned(process)).collect();
        shares.iter().sum::<i64>() == partitions && shares.iter().all(|share| *share > 0)
    });
}

/// Stops one as a rolling restart does.
fn stop_within_ten_seconds(mut process: Connect) {
    let began = Instant::now();
    let status = process.stop(Duration::from_secs(10));
    assert!(status.success(), "{status}: {}", process.log());
    crate::say(&format!("an instance stopped within {:?}", began.elapsed()));
}

#[test]
fn an_instance_that_is_frozen_and_thawed_changes_nothing() {
    let Some(mut fleet) = Fleet::create("frozen", 4, "tasks.max=1\nflush.size=10") else { return };
    // Seven of ten: every partition has an open file.
    fleet.write(47);
    let (first, second) = (fleet.start(), fleet.start());
    wait_for_shares(&[&first, &second], 4);
    first.signal("STOP");
    fleet.write(13);
    wait_until("the other owns everything", Duration::from_secs(40), || owned(&second) == 4);
    wait_until("the other finishes", Duration::from_secs(40), || fleet.is_done());
    first.signal("CONT");
    wait_for_shares(&[&first, &second], 4);
    fleet.write(20);
    fleet.wait_until_done();
    fleet.account();
    stop_within_ten_seconds(first);
    stop_within_ten_seconds(second);
    fleet.account();
}

#[test]
fn two_instances_then_three_then_one_write_every_record_once() {
    let Some(mut fleet) = Fleet::create("scaled", 6, "tasks.max=2\nflush.size=7") else { return };
    fleet.write(35);
    let (first, second) = (fleet.start(), fleet.start());
    wait_for_shares(&[&first, &second], 6);
    fleet.write(30);
    let third = fleet.start();
    wait_for_shares(&[&first, &second, &third], 6);
    fleet.write(31);
    stop_within_ten_seconds(first);
    fleet.write(20);
    stop_within_ten_seconds(second);
    fleet.write(24);
    fleet.wait_until_done();
    stop_within_ten_seconds(third);
    fleet.account();
}

#[test]
fn a_rolling_restart_under_load_stops_each_instance_within_ten_seconds_and_writes_every_record_once() {
    let Some(mut fleet) = Fleet::create("rolling", 6, "tasks.max=2\nflush.size=7") else { return };
    fleet.write(35);
    let mut running = vec![fleet.start(), fleet.start()];
    for _ in 0..2 {
        fleet.write(14);
        wait_until("records flow", Duration::from_secs(40), || !fleet.bucket.keys().is_empty());
        stop_within_ten_seconds(running.remove(0));
        fleet.write(21);
        running.push(fleet.start());
    }
    fleet.wait_until_done();
    for process in running {
        stop_within_ten_seconds(process);
    }
    fleet.account();
}
