//! The broker goes away and comes back: the sink needs nobody.

use std::time::Duration;

use crate::broker::Broker;
use crate::bucket::{Bucket, Server};
use crate::cluster::wait_until;
use crate::files::{connector, worker};
use crate::numbered::{Numbered, assert_nothing_changed};
use crate::process::{Connect, scratch};

#[test]
fn a_broker_that_is_stopped_and_started_needs_nobody() {
    let Some(bucket) = Bucket::create(Server::Moto, "broker restart") else { return };
    let Some(mut broker) = Broker::start("broker restart") else { return };
    bucket.keep_versions();
    let cluster = broker.cluster();
    let mut records = Numbered::create(&cluster, "restarted", 3);
    records.write(&cluster, 50);
    let file = connector("restarted", "restarted", &bucket, bucket.url(), "flush.size=5");
    let mut process = Connect::start(&scratch("broker-restart"), &worker(&cluster), &file);
    wait_until("all is committed", Duration::from_secs(40), || records.is_committed(&cluster, "connect-restarted"));
    broker.stop();
    std::thread::sleep(Duration::from_secs(5));
    assert!(process.is_running(), "it ended with the broker: {}", process.log());
    broker.run();
    let cluster = broker.cluster();
    records.write(&cluster, 50);
    wait_until("all is committed again", Duration::from_secs(60), || records.is_committed(&cluster, "connect-restarted"));
    wait_until("it is ready again", Duration::from_secs(30), || process.is_ready());
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
    records.assert_exactly_once(&bucket);
    assert_nothing_changed(&bucket);
}
