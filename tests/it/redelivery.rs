//! Records vanish after they were read: whoever reads again finds other records between the same offsets, or another log under the same name.
//!
//! What is still in the log is in the bucket exactly once afterwards, and what is gone at most once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, seldom, worker};
use crate::process::{Connect, scratch};
use crate::proxy::{Moment, Proxy, Verdict};
use crate::vanishing::{Loss, Vanishing};

const PATIENCE: Duration = Duration::from_secs(120);
const FLUSH: &str = "flush.size=5";
const SCHEDULE: &str = "flush.size=100000\nrotate.schedule.interval.ms=700\ntimezone=UTC";
/// Two files a group.
const KEYS: &str = "flush.size=5\nstore.kafka.keys=true\nkeys.format.class=io.confluent.connect.s3.format.json.JsonFormat";

struct Story {
    cluster: Cluster,
    bucket: Bucket,
    records: Vanishing,
    name: String,
    settings: &'static str,
    directory: PathBuf,
}

impl Story {
    fn begin(test: &str, settings: &'static str) -> Option<Self> {
        let cluster = Cluster::from_environment(test)?;
        let bucket = Bucket::create(Server::Moto, test)?;
        bucket.keep_versions();
        let name = format!("redelivery-{test}-{}", std::process::id());
        cluster.delete_group(&format!("connect-{name}"));
        let records = Vanishing::create(&cluster, &name, 2);
        let directory = scratch(&name);
        Some(Self { cluster, bucket, records, name, settings, directory })
    }

    fn start(&self, worker: &str, store_url: &str, settings: &str) -> Connect {
        let file = connector(&self.name, &self.records.topic, &self.bucket, store_url, settings);
        Connect::start(&self.directory, worker, &file)
    }

    fn write(&mut self, count: i64) {
        self.records.write(&self.cluster, count);
    }

    fn lose(&mut self, loss: Loss) {
        // In the middle of a file, wherever it begins.
        self.records.lose(&self.cluster, loss, |below| below * 2 / 5);
    }

    fn wait_until_committed_but(&self, process: &mut Connect, uncommitted: i64) {
        let group = format!("connect-{}", self.name);
        wait_until("the group has committed what is in whole files", PATIENCE, || {
            assert!(process.is_running(), "it ended by itself: {}", process.log());
            self.records.is_committed_but(&self.cluster, &group, uncommitted)
        });
    }

    /// Records flow until all is committed; the last life has files of one record.
    fn end(mut self, mut process: Connect) {
        let in_open_files = if self.settings == SCHEDULE { 0 } else { 5 };
        self.write(21);
        self.wait_until_committed_but(&mut process, in_open_files);
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        let settings = format!("{}\nflush.size=1", self.settings.replace("flush.size", "#"));
        let mut process = self.start(&worker(&self.cluster), self.bucket.url(), &settings);
        self.wait_until_committed_but(&mut process, 0);
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        self.records.assert_accounted_for(&self.cluster, &self.bucket);
    }

    /// Every second object arrives, but no offset is committed with it; then a kill, the loss, and another life.
    fn lose_between_lives(mut self, loss: Loss) {
        self.write(33);
        let completions = AtomicUsize::new(0);
        let proxy = Proxy::start(self.bucket.url(), move |request, moment| {
            let is_late =
                moment == Moment::Arrived && request.completes_records() && completions.fetch_add(1, Ordering::SeqCst) % 2 == 1;
            if is_late { Verdict::Hang(PATIENCE) } else { Verdict::Pass }
        });
        let mut process = self.start(&seldom(&self.cluster), &proxy.url(), self.settings);
        // The clock cuts one file a partition, so that more must come for more files.
        wait_until("objects appear", PATIENCE, || {
            if self.settings == SCHEDULE {
                self.write(1);
            }
            self.bucket.keys().len() >= 3
        });
        process.kill();
        drop(proxy);
        self.lose(loss);
        let process = self.start(&worker(&self.cluster), self.bucket.url(), self.settings);
        self.end(process);
    }

    /// Uploads that hang go on after the loss.
    fn lose_while_uploads_hang(mut self, loss: Loss) {
        let (process, _proxy, gate) = self.until_uploads_hang();
        self.lose(loss);
        // What is read of the new log meets the uploads of the old one.
        self.write(10);
        gate.open();
        self.end(process);
    }

    /// The topic is made anew with few records, which are read while uploads of the old log hang; then the process is stopped, and the uploads arrive.
    fn shorten_while_uploads_hang(mut self) {
        let (mut process, _proxy, gate) = self.until_uploads_hang();
        self.lose(Loss::MadeAnewShorter);
        let new: f64 = self.records.written.iter().map(|written| f64::from(u32::try_from(*written).expect("few"))).sum();
        wait_until("the new log is read", PATIENCE, || process.metric("connect_partition_position") == Some(new));
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
        gate.open();
        let process = self.start(&worker(&self.cluster), self.bucket.url(), self.settings);
        self.end(process);
    }

