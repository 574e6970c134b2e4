//! Nothing is lost.

use std::{collections::BTreeSet, time::Duration};

use connect_api::{CommitReason, ErrorKind, OffsetAndMetadata, Offsets, PieceLimit, SinkTask, TopicPartition};

use super::driven::{Driven, hang, let_go, names, nowhere, object, t, uncommitted, with};
use crate::storage_sink::simulation::{
    life::{Reports, UNKNOWN, topic_id},
    lock,
    records::records_of,
    tell,
    world::{Log, World},
};

#[test]
fn a_topic_made_anew_under_a_hung_put_commits_nothing_of_the_old_log_and_loses_nothing_of_either() {
    // With a schedule cuts wait for a commit, which nobody makes for a log that is gone.
    for schedule in ["-1", "3600000"] {
        tell(async || {
            let mut world = World::new(1, 25);
            let settings = with(10, &[("rotate.schedule.interval.ms", schedule)]);
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            hang(&world, &object(0, 10));
            life.turn(&world, Duration::from_secs(3)).await;
            assert_eq!(life.committed(0).await, 10);
            make_anew(&mut world, &mut life, 5).await;
            life.turn(&world, Duration::from_secs(3)).await;
            assert_eq!(life.next[&t(0)], 5);
            let offered = life.offer(CommitReason::Closing).await;
            assert!(offered.get(&t(0)).is_none_or(|offered| offered.offset <= 0), "{offered:?}");
            let_go(&world);
            life.turn(&world, Duration::from_secs(10)).await;
            let found = world.read_back(false);
            (0..25)
                .for_each(|offset| assert!(found.contains_key(&(0, offset)), "{offset} of the old log was read and is not there"));
            assert_eq!(life.committed(0).await, 0);
            let group = life.die(&world).await;
            // Cut where the old log's last object ends, too.
            world.log.end = 35;
            let mut next = Driven::begin(&world, "sink", &settings, group).await;
            next.turn(&world, Duration::from_secs(20)).await;
            assert_eq!(next.committed(0).await, 35);
            world.check(false, "the new log");
        });
    }
}

/// The topic is made anew with so many records, and the task hears of it.
async fn make_anew(world: &mut World, life: &mut Driven, end: i64) {
    world.log = Log { id: world.log.id + 1, end, gone: [].into() };
    *lock(&life.host.topic_id) = world.log.id;
    (life.end, life.next) = (end, [(t(0), 0)].into());
    life.task.recreated(&Offsets::from([(t(0), OffsetAndMetadata::default())])).await.unwrap();
}

/// When the partition is opened nobody knows which topic has the name now.
#[test]
fn a_topic_made_anew_that_is_known_late_is_compared_with_the_journal_and_read_from_its_beginning() {
    tell(async || {
        let mut world = World::new(1, 20);
        let settings = with(10, &[]);
        let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(20)).await;
        assert_eq!(life.committed(0).await, 20);
        let group = life.die(&world).await;
        world.log.id = UNKNOWN;
        let mut next = Driven::begin(&world, "sink", &settings, group).await;
        assert_eq!(lock(&next.host.requests).expected, [(t(0), topic_id(0))].into());
        world.log.id = 0;
        make_anew(&mut world, &mut next, 50).await;
        next.turn(&world, Duration::from_secs(20)).await;
        assert_eq!(next.committed(0).await, 50, "{}", next.task.state());
        world.check(false, "the new log");
    });
}

/// Its partition is given up before anybody could see a new topic of the name; or it was not deleted at all.
#[test]
fn what_was_read_of_a_topic_that_is_said_to_be_deleted_is_written_before_its_partition_goes() {
    for is_committed in [true, false] {
        tell(async || {
            let mut world = World::new(1, 25);
            let settings = with(10, &[]);
            let mut life = Driven::begin(&world, "sink", &settings, nowhere(&[t(0)])).await;
            life.turn(&world, Duration::from_secs(6)).await;
            assert_eq!(life.committed(0).await, 20);
            life.is_evicted = !is_committed;
            life.task.deleted(&[t(0)]).await.unwrap();
            life.commit(CommitReason::Closing).await;
            life.task.close(&[t(0)]).await.unwrap();
            world.check(false, "what was read");
            let group = life.die(&world).await;
            assert_eq!(group[&t(0)].offset, if is_committed { 25 } else { 20 });
            world.log.end = 40;
            let mut next = Driven::begin(&world, "sink", &with(3, &[]), group).await;
            next.turn(&world, Duration::from_secs(60)).await;
            assert_eq!(next.committed(0).await, 40, "{}", next.task.state());
            world.check(false, "it is still there");
        });
    }
}

