//! The log, the group, the bucket, and the lives over them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use connect_api::{
    Budget, CommitReason, Condition, Metrics, OffsetAndMetadata, Offsets, SinkRecord, SinkTask, SinkTaskContext, TopicPartition,
    config::Config,
};

use super::{
    Dice,
    bucket::{Bucket, REQUEST_LIFE, View, Weather},
    life::{Host, Life, NOW, topic_id},
    lock,
    plugins::plugins,
    records::{SchemaOf, records},
};
use crate::storage_sink::{Permits, StorageSinkConfig, StorageSinkTask};

/// After so long the group gives the partitions of a member that is gone to others: longer than a request lives.
const SESSION: Duration = REQUEST_LIFE.saturating_add(Duration::from_secs(1));

/// What is in the topic's only partition.
pub(super) struct Log {
    pub(super) id: u32,
    pub(super) end: i64,
    /// Offsets that are not there any more.
    pub(super) gone: BTreeSet<i64>,
}

pub(super) struct World {
    pub(super) bucket: Arc<Mutex<Bucket>>,
    pub(super) dice: Dice,
    pub(super) group: OffsetAndMetadata,
    pub(super) log: Log,
    /// Offsets that some life left out: they may be in the bucket, or not.
    pub(super) dropped: BTreeSet<i64>,
    pub(super) record_bytes: usize,
    pub(super) schema_of: SchemaOf,
    pub(super) memory: usize,
    pub(super) weather: Weather,
    pub(super) frozen: Vec<Life>,
    /// Bodies of objects that others have put there: they may be replaced.
    pub(super) foreign: BTreeSet<String>,
}

pub(super) fn topic_partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

pub(super) fn settings(flush_size: u64, digits: u64) -> Config {
    let mut config: Config = [
        ("format.class", "Offset"),
        ("partitioner.class", "Digit"),
        ("timezone", "UTC"),
        ("s3.part.size", "5242880"),
        ("keys.format.class", "Offset"),
    ]
    .into_iter()
    .collect();
    config.insert("flush.size", flush_size.to_string(), None);
    config.insert("digits", digits.to_string(), None);
    config
}

impl World {
    pub(super) fn new(seed: u64, end: i64) -> Self {
        NOW.set(1_700_000_000_000);
        Self {
            bucket: Arc::default(),
            dice: Dice::new(seed),
            group: OffsetAndMetadata::default(),
            log: Log { id: 0, end, gone: BTreeSet::new() },
            dropped: BTreeSet::new(),
            record_bytes: 0,
            schema_of: |_| None,
            memory: 64 << 20,
            weather: Weather::default(),
            frozen: Vec::new(),
            foreign: BTreeSet::new(),
        }
    }

    /// Lets time pass, on both clocks.
    pub(super) async fn pass(&self, time: Duration) {
        NOW.set(NOW.get() + i64::try_from(time.as_millis()).unwrap());
        tokio::time::sleep(time).await;
    }

    /// The time after which others get the partitions of a member that is gone.
    pub(super) async fn session_ends(&self) {
        self.pass(SESSION).await;
    }

    pub(super) async fn incarnate(&self, settings: &Config) -> Life {
        let config = Arc::new(StorageSinkConfig::new(settings, &plugins()).unwrap());
        let (bucket, dice, weather) = (Arc::clone(&self.bucket), self.dice.clone(), self.weather.clone());
        let view = View { bucket, dice, weather, load: Arc::default() };
        let task = StorageSinkTask::new(config, Arc::new(view), Permits::new(8)).with_clock(|| NOW.get());
        // The client may have kept a topic that is gone.
        let seen = if self.log.id > 0 && self.dice.one_in(3) { self.log.id - 1 } else { self.log.id };
        let host = Host::new(seen);
        let context = SinkTaskContext::new("sink".into(), 0, Budget::new(self.memory), Metrics::default(), host.clone());
        let drops = settings.text("transforms").is_some();
        let mut life = Life { task, host, next: self.group.offset, drops };
        life.task.start(context).await.unwrap();
        // Without an offset, or with one that the log does not have, it begins where the log does.
        let is_nowhere = self.group.metadata.is_empty() || self.group.offset > self.log.end;
        let log_start = (0..self.log.end).find(|offset| !self.log.gone.contains(offset)).unwrap_or(self.log.end);
        let position = if is_nowhere { OffsetAndMetadata::new(log_start, "") } else { self.group.clone() };
        life.next = position.offset;
        life.task.open(&Offsets::from([(topic_partition(), position)])).await.unwrap();
        self.find_out_topic(&mut life, log_start).await;
        life
    }