    /// Some objects become durable; of the uploads after them every second one hangs before it arrives, and the others before the answer.
    fn until_uploads_hang(&mut self) -> (Connect, Proxy, Arc<Gate>) {
        self.write(33);
        let gate = Arc::new(Gate::default());
        let (at_gate, arrived, early) = (Arc::clone(&gate), AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
        let proxy = Proxy::start(self.bucket.url(), move |request, moment| {
            let is_early = || early.lock().expect("no panic").contains(&request.path);
            match moment {
                _ if !request.completes_records() => {}
                Moment::Arrived => {
                    let before = arrived.fetch_add(1, Ordering::SeqCst);
                    if before < 4 {
                        early.lock().expect("no panic").insert(request.path.clone());
                    } else if before % 2 == 1 {
                        at_gate.pass();
                    }
                }
                Moment::Done if !is_early() => at_gate.pass(),
                _ => {}
            }
            Verdict::Pass
        });
        let process = self.start(&worker(&self.cluster), &proxy.url(), self.settings);
        wait_until("uploads hang", PATIENCE, || {
            if self.settings == SCHEDULE {
                self.write(1);
            }
            gate.waiting.load(Ordering::SeqCst) >= 2
        });
        (process, proxy, gate)
    }
}

/// Where requests wait until it opens.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let is_open = self.is_open.lock().expect("no panic");
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).expect("no panic"));
    }

    fn open(&self) {
        *self.is_open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        self.cluster.delete_topic(&self.name);
    }
}

#[test]
fn compacted_between_kill_and_restart_with_a_flush_size_what_is_left_is_there_once() {
    let Some(story) = Story::begin("compacted", FLUSH) else { return };
    story.lose_between_lives(Loss::Compaction);
}

#[test]
fn compacted_between_kill_and_restart_with_a_schedule_what_is_left_is_there_once() {
    let Some(story) = Story::begin("compacted-clock", SCHEDULE) else { return };
    story.lose_between_lives(Loss::Compaction);
}

#[test]
fn compacted_between_kill_and_restart_with_keys_in_files_of_their_own_what_is_left_is_there_once() {
    let Some(story) = Story::begin("compacted-keys", KEYS) else { return };
    story.lose_between_lives(Loss::Compaction);
}

#[test]
fn deleted_between_kill_and_restart_with_a_flush_size_what_is_left_is_there_once() {
    let Some(story) = Story::begin("deleted", FLUSH) else { return };
    story.lose_between_lives(Loss::DeletedRecords);
}

#[test]
fn deleted_between_kill_and_restart_with_a_schedule_what_is_left_is_there_once() {
    let Some(story) = Story::begin("deleted-clock", SCHEDULE) else { return };
    story.lose_between_lives(Loss::DeletedRecords);
}

#[test]
fn made_anew_between_kill_and_restart_with_a_flush_size_the_new_log_is_there_once() {
    let Some(story) = Story::begin("anew", FLUSH) else { return };
    story.lose_between_lives(Loss::MadeAnew);
}

#[test]
fn made_anew_between_kill_and_restart_with_a_schedule_the_new_log_is_there_once() {
    let Some(story) = Story::begin("anew-clock", SCHEDULE) else { return };
    story.lose_between_lives(Loss::MadeAnew);
}

#[test]
fn compacted_while_uploads_hang_with_a_flush_size_what_is_left_is_there_once() {
    let Some(story) = Story::begin("compacted-live", FLUSH) else { return };
    story.lose_while_uploads_hang(Loss::Compaction);
}

#[test]
fn compacted_while_uploads_hang_with_a_schedule_what_is_left_is_there_once() {
    let Some(story) = Story::begin("compacted-live-clock", SCHEDULE) else { return };
    story.lose_while_uploads_hang(Loss::Compaction);
}

#[test]
fn compacted_while_uploads_hang_with_keys_in_files_of_their_own_what_is_left_is_there_once() {
    let Some(story) = Story::begin("compacted-live-keys", KEYS) else { return };
    story.lose_while_uploads_hang(Loss::Compaction);
}

#[test]
fn deleted_while_uploads_hang_with_a_flush_size_what_is_left_is_there_once() {
    let Some(story) = Story::begin("deleted-live", FLUSH) else { return };
    story.lose_while_uploads_hang(Loss::DeletedRecords);
}

#[test]
fn deleted_while_uploads_hang_with_a_schedule_what_is_left_is_there_once() {
    let Some(story) = Story::begin("deleted-live-clock", SCHEDULE) else { return };
    story.lose_while_uploads_hang(Loss::DeletedRecords);
}

#[test]
fn made_anew_while_uploads_hang_with_a_flush_size_the_new_log_is_there_once() {
    let Some(story) = Story::begin("anew-live", FLUSH) else { return };
    story.lose_while_uploads_hang(Loss::MadeAnew);
}

#[test]
fn made_anew_while_uploads_hang_with_a_schedule_the_new_log_is_there_once() {
    let Some(story) = Story::begin("anew-live-clock", SCHEDULE) else { return };
    story.lose_while_uploads_hang(Loss::MadeAnew);
}

#[test]
fn made_anew_with_few_records_while_uploads_hang_with_a_flush_size_the_new_log_is_there_once() {
    let Some(story) = Story::begin("shorter-live", FLUSH) else { return };
    story.shorten_while_uploads_hang();
}

#[test]
fn made_anew_with_few_records_while_uploads_hang_with_a_schedule_the_new_log_is_there_once() {
    let Some(story) = Story::begin("shorter-live-clock", SCHEDULE) else { return };
    story.shorten_while_uploads_hang();
}
