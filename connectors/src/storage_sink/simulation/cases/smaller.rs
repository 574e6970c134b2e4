//! Two connectors, frozen owners, and journals.

use std::time::Duration;

use connect_api::Condition;

use super::driven::{Driven, hang, let_go, names, nowhere, object, t, uncommitted, with};
use crate::storage_sink::simulation::{lock, tell, world::World};

const LONG: Duration = Duration::from_secs(30);

/// What the field of a journal says.
fn field<'a>(metadata: &'a str, name: &str) -> Option<&'a str> {
    metadata.split(';').find_map(|field| field.strip_prefix(name))
}

#[test]
fn every_is_taken_back_once_the_schedule_is_removed() {
    tell(async || {
        let mut world = World::new(1, 6);
        let group = uncommitted(&world, &with(3, &[("rotate.schedule.interval.ms", "3600000")])).await;
        assert_eq!(field(&group[&t(0)].metadata, "every"), Some(""));
        world.log.end = 12;
        let mut life = Driven::begin(&world, "sink", &with(3, &[]), group).await;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 12);
        assert_eq!(field(&life.group[&t(0)].metadata, "every"), None, "{:?}", life.group);
        life.end = 120;
        let commits = lock(&life.host.requests).commits;
        life.turn(&world, LONG).await;
        assert_eq!(life.committed(0).await, 120);
        let commits = lock(&life.host.requests).commits - commits;
        assert!(commits <= 3, "{commits} commits were asked for");
    });
}

#[test]
fn offsets_copied_with_their_metadata_to_another_connector_make_its_objects_nobody_elses() {
    tell(async || {
        let world = World::new(1, 12);
        let group = uncommitted(&world, &with(3, &[])).await;
        let before = names(&world);
        let mut other = Driven::begin(&world, "other", &with(3, &[]), group.clone()).await;
        other.turn(&world, LONG).await;
        assert_eq!(other.committed(0).await, 12);
        let history = |metadata: &str| field(metadata, "h=").map(str::to_owned);
        assert_ne!(history(&other.group[&t(0)].metadata), history(&group[&t(0)].metadata));
        assert_eq!(names(&world), before);
        assert!(lock(&world.bucket).replaced.is_empty(), "equal objects were replaced");
    });
}

#[test]
fn two_connectors_with_the_same_names_do_not_replace_each_others_objects() {
    tell(async || {
        let world = World::new(1, 24);
        let mut one = Driven::begin(&world, "one", &with(12, &[]), nowhere(&[t(0)])).await;
        let mut other = Driven::begin(&world, "other", &with(8, &[]), nowhere(&[t(0)])).await;
        other.end = 0;
        for _ in 0..100 {
            one.turn_once(&world).await.unwrap();
            other.turn_once(&world).await.unwrap();
        }
        other.end = 24;
        for _ in 0..2_000 {
            one.turn_once(&world).await.unwrap();
            other.turn_once(&world).await.unwrap();
        }
        assert_eq!(one.committed(0).await, 24);
        assert!(lock(&world.bucket).replaced.is_empty());
        let told = lock(&other.host.requests).told.clone();
        assert!(told.iter().any(|told| told.contains("another connector has written")), "{told:?}");
        assert!(lock(&other.host.requests).problems.contains("storage"));
    });
}

/// What was sent before it froze is another matter: that lands within the life of a request.
#[test]
fn a_frozen_owner_whose_successor_has_other_settings_sends_nothing_when_it_thaws() {
    tell(async || {
        let world = World::new(1, 20);
        let mut frozen = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
        frozen.freezes_after_commit = true;
        frozen.turn(&world, Duration::from_secs(1)).await;
        assert!(names(&world).is_empty() && !frozen.group[&t(0)].metadata.is_empty());
        frozen.is_evicted = true;
        world.session_ends().await;
        let mut next = Driven::begin(&world, "sink", &with(3, &[]), frozen.group.clone()).await;
        next.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(next.committed(0).await, 18);
        frozen.freezes_after_commit = false;
        frozen.host.thaw();
        frozen.turn(&world, LONG).await;
        assert!(!names(&world).contains(&object(0, 10)), "{:?}", names(&world));
        next.end = 21;
        next.turn(&world, LONG).await;
        assert_eq!(next.committed(0).await, 21);
        world.check(false, "after the thaw");
    });
}

