//! The real Kafka broker of the tests: topics, records, and what a consumer group has committed.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

const PATIENCE: Duration = Duration::from_secs(90);

/// A record as tests write and read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Only of records that were read.
    pub(crate) offset: i64,
    /// Milliseconds since 1970; none lets the broker decide.
    pub(crate) timestamp: Option<i64>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Runs a future of a client to its end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME
        .get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"));
    runtime.block_on(future)
}

/// Waits until `done` says so, or panics with what was awaited.
pub(crate) fn wait_until(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One broker.
pub(crate) struct Cluster {
    bootstrap_servers: String,
    admin: AdminClient<DefaultClientContext>,
    producer: BaseProducer,
}

impl Cluster {
    /// The broker that `CONNECT_TEST_KAFKA` names; without one, says which test is skipped.
    pub(crate) fn from_environment(test: &str) -> Option<Self> {
        let Ok(bootstrap_servers) = std::env::var("CONNECT_TEST_KAFKA") else {
            crate::skipped(test, "CONNECT_TEST_KAFKA");
            return None;
        };
        Some(Self::new(bootstrap_servers))
    }

    pub(crate) fn new(bootstrap_servers: String) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &bootstrap_servers).set("log_level", "0");
        let admin = config.create().expect("an admin client");
        config.set("linger.ms", "1").set("max.in.flight.requests.per.connection", "1").set("message.max.bytes", "20000000");
        let producer = config.create().expect("a producer");
        Self { bootstrap_servers, admin, producer }
    }

    pub(crate) fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Creates an empty topic; one of that name from an earlier run goes first.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, config: &[(&str, &str)]) {
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        if config.iter().all(|(key, _)| *key != "max.message.bytes") {
            topic = topic.set("max.message.bytes", "20000000");
        }
        for (key, value) in config {
            topic = topic.set(key, value);
        }
        wait_until(&format!("topic {name} is created"), PATIENCE, || {
            let created = block_on(self.admin.create_topics([&topic], &options)).expect("the admin client works");
            match &created[0] {
                Ok(_) => true,
                Err((_, rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists)) => {
                    self.delete_topic(name);
                    false
                }
                Err((_, code)) => panic!("topic {name}: {code}"),
            }
        });
        wait_until(&format!("topic {name} has leaders"), PATIENCE, || self.partitions(name) == partitions);
        // Until its leader leads, a record may be refused and fall behind the next one.
        for partition in 0..partitions {
            self.watermarks(name, partition);
        }
    }

    /// Deletes a topic, if there is one, and waits until it is gone.
    pub(crate) fn delete_topic(&self, name: &str) {
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        wait_until(&format!("topic {name} is gone"), PATIENCE, || {
            let deleted = block_on(self.admin.delete_topics(&[name], &options)).expect("the admin client works");
            matches!(deleted[0], Err((_, rdkafka::types::RDKafkaErrorCode::UnknownTopicOrPartition)))
        });
    }

    /// How many partitions of a topic have a leader.
    fn partitions(&self, topic: &str) -> i32 {
        let metadata = self.producer.client().fetch_metadata(Some(topic), PATIENCE).expect("metadata");
        let led = metadata.topics()[0].partitions().iter().filter(|p| p.error().is_none() && p.leader() >= 0).count();
        i32::try_from(led).expect("few partitions")
    }

    /// Grows a topic to so many partitions.
    pub(crate) fn grow_topic(&self, topic: &str, partitions: i32) {
        let count = usize::try_from(partitions).expect("a count");
        block_on(self.admin.create_partitions([&NewPartitions::new(topic, count)], &AdminOptions::new()))
            .expect("the admin client works")[0]
            .as_ref()
            .expect("the topic grows");
        wait_until(&format!("{topic} has {partitions} partitions"), PATIENCE, || self.partitions(topic) == partitions);
    }

    /// Changes settings of a topic.
    pub(crate) fn configure_topic(&self, topic: &str, config: &[(&str, &str)]) {
        let start = AlterConfig::new(ResourceSpecifier::Topic(topic));
        let altered = config.iter().fold(start, |altered, (key, value)| altered.set(key, value));
        block_on(self.admin.alter_configs([&altered], &AdminOptions::new())).expect("the admin client works")[0]
            .as_ref()
            .expect("the topic's settings change");
    }

    /// Deletes the records of a partition below an offset.
    pub(crate) fn delete_records(&self, topic: &str, partition: i32, below: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(below)).expect("an offset");
        block_on(self.admin.delete_records(&list, &AdminOptions::new())).expect("records are deleted");
    }

    /// Forgets a consumer group of an earlier run.
    pub(crate) fn delete_group(&self, group: &str) {
        // Fails when there is none, which is as good.
        drop(block_on(self.admin.delete_groups(&[group], &AdminOptions::new())));
    }

    /// Writes records in order and waits until the broker has them.
    pub(crate) fn produce(&self, records: &[Record]) {
        self.send(&self.producer, records);
        self.producer.flush(PATIENCE).expect("the broker takes the records");
    }

    fn send(&self, producer: &BaseProducer, records: &[Record]) {
        for record in records {
            let mut headers = OwnedHeaders::new();
            for (key, value) in &record.headers {
                headers = headers.insert(Header { key, value: value.as_ref() });
            }
            let mut message = BaseRecord::<[u8], [u8]>::to(&record.topic).partition(record.partition);
            if !record.headers.is_empty() {
                message = message.headers(headers);
            }
            if let Some(key) = &record.key {
                message = message.key(key);
            }
            if let Some(value) = &record.value {
                message = message.payload(value);
            }
            if let Some(timestamp) = record.timestamp {
                message = message.timestamp(timestamp);
            }
            while let Err((error, back)) = producer.send(message) {
                assert!(error.to_string().contains("Queue full"), "{error}");
                producer.poll(Duration::from_millis(20));
                message = back;
            }
        }
    }

    /// Writes each group of records in a transaction, which adds a control record after it, and waits for that: the
    /// coordinator answers before the partitions have it, so that a record written at once could still precede it.
    pub(crate) fn produce_transactions(&self, id: &str, transactions: &[(&[Record], Commit)]) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("transactional.id", id)
            .create()
            .expect("a producer");
        producer.init_transactions(PATIENCE).expect("transactions");
        for (records, commit) in transactions {
            producer.begin_transaction().expect("a transaction");
            self.send(&producer, records);
            producer.flush(PATIENCE).expect("the broker takes the records");
            match commit {
                Commit::Yes => producer.commit_transaction(PATIENCE).expect("it commits"),
                Commit::Aborted => producer.abort_transaction(PATIENCE).expect("it aborts"),
            }
            for record in *records {
                let (topic, partition) = (&record.topic, record.partition);
                wait_until(&format!("{topic}-{partition} has its control record"), PATIENCE, || {
                    self.end_offset(topic, partition) >= record.offset + 2
                });
            }
        }
    }

    /// The offset that the next record of a partition will have.
    pub(crate) fn end_offset(&self, topic: &str, partition: i32) -> i64 {
        self.watermarks(topic, partition).1
    }

    /// The first offset of a partition that can still be asked for, and the one that its next record will have.
    pub(crate) fn watermarks(&self, topic: &str, partition: i32) -> (i64, i64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Leaders of new partitions are known to the broker before they lead.
            match self.producer.client().fetch_watermarks(topic, partition, PATIENCE) {
                Ok(watermarks) => return watermarks,
                Err(error) => assert!(Instant::now() < deadline, "watermarks of {topic}-{partition}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a group has committed for these partitions; a partition without a commit is absent.
    pub(crate) fn committed(&self, group: &str, partitions: &[(String, i32)]) -> BTreeMap<(String, i32), i64> {
        let consumer = self.consumer(group);
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let deadline = Instant::now() + PATIENCE;
        let committed = loop {
            // A broker that has just started does not coordinate groups yet.
            match consumer.committed_offsets(list.clone(), PATIENCE) {
                Ok(committed) => break committed,
                Err(error) => assert!(Instant::now() < deadline, "the offsets of {group}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let offset = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some(((element.topic().to_owned(), element.partition()), offset)),
            _ => None,
        };
        committed.elements().iter().filter_map(offset).collect()
    }

    /// All records of a topic that are still in its log, in order of partition and offset.
    pub(crate) fn read_all(&self, topic: &str) -> Vec<Record> {
        let consumer = self.consumer("tests-read-all");
        let mut list = TopicPartitionList::new();
        let mut unread: BTreeSet<i32> = (0..self.partitions(topic)).collect();
        for partition in &unread {
            list.add_partition_offset(topic, *partition, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&list).expect("an assignment");
        let mut records = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while !unread.is_empty() {
            assert!(Instant::now() < deadline, "read {} records of {topic}, and no end of {unread:?}", records.len());
            let message = match consumer.poll(Duration::from_millis(100)) {
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    unread.remove(&partition);
                    continue;
                }
                Some(message) => message.expect("a record"),
                None => continue,
            };
            let headers = message
                .headers()
                .map_or_else(Vec::new, |headers| headers.iter().map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec))).collect());
            records.push(Record {
                topic: topic.to_owned(),
                partition: message.partition(),
                offset: message.offset(),
                timestamp: message.timestamp().to_millis(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers,
            });
        }
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("log_level", "0")
            .create()
            .expect("a consumer")
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    Yes,
    Aborted,
}

#[test]
fn the_broker_gives_back_what_was_written() {
    let Some(cluster) = Cluster::from_environment("broker") else { return };
    let topic = format!("round-trip-{}", std::process::id());
    cluster.create_topic(&topic, 2, &[]);
    let record = |partition: i32, offset: i64, value: Option<&[u8]>| Record {
        topic: topic.clone(),
        partition,
        offset,
        timestamp: Some(1_700_000_000_000 + offset),
        key: Some(b"key".to_vec()),
        value: value.map(<[u8]>::to_vec),
        headers: vec![("a".to_owned(), None), ("a".to_owned(), Some(vec![0, 255]))],
    };
    let plain = [record(0, 0, Some(b"{}")), record(1, 0, None)];
    cluster.produce(&plain);
    let (kept, dropped) = ([record(0, 1, Some(b"1"))], [record(0, 3, Some(b"2"))]);
    cluster.produce_transactions(&topic, &[(&kept, Commit::Yes), (&dropped, Commit::Aborted)]);
    assert_eq!(cluster.end_offset(&topic, 0), 5, "the first, two more, and two control records");
    assert_eq!(cluster.committed("nobody", &[(topic.clone(), 0)]), BTreeMap::new());
    cluster.grow_topic(&topic, 3);
    assert_eq!(cluster.end_offset(&topic, 2), 0);
    cluster.delete_topic(&topic);
}

#[test]
fn the_broker_gives_back_keys_headers_and_timestamps() {
    let Some(cluster) = Cluster::from_environment("broker") else { return };
    let topic = format!("read-back-{}", std::process::id());
    cluster.create_topic(&topic, 1, &[]);
    let records: Vec<Record> = (0..3)
        .map(|offset| Record {
            topic: topic.clone(),
            offset,
            timestamp: Some(1_514_764_800_000 + offset),
            key: (offset > 0).then(|| vec![0xff]),
            value: (offset != 1).then(|| b"value".to_vec()),
            headers: vec![("name".to_owned(), (offset == 2).then(Vec::new))],
            ..Record::default()
        })
        .collect();
    cluster.produce(&records);
    assert_eq!(cluster.read_all(&topic), records);
    cluster.delete_topic(&topic);
}
