//! Memory, and what is left behind in the store.

use std::time::Duration;

use connect_api::{CommitReason, Condition, OffsetAndMetadata, Offsets, SinkTask, Storage};

use super::driven::{Driven, hang, let_go, names, nowhere, object, t, uncommitted, with};
use crate::storage_sink::simulation::{bucket::View, life::NOW, lock, tell, world::World};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn an_object_of_others_with_another_size_is_never_read() {
    tell(async || {
        let mut world = World::new(1, 10);
        let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
        world.put_foreign(0, 1_000);
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 10);
        assert_eq!(lock(&world.weather.looks).1, 0, "it was read");
        assert_eq!(lock(&world.bucket).replaced.len(), 1);
    });
}

/// A compressor for each of them would weigh four times as much.
#[test]
fn open_files_go_to_disk_when_memory_is_full_and_come_back_when_they_are_sent() {
    for compression in ["none", "gzip"] {
        tell(async || {
            let mut world = World::new(1, 400);
            (world.record_bytes, world.memory) = (70 << 10, 8 << 20);
            let settings = with(400, &[("digits", "100"), ("s3.compression.type", compression)]);
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            life.end = 399;
            life.turn(&world, Duration::from_secs(10)).await;
            assert_eq!(life.next[&t(0)], 399);
            let spilled: usize = life.metric("connect_sink_spilled_bytes").rsplit(' ').next().unwrap().parse().unwrap();
            assert!(spilled >= if compression == "gzip" { 2 << 20 } else { 20 << 20 }, "{spilled}");
            assert!(life.budget.used() <= 8 << 20, "{compression}: {}", life.budget.used());
            life.end = 400;
            life.turn(&world, LONG).await;
            assert_eq!(life.committed(0).await, 400);
            assert_eq!(life.metric("connect_sink_spilled_bytes").rsplit(' ').next(), Some("0"));
            if compression == "none" {
                world.check(false, "spilled");
            }
            assert_eq!(names(&world).len(), 100);
        });
    }
}

