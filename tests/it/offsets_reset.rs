//! Someone resets the group to the beginning: the run ends, and the bucket holds every record once.

use std::time::Duration;

use crate::broker::{java, libraries};
use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};

#[test]
fn offsets_reset_by_kafkas_own_tool_write_nothing_twice() {
    let Some(cluster) = Cluster::from_environment("offsets reset") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "offsets reset") else { return };
    let Some(libraries) = libraries("offsets reset") else { return };
    let name = format!("reset-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 2);
    records.write(&cluster, 40);
    let directory = scratch("reset");
    let run = |records: &Numbered| {
        let file = connector(&name, &name, &bucket, bucket.url(), "flush.size=8");
        let mut process = Connect::start(&directory, &worker(&cluster), &file);
        wait_until("all is committed", Duration::from_secs(60), || records.is_committed(&cluster, &group));
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        process.log()
    };
    run(&records);
    let before = bucket.objects();

    let reset = java(&libraries)
        .args(["org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server"])
        .arg(cluster.bootstrap_servers())
        .args(["--group", &group, "--topic", &name, "--reset-offsets", "--to-earliest", "--execute"])
        .output()
        .expect("java runs");
    assert!(reset.status.success(), "{}", String::from_utf8_lossy(&reset.stderr));
    assert!(!records.is_committed(&cluster, &group), "the tool did not reset anything");

    let log = run(&records);
    assert_eq!(bucket.objects(), before);
    records.assert_exactly_once(&bucket);
    assert!(log.contains("history"), "says what it found: {log}");
}