/// The brokers forget the group's offset with the topic, and the new log begins where an object of the old one has its middle.
#[test]
fn objects_of_a_log_that_is_gone_cover_nothing_of_the_new_one() {
    for begin in [1, 13, 20, 29] {
        tell(async || {
            let mut world = World::new(1, 30);
            let settings = with(10, &[("store.kafka.keys", "true")]);
            drop(uncommitted(&world, &settings).await);
            world.log = Log { id: 1, end: 30, gone: (0..begin).collect() };
            let begins = Offsets::from([(t(0), OffsetAndMetadata::new(begin, ""))]);
            let mut next = Driven::begin(&world, "sink", &with(1, &[("store.kafka.keys", "true")]), begins).await;
            next.turn(&world, Duration::from_secs(20)).await;
            assert_eq!(next.committed(0).await, 30, "{begin}: {}", next.task.state());
            world.check(false, &format!("a new log from {begin} on"));
            world.check(true, &format!("a new log from {begin} on"));
        });
    }
}

/// The bucket is still looked at for the old log.
#[test]
fn a_topic_made_anew_while_the_bucket_is_looked_at_commits_nothing_of_the_old_log() {
    tell(async || {
        let mut world = World::new(1, 20);
        let settings = with(10, &[]);
        let group = uncommitted(&world, &settings).await;
        *lock(&world.weather.poisoned) = Some("topics/".to_owned());
        let mut life = Driven::begin(&world, "sink", &settings, group).await;
        life.turn(&world, Duration::from_secs(3)).await;
        make_anew(&mut world, &mut life, 30).await;
        lock(&life.host.requests).paused.clear();
        life.turn(&world, Duration::from_secs(3)).await;
        assert_eq!(life.next[&t(0)], 30);
        let offered = life.offer(CommitReason::Closing).await;
        assert!(offered.get(&t(0)).is_none_or(|offered| offered.offset <= 0), "{offered:?}");
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, Duration::from_secs(60)).await;
        assert_eq!(life.committed(0).await, 30, "{}", life.task.state());
        world.check(false, "the new log");
    });
}

/// What was paused for the old log, while the bucket was looked at.
#[test]
fn a_topic_made_anew_while_its_partition_waits_for_the_bucket_is_read_on() {
    tell(async || {
        let mut world = World::new(1, 20);
        *lock(&world.weather.poisoned) = Some("topics/".to_owned());
        let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[t(0)])).await;
        life.turn(&world, Duration::from_secs(3)).await;
        make_anew(&mut world, &mut life, 30).await;
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, Duration::from_secs(60)).await;
        assert!(lock(&life.host.requests).paused.is_empty(), "nobody resumes it: {}", life.task.state());
        assert_eq!(life.committed(0).await, 30, "{}", life.task.state());
    });
}

/// What was paused for the old log, while the store refused it.
#[test]
fn a_topic_made_anew_while_its_partition_waits_for_the_store_is_read_on() {
    tell(async || {
        let mut world = World::new(1, 40);
        world.record_bytes = 1 << 19;
        let mut life = Driven::begin(&world, "sink", &with(1, &[]), nowhere(&[t(0)])).await;
        *lock(&world.weather.poisoned) = Some("topics/t/digit=0/t+0+0".to_owned());
        life.turn(&world, Duration::from_secs(10)).await;
        assert!(lock(&life.host.requests).paused.contains(&t(0)));
        make_anew(&mut world, &mut life, 4).await;
        *lock(&world.weather.poisoned) = None;
        life.turn(&world, Duration::from_secs(120)).await;
        assert!(lock(&life.host.requests).paused.is_empty(), "nobody resumes it: {}", life.task.state());
        assert_eq!(life.committed(0).await, 4, "{}", life.task.state());
    });
}

#[test]
fn a_record_that_a_transform_moved_to_another_partition_is_refused_and_harms_neither() {
    tell(async || {
        let world = World::new(1, 0);
        let (from, to) = (TopicPartition::new("orders-eu", 0), TopicPartition::new("orders", 0));
        let mut life = Driven::begin(&world, "sink", &with(10, &[]), nowhere(&[from.clone(), to.clone()])).await;
        life.turn(&world, Duration::from_secs(3)).await;
        life.task.put(&records_of(to.clone(), 0, (0..5).collect(), 0)).await.unwrap();
        let mut moved = records_of(from.clone(), 0, vec![5], 0);
        moved[0].topic = "orders".into();
        let error = life.task.put(&moved).await.unwrap_err();
        // Whatever is tolerated: it would be all records of the topic.
        assert_eq!(error.kind(), ErrorKind::Fatal, "{error}");
        life.task.put(&records_of(to.clone(), 0, (5..10).collect(), 0)).await.unwrap();
        life.task.put(&records_of(from.clone(), 0, (6..16).collect(), 0)).await.unwrap();
        life.next = [(from.clone(), 16), (to.clone(), 10)].into();
        life.turn(&world, Duration::from_secs(3)).await;
        life.commit(CommitReason::Due).await;
        assert_eq!((life.group[&from].offset, life.group[&to].offset), (16, 10));
        assert_eq!(lock(&world.bucket).objects.len(), 2);
    });
}

