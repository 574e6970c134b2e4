//! Nothing is stuck.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use connect_api::{Budget, CommitReason, Condition, Metrics, OffsetAndMetadata, SinkTask, SinkTaskContext};

use super::driven::{Driven, hang, let_go, names, nowhere, object, t, uncommitted, with};
use crate::storage_sink::{
    Permits,
    simulation::{bucket::View, life::Host, lock, tell, world::World},
    uploads::Uploads,
    writer_state::WriterState,
};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_store_that_fails_one_look_in_five_is_surveyed_with_64_requests_at_most_and_progress_is_told() {
    tell(async || {
        let mut world = World::new(1, 0);
        for partition in 0..20 {
            for first in 0..50 {
                let condition = Condition::NameFree;
                lock(&world.bucket).create(&object(partition, first), b"x:0\n".to_vec(), &[].into(), &condition);
            }
        }
        world.weather.looks_fail = 5;
        let partitions: Vec<_> = (0..20).map(t).collect();
        let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&partitions)).await;
        life.turn(&world, LONG).await;
        assert!(lock(&life.host.requests).paused.is_empty(), "{:?}", lock(&life.host.requests).told.last());
        let most = lock(&life.view.load).1;
        assert!((20..=64).contains(&most), "{most} requests at once");
        let told = lock(&life.host.requests).told.clone();
        assert!(told.iter().any(|told| told.contains("objects looked at") && !told.contains(" 0 objects")), "{told:?}");
    });
}

#[test]
fn a_poisoned_prefix_pauses_its_own_partition_and_leaves_lanes_to_others() {
    tell(async || {
        let mut world = World::new(1, 0);
        world.record_bytes = 1 << 19;
        let settings = with(1, &[("uploads.in.flight.max", "2")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0), t(1)])).await;
        life.turn(&world, Duration::from_secs(3)).await;
        *lock(&world.weather.poisoned) = Some("topics/t/digit=0/t+0+".to_owned());
        for end in (10..=120).step_by(10) {
            life.end = end;
            life.turn(&world, Duration::from_secs(1)).await;
        }
        life.turn(&world, LONG).await;
        assert_eq!(lock(&life.host.requests).paused, BTreeSet::from([t(0)]));
        assert_eq!(life.committed(1).await, 120);
        assert!(life.next[&t(0)] < 120);
        assert!(!lock(&life.host.requests).problems.is_empty());
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, LONG * 4).await;
        assert_eq!((life.committed(0).await, life.committed(1).await), (120, 120));
        assert!(lock(&life.host.requests).paused.is_empty() && lock(&life.host.requests).problems.is_empty());
    });
}

/// Cuts that wait for their commit fill the memory, too.
#[test]
fn a_poisoned_prefix_pauses_its_own_partition_where_cuts_are_planned() {
    tell(async || {
        let mut world = World::new(1, 0);
        (world.record_bytes, world.memory) = (1_000, 32 << 20);
        let settings = with(1, &[("rotate.schedule.interval.ms", "3600000")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0), t(1)])).await;
        life.turn(&world, Duration::from_secs(3)).await;
        *lock(&world.weather.poisoned) = Some("topics/t/digit=0/t+0+".to_owned());
        for end in (100..=2_000).step_by(100) {
            life.end = end;
            life.turn(&world, Duration::from_secs(1)).await;
        }
        life.turn(&world, LONG).await;
        assert_eq!(lock(&life.host.requests).paused, BTreeSet::from([t(0)]), "{}", life.task.state());
        assert_eq!(life.committed(1).await, 2_000);
        assert!(life.next[&t(0)] < 2_000);
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, LONG * 4).await;
        assert_eq!((life.committed(0).await, life.committed(1).await), (2_000, 2_000));
        assert!(lock(&life.host.requests).paused.is_empty() && lock(&life.host.requests).problems.is_empty());
    });
}

