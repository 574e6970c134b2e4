//! Kafka: the mock cluster that comes with librdkafka, or brokers that are given.

use std::{collections::BTreeMap, error::Error, time::Duration};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    bindings::{rd_kafka_handle_mock_cluster, rd_kafka_mock_group_initial_rebalance_delay_ms},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Three brokers on the loopback interface, which keep 5 MiB a partition and forget what is older; or others.
pub(crate) struct Kafka {
    producer: BaseProducer,
    /// `None` for the mock cluster.
    given: Option<String>,
}

impl Kafka {
    /// Starts the brokers.
    ///
    /// # Errors
    /// Where librdkafka refuses.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let producer: BaseProducer =
            ClientConfig::new().set("test.mock.num.brokers", "3").set("linger.ms", "5").set("log_level", "3").create()?;
        // A group's first members wait for others: three seconds unless told otherwise, as on a real broker. Whoever comes later
        // than that waits for nearly the session timeout.
        #[allow(unsafe_code, reason = "the crate has no safe call for this; the cluster lives as long as the producer")]
        unsafe {
            let cluster = rd_kafka_handle_mock_cluster(producer.client().native_ptr());
            rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 300);
        }
        Ok(Self { producer, given: None })
    }

    /// Uses brokers that are there. `bootstrap_servers`: `host:port`, with commas between them.
    ///
    /// # Errors
    /// Where librdkafka refuses.
    pub(crate) fn at(bootstrap_servers: &str) -> Result<Self, Box<dyn Error>> {
        let producer = ClientConfig::new().set("bootstrap.servers", bootstrap_servers).set("linger.ms", "5").create()?;
        Ok(Self { producer, given: Some(bootstrap_servers.to_owned()) })
    }

    /// For `bootstrap.servers`.
    pub(crate) fn bootstrap_servers(&self) -> String {
        let mock = || self.producer.client().mock_cluster().map(|cluster| cluster.bootstrap_servers()).unwrap_or_default();
        self.given.clone().unwrap_or_else(mock)
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// Where it exists.
    pub(crate) fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), Box<dyn Error>> {
        let cluster = self.producer.client().mock_cluster().ok_or("no mock cluster")?;
        Ok(cluster.create_topic(topic, partitions, 1)?)
    }

    /// Makes a topic of one partition, in the mock cluster or on brokers that are given.
    ///
    /// # Errors
    /// Where it exists.
    pub(crate) async fn create_topic_anywhere(&self, topic: &str) -> Result<(), Box<dyn Error>> {
        let Some(given) = &self.given else { return self.create_topic(topic, 1) };
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", given).create()?;
        let made = admin.create_topics(&[NewTopic::new(topic, 1, TopicReplication::Fixed(1))], &AdminOptions::new()).await?;
        made.into_iter().try_for_each(|made| made.map(drop)).map_err(|(topic, error)| format!("{topic}: {error}").into())
    }

    /// Appends a value to a partition.
    ///
    /// # Errors
    /// Where the record is refused.
    pub(crate) fn produce(&self, topic: &str, partition: i32, value: &str) -> Result<(), Box<dyn Error>> {
        let record: BaseRecord<'_, (), str> = BaseRecord::to(topic).partition(partition).payload(value);
        self.producer.send(record).map_err(|(error, _)| error)?;
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// Waits until everything produced lies in its partition.
    ///
    /// # Errors
    /// Where that takes too long.
    pub(crate) fn flush(&self) -> Result<(), Box<dyn Error>> {
        Ok(self.producer.flush(TIMEOUT)?)
    }

    /// The offsets that the group has committed for these partitions; those without a commit are left out.
    ///
    /// # Errors
    /// Where the brokers do not answer.
    pub(crate) fn committed(
        &self,
        group: &str,
        partitions: &[(String, i32)],
    ) -> Result<BTreeMap<(String, i32), i64>, Box<dyn Error>> {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", self.bootstrap_servers()).set("group.id", group).create()?;
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let committed = consumer.committed_offsets(list, TIMEOUT)?;
        let offsets = committed.elements().into_iter().filter_map(|element| match element.offset() {
            Offset::Offset(offset) => Some(((element.topic().to_owned(), element.partition()), offset)),
            _ => None,
        });
        Ok(offsets.collect())
    }
}
