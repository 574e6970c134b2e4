//! A world in which everything goes wrong: crashes at every step, lost answers, frozen owners, settings that change at a restart.
//!
//! Whatever happens, every record must lie in the bucket exactly once, and no object may change after it has appeared.

use std::{
    cell::Cell,
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use connect_api::{
    Body, Budget, CommitReason, Completion, Condition, ConsumerRecord, ConsumerRecords, ErrantRecordReporter, Error, Format,
    Metrics, MultipartUpload, ObjectInfo, ObjectMetadata, OffsetAndMetadata, Offsets, Origin, PartitionedBy, Partitioner, Plugin,
    Plugins, RecordView, RecordWriter, Result, SinkRecord, SinkTask, SinkTaskContext, SinkTaskHost, Storage, TopicPartition,
    Version, async_trait,
    config::{Config, ConfigDef},
    data::{Data, Value},
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{StorageSinkConfig, StorageSinkTask};

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(1_700_000_000_000) };
}

/// xorshift64*: the same seed, the same world.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)))
    }

    fn below(&self, sides: u64) -> u64 {
        let mut state = lock(&self.0);
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn one_in(&self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
struct Object {
    body: Vec<u8>,
    metadata: ObjectMetadata,
    version: u64,
}

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    versions: u64,
    replaced: Vec<String>,
}

/// The bucket as one incarnation of the task sees it.
#[derive(Clone)]
struct View {
    bucket: Arc<Mutex<Bucket>>,
    dice: Dice,
    faults: u64,
    /// Nothing that is put will ever be taken.
    refuses: bool,
    frozen: Arc<Mutex<bool>>,
}

impl View {
    async fn before(&self) -> Result<()> {
        while *lock(&self.frozen) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(self.dice.below(40))).await;
        while *lock(&self.frozen) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if self.faults > 0 && self.dice.one_in(self.faults) { Err(Error::retriable("refused")) } else { Ok(()) }
    }

    async fn after(&self) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(self.dice.below(40))).await;
        if self.faults > 0 && self.dice.one_in(self.faults) { Err(Error::retriable("the answer was lost")) } else { Ok(()) }
    }

    fn create(&self, key: &str, body: Vec<u8>, metadata: &ObjectMetadata, condition: &Condition) -> Completion {
        let mut bucket = lock(&self.bucket);
        let holds = match (bucket.objects.get(key), condition) {
            (None, Condition::NameFree) => true,
            (Some(object), Condition::Unchanged(version)) => object.version.to_string() == version.0,
            _ => false,
        };
        if !holds {
            return Completion::NameTaken;
        }
        bucket.versions += 1;
        let object = Object { body, metadata: metadata.clone(), version: bucket.versions };
        if bucket.objects.insert(key.to_owned(), object).is_some() {
            bucket.replaced.push(key.to_owned());
        }
        Completion::Created
    }
}

#[async_trait]
impl Storage for View {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        self.before().await?;
        if self.refuses {
            return Err(Error::fatal("refused for good"));
        }
        let completion = self.create(key, body.concat(), metadata, condition);
        self.after().await.map(|()| completion)
    }

    async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        self.before().await?;
        Ok(Box::new(InParts { view: self.clone(), key: key.to_owned(), metadata: metadata.clone(), parts: Mutex::default() }))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.before().await?;
        let bucket = lock(&self.bucket);
        Ok(bucket.objects.get(key).map(|object| ObjectInfo {
            size: object.body.len() as u64,
            version: Version(object.version.to_string()),
            metadata: object.metadata.clone(),
        }))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.before().await?;
        Ok(lock(&self.bucket).objects.get(key).map(|object| Bytes::from(object.body.clone())))
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<String>> {
        self.before().await?;
        let bucket = lock(&self.bucket);
        let names =
            bucket.objects.keys().filter(|key| key.starts_with(prefix) && start_after.is_none_or(|after| key.as_str() > after));
        Ok(names.cloned().collect())
    }

    async fn abort_uploads(&self, _prefix: &str) -> Result<usize> {
        Ok(0)
    }
}

struct InParts {
    view: View,
    key: String,
    metadata: ObjectMetadata,
    parts: Mutex<BTreeMap<usize, Vec<u8>>>,
}

#[async_trait]
impl MultipartUpload for InParts {
    async fn put_part(&self, number: usize, body: Body) -> Result<()> {
        self.view.before().await?;
        lock(&self.parts).insert(number, body.concat());
        self.view.after().await
    }

