//! Random stories: what a life suffers, and what happens between two of them.

use std::{collections::BTreeMap, time::Duration};

use connect_api::{CommitReason, SinkTask, config::Config};

use super::{
    records::{BY_FIELD, BY_TIME, any_schema, directory_by_field, directory_by_time},
    tell,
    world::{World, settings, topic_partition},
};

/// What directories depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The offset's remainder.
    Digit,
    Field,
    Record,
    RecordField,
    Wallclock,
}

/// What may happen in a world.
#[derive(Clone, Copy, Debug)]
struct Story {
    schedule: bool,
    digits: u64,
    /// Settings that cut otherwise at every restart.
    change_flush_size: bool,
    /// A transform at some restarts, which drops records.
    change_transforms: bool,
    /// Owners that stand still and go on later.
    frozen: bool,
    /// Records so large that files outgrow a part.
    large_records: bool,
    /// Which files outgrow a part depends on the memory that is left, too.
    tight_memory: bool,
    /// Records that are gone at the next reading.
    vanish: bool,
    /// A file of keys beside each file.
    keys: bool,
    /// Objects of somebody else under names that are wanted.
    foreign: bool,
    /// Topics that are deleted and made anew.
    recreate: bool,
    by_clock: bool,
    by: By,
    /// Record time cuts, and each change of the directory does.
    interval: bool,
    on_change: bool,
    max_open_files: Option<u64>,
    /// So many bytes cut, and the wall clock where nothing is written.
    bytes: bool,
    idle: bool,
    /// Limits count for each file.
    per_file: bool,
    /// So little memory that files go to disk, open and closed.
    spills: bool,
    /// Records of several schemas.
    schemas: bool,
    /// Each schema has an open file of its own.
    file_for_each_schema: bool,
}

const PLAIN: Story = Story {
    schedule: false,
    digits: 1,
    change_flush_size: false,
    change_transforms: false,
    frozen: false,
    large_records: false,
    tight_memory: false,
    vanish: false,
    keys: false,
    foreign: false,
    recreate: false,
    by_clock: false,
    by: By::Digit,
    interval: false,
    on_change: false,
    max_open_files: None,
    bytes: false,
    idle: false,
    per_file: false,
    spills: false,
    schemas: false,
    file_for_each_schema: false,
};

impl Story {
    fn settings(self, flush_size: u64, with_transform: bool) -> Config {
        let mut config = settings(flush_size, self.digits);
        let mut set = |key: &str, value: &str| config.insert(key, value.to_owned(), None);
        if self.schedule {
            set("rotate.schedule.interval.ms", "1000");
        }
        if self.keys {
            set("store.kafka.keys", "true");
        }
        if with_transform {
            set("transforms", "drop");
        }
        if self.tight_memory {
            set("s3.part.size", "26214400");
        }
        if self.by_clock {
            set("by.clock", "true");
        }
        let by: &[(&str, &str)] = match self.by {
            By::Digit => &[],
            By::Field => &BY_FIELD,
            By::Record | By::RecordField | By::Wallclock => &BY_TIME,
        };
        by.iter().for_each(|(key, value)| set(key, value));
        if matches!(self.by, By::RecordField | By::Wallclock) {
            set("timestamp.extractor", &format!("{:?}", self.by));
        }
        if self.interval {
            set("rotate.interval.ms", "1500");
        }
        set("rotate.file.on.partition.change", if self.on_change { "true" } else { "false" });
        if let Some(most) = self.max_open_files {
            set("partitioner.max.open.files", &most.to_string());
        }
        if self.bytes {
            set("rotate.size.bytes", "40");
        }
        if self.idle {
            set("rotate.idle.ms", "300");
        }
        if self.per_file {
            set("rotate.per.file", "true");
        }
        if self.file_for_each_schema {
            set("rotate.file.on.schema.change", "false");
        }
        config
    }

