//! Runs a case through the real binary, against the real broker and a real S3 server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::case::{Case, Snapshot, topic_partition};
use crate::bucket::{Bucket, Object, Server};
use crate::cluster::{Cluster, Commit, Record, wait_until};
use crate::process::{Connect, scratch};
use crate::proxy::{Kind, Moment, Proxy, Request, Verdict};
use crate::registry_server::RegistryServer;

/// How long a snapshot may take to become what is expected.
const PATIENCE: Duration = Duration::from_secs(60);
/// What every case needs comes sooner or later, on a busy machine too.
const PREPARED_WITHIN: Duration = Duration::from_secs(90);
/// How long nothing may change before something that was not expected counts as absent.
const QUIET: Duration = Duration::from_millis(1500);

/// The year 2100.
const FAR_AHEAD: i64 = 4_102_444_800_000;

/// What a run left.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) objects: BTreeMap<String, Object>,
    /// Of the objects that have tags on the JVM.
    pub(super) tags: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) dead_letters: Vec<Record>,
    /// Everything the process said, of all its runs.
    pub(super) log: String,
    /// It ended by itself instead of running.
    pub(super) refused: bool,
}

struct Run<'a> {
    case: &'a Case,
    cluster: &'a Cluster,
    bucket: &'a Bucket,
    directory: PathBuf,
    store_url: String,
    /// Only while faults are injected.
    proxy: Option<Proxy>,
    /// Where the case has schemas.
    registry: Option<RegistryServer>,
    flush_interval: String,
    process: Option<Connect>,
    /// A connector beside it in the same consumer group.
    second: Option<Connect>,
    produced: BTreeMap<(String, i32), i64>,
    outcome: Outcome,
}

/// Runs a case until its end; `expected` says what each snapshot waits for.
pub(super) fn run(case: &Case, cluster: &Cluster, bucket: &Bucket, expected: &[Snapshot]) -> Outcome {
    let group = format!("connect-{}", case.name);
    // What an earlier run on this broker left.
    cluster.delete_group(&group);
    for step in case.steps.iter().filter(|step| step["op"] == "create topic") {
        cluster.delete_topic(step["topic"].as_str().expect("a topic"));
    }
    let mut run = Run {
        case,
        cluster,
        bucket,
        directory: scratch(&case.name),
        store_url: bucket.url().to_owned(),
        proxy: None,
        registry: case.registry(),
        flush_interval: "1000".to_owned(),
        process: None,
        second: None,
        produced: BTreeMap::new(),
        outcome: Outcome::default(),
    };
    if case.name == "rotate-schedule-conditional-collision" {
        // Somebody else's object is in the way, as the notes say.
        let (key, foreign) = case.objects.first_key_value().expect("an object");
        bucket.put(key, foreign.body.as_ref().expect("its body"));
    }
    let mut snapshots = expected.iter();
    for step in &case.steps {
        run.step(step, &mut snapshots);
    }
    run.stop();
    drop(run.proxy);
    run.outcome.objects = bucket.objects();
    let tagged = case.objects.iter().filter(|(_, expected)| !expected.tags.is_empty());
    run.outcome.tags = tagged.map(|(key, _)| (key.clone(), bucket.tags(key))).collect();
    if case.dead_letters.is_some() {
        let topic = case.setting("errors.deadletterqueue.topic.name").expect("a dead letter queue");
        run.outcome.dead_letters = cluster.read_all(topic);
    }
    run.outcome
}

/// A bucket for the case, on the server that all cases ran on.
pub(super) fn bucket() -> Option<Bucket> {
    Bucket::create(Server::Moto, "golden")
}