    async fn complete(&self, condition: &Condition) -> Result<Completion> {
        self.view.before().await?;
        let body: Vec<u8> = lock(&self.parts).values().flatten().copied().collect();
        let completion = self.view.create(&self.key, body, &self.metadata, condition);
        self.view.after().await.map(|()| completion)
    }

    async fn abort(&self) -> Result<()> {
        Ok(())
    }
}

/// A line per record: its offset, padded to the record's size.
struct Offset;

impl Plugin for Offset {
    const NAME: &'static str = "Offset";
    const DOCUMENTATION: &'static str = "the record's offset";

    fn config_def() -> ConfigDef {
        ConfigDef::default()
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl Format for Offset {
    fn extension(&self) -> &'static str {
        ".txt"
    }

    fn allows_stream_compression(&self) -> bool {
        true
    }

    fn record_writer(&self, _view: RecordView) -> Result<Box<dyn RecordWriter>> {
        Ok(Box::new(Self))
    }
}

impl RecordWriter for Offset {
    fn write(&mut self, record: &SinkRecord, out: &mut Vec<u8>) -> Result<()> {
        let Value::Int64(bytes) = record.value.value else { return Err(Error::data("not a size")) };
        out.extend_from_slice(format!("{}", record.offset()).as_bytes());
        out.resize(out.len() + usize::try_from(bytes).unwrap(), b' ');
        out.push(b'\n');
        Ok(())
    }

    fn finish(self: Box<Self>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// By the last digit: several files are open at once.
struct Digit(u64);

impl Plugin for Digit {
    const NAME: &'static str = "Digit";
    const DOCUMENTATION: &'static str = "the offset's remainder";

    fn config_def() -> ConfigDef {
        ConfigDef::default()
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self(config.text("digits").and_then(|digits| digits.parse().ok()).unwrap_or(1)))
    }
}

impl Partitioner for Digit {
    fn partitioned_by(&self) -> PartitionedBy {
        if self.0 == 1 { PartitionedBy::TopicPartition } else { PartitionedBy::Record }
    }

    fn encode_partition(&self, record: &SinkRecord, _now: i64, encoded: &mut String) -> Result<()> {
        *encoded = format!("digit={}", record.offset().unsigned_abs() % self.0);
        Ok(())
    }
}

/// The runtime's side of one incarnation.
struct Host {
    commit_requested: Mutex<bool>,
    seek: Mutex<Option<i64>>,
    spawned: Arc<Mutex<JoinSet<()>>>,
}

impl SinkTaskHost for Host {
    fn request_commit(&self) {
        *lock(&self.commit_requested) = true;
    }

    fn wake(&self) {}

    fn offset(&self, _topic_partition: TopicPartition, offset: i64) {
        *lock(&self.seek) = Some(offset);
    }

    fn timeout(&self, _timeout: Duration) {}

    fn errant_record_reporter(&self) -> Option<&dyn ErrantRecordReporter> {
        None
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        lock(&self.spawned).spawn(future);
    }
}

/// One life of the task.
struct Incarnation {
    task: StorageSinkTask,
    host: Arc<Host>,
    frozen: Arc<Mutex<bool>>,
    next: i64,
}

struct World {
    bucket: Arc<Mutex<Bucket>>,
    dice: Dice,
    group: OffsetAndMetadata,
    end: i64,
    record_bytes: usize,
    memory: usize,
    refuses: bool,
    zombies: Vec<Incarnation>,
}

fn topic_partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

impl World {
    fn new(seed: u64, end: i64) -> Self {
        Self {
            bucket: Arc::default(),
            dice: Dice::new(seed),
            group: OffsetAndMetadata::default(),
            end,
            record_bytes: 0,
            memory: 64 << 20,
            refuses: false,
            zombies: Vec::new(),
        }
    }

    async fn incarnate(&self, settings: &Config, faults: u64) -> Incarnation {
        let plugins = Plugins::default().format::<Offset>().partitioner::<Digit>();
        let config = Arc::new(StorageSinkConfig::new(settings, &plugins).unwrap());
        let frozen = Arc::new(Mutex::new(false));
        let view = View {
            bucket: Arc::clone(&self.bucket),
            dice: self.dice.clone(),
            faults,
            refuses: self.refuses,
            frozen: Arc::clone(&frozen),
        };
        let task = StorageSinkTask::new(config, Arc::new(view), Arc::new(Semaphore::new(8))).with_clock(|| NOW.get());
        let host = Arc::new(Host { commit_requested: Mutex::new(false), seek: Mutex::new(None), spawned: Arc::default() });
        let context = SinkTaskContext::new("sink".into(), 0, Budget::new(self.memory), Metrics::default(), host.clone());
        let mut life = Incarnation { task, host, frozen, next: self.group.offset };
        life.task.start(context).await.unwrap();
        while let Err(error) = life.task.open(&Offsets::from([(topic_partition(), self.group.clone())])).await {
            assert_eq!(error.kind(), connect_api::ErrorKind::Retriable, "{error:?}");
        }
        life
    }

