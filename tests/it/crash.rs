//! `kill -9` at any moment: every offset is in the bucket exactly once, and no object changed after it appeared.
//!
//! `CONNECT_TEST_KILLS` says how many kills at random moments each test makes.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{NO_HOLD, connector, worker};
use crate::numbered::{Numbered, assert_nothing_changed};
use crate::process::{Connect, scratch};
use crate::proxy::{Moment, Proxy, Verdict};

/// A connector that is killed again and again, over one topic and one bucket.
pub(crate) struct Victim {
    pub(crate) cluster: Cluster,
    pub(crate) bucket: Bucket,
    name: String,
    pub(crate) records: Numbered,
    directory: PathBuf,
}

impl Victim {
    pub(crate) fn create(test: &str) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let bucket = Bucket::create(Server::Moto, test)?;
        bucket.keep_versions();
        let name = format!("crash-{test}-{}", std::process::id());
        let records = Numbered::create(&cluster, &name, 3);
        let directory = scratch(&name);
        Some(Self { cluster, bucket, name, records, directory })
    }

    fn start(&self, settings: &str) -> Connect {
        self.start_through(self.bucket.url(), settings)
    }

    fn start_through(&self, store_url: &str, settings: &str) -> Connect {
        let connector = connector(&self.name, &self.records.topic, &self.bucket, store_url, settings);
        Connect::start(&self.directory, &worker(&self.cluster), &connector)
    }

    fn is_done(&self) -> bool {
        self.records.is_committed(&self.cluster, &format!("connect-{}", self.name))
    }

    /// One life without a kill, until everything is committed; then the account.
    fn finish(&self, settings: &str) {
        self.finish_with(settings, |victim| {
            victim.records.assert_exactly_once(&victim.bucket);
            assert_nothing_changed(&victim.bucket);
        });
    }

    /// The same with another account.
    pub(crate) fn finish_with(&self, settings: &str, account: impl Fn(&Self)) {
        let mut process = self.start(settings);
        wait_until("everything is committed", Duration::from_secs(300), || self.is_done() || !process.is_running());
        let status = process.stop(Duration::from_secs(20));
        assert!(status.success(), "{status}: {}", process.log());
        assert!(self.is_done(), "ended before everything was committed: {}", process.log());
        account(self);
        assert_eq!(self.bucket.unfinished_uploads(), 0, "multipart uploads nobody finished");
    }

    /// Lives that end with a kill at a random moment; each finds new records.
    fn suffer(&mut self, settings: impl Fn(usize) -> String) {
        self.suffer_with(settings, |victim| victim.records.write(&victim.cluster, 70));
    }

    /// The same with records of another kind.
    pub(crate) fn suffer_with(&mut self, settings: impl Fn(usize) -> String, write: impl Fn(&mut Self)) {
        let kills = kills();
        let mut random = Random::new();
        for life in 0..kills {
            write(self);
            let mut process = self.start(&settings(life));
            std::thread::sleep(Duration::from_millis(random.below(3_500)));
            assert!(process.is_running(), "it ended by itself: {}", process.log());
            process.kill();
        }
        crate::say(&format!("{}: {kills} kills (seed {})", self.name, random.seed));
    }
}

pub(crate) fn kills() -> usize {
    std::env::var("CONNECT_TEST_KILLS").map_or(8, |kills| kills.parse().expect("a number"))
}

/// A small generator (xorshift); its seed is said, so that a failure can be repeated with `CONNECT_TEST_SEED`.
pub(crate) struct Random {
    pub(crate) seed: u64,
    state: u64,
}

impl Random {
    pub(crate) fn new() -> Self {
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").subsec_nanos();
        let seed = std::env::var("CONNECT_TEST_SEED").map_or_else(|_| u64::from(now()) + 1, |seed| seed.parse().expect("a number"));
        Self { seed, state: seed }
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % bound
    }
}

#[test]
fn killed_at_random_moments_with_one_record_an_object_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("flush1") else { return };
    victim.suffer(|_| "flush.size=1".into());
    victim.finish("flush.size=1");
}

