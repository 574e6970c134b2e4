//! Nothing is doubled or replaced.

use std::time::Duration;

use connect_api::{CommitReason, OffsetAndMetadata, Offsets, SinkTask, config::Config};

use super::driven::{Driven, hang, let_go, names, nowhere, object, parsed, t, uncommitted, with};
use crate::storage_sink::simulation::{
    bucket::REQUEST_LIFE,
    life::{NOW, topic_id},
    lock, tell,
    world::World,
};

const LONG: Duration = Duration::from_secs(30);

/// The next life of the connector comes to the end of the log.
async fn reaches(world: &World, settings: &Config, group: Offsets, end: i64, context: &str) -> Driven {
    let mut life = Driven::begin(world, "sink", settings, group).await;
    life.turn(world, LONG).await;
    assert_eq!(life.committed(0).await, end, "{context}: {}", life.task.state());
    world.check(false, context);
    life
}

#[test]
fn records_that_compaction_or_retention_took_after_a_crash_double_nothing_with_the_same_settings() {
    for gone in [vec![0], vec![1], vec![2], vec![3], vec![0, 1], vec![0, 1, 2, 3]] {
        tell(async || {
            let mut world = World::new(1, 6);
            let settings = with(3, &[]);
            let group = uncommitted(&world, &settings).await;
            assert_eq!(names(&world), [object(0, 0), object(0, 3)]);
            let context = format!("{gone:?} are gone");
            world.log.end = 12;
            world.log.gone = gone.into_iter().collect();
            reaches(&world, &settings, group, 12, &context).await;
        });
    }
}

#[test]
fn any_key_makes_other_settings_but_those_known_to_decide_nothing() {
    let fingerprint = |others: &[(&str, &str)]| parsed(&with(3, others)).fingerprint;
    for key in [
        "key.converter",
        "value.converter",
        "header.converter",
        "value.converter.schemas.enable",
        "consumer.override.isolation.level",
        "path.format",
        "partition.field.name",
        "locale",
        "timestamp.extractor",
        "transforms",
        "transforms.drop.predicate",
        "errors.tolerance",
        "a.key.of.a.plugin.that.nobody.has.written",
    ] {
        assert_ne!(fingerprint(&[]), fingerprint(&[(key, "x")]), "{key}");
    }
    assert_ne!(fingerprint(&[]), fingerprint(&[("digits", "2")]));
    assert_ne!(fingerprint(&[]), fingerprint(&[("schema.compatibility", "FULL")]));
    for (key, value) in [
        ("name", "x"),
        ("tasks.max", "7"),
        ("topics", "t,u"),
        ("uploads.in.flight.max", "3"),
        ("retry.backoff.ms", "700"),
        ("s3.part.size", "26214400"),
        ("aws.secret.access.key", "x"),
        ("consumer.override.fetch.max.bytes", "1"),
        ("errors.log.enable", "true"),
    ] {
        assert_eq!(fingerprint(&[]), fingerprint(&[(key, value)]), "{key}");
    }
}

#[test]
fn an_offset_inside_a_durable_range_is_not_committed_when_its_records_never_arrive() {
    tell(async || {
        let mut world = World::new(1, 20);
        let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
        hang(&world, &object(0, 10));
        life.turn(&world, Duration::from_secs(8)).await;
        assert_eq!(life.committed(0).await, 10);
        life.is_evicted = true;
        let_go(&world);
        life.turn(&world, Duration::from_secs(8)).await;
        let group = life.die(&world).await;
        assert_eq!((group[&t(0)].offset, names(&world).len()), (10, 2));
        world.log.end = 10;
        let mut next = Driven::begin(&world, "sink", &with(10, &[("transforms", "drop")]), group).await;
        next.turn(&world, LONG).await;
        let offered =
            next.task.pre_commit(&Offsets::from([(t(0), OffsetAndMetadata::new(13, ""))]), CommitReason::Due).await.unwrap();
        assert!(offered.get(&t(0)).is_none_or(|offered| offered.offset <= 10), "{offered:?}");
    });
}