#[test]
fn partitions_whose_objects_cannot_be_looked_at_hold_up_no_other() {
    for lists in [false, true] {
        tell(async || {
            let world = World::new(1, 30);
            let stuck: Vec<_> = (100..120).collect();
            for partition in &stuck {
                lock(&world.bucket).create(&object(*partition, 3), b"x:3\n".to_vec(), &[].into(), &Condition::NameFree);
            }
            let refused = if lists { &world.weather.sealed } else { &world.weather.poisoned };
            *lock(refused) = Some("topics/t/digit=0/t+1".to_owned());
            let all: Vec<_> = stuck.iter().copied().chain([200]).map(t).collect();
            let mut life = Driven::begin(&world, "sink", &with(3, &[]), nowhere(&all)).await;
            life.turn(&world, LONG).await;
            assert_eq!(life.committed(200).await, 30, "it lists: {lists}");
            assert_eq!(lock(&life.host.requests).paused, stuck.iter().copied().map(t).collect::<BTreeSet<_>>());
            *lock(refused) = None;
            life.turn(&world, LONG * 2).await;
            for partition in all {
                assert_eq!(life.committed(partition.partition).await, 30);
            }
        });
    }
}

/// Objects of others are replaced when a commit has shown that the partition is still ours. The dead letter queue may keep it from that.
#[test]
fn a_partition_that_cannot_be_committed_keeps_no_lane_from_another() {
    tell(async || {
        let mut world = World::new(1, 3);
        let settings = with(1, &[("uploads.in.flight.max", "4")]);
        (3..40).for_each(|first| world.put_foreign(first, first + 1));
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0), t(1)])).await;
        life.turn(&world, LONG).await;
        assert_eq!((life.committed(0).await, life.committed(1).await), (3, 3));
        life.unsettled = Some(t(0));
        (world.log.end, life.end) = (40, 40);
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(1).await, 40, "{}", life.task.state());
        assert_eq!(life.group[&t(0)].offset, 3);
        let told = lock(&life.host.requests).told.clone();
        assert!(told.iter().any(|told| told.contains("waits for a commit")), "{told:?}");
        life.unsettled = None;
        life.commit(CommitReason::Due).await;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 40);
        assert!(lock(&life.host.requests).problems.is_empty());
    });
}

/// A rule of the bucket has ended the upload while the name is somebody else's.
#[test]
fn an_object_in_parts_whose_upload_is_gone_while_others_have_its_name_is_read_again() {
    tell(async || {
        let mut world = World::new(1, 10);
        world.record_bytes = 1 << 20;
        let settings = with(12, &[]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(15)).await;
        assert_eq!(std::mem::take(&mut lock(&world.bucket).unfinished).len(), 1);
        world.put_foreign(0, 12);
        (world.log.end, life.end) = (12, 12);
        let fails = async {
            loop {
                if let Err(error) = life.turn_once(&world).await {
                    return error;
                }
            }
        };
        let error = tokio::time::timeout(LONG * 2, fails).await.expect("it waits for ever");
        assert!(error.report().contains("lost the multipart upload"), "{}", error.report());
        let group = life.die(&world).await;
        let mut next = Driven::begin(&world, "sink", &settings, group).await;
        next.turn(&world, LONG).await;
        assert_eq!(next.committed(0).await, 12, "{}", next.task.state());
        world.check(false, "read again");
    });
}