impl Run<'_> {
    fn step<'s>(&mut self, step: &Value, snapshots: &mut impl Iterator<Item = &'s Snapshot>) {
        let op = step["op"].as_str().expect("an op");
        match op {
            "create topic" => self.create_topic(step),
            "produce" => self.produce(step),
            "start worker" => {
                let interval = step["offset.flush.interval.ms"].as_str().expect("an interval");
                self.flush_interval = interval.to_owned();
            }
            "set S3 faults" => self.inject(step),
            "create connector" => self.process = Some(self.start(step, "")),
            "create second connector NAME-B, same consumer group" => {
                self.second = Some(self.start(step, &format!("name={}-B\n", self.case.name)));
            }
            "delete connector (graceful stop)" | "SIGTERM worker" => self.stop(),
            "kill -9 worker" => self.kill(),
            "add partition" => {
                let (topic, partition) = self.case.partitions().pop().expect("a partition");
                self.cluster.grow_topic(&topic, partition + 1);
            }
            "snapshot" => self.snapshot(snapshots.next()),
            _ if op.starts_with("delete records below offset ") => {
                let (topic, partition) = self.case.partitions().remove(0);
                let offset = op.rsplit(' ').next().and_then(|offset| offset.parse().ok()).expect("an offset");
                self.cluster.delete_records(&topic, partition, offset);
            }
            _ => panic!("{}: nobody knows how to {op}", self.case.name),
        }
    }

    fn create_topic(&self, step: &Value) {
        let mut config: Vec<(&str, &str)> =
            step["config"].as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), v.as_str().expect("text"))).collect();
        // Brokers take no time that is far ahead unless they are told to; the one of the cases did.
        if self.case.records.iter().any(|record| record.timestamp > Some(FAR_AHEAD)) {
            config.push(("message.timestamp.after.max.ms", "9223372036854775807"));
        }
        let partitions = i32::try_from(step["partitions"].as_i64().expect("a count")).expect("a count");
        self.cluster.create_topic(step["topic"].as_str().expect("a topic"), partitions, &config);
    }

    fn produce(&mut self, step: &Value) {
        for (partition, range) in step["offsets"].as_object().expect("offsets") {
            let (topic, partition) = topic_partition(partition);
            let bound = |index: usize| range[index].as_i64().expect("an offset");
            let from = *self.produced.get(&(topic.clone(), partition)).unwrap_or(&0);
            let between = |first: i64, last: i64| -> Vec<Record> {
                let offsets = first..=last;
                let chosen =
                    |record: &&Record| record.topic == topic && record.partition == partition && offsets.contains(&record.offset);
                self.case.records.iter().filter(chosen).cloned().collect()
            };
            // Records that no step names were written in transactions.
            self.produce_transactions(&between(from, bound(0) - 1));
            let records = between(bound(0), bound(1));
            self.cluster.produce(&records);
            let end = records.last().map_or(from, |record| record.offset + 1);
            wait_until(&format!("{topic}-{partition} ends at {end}"), PREPARED_WITHIN, || {
                self.cluster.end_offset(&topic, partition) >= end
            });
            self.produced.insert((topic, partition), end);
        }
    }

    /// Each gap between offsets is the control record that ended a transaction; the one of offset 4 was aborted.
    fn produce_transactions(&self, records: &[Record]) {
        for group in records.chunk_by(|a, b| b.offset == a.offset + 1) {
            let commit = if group[0].offset == 4 { Commit::Aborted } else { Commit::Yes };
            self.cluster.produce_transactions(&self.case.name, &[(group, commit)]);
        }
    }

    fn inject(&mut self, step: &Value) {
        let faults: Vec<Fault> = step["faults"].as_array().into_iter().flatten().map(Fault::parse).collect();
        if faults.is_empty() {
            self.proxy = None;
            self.store_url = self.bucket.url().to_owned();
            return;
        }
        let faults = Mutex::new(faults);
        let proxy = Proxy::start(self.bucket.url(), move |request, moment| {
            if moment != Moment::Arrived {
                return Verdict::Pass;
            }
            let mut faults = faults.lock().expect("no panic in here");
            let fault = faults.iter_mut().find(|fault| fault.times > 0 && fault.meets(request));
            fault.map_or(Verdict::Pass, |fault| {
                fault.times -= 1;
                fault.verdict
            })
        });
        self.store_url = proxy.url();
        self.proxy = Some(proxy);
    }

    /// `more`: what else the connector's file says.
    fn start(&self, step: &Value, more: &str) -> Connect {
        let mut connector = self.case.connector.replace("${STORE_URL}", &self.store_url).replace("${BUCKET}", self.bucket.name());
        if let Some(registry) = &self.registry {
            connector = connector.replace("${SCHEMA_REGISTRY_URL}", &registry.url());
        }
        connector.push('\n');
        // The JVM waits for nobody's requests: the pause after a crash is ours, and its length is not what the cases are about.
        connector.push_str(crate::files::NO_HOLD);
        connector.push('\n');
        if self.case.name == "kill9-flush-size-changed" && step["changed"].is_null() {
            // The file holds the last configuration; the notes say what the first one was.
            connector.push_str("flush.size=2\n");
        }
        for (key, value) in step["changed"].as_object().into_iter().flatten().filter(|(key, _)| *key != "store.url") {
            connector.push_str(&format!("{key}={}\n", value.as_str().expect("a text")));
        }
        connector.push_str(more);
        let worker = format!(
            "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n\
             offset.flush.interval.ms={}\nconsumer.auto.offset.reset=earliest\n{}",
            self.cluster.bootstrap_servers(),
            self.flush_interval,
            self.case.worker.lines().filter(|line| !line.starts_with("offset.flush")).collect::<Vec<_>>().join("\n"),
        );
        let mut process = Connect::start(&self.directory, &worker, &connector);
        wait_until("it listens or has ended", PREPARED_WITHIN, || process.get("/livez").is_some() || !process.is_running());
        process
    }

    fn stop(&mut self) {
        for mut process in self.process.take().into_iter().chain(self.second.take()) {
            self.outcome.refused |= !process.is_running();
            process.stop(Duration::from_secs(20));
            self.outcome.log.push_str(&process.log());
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
            self.outcome.log.push_str(&process.log());
        }
    }

    /// Waits until what is there is what is expected and stays so, or patience ends; notes what is there.
    fn snapshot(&mut self, expected: Option<&Snapshot>) {
        let deadline = Instant::now() + PATIENCE;
        // Where nothing is expected to happen, it must not have happened after the records were read.
        let all_read_by = Instant::now() + PATIENCE / 3;
        let mut quiet_since: Option<Instant> = None;
        let mut noted = Snapshot::default();
        while Instant::now() < deadline {
            let now = self.look(expected);
            let settled = expected.is_none_or(|expected| {
                agrees(&now, expected) && (expected.failed || Instant::now() > all_read_by || self.has_read_everything())
            });
            if !settled || now != noted {
                quiet_since = None;
            }
            noted = now;
            if self.process.as_mut().is_some_and(|process| !process.is_running()) {
                break;
            }
            let since = *quiet_since.get_or_insert_with(Instant::now);
            let long_enough = match (expected, &self.process) {
                (None, _) => QUIET * 4,
                (Some(_), Some(_)) => QUIET,
                (Some(_), None) => Duration::ZERO,
            };
            if settled && since.elapsed() >= long_enough {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.outcome.snapshots.push(noted);
    }

    /// Whether the consumer stands at the end of every partition that it owns, or there is none.
    fn has_read_everything(&self) -> bool {
        let Some(process) = &self.process else { return true };
        let positions = process.series("connect_partition_position");
        let behind = positions.iter().any(|(labels, position)| {
            self.produced.iter().any(|((topic, partition), end)| {
                #[expect(clippy::cast_precision_loss, reason = "small offsets")]
                let end = *end as f64;
                labels.contains(&format!("topic=\"{topic}\""))
                    && labels.contains(&format!("partition=\"{partition}\""))
                    && *position < end
            })
        });
        !positions.is_empty() && !behind
    }

    fn look(&mut self, expected: Option<&Snapshot>) -> Snapshot {
        let group = format!("connect-{}", self.case.name);
        let failed = self.process.as_ref().is_some_and(Connect::has_failed_task);
        Snapshot {
            when: expected.map(|expected| expected.when.clone()).unwrap_or_default(),
            committed: self.cluster.committed(&group, &self.case.partitions()),
            keys: self.bucket.keys(),
            failed,
        }
    }
}

/// A commit of 0 and no commit mean the same to whoever reads next.
pub(super) fn agrees(ours: &Snapshot, expected: &Snapshot) -> bool {
    let moved = |snapshot: &Snapshot| {
        snapshot.committed.iter().filter(|(_, offset)| **offset > 0).map(|(at, offset)| (at.clone(), *offset)).collect::<Vec<_>>()
    };
    moved(ours) == moved(expected) && ours.keys == expected.keys && ours.failed == expected.failed
}

/// An injected fault. The JVM uploads every object in parts, we put small ones at once: a fault of either meets our put.
struct Fault {
    op: String,
    /// What the path must contain.
    path: String,
    times: u64,
    verdict: Verdict,
}

impl Fault {
    fn parse(value: &Value) -> Self {
        let status = value["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
        let code = match status {
            403 => "AccessDenied",
            429 => "TooManyRequests",
            503 => "SlowDown",
            _ => "InternalError",
        };
        let verdict = match value["hang"].as_u64() {
            Some(seconds) => Verdict::Hang(Duration::from_secs(seconds)),
            None if value["reset"] == true => Verdict::Reset,
            None => Verdict::Answer(status, code),
        };
        let path = value["match"].as_str().unwrap_or_default().to_owned();
        Self { op: value["op"].as_str().expect("an op").to_owned(), path, times: value["times"].as_u64().unwrap_or(1), verdict }
    }

    fn meets(&self, request: &Request) -> bool {
        if !request.path.contains(&self.path) {
            return false;
        }
        match self.op.as_str() {
            "head" => request.kind == Kind::HeadBucket,
            "create" => matches!(request.kind, Kind::PutObject | Kind::CreateMultipart),
            "part" => matches!(request.kind, Kind::PutObject | Kind::Part),
            "complete" => matches!(request.kind, Kind::PutObject | Kind::Complete),
            other => panic!("unknown fault {other}"),
        }
    }
}
