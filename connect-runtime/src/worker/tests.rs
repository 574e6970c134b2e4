//! Whole workers against librdkafka's mock cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use connect_api::{
    CommitReason, Converter, HeaderConverter, OffsetAndMetadata, Offsets, Plugin, RawHeader, SinkConnector, SinkRecord, SinkTask,
    SinkTaskContext, TopicPartition, async_trait,
    config::ConfigDef,
    data::{Data, Value},
};

use super::*;
use crate::consumer::kafka::{self, mock::MockCluster};

/// What the tasks of one test have seen. Tests run at once and tell theirs apart by the connector's `journal` key.
#[derive(Debug, Default)]
struct Seen {
    /// `value` by partition, in the order of their delivery.
    values: BTreeMap<TopicPartition, Vec<(i64, String)>>,
    opened: Vec<Offsets>,
    /// Which task has which partition now.
    owners: BTreeMap<TopicPartition, usize>,
    closed: Vec<TopicPartition>,
    committed: Offsets,
    stopped: usize,
    reasons: Vec<CommitReason>,
}

static SEEN: Mutex<BTreeMap<String, Seen>> = Mutex::new(BTreeMap::new());

fn seen() -> MutexGuard<'static, BTreeMap<String, Seen>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two connectors that can only close together.
static TOGETHER: LazyLock<tokio::sync::Barrier> = LazyLock::new(|| tokio::sync::Barrier::new(2));

struct Recorder {
    journal: String,
    /// What is strange about its tasks' starting and closing.
    quirk: Option<String>,
    /// The first task fails like this when it gets its first record.
    failure: Mutex<Option<String>>,
}

struct RecorderTask {
    journal: String,
    quirk: Option<String>,
    failure: Option<String>,
    context: Option<SinkTaskContext>,
    written: BTreeMap<TopicPartition, usize>,
}

impl RecorderTask {
    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(seen().entry(self.journal.clone()).or_default());
    }
}

impl Plugin for Recorder {
    const NAME: &'static str = "test.RecorderSinkConnector";
    const DOCUMENTATION: &'static str = "Remembers what it was given.";

    fn config_def() -> ConfigDef {
        ConfigDef::default()
    }

    fn configure(config: &Config) -> Result<Self> {
        let failure = Mutex::new(config.text("test.failure").map(str::to_owned));
        let quirk = config.text("test.quirk").map(str::to_owned);
        Ok(Self { journal: config.text("name").unwrap_or_default().to_owned(), quirk, failure })
    }
}

impl SinkConnector for Recorder {
    fn task(&self, _config: &Config, _plugins: &Plugins) -> Result<Box<dyn SinkTask>> {
        let failure = self.failure.lock().unwrap().take();
        let (journal, quirk) = (self.journal.clone(), self.quirk.clone());
        Ok(Box::new(RecorderTask { journal, quirk, failure, context: None, written: BTreeMap::new() }))
    }
}

#[async_trait]
impl SinkTask for RecorderTask {
    async fn start(&mut self, context: SinkTaskContext) -> Result<()> {
        let task = context.task;
        self.context = Some(context);
        match (self.quirk.as_deref(), task) {
            (Some("hangs"), _) | (Some("second hangs"), 1) => std::future::pending().await,
            (Some("refuses"), 1) => Err(Error::config("not like this")),
            _ => Ok(()),
        }
    }

