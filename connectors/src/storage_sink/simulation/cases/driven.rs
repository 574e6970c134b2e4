//! The sink driven turn by turn, over as many partitions as a story needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use connect_api::{
    Budget, CommitReason, Metrics, OffsetAndMetadata, Offsets, Result, SinkTask, SinkTaskContext, TopicPartition, config::Config,
};

use crate::storage_sink::{
    Permits, StorageSinkConfig, StorageSinkTask,
    simulation::{
        bucket::View,
        life::{Host, NOW, Reports},
        lock,
        plugins::plugins,
        records::{SchemaOf, records_of},
        world::{World, settings},
    },
};

/// How long one turn of the loop takes.
const TURN: Duration = Duration::from_millis(20);

/// A task, and a runtime that does what it is asked for: no commit comes by itself.
pub(super) struct Driven {
    pub(super) task: StorageSinkTask,
    pub(super) host: Arc<Host>,
    pub(super) view: View,
    pub(super) budget: Budget,
    pub(super) metrics: Metrics,
    /// What the group has.
    pub(super) group: Offsets,
    /// The next offset to read.
    pub(super) next: BTreeMap<TopicPartition, i64>,
    /// Where the logs end.
    pub(super) end: i64,
    /// The group takes no commit any more.
    pub(super) is_evicted: bool,
    /// Nothing of this partition is committed.
    pub(super) unsettled: Option<TopicPartition>,
    /// It stands still as soon as a commit has succeeded, before anything that waited for it is sent.
    pub(super) freezes_after_commit: bool,
    /// Records of theirs wait for the dead letter queue: their offsets stay where they are.
    pub(super) held: BTreeSet<TopicPartition>,
    /// The longest metadata that was committed.
    pub(super) longest: usize,
    /// The schema of the record at an offset.
    pub(super) schema_of: SchemaOf,
}