/// Records are sorted into files by their settings: a file of the group that is there need not be the one that is missing. Who may not look goes on, and
/// replaces what has a wanted name.
#[test]
fn a_file_that_other_settings_have_filled_hides_no_record_of_its_group() {
    for is_seen in [false, true] {
        tell(async || {
            let mut world = World::new(1, 10);
            hang(&world, "topics/t/digit=1/");
            let group = uncommitted(&world, &with(10, &[("digits", "2")])).await;
            let_go(&world);
            *lock(&world.weather.list_refusals) = if is_seen { 0 } else { u32::MAX };
            world.log.end = 20;
            let mut next = Driven::begin(&world, "sink", &with(10, &[("digits", "1")]), group.clone()).await;
            if is_seen {
                refuses(&mut next, &world, "Offsets 0 to 10").await;
                // With the former settings it goes on, and stops cleanly.
                next = Driven::begin(&world, "sink", &with(10, &[("digits", "2")]), next.die(&world).await).await;
            }
            // A refusal to list is believed after five minutes.
            next.turn(&world, Duration::from_secs(400)).await;
            assert_eq!(next.committed(0).await, 20, "{}", next.task.state());
            let found = world.read_back(false);
            assert!((0..20).all(|offset| found.get(&(0, offset)).is_some_and(|names| names.len() == 1)), "{found:?}");
        });
    }
}

/// The task says that it cannot go on, and of which offsets.
pub(super) async fn refuses(life: &mut Driven, world: &World, offsets: &str) {
    for _ in 0..6_000 {
        if let Err(error) = life.turn_once(world).await {
            assert!(error.kind() == ErrorKind::Config && error.report().contains(offsets), "{}", error.report());
            return;
        }
    }
    panic!("it goes on: {:?}", names(world));
}

#[test]
fn names_that_change_after_a_crash_in_mid_group_are_refused_and_double_nothing() {
    for changed in [("topics.dir", "other"), ("s3.compression.type", "gzip")] {
        tell(async || {
            let mut world = World::new(1, 10);
            hang(&world, "topics/t/digit=1/");
            let settings = |more: &[(&str, &str)]| with(10, &[&[("digits", "2")][..], more].concat());
            let group = uncommitted(&world, &settings(&[])).await;
            let_go(&world);
            world.log.end = 20;
            let mut next = Driven::begin(&world, "sink", &settings(&[changed]), group).await;
            refuses(&mut next, &world, "Offsets 0 to 10").await;
            assert_eq!(names(&world).len(), 1);
            let group = next.die(&world).await;
            let mut next = Driven::begin(&world, "sink", &settings(&[]), group).await;
            next.turn(&world, Duration::from_secs(60)).await;
            assert_eq!(next.committed(0).await, 20, "{}", next.task.state());
            world.check(false, "with the former settings");
        });
    }
}

/// The owner died after the object and before the copy was in the dead letter queue: nobody else would report the record.
#[test]
fn a_record_that_no_file_took_is_reported_again_though_the_object_of_its_neighbours_is_there() {
    tell(async || {
        let world = World::new(1, 9);
        let (reports, settings) = (Reports::default(), with(4, &[("refuses", "2")]));
        let mut life = Driven::begin_with(&world, "sink", &settings, nowhere(&[t(0)]), Some(reports.clone())).await;
        life.held = BTreeSet::from([t(0)]);
        life.turn(&world, Duration::from_secs(10)).await;
        assert_eq!((names(&world).len(), lock(&reports.0).clone()), (2, vec![2]), "{}", life.task.state());
        let group = life.die(&world).await;
        assert_eq!(group[&t(0)].offset, 0);

        let again = Reports::default();
        let mut next = Driven::begin_with(&world, "sink", &settings, group, Some(again.clone())).await;
        next.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(*lock(&again.0), [2], "{}", next.task.state());
        assert_eq!((names(&world).len(), next.committed(0).await), (2, 9));
    });
}