/// The client knew the topic that had the name before, as it has learnt of it minutes ago.
#[test]
fn a_topic_that_is_taken_for_one_that_is_gone_is_read_on_where_its_journal_says() {
    for mistaken in [false, true] {
        tell(async || {
            let mut world = World::new(1, 14);
            world.log.id = 1;
            let mut life = reaches(&world, &with(7, &[]), nowhere(&[t(0)]), 14, "the first life").await;
            life.commit(CommitReason::Closing).await;
            let group = life.die(&world).await;
            let left = group.clone();
            (world.log.id, world.log.end) = (0, 24);
            let mut next = Driven::begin(&world, "sink", &with(10, &[]), group).await;
            assert_eq!(lock(&next.host.requests).expected, [(t(0), topic_id(1))].into());
            if mistaken {
                // The broker that was asked has not heard of it either.
                next.task.recreated(&nowhere(&[t(0)])).await.unwrap();
            } else {
                assert_eq!(next.offer(CommitReason::Due).await, left);
            }
            world.log.id = 1;
            *lock(&next.host.topic_id) = 1;
            next.next = [(t(0), 0)].into();
            next.task.recreated(&nowhere(&[t(0)])).await.unwrap();
            next.turn(&world, LONG).await;
            assert_eq!(next.committed(0).await, 24, "{}", next.task.state());
            world.check(false, "taken for another topic");
        });
    }
}

#[test]
fn a_first_list_that_is_refused_for_a_while_is_made_up_for() {
    // The last takes some ten seconds.
    for refusals in [2, 6] {
        tell(async || {
            let mut world = World::new(1, 6);
            let group = uncommitted(&world, &with(3, &[])).await;
            *lock(&world.weather.list_refusals) = refusals;
            world.log.end = 14;
            world.log.gone = [0].into();
            let life = reaches(&world, &with(4, &[]), group, 14, &format!("refused {refusals} times")).await;
            let told = lock(&life.host.requests).told.clone();
            assert!(told.iter().any(|told| told.contains("AccessDenied")), "{told:?}");
        });
    }
}

#[test]
fn who_follows_an_owner_that_could_not_list_does_not_wait_for_a_policy() {
    tell(async || {
        let world = World::new(1, 6);
        *lock(&world.weather.list_refusals) = u32::MAX;
        let group = uncommitted(&world, &with(3, &[])).await;
        reaches(&world, &with(3, &[]), group, 6, "nobody may list").await;
    });
}

#[test]
fn an_owner_that_may_never_list_leaves_the_looking_to_the_next() {
    tell(async || {
        let mut world = World::new(1, 6);
        let group = uncommitted(&world, &with(3, &[])).await;
        world.log.end = 3;
        *lock(&world.weather.list_refusals) = u32::MAX;
        let mut refused = Driven::begin(&world, "sink", &with(3, &[]), group).await;
        refused.turn(&world, LONG * 2).await;
        assert!(lock(&refused.host.requests).paused.contains(&t(0)), "it is believed at once");
        refused.turn(&world, LONG * 10).await;
        refused.commit(CommitReason::Closing).await;
        assert_eq!(refused.group[&t(0)].offset, 3);
        let group = refused.die(&world).await;
        *lock(&world.weather.list_refusals) = 0;
        world.log.end = 14;
        world.log.gone = [3].into();
        reaches(&world, &with(4, &[]), group, 14, "the next owner").await;
    });
}

#[test]
fn a_request_that_takes_effect_after_its_owner_died_meets_no_successor_with_other_settings() {
    for late in [4_500, 3_000, 1_000] {
        tell(async || {
            let mut world = World::new(1, 10);
            world.weather.effect_after = Some(Duration::from_millis(late));
            let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
            while life.group[&t(0)].metadata.is_empty() {
                life.turn_once(&world).await.unwrap();
            }
            life.turn(&world, Duration::from_millis(200)).await;
            assert!(names(&world).is_empty());
            let group = life.group.clone();
            life.host.abort();
            drop(life);
            world.weather.effect_after = None;
            world.log.end = 16;
            reaches(&world, &with(3, &[]), group, 16, &format!("{late} ms later")).await;
            assert_eq!(names(&world)[0], object(0, 0));
            assert!(world.read_back(false)[&(0, 9)][0] == object(0, 0), "the late request never came");
        });
    }
}