/// The journal that it found lets its first object go at once: the owner before did not stop cleanly, and had the same settings.
#[test]
fn a_frozen_owner_that_has_made_nothing_yet_sends_nothing_when_it_thaws() {
    for is_opening in [false, true] {
        tell(async || {
            let mut world = World::new(1, 10);
            let settings = with(10, &[]);
            hang(&world, &object(0, 0));
            let mut first = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            while first.group[&t(0)].metadata.is_empty() {
                first.turn_once(&world).await.unwrap();
            }
            let group = first.die(&world).await;
            let_go(&world);
            if is_opening {
                *lock(&world.weather.sealed) = Some("topics/t/".to_owned());
            }
            world.log.end = 5;
            let mut frozen = Driven::begin(&world, "sink", &settings, group.clone()).await;
            frozen.turn(&world, Duration::from_secs(3)).await;
            assert!(names(&world).is_empty(), "{:?}", names(&world));
            frozen.host.freeze();
            frozen.is_evicted = true;
            *lock(&world.weather.sealed) = None;
            world.session_ends().await;
            world.log.end = 20;
            let mut next = Driven::begin(&world, "sink", &with(3, &[]), group).await;
            next.turn(&world, LONG).await;
            assert_eq!(next.committed(0).await, 18);
            frozen.end = 20;
            frozen.host.thaw();
            frozen.turn(&world, LONG).await;
            assert!(!names(&world).contains(&object(0, 10)), "{is_opening}: {:?}", names(&world));
            next.end = 21;
            next.turn(&world, LONG).await;
            assert_eq!(next.committed(0).await, 21);
            world.check(false, "after the thaw");
        });
    }
}

#[test]
fn a_journal_at_its_limit_holds_nothing_up_and_passes_no_limit() {
    tell(async || {
        let world = World::new(1, 2_000);
        let (mut group, mut longest) = (nowhere(&[t(0)]), 0);
        for life in 0..7 {
            let directory = format!("{life}{}", "d".repeat(300));
            let settings = with(1, &[("rotate.schedule.interval.ms", "3600000"), ("topics.dir", &directory)]);
            // Each life plans what it can, and dies before anything of it is durable.
            hang(&world, &format!("{directory}/t/digit=0/t+0+0"));
            let mut one = Driven::begin(&world, "sink", &settings, group).await;
            one.turn(&world, Duration::from_secs(8)).await;
            if life == 6 {
                let_go(&world);
                one.turn(&world, LONG * 4).await;
                assert_eq!(one.committed(0).await, 2_000, "{}", one.task.state());
            }
            longest = longest.max(one.longest);
            group = one.die(&world).await;
            // Something lies ahead in each place, so that no place may be forgotten.
            let ahead = format!("{directory}/t/digit=0/t+0+0000001999.txt");
            lock(&world.bucket).create(&ahead, b"x:0\n".to_vec(), &[].into(), &Condition::NameFree);
        }
        assert!(longest > 3_800, "the journal was never full: {longest} bytes");
        world.check(false, "all places");
    });
}

/// Numbers of files that differ stand one by one in the journal, and those that are alike together.
#[test]
fn a_group_with_another_number_of_files_does_not_pass_the_limit_of_the_journal() {
    tell(async || {
        let mut world = World::new(1, 8_000);
        world.log.gone.extend([7_990]);
        let settings = with(9, &[("digits", "9"), ("store.kafka.keys", "true"), ("rotate.schedule.interval.ms", "3600000")]);
        hang(&world, "topics/t/digit=");
        // `commit` looks at the length of what is offered.
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, LONG).await;
        assert!(life.longest > 1_000, "{}", life.longest);
        let_go(&world);
        life.turn(&world, LONG * 20).await;
        assert!(life.committed(0).await >= 7_990, "{}", life.task.state());
    });
}
