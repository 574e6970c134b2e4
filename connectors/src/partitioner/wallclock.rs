//! The time of the machine.

use connect_api::{
    Plugin, Result, SinkRecord, TimestampExtractor,
    config::{Config, ConfigDef},
};

/// When the record is written.
#[derive(Debug)]
pub(crate) struct WallclockTimestampExtractor;

impl Plugin for WallclockTimestampExtractor {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$WallclockTimestampExtractor";
    const ALIASES: &'static [&'static str] = &["Wallclock"];
    const DOCUMENTATION: &'static str = "The time of this machine when the record is written. What it decides is committed to the group's offset metadata before \
                                         an object shows it, so that a restart finds the same directories.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Wallclock", &[])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl TimestampExtractor for WallclockTimestampExtractor {
    fn is_wall_clock(&self) -> bool {
        true
    }

    fn timestamp(&self, _record: &SinkRecord, now: i64) -> Result<i64> {
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::Data,
        testing::{partitioner, record_of},
    };

    use super::*;

    #[test]
    fn it_keeps_the_contract_and_uses_the_instant_of_the_batch() {
        let record = record_of(Data::default());
        assert_eq!(WallclockTimestampExtractor.timestamp(&record, 7).unwrap(), 7);
        partitioner::extractor_keeps_the_contract(&WallclockTimestampExtractor, &[record]);
    }
}