#[test]
fn a_disk_that_takes_nothing_stops_reading_until_it_does_and_says_so() {
    tell(async || {
        let mut world = World::new(1, 400);
        (world.record_bytes, world.memory) = (70 << 10, 8 << 20);
        let settings = with(400, &[("digits", "100"), ("spill.limit.bytes", "4096"), ("rotate.schedule.interval.ms", "60000")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.end = 200;
        life.turn(&world, Duration::from_secs(10)).await;
        assert!(life.budget.is_exhausted());
        let told = lock(&life.host.requests).told.join("\n");
        assert!(told.contains("spill.limit.bytes is reached") && told.contains("rotate.idle.ms"), "{told}");
        assert!(lock(&life.host.requests).problems.contains("spill"));
        // The schedule closes the files, which makes room.
        life.turn(&world, Duration::from_secs(120)).await;
        assert!(!life.budget.is_exhausted());
        assert!(!lock(&life.host.requests).problems.contains("spill"));
        life.end = 400;
        life.turn(&world, Duration::from_secs(180)).await;
        assert_eq!(life.committed(0).await, 400);
        world.check(false, "after the disk was full");
    });
}

/// The last object before the offset of each directory is looked at, in case that it reaches beyond.
#[test]
fn names_that_a_survey_keeps_count_in_the_budget() {
    tell(async || {
        let world = World::new(1, 0);
        for directory in 0..1_000 {
            let name = format!("topics/t/digit={directory}/t+0+0000000005.txt");
            lock(&world.bucket).create(&name, b"x:5\n".to_vec(), &[].into(), &Condition::NameFree);
        }
        hang(&world, "topics/t/digit=");
        let reset = Offsets::from([(t(0), OffsetAndMetadata::new(50, ""))]);
        let mut life = Driven::begin(&world, "sink", &with(10, &[("digits", "2")]), reset).await;
        life.turn(&world, Duration::from_secs(60)).await;
        assert!(life.budget.used() >= 1_000 * 60, "{}", life.budget.used());
        let_go(&world);
        life.turn(&world, LONG * 10).await;
        assert_eq!((lock(&life.host.requests).paused.len(), life.budget.used()), (0, 0));
    });
}

#[test]
fn an_opening_aborts_no_upload_of_somebody_else() {
    tell(async || {
        let world = World::new(1, 6);
        let begun = async |name: &str| {
            let (bucket, dice, weather) = (world.bucket.clone(), world.dice.clone(), world.weather.clone());
            let view = View { bucket, dice, weather, load: Default::default() };
            drop(view.start_upload(name, &[].into()).await.unwrap());
        };
        let unfinished = || lock(&world.bucket).unfinished.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let (same_name, other_extension) = (object(0, 50), "topics/t/digit=0/t+0+0000000060.json".to_owned());
        begun(&same_name).await;
        begun(&other_extension).await;
        let group = uncommitted(&world, &with(3, &[])).await;
        assert_eq!(unfinished(), [same_name, other_extension.clone()], "under a new journal");
        let mut next = Driven::begin(&world, "sink", &with(3, &[]), group).await;
        next.turn(&world, LONG).await;
        assert_eq!(unfinished(), [other_extension], "our own from before the crash are freed");
    });
}

#[test]
fn a_clock_that_is_set_back_delays_no_scheduled_cut() {
    tell(async || {
        let world = World::new(1, 5);
        NOW.set(NOW.get() + 86_400_000);
        let settings = with(1_000, &[("rotate.schedule.interval.ms", "1000")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_millis(100)).await;
        NOW.set(NOW.get() - 86_400_000);
        life.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(life.committed(0).await, 5);
    });
}

/// Ten minutes, and a bit more than one slot of it.
const SCHEDULE: (&str, &str) = ("rotate.schedule.interval.ms", "600000");
const SLOT: Duration = Duration::from_secs(11 * 60);

#[test]
fn a_slot_that_was_due_while_nothing_was_open_does_not_cut_what_comes_then() {
    tell(async || {
        let world = World::new(1, 3);
        let mut life = Driven::begin(&world, "sink", &with(1_000, &[SCHEDULE]), nowhere(&[t(0)])).await;
        world.pass(SLOT).await;
        life.turn(&world, Duration::from_secs(5)).await;
        assert_eq!((life.next[&t(0)], names(&world).len()), (3, 0));
        world.pass(SLOT).await;
        life.turn(&world, Duration::from_secs(5)).await;
        assert_eq!((life.committed(0).await, names(&world)), (3, vec![object(0, 0)]));
    });
}

#[test]
fn slots_that_pass_with_nothing_open_cut_nothing_and_keep_none_from_those_that_follow() {
    tell(async || {
        let world = World::new(1, 6);
        let mut life = Driven::begin(&world, "sink", &with(1_000, &[SCHEDULE]), nowhere(&[t(0)])).await;
        for (end, expected) in [(3, vec![object(0, 0)]), (6, vec![object(0, 0), object(0, 3)])] {
            life.end = end;
            life.turn(&world, Duration::from_secs(5)).await;
            for _ in 0..5 {
                world.pass(SLOT).await;
                life.turn(&world, Duration::from_secs(5)).await;
                assert_eq!(names(&world), expected);
            }
            assert_eq!(life.committed(0).await, end);
        }
    });
}

#[test]
fn a_partition_that_is_closed_with_an_object_in_parts_leaves_no_upload_behind() {
    tell(async || {
        let mut world = World::new(1, 12);
        world.record_bytes = 1 << 20;
        let mut life = Driven::begin(&world, "sink", &with(100, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(lock(&world.bucket).unfinished.len(), 1);
        life.commit(CommitReason::Closing).await;
        life.task.close(&[t(0)]).await.unwrap();
        world.pass(LONG).await;
        assert!(lock(&world.bucket).unfinished.is_empty());
    });
}

#[test]
fn an_object_in_parts_that_is_refused_leaves_no_upload_behind() {
    tell(async || {
        let mut world = World::new(1, 3);
        let group = uncommitted(&world, &with(3, &[])).await;
        world.record_bytes = 1 << 20;
        world.log.end = 10;
        let mut life = Driven::begin(&world, "sink", &with(12, &[]), group.clone()).await;
        life.turn(&world, Duration::from_secs(15)).await;
        assert_eq!(lock(&world.bucket).unfinished.len(), 1);
        // A zombie of the same history has cut elsewhere.
        let first = lock(&world.bucket).objects[&object(0, 0)].metadata.clone();
        let mut metadata = first;
        for (key, value) in
            [("first-offset", "3"), ("group-first-offset", "3"), ("last-offset", "3"), ("records", "1"), ("cut-offset", "4")]
        {
            metadata.insert(format!("connect-{key}").into(), value.to_owned());
        }
        lock(&world.bucket).create(&object(0, 3), b"0:3\n".to_vec(), &metadata, &Condition::NameFree);
        (world.log.end, life.end) = (16, 16);
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 15, "the planned cut is obeyed: {}", life.task.state());
        assert!(lock(&world.bucket).parts.len() >= 2 && names(&world).contains(&object(0, 4)), "{:?}", names(&world));
        assert!(lock(&world.bucket).unfinished.is_empty());
        world.log.end = 15;
        world.check(false, "cut otherwise");
    });
}

#[test]
fn all_parts_but_the_last_are_of_equal_size() {
    tell(async || {
        let mut world = World::new(1, 30);
        world.record_bytes = 700_001;
        let mut life = Driven::begin(&world, "sink", &with(30, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 30);
        let parts = lock(&world.bucket).parts.concat();
        let (last, others) = parts.split_last().unwrap();
        assert!(others.len() > 2 && others.iter().all(|part| *part == 5 << 20) && *last <= 5 << 20, "{parts:?}");
    });
}

#[test]
fn requests_that_are_given_up_are_not_counted_as_under_way() {
    tell(async || {
        let world = World::new(1, 30);
        // Objects hang, the listing does not.
        hang(&world, "topics/t/digit=0/t+0+0");
        let mut life = Driven::begin(&world, "sink", &with(3, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(2)).await;
        assert!(!life.metric("connect_sink_uploads_in_flight").ends_with(" 0"), "{}", life.metric("connect_sink_uploads"));
        life.task.close(&[t(0)]).await.unwrap();
        let_go(&world);
        world.pass(LONG).await;
        assert!(life.metric("connect_sink_uploads_in_flight").ends_with(" 0"), "{}", life.metric("connect_sink_uploads"));
        assert!(names(&world).len() < 10, "{:?}", names(&world));
    });
}
