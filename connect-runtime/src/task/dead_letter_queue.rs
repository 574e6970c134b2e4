//! The topic that keeps copies of records that were skipped.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use connect_api::{Budget, ConsumerRecord, Error, Offsets, Reservation, Result, TopicPartition};
use rdkafka::{
    ClientConfig, ClientContext,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseRecord, ProducerContext, ThreadedProducer},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::tolerance::{Failure, OnRefusal};
use crate::{
    config::{ClientProperties, ConnectorConfig, DeadLetterQueueConfig, WorkerConfig, admin_properties, producer_properties},
    consumer::kafka,
    metrics::StageMetrics,
};

/// How long the cluster has to answer before the task gives up starting; Kafka's `default.api.timeout.ms`.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(60);
/// What librdkafka keeps beside the bytes of a message, roughly.
const MESSAGE_OVERHEAD: usize = 512;

/// Sends copies, and knows of each partition which are not there yet.
pub(super) struct DeadLetterQueue {
    topic: String,
    context_headers: bool,
    connector: Arc<str>,
    task: usize,
    budget: Budget,
    producer: ThreadedProducer<Deliveries>,
    outstanding: Mutex<HashMap<TopicPartition, Outstanding>>,
}

/// Copies of one partition's records that are under way.
type Outstanding = Arc<watch::Sender<UnderWay>>;

#[derive(Debug, Default)]
struct UnderWay {
    copies: usize,
    /// Why a copy that the sink task relied on was not taken.
    refused: Option<String>,
}

impl DeadLetterQueue {
    /// The queue of a connector that has one; creates its topic with one partition where it is missing.
    ///
    /// # Errors
    /// `Config` where the client's settings are wrong, `Fatal` where the topic cannot be created, `Retriable` where no broker
    /// answers.
    pub(super) async fn start(
        worker: &WorkerConfig,
        connector: &ConnectorConfig,
        task: usize,
        budget: &Budget,
    ) -> Result<Option<Self>> {
        let Some(config) = &connector.errors.dead_letter_queue else { return Ok(None) };
        create_topic(config, admin_properties(worker, connector)?, ADMIN_TIMEOUT).await?;
        let properties = producer_properties(worker, connector, task)?;
        Self::new(&connector.name, task, config, properties, budget).map(Some)
    }

    fn new(
        connector: &Arc<str>,
        task: usize,
        config: &DeadLetterQueueConfig,
        properties: ClientProperties,
        budget: &Budget,
    ) -> Result<Self> {
        let mut client = ClientConfig::new();
        // What is under way is reserved in the budget, which stops reading at its limit; limits of the client would drop copies.
        client.set("queue.buffering.max.messages", "0").set("queue.buffering.max.kbytes", "2147483647");
        client.extend(properties);
        let producer = client.create_with_context(Deliveries).map_err(|error| not_initialized(&config.topic, error))?;
        Ok(Self {
            topic: config.topic.clone(),
            context_headers: config.context_headers,
            connector: connector.clone(),
            task,
            budget: budget.clone(),
            producer,
            outstanding: Mutex::default(),
        })
    }

    /// Sends a copy without waiting for it.
    pub(super) fn send(&self, failure: &Failure<'_>, on_refusal: OnRefusal, counters: &Arc<StageMetrics>) {
        counters.dead_letter_queue_requests.inc();
        let record = failure.record;
        let delivery = Box::new(Delivery {
            outstanding: self.add_outstanding(failure.topic_partition),
            on_refusal,
            counters: counters.clone(),
            topic_partition: failure.topic_partition.clone(),
            offset: record.offset,
            reservation: self.budget.reserve(size(record) + MESSAGE_OVERHEAD),
        });
        let mut message: BaseRecord<'_, [u8], [u8], _> =
            BaseRecord::with_opaque_to(&self.topic, delivery).headers(self.headers(failure));
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        message.timestamp = (record.timestamp != -1).then_some(record.timestamp);
        if let Err((error, message)) = self.producer.send(message) {
            message.delivery_opaque.ended(Some(&error));
        }
    }

    /// Waits for the copies of records of these partitions, but no longer than `within`: a task that waits for a queue that is down would miss
    /// everything else. Partitions whose copies are late are taken out of `offsets`; the answer names them.
    ///
    /// # Errors
    /// `Fatal` where a copy was refused that the sink task relied on.
    pub(super) async fn settle(&self, offsets: &mut Offsets, within: Duration) -> Result<Option<String>> {
        let waited_for: Vec<_> = {
            let outstanding = self.outstanding();
            offsets
                .keys()
                .filter_map(|partition| outstanding.get_key_value(partition))
                .map(|(partition, copies)| (partition.clone(), copies.clone()))
                .collect()
        };
        let mut late = Vec::new();
        let deadline = Instant::now() + within;
        for (topic_partition, outstanding) in &waited_for {
            match timeout_at(deadline, self.arrived(topic_partition, outstanding)).await {
                Ok(arrived) => arrived?,
                Err(_) => {
                    offsets.remove(topic_partition);
                    late.push(topic_partition.to_string());
                }
            }
        }
        let problem =
            || format!("{} has not taken the records of {} yet, so no offsets of them are committed", self.topic, late.join(", "));
        Ok((!late.is_empty()).then(problem))
    }