/// What waits for its turn when a partition is closed may still be sent until the wait is over.
#[test]
fn requests_that_begin_while_a_partition_is_closed_count_in_when_they_may_take_effect() {
    tell(async || {
        let world = World::new(1, 10);
        hang(&world, &object(0, 0));
        let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(3)).await;
        let (offered, ()) = tokio::join!(life.offer(CommitReason::Closing), world.pass(Duration::from_millis(2_950)));
        let metadata = &offered[&t(0)].metadata;
        let until = metadata.split(';').find_map(|field| field.strip_prefix("u=")).map(|until| until.parse::<i64>().unwrap());
        let life = i64::try_from(REQUEST_LIFE.as_millis()).unwrap();
        assert!(until.is_some_and(|until| until * 1_000 >= NOW.get() + life), "{metadata} at {}", NOW.get());
    });
}

/// The clock that counts the turns of the loop stands still in a virtual machine that is paused; the one on the wall is set right.
#[test]
fn an_owner_whose_machine_was_suspended_sends_nothing_before_a_commit_has_shown_what_is_its_own() {
    tell(async || {
        let world = World::new(1, 20);
        let mut suspended = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
        suspended.freezes_after_commit = true;
        suspended.turn(&world, Duration::from_secs(1)).await;
        assert!(names(&world).is_empty() && !suspended.group[&t(0)].metadata.is_empty());
        suspended.is_evicted = true;
        suspended.freezes_after_commit = false;
        // Less than the loop may stand still, by the clock that stands still.
        NOW.set(NOW.get() + 60_000);
        suspended.host.thaw();
        suspended.turn(&world, LONG).await;
        assert!(names(&world).is_empty(), "{:?}", names(&world));
        suspended.is_evicted = false;
        suspended.commit(CommitReason::Due).await;
        suspended.turn(&world, LONG).await;
        assert_eq!(names(&world).len(), 2);
    });
}

#[test]
fn equal_objects_in_parts_are_adopted_after_offsets_were_reset_and_leave_no_upload_behind() {
    tell(async || {
        let mut world = World::new(1, 12);
        world.record_bytes = 1 << 20;
        let settings = with(12, &[]);
        uncommitted(&world, &settings).await;
        assert_eq!(lock(&world.bucket).parts.len(), 1);
        let mut again = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        again.turn(&world, LONG).await;
        assert_eq!(again.committed(0).await, 12);
        assert!(lock(&world.bucket).parts.len() > 1, "it was never tried");
        assert!(lock(&world.bucket).replaced.is_empty());
        assert!(lock(&world.bucket).unfinished.is_empty());
        world.check(false, "after a reset");
    });
}

/// Offsets that a tool has reset lie anywhere.
#[test]
fn offsets_that_are_reset_into_the_middle_of_an_object_double_nothing() {
    for offset in [1, 13, 19, 20, 29] {
        tell(async || {
            let world = World::new(1, 30);
            let settings = with(10, &[("store.kafka.keys", "true")]);
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            life.turn(&world, LONG).await;
            assert_eq!(life.committed(0).await, 30);
            life.task.close(&[t(0)]).await.unwrap();
            let reset = Offsets::from([(t(0), OffsetAndMetadata::new(offset, ""))]);
            let mut next = Driven::begin(&world, "sink", &settings, reset).await;
            next.turn(&world, LONG).await;
            assert_eq!(next.committed(0).await, 30, "{offset}: {}", next.task.state());
            world.check(false, &format!("reset to {offset}"));
            world.check(true, &format!("reset to {offset}"));
        });
    }
}

