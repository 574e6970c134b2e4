//! The name of the value's schema, before or after the directory that another partitioner gives.

use std::{ops::Range, sync::Arc};

use connect_api::{PartitionedBy, Partitioner, Result, SinkRecord};

/// On which side of the other's directory the schema's name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affix {
    Prefix,
    Suffix,
}

impl Affix {
    /// What `s3.schema.partition.affix.type` says; nothing for `NONE`.
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "PREFIX" => Some(Self::Prefix),
            "SUFFIX" => Some(Self::Suffix),
            _ => None,
        }
    }
}

/// A partitioner with `schema_name=` and the schema's name at its side; `null` where there is no name.
pub(crate) struct SchemaAffix {
    affix: Affix,
    partitioner: Arc<dyn Partitioner>,
    delimiter: String,
}

impl SchemaAffix {
    pub(crate) fn new(affix: Affix, partitioner: Arc<dyn Partitioner>, delimiter: String) -> Self {
        Self { affix, partitioner, delimiter }
    }
}

impl Partitioner for SchemaAffix {
    fn partitioned_by(&self) -> PartitionedBy {
        match self.partitioner.partitioned_by() {
            PartitionedBy::TopicPartition | PartitionedBy::Record => PartitionedBy::Record,
            PartitionedBy::Time | PartitionedBy::RecordAndTime => PartitionedBy::RecordAndTime,
        }
    }

    fn bucket(&self, time: i64) -> Range<i64> {
        self.partitioner.bucket(time)
    }

    fn encode_partition(&self, record: &SinkRecord, time: i64, encoded: &mut String) -> Result<()> {
        let name = record.value.schema.as_ref().and_then(|schema| schema.name.as_deref()).unwrap_or("null");
        if self.affix == Affix::Prefix {
            ["schema_name=", name, &self.delimiter].iter().for_each(|part| encoded.push_str(part));
        }
        self.partitioner.encode_partition(record, time, encoded)?;
        if self.affix == Affix::Suffix {
            [&self.delimiter, "schema_name=", name].iter().for_each(|part| encoded.push_str(part));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::{Data, Schema, SchemaType, Value},
        testing::record_of,
    };

    use super::*;

    /// Always the same directory.
    struct Fixed(PartitionedBy);

    impl Partitioner for Fixed {
        fn partitioned_by(&self) -> PartitionedBy {
            self.0
        }

        fn encode_partition(&self, _record: &SinkRecord, _time: i64, encoded: &mut String) -> Result<()> {
            encoded.push_str("partition=12");
            Ok(())
        }
    }

    fn encoded(affix: Affix, value: Data) -> String {
        let mut encoded = String::new();
        let partitioner = SchemaAffix::new(affix, Arc::new(Fixed(PartitionedBy::TopicPartition)), "/".to_owned());
        partitioner.encode_partition(&record_of(value), 0, &mut encoded).unwrap();
        encoded
    }

    #[test]
    fn the_schema_s_name_stands_before_or_after_the_directory() {
        let named = || {
            let schema = Schema::required(SchemaType::Int64).named("record1");
            Data::with_schema(Arc::new(schema), Value::Int64(1))
        };
        assert_eq!(encoded(Affix::Prefix, named()), "schema_name=record1/partition=12");
        assert_eq!(encoded(Affix::Suffix, named()), "partition=12/schema_name=record1");
        assert_eq!(encoded(Affix::Suffix, Data::schemaless(Value::Int64(1))), "partition=12/schema_name=null");
    }

    #[test]
    fn the_directory_depends_on_the_record_too() {
        use PartitionedBy::{Record, RecordAndTime, Time, TopicPartition};
        let of = |by| SchemaAffix::new(Affix::Prefix, Arc::new(Fixed(by)), "/".to_owned()).partitioned_by();
        assert_eq!([TopicPartition, Record].map(of), [Record; 2]);
        assert_eq!([Time, RecordAndTime].map(of), [RecordAndTime; 2]);
    }
}
