//! What the records alone decide is decided in the same way by whoever reads them again, from wherever the group may stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use connect_api::{OffsetAndMetadata, Offsets, config::Config};

use super::driven::{Driven, names, nowhere, t, with};
use crate::storage_sink::simulation::{
    life::NOW,
    lock,
    records::{BY_FIELD, BY_TIME, directory_by_field, directory_by_time},
    tell,
    world::World,
};

const END: i64 = 90;

/// The bucket after the log was read from an offset on, in a world without faults: names and contents, and where groups end.
async fn read_from(offset: i64, settings: &Config) -> (BTreeMap<String, Vec<u8>>, BTreeSet<i64>) {
    let world = World::new(1, END);
    let group = Offsets::from([(t(0), OffsetAndMetadata::new(offset, ""))]);
    let mut life = Driven::begin(&world, "sink", settings, group).await;
    life.turn(&world, Duration::from_secs(20)).await;
    let committed = life.committed(0).await;
    assert!(committed > END - 30, "{committed} {}", life.task.state());
    let bucket = lock(&world.bucket);
    let objects = bucket.objects.iter().map(|(name, object)| (name.clone(), object.body.clone())).collect();
    let ends = bucket.objects.values().map(|object| object.metadata["connect-cut-offset"].parse().unwrap()).collect();
    (objects, ends)
}

fn all_settings() -> Vec<(String, Config)> {
    let mut all = Vec::new();
    for (partitioning, of) in [("time", &BY_TIME[..]), ("record field", &BY_TIME[..]), ("field", &BY_FIELD[..])] {
        for (trigger, flush_size, more) in [
            ("size", 7, &[][..]),
            ("interval and change", 1_000, &[("rotate.interval.ms", "1500")][..]),
            ("interval", 1_000, &[("rotate.interval.ms", "1500"), ("rotate.file.on.partition.change", "false")][..]),
            ("interval and size", 6, &[("rotate.interval.ms", "1500"), ("rotate.file.on.partition.change", "false")][..]),
            ("open files", 1_000, &[("partitioner.max.open.files", "2")][..]),
            (
                "all",
                9,
                &[
                    ("partitioner.max.open.files", "2"),
                    ("rotate.interval.ms", "2500"),
                    ("rotate.file.on.partition.change", "false"),
                ][..],
            ),
        ] {
            // By field no interval acts.
            if partitioning == "field" && flush_size == 1_000 && trigger != "open files" {
                continue;
            }
            let mut settings = with(flush_size, &[of, more].concat());
            if partitioning == "record field" {
                settings.insert("timestamp.extractor", "RecordField", None);
            }
            all.push((format!("by {partitioning}, cut by {trigger}"), settings));
        }
    }
    all
}

#[test]
fn cuts_and_names_are_the_same_from_every_offset_that_may_be_committed() {
    for (context, settings) in all_settings() {
        tell(async || {
            let (whole, mut ends) = read_from(0, &settings).await;
            assert!(ends.len() > 3, "{context}: {ends:?}");
            // From the last end on there is no whole group.
            ends.pop_last();
            for end in ends {
                let (again, _) = read_from(end, &settings).await;
                let different: Vec<_> = again.iter().filter(|(name, body)| whole.get(*name) != Some(body)).collect();
                assert!(different.is_empty() && !again.is_empty(), "{context}, from {end}: {different:?} in {:?}", whole.keys());
            }
        });
    }
}

#[test]
fn every_record_lies_in_the_directory_of_its_time_or_its_field() {
    for (context, settings) in all_settings() {
        tell(async || {
            let directory = if context.starts_with("by field") { directory_by_field } else { directory_by_time };
            for (name, body) in read_from(0, &settings).await.0 {
                for line in std::str::from_utf8(&body).unwrap().lines() {
                    let offset = line.trim().split_once(':').unwrap().1.parse().unwrap();
                    assert!(name.starts_with(&format!("topics/t/{}/t+0+", directory(offset))), "{context}: {offset} is in {name}");
                }
            }
        });
    }
}

#[test]
fn the_size_counts_the_records_of_all_open_files_and_all_are_closed_together() {
    tell(async || {
        let world = World::new(1, 21);
        let mut life = Driven::begin(&world, "sink", &with(10, &BY_FIELD), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(20)).await;
        assert_eq!(life.committed(0).await, 20);
        assert_eq!(names(&world).len(), 6, "{:?}", names(&world));
        assert!(
            life.metric("connect_sink_rotations_total").contains("reason=\"size\"} 2"),
            "{}",
            life.metric("connect_sink_rotations")
        );
    });
}

#[test]
fn record_time_closes_nothing_without_another_record() {
    tell(async || {
        let world = World::new(1, 5);
        let settings =
            with(1_000, &[&BY_TIME[..], &[("rotate.interval.ms", "1500"), ("timestamp.extractor", "Wallclock")]].concat());
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(60)).await;
        assert_eq!((life.committed(0).await, names(&world).len()), (0, 0));
    });
}