    /// Every record lies where its time or its field says.
    fn check_directories(self, world: &World, context: &str) {
        let directory = match self.by {
            By::Field => directory_by_field,
            By::Record | By::RecordField => directory_by_time,
            By::Digit | By::Wallclock => return,
        };
        for ((_, offset), names) in world.read_back(false) {
            // Of a record that was read twice under two names the check of the account tells.
            let is_there = |name: &String| name.starts_with(&format!("topics/t/{}/t+0+", directory(offset)));
            assert!(self.by == By::Record && world.log.id > 0 || names.iter().all(is_there), "{context}: {offset} is in {names:?}");
        }
    }

    /// No object has records of two schemas.
    fn check_schemas(self, world: &World, context: &str) {
        let mut schemas = BTreeMap::new();
        for ((_, offset), names) in world.read_back(false) {
            for name in names {
                let (schema, first) = (any_schema(offset), schemas.entry(name).or_insert(offset));
                assert_eq!(any_schema(*first), schema, "{context}: {first} and {offset} are in one object");
            }
        }
    }

    async fn tell(self, seed: u64) {
        let mut world = World::new(seed, if self.large_records { 16 } else { 60 });
        world.memory = if self.tight_memory { 24 << 20 } else { 64 << 20 };
        world.record_bytes = if self.large_records { 3 << 20 } else { 0 };
        if self.spills && !self.large_records {
            (world.memory, world.record_bytes) = (24 << 10, 2_500);
        }
        world.weather.faults = 8;
        if self.schemas {
            world.schema_of = any_schema;
        }
        if self.foreign {
            self.put_foreign(&mut world);
        }
        let flush_size = 1 + world.dice.below(8);
        for _ in 0..1 + world.dice.below(6) {
            let size = if self.change_flush_size { 1 + world.dice.below(8) } else { flush_size };
            let settings = self.settings(size, self.change_transforms && world.dice.one_in(2));
            self.one_life(&mut world, &settings).await;
            self.between_lives(&mut world).await;
        }
        self.finish(&mut world, flush_size, seed).await;
    }

    async fn one_life(self, world: &mut World, settings: &Config) {
        let mut life = world.incarnate(settings).await;
        let steps = world.dice.below(25);
        world.live(&mut life, steps).await;
        if self.frozen && world.dice.one_in(4) {
            // It stands still, but not for so long that it loses anything.
            life.host.freeze();
            world.pass(Duration::from_secs(5)).await;
            life.host.thaw();
            world.live(&mut life, 5).await;
        }
        if self.recreate && world.dice.one_in(5) {
            let end = 20 + world.dice.up_to(80);
            world.recreate(end, Some(&mut life)).await;
            let steps = world.dice.below(25);
            world.live(&mut life, steps).await;
        }
        if world.dice.one_in(4) {
            if world.dice.one_in(4) {
                // A broker says so that has just started.
                life.task.deleted(&[topic_partition()]).await.unwrap();
            }
            let committed = world.commit(&mut life, CommitReason::Closing).await;
            world.kill(life);
            if !committed {
                world.session_ends().await;
            }
            return;
        }
        if self.frozen && world.dice.one_in(3) {
            world.freeze(life);
        } else {
            world.kill(life);
        }
        // Whoever comes next gets the partition when the group has given the dead up.
        world.session_ends().await;
    }

    async fn between_lives(self, world: &mut World) {
        if self.vanish {
            for _ in 0..world.dice.below(4) {
                // Compaction leaves the last record.
                let offset = world.dice.up_to(world.log.end - 2);
                world.log.gone.insert(offset);
            }
            if world.dice.one_in(4) {
                // Retention: the log begins later.
                let start = world.dice.up_to(world.log.end / 3);
                world.log.gone.extend(0..start);
            }
        }
        if self.recreate && world.dice.one_in(5) {
            let end = 20 + world.dice.up_to(80);
            world.recreate(end, None).await;
        }
        if world.dice.one_in(2) {
            world.thaw().await;
        }
    }