/// The values are there and the keys are not: what the values' file did not take must not come into the keys' file, and is reported by nobody else.
#[test]
fn a_record_that_no_file_took_is_reported_again_where_its_group_is_partly_there() {
    tell(async || {
        let world = World::new(1, 10);
        let settings = with(9, &[("refuses.of.values", "4"), ("store.kafka.keys", "true"), ("keys.format.class", "Offset")]);
        hang(&world, "topics/t/digit=0/t+0+0000000000.keys");
        let mut life = Driven::begin_with(&world, "sink", &settings, nowhere(&[t(0)]), Some(Reports::default())).await;
        life.held = BTreeSet::from([t(0)]);
        life.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(names(&world), [object(0, 0)], "{}", life.task.state());
        let group = life.die(&world).await;
        let_go(&world);

        let again = Reports::default();
        let mut next = Driven::begin_with(&world, "sink", &settings, group, Some(again.clone())).await;
        next.turn(&world, Duration::from_secs(60)).await;
        assert_eq!(*lock(&again.0), [4], "{}", next.task.state());
        assert_eq!(next.committed(0).await, 10);
        let keys =
            lock(&world.bucket).objects.iter().find(|(name, _)| name.contains(".keys")).map(|(_, object)| object.body.clone());
        let lines = keys.map(|body| body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count());
        assert_eq!(lines, Some(9));
    });
}

/// The same where the wall clock decides a part of the directory and a field the rest.
#[test]
fn a_record_without_a_directory_is_reported_again_though_the_clock_has_a_part_in_directories() {
    tell(async || {
        let world = World::new(1, 9);
        let template = [
            ("partitioner.class", "TemplatePartitioner"),
            ("partition.template", "{time:HH}/{field.odd}"),
            ("partition.duration.ms", "3600000"),
        ];
        let (reports, settings) = (Reports::default(), with(4, &template));
        let mut life = Driven::begin_with(&world, "sink", &settings, nowhere(&[t(0)]), Some(reports.clone())).await;
        life.held = BTreeSet::from([t(0)]);
        life.turn(&world, Duration::from_secs(10)).await;
        assert_eq!(*lock(&reports.0), [2], "{}", life.task.state());
        let group = life.die(&world).await;
        assert_eq!(group[&t(0)].offset, 0);

        let again = Reports::default();
        let mut next = Driven::begin_with(&world, "sink", &settings, group, Some(again.clone())).await;
        next.turn(&world, Duration::from_secs(20)).await;
        assert_eq!(*lock(&again.0), [2], "{}", next.task.state());
    });
}

/// The zone names the directories.
#[test]
fn a_zone_that_changes_after_a_crash_in_mid_group_hides_no_record() {
    tell(async || {
        let world = World::new(1, 10);
        let by_hour = |zone| {
            let hours = [("partition.duration.ms", "3600000"), ("path.format", "HH"), ("timezone", zone), ("digits", "1")];
            with(10, &[&BY_HOURS[..], &hours].concat())
        };
        hang(&world, "topics/t/03/");
        let group = uncommitted(&world, &by_hour("UTC")).await;
        assert_eq!(names(&world).len(), 1, "{:?}", names(&world));
        let_go(&world);
        let mut next = Driven::begin(&world, "sink", &by_hour("-01:00"), group).await;
        refuses(&mut next, &world, "Offsets 0 to 10").await;
        let group = next.die(&world).await;
        let mut next = Driven::begin(&world, "sink", &by_hour("UTC"), group).await;
        next.turn(&world, Duration::from_secs(120)).await;
        assert_eq!(next.committed(0).await, 10, "{}", next.task.state());
        world.check(false, "in the former zone");
    });
}

/// Each record an hour after the one before.
const BY_HOURS: [(&str, &str); 4] = [
    ("partitioner.class", "TimeBasedPartitioner"),
    ("locale", "en"),
    ("timestamp.extractor", "RecordField"),
    ("timestamp.field", "hour"),
];

/// A field's content must not decide whether its value survives: values and null values never share a file.
#[test]
fn a_record_whose_directory_is_that_of_null_values_or_too_long_is_reported_and_no_other() {
    let long = |times| "{field.kind}".repeat(times);
    let of_this_store = PieceLimit { longest_directory: 255, longest_file: 251, length: str::len };
    for (template, piece_limit, why) in [
        ("{field.kind}".to_owned(), None, "null values"),
        (long(151), None, "too long"),
        (long(40), Some(of_this_store), "too long for this store"),
    ] {
        tell(async || {
            let mut world = World::new(1, 20);
            world.weather.piece_limit = piece_limit;
            let reports = Reports::default();
            let settings = [
                ("partitioner.class", "TemplatePartitioner"),
                ("partition.template", &template),
                ("behavior.on.null.values", "write"),
                ("store.kafka.keys", "true"),
                ("tombstone.encoded.partition", "nothing"),
            ];
            let mut life = Driven::begin_with(&world, "sink", &with(1, &settings), nowhere(&[t(0)]), Some(reports.clone())).await;
            life.turn(&world, Duration::from_secs(20)).await;
            let committed = life.committed(0).await;
            assert_eq!((lock(&reports.0).clone(), committed), (vec![12], 20), "{why}: {}", life.task.state());
            assert_eq!(world.read_back(false).len(), 19);
        });
    }
}
