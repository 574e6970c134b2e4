//! Schemas that change on the way.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use connect_api::data::Schema;

use super::driven::{Driven, names, nowhere, object, t, uncommitted_with, with};
use crate::storage_sink::simulation::{
    life::Reports,
    lock,
    records::{BY_TIME, SchemaOf, named},
    tell,
    world::World,
};

const LONG: Duration = Duration::from_secs(30);

/// Runs of four of one schema, and of none.
fn in_runs(offset: i64) -> Option<Arc<Schema>> {
    match offset / 4 % 3 {
        0 => named("a", None),
        1 => named("b", None),
        _ => None,
    }
}

#[test]
fn files_end_where_schemas_change_and_a_crash_moves_no_record() {
    tell(async || {
        let settings = with(100, &[]);
        let mut world = World::new(1, 15);
        let group = uncommitted_with(&world, &settings, in_runs).await;
        assert_eq!(names(&world), [object(0, 0), object(0, 4), object(0, 8)]);
        world.log.end = 19;
        let mut life = Driven::begin(&world, "sink", &settings, group).await;
        life.schema_of = in_runs;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 16, "{}", life.task.state());
        assert_eq!(names(&world), [object(0, 0), object(0, 4), object(0, 8), object(0, 12)]);
        assert!(lock(&world.bucket).replaced.is_empty());
    });
}

#[test]
fn a_crash_moves_no_record_whatever_is_gone_of_where_schemas_changed() {
    for gone in [vec![], vec![3], vec![4], vec![3, 4], vec![0, 4, 8], vec![4, 5, 6, 7]] {
        tell(async || {
            let settings = with(3, &[]);
            let mut world = World::new(1, 15);
            let group = uncommitted_with(&world, &settings, in_runs).await;
            // The last file is full.
            world.log.end = 39;
            world.log.gone = gone.iter().copied().collect();
            let mut life = Driven::begin(&world, "sink", &settings, group).await;
            life.schema_of = in_runs;
            life.turn(&world, LONG).await;
            assert_eq!(life.committed(0).await, 39, "{gone:?}: {}", life.task.state());
            world.check(false, &format!("{gone:?} are gone"));
        });
    }
}

/// Two schemas without versions, which cannot be compared.
pub(super) fn in_turns(offset: i64) -> Option<Arc<Schema>> {
    named(if offset % 2 == 0 { "a" } else { "b" }, None)
}

#[test]
fn time_cuts_before_schemas_are_compared() {
    tell(async || {
        // An interval below the time between two records: each has a file of its own.
        let settings = with(100, &[&BY_TIME[..], &[("schema.compatibility", "BACKWARD"), ("rotate.interval.ms", "1")]].concat());
        let world = World::new(1, 3);
        let mut life = Driven::begin_with(&world, "sink", &settings, nowhere(&[t(0)]), Some(Reports::default())).await;
        life.schema_of = in_turns;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 2, "{}", life.task.state());
        assert_eq!(names(&world).len(), 2, "{:?}", names(&world));
    });
}

#[test]
fn a_record_whose_schema_cannot_be_compared_is_reported_again_though_the_object_of_its_neighbours_is_there() {
    tell(async || {
        let settings = with(2, &[("schema.compatibility", "BACKWARD")]);
        let (world, reports) = (World::new(1, 4), Reports::default());
        let mut life = Driven::begin_with(&world, "sink", &settings, nowhere(&[t(0)]), Some(reports.clone())).await;
        (life.schema_of, life.held) = (in_turns, BTreeSet::from([t(0)]));
        life.turn(&world, LONG).await;
        // The first and the third make a file; the fourth is the first of the next one.
        assert_eq!((names(&world), lock(&reports.0).clone()), (vec![object(0, 0)], vec![1]), "{}", life.task.state());
        let group = life.die(&world).await;

        let again = Reports::default();
        let mut next = Driven::begin_with(&world, "sink", &settings, group, Some(again.clone())).await;
        next.schema_of = in_turns;
        next.turn(&world, LONG).await;
        assert_eq!(*lock(&again.0), [1], "{}", next.task.state());
        assert_eq!(names(&world), [object(0, 0)]);
    });
}

/// Two schemas in turns, with their names in the directory, until `end`: the objects without what all names begin with.
async fn in_directories(others: &[(&str, &str)], flush_size: u64, end: i64, schema_of: SchemaOf) -> Vec<String> {
    let settings = with(flush_size, &[others, &[("s3.schema.partition.affix.type", "PREFIX")]].concat());
    let world = World::new(1, end);
    let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
    life.schema_of = schema_of;
    life.turn(&world, LONG).await;
    names(&world).into_iter().map(|name| name.trim_start_matches("topics/t/").to_owned()).collect()
}

#[test]
fn schemas_in_turns_fill_a_file_each_where_their_names_are_directories() {
    tell(async || {
        let made = in_directories(&[("partitioner.class", "DefaultPartitioner")], 10, 12, in_turns).await;
        assert_eq!(made, ["schema_name=a/partition=0/t+0+0000000000.txt", "schema_name=b/partition=0/t+0+0000000001.txt"]);
    });
}

/// A directory for each hour, which holds all records of a story.
const IN_ONE_HOUR: [(&str, &str); 3] =
    [("partitioner.class", "HourlyPartitioner"), ("locale", "en"), ("timestamp.extractor", "Record")];

#[test]
fn a_schema_that_changes_is_a_change_of_the_directory() {
    tell(async || {
        // Three of one and three of another: the first file ends where the second begins, as long as its interval may be.
        let in_threes = |offset: i64| named(if offset < 3 { "a" } else { "b" }, None);
        let long = [&IN_ONE_HOUR[..], &[("rotate.interval.ms", "360000000")]].concat();
        let made = in_directories(&long, 100, 6, in_threes).await;
        assert_eq!(made.len(), 1, "{made:?}");
        assert!(made[0].starts_with("schema_name=a/") && made[0].ends_with("t+0+0000000000.txt"), "{made:?}");

        let made = in_directories(&[&IN_ONE_HOUR[..], &[("rotate.interval.ms", "3600000")]].concat(), 100, 5, in_turns).await;
        let offsets: Vec<_> = made.iter().map(|name| &name[name.len() - 5..]).collect();
        assert_eq!(offsets.len(), 4, "{made:?}");
        assert!((0..4).all(|offset| offsets.contains(&&*format!("{offset}.txt"))), "{made:?}");
    });
}

#[test]
fn schemas_in_turns_stay_open_beside_each_other_where_a_change_of_directory_closes_no_file() {
    tell(async || {
        let quiet = [("rotate.interval.ms", "86400000"), ("rotate.file.on.partition.change", "false")];
        let settings = [&IN_ONE_HOUR[..], &quiet].concat();
        assert!(in_directories(&settings, 6, 4, in_turns).await.is_empty());
        let made = in_directories(&settings, 6, 6, in_turns).await;
        assert_eq!(made.len(), 2, "{made:?}");
        assert!(made.iter().any(|name| name.starts_with("schema_name=a/") && name.ends_with("0.txt")), "{made:?}");
        assert!(made.iter().any(|name| name.starts_with("schema_name=b/") && name.ends_with("1.txt")), "{made:?}");
    });
}