    fn put_foreign(self, world: &mut World) {
        let mut first = world.dice.up_to(5);
        while first < world.log.end {
            let end = first + 1 + world.dice.up_to(12);
            world.put_foreign(first, end);
            first = end + if world.dice.one_in(4) { world.dice.up_to(5) } else { 0 };
        }
    }

    /// The last owner reads on until everything is durable; what is left in open files is flushed by a size of one.
    async fn finish(self, world: &mut World, flush_size: u64, seed: u64) {
        let context = format!("{self:?}, seed {seed}");
        world.thaw().await;
        world.weather.faults = 0;
        let mut life = world.incarnate(&self.settings(flush_size, false)).await;
        world.live(&mut life, 60).await;
        // Of each file, where limits count for each.
        let open = if self.per_file { 100 } else { 1 } * i64::try_from(flush_size).unwrap();
        let all_full = world.log.end - open - i64::try_from(world.log.gone.len()).unwrap();
        // What lies on disk is read back one after the other where memory is little.
        for _ in 0..if self.spills { 600 } else { 60 } {
            if world.group.offset < all_full {
                world.live(&mut life, 10).await;
            }
        }
        assert!(
            world.group.offset >= all_full,
            "{context}: a full file waits for ever, at {:?} paused={} next={} {}",
            world.group,
            super::lock(&life.host.requests).is_paused,
            life.next,
            life.task.state()
        );
        world.commit(&mut life, CommitReason::Closing).await;
        world.kill(life);
        world.session_ends().await;
        let last = Self { schedule: false, ..self };
        let mut life = world.incarnate(&last.settings(1, false)).await;
        for _ in 0..if self.spills { 400 } else { 100 } {
            world.live(&mut life, 10).await;
        }
        assert_eq!(world.group.offset, world.log.end, "{context}: the offset stands still");
        world.pass(Duration::from_secs(60)).await;
        world.check(false, &context);
        self.check_directories(world, &context);
        // Where cuts are planned, settings that have changed may leave no room for one between two schemas.
        if self.schemas && self.file_for_each_schema {
            self.check_schemas(world, &context);
        }
        if self.keys {
            world.check(true, &context);
        }
    }
}

fn tell_all(story: Story) {
    tell_some(story, if story.large_records { 8 } else { 60 });
}

fn tell_some(story: Story, seeds: u64) {
    for seed in 0..seeds {
        tell(async || story.tell(seed).await);
    }
}

#[test]
fn crashes_and_lost_answers_neither_lose_nor_double_a_record() {
    tell_all(PLAIN);
}

#[test]
fn scheduled_cuts_survive_crashes_because_they_are_planned_first() {
    tell_all(Story { schedule: true, ..PLAIN });
}

#[test]
fn several_open_files_are_cut_together_and_survive_crashes() {
    tell_all(Story { digits: 3, ..PLAIN });
    tell_all(Story { digits: 3, schedule: true, ..PLAIN });
    tell_all(Story { digits: 3, keys: true, ..PLAIN });
}

#[test]
fn settings_may_change_at_every_restart() {
    tell_all(Story { change_flush_size: true, ..PLAIN });
    tell_all(Story { change_flush_size: true, schedule: true, ..PLAIN });
    tell_all(Story { change_transforms: true, keys: true, ..PLAIN });
    tell_all(Story { change_transforms: true, change_flush_size: true, digits: 2, ..PLAIN });
}

#[test]
fn a_frozen_owner_that_thaws_changes_nothing_whatever_the_settings_of_its_successor() {
    tell_all(Story { frozen: true, ..PLAIN });
    tell_all(Story { frozen: true, schedule: true, ..PLAIN });
    tell_all(Story { frozen: true, schedule: true, digits: 3, ..PLAIN });
    tell_all(Story { frozen: true, change_flush_size: true, ..PLAIN });
    tell_all(Story { frozen: true, change_flush_size: true, schedule: true, ..PLAIN });
}

#[test]
fn objects_in_parts_survive_crashes_too() {
    tell_all(Story { large_records: true, ..PLAIN });
    tell_all(Story { large_records: true, change_flush_size: true, schedule: true, ..PLAIN });
}

