//! By a pattern.

use connect_api::{
    Plugin, Result,
    config::{Config, ConfigDef, ConfigKey, Importance},
};

use super::by_time::{ByTime, LOCALE, by_time};
use crate::joda::{Pattern, Texts, Zone};

pub(super) static DURATION: ConfigKey<i64> = ConfigKey::required(
    "partition.duration.ms",
    "How long one directory lasts: times are cut to a multiple of it in local time, counted from 1970. One hour is 3600000.",
)
.unit("ms")
.check(|duration| if *duration > 0 { Ok(()) } else { Err("Partition duration needs to be a positive.".to_owned()) });
pub(super) static PATH_FORMAT: ConfigKey<String> = ConfigKey::required(
    "path.format",
    "The directory as a Joda-Time pattern: `'year'=YYYY/'month'=MM/'day'=dd`. `YYYY` is the calendar's year. Letters are fields of the date unless they stand in \
     single quotes. Names of time zones (`z`) are known in English only.",
)
.importance(Importance::High)
.check(|pattern| check(pattern));

fn check(pattern: &str) -> Result<(), String> {
    if pattern.trim().is_empty() {
        return Err("Path format cannot be empty: write 'year'=YYYY/'month'=MM/'day'=dd, for example".to_owned());
    }
    let compiled = Pattern::new(pattern, Zone::utc(), Texts::of("en"));
    compiled
        .map(drop)
        .map_err(|reason| format!("{reason}. Letters are fields of the date: put text in single quotes, as in 'year'=YYYY"))
}

/// A directory for each span of local time, named by a pattern.
#[derive(Debug)]
pub(crate) struct TimeBasedPartitioner(ByTime);

impl Plugin for TimeBasedPartitioner {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner";
    const DOCUMENTATION: &'static str = "A directory for each span of time, named by a pattern. `timestamp.extractor` says which time a record has; `timezone` is \
                                         required.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TimeBasedPartitioner", &[&DURATION, &PATH_FORMAT, &LOCALE])
    }

    fn configure(config: &Config) -> Result<Self> {
        ByTime::new(config, config.get(&DURATION)?, &config.get(&PATH_FORMAT)?).map(Self)
    }
}

by_time!(TimeBasedPartitioner);

#[cfg(test)]
mod tests {
    use connect_api::{
        Partitioner,
        data::Data,
        testing::{partitioner, record_of},
    };

    use super::*;

    fn configured(settings: &[(&str, &str)]) -> Result<TimeBasedPartitioner> {
        let common = [
            ("partition.duration.ms", "3600000"),
            ("path.format", "'day'=YYYY-MM-dd/'hour'=HH"),
            ("locale", "en"),
            ("timezone", "UTC"),
        ];
        TimeBasedPartitioner::configure(&common.iter().chain(settings).copied().collect())
    }

    fn encoded(settings: &[(&str, &str)], time: &str) -> String {
        let mut encoded = String::new();
        let time = time.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        configured(settings).unwrap().encode_partition(&record_of(Data::default()), time, &mut encoded).unwrap();
        encoded
    }

    #[test]
    fn it_keeps_the_contract() {
        for zone in ["UTC", "America/Los_Angeles", "Australia/Lord_Howe", "-03:30"] {
            for duration in ["3600000", "7200000", "86400000", "60000"] {
                let partitioner = configured(&[
                    ("timezone", zone),
                    ("partition.duration.ms", duration),
                    ("path.format", "YYYY MM dd HH mm ss Z"),
                ]);
                partitioner::keeps_the_contract(&partitioner.unwrap(), &[record_of(Data::default())]);
            }
        }
    }

    #[test]
    fn directories_are_those_of_the_reference_table() {
        const HOUR: &str = "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH";
        for (duration, instant, zone, pattern, expected) in [
            ("3600000", "2015-04-02T08:30:00Z", "America/Los_Angeles", HOUR, "year=2015/month=04/day=02/hour=01"),
            ("3600000", "2024-05-09T03:17:33Z", "America/Santiago", HOUR, "year=2024/month=05/day=08/hour=23"),
            ("3600000", "2015-11-01T08:30:00Z", "America/Los_Angeles", HOUR, "year=2015/month=11/day=01/hour=01"),
            ("3600000", "2015-11-01T09:30:00Z", "America/Los_Angeles", HOUR, "year=2015/month=11/day=01/hour=01"),
            ("3600000", "2015-03-08T10:00:00Z", "America/Los_Angeles", HOUR, "year=2015/month=03/day=08/hour=03"),
            ("7200000", "2015-03-08T10:30:00Z", "America/Los_Angeles", "HH", "03"),
            ("7200000", "2015-03-29T01:30:00Z", "Europe/Berlin", "HH", "03"),
            ("7200000", "2015-10-25T00:30:00Z", "Europe/Berlin", "HH", "02"),
            ("7200000", "2015-10-25T01:30:00Z", "Europe/Berlin", "HH", "02"),
            ("86400000", "2018-11-04T12:00:00Z", "America/Sao_Paulo", "MM/dd HH", "11/04 01"),
            ("86400000", "2018-02-18T01:30:00Z", "America/Sao_Paulo", "MM/dd", "02/17"),
            ("1800000", "2020-06-15T10:40:00Z", "Asia/Kolkata", "HH mm", "16 00"),
            ("3600000", "2020-06-15T10:40:00Z", "+05:30", "HH", "16"),
            ("604800000", "2020-06-15T00:00:00Z", "UTC", "YYYY-MM-dd", "2020-06-11"),
            ("3600000", "1969-12-31T23:30:00Z", "UTC", HOUR, "year=1970/month=01/day=01/hour=00"),
        ] {
            let settings = [("partition.duration.ms", duration), ("timezone", zone), ("path.format", pattern)];
            assert_eq!(encoded(&settings, instant), expected, "{instant} {zone}");
        }
    }

    #[test]
    fn one_delimiter_at_the_end_of_the_pattern_is_dropped() {
        assert_eq!(encoded(&[("path.format", "yyyy/HH//")], "2020-06-15T10:40:00Z"), "2020/10/");
        assert_eq!(encoded(&[("path.format", "yyyy|HH|"), ("directory.delim", "|")], "2020-06-15T10:40:00Z"), "2020|10");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        for (key, value) in [
            ("partition.duration.ms", "-1"),
            ("partition.duration.ms", "0"),
            ("path.format", ""),
            ("path.format", "/"),
            ("path.format", "year='YYYY'/month='MM'"),
            ("locale", " "),
            ("timezone", ""),
            ("timezone", "LLL"),
        ] {
            let error = configured(&[(key, value)]).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
