//! The store misbehaves: no rebalance, no restart, readiness red and then green, nothing lost.
//!
//! `CONNECT_TEST_OUTAGE_SECONDS` says how long each kind of trouble lasts.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::numbered::{Numbered, assert_nothing_changed};
use crate::process::{Connect, scratch};
use crate::proxy::{Moment, Proxy, Verdict};

pub(crate) fn outage() -> Duration {
    Duration::from_secs(std::env::var("CONNECT_TEST_OUTAGE_SECONDS").map_or(5, |text| text.parse().expect("a number")))
}

#[test]
fn a_store_that_fails_in_every_way_loses_nothing_and_moves_no_partition() {
    let Some(cluster) = Cluster::from_environment("store faults") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "store faults") else { return };
    bucket.keep_versions();
    let trouble = Arc::new(Mutex::new(Verdict::Pass));
    let now = Arc::clone(&trouble);
    let proxy = Proxy::start(bucket.url(), move |_, moment| match moment {
        Moment::Arrived => *now.lock().expect("no panic in here"),
        _ => Verdict::Pass,
    });
    let name = format!("outage-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 3);
    records.write(&cluster, 20);
    let file = connector(&name, &name, &bucket, &proxy.url(), &format!("tasks.max=2\nflush.size=4\n{PATIENT_GROUP}"));
    let mut process = Connect::start(&scratch("outage"), &worker(&cluster), &file);
    wait_until("all is committed", Duration::from_secs(40), || records.is_committed(&cluster, &group));
    wait_until("it is ready", Duration::from_secs(20), || process.is_ready());
    wait_until("both tasks own partitions", Duration::from_secs(40), || {
        let owned = process.series("connect_assigned_partitions");
        owned.len() == 2 && owned.iter().all(|(_, count)| *count > 0.0)
    });
    let rebalances = process.metric("connect_rebalances_total");
    assert!(rebalances.is_some(), "rebalances are counted");

    let kinds = [
        Verdict::Answer(503, "SlowDown"),
        Verdict::Answer(500, "InternalError"),
        Verdict::Reset,
        Verdict::Hang(Duration::from_secs(3_600)),
    ];
    for kind in kinds {
        *trouble.lock().expect("no panic") = kind;
        let began = Instant::now();
        records.write(&cluster, 20);
        wait_until(&format!("not ready during {kind:?}"), Duration::from_secs(90), || {
            process.get("/readyz").is_some_and(|(status, _)| status == 503)
        });
        std::thread::sleep(outage().saturating_sub(began.elapsed()));
        records.write(&cluster, 4);
        *trouble.lock().expect("no panic") = Verdict::Pass;
        wait_until(&format!("all is committed after {kind:?}"), Duration::from_secs(120), || {
            records.is_committed(&cluster, &group)
        });
        wait_until(&format!("ready after {kind:?}"), Duration::from_secs(60), || process.is_ready());
    }

    assert_eq!(process.metric("connect_rebalances_total"), rebalances, "no partition moved");
    assert_eq!(process.metric("connect_task_restarts_total").unwrap_or(0.0), 0.0, "no task was restarted");
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    records.assert_exactly_once(&bucket);
    assert_nothing_changed(&bucket);
}