    /// The client learns which topic has the name now, before anything is read.
    async fn find_out_topic(&self, life: &mut Life, log_start: i64) {
        let was = std::mem::replace(&mut *lock(&life.host.topic_id), self.log.id);
        let expected = lock(&life.host.requests).expected.remove(&topic_partition());
        let is = topic_id(self.log.id);
        // It may tell of the change before it hears what is expected.
        let changes = was != self.log.id && (expected.as_ref() != Some(&is) || self.dice.one_in(2));
        let is_other = expected.is_some_and(|expected| expected != is);
        if changes || is_other {
            *lock(&life.host.requests) = super::life::Requests::default();
            life.next = log_start;
            life.task.recreated(&Offsets::from([(topic_partition(), OffsetAndMetadata::new(log_start, ""))])).await.unwrap();
        }
    }

    /// Reads and commits for some steps, as the runtime would.
    pub(super) async fn live(&mut self, life: &mut Life, steps: u64) {
        for _ in 0..steps {
            NOW.set(NOW.get() + self.dice.up_to(400));
            let (seek, is_paused) = {
                let mut requests = lock(&life.host.requests);
                (requests.seek.take(), requests.is_paused)
            };
            life.next = seek.unwrap_or(life.next);
            let batch = if is_paused { 0 } else { self.dice.up_to(5).min(self.log.end - life.next) };
            let records = self.read(life, batch);
            life.task.put(&records).await.unwrap();
            let (seek, wanted) = {
                let mut requests = lock(&life.host.requests);
                (requests.seek.take(), std::mem::take(&mut requests.commit))
            };
            // What was asked for is carried out before anything else is delivered or committed.
            life.next = seek.unwrap_or(life.next);
            if wanted || self.dice.one_in(5) {
                self.commit(life, CommitReason::Due).await;
            }
            tokio::time::sleep(Duration::from_millis(self.dice.below(60))).await;
        }
    }

    /// The next offsets of the log, as far as there are records and the life does not drop them before the task sees them.
    pub(super) fn read(&mut self, life: &mut Life, count: i64) -> Vec<SinkRecord> {
        let first = life.next;
        life.next += count;
        let there = |offset: &i64| !self.log.gone.contains(offset);
        let (dropped, kept): (Vec<i64>, Vec<i64>) =
            (first..life.next).filter(there).partition(|offset| life.drops && offset % 4 == 1);
        self.dropped.extend(dropped);
        let mut records = records(self.log.id, kept, self.record_bytes);
        records.iter_mut().for_each(|record| record.value.schema = (self.schema_of)(record.offset()));
        records
    }

    /// Whether the group has it; the life may not know.
    pub(super) async fn commit(&mut self, life: &mut Life, reason: CommitReason) -> bool {
        // What was asked for is carried out first: what is read again does not count as delivered.
        life.next = lock(&life.host.requests).seek.take().unwrap_or(life.next);
        let delivered = Offsets::from([(topic_partition(), OffsetAndMetadata::new(life.next, ""))]);
        let offsets = life.task.pre_commit(&delivered, reason).await.unwrap();
        // A crash may come between, and the answer may be lost: then the group knows what the task does not.
        let Some(committed) = offsets.get(&topic_partition()).filter(|_| !self.dice.one_in(6)) else { return false };
        assert!(committed.offset <= life.next, "committed {} beyond {}", committed.offset, life.next);
        assert!(committed.metadata.len() < 4_096);
        self.group = committed.clone();
        if !self.dice.one_in(6) {
            life.task.committed(&offsets);
        }
        true
    }

    /// A life ends at once.
    pub(super) fn kill(&mut self, life: Life) {
        life.host.abort();
        drop(life);
    }

    /// A life stands still; the group gives its partition away.
    pub(super) fn freeze(&mut self, life: Life) {
        life.host.freeze();
        self.frozen.push(life);
    }