    /// Whether no copy of the partition's records is under way, and none was refused.
    pub(super) fn is_settled(&self, topic_partition: &TopicPartition) -> bool {
        self.outstanding().get(topic_partition).is_none_or(|outstanding| {
            let under_way = outstanding.borrow();
            under_way.copies == 0 && under_way.refused.is_none()
        })
    }

    async fn arrived(&self, topic_partition: &TopicPartition, outstanding: &Outstanding) -> Result<()> {
        // The sender is at hand: it cannot be gone.
        if let Ok(arrived) = outstanding.subscribe().wait_for(|under_way| under_way.copies == 0).await
            && let Some(refused) = &arrived.refused
        {
            let message = format!("could not send records of {topic_partition} to the dead letter queue {}", self.topic);
            return Err(Error::fatal(message).with_source(refused.clone()));
        }
        self.forget_settled(topic_partition);
        Ok(())
    }

    /// Stops waiting for these partitions' copies; they are still sent.
    pub(super) fn forget(&self, partitions: &[TopicPartition]) {
        let mut outstanding = self.outstanding();
        for topic_partition in partitions {
            outstanding.remove(topic_partition);
        }
    }

    fn forget_settled(&self, topic_partition: &TopicPartition) {
        let mut outstanding = self.outstanding();
        if outstanding.get(topic_partition).is_some_and(|outstanding| outstanding.borrow().copies == 0) {
            outstanding.remove(topic_partition);
        }
    }

    // Under the lock, so that nobody who settles at the same time forgets the partition in between.
    fn add_outstanding(&self, topic_partition: &TopicPartition) -> Outstanding {
        let mut all = self.outstanding();
        let outstanding = all.entry(topic_partition.clone()).or_default();
        outstanding.send_modify(|under_way| under_way.copies += 1);
        outstanding.clone()
    }

    fn outstanding(&self) -> MutexGuard<'_, HashMap<TopicPartition, Outstanding>> {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn headers(&self, failure: &Failure<'_>) -> OwnedHeaders {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &failure.record.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        if self.context_headers {
            for (key, value) in context(&self.connector, self.task, failure) {
                headers = headers.insert(Header { key, value: value.as_deref() });
            }
        }
        headers
    }
}

impl fmt::Debug for DeadLetterQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeadLetterQueue({})", self.topic)
    }
}

/// What Kafka Connect says of a failed record in the headers of its copy, in its order.
fn context(connector: &str, task: usize, failure: &Failure<'_>) -> [(&'static str, Option<String>); 10] {
    let Failure { stage, class, error, topic_partition, record } = failure;
    // An exception without a message has an empty one here.
    let message = Some(error.to_string()).filter(|message| !message.is_empty());
    [
        ("__connect.errors.topic", Some(topic_partition.topic.to_string())),
        ("__connect.errors.partition", Some(topic_partition.partition.to_string())),
        ("__connect.errors.offset", Some(record.offset.to_string())),
        ("__connect.errors.connector.name", Some(connector.to_owned())),
        ("__connect.errors.task.id", Some(task.to_string())),
        ("__connect.errors.stage", Some(stage.name().to_owned())),
        ("__connect.errors.class.name", Some((*class).to_owned())),
        ("__connect.errors.exception.class.name", Some(error.class().to_owned())),
        ("__connect.errors.exception.message", message),
        ("__connect.errors.exception.stacktrace", Some(trace(error))),
    ]
}

/// Shaped like a printed stack trace: the class and message, then the causes.
fn trace(error: &Error) -> String {
    let message = error.to_string();
    let mut trace = error.class().to_owned();
    if !message.is_empty() {
        trace += &format!(": {message}");
    }
    trace.push('\n');
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        trace += &format!("Caused by: {error}\n");
        cause = error.source();
    }
    trace
}

fn size(record: &ConsumerRecord) -> usize {
    let length = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, bytes::Bytes::len);
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + length(value)).sum();
    length(&record.key) + length(&record.value) + headers
}

/// One copy under way; librdkafka hands it back when it has arrived or failed.
struct Delivery {
    outstanding: Outstanding,
    on_refusal: OnRefusal,
    counters: Arc<StageMetrics>,
    topic_partition: TopicPartition,
    offset: i64,
    reservation: Reservation,
}

impl Delivery {
    fn ended(self, error: Option<&KafkaError>) {
        if let Some(error) = error {
            self.counters.dead_letter_queue_failures.inc();
            tracing::error!(
                topic_partition = %self.topic_partition, offset = self.offset, %error,
                "could not send a record to the dead letter queue"
            );
        }
        let Self { outstanding, on_refusal, reservation, .. } = self;
        // First, so that whoever has waited finds the bytes given back.
        drop(reservation);
        outstanding.send_modify(|under_way| {
            under_way.copies -= 1;
            if let (Some(error), OnRefusal::FailTask) = (error, on_refusal) {
                under_way.refused = Some(error.to_string());
            }
        });
    }
}