pub(super) fn t(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

/// The settings of a story, with these beside them.
pub(super) fn with(flush_size: u64, others: &[(&str, &str)]) -> Config {
    let mut config = settings(flush_size, 1);
    others.iter().for_each(|(key, value)| config.insert(*key, *value, None));
    config
}

pub(super) fn parsed(config: &Config) -> StorageSinkConfig {
    StorageSinkConfig::new(config, &plugins()).unwrap()
}

pub(super) fn nowhere(partitions: &[TopicPartition]) -> Offsets {
    partitions.iter().map(|topic_partition| (topic_partition.clone(), OffsetAndMetadata::new(0, ""))).collect()
}

/// The name of the object of `t-partition` that begins at `first`.
pub(super) fn object(partition: i32, first: i64) -> String {
    format!("topics/t/digit=0/t+{partition}+{first:010}.txt")
}

impl Driven {
    /// A connector of this name begins where the group stands.
    pub(super) async fn begin(world: &World, name: &str, settings: &Config, group: Offsets) -> Self {
        Self::begin_with(world, name, settings, group, None).await
    }

    /// The same, where errors are tolerated and reported.
    pub(super) async fn begin_with(world: &World, name: &str, settings: &Config, group: Offsets, reports: Option<Reports>) -> Self {
        let (bucket, dice, weather) = (Arc::clone(&world.bucket), world.dice.clone(), world.weather.clone());
        let view = View { bucket, dice, weather, load: Arc::default() };
        let config = Arc::new(parsed(settings));
        let permits = Permits::new(config.uploads_in_flight);
        let task = StorageSinkTask::new(config, Arc::new(view.clone()), permits).with_clock(|| NOW.get());
        let (host, budget, metrics) = (Host::tolerating(world.log.id, reports), Budget::new(world.memory), Metrics::default());
        let context = SinkTaskContext::new(name.into(), 0, budget.clone(), metrics.clone(), host.clone());
        let next = group.iter().map(|(topic_partition, position)| (topic_partition.clone(), position.offset)).collect();
        let mut driven = Self {
            task,
            host,
            view,
            budget,
            metrics,
            group,
            next,
            end: world.log.end,
            is_evicted: false,
            unsettled: None,
            freezes_after_commit: false,
            held: BTreeSet::new(),
            longest: 0,
            schema_of: |_| None,
        };
        driven.task.start(context).await.unwrap();
        driven.task.open(&driven.group.clone()).await.unwrap();
        driven
    }

    /// The loop turns for so long.
    pub(super) async fn turn(&mut self, world: &World, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < until {
            self.turn_once(world).await.unwrap();
        }
    }

    pub(super) async fn turn_once(&mut self, world: &World) -> Result<()> {
        self.obey();
        let paused = lock(&self.host.requests).paused.clone();
        let reading: Vec<_> = self.next.keys().filter(|owned| !paused.contains(owned)).cloned().collect();
        let mut batch = Vec::new();
        for topic_partition in reading {
            let first = self.next[&topic_partition];
            let batch_records = i64::try_from((2 << 20) / world.record_bytes.max(1)).unwrap().clamp(1, 50);
            let end = self.end.min(first + batch_records);
            let there = (first..end).filter(|offset| !world.log.gone.contains(offset)).collect();
            let mut records = records_of(topic_partition.clone(), world.log.id, there, world.record_bytes);
            records.iter_mut().for_each(|record| record.value.schema = (self.schema_of)(record.offset()));
            batch.extend(records);
            self.next.insert(topic_partition, end.max(first));
        }
        self.task.put(&batch).await?;
        self.obey();
        if std::mem::take(&mut lock(&self.host.requests).commit) {
            self.commit(CommitReason::Due).await;
            if self.freezes_after_commit {
                self.host.freeze();
                self.end = 0;
            }
        }
        world.pass(TURN).await;
        Ok(())
    }

    fn obey(&mut self) {
        let seeks = std::mem::take(&mut lock(&self.host.requests).seeks);
        self.next.extend(seeks);
    }

    /// What the task offers.
    pub(super) async fn offer(&mut self, reason: CommitReason) -> Offsets {
        let settled = self.next.iter().filter(|(owned, _)| self.unsettled.as_ref() != Some(*owned));
        let delivered = |owned| if self.held.contains(owned) { self.group[owned].offset } else { self.next[owned] };
        let delivered = settled.map(|(owned, _)| (owned.clone(), OffsetAndMetadata::new(delivered(owned), ""))).collect();
        self.task.pre_commit(&delivered, reason).await.unwrap()
    }

    pub(super) async fn commit(&mut self, reason: CommitReason) {
        let offsets = self.offer(reason).await;
        assert!(offsets.values().all(|offered| offered.metadata.len() < 4_096), "a broker refuses this: {offsets:?}");
        self.longest = offsets.values().map(|offered| offered.metadata.len()).fold(self.longest, usize::max);
        if !self.is_evicted {
            self.group.extend(offsets.clone());
            self.task.committed(&offsets);
        }
    }

    /// Everything that is durable is committed, and where that is.
    pub(super) async fn committed(&mut self, partition: i32) -> i64 {
        self.commit(CommitReason::Due).await;
        self.group[&t(partition)].offset
    }

    /// It dies; the group gives its partitions to others.
    pub(super) async fn die(self, world: &World) -> Offsets {
        self.host.abort();
        world.session_ends().await;
        self.group
    }

    pub(super) fn metric(&self, name: &str) -> String {
        let text = self.metrics.scrape();
        text.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>().join("\n")
    }
}

/// Lets requests for names that begin like this hang.
pub(super) fn hang(world: &World, name: &str) {
    *lock(&world.weather.hangs) = Some(name.to_owned());
}

pub(super) fn let_go(world: &World) {
    *lock(&world.weather.hangs) = None;
}

pub(super) fn names(world: &World) -> Vec<String> {
    lock(&world.bucket).objects.keys().cloned().collect()
}

/// A life that wrote all full files of the log, and died when the group knew nothing but its journal.
pub(super) async fn uncommitted(world: &World, settings: &Config) -> Offsets {
    uncommitted_with(world, settings, |_| None).await
}

/// The same, of records with schemas.
pub(super) async fn uncommitted_with(world: &World, settings: &Config, schema_of: SchemaOf) -> Offsets {
    let mut life = Driven::begin(world, "sink", settings, nowhere(&[t(0)])).await;
    life.schema_of = schema_of;
    while life.group[&t(0)].metadata.is_empty() {
        life.turn_once(world).await.unwrap();
    }
    assert_eq!(life.group[&t(0)].offset, 0);
    life.is_evicted = true;
    life.turn(world, Duration::from_secs(6)).await;
    life.die(world).await
}