    /// Reads and commits for some steps, as the runtime would.
    async fn live(&mut self, life: &mut Incarnation, steps: u64) {
        for _ in 0..steps {
            NOW.set(NOW.get() + i64::try_from(self.dice.below(400)).unwrap());
            let batch = i64::try_from(self.dice.below(6)).unwrap().min(self.end - life.next);
            let records = records(life.next, batch, self.record_bytes);
            life.next += batch;
            life.task.put(&records).await.unwrap();
            if let Some(offset) = lock(&life.host.seek).take() {
                life.next = offset;
            }
            let wanted = std::mem::take(&mut *lock(&life.host.commit_requested));
            if wanted || self.dice.one_in(5) {
                self.commit(life, CommitReason::Due).await;
            }
            tokio::time::sleep(Duration::from_millis(self.dice.below(60))).await;
        }
    }

    async fn commit(&mut self, life: &mut Incarnation, reason: CommitReason) {
        let delivered = Offsets::from([(topic_partition(), OffsetAndMetadata::new(life.next, ""))]);
        let offsets = life.task.pre_commit(&delivered, reason).await.unwrap();
        // A crash may come between, and the answer may be lost: then the group knows what the task does not.
        if self.dice.one_in(6) {
            return;
        }
        let committed = &offsets[&topic_partition()];
        assert!(committed.offset <= life.next, "committed {} beyond {}", committed.offset, life.next);
        assert!(committed.metadata.len() < 4_096);
        self.group = committed.clone();
        if !self.dice.one_in(6) {
            life.task.committed(&offsets);
        }
    }

    /// Ends a life at once, or leaves it frozen with its requests under way.
    fn kill(&mut self, life: Incarnation, may_freeze: bool) {
        if may_freeze && self.dice.one_in(3) {
            *lock(&life.frozen) = true;
            self.zombies.push(life);
        } else {
            lock(&life.host.spawned).abort_all();
        }
    }

    /// Zombies thaw: what they had under way reaches the store now. Their commits are refused.
    fn thaw(&mut self) {
        for zombie in &self.zombies {
            *lock(&zombie.frozen) = false;
        }
    }

    fn read_back(&self) -> Vec<i64> {
        let bucket = lock(&self.bucket);
        let lines = bucket.objects.values().flat_map(|object| object.body.split(|byte| *byte == b'\n'));
        let texts = lines.map(|line| std::str::from_utf8(line).unwrap().trim()).filter(|line| !line.is_empty());
        let mut offsets: Vec<i64> = texts.map(|line| line.parse().unwrap()).collect();
        offsets.sort_unstable();
        offsets
    }

