//! A consumer against librdkafka's mock cluster, without a task.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_api::{Budget, Error, Metrics, OffsetAndMetadata, Offsets, TopicPartition};
use rdkafka::{
    ClientConfig, ClientContext,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    bindings::rd_kafka_resp_err_t as Code,
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    producer::{BaseProducer, BaseRecord, Producer},
};
use tokio::time::Instant;

use super::{mock::MockCluster, *};
use crate::{
    consumer::{Event, Generation, NewLog, Subscription, TopicIds},
    rest::{Health, TaskLoop, TaskState},
};

const COOPERATIVE: (&str, &str) = ("partition.assignment.strategy", "cooperative-sticky");
const EAGER: (&str, &str) = ("partition.assignment.strategy", "range");

/// `Fetch` and `ListOffsets` in Kafka's protocol.
const FETCH: i16 = 1;

/// What a consumer has told.
struct Reader {
    consumer: ConsumerHandle,
    health: Health,
    assignments: Vec<(u64, Offsets)>,
    topic_ids: TopicIds,
    records: Vec<(i32, i64)>,
    /// Offsets by generation.
    by_generation: Vec<(Generation, Vec<i64>)>,
    new_logs: Vec<NewLog>,
    gone: Vec<(i32, u64)>,
    unreadable: Vec<(i32, bool)>,
    revocations: usize,
    deleted: Vec<TopicPartition>,
    failed: Option<Error>,
    closed: bool,
}