/// Whoever refuses while another one forgives.
#[test]
fn a_connector_that_is_refused_does_not_borrow_whatever_ends_at_the_same_moment() {
    const ROUNDS: usize = 20_000;
    let world = World::new(1, 0);
    let process = Budget::new(100);
    let (_other, connector) = (process.connector(), process.connector());
    let budget = connector.task();
    let view = View { bucket: world.bucket, dice: world.dice, weather: world.weather, load: Arc::default() };
    let context = SinkTaskContext::new("sink".into(), 0, budget.clone(), Metrics::default(), Host::new(0));
    let (uploads, _notices) = Uploads::new(Arc::new(view), Permits::new(1), context, LONG, 1, || 0);
    let _more_than_its_share = budget.reserve(60);
    let writer = WriterState::new(0);
    uploads.refuse(&writer);
    let (begun, ended, mut borrows) = (AtomicUsize::new(0), AtomicUsize::new(0), None);
    let wait_for = |count: &AtomicUsize, round| {
        while count.load(Ordering::Acquire) < round {
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                wait_for(&begun, round);
                uploads.refuse(&writer);
                ended.store(round, Ordering::Release);
            }
        });
        for round in 1..=ROUNDS {
            begun.store(round, Ordering::Release);
            uploads.forgive(&writer);
            wait_for(&ended, round);
            borrows = borrows.or((!budget.is_exhausted()).then_some(round));
        }
    });
    assert_eq!(borrows, None, "the round in which it borrows");
    uploads.forgive(&writer);
    assert!(!budget.is_exhausted());
}

#[test]
fn two_files_a_group_reach_the_end_whatever_is_gone_after_a_crash_between_the_two() {
    for of_two in [".keys", ".txt"] {
        for gone in [0, 4, 9] {
            tell(async || {
                let mut world = World::new(1, 10);
                let settings = with(10, &[("store.kafka.keys", "true")]);
                hang(&world, &format!("topics/t/digit=0/t+0+0000000000{of_two}"));
                let group = uncommitted(&world, &settings).await;
                let_go(&world);
                assert_eq!(names(&world).len(), 1);
                world.log.end = 30;
                world.log.gone = [gone].into();
                let mut next = Driven::begin(&world, "sink", &settings, group).await;
                next.turn(&world, LONG * 2).await;
                let context = format!("{of_two} missing, {gone} gone");
                assert_eq!(next.committed(0).await, 30, "{context}: {}", next.task.state());
                world.check(false, &context);
                world.check(true, &context);
            });
        }
    }
}

#[test]
fn a_range_of_others_keeps_neither_the_schedule_nor_the_size_from_cutting() {
    for (flush_size, schedule, durable) in [(1_000, "1000", 5), (2, "-1", 4)] {
        tell(async || {
            let mut world = World::new(1, 5);
            world.put_foreign(0, 1_000);
            let settings = with(flush_size, &[("rotate.schedule.interval.ms", schedule)]);
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            life.turn(&world, Duration::from_secs(20)).await;
            assert_eq!(life.committed(0).await, durable, "{}", life.task.state());
        });
    }
}

/// Of a log that was made anew.
#[test]
fn objects_of_an_earlier_log_do_not_hold_files_of_the_new_one_open() {
    tell(async || {
        let mut world = World::new(1, 50);
        let group = uncommitted(&world, &with(50, &[])).await;
        world.log.id = 1;
        world.log.end = 5;
        let settings = with(50, &[("rotate.schedule.interval.ms", "1000")]);
        let mut life = Driven::begin(&world, "sink", &settings, group).await;
        // The brokers were asked.
        life.task.recreated(&nowhere(&[t(0)])).await.unwrap();
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 5, "{}", life.task.state());
        world.check(false, "the new log");
    });
}

