//! An open file for each schema: several files of one group in one directory.

use std::{sync::Arc, time::Duration};

use connect_api::{CommitReason, OffsetAndMetadata, Offsets, SinkTask, config::Config, data::Schema};

use super::{
    driven::{Driven, names, nowhere, object, t, uncommitted_with, with},
    lost::refuses,
    schemas::in_turns,
};
use crate::storage_sink::simulation::{lock, records::named, tell, world::World};

const LONG: Duration = Duration::from_secs(30);

const EACH: (&str, &str) = ("rotate.file.on.schema.change", "false");
const KEYS: (&str, &str) = ("store.kafka.keys", "true");

fn keys_object(first: i64) -> String {
    object(0, first).replace(".txt", ".keys.txt")
}

/// A life that begins where the group stands comes to the end of the log.
async fn reaches(world: &World, settings: &Config, group: Offsets, context: &str) -> Driven {
    let mut life = Driven::begin(world, "sink", settings, group).await;
    life.schema_of = in_turns;
    life.turn(world, LONG).await;
    assert_eq!(life.committed(0).await, world.log.end, "{context}: {}", life.task.state());
    world.check(false, context);
    life
}

/// As if it had never been written.
fn take_away(world: &World, name: &str) {
    assert!(lock(&world.bucket).objects.remove(name).is_some(), "{name}");
}

#[test]
fn schemas_in_turns_fill_a_file_each_and_without_the_key_each_record_does() {
    tell(async || {
        let cut = async |others: &[(&str, &str)]| {
            let world = World::new(1, 25);
            let mut life = Driven::begin(&world, "sink", &with(10, others), nowhere(&[t(0)])).await;
            life.schema_of = in_turns;
            life.turn(&world, LONG).await;
            (life.committed(0).await, names(&world))
        };
        assert_eq!(cut(&[EACH]).await, (20, [0, 1, 10, 11].map(|first| object(0, first)).to_vec()));
        assert_eq!(cut(&[]).await, (24, (0..24).map(|first| object(0, first)).collect()));
        // The limit of open files counts each schema.
        let limited = cut(&[EACH, ("partitioner.max.open.files", "1")]).await;
        assert_eq!(limited, (24, (0..24).map(|first| object(0, first)).collect()));
        let per_file = cut(&[EACH, ("rotate.per.file", "true")]).await;
        assert_eq!(per_file, (19, [0, 1].map(|first| object(0, first)).to_vec()));
    });
}

#[test]
fn a_file_that_is_missing_is_written_again_and_its_sister_in_the_same_directory_is_not_whatever_is_gone_of_the_log() {
    for missing in [vec![0], vec![1], vec![0, 1]] {
        for gone in [vec![], vec![0], vec![1], vec![0, 1], vec![2, 3], vec![0, 2, 4], vec![1, 3, 5], vec![5]] {
            tell(async || {
                let context = format!("{missing:?} are missing, {gone:?} are gone");
                let settings = with(6, &[EACH, KEYS]);
                let mut world = World::new(1, 6);
                let group = uncommitted_with(&world, &settings, in_turns).await;
                assert_eq!(names(&world).len(), 4);
                for first in &missing {
                    // A crash between values and keys, and one before both.
                    take_away(&world, &object(0, *first));
                    if *first == 1 {
                        take_away(&world, &keys_object(*first));
                    }
                }
                world.log.gone = gone.iter().copied().collect();
                world.log.end = 18;
                reaches(&world, &settings, group, &context).await;
                world.check(true, &context);
                assert!(lock(&world.bucket).replaced.is_empty(), "{context}");
            });
        }
    }
}

#[test]
fn a_record_without_a_schema_has_a_file_of_its_own() {
    fn or_none(offset: i64) -> Option<Arc<Schema>> {
        if offset % 2 == 0 { named("a", None) } else { None }
    }
    tell(async || {
        let settings = with(4, &[EACH]);
        let mut world = World::new(1, 4);
        let group = uncommitted_with(&world, &settings, or_none).await;
        assert_eq!(names(&world), [object(0, 0), object(0, 1)]);
        take_away(&world, &object(0, 1));
        world.log.gone.insert(1);
        let mut next = Driven::begin(&world, "sink", &settings, group).await;
        next.schema_of = or_none;
        next.turn(&world, LONG).await;
        assert_eq!(next.committed(0).await, 4, "{}", next.task.state());
        assert_eq!(names(&world), [object(0, 0), object(0, 3)]);
        world.check(false, "a record without a schema");
    });
}