#[test]
fn killed_at_random_moments_with_seven_records_an_object_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("flush7") else { return };
    victim.suffer(|_| "flush.size=7".into());
    victim.finish("flush.size=7");
    for key in victim.bucket.keys() {
        let offset: u64 = key.rsplit('+').next().and_then(|end| end.strip_suffix(".json")).unwrap().parse().unwrap();
        assert_eq!(offset % 7, 0, "cut elsewhere than an undisturbed run: {key}");
    }
}

#[test]
fn killed_at_random_moments_with_the_wall_clock_cutting_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("schedule") else { return };
    let settings = "flush.size=100000\nrotate.schedule.interval.ms=700\ntimezone=UTC";
    victim.suffer(|_| settings.into());
    victim.finish(settings);
}

#[test]
fn killed_and_restarted_with_another_flush_size_each_time_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("flush-changed") else { return };
    victim.suffer(|life| format!("flush.size={}\n{NO_HOLD}", [7, 3, 10, 1, 25, 4][life % 6]));
    victim.finish(&format!("flush.size=1\n{NO_HOLD}"));
}

/// Kills when the sink completes its `count`-th object, at this moment of the request.
fn killed_around_the_upload(test: &str, moment: Moment, settings: &[&str]) {
    let Some(mut victim) = Victim::create(test) else { return };
    for count in [1, 2, 3, 11] {
        for settings in settings {
            victim.records.write(&victim.cluster, 28);
            let (pid, completions) = (Arc::new(AtomicU32::new(0)), AtomicUsize::new(0));
            let target = Arc::clone(&pid);
            let proxy = Proxy::start(victim.bucket.url(), move |request, now| {
                if now == moment && request.kind.completes() && completions.fetch_add(1, Ordering::SeqCst) + 1 == count {
                    // An upload may come before the process's number is known here.
                    while target.load(Ordering::SeqCst) == 0 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    kill_now(target.load(Ordering::SeqCst));
                    return Verdict::Reset;
                }
                Verdict::Pass
            });
            let mut process = victim.start_through(&proxy.url(), &format!("{settings}\n{NO_HOLD}"));
            pid.store(process.id(), Ordering::SeqCst);
            let deadline = Instant::now() + Duration::from_secs(60);
            while process.is_running() {
                assert!(Instant::now() < deadline, "upload {count} never came: {}", process.log());
                // The wall clock cuts one file a partition, so that more must come for more uploads.
                std::thread::sleep(Duration::from_millis(300));
                victim.records.write(&victim.cluster, 1);
            }
        }
    }
    victim.finish(&format!("flush.size=1\n{NO_HOLD}"));
}

fn kill_now(pid: u32) {
    let done = Command::new("kill").arg("-9").arg(pid.to_string()).status().expect("kill runs");
    assert!(done.success(), "kill -9 {pid}");
}

const TRIGGERS: [&str; 3] = ["flush.size=7", "flush.size=1", "flush.size=100000\nrotate.schedule.interval.ms=500\ntimezone=UTC"];

#[test]
fn killed_before_an_upload_arrives_every_record_is_there_once() {
    killed_around_the_upload("before-upload", Moment::Arrived, &TRIGGERS);
}

#[test]
fn killed_after_an_upload_and_before_its_answer_every_record_is_there_once() {
    killed_around_the_upload("before-answer", Moment::Done, &TRIGGERS);
}

#[test]
fn killed_after_the_answer_to_an_upload_every_record_is_there_once() {
    killed_around_the_upload("after-answer", Moment::Answered, &TRIGGERS);
}

#[test]
fn killed_as_soon_as_an_offset_is_committed_every_record_is_there_once() {
    let Some(mut victim) = Victim::create("commit") else { return };
    let group = format!("connect-{}", victim.name);
    for settings in TRIGGERS {
        for _ in 0..2 {
            victim.records.write(&victim.cluster, 35);
            let before = victim.cluster.committed(&group, &victim.records.partitions());
            let mut process = victim.start(&format!("{settings}\n{NO_HOLD}"));
            wait_until("a commit", Duration::from_secs(40), || {
                victim.cluster.committed(&group, &victim.records.partitions()) != before
            });
            process.kill();
        }
    }
    victim.finish(&format!("flush.size=1\n{NO_HOLD}"));
}
