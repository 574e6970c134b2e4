//! The clock of this machine and that of the store differ: the difference is learned once, not with every request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::bucket::Bucket;
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::s3_server::{Manners, S3Server};

const PATIENCE: Duration = Duration::from_secs(60);
const OBJECTS: i64 = 200;

fn the_difference_is_learned_once(test: &str, minutes: i32) {
    let Some(cluster) = Cluster::from_environment(test) else { return };
    let server = S3Server::start(Manners::default());
    let bucket = Bucket::at(&server.url());
    let name = format!("{test}-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 1);
    records.write(&cluster, OBJECTS * 2);
    server.behave(Manners { clock_ahead: Some(minutes), ..Manners::default() });
    let counts = server.counts();
    let before = counts.requests.load(Ordering::SeqCst);
    let file = connector(&name, &name, &bucket, &server.url(), &format!("flush.size=2\n{PATIENT_GROUP}"));
    let mut process = Connect::start(&scratch(test), &worker(&cluster), &file);
    wait_until("all is committed", PATIENCE, || records.is_committed(&cluster, &group));
    let (requests, refused) = (counts.requests.load(Ordering::SeqCst) - before, counts.refused.load(Ordering::SeqCst));
    assert!(refused > 0, "the server looks at the time of requests");
    assert!(refused <= 3, "{refused} requests of {requests} were signed for another time");
    // A partition that moves in between has its objects looked at once more.
    assert!(requests < OBJECTS.unsigned_abs() * 3, "{requests} requests for {OBJECTS} objects");
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    server.behave(Manners::default());
    records.assert_exactly_once(&bucket);
    cluster.delete_topic(&name);
}

#[test]
fn a_store_whose_clock_is_ahead_is_asked_once_for_each_object() {
    the_difference_is_learned_once("clock-ahead", 20);
}

#[test]
fn a_store_whose_clock_is_behind_is_asked_once_for_each_object() {
    the_difference_is_learned_once("clock-behind", -20);
}

#[test]
fn a_store_whose_time_nobody_can_know_names_the_clocks() {
    let Some(cluster) = Cluster::from_environment("clock unknown") else { return };
    let server = S3Server::start(Manners::default());
    let bucket = Bucket::at(&server.url());
    let name = format!("clock-unknown-{}", std::process::id());
    let mut records = Numbered::create(&cluster, &name, 1);
    records.write(&cluster, 2);
    server.behave(Manners { clock_ahead: Some(20), hides_its_time: true, ..Manners::default() });
    let file = connector(&name, &name, &bucket, &server.url(), "flush.size=2");
    let process = Connect::start(&scratch("clock-unknown"), &worker(&cluster), &file);
    wait_until("readiness names the clocks", PATIENCE, || {
        process.problems().iter().any(|problem| problem.contains("RequestTimeTooSkewed") && problem.contains("clocks"))
    });
    cluster.delete_topic(&name);
}
