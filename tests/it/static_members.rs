//! `group.instance.id` with several tasks: each is a static member of its own.

use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::worker;
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};
use crate::reports;

#[test]
fn two_tasks_under_one_id_share_the_partitions_and_stay_so() {
    let Some(cluster) = Cluster::from_environment("static members") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "static members") else { return };
    let name = format!("static-member-{}", std::process::id());
    let mut records = Numbered::create(&cluster, &name, 4);
    let file = reports::connector("static-member-tasks", &bucket, &format!("name={name}\ntopics={name}"));
    let mut process = Connect::start(&scratch("static-members"), &worker(&cluster), &file);
    let shared = |process: &Connect| {
        let owned = process.series("connect_assigned_partitions");
        owned.len() == 2 && owned.iter().all(|(_, partitions)| *partitions == 2.0)
    };
    wait_until("each has two partitions", Duration::from_secs(60), || shared(&process));
    let rebalances = process.metric("connect_rebalances_total");
    for _ in 0..10 {
        records.write(&cluster, 6);
        assert_eq!(process.metric("connect_task_restarts_total"), Some(0.0), "{}", process.log());
        wait_until("all is committed", Duration::from_secs(90), || records.is_committed(&cluster, &format!("connect-{name}")));
        assert!(shared(&process) && process.is_ready(), "{:?}", process.problems());
    }
    assert_eq!(process.metric("connect_rebalances_total"), rebalances, "{}", process.log());
    records.assert_exactly_once(&bucket);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}