#[test]
fn what_goes_in_parts_may_depend_on_the_memory_that_is_left() {
    tell_all(Story { large_records: true, digits: 2, change_flush_size: true, ..PLAIN });
    tell_all(Story { large_records: true, tight_memory: true, ..PLAIN });
    tell_all(Story { large_records: true, tight_memory: true, digits: 2, schedule: true, ..PLAIN });
}

#[test]
fn records_that_vanish_between_two_readings_double_nothing() {
    tell_all(Story { vanish: true, ..PLAIN });
    tell_all(Story { vanish: true, keys: true, ..PLAIN });
    tell_all(Story { vanish: true, digits: 3, schedule: true, ..PLAIN });
    tell_all(Story { vanish: true, frozen: true, ..PLAIN });
}

#[test]
fn objects_of_others_are_followed_and_hold_nothing_up() {
    tell_all(Story { foreign: true, ..PLAIN });
    tell_all(Story { foreign: true, change_flush_size: true, ..PLAIN });
}

#[test]
fn topics_made_anew_lose_nothing_of_the_new_log_and_mix_no_object() {
    tell_all(Story { recreate: true, ..PLAIN });
    tell_all(Story { recreate: true, schedule: true, digits: 2, ..PLAIN });
    tell_all(Story { recreate: true, keys: true, vanish: true, ..PLAIN });
}

#[test]
fn what_the_wall_clock_decides_is_the_same_for_whoever_reads_again() {
    tell_all(Story { by_clock: true, ..PLAIN });
    tell_all(Story { by_clock: true, digits: 2, frozen: true, schedule: true, ..PLAIN });
}

/// There are many mixtures, and the one of everything tells more of each.
const FEW: u64 = 15;

const PARTITIONED: [By; 4] = [By::Field, By::Record, By::RecordField, By::Wallclock];

#[test]
fn directories_by_time_and_by_field_survive_crashes_whatever_cuts() {
    for by in PARTITIONED {
        let story = Story { by, ..PLAIN };
        tell_some(story, FEW);
        tell_some(Story { interval: true, on_change: true, keys: true, ..story }, FEW);
        tell_some(Story { interval: true, frozen: true, ..story }, FEW);
        tell_some(Story { interval: true, schedule: true, ..story }, FEW);
        tell_some(Story { max_open_files: Some(2), frozen: true, ..story }, FEW);
    }
}

#[test]
fn directories_by_time_and_by_field_survive_settings_that_change_and_records_that_vanish() {
    for by in PARTITIONED {
        let story = Story { by, interval: true, ..PLAIN };
        tell_some(Story { change_flush_size: true, change_transforms: true, ..story }, FEW);
        tell_some(Story { vanish: true, on_change: true, frozen: true, ..story }, FEW);
        tell_some(Story { vanish: true, schedule: true, max_open_files: Some(2), ..story }, FEW);
        tell_some(Story { recreate: true, frozen: true, ..story }, FEW);
    }
}

#[test]
fn cuts_by_bytes_and_of_what_is_idle_survive_everything() {
    for by in [By::Digit, By::Field, By::RecordField, By::Wallclock] {
        for (bytes, idle) in [(true, false), (false, true), (true, true)] {
            let story = Story { by, bytes, idle, ..PLAIN };
            tell_some(story, FEW);
            tell_some(Story { keys: true, interval: true, frozen: true, ..story }, FEW);
            tell_some(Story { change_flush_size: true, vanish: true, schedule: true, ..story }, FEW);
            tell_some(Story { per_file: true, frozen: true, ..story }, FEW);
        }
    }
}

#[test]
fn schemas_that_cut_survive_everything() {
    let story = Story { schemas: true, ..PLAIN };
    tell_some(story, FEW);
    tell_some(Story { keys: true, vanish: true, ..story }, FEW);
    tell_some(Story { digits: 3, frozen: true, change_flush_size: true, ..story }, FEW);
}