/// Half of a group is there.
async fn half_written(settings: &Config, missing: &str) -> (World, Offsets) {
    let mut world = World::new(1, 4);
    let group = uncommitted_with(&world, settings, in_turns).await;
    take_away(&world, missing);
    world.log.end = 8;
    (world, group)
}

#[test]
fn a_key_that_changes_in_the_middle_of_a_group_is_refused_and_the_former_one_goes_on() {
    for (before, after, missing, offsets) in [
        (with(4, &[EACH]), with(4, &[]), object(0, 1), "Offsets 0 to 4"),
        (with(4, &[EACH, KEYS]), with(4, &[KEYS]), keys_object(0), "Offsets 0 to 4"),
        (with(4, &[KEYS]), with(4, &[EACH, KEYS]), keys_object(0), "Offsets 0 to 1"),
    ] {
        tell(async || {
            let (mut world, group) = half_written(&before, &missing).await;
            let mut next = Driven::begin(&world, "sink", &after, group.clone()).await;
            next.schema_of = in_turns;
            refuses(&mut next, &world, offsets).await;
            next.die(&world).await;
            let mut next = Driven::begin(&world, "sink", &before, group).await;
            next.schema_of = in_turns;
            next.turn(&world, LONG).await;
            // Where schemas cut, the last record waits.
            world.log.end = next.committed(0).await;
            assert!(world.log.end >= 7, "{}", next.task.state());
            world.check(false, "the former settings");
        });
    }
}

#[test]
fn a_key_that_changes_between_two_groups_moves_no_record() {
    for (before, after) in [(with(4, &[EACH]), with(4, &[])), (with(1, &[]), with(4, &[EACH]))] {
        tell(async || {
            let mut world = World::new(1, 4);
            let group = uncommitted_with(&world, &before, in_turns).await;
            world.log.end = 9;
            let mut next = Driven::begin(&world, "sink", &after, group).await;
            next.schema_of = in_turns;
            next.turn(&world, LONG).await;
            assert_eq!(next.committed(0).await, 8, "{}", next.task.state());
            world.log.end = 8;
            world.check(false, "another key");
        });
    }
}

#[test]
fn offsets_that_are_reset_into_the_middle_of_files_of_several_schemas_double_nothing() {
    for offset in [1, 2, 13, 19, 20, 29] {
        for crash in [false, true] {
            tell(async || {
                let context = format!("reset to {offset}, crash={crash}");
                let world = World::new(1, 30);
                let settings = with(10, &[EACH, KEYS]);
                let mut life = reaches(&world, &settings, nowhere(&[t(0)]), "the first life").await;
                life.task.close(&[t(0)]).await.unwrap();
                let mut group = Offsets::from([(t(0), OffsetAndMetadata::new(offset, ""))]);
                if crash {
                    // What the first owner after the reset found out is gone with it.
                    let mut next = Driven::begin(&world, "sink", &settings, group).await;
                    next.schema_of = in_turns;
                    while next.group[&t(0)].metadata.is_empty() && next.group[&t(0)].offset < 30 {
                        next.turn_once(&world).await.unwrap();
                        next.commit(CommitReason::Due).await;
                    }
                    group = next.die(&world).await;
                }
                reaches(&world, &settings, group, &context).await;
                world.check(true, &context);
                assert!(lock(&world.bucket).replaced.is_empty(), "{context}");
            });
        }
    }
}

#[test]
fn of_large_files_one_alone_is_no_whole_group() {
    tell(async || {
        let mut world = World::new(1, 8);
        world.record_bytes = 2 << 20;
        let settings = with(8, &[EACH]);
        let group = uncommitted_with(&world, &settings, in_turns).await;
        assert_eq!(names(&world), [object(0, 0), object(0, 1)]);
        take_away(&world, &object(0, 1));
        reaches(&world, &settings, group, "one of two large files").await;
        assert_eq!(names(&world), [object(0, 0), object(0, 1)]);
    });
}
