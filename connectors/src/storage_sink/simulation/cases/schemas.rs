//! Schemas that change on the way.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use connect_api::data::{Schema, SchemaType};

use super::driven::{Driven, names, nowhere, object, t, uncommitted_with, with};
use crate::storage_sink::simulation::{life::Reports, lock, records::BY_TIME, tell, world::World};

const LONG: Duration = Duration::from_secs(30);

fn named(name: &str, version: Option<i32>) -> Option<Arc<Schema>> {
    Some(Arc::new(Schema { version, ..Schema::required(SchemaType::String).named(name) }))
}

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
fn in_turns(offset: i64) -> Option<Arc<Schema>> {
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