    fn check(&self, context: &str) {
        let offsets = self.read_back();
        let expected: Vec<i64> = (0..self.end).collect();
        let keys: Vec<_> = lock(&self.bucket)
            .objects
            .iter()
            .map(|(key, object)| {
                format!(
                    "{key} {} {:?}",
                    object.metadata.get("connect-records").map_or("?", String::as_str),
                    object.metadata.get("connect-history")
                )
            })
            .collect();
        assert_eq!(offsets, expected, "{context}: {keys:#?}");
        assert_eq!(lock(&self.bucket).replaced, Vec::<String>::new(), "{context}: objects changed");
    }
}

fn records(first: i64, count: i64, bytes: usize) -> Vec<SinkRecord> {
    let consumed = (first..first + count).map(|offset| ConsumerRecord { offset, ..ConsumerRecord::default() }).collect();
    let batch = Arc::new(ConsumerRecords { topic_partition: topic_partition(), records: consumed });
    let value = || Data::schemaless(Value::Int64(bytes.try_into().unwrap()));
    (0..batch.records.len())
        .map(|index| SinkRecord::new(Origin::new(Arc::clone(&batch), index), Data::default(), value(), Vec::new()))
        .collect()
}

fn settings(flush_size: u64, schedule: bool, digits: u64) -> Config {
    let mut config: Config =
        [("format.class", "Offset"), ("partitioner.class", "Digit"), ("timezone", "UTC"), ("s3.part.size", "5242880")]
            .into_iter()
            .collect();
    config.insert("flush.size", flush_size.to_string(), None);
    config.insert("digits", digits.to_string(), None);
    if schedule {
        config.insert("rotate.schedule.interval.ms", "1000", None);
    }
    config
}

/// What a world does at its restarts.
#[derive(Clone, Copy, Debug)]
struct Story {
    schedule: bool,
    digits: u64,
    change_flush_size: bool,
    zombies: bool,
    /// Records so large that files outgrow a part.
    large_records: bool,
    /// Which files outgrow a part depends on the memory that is left, too.
    tight_memory: bool,
}

async fn tell(story: Story, seed: u64) {
    NOW.set(1_700_000_000_000);
    let mut world = World::new(seed, if story.large_records { 16 } else { 60 });
    world.memory = if story.tight_memory { 24 << 20 } else { 64 << 20 };
    world.record_bytes = if story.large_records { 3 << 20 } else { 0 };
    let flush_size = 1 + world.dice.below(8);
    for _ in 0..1 + world.dice.below(6) {
        let size = if story.change_flush_size { 1 + world.dice.below(8) } else { flush_size };
        let mut settings = settings(size, story.schedule, story.digits);
        if story.tight_memory {
            settings.insert("s3.part.size", "26214400", None);
        }
        let mut life = world.incarnate(&settings, 8).await;
        let steps = world.dice.below(25);
        world.live(&mut life, steps).await;
        if world.dice.one_in(4) {
            world.commit(&mut life, CommitReason::Closing).await;
        }
        world.kill(life, story.zombies);
        if world.dice.one_in(2) {
            world.thaw();
        }
    }
    // The last owner reads on until everything is durable; what is left in open files is flushed by a size of one.
    world.thaw();
    let mut life = world.incarnate(&settings(flush_size, story.schedule, story.digits), 0).await;
    world.live(&mut life, 60).await;
    let all_full = world.end - i64::try_from(flush_size).unwrap();
    for _ in 0..40 {
        if world.group.offset < all_full {
            world.live(&mut life, 10).await;
        }
    }
    assert!(world.group.offset >= all_full, "{story:?}, seed {seed}: a full file waits for ever, at {:?}", world.group);
    world.commit(&mut life, CommitReason::Closing).await;
    world.kill(life, false);
    let mut life = world.incarnate(&settings(1, false, story.digits), 0).await;
    for _ in 0..100 {
        world.live(&mut life, 10).await;
    }
    assert_eq!(world.group.offset, world.end, "{story:?}, seed {seed}: the offset stands still");
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.check(&format!("{story:?}, seed {seed}"));
}

fn tell_all(story: Story) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for seed in 0..if story.large_records { 8 } else { 60 } {
        runtime.block_on(tell(story, seed));
    }
}

const PLAIN: Story =
    Story { schedule: false, digits: 1, change_flush_size: false, zombies: false, large_records: false, tight_memory: false };

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
}

#[test]
fn settings_may_change_at_every_restart() {
    tell_all(Story { change_flush_size: true, ..PLAIN });
    tell_all(Story { change_flush_size: true, schedule: true, ..PLAIN });
}

#[test]
fn a_frozen_owner_that_thaws_changes_nothing() {
    tell_all(Story { zombies: true, ..PLAIN });
    tell_all(Story { zombies: true, schedule: true, ..PLAIN });
    tell_all(Story { zombies: true, schedule: true, digits: 3, ..PLAIN });
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
fn an_upload_that_fails_for_good_ends_the_task_though_a_commit_sees_it_first() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(1, 10);
        world.refuses = true;
        let mut life = world.incarnate(&settings(2, false, 1), 0).await;
        life.task.put(&records(0, 2, 0)).await.unwrap();
        let delivered = Offsets::from([(topic_partition(), OffsetAndMetadata::new(2, ""))]);
        let offsets = life.task.pre_commit(&delivered, CommitReason::Due).await.unwrap();
        life.task.committed(&offsets);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let offsets = life.task.pre_commit(&delivered, CommitReason::Due).await.unwrap();
        assert_eq!(offsets[&topic_partition()].offset, 0);
        let error = life.task.put(&[]).await.unwrap_err();
        assert!(error.report().contains("refused for good"), "{}", error.report());
    });
}
