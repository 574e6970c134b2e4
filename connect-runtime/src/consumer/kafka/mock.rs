//! A cluster inside the test's process.
#![allow(unsafe_code, reason = "librdkafka's mock cluster can be told some things in no other way")]

use std::time::Duration;

use connect_api::{OffsetAndMetadata, Offsets, TopicPartition};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList, bindings,
    consumer::{BaseConsumer, CommitMode, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::offsets::to_list;

const TIMEOUT: Duration = Duration::from_secs(10);

/// librdkafka's mock cluster of one broker, with groups that form at once.
pub(crate) struct MockCluster {
    producer: BaseProducer,
    bootstrap_servers: String,
}

impl MockCluster {
    pub(crate) fn start() -> Self {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", "1").set("linger.ms", "0").set("log_level", "0");
        let producer: BaseProducer = config.create().unwrap();
        let bootstrap_servers = producer.client().mock_cluster().unwrap().bootstrap_servers();
        // SAFETY: the producer owns the cluster and is alive.
        unsafe {
            let cluster = bindings::rd_kafka_handle_mock_cluster(producer.client().native_ptr());
            bindings::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 50);
        }
        Self { producer, bootstrap_servers }
    }

    pub(crate) fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    pub(crate) fn create_topic(&self, topic: &str, partitions: i32) {
        self.producer.client().mock_cluster().unwrap().create_topic(topic, partitions, 1).unwrap();
    }

    /// Sends all clients that ask for the broker's address from now on to this port.
    pub(crate) fn advertise_port(&self, port: u16) {
        // SAFETY: the producer owns the cluster and is alive; the name ends in a zero.
        unsafe { bindings::rd_kafka_mock_broker_set_host_port(self.native(), 1, c"127.0.0.1".as_ptr(), port.into()) }
    }

    /// Takes a partition's leader away, or gives it one.
    pub(crate) fn set_leader(&self, topic: &str, partition: i32, leads: bool) {
        let leader = leads.then_some(1);
        self.producer.client().mock_cluster().unwrap().partition_leader(topic, partition, leader).unwrap();
    }

    /// Has the next requests of this kind fail.
    pub(crate) fn fail_requests(&self, api_key: i16, errors: &[bindings::rd_kafka_resp_err_t]) {
        // SAFETY: the producer owns the cluster and is alive, and so is the array during the call.
        unsafe { bindings::rd_kafka_mock_push_request_errors_array(self.native(), api_key, errors.len(), errors.as_ptr()) }
    }

    fn native(&self) -> *mut bindings::rd_kafka_mock_cluster_t {
        // SAFETY: the producer is alive, and has a cluster.
        unsafe { bindings::rd_kafka_handle_mock_cluster(self.producer.client().native_ptr()) }
    }

    /// Appends these values to a partition.
    pub(crate) fn produce(&self, topic: &str, partition: i32, values: impl IntoIterator<Item = String>) {
        for value in values {
            self.producer.send(BaseRecord::<(), String>::to(topic).partition(partition).payload(&value)).unwrap();
        }
        self.producer.flush(TIMEOUT).unwrap();
    }

    pub(crate) fn broker_down(&self) {
        self.producer.client().mock_cluster().unwrap().broker_down(-1).unwrap();
    }

    pub(crate) fn broker_up(&self) {
        self.producer.client().mock_cluster().unwrap().broker_up(-1).unwrap();
    }

    fn member(&self, group: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap_servers).set("group.id", group).set("log_level", "0");
        config.create().unwrap()
    }

    /// What a group has committed.
    pub(crate) fn committed(&self, group: &str, partitions: &[(&str, i32)]) -> Offsets {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let committed = self.member(group).committed_offsets(list, TIMEOUT).unwrap();
        let elements = committed.elements();
        let offsets = elements.iter().filter_map(|element| {
            let Offset::Offset(offset) = element.offset() else { return None };
            let topic_partition = TopicPartition::new(element.topic(), element.partition());
            Some((topic_partition, OffsetAndMetadata::new(offset, element.metadata())))
        });
        offsets.collect()
    }

    /// Commits for a group without members.
    pub(crate) fn commit(&self, group: &str, offsets: &Offsets) {
        self.member(group).commit(&to_list(offsets), CommitMode::Sync).unwrap();
    }
}