fn settings(brokers: &str, subscription: Subscription, properties: &[(&str, &str)]) -> (KafkaSettings, Health) {
    let health = Health::new(Metrics::default());
    let task = health.task(&"c".into(), 0);
    task.set_state(TaskState::Running);
    let own =
        [("bootstrap.servers", brokers), ("group.id", "group"), ("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "100")];
    let properties = own.iter().chain(properties).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let budget = Budget::new(64 << 20);
    let (connector, prefetch) = ("c".into(), 1 << 20);
    (KafkaSettings { connector, task: 0, properties, subscription, budget, prefetch, health: task }, health)
}

impl Reader {
    fn start(cluster: &MockCluster, properties: &[(&str, &str)]) -> Self {
        Self::with(settings(cluster.bootstrap_servers(), Subscription::Topics(vec!["t".to_owned()]), properties))
    }

    fn with((settings, health): (KafkaSettings, Health)) -> Self {
        Self {
            consumer: start(settings).unwrap(),
            health,
            assignments: Vec::new(),
            topic_ids: TopicIds::new(),
            records: Vec::new(),
            by_generation: Vec::new(),
            new_logs: Vec::new(),
            gone: Vec::new(),
            unreadable: Vec::new(),
            revocations: 0,
            deleted: Vec::new(),
            failed: None,
            closed: false,
        }
    }

    /// Reads until it is so; a test that waits in vain fails by this.
    async fn until(&mut self, what: impl Fn(&Self) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !what(self) {
            tokio::select! {
                biased;
                event = self.consumer.events.recv() => self.happened(event.unwrap()),
                Some(batch) = self.consumer.batches.recv() => {
                    self.consumer.has_room();
                    self.new_logs.extend(batch.new_logs);
                    for read in batch.partitions {
                        let partition = read.records.topic_partition.partition;
                        let offsets = read.records.records.iter().map(|record| record.offset);
                        match self.by_generation.last_mut().filter(|(generation, _)| *generation == read.generation) {
                            Some((_, before)) => before.extend(offsets),
                            None => self.by_generation.push((read.generation, offsets.collect())),
                        }
                        self.records.extend(read.records.records.iter().map(|record| (partition, record.offset)));
                    }
                }
                () = tokio::time::sleep_until(give_up) => panic!("waited in vain: {}", self.told()),
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Assigned { epoch, partitions, topic_ids } => {
                self.assignments.push((epoch, partitions));
                self.topic_ids.extend(topic_ids);
            }
            Event::Revoked { deleted, ack, .. } => {
                self.revocations += 1;
                self.deleted.extend(deleted);
                ack.send(Vec::new());
            }
            Event::Unreadable { topic_partition, unreadable } => self.unreadable.push((topic_partition.partition, unreadable)),
            Event::Gone { topic_partition, records } => self.gone.push((topic_partition.partition, records)),
            Event::Failed(error) => self.failed = Some(error),
            Event::Closed => self.closed = true,
            Event::Committed { .. } | Event::LogEnds(_) | Event::MetadataTooLarge | Event::Paused(_) | Event::Brokers { .. } => {}
        }
    }

    fn told(&self) -> String {
        format!(
            "{} records, {:?}, {:?}, {:?}, {:?}, {:?}, {}",
            self.records.len(),
            self.assignments,
            self.new_logs,
            self.gone,
            self.failed,
            self.unreadable,
            self.health.readiness(Instant::now()).1
        )
    }

    fn offsets(&self, partition: i32) -> Vec<i64> {
        self.records.iter().filter(|(of, _)| *of == partition).map(|(_, offset)| *offset).collect()
    }

    fn assigned(&self) -> Offsets {
        self.assignments.iter().flat_map(|(_, partitions)| partitions.clone()).collect()
    }

    fn epoch(&self) -> u64 {
        self.assignments.last().unwrap().0
    }

    /// What readiness says about partitions.
    fn problems(&self) -> String {
        self.health.readiness(Instant::now()).1["problems"].to_string()
    }

    async fn stop(mut self) -> Self {
        self.consumer.command(Command::Stop { offsets: Vec::new(), within: Duration::from_secs(1) });
        self.until(|reader| reader.closed || reader.failed.is_some()).await;
        self
    }
}

fn tp(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

fn offsets(of: &[(i32, i64)]) -> Offsets {
    of.iter().map(|(partition, offset)| (tp(*partition), OffsetAndMetadata::new(*offset, "journal"))).collect()
}

fn values(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("value {number}"))
}

fn cluster(partitions: i32) -> MockCluster {
    let cluster = MockCluster::start();
    cluster.create_topic("t", partitions);
    cluster
}

/// Takes the lines of librdkafka's log.
#[derive(Default)]
struct Lines(Arc<topic_ids::Changes>);

impl ConsumerContext for Lines {}

impl ClientContext for Lines {
    fn log(&self, _level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        assert!(facility != "METADATA" || !message.contains("changed id") || message.contains("Topic t "), "{message}");
        self.0.note(message);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_by_which_new_topics_are_noticed_is_written_and_an_assignment_brings_the_id() {
    let cluster = cluster(1);
    cluster.produce("t", 0, values(1));
    let mut reader = Reader::start(&cluster, &[]);
    reader.until(|reader| reader.records.len() == 1).await;
    let id = reader.topic_ids["t"].clone();
    reader.stop().await;
    let (settings, _) = settings(cluster.bootstrap_servers(), Subscription::Topics(vec![]), &[]);
    let lines = Lines::default();
    let changes = lines.0.clone();
    let client: BaseConsumer<Lines> = settings.client_config().create_with_context(lines).unwrap();
    client.subscribe(&["t"]).unwrap();
    let changed = std::iter::from_fn(|| {
        client.poll(Duration::from_millis(20));
        Some(changes.take())
    });
    let change = changed.flatten().next().unwrap();
    assert_eq!(change, topic_ids::Change { topic: "t".to_owned(), had_id: false, id });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_ends_before_what_was_committed_is_read_from_its_beginning_as_another_log() {
    for protocol in [EAGER, COOPERATIVE] {
        let cluster = cluster(2);
        cluster.produce("t", 0, values(5));
        cluster.produce("t", 1, values(5));
        cluster.commit("group", &offsets(&[(0, 100), (1, 2)]));
        let mut reader = Reader::start(&cluster, &[protocol]);
        reader.until(|reader| reader.records.len() >= 8).await;
        assert_eq!(reader.assigned(), offsets(&[(0, 100), (1, 2)]));
        let [log] = &reader.new_logs[..] else { panic!("{}", reader.told()) };
        assert_eq!((log.topic_partition.partition, log.begin, log.topic_id.is_some()), (0, 0, true));
        assert_eq!(log.generation, Generation { epoch: reader.epoch(), log: 1, seeks: 0 });
        assert_eq!((reader.offsets(0), reader.offsets(1)), (vec![0, 1, 2, 3, 4], vec![2, 3, 4]));
        cluster.produce("t", 0, values(5));
        reader.until(|reader| reader.records.len() >= 13).await;
        assert_eq!(reader.offsets(0), (0..10).collect::<Vec<_>>());
        assert!(reader.problems() == "[]" && reader.revocations == 0, "{}", reader.told());
        reader.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_of_another_topic_is_left_for_the_beginning_of_the_log_whatever_the_policy() {
    for protocol in [EAGER, COOPERATIVE] {
        for reset in ["earliest", "latest"] {
            let cluster = cluster(1);
            cluster.produce("t", 0, values(5));
            cluster.commit("group", &offsets(&[(0, 3)]));
            let mut reader = Reader::start(&cluster, &[protocol, ("auto.offset.reset", reset)]);
            reader.until(|reader| reader.assigned().len() == 1).await;
            let generation = Generation::first(reader.epoch());
            // Nothing happens where it is the one that is known.
            for topic_id in [reader.topic_ids["t"].clone(), "another".into()] {
                reader.consumer.command(Command::Expect { topic_partition: tp(0), generation, topic_id });
                let generation = Generation { seeks: generation.seeks + 1, ..generation };
                reader.consumer.command(Command::Seek { topic_partition: tp(0), generation, offset: 3 });
            }
            let second = Generation { log: 1, ..generation };
            reader.until(|reader| reader.by_generation.last() == Some(&(second, (0..5).collect()))).await;
            let [log] = &reader.new_logs[..] else { panic!("{}", reader.told()) };
            assert_eq!((log.begin, log.topic_id.as_ref()), (0, reader.topic_ids.get("t")));
            assert!(reader.problems() == "[]" && reader.revocations == 0, "{}", reader.told());
            reader.stop().await;
        }
    }
}

/// A cluster whose log has lost its first records: the mock cluster keeps 5 MB of a partition.
fn shortened() -> MockCluster {
    let cluster = cluster(1);
    cluster.produce("t", 0, (0..80).map(|_| "x".repeat(100_000)));
    cluster.commit("group", &offsets(&[(0, 3)]));
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_have_gone_from_the_log_are_counted_and_reading_goes_on_after_them() {
    for protocol in [EAGER, COOPERATIVE] {
        let cluster = shortened();
        let mut reader = Reader::start(&cluster, &[protocol]);
        reader.until(|reader| reader.records.last() == Some(&(0, 79))).await;
        let first = reader.records[0].1;
        assert!(first > 3);
        assert_eq!(reader.gone, [(0, u64::try_from(first - 3).unwrap())]);
        assert_eq!(reader.offsets(0), (first..80).collect::<Vec<_>>());
        assert!(reader.new_logs.is_empty(), "{}", reader.told());
        reader.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_have_gone_end_the_task_where_nobody_has_said_where_to_go_on() {
    let cluster = shortened();
    let mut reader = Reader::start(&cluster, &[("auto.offset.reset", "error")]);
    reader.until(|reader| reader.failed.is_some()).await;
    let error = reader.failed.unwrap().to_string();
    assert!(error.contains("t-0") && error.contains("offset 3") && error.contains("gone"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_brokers_refuse_is_shown_until_the_next_record_comes() {
    let cluster = cluster(1);
    let mut reader = Reader::start(&cluster, &[("fetch.error.backoff.ms", "10"), ("fetch.wait.max.ms", "50")]);
    reader.until(|reader| reader.assigned().len() == 1).await;
    // More than one: an answer to what was asked before the partition had begun is dropped.
    cluster.fail_requests(FETCH, &[Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 3]);
    reader.until(|reader| reader.unreadable == [(0, true)]).await;
    assert!(reader.problems().contains("partition t-0") && reader.problems().contains("uthoriz"), "{}", reader.told());
    cluster.produce("t", 0, values(1));
    reader.until(|reader| reader.unreadable.len() == 2 && reader.records.len() == 1).await;
    assert_eq!((reader.unreadable[1], reader.problems().as_str()), ((0, false), "[]"));
    reader.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_brokers_refuse_no_more_is_not_shown_any_longer_though_no_record_comes() {
    for protocol in [EAGER, COOPERATIVE] {
        let cluster = cluster(1);
        cluster.produce("t", 0, values(2));
        let own = [("fetch.error.backoff.ms", "10"), ("fetch.wait.max.ms", "50"), ("statistics.interval.ms", "100")];
        let mut reader = Reader::start(&cluster, &[own[0], own[1], own[2], protocol]);
        reader.until(|reader| reader.records.len() == 2).await;
        cluster.fail_requests(FETCH, &[Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 3]);
        reader.until(|reader| reader.unreadable.ends_with(&[(0, true), (0, false)])).await;
        assert_eq!(reader.problems(), "[]");
        cluster.produce("t", 0, values(1));
        reader.until(|reader| reader.records.len() == 3).await;
        assert_eq!((reader.offsets(0), reader.revocations), (vec![0, 1, 2], 0));
        reader.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_without_a_leader_holds_up_no_other_and_begins_where_it_should_when_it_has_one() {
    for protocol in [EAGER, COOPERATIVE] {
        let cluster = cluster(2);
        cluster.produce("t", 0, values(5));
        cluster.produce("t", 1, values(5));
        cluster.set_leader("t", 1, false);
        let mut reader = Reader::start(&cluster, &[protocol, ("topic.metadata.refresh.interval.ms", "200")]);
        reader.until(|reader| reader.records.len() == 5).await;
        assert_eq!(reader.assigned().len(), 1);
        reader.until(|reader| reader.problems().contains("partition t-1")).await;
        cluster.set_leader("t", 1, true);
        reader.until(|reader| reader.records.len() == 10).await;
        assert_eq!(reader.offsets(1), [0, 1, 2, 3, 4]);
        let [(first, _), (second, late)] = &reader.assignments[..] else { panic!("{}", reader.told()) };
        assert_eq!((first, &late[&tp(1)].offset), (second, &0));
        assert!(reader.problems() == "[]" && reader.revocations == 0, "{}", reader.told());
        reader.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_begins_at_its_end_does_not_begin_at_zero() {
    let cluster = cluster(1);
    cluster.produce("t", 0, values(5));
    let mut reader = Reader::start(&cluster, &[("auto.offset.reset", "latest")]);
    reader.until(|reader| reader.assigned().len() == 1).await;
    assert_eq!(reader.assigned()[&tp(0)].offset, 5);
    reader.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_partition_is_read_on_where_it_was_left_or_where_it_was_rewound_to() {
    let cluster = cluster(2);
    cluster.produce("t", 0, values(5));
    let mut reader = Reader::start(&cluster, &[]);
    reader.until(|reader| reader.records.len() == 5).await;
    let epoch = reader.epoch();
    let pause = |paused| Command::Pause { topic_partition: tp(0), epoch, paused };
    reader.consumer.command(pause(true));
    // Commands are carried out in order: when the answer comes, the partition is paused.
    reader.consumer.command(Command::Commit { seq: 1, offsets: Vec::new() });
    cluster.produce("t", 0, values(5));
    cluster.produce("t", 1, values(5));
    reader.until(|reader| reader.offsets(1).len() == 5).await;
    assert_eq!(reader.offsets(0).len(), 5);
    reader.consumer.command(pause(false));
    reader.until(|reader| reader.offsets(0).len() == 10).await;
    assert_eq!(reader.offsets(0), (0..10).collect::<Vec<_>>());
    reader.consumer.command(pause(true));
    let generation = Generation { epoch, log: 0, seeks: 1 };
    reader.consumer.command(Command::Seek { topic_partition: tp(0), generation, offset: 7 });
    reader.consumer.command(pause(false));
    reader.until(|reader| reader.offsets(0).len() == 13).await;
    assert_eq!(reader.offsets(0)[10..], [7, 8, 9]);
    reader.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seek_of_a_log_that_is_over_is_not_carried_out() {
    let cluster = cluster(1);
    cluster.produce("t", 0, values(5));
    let mut reader = Reader::start(&cluster, &[]);
    reader.until(|reader| reader.records.len() == 5).await;
    let generation = Generation { epoch: reader.epoch(), log: 7, seeks: 1 };
    reader.consumer.command(Command::Seek { topic_partition: tp(0), generation, offset: 0 });
    cluster.produce("t", 0, values(1));
    reader.until(|reader| reader.records.len() == 6).await;
    assert_eq!(reader.offsets(0), [0, 1, 2, 3, 4, 5]);
    reader.stop().await;
}

/// Stands between clients and a broker and flips a bit of whatever contains `DAMAGE`, so many times. Returns its port.
fn damaging(cluster: &MockCluster, times: usize) -> Arc<AtomicUsize> {
    let broker = cluster.bootstrap_servers().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    cluster.advertise_port(listener.local_addr().unwrap().port());
    let left = Arc::new(AtomicUsize::new(times));
    let shared = left.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&broker).unwrap();
            let (from_client, to_client) = (client.try_clone().unwrap(), client);
            let (from_server, to_server) = (server.try_clone().unwrap(), server);
            std::thread::spawn(move || forward(from_client, to_server, None));
            let left = shared.clone();
            std::thread::spawn(move || forward(from_server, to_client, Some(&left)));
        }
    });
    left
}

fn forward(mut from: TcpStream, mut to: TcpStream, damage: Option<&AtomicUsize>) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let bytes = &mut buffer[..read];
        if let (Some(left), Some(at)) = (damage, bytes.windows(6).position(|window| window == b"DAMAGE"))
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            bytes[at] ^= 1;
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _closed = to.shutdown(std::net::Shutdown::Both);
}

/// Three batches, of which the second can be damaged.
fn three_batches(cluster: &MockCluster) {
    cluster.produce("t", 0, ["a".to_owned()]);
    cluster.produce("t", 0, ["DAMAGE".to_owned()]);
    cluster.produce("t", 0, ["c".to_owned()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_damaged_on_the_wire_is_read_again_and_nothing_is_left_out() {
    let cluster = cluster(1);
    three_batches(&cluster);
    damaging(&cluster, 2);
    let mut reader = Reader::start(&cluster, &[("check.crcs", "true")]);
    reader.until(|reader| reader.records.len() >= 3).await;
    assert_eq!(reader.offsets(0), [0, 1, 2]);
    assert_eq!(reader.unreadable, [(0, true), (0, false)]);
    assert_eq!(reader.problems(), "[]");
    reader.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_stays_damaged_ends_the_task_by_its_offset() {
    let cluster = cluster(1);
    three_batches(&cluster);
    damaging(&cluster, usize::MAX);
    let mut reader = Reader::start(&cluster, &[("check.crcs", "true")]);
    reader.until(|reader| reader.failed.is_some()).await;
    let error = reader.failed.as_ref().unwrap().to_string();
    assert!(error.contains("t-0 cannot be read at offset 1") && error.contains("CRC"), "{error}");
    assert_eq!(reader.offsets(0), [0]);
}

#[test]
fn a_thread_that_panics_gives_everything_back_before_the_client_goes() {
    let cluster = cluster(1);
    let panics = Subscription::Matching { matches: Arc::new(|_| panic!("on purpose")), internal: false };
    let (settings, _) = settings(cluster.bootstrap_servers(), panics, &[]);
    let (events, mut told) = mpsc::unbounded_channel();
    let (batches, _batches) = mpsc::channel(1);
    let (_commands, commands) = std_mpsc::channel();
    let inlet: Arc<Inlet> = Arc::default();
    let thread = thread::ConsumerThread::new(settings, events, batches, commands, (inlet.clone(), Arc::default())).unwrap();
    let queues = inlet.queues().unwrap();
    let queue = Arc::downgrade(&queues.messages);
    drop(queues);
    assert!(std::thread::spawn(move || thread.run()).join().is_err(), "it has panicked");
    assert!(inlet.queues().is_none() && queue.upgrade().is_none());
    // Nobody was asked to close anything on the way.
    assert!(told.try_recv().is_err());
}

#[test]
fn the_thread_shows_that_it_lives_while_it_waits_for_the_task() {
    let cluster = cluster(1);
    let (settings, health) = settings(cluster.bootstrap_servers(), Subscription::Topics(vec![]), &[]);
    let task = settings.health.clone();
    let (events, mut told) = mpsc::unbounded_channel();
    let (batches, _batches) = mpsc::channel(1);
    let (_commands, commands) = std_mpsc::channel();
    let thread = thread::ConsumerThread::new(settings, events, batches, commands, Default::default()).unwrap();
    let begun = Instant::now();
    let context = thread.context();
    let waiting = std::thread::spawn(move || context.ask_to_close(vec![tp(0)], Vec::new(), false));
    let Some(Event::Revoked { ack, .. }) = told.blocking_recv() else { panic!("nobody was asked") };
    // It turns again and again.
    for _ in 0..2 {
        let seen = Instant::now().max(begun + Duration::from_millis(1));
        let is_alive = || {
            task.turned(TaskLoop::Delivery);
            health.liveness(seen + Duration::from_secs(60)).0
        };
        while !is_alive() {
            std::thread::yield_now();
        }
    }
    ack.send(Vec::new());
    assert_eq!(waiting.join().unwrap(), []);
}

/// A topic of a real broker, where the environment names one (see `scripts/services.sh`): the mock cluster deletes no topics.
struct RealTopic {
    name: String,
    brokers: String,
    admin: AdminClient<DefaultClientContext>,
    producer: BaseProducer,
}

impl RealTopic {
    #[allow(
        clippy::disallowed_methods,
        clippy::print_stderr,
        reason = "the environment says where the broker is; a test that is skipped says so"
    )]
    fn new(name: &str) -> Option<Self> {
        let Ok(brokers) = std::env::var("CONNECT_TEST_KAFKA") else {
            eprintln!("skipped: CONNECT_TEST_KAFKA is not set");
            return None;
        };
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &brokers).set("linger.ms", "0");
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("{name}-{since}");
        Some(Self { name, brokers, admin: config.create().unwrap(), producer: config.create().unwrap() })
    }

    async fn create(&self) {
        let topic = NewTopic::new(&self.name, 1, TopicReplication::Fixed(1));
        // A topic that is being deleted exists for a moment.
        while self.admin.create_topics([&topic], &AdminOptions::new()).await.unwrap()[0].is_err() {}
    }

    async fn delete(&self) {
        self.admin.delete_topics(&[&self.name], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    }

    /// Writes so many records of so many bytes, in batches of 100.
    fn produce(&self, count: usize, width: usize) {
        for batch in 0..count.div_ceil(100) {
            for number in batch * 100..count.min((batch + 1) * 100) {
                self.producer
                    .send(BaseRecord::<(), String>::to(&self.name).partition(0).payload(&format!("{number:0width$}")))
                    .unwrap();
            }
            self.producer.flush(Duration::from_secs(10)).unwrap();
        }
    }

    fn reader(&self, properties: &[(&str, &str)]) -> Reader {
        let own = [("group.id", self.name.as_str())];
        let properties: Vec<_> = own.iter().chain(properties).copied().collect();
        Reader::with(settings(&self.brokers, Subscription::Topics(vec![self.name.clone()]), &properties))
    }
}

/// Each log that was read: the offsets of its generations.
fn logs(reader: &Reader) -> Vec<Vec<i64>> {
    reader.by_generation.iter().map(|(_, offsets)| offsets.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_made_again_is_read_from_its_beginning_though_it_has_grown_beyond_the_old_one() {
    for protocol in [EAGER, COOPERATIVE] {
        let Some(topic) = RealTopic::new("again") else { return };
        topic.create().await;
        topic.produce(20, 1);
        let mut reader = topic.reader(&[protocol]);
        reader.until(|reader| reader.records.len() == 20).await;
        let first = reader.topic_ids[&topic.name].clone();
        topic.delete().await;
        topic.create().await;
        topic.produce(50, 1);
        reader.until(|reader| reader.by_generation.len() == 2 && reader.records.len() >= 70).await;
        assert_eq!(logs(&reader), [(0..20).collect::<Vec<_>>(), (0..50).collect()], "{}", reader.told());
        let told = reader.new_logs.iter().filter_map(|log| log.topic_id.clone()).chain(reader.topic_ids.get(&topic.name).cloned());
        assert!(told.into_iter().any(|id| id != first), "{}", reader.told());
        reader.stop().await;
        topic.delete().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_of_a_topic_that_is_deleted_go_as_such_and_others_do_not() {
    for protocol in [EAGER, COOPERATIVE] {
        let (Some(topic), Some(other)) = (RealTopic::new("deleted"), RealTopic::new("kept")) else { return };
        topic.create().await;
        other.create().await;
        topic.produce(20, 1);
        let properties = [("group.id", topic.name.as_str()), ("topic.metadata.refresh.interval.ms", "200"), protocol];
        let topics = Subscription::Topics(vec![topic.name.clone(), other.name.clone()]);
        let mut reader = Reader::with(settings(&topic.brokers, topics, &properties));
        reader.until(|reader| reader.records.len() == 20 && reader.assigned().len() == 2).await;
        topic.delete().await;
        reader.until(|reader| reader.revocations > 0).await;
        assert_eq!(reader.deleted, [TopicPartition::new(topic.name.as_str(), 0)], "{}", reader.told());
        reader.stop().await;
        other.delete().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_fetched_ahead_of_a_topic_that_is_made_again_is_never_mixed_with_what_it_holds_now() {
    let Some(topic) = RealTopic::new("ahead") else { return };
    topic.create().await;
    topic.produce(1_600, 5_000);
    let mut reader = topic.reader(&[]);
    reader.until(|reader| !reader.records.is_empty()).await;
    // Nothing is taken any more while the topic is made again: there is no silence in what is read.
    topic.delete().await;
    topic.create().await;
    topic.produce(1_800, 5_000);
    reader.until(|reader| reader.by_generation.len() == 2 && reader.by_generation[1].1.len() >= 1_800).await;
    let [old, new] = &logs(&reader)[..] else { panic!("{}", reader.told()) };
    assert_eq!(*old, (0..old.len() as i64).collect::<Vec<_>>());
    assert!(old.len() <= 1_600 && *new == (0..1_800).collect::<Vec<_>>());
    reader.stop().await;
    topic.delete().await;
}