    async fn open(&mut self, partitions: &Offsets) -> Result<()> {
        for (topic_partition, begin) in partitions {
            let written = begin.metadata.strip_prefix("written=").and_then(|count| count.parse().ok());
            self.written.insert(topic_partition.clone(), written.unwrap_or_default());
        }
        let task = self.context.as_ref().map_or(0, |context| context.task);
        self.note(|seen| {
            seen.opened.push(partitions.clone());
            seen.owners.extend(partitions.keys().map(|topic_partition| (topic_partition.clone(), task)));
        });
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        if !records.is_empty() {
            match self.failure.as_deref() {
                None => {}
                Some("data") => return Err(Error::data("bad record")),
                Some("fatal") => return Err(Error::fatal("broken")),
                Some(_) => panic!("on purpose"),
            }
        }
        for record in records {
            let Value::Bytes(value) = &record.value.value else { continue };
            let value = String::from_utf8_lossy(value).into_owned();
            let topic_partition = record.origin().topic_partition().clone();
            *self.written.entry(topic_partition.clone()).or_default() += 1;
            self.note(|seen| seen.values.entry(topic_partition).or_default().push((record.offset(), value)));
        }
        if let Some(context) = self.context.as_ref().filter(|_| !records.is_empty()) {
            context.request_commit();
        }
        Ok(())
    }

    async fn pre_commit(&mut self, delivered: &Offsets, reason: CommitReason) -> Result<Offsets> {
        self.note(|seen| seen.reasons.push(reason));
        let mut offsets = delivered.clone();
        for (topic_partition, offset) in &mut offsets {
            offset.metadata = format!("written={}", self.written.get(topic_partition).copied().unwrap_or_default());
        }
        Ok(offsets)
    }

    fn committed(&mut self, offsets: &Offsets) {
        self.note(|seen| seen.committed.extend(offsets.clone()));
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        if self.quirk.as_deref() == Some("closes together") {
            TOGETHER.wait().await;
        }
        self.note(|seen| {
            seen.closed.extend(partitions.iter().cloned());
            seen.owners.retain(|topic_partition, _| !partitions.contains(topic_partition));
        });
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        self.note(|seen| seen.stopped += 1);
        Ok(())
    }
}

struct Verbatim;

impl Plugin for Verbatim {
    const NAME: &'static str = "test.VerbatimConverter";
    const DOCUMENTATION: &'static str = "Bytes as they are.";

    fn config_def() -> ConfigDef {
        ConfigDef::default()
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

fn data(bytes: Option<&Bytes>) -> Data {
    Data::schemaless(bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.clone())))
}

impl Converter for Verbatim {
    fn to_connect_data(&self, _topic: &str, _headers: &[RawHeader], bytes: Option<&Bytes>) -> Result<Data> {
        Ok(data(bytes))
    }
}

impl HeaderConverter for Verbatim {
    fn to_connect_header(&self, _topic: &str, _name: &str, bytes: Option<&Bytes>) -> Result<Data> {
        Ok(data(bytes))
    }
}

async fn worker(cluster: &MockCluster) -> Worker {
    let config = [
        ("bootstrap.servers", cluster.bootstrap_servers()),
        ("listeners", "http://127.0.0.1:0"),
        ("key.converter", "test.VerbatimConverter"),
        ("value.converter", "test.VerbatimConverter"),
        ("header.converter", "test.VerbatimConverter"),
        ("offset.flush.interval.ms", "200"),
        ("consumer.session.timeout.ms", "1500"),
        ("consumer.heartbeat.interval.ms", "100"),
        ("consumer.metadata.max.age.ms", "200"),
        ("consumer.partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
    ];
    let config = WorkerConfig::try_from(&config.into_iter().collect::<Config>()).unwrap();
    let plugins = Plugins::default().sink_connector::<Recorder>().converter::<Verbatim>().header_converter::<Verbatim>();
    Worker::builder(config).plugins(plugins).start().await.unwrap()
}

fn connector(name: &str, topics: (&str, &str), tasks: &str) -> Config {
    [("name", name), ("connector.class", "test.RecorderSinkConnector"), topics, ("tasks.max", tasks)].into_iter().collect()
}

/// Waits until it is so; a test that waits in vain fails by this.
async fn until(name: &str, what: impl Fn(&Seen) -> bool) {
    let waiting = async {
        while !seen().get(name).is_some_and(&what) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(30), waiting).await.is_err() {
        let mut seen = seen().remove(name).unwrap_or_default();
        let count = count(&seen);
        seen.values.clear();
        panic!("waited in vain: {count} records, {seen:?}");
    }
}

fn values(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("{{\"number\":{number}}}"))
}

