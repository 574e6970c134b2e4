//! By Kafka's partitions.

use std::fmt::Write;

use connect_api::{
    Error, PartitionedBy, Partitioner, Plugin, Result, SinkRecord,
    config::{Config, ConfigDef},
};

/// `partition=<n>`: one directory per partition of the topic.
#[derive(Debug)]
pub(crate) struct DefaultPartitioner;

impl Plugin for DefaultPartitioner {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.DefaultPartitioner";
    const DOCUMENTATION: &'static str = "One directory per partition of the topic.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("DefaultPartitioner", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl Partitioner for DefaultPartitioner {
    fn partitioned_by(&self) -> PartitionedBy {
        PartitionedBy::TopicPartition
    }

    fn encode_partition(&self, record: &SinkRecord, _now: i64, encoded: &mut String) -> Result<()> {
        write!(encoded, "partition={}", record.partition).map_err(|error| Error::data("no encoded partition").with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::{Data, Value},
        testing::{partitioner, record_of},
    };

    use super::*;

    #[test]
    fn it_keeps_the_contract() {
        let records = [record_of(Data::schemaless(Value::Int64(1))), record_of(Data::default())];
        partitioner::keeps_the_contract(&DefaultPartitioner, &records);
    }

    #[test]
    fn the_directory_names_the_partition() {
        let mut encoded = String::new();
        DefaultPartitioner.encode_partition(&record_of(Data::default()), 0, &mut encoded).unwrap();
        assert_eq!(encoded, "partition=3");
    }
}