#[test]
fn files_for_each_schema_survive_crashes_and_records_that_vanish() {
    let story = Story { schemas: true, file_for_each_schema: true, ..PLAIN };
    tell_all(story);
    tell_all(Story { keys: true, ..story });
    tell_all(Story { vanish: true, keys: true, frozen: true, ..story });
    tell_all(Story { digits: 2, vanish: true, change_flush_size: true, ..story });
}

#[test]
fn files_for_each_schema_survive_everything_that_cuts_and_whatever_their_directories() {
    let story = Story { schemas: true, file_for_each_schema: true, ..PLAIN };
    tell_some(Story { max_open_files: Some(2), change_transforms: true, ..story }, FEW);
    tell_some(Story { schedule: true, idle: true, vanish: true, ..story }, FEW);
    tell_some(Story { per_file: true, bytes: true, recreate: true, ..story }, FEW);
    tell_some(Story { spills: true, keys: true, ..story }, FEW);
    for by in PARTITIONED {
        tell_some(Story { by, interval: true, vanish: true, frozen: true, ..story }, FEW);
    }
    tell_some(Story { large_records: true, vanish: true, ..story }, 6);
    tell_some(Story { large_records: true, tight_memory: true, schedule: true, ..story }, 6);
}

#[test]
fn files_that_go_to_disk_survive_everything_but_the_process() {
    for by in [By::Field, By::Wallclock] {
        let story = Story { by, spills: true, ..PLAIN };
        tell_some(Story { keys: true, frozen: true, ..story }, FEW);
        tell_some(Story { vanish: true, schedule: true, ..story }, FEW);
        tell_some(Story { change_flush_size: true, recreate: true, ..story }, FEW);
    }
}

#[test]
fn directories_by_time_survive_crashes_in_parts_too() {
    for by in [By::Record, By::Wallclock] {
        tell_some(Story { by, interval: true, large_records: true, ..PLAIN }, 3);
        tell_some(Story { by, large_records: true, tight_memory: true, schedule: true, ..PLAIN }, 3);
    }
}

/// All of it at once. `CONNECT_SIMULATION_STORIES` stories, from `CONNECT_SIMULATION_SEED` on; without them, about a minute's worth.
#[test]
fn any_mixture_of_it_neither_loses_nor_doubles_nor_changes_anything() {
    let number = |name: &str| {
        #[allow(clippy::disallowed_methods, reason = "a test is told by its environment")]
        std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"))
    };
    let (first, stories) = (number("CONNECT_SIMULATION_SEED").unwrap_or(1), number("CONNECT_SIMULATION_STORIES").unwrap_or(600));
    let next = std::sync::atomic::AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed >= first + stories {
                        return;
                    }
                    let story = random(seed);
                    tell(async || story.tell(seed).await);
                }
            });
        }
    });
}

fn random(seed: u64) -> Story {
    let dice = super::Dice::new(seed ^ 0x5eed);
    let large_records = dice.one_in(200);
    let digits = [1, 1, 2, 3][usize::try_from(dice.below(4)).unwrap()];
    let by = if dice.one_in(2) { By::Digit } else { PARTITIONED[usize::try_from(dice.below(4)).unwrap()] };
    Story {
        schedule: dice.one_in(3),
        digits,
        change_flush_size: dice.one_in(2),
        change_transforms: dice.one_in(3),
        frozen: dice.one_in(2),
        large_records,
        tight_memory: large_records && dice.one_in(2),
        vanish: dice.one_in(2),
        keys: dice.one_in(3),
        foreign: digits == 1 && dice.one_in(6),
        recreate: dice.one_in(3),
        by_clock: dice.one_in(8),
        by,
        interval: dice.one_in(2),
        on_change: dice.one_in(2),
        max_open_files: dice.one_in(4).then(|| 1 + dice.below(3)),
        bytes: dice.one_in(4),
        idle: dice.one_in(4),
        per_file: dice.one_in(6),
        spills: dice.one_in(8),
        schemas: dice.one_in(2),
        file_for_each_schema: dice.one_in(2),
    }
}