fn count(seen: &Seen) -> usize {
    seen.values.values().map(Vec::len).sum()
}

fn is_exactly_once(seen: &Seen) -> bool {
    seen.values.values().all(|values| values.iter().map(|(offset, _)| *offset).eq(0..values.len() as i64))
}

fn expected(of: &[(&str, i32, i64, &str)]) -> Offsets {
    let one = |(topic, partition, offset, metadata): &(&str, i32, i64, &str)| {
        (TopicPartition::new(*topic, *partition), OffsetAndMetadata::new(*offset, *metadata))
    };
    of.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tasks_share_the_partitions_and_commit_offsets_with_metadata() {
    let cluster = MockCluster::start();
    cluster.create_topic("orders", 4);
    let worker = worker(&cluster).await;
    worker.create_connector(connector("share", ("topics", "orders"), "2")).await.unwrap();
    let shared = |seen: &Seen| [0, 1].map(|task| seen.owners.values().filter(|owner| **owner == task).count()) == [2, 2];
    until("share", shared).await;
    // Not before: in a rebalance the mock cluster refuses commits, as no broker does, and records are read again.
    for partition in 0..4 {
        cluster.produce("orders", partition, values(100));
    }
    let all = expected(&[0, 1, 2, 3].map(|partition| ("orders", partition, 100, "written=100")));
    until("share", |seen| count(seen) == 400 && seen.committed == all).await;
    worker.stop().await;
    let named = [("orders", 0), ("orders", 1), ("orders", 2), ("orders", 3)];
    assert_eq!(cluster.committed("connect-share", &named), all);
    let seen = seen().remove("share").unwrap();
    assert!(is_exactly_once(&seen), "{seen:?}");
    assert_eq!((seen.stopped, seen.owners.len()), (2, 0));
    assert!(seen.reasons.contains(&CommitReason::Closing));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_begins_at_the_committed_offset_and_is_given_its_metadata() {
    let cluster = MockCluster::start();
    cluster.create_topic("visits", 1);
    cluster.produce("visits", 0, values(10));
    cluster.commit("connect-resume", &expected(&[("visits", 0, 7, "journal")]));
    let worker = worker(&cluster).await;
    worker.create_connector(connector("resume", ("topics", "visits"), "1")).await.unwrap();
    until("resume", |seen| count(seen) == 3).await;
    worker.stop().await;
    let seen = seen().remove("resume").unwrap();
    assert_eq!(seen.opened, [expected(&[("visits", 0, 7, "journal")])]);
    let offsets: Vec<_> = seen.values.into_values().flatten().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, [7, 8, 9]);
    assert_eq!(cluster.committed("connect-resume", &[("visits", 0)]), expected(&[("visits", 0, 10, "written=3")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_that_match_later_are_read_too() {
    let cluster = MockCluster::start();
    cluster.create_topic("shop.a", 1);
    cluster.create_topic("other", 1);
    cluster.produce("shop.a", 0, values(5));
    cluster.produce("other", 0, values(5));
    let worker = worker(&cluster).await;
    worker.create_connector(connector("regex", ("topics.regex", "shop\\.[a-z]"), "1")).await.unwrap();
    until("regex", |seen| count(seen) == 5).await;
    cluster.create_topic("shop.b", 1);
    cluster.produce("shop.b", 0, values(5));
    until("regex", |seen| count(seen) == 10).await;
    worker.stop().await;
    let seen = seen().remove("regex").unwrap();
    assert!(is_exactly_once(&seen), "{seen:?}");
    assert!(seen.values.keys().all(|partition| partition.topic.starts_with("shop.")), "{seen:?}");
}

// T50 of the specification.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_topic_that_is_made_later_is_read_then_and_the_task_runs_without_it() {
    let cluster = MockCluster::start();
    let worker = worker(&cluster).await;
    worker.create_connector(connector("listed", ("topics", "made-later"), "1")).await.unwrap();
    let running = "connect_task_state{connector=\"listed\",state=\"running\",task=\"0\"} 1";
    until_worker(|| worker.metrics().scrape().contains(running)).await;
    assert!(worker.metrics().scrape().contains("connect_assigned_partitions{connector=\"listed\",task=\"0\"} 0"));
    cluster.create_topic("made-later", 2);
    cluster.produce("made-later", 1, values(5));
    until("listed", |seen| count(seen) == 5 && seen.owners.len() == 2).await;
    worker.stop().await;
    assert!(is_exactly_once(&seen().remove("listed").unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_worker_takes_over_half_and_gives_it_back() {
    let cluster = MockCluster::start();
    cluster.create_topic("clicks", 4);
    let first = worker(&cluster).await;
    first.create_connector(connector("halves", ("topics", "clicks"), "1")).await.unwrap();
    let produce = || (0..4).for_each(|partition| cluster.produce("clicks", partition, values(50)));
    // In a rebalance the mock cluster refuses commits, as no broker does: all must be committed before it.
    let all =
        |seen: &Seen, each: i64| seen.committed.len() == 4 && seen.committed.values().all(|committed| committed.offset == each);
    produce();
    until("halves", |seen| count(seen) == 200 && all(seen, 50)).await;
    let second = worker(&cluster).await;
    second.create_connector(connector("halves", ("topics", "clicks"), "1")).await.unwrap();
    until("halves", |seen| seen.opened.iter().map(BTreeMap::len).sum::<usize>() == 6).await;
    produce();
    until("halves", |seen| count(seen) == 400 && all(seen, 100)).await;
    second.stop().await;
    produce();
    until("halves", |seen| count(seen) == 600).await;
    first.stop().await;
    let seen = seen().remove("halves").unwrap();
    assert!(is_exactly_once(&seen), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_outage_is_waited_out() {
    let cluster = MockCluster::start();
    cluster.create_topic("events", 1);
    cluster.produce("events", 0, values(5));
    let worker = worker(&cluster).await;
    worker.create_connector(connector("outage", ("topics", "events"), "1")).await.unwrap();
    until("outage", |seen| count(seen) == 5).await;
    cluster.broker_down();
    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.broker_up();
    cluster.produce("events", 0, values(5));
    until("outage", |seen| seen.committed.values().any(|offset| offset.offset == 10)).await;
    worker.stop().await;
    let seen = seen().remove("outage").unwrap();
    // An outage longer than the session costs the partitions: what was not committed then comes again.
    let offsets: BTreeSet<_> = seen.values.values().flatten().map(|(offset, _)| *offset).collect();
    assert!(offsets.into_iter().eq(0..10), "{seen:?}");
}

#[test]
fn an_unreachable_broker_is_an_error_that_names_it() {
    let properties = [("bootstrap.servers".to_owned(), "127.0.0.1:22099".to_owned())];
    let error = kafka::probe(&properties, Duration::from_millis(500)).unwrap_err();
    assert!(error.to_string().starts_with("no Kafka broker answered at 127.0.0.1:22099 within"), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_stops_in_order_while_no_broker_answers() {
    let cluster = MockCluster::start();
    cluster.create_topic("dark", 1);
    cluster.produce("dark", 0, values(5));
    let worker = worker(&cluster).await;
    worker.create_connector(connector("dark", ("topics", "dark"), "1")).await.unwrap();
    until("dark", |seen| count(seen) == 5).await;
    cluster.broker_down();
    worker.stop().await;
    let seen = seen().remove("dark").unwrap();
    assert_eq!((seen.stopped, seen.owners.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_breaks_or_panics_starts_again_and_nothing_is_lost() {
    let cluster = MockCluster::start();
    let worker = worker(&cluster).await;
    for failure in ["fatal", "panic"] {
        cluster.create_topic(failure, 1);
        cluster.produce(failure, 0, values(5));
        let mut config = connector(failure, ("topics", failure), "1");
        config.insert("test.failure", failure, None);
        worker.create_connector(config).await.unwrap();
        until(failure, |seen| count(seen) == 5).await;
        assert!(is_exactly_once(&seen().remove(failure).unwrap()));
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_meets_a_bad_record_stays_failed_and_readiness_says_why() {
    let cluster = MockCluster::start();
    cluster.create_topic("bad", 1);
    cluster.produce("bad", 0, values(5));
    let worker = worker(&cluster).await;
    let mut config = connector("bad", ("topics", "bad"), "1");
    config.insert("test.failure", "data", None);
    worker.create_connector(config).await.unwrap();
    until("bad", |seen| seen.stopped == 1).await;
    while worker.readiness().0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = worker.readiness().1.to_string();
    assert!(report.contains("bad record"), "{report}");
    worker.stop().await;
    assert_eq!(count(&seen().remove("bad").unwrap()), 0);
}

fn strange(name: &str, topic: &str, tasks: &str, quirk: &str) -> Config {
    let mut config = connector(name, ("topics", topic), tasks);
    config.insert("test.quirk", quirk, None);
    config
}

/// Polls until it is so; a test that waits in vain hangs.
async fn until_worker(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_hangs_holds_up_no_other_connector_and_no_stop() {
    let cluster = MockCluster::start();
    cluster.create_topic("slow", 1);
    cluster.produce("slow", 0, values(5));
    let worker = worker(&cluster).await;
    let hanging = worker.create_connector(strange("hanging", "slow", "1", "hangs"));
    let others = async {
        until_worker(|| worker.readiness().1.to_string().contains("hanging")).await;
        let again = worker.create_connector(connector("hanging", ("topics", "slow"), "1")).await.unwrap_err();
        assert_eq!(again.to_string(), "Connector hanging already exists");
        worker.create_connector(connector("beside", ("topics", "slow"), "1")).await.unwrap();
        until("beside", |seen| count(seen) == 5).await;
        worker.stop().await;
    };
    let (hanging, ()) = tokio::join!(hanging, others);
    assert_eq!(hanging.unwrap_err().to_string(), "Connector hanging was stopped while it started");
    assert_eq!(seen().remove("hanging").unwrap().stopped, 1);
    let late = worker.create_connector(connector("late", ("topics", "slow"), "1")).await.unwrap_err();
    assert_eq!(late.to_string(), "the worker is stopping");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_is_refused_leaves_nothing_and_its_name_is_free() {
    let cluster = MockCluster::start();
    cluster.create_topic("refused", 1);
    cluster.produce("refused", 0, values(5));
    let worker = worker(&cluster).await;
    let before = worker.readiness();
    let error = worker.create_connector(strange("refused", "refused", "2", "refuses")).await.unwrap_err();
    assert!(error.to_string().ends_with("not like this"), "{error}");
    assert_eq!(worker.readiness(), before);
    assert!(!worker.metrics().scrape().contains("refused"), "{}", worker.metrics().scrape());
    worker.create_connector(connector("refused", ("topics", "refused"), "1")).await.unwrap();
    until("refused", |seen| count(seen) == 5).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_is_deleted_while_it_looks_for_a_broker_leaves_nothing() {
    let cluster = MockCluster::start();
    let worker = worker(&cluster).await;
    let before = worker.readiness();
    let mut config = connector("nowhere", ("topics", "any"), "1");
    config.insert("consumer.override.bootstrap.servers", "127.0.0.1:22098", None);
    let stopped = async {
        until_worker(|| worker.connectors.find("nowhere").is_some()).await;
        worker.delete_connector("nowhere").await.unwrap();
    };
    let (created, ()) = tokio::join!(worker.create_connector(config), stopped);
    assert_eq!(created.unwrap_err().to_string(), "Connector nowhere was stopped while it started");
    assert_eq!(worker.readiness(), before);
    assert!(!worker.metrics().scrape().contains("nowhere"));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_whose_creation_is_given_up_stops_its_tasks_with_a_last_commit() {
    let cluster = MockCluster::start();
    cluster.create_topic("given-up", 1);
    cluster.produce("given-up", 0, values(5));
    let worker = worker(&cluster).await;
    {
        let mut creating = pin!(worker.create_connector(strange("given-up", "given-up", "2", "second hangs")));
        tokio::select! {
            created = &mut creating => panic!("{created:?}"),
            () = until("given-up", |seen| count(seen) == 5) => {}
        }
    }
    until_worker(|| worker.connectors.find("given-up").is_none()).await;
    assert_eq!(cluster.committed("connect-given-up", &[("given-up", 0)]), expected(&[("given-up", 0, 5, "written=5")]));
    let seen = seen().remove("given-up").unwrap();
    assert_eq!((seen.stopped, seen.owners.len()), (2, 0));
    assert!(seen.reasons.contains(&CommitReason::Closing));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_connector_commits_is_forgotten_and_may_come_back() {
    let cluster = MockCluster::start();
    cluster.create_topic("deleted", 1);
    let worker = worker(&cluster).await;
    let before = worker.readiness();
    for life in 1..=2 {
        worker.create_connector(connector("deleted", ("topics", "deleted"), "1")).await.unwrap();
        cluster.produce("deleted", 0, values(5));
        until("deleted", |seen| count(seen) == 5 * life).await;
        assert!(worker.metrics().scrape().contains(r#"connector="deleted""#));
        assert!(worker.environment.budget.used() > 0, "what is fetched ahead is booked");
        worker.delete_connector("deleted").await.unwrap();
        until_worker(|| worker.environment.budget.used() == 0).await;
        let committed = cluster.committed("connect-deleted", &[("deleted", 0)]);
        assert_eq!(committed[&TopicPartition::new("deleted", 0)].offset, 5 * life as i64);
        assert_eq!(worker.readiness(), before);
        assert!(!worker.metrics().scrape().contains("deleted"), "{}", worker.metrics().scrape());
    }
    assert!(is_exactly_once(&seen().remove("deleted").unwrap()));
    let error = worker.delete_connector("deleted").await.unwrap_err();
    assert_eq!(error.to_string(), "Connector deleted not found");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connectors_stop_at_the_same_time() {
    let cluster = MockCluster::start();
    let worker = worker(&cluster).await;
    for name in ["together-1", "together-2"] {
        cluster.create_topic(name, 1);
        cluster.produce(name, 0, values(5));
        worker.create_connector(strange(name, name, "1", "closes together")).await.unwrap();
        until(name, |seen| count(seen) == 5).await;
    }
    worker.stop().await;
    for name in ["together-1", "together-2"] {
        assert_eq!(seen().remove(name).unwrap().stopped, 1, "one alone would have waited until it was given up");
        assert_eq!(cluster.committed(&format!("connect-{name}"), &[(name, 0)]), expected(&[(name, 0, 5, "written=5")]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_dropped_ends_its_tasks_without_a_word() {
    let cluster = MockCluster::start();
    cluster.create_topic("dropped", 1);
    cluster.produce("dropped", 0, values(5));
    let worker = worker(&cluster).await;
    worker.create_connector(connector("dropped", ("topics", "dropped"), "1")).await.unwrap();
    until("dropped", |seen| count(seen) == 5).await;
    let environment = Arc::downgrade(&worker.environment);
    drop(worker);
    until_worker(|| environment.upgrade().is_none()).await;
    let seen = seen().remove("dropped").unwrap();
    assert_eq!((seen.stopped, seen.closed.len()), (0, 0));
}