/// By the wall clock, in directories of this pattern and duration.
fn by_clock(flush_size: u64, pattern: &'static str, duration: &'static str, more: &[(&str, &str)]) -> Config {
    let clock = [("timestamp.extractor", "Wallclock"), ("path.format", pattern), ("partition.duration.ms", duration)];
    with(flush_size, &[&BY_TIME[..], &clock, more].concat())
}

fn wait(time: Duration) {
    NOW.set(NOW.get() + i64::try_from(time.as_millis()).unwrap());
}

/// First offset and number of records of each object, by its directory.
fn files(world: &World) -> Vec<(String, i64, usize)> {
    let object = |(name, body): (&String, &Vec<u8>)| {
        let (directory, rest) = name.strip_prefix("topics/t/").unwrap().rsplit_once("/t+0+").unwrap();
        let lines = body.split(|byte| *byte == b'\n').count() - 1;
        (directory.to_owned(), rest.split('.').next().unwrap().parse().unwrap(), lines)
    };
    lock(&world.bucket).objects.iter().map(|(name, object)| (name, &object.body)).map(object).collect()
}

fn of(expected: &[(&str, i64, usize)]) -> Vec<(String, i64, usize)> {
    expected.iter().map(|(directory, first, records)| ((*directory).to_owned(), *first, *records)).collect()
}

#[test]
fn directories_of_the_wall_clock_are_those_of_the_instant_that_records_are_written_at() {
    tell(async || {
        let world = World::new(1, 18);
        let mut life = Driven::begin(&world, "sink", &by_clock(3, "HH-mm-ss", "1000", &[]), nowhere(&[t(0)])).await;
        life.end = 9;
        life.turn(&world, Duration::from_secs(1)).await;
        wait(Duration::from_secs(5));
        life.end = 18;
        life.turn(&world, Duration::from_secs(10)).await;
        let (first, later) = ("22-13-20", "22-13-26");
        let expected = [(first, 0, 3), (first, 3, 3), (first, 6, 3), (later, 9, 3), (later, 12, 3), (later, 15, 3)];
        assert_eq!(files(&world), of(&expected));
    });
}

#[test]
fn records_of_one_instant_of_the_wall_clock_fill_one_file_after_the_other() {
    tell(async || {
        let world = World::new(1, 9);
        let mut life = Driven::begin(&world, "sink", &by_clock(6, "HH-mm-ss", "1000", &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(20)).await;
        assert_eq!(files(&world), of(&[("22-13-20", 0, 6)]));
    });
}

#[test]
fn the_interval_of_the_wall_clock_cuts_before_the_record_that_comes_after_it() {
    tell(async || {
        let world = World::new(1, 19);
        let settings = by_clock(1_000, "'day'", "86400000", &[("rotate.interval.ms", "3600000")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        for (end, files_then, committed) in [(9, 0, 0), (18, 1, 9), (19, 2, 18)] {
            life.end = end;
            life.turn(&world, Duration::from_secs(20)).await;
            assert_eq!((files(&world).len(), life.committed(0).await), (files_then, committed));
            wait(Duration::from_secs(2 * 3_600));
            life.turn(&world, Duration::from_secs(20)).await;
            assert_eq!(files(&world).len(), files_then, "time alone cuts nothing");
        }
        assert_eq!(files(&world), of(&[("day", 0, 9), ("day", 9, 9)]));
    });
}

#[test]
fn rotation_by_time_goes_on_under_a_schemas_name_and_with_null_values() {
    for more in [&[][..], &[("behavior.on.null.values", "write"), ("store.kafka.keys", "true")][..]] {
        tell(async || {
            let world = World::new(1, 60);
            let hourly = [
                ("partitioner.class", "HourlyPartitioner"),
                ("s3.schema.partition.affix.type", "PREFIX"),
                ("rotate.interval.ms", "1500"),
            ];
            let settings = with(1_000, &[&BY_TIME[..], &hourly, more].concat());
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            life.turn(&world, Duration::from_secs(20)).await;
            assert!(names(&world).len() > 3);
            assert!(
                names(&world).iter().all(|name| name.starts_with("topics/t/schema_name=null/year=1970/")),
                "{:?}",
                names(&world)
            );
            assert!(life.metric("connect_sink_rotations_total").contains("reason=\"interval\""));
        });
    }
}

#[test]
fn several_directories_under_a_schemas_name_are_cut_together() {
    tell(async || {
        let world = World::new(1, 7);
        let settings = [
            ("s3.schema.partition.affix.type", "PREFIX"),
            ("rotate.interval.ms", "86400000"),
            ("rotate.file.on.partition.change", "false"),
            ("path.format", "SSS"),
            ("partition.duration.ms", "10"),
        ];
        let mut life = Driven::begin(&world, "sink", &with(4, &[&BY_TIME[..], &settings].concat()), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(20)).await;
        let mut found: Vec<_> = files(&world).into_iter().map(|(_, first, records)| (first, records)).collect();
        found.sort_unstable();
        assert_eq!(found, [(0, 1), (1, 1), (2, 1), (3, 1)]);
        assert!(names(&world).iter().all(|name| name.contains("/schema_name=null/")), "{:?}", names(&world));
    });
}
