use bytes::Bytes;
use connect_api::{ConsumerRecords, Metrics, OffsetAndMetadata, Origin, RawHeader, SinkRecord, data::Data};
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer},
    message::{BorrowedMessage, Headers},
    mocking::MockCluster,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use super::{
    super::tolerance::{ErrorHandler, Stage},
    headers::{context, trace},
    *,
};

const WITHIN: Duration = Duration::from_secs(2);
const QUEUE: &str = "x3.dlq";
const MESSAGE: &str = "Converting byte[] to Kafka Connect data failed due to serialization error: ";

struct Fixture {
    cluster: MockCluster<'static, rdkafka::producer::DefaultProducerContext>,
    queue: DeadLetterQueue,
    counters: Arc<StageMetrics>,
    budget: Budget,
    source: TopicPartition,
}

fn config(context_headers: bool) -> DeadLetterQueueConfig {
    DeadLetterQueueConfig { topic: QUEUE.into(), replication_factor: 1, context_headers }
}

fn client(cluster: &MockCluster<'static, rdkafka::producer::DefaultProducerContext>) -> ClientProperties {
    vec![("bootstrap.servers".into(), cluster.bootstrap_servers())]
}

fn fixture(context_headers: bool) -> Fixture {
    fixture_with(context_headers, &[])
}

