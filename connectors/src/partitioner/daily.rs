//! By days.

use connect_api::{
    Plugin, Result,
    config::{Config, ConfigDef},
};

use super::by_time::{ByTime, DATE, LOCALE, by_time};

const DURATION: i64 = 86_400_000;

/// A directory for each day.
#[derive(Debug)]
pub(crate) struct DailyPartitioner(ByTime);

impl Plugin for DailyPartitioner {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.DailyPartitioner";
    const DOCUMENTATION: &'static str = "A directory for each day, `year=2015/month=04/day=02`. `timestamp.extractor` says which time a record has; `timezone` is \
                                         required.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("DailyPartitioner", &[&LOCALE])
    }

    fn configure(config: &Config) -> Result<Self> {
        let pattern = ByTime::pattern_of(config, &DATE)?;
        ByTime::new(config, DURATION, &pattern).map(Self)
    }
}

by_time!(DailyPartitioner);

#[cfg(test)]
mod tests {
    use connect_api::{
        Partitioner,
        data::Data,
        testing::{partitioner, record_of},
    };

    use super::*;

    fn configured(settings: &[(&str, &str)]) -> DailyPartitioner {
        let common = [("locale", "es_CL"), ("timezone", "America/Santiago")];
        DailyPartitioner::configure(&common.iter().chain(settings).copied().collect()).unwrap()
    }

    #[test]
    fn it_keeps_the_contract() {
        partitioner::keeps_the_contract(&configured(&[]), &[record_of(Data::default())]);
    }

    #[test]
    fn directories_have_the_configured_delimiter_and_nothing_else_of_the_settings() {
        let others = [("path.format", "ignored"), ("partition.duration.ms", "7")];
        for (delimiter, expected) in [("/", "year=2024/month=05/day=08"), ("_", "year=2024_month=05_day=08")] {
            let partitioner = configured(&[("directory.delim", delimiter), others[0], others[1]]);
            let mut encoded = String::new();
            partitioner.encode_partition(&record_of(Data::default()), 1_715_224_653_000, &mut encoded).unwrap();
            assert_eq!(encoded, expected);
        }
    }
}