    /// Frozen lives go on for a moment. Whatever they commit is refused.
    pub(super) async fn thaw(&mut self) {
        for life in &mut self.frozen {
            life.host.thaw();
            life.task.put(&[]).await.unwrap();
            let delivered = Offsets::from([(topic_partition(), OffsetAndMetadata::new(life.next, ""))]);
            drop(life.task.pre_commit(&delivered, CommitReason::Due).await.unwrap());
        }
    }

    /// The topic is deleted and made anew, with so many records. `life` hears of it; without one the group may have forgotten its offset, and the first
    /// records may have gone again.
    pub(super) async fn recreate(&mut self, end: i64, life: Option<&mut Life>) {
        self.log = Log { id: self.log.id + 1, end, gone: BTreeSet::new() };
        self.dropped.clear();
        match life {
            None if self.dice.one_in(2) => {
                self.group = OffsetAndMetadata::default();
                if self.dice.one_in(2) {
                    self.log.gone.extend(0..self.dice.up_to(end / 2));
                }
            }
            None => {}
            Some(life) => {
                *lock(&life.host.topic_id) = self.log.id;
                life.next = 0;
                // What it asked for is about the old log.
                *lock(&life.host.requests) = super::life::Requests::default();
                life.task.recreated(&Offsets::from([(topic_partition(), OffsetAndMetadata::default())])).await.unwrap();
            }
        }
    }

    /// Somebody else has written this range under the name that its first offset has.
    pub(super) fn put_foreign(&mut self, first: i64, end: i64) {
        let key = format!("topics/t/digit=0/t+0+{first:010}.txt");
        let body: String = (first..end).map(|offset| format!("x:{offset}\n")).collect();
        self.foreign.insert(key.clone());
        // It was there before anybody came.
        let now = NOW.replace(NOW.get() - 60_000);
        lock(&self.bucket).create(&key, body.into_bytes(), &BTreeMap::new(), &Condition::NameFree);
        NOW.set(now);
    }

    /// What is in the bucket: log and offset of each line, of values or of keys.
    pub(super) fn read_back(&self, keys: bool) -> BTreeMap<(u32, i64), Vec<String>> {
        let mut found: BTreeMap<(u32, i64), Vec<String>> = BTreeMap::new();
        for (name, object) in lock(&self.bucket).objects.iter().filter(|(name, _)| name.contains(".keys.") == keys) {
            let text = std::str::from_utf8(&object.body).unwrap();
            let mut logs = BTreeSet::new();
            for line in text.lines().map(str::trim).filter(|line| !line.starts_with("x:")) {
                let (log, offset) = line.split_once(':').unwrap();
                let (log, offset): (u32, i64) = (log.parse().unwrap(), offset.parse().unwrap());
                logs.insert(log);
                found.entry((log, offset)).or_default().push(name.clone());
            }
            assert!(logs.len() <= 1, "{name} mixes two logs: {text}");
        }
        found
    }

    /// The account of the log as it is now.
    pub(super) fn check(&self, keys: bool, context: &str) {
        let found = self.read_back(keys);
        let mut wrong = Vec::new();
        for offset in 0..self.log.end {
            let times = found.get(&(self.log.id, offset)).map_or(0, Vec::len);
            let may_miss = self.log.gone.contains(&offset) || self.dropped.contains(&offset);
            if times > 1 || times == 0 && !may_miss {
                wrong.push(format!("{offset}: {:?}", found.get(&(self.log.id, offset))));
            }
        }
        wrong.extend(found.iter().filter(|(_, names)| names.len() > 1).map(|(place, names)| format!("{place:?}: {names:?}")));
        let bucket = lock(&self.bucket);
        // A log that was made anew uses the names of the old one again.
        let replaced = bucket.replaced.iter().filter(|(name, _)| self.log.id == 0 && !self.foreign.contains(name));
        wrong.extend(replaced.map(|(name, _)| format!("{name} changed")));
        let names: Vec<_> = bucket
            .objects
            .iter()
            .map(|(key, object)| {
                format!("{key} {:?} {}", object.metadata, String::from_utf8_lossy(&object.body).replace('\n', " "))
            })
            .collect();
        let short = self.record_bytes < 10_000;
        assert!(wrong.is_empty(), "{context}: {wrong:#?}\nin {:#?}", if short { names } else { Vec::new() });
    }
}
