//! `kill -9` at random moments, and between lives records vanish or settings change, at random.
//!
//! `CONNECT_TEST_KILLS` says how many kills, `CONNECT_TEST_SEED` repeats a story.

use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::crash::{Random, kills};
use crate::files::{NO_HOLD, connector, worker};
use crate::process::{Connect, scratch};
use crate::vanishing::{Loss, Vanishing};

const CUTS: [&str; 6] = [
    "flush.size=7",
    "flush.size=3",
    "flush.size=1",
    "flush.size=25",
    "flush.size=100000\nrotate.schedule.interval.ms=700\ntimezone=UTC",
    "flush.size=10\nrotate.schedule.interval.ms=1500\ntimezone=UTC",
];

#[test]
fn killed_at_random_moments_while_records_vanish_and_settings_change_what_is_left_is_there_once() {
    let Some(cluster) = Cluster::from_environment("mixed losses") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "mixed losses") else { return };
    bucket.keep_versions();
    let name = format!("mixed-{}", std::process::id());
    let group = format!("connect-{name}");
    let directory = scratch(&name);
    let mut records = Vanishing::create(&cluster, &name, 3);
    let start = |cuts: &str| {
        let file = connector(&name, &name, &bucket, bucket.url(), &format!("{cuts}\n{NO_HOLD}"));
        Connect::start(&directory, &worker(&cluster), &file)
    };

    let mut random = Random::new();
    let mut story = vec![format!("seed {}", random.seed)];
    let mut cuts = CUTS[0];
    for _life in 0..kills() {
        records.write(&cluster, 40);
        let mut process = start(cuts);
        std::thread::sleep(Duration::from_millis(random.below(4_000)));
        assert!(process.is_running(), "it ended by itself: {}", process.log());
        process.kill();
        let losses = [Loss::Compaction, Loss::DeletedRecords, Loss::MadeAnew, Loss::MadeAnewShorter];
        match random.below(10) {
            which @ 0..4 => {
                let loss = losses[usize::try_from(which).expect("a small number")];
                records.lose(&cluster, loss, |below| {
                    let below = u64::try_from(below).expect("a count");
                    i64::try_from(random.below(below)).expect("a count")
                });
                story.push(format!("{loss:?}"));
            }
            4..7 => {
                let which = random.below(CUTS.len() as u64);
                cuts = CUTS[usize::try_from(which).expect("a small number")];
                story.push(cuts.replace('\n', " "));
            }
            _ => story.push("killed".to_owned()),
        }
    }
    // Said before the account, which may panic.
    crate::say(&format!("{name}: {}", story.join(", ")));

    let mut process = start("flush.size=1");
    wait_until("everything is committed", Duration::from_secs(300), || {
        assert!(process.is_running(), "it ended by itself: {}", process.log());
        records.is_committed_but(&cluster, &group, 0)
    });
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    records.assert_accounted_for(&cluster, &bucket);
    cluster.delete_topic(&name);
}