#[test]
fn many_small_files_with_a_schedule_and_a_slow_store_wait_for_no_periodic_commit() {
    tell(async || {
        let mut world = World::new(1, 300);
        world.weather.latency = Duration::from_secs(1);
        let settings = with(1, &[("rotate.schedule.interval.ms", "3600000"), ("uploads.in.flight.max", "16")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, LONG * 3).await;
        assert_eq!(names(&world).len(), 300, "{}", life.task.state());
    });
}

#[test]
fn a_store_that_never_lists_is_asked_a_few_times_in_ten_seconds() {
    tell(async || {
        let world = World::new(1, 10);
        *lock(&world.weather.poisoned) = Some("topics/".to_owned());
        let mut life = Driven::begin(&world, "sink", &with(3, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(10)).await;
        let calls = lock(&life.view.load).2;
        assert!((3..=12).contains(&calls), "{calls} calls");
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 9);
    });
}

#[test]
fn a_name_that_is_taken_though_nothing_is_there_is_asked_for_with_pauses() {
    tell(async || {
        let mut world = World::new(1, 3);
        world.put_foreign(0, 2);
        world.weather.is_blind = true;
        let mut life = Driven::begin(&world, "sink", &with(3, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(10)).await;
        let calls = lock(&life.view.load).2;
        assert!((3..=25).contains(&calls), "{calls} calls");
        assert!(lock(&life.host.requests).problems.contains("storage"), "nobody is told");
    });
}

/// A partition that waits for the bucket holds up no other.
#[test]
fn a_partition_that_is_being_opened_does_not_hold_up_another_of_the_same_task() {
    tell(async || {
        let world = World::new(1, 30);
        *lock(&world.weather.poisoned) = Some("topics/t/digit=0/t+0+".to_owned());
        let mut life = Driven::begin(&world, "sink", &with(3, &[]), nowhere(&[t(0), t(1)])).await;
        life.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(life.committed(1).await, 30);
        assert!(!life.group.contains_key(&t(0)) || life.group[&t(0)] == OffsetAndMetadata::new(0, ""));
        assert_eq!(lock(&life.host.requests).paused, BTreeSet::from([t(0)]));
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 30);
        life.task.stop().await.unwrap();
    });
}

/// Its journal is full sooner or later, and what waits for room there fills the memory.
#[test]
fn a_partition_whose_offset_is_held_for_long_pauses_alone_where_cuts_are_planned() {
    tell(async || {
        let mut world = World::new(1, 0);
        (world.record_bytes, world.memory) = (10_000, 32 << 20);
        let settings = with(1, &[("rotate.schedule.interval.ms", "3600000")]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0), t(1)])).await;
        life.held = BTreeSet::from([t(0)]);
        for end in (100..=3_000).step_by(100) {
            life.end = end;
            life.turn(&world, Duration::from_secs(1)).await;
        }
        life.turn(&world, LONG).await;
        assert_eq!(lock(&life.host.requests).paused, BTreeSet::from([t(0)]));
        assert_eq!(life.committed(1).await, 3_000);
        assert!(life.next[&t(0)] < 3_000);
        life.held.clear();
        // The runtime asks for it when the queue has taken something.
        life.commit(CommitReason::Due).await;
        life.turn(&world, LONG * 4).await;
        assert_eq!((life.committed(0).await, life.committed(1).await), (3_000, 3_000));
        assert!(lock(&life.host.requests).paused.is_empty());
    });
}

/// A record of it waits for the dead letter queue: its offset stays, and what its journal says is committed all the same.
#[test]
fn a_partition_whose_offset_is_held_goes_on_and_its_next_owner_finds_what_it_wrote() {
    for schedule in ["-1", "3600000"] {
        tell(async || {
            let mut world = World::new(1, 30);
            let settings = with(10, &[("rotate.schedule.interval.ms", schedule)]);
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            life.held = BTreeSet::from([t(0)]);
            life.turn(&world, LONG).await;
            assert_eq!(names(&world).len(), 3, "{}", life.task.state());
            life.commit(CommitReason::Closing).await;
            assert_eq!(life.group[&t(0)].offset, 0);
            assert!(!life.group[&t(0)].metadata.contains("clean"), "{:?}", life.group);
            let group = life.die(&world).await;
            world.log.end = 44;
            let mut next = Driven::begin(&world, "sink", &with(7, &[]), group).await;
            next.turn(&world, LONG * 2).await;
            assert_eq!(next.committed(0).await, 44, "{}", next.task.state());
            world.check(false, "the next owner");
        });
    }
}
