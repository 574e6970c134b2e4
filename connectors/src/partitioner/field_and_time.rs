//! By fields of the value, then by time.

use std::ops::Range;

use connect_api::{
    PartitionedBy, Partitioner, Plugin, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
};

use super::{
    by_time::{ByTime, LOCALE},
    field::{FIELDS, Fields},
    time_based::{DURATION, PATH_FORMAT},
};

static ARE_NAMED: ConfigKey<bool> = ConfigKey::with_default(
    "partition.field.format.path",
    "true",
    "Whether names of fields stand in directories: `country=DE/city=Kiel`, or `DE/Kiel`.",
);
static DIRECTORY_DELIMITER: ConfigKey<String> = ConfigKey::with_default("directory.delim", "/", "");

/// What a third-party jar for the JVM's connector does.
#[derive(Debug)]
pub(crate) struct FieldAndTimeBasedPartitioner {
    fields: Fields,
    time: ByTime,
    delimiter: String,
}

impl Plugin for FieldAndTimeBasedPartitioner {
    const NAME: &'static str = "com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner";
    const DOCUMENTATION: &'static str = "Fields of the value, then a pattern of time: `country=DE/year=2015/month=04/day=02`. The JVM's connector knows it with a \
         third-party jar, `kafka-connect-field-and-time-partitioner`. Fields are as with FieldPartitioner, time is as with TimeBasedPartitioner.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("FieldAndTimeBasedPartitioner", &[&FIELDS, &ARE_NAMED, &DURATION, &PATH_FORMAT, &LOCALE])
    }

    fn configure(config: &Config) -> Result<Self> {
        // The jar has a slash between fields, whatever `directory.delim` says.
        let fields = Fields::new(config, "/".to_owned(), config.get(&ARE_NAMED)?)?;
        let time = ByTime::new(config, config.get(&DURATION)?, &config.get(&PATH_FORMAT)?)?;
        Ok(Self { fields, time, delimiter: config.get(&DIRECTORY_DELIMITER)? })
    }
}

impl Partitioner for FieldAndTimeBasedPartitioner {
    fn partitioned_by(&self) -> PartitionedBy {
        PartitionedBy::RecordAndTime
    }

    fn bucket(&self, time: i64) -> Range<i64> {
        self.time.bucket(time)
    }

    fn encode_partition(&self, record: &SinkRecord, time: i64, encoded: &mut String) -> Result<()> {
        self.fields.encode(record, encoded)?;
        encoded.push_str(&self.delimiter);
        self.time.encode(time, encoded);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::Data,
        testing::{partitioner, record_of},
    };

    use super::*;
    use crate::partitioner::testing::json;

    fn configured(settings: &[(&str, &str)]) -> FieldAndTimeBasedPartitioner {
        let common = [
            ("partition.field.name", "app.id,country"),
            ("partition.duration.ms", "86400000"),
            ("path.format", "'year'=YYYY/'month'=MM/'day'=dd"),
            ("locale", "US"),
            ("timezone", "UTC"),
        ];
        FieldAndTimeBasedPartitioner::configure(&common.iter().chain(settings).copied().collect()).unwrap()
    }

    fn encoded(settings: &[(&str, &str)], value: &str) -> Result<String> {
        let mut encoded = String::new();
        configured(settings).encode_partition(&json(value), 1_606_694_400_000, &mut encoded).map(|()| encoded)
    }

    #[test]
    fn it_keeps_the_contract() {
        let records = [json(r#"{"app":{"id":7},"country":"DE"}"#), json("7"), record_of(Data::default())];
        partitioner::keeps_the_contract(&configured(&[]), &records);
    }

    #[test]
    fn fields_come_before_time_with_their_names_or_without() {
        let value = r#"{"app":{"id":7},"country":"DE"}"#;
        assert_eq!(encoded(&[], value).unwrap(), "app.id=7/country=DE/year=2020/month=11/day=30");
        assert_eq!(encoded(&[("partition.field.format.path", "false")], value).unwrap(), "7/DE/year=2020/month=11/day=30");
        let delimiter = [("directory.delim", "|"), ("path.format", "YYYY")];
        assert_eq!(encoded(&delimiter, value).unwrap(), "app.id=7/country=DE|2020");
        assert_eq!(encoded(&[("path.format", "YYYY")], "{}").unwrap(), "app.id=null/country=null/2020");
        assert!(encoded(&[], "[]").is_err());
    }
}