/// An object in parts does not say where it ends: the journal does, and whoever cuts otherwise keeps to it.
#[test]
fn a_large_object_that_appears_after_its_owner_died_and_nobody_saw_it_is_not_divided() {
    tell(async || {
        let mut world = World::new(1, 12);
        world.record_bytes = 1 << 20;
        world.weather.effect_after = Some(Duration::from_secs(30));
        world.weather.keeps_uploads = true;
        let mut life = Driven::begin(&world, "sink", &with(12, &[]), nowhere(&[t(0)])).await;
        while lock(&world.bucket).parts.is_empty() {
            life.turn_once(&world).await.unwrap();
        }
        let group = life.group.clone();
        life.host.abort();
        drop(life);
        world.weather.effect_after = None;
        // It waits for what may still take effect, looks, and finds nothing; then the object appears.
        world.log.end = 3;
        let mut next = Driven::begin(&world, "sink", &with(5, &[]), group).await;
        next.turn(&world, Duration::from_secs(20)).await;
        assert!(next.next[&t(0)] == 3 && names(&world).is_empty(), "{:?}", next.next);
        next.turn(&world, Duration::from_secs(20)).await;
        assert_eq!(names(&world), [object(0, 0)]);
        world.log.end = 22;
        next.end = 22;
        next.turn(&world, LONG).await;
        assert_eq!(next.committed(0).await, 22, "{}", next.task.state());
        world.check(false, "the object appeared late");
        assert_eq!(names(&world), [object(0, 0), object(0, 12), object(0, 17)]);
    });
}

/// As with a transform that dropped it until now.
#[test]
fn a_record_that_was_left_out_before_the_first_decision_of_the_clock_takes_none_from_those_behind_it() {
    tell(async || {
        let mut world = World::new(1, 7);
        world.log.gone = [0].into();
        let settings = with(3, &[("by.clock", "true"), ("digits", "2")]);
        hang(&world, "topics/t/digit=1");
        let group = uncommitted(&world, &settings).await;
        assert_eq!(names(&world).len(), 2, "the files of one digit of each group");
        let_go(&world);
        world.log.gone.clear();
        reaches(&world, &settings, group, 7, "the record is there now").await;
    });
}

/// Its objects in parts end where the journal says: a cut between would make them end there.
#[test]
fn a_group_in_parts_is_not_divided_where_an_object_of_others_begins() {
    tell(async || {
        let mut world = World::new(1, 12);
        world.record_bytes = 1 << 20;
        // With a schedule every cut is in the journal.
        let settings = with(12, &[("digits", "2"), ("rotate.schedule.interval.ms", "3600000")]);
        hang(&world, "topics/t/digit=1");
        let group = uncommitted(&world, &settings).await;
        assert_eq!(names(&world), [object(0, 0)]);
        world.put_foreign(6, 12);
        // It plans what it likes, makes nothing and dies.
        let mut next = Driven::begin(&world, "sink", &settings, group).await;
        next.turn(&world, LONG).await;
        next.commit(CommitReason::Due).await;
        let group = next.die(&world).await;
        assert_eq!(group[&t(0)].offset, 0);
        let_go(&world);
        reaches(&world, &settings, group, 12, "the third life").await;
    });
}

/// What the first owner after the reset found out is gone with it.
#[test]
fn offsets_that_are_reset_into_the_middle_of_an_object_double_nothing_after_a_crash_either() {
    tell(async || {
        let world = World::new(1, 30);
        let settings = with(10, &[("digits", "7")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 30);
        life.task.close(&[t(0)]).await.unwrap();
        let reset = Offsets::from([(t(0), OffsetAndMetadata::new(5, ""))]);
        let mut next = Driven::begin(&world, "sink", &settings, reset).await;
        while next.group[&t(0)].metadata.is_empty() {
            next.turn_once(&world).await.unwrap();
        }
        assert_eq!(next.group[&t(0)].offset, 5);
        let group = next.die(&world).await;
        reaches(&world, &settings, group, 30, "the second owner after the reset").await;
    });
}