/// The same with further settings of the producer.
fn fixture_with(context_headers: bool, further: &[(&str, &str)]) -> Fixture {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(QUEUE, 1, 1).unwrap();
    let budget = Budget::new(1 << 20);
    let mut properties = client(&cluster);
    properties.push(("retries".into(), "0".into()));
    properties.extend(further.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let (worker, connector) = files(&cluster);
    properties
        .extend(producer_properties(&worker, &connector, 0).unwrap().into_iter().filter(|(key, _)| key == "message.max.bytes"));
    let queue = DeadLetterQueue::new(&"err-dlq".into(), 0, &config(context_headers), properties, &budget).unwrap();
    let counters = Arc::new(StageMetrics::new(&Metrics::default(), "err-dlq", 0, Stage::ValueConverter.name()));
    Fixture { cluster, queue, counters, budget, source: TopicPartition::new("x3", 0) }
}

impl Fixture {
    fn send(&self, record: &ConsumerRecord, on_refusal: OnRefusal) {
        self.send_of(&self.source, record, on_refusal);
    }

    /// The next so many requests to write are refused.
    fn refuse(&self, code: RDKafkaRespErr, times: usize) {
        self.cluster.request_errors(RDKafkaApiKey::Produce, &vec![code; times]);
    }

    /// Looks at what is held until it is as wanted.
    async fn until_held(&self, is_wanted: impl Fn(&Held) -> bool) -> Held {
        loop {
            let held = self.queue.held().unwrap();
            if is_wanted(&held) {
                return held;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn end_of_queue(&self) -> i64 {
        let config: ClientConfig = client(&self.cluster).into_iter().collect();
        let consumer: BaseConsumer = config.create().unwrap();
        consumer.fetch_watermarks(QUEUE, 0, Duration::from_secs(30)).unwrap().1
    }

    fn send_of(&self, topic_partition: &TopicPartition, record: &ConsumerRecord, on_refusal: OnRefusal) {
        let failure = Failure {
            stage: Stage::ValueConverter,
            class: "org.apache.kafka.connect.json.JsonConverter",
            error: &Error::data(MESSAGE),
            topic_partition,
            record,
        };
        self.queue.send(&failure, on_refusal, &self.counters);
    }

    /// The partitions that may be committed after settling.
    async fn settle(&self, partitions: &[TopicPartition]) -> Result<Vec<TopicPartition>> {
        let offset = |partition: &TopicPartition| (partition.clone(), OffsetAndMetadata::new(2, ""));
        let mut offsets: Offsets = partitions.iter().map(offset).collect();
        self.queue.settle(&mut offsets, WITHIN).await?;
        Ok(offsets.into_keys().collect())
    }

    /// Settles, however long it takes.
    async fn settled(&self) -> Result<()> {
        while self.settle(std::slice::from_ref(&self.source)).await?.is_empty() {}
        Ok(())
    }

    /// Passes the first records of the queue to `look`, one by one.
    fn read(&self, records: usize, mut look: impl FnMut(&BorrowedMessage<'_>)) {
        let mut config: ClientConfig = client(&self.cluster).into_iter().collect();
        let consumer: BaseConsumer = config.set("group.id", "reader").create().unwrap();
        let mut assignment = rdkafka::TopicPartitionList::new();
        assignment.add_partition_offset(QUEUE, 0, rdkafka::Offset::Beginning).unwrap();
        consumer.assign(&assignment).unwrap();
        for _ in 0..records {
            look(&consumer.poll(Duration::from_secs(30)).expect("a record in time").unwrap());
        }
    }
}

fn record() -> ConsumerRecord {
    ConsumerRecord {
        offset: 1,
        timestamp: 1_700_000_001_000,
        key: Some(Bytes::from_static(b"k1")),
        value: Some(Bytes::from_static(b"{bad")),
        ..ConsumerRecord::default()
    }
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers = message.headers().map(|headers| headers.iter().collect::<Vec<_>>()).unwrap_or_default();
    headers.into_iter().map(|header| (header.key.to_owned(), header.value.map(text))).collect()
}

/// The files of a connector that has this queue.
fn files(cluster: &MockCluster<'static, rdkafka::producer::DefaultProducerContext>) -> (WorkerConfig, ConnectorConfig) {
    let worker = [("bootstrap.servers", cluster.bootstrap_servers())];
    let connector = [
        ("name", "err-dlq"),
        ("connector.class", "S3SinkConnector"),
        ("topics", "x3"),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", QUEUE),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ];
    let worker = WorkerConfig::try_from(&worker.into_iter().collect()).unwrap();
    (worker, ConnectorConfig::try_from(&connector.into_iter().collect()).unwrap())
}

#[tokio::test]
async fn a_copy_is_what_the_jvm_sends_header_by_header() {
    let fixture = fixture(true);
    fixture.send(&record(), OnRefusal::Count);
    fixture.settled().await.unwrap();
    // tests/golden/cases/err-dlq/dlq.json, decoded; there the trace ends with its first line.
    let trace = format!("org.apache.kafka.connect.errors.DataException: {MESSAGE}\n");
    let expected = [
        ("__connect.errors.topic", "x3"),
        ("__connect.errors.partition", "0"),
        ("__connect.errors.offset", "1"),
        ("__connect.errors.connector.name", "err-dlq"),
        ("__connect.errors.task.id", "0"),
        ("__connect.errors.stage", "VALUE_CONVERTER"),
        ("__connect.errors.class.name", "org.apache.kafka.connect.json.JsonConverter"),
        ("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"),
        ("__connect.errors.exception.message", MESSAGE),
        ("__connect.errors.exception.stacktrace", &trace),
    ];
    fixture.read(1, |message| {
        assert_eq!(message.key(), Some(&b"k1"[..]));
        assert_eq!(message.payload(), Some(&b"{bad"[..]));
        assert_eq!(message.timestamp().to_millis(), Some(1_700_000_001_000));
        let expected = expected.map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
        assert_eq!(headers(message), expected);
    });
    assert_eq!((fixture.counters.dead_letter_queue_requests.get(), fixture.budget.used()), (1, 0));
}

#[tokio::test]
async fn without_context_a_copy_has_the_headers_of_the_record_alone() {
    let fixture = fixture(false);
    let own: [RawHeader; 2] = [("a".into(), Some(Bytes::from_static(b"1"))), ("b".into(), None)];
    fixture.send(&ConsumerRecord { key: None, headers: own.to_vec(), ..record() }, OnRefusal::Count);
    fixture.send(&ConsumerRecord { value: None, ..record() }, OnRefusal::Count);
    fixture.settled().await.unwrap();
    let mut copies = Vec::new();
    fixture.read(2, |message| {
        copies.push((message.key().is_some(), message.payload().is_some(), headers(message)));
    });
    let own = vec![("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), None)];
    assert_eq!(copies, [(false, true, own), (true, false, Vec::new())]);
}

#[test]
fn d7_an_error_without_a_message_has_a_header_without_a_value() {
    let error = Error::data("").with_class("java.lang.NullPointerException");
    let (source, record) = (TopicPartition::new("t", 0), record());
    let failure = Failure { stage: Stage::Transformation, class: "T", error: &error, topic_partition: &source, record: &record };
    let [.., message, trace] = context("c", 0, &failure);
    assert_eq!(message, ("__connect.errors.exception.message", None));
    assert_eq!(trace.1.as_deref(), Some("java.lang.NullPointerException\n"));
}

#[test]
fn d10_a_retriable_error_keeps_its_class_and_message() {
    let error = Error::retriable("Error when value='value-7'");
    let (source, record) = (TopicPartition::new("test-topic", 0), record());
    let failure = Failure { stage: Stage::Transformation, class: "T", error: &error, topic_partition: &source, record: &record };
    let [topic, .., class, message, _trace] = context("c", 0, &failure);
    assert_eq!(
        [topic, class, message].map(|(_, value)| value.unwrap()),
        ["test-topic", "org.apache.kafka.connect.errors.RetriableException", "Error when value='value-7'"]
    );
}

#[test]
fn causes_follow_in_the_trace() {
    let error = Error::data("expected a value").context("could not parse");
    let expected = "org.apache.kafka.connect.errors.DataException: could not parse\nCaused by: expected a value\n";
    assert_eq!(trace(&error), expected);
}

#[tokio::test]
async fn d8_a_header_of_the_record_stays_before_ours_of_the_same_name() {
    let fixture = fixture(true);
    let own: RawHeader = ("__connect.errors.topic".into(), Some(Bytes::from_static(b"earlier")));
    fixture.send(&ConsumerRecord { headers: vec![own], ..record() }, OnRefusal::Count);
    fixture.read(1, |message| {
        let topics: Vec<_> = headers(message).into_iter().filter(|(key, _)| key == "__connect.errors.topic").collect();
        assert_eq!(topics.into_iter().filter_map(|(_, value)| value).collect::<Vec<_>>(), ["earlier", "x3"]);
    });
}

#[tokio::test]
async fn a_refused_copy_is_counted_once_and_sent_again_until_it_is_there() {
    let fixture = fixture(true);
    fixture.refuse(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 2);
    fixture.send(&record(), OnRefusal::Count);
    let held = fixture.until_held(|held| held.problem.is_some()).await;
    let problem = held.problem.unwrap();
    assert!(problem.contains("may not write") && problem.contains("x3-0"), "{problem}");
    assert_eq!(fixture.settle(std::slice::from_ref(&fixture.source)).await.unwrap(), [], "its offset is held");
    fixture.settled().await.unwrap();
    fixture.read(1, |message| assert_eq!(message.payload(), Some(&b"{bad"[..])));
    assert_eq!(fixture.queue.held().unwrap(), Held::default());
    assert_eq!(fixture.counters.dead_letter_queue_failures.get(), 1);
    assert_eq!(fixture.budget.used(), 0);
}

#[tokio::test]
async fn a_refused_copy_fails_a_task_that_relied_on_it() {
    let fixture = fixture(true);
    fixture.refuse(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 20);
    fixture.send(&record(), OnRefusal::FailTask);
    let error = fixture.settled().await.unwrap_err();
    assert!(error.report().contains("could not send records of x3-0 to the dead letter queue x3.dlq"), "{}", error.report());
}

#[tokio::test]
async fn a_copy_that_the_topic_never_takes_holds_its_partition_and_nothing_else() {
    let fixture = fixture(false);
    let other = TopicPartition::new("x3", 1);
    // Larger than the producer may send: no broker has to be asked.
    fixture.send(&ConsumerRecord { value: Some(Bytes::from(vec![b'x'; 1_100_000])), ..record() }, OnRefusal::Count);
    fixture.send_of(&other, &record(), OnRefusal::Count);
    let both = [fixture.source.clone(), other.clone()];
    assert_eq!(fixture.settle(&both).await.unwrap(), [other]);
    let held = fixture.queue.held().unwrap();
    let problem = held.problem.unwrap();
    assert!(problem.contains("the record at offset 1 of x3-0") && problem.contains("max.request.size"), "{problem}");
    assert_eq!(held.crowded, std::slice::from_ref(&fixture.source), "it is more than a partition may let wait");
    fixture.queue.forget(std::slice::from_ref(&fixture.source));
    assert_eq!((fixture.queue.held().unwrap(), fixture.budget.used()), (Held::default(), 0));
}

#[tokio::test]
async fn copies_of_partitions_that_went_are_not_sent_again() {
    let fixture = fixture(false);
    fixture.refuse(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
    fixture.send(&record(), OnRefusal::Count);
    fixture.until_held(|held| held.problem.as_ref().is_some_and(|problem| problem.contains("may not write"))).await;
    fixture.queue.forget(std::slice::from_ref(&fixture.source));
    assert_eq!((fixture.queue.held().unwrap(), fixture.budget.used()), (Held::default(), 0));
    fixture.send_of(&TopicPartition::new("x3", 1), &ConsumerRecord { offset: 9, ..record() }, OnRefusal::Count);
    while fixture.queue.held().unwrap() != Held::default() || !fixture.queue.pending.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fixture.end_of_queue(), 1);
}

#[tokio::test]
async fn d13_a_partition_is_committed_when_its_copies_have_arrived_and_others_do_not_wait() {
    let fixture = fixture(false);
    let other = TopicPartition::new("x3", 1);
    fixture.cluster.broker_down(1).unwrap();
    fixture.send(&record(), OnRefusal::Count);
    let both = [fixture.source.clone(), other.clone()];
    assert_eq!(fixture.settle(&both).await.unwrap(), [other]);
    assert!(fixture.budget.used() > 0);
    fixture.cluster.broker_up(1).unwrap();
    fixture.settled().await.unwrap();
    assert!(fixture.queue.pending.is_empty());
    assert_eq!(fixture.settle(&both).await.unwrap(), both);
}

#[test]
fn settings_that_are_refused_are_named_without_the_value_of_a_secret() {
    let client = vec![("sasl.password.nonsense".to_owned(), "hunter2".to_owned())];
    let refused = DeadLetterQueue::new(&"c".into(), 0, &config(false), client, &Budget::new(1)).map(drop).unwrap_err();
    assert_eq!(refused.kind(), connect_api::ErrorKind::Config);
    let report = refused.report();
    assert!(report.contains("sasl.password.nonsense") && !report.contains("hunter2"), "{report}");
}

#[tokio::test]
async fn a_copy_may_be_as_large_as_a_record_of_java_s_default() {
    let fixture = fixture(false);
    let value = Bytes::from(vec![b'x'; 1_040_000]);
    fixture.send(&ConsumerRecord { value: Some(value), ..record() }, OnRefusal::FailTask);
    fixture.settled().await.unwrap();
}

#[tokio::test]
async fn nobody_waits_for_copies_of_lost_partitions() {
    let fixture = fixture(false);
    fixture.cluster.broker_down(1).unwrap();
    fixture.send(&record(), OnRefusal::FailTask);
    fixture.queue.forget(std::slice::from_ref(&fixture.source));
    fixture.settled().await.unwrap();
}

#[tokio::test]
async fn d11_all_records_that_a_task_reports_arrive_under_the_settings_of_its_files() {
    let fixture = fixture(false);
    let (worker, connector) = files(&fixture.cluster);
    let metrics = Metrics::default();
    let handler = ErrorHandler::start(&worker, &connector, 0, &fixture.budget, &metrics).await.unwrap();

    let records = (0..1_000).map(|offset| ConsumerRecord { key: Some(offset.to_string().into()), offset, ..record() });
    let batch = ConsumerRecords { topic_partition: fixture.source.clone(), records: records.collect() };
    let batch = Arc::new(batch);
    for index in 0..1_000 {
        let record = SinkRecord::new(Origin::new(batch.clone(), index), Data::default(), Data::default(), Vec::new());
        let reporter = handler.errant_record_reporter().unwrap();
        reporter.report(&record, &Error::data("cannot be written")).unwrap();
    }
    let mut settled = Offsets::new();
    while settled.is_empty() {
        settled = Offsets::from([(fixture.source.clone(), OffsetAndMetadata::new(1_000, ""))]);
        handler.settle(&mut settled, WITHIN).await.unwrap();
    }
    let mut keys = Vec::new();
    fixture.read(1_000, |message| {
        keys.push(String::from_utf8(message.key().unwrap().to_vec()).unwrap());
        let stage = headers(message).into_iter().find(|(key, _)| key == "__connect.errors.stage");
        assert_eq!(stage.unwrap().1.as_deref(), Some("TASK_PUT"));
    });
    assert_eq!(keys, (0..1_000).map(|offset| offset.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_topic_that_exists_is_not_created_and_one_that_cannot_be_created_is_named() {
    let fixture = fixture(false);
    create_topic(&config(false), client(&fixture.cluster), ADMIN_TIMEOUT).await.unwrap();
    // The mock cluster knows no request to create topics, which the client finds out by waiting.
    let missing = DeadLetterQueueConfig { topic: "missing".into(), ..config(false) };
    let error = create_topic(&missing, client(&fixture.cluster), Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "Could not initialize dead letter queue with topic=missing");
}

/// A client that cannot go on gives up all that it has, and tells of each copy that nobody refused it.
#[tokio::test]
async fn copies_that_a_broken_client_gives_up_do_not_count_as_arrived() {
    let fixture = fixture_with(true, &[("enable.idempotence", "true"), ("acks", "all"), ("retries", "5")]);
    let errors = vec![RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED; 100];
    fixture.cluster.request_errors(RDKafkaApiKey::InitProducerId, &errors);
    fixture.send(&record(), OnRefusal::Count);
    let refused = loop {
        match fixture.settle(std::slice::from_ref(&fixture.source)).await {
            Ok(settled) => assert!(settled.is_empty(), "the offset would be committed"),
            Err(error) => break error,
        }
    };
    assert!(refused.report().contains("cannot go on"), "{}", refused.report());
    assert_eq!(fixture.end_of_queue(), 0);
}

/// Limits of the client would turn a batch of failures into trouble of the queue.
#[tokio::test]
async fn a_limit_of_the_client_s_own_queue_is_not_ours() {
    let fixture = fixture_with(true, &[("queue.buffering.max.messages", "2")]);
    for _ in 0..10 {
        fixture.send(&record(), OnRefusal::FailTask);
    }
    fixture.settled().await.unwrap();
    assert_eq!(fixture.end_of_queue(), 10);
}