/// Takes the broker's answers on the producer's own thread.
struct Deliveries;

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => tracing::debug!(facility, message),
            _ => tracing::warn!(facility, message, "dead letter queue's producer"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "dead letter queue's producer");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        delivery.ended(result.as_ref().err().map(|(error, _)| error));
    }
}

/// Creates the topic with one partition unless it is there.
async fn create_topic(config: &DeadLetterQueueConfig, properties: ClientProperties, timeout: Duration) -> Result<()> {
    let topic = config.topic.as_str();
    let admin: AdminClient<DefaultClientContext> =
        properties.into_iter().collect::<ClientConfig>().create().map_err(|error| not_initialized(topic, error))?;
    let admin = Arc::new(admin);
    let lister = admin.clone();
    // All topics: asking for one by name may create it with the broker's defaults. The call waits, so it gets a thread.
    let listing = tokio::task::spawn_blocking(move || lister.inner().fetch_metadata(None, timeout));
    let metadata = listing
        .await
        .map_err(|error| Error::fatal("listing topics was cut off").with_source(error))?
        .map_err(|error| not_initialized(topic, error))?;
    if metadata.topics().iter().any(|known| known.name() == topic) {
        return Ok(());
    }
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(config.replication_factor.into()));
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let created = admin.create_topics([&new], &options).await.map_err(|error| not_initialized(topic, error))?;
    match created.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | None => Ok(()),
        Some(Err((_, code))) => Err(not_initialized(topic, KafkaError::AdminOp(code))),
        Some(Ok(_)) => {
            tracing::info!(topic, "created the dead letter queue");
            Ok(())
        }
    }
}

fn not_initialized(topic: &str, error: KafkaError) -> Error {
    let message = format!("Could not initialize dead letter queue with topic={topic}");
    // Not kept as the cause: it prints the value, which may be a secret.
    if matches!(error, KafkaError::ClientConfig(..)) {
        return kafka::refused(&error).context(message);
    }
    let error_of = match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut,
        ) => Error::retriable,
        _ => Error::fatal,
    };
    error_of(message).with_class("org.apache.kafka.connect.errors.ConnectException").with_source(error)
}

#[cfg(test)]
mod tests {
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
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(QUEUE, 1, 1).unwrap();
        let budget = Budget::new(1 << 20);
        let mut properties = client(&cluster);
        properties.push(("retries".into(), "0".into()));
        let (worker, connector) = files(&cluster);
        properties
            .extend(producer_properties(&worker, &connector, 0).unwrap().into_iter().filter(|(key, _)| key == "message.max.bytes"));
        let queue = DeadLetterQueue::new(&"err-dlq".into(), 0, &config(context_headers), properties, &budget).unwrap();
        let counters = Arc::new(StageMetrics::new(&Metrics::default(), "err-dlq", 0, Stage::ValueConverter.name()));
        Fixture { cluster, queue, counters, budget, source: TopicPartition::new("x3", 0) }
    }

    impl Fixture {
        fn send(&self, record: &ConsumerRecord, on_refusal: OnRefusal) {
            let failure = Failure {
                stage: Stage::ValueConverter,
                class: "org.apache.kafka.connect.json.JsonConverter",
                error: &Error::data(MESSAGE),
                topic_partition: &self.source,
                record,
            };
            self.queue.send(&failure, on_refusal, &self.counters);
        }

        /// The partitions that may be committed after settling.
        async fn settle(&self, partitions: &[TopicPartition]) -> Result<Vec<TopicPartition>> {
            let offset = |partition: &TopicPartition| (partition.clone(), OffsetAndMetadata::new(2, ""));
            let mut offsets: Offsets = partitions.iter().map(offset).collect();
            let problem = self.queue.settle(&mut offsets, WITHIN).await?;
            assert_eq!(problem.is_some(), offsets.len() < partitions.len(), "{problem:?}");
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
        let failure =
            Failure { stage: Stage::Transformation, class: "T", error: &error, topic_partition: &source, record: &record };
        let [.., message, trace] = context("c", 0, &failure);
        assert_eq!(message, ("__connect.errors.exception.message", None));
        assert_eq!(trace.1.as_deref(), Some("java.lang.NullPointerException\n"));
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
    async fn a_refused_copy_is_counted_and_fails_only_a_task_that_relied_on_it() {
        let fixture = fixture(true);
        for on_refusal in [OnRefusal::Count, OnRefusal::FailTask] {
            let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED];
            fixture.cluster.request_errors(RDKafkaApiKey::Produce, &refused);
            fixture.send(&record(), on_refusal);
            let settled = fixture.settled().await;
            assert_eq!(settled.is_err(), on_refusal == OnRefusal::FailTask, "{settled:?}");
        }
        assert_eq!(fixture.counters.dead_letter_queue_failures.get(), 2);
        assert_eq!(fixture.budget.used(), 0);
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
        assert!(fixture.queue.outstanding().is_empty());
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
        while handler
            .settle(&mut Offsets::from([(fixture.source.clone(), OffsetAndMetadata::new(1_000, ""))]), WITHIN)
            .await
            .unwrap()
            .is_some()
        {}
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
}
