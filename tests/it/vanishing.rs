//! A topic whose records vanish: compacted away, deleted from the log's beginning, or with the whole topic, which is then made anew.

use std::time::Duration;

use crate::cluster::{Cluster, Record, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

/// Compacts at once what a later record of the same key has made superfluous, in segments that are not written any more; takes `DeleteRecords`, too.
const COMPACTS_AT_ONCE: [(&str, &str); 6] = [
    ("cleanup.policy", "compact,delete"),
    ("segment.ms", "100"),
    ("min.cleanable.dirty.ratio", "0.01"),
    ("min.compaction.lag.ms", "0"),
    ("max.compaction.lag.ms", "1"),
    ("retention.ms", "-1"),
];

/// The key of many records: compaction leaves the last.
pub(crate) const SHARED_KEY: &str = "again";

/// Records say in which log they are (how often the topic had been made before), and their offset in it.
pub(crate) struct Vanishing {
    pub(crate) topic: String,
    /// How often it has been made anew.
    pub(crate) log: u64,
    /// How many records each partition has been given in this log.
    pub(crate) written: Vec<i64>,
}

/// How records vanish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Compaction,
    DeletedRecords,
    /// With more records than before, so that offsets do not tell.
    MadeAnew,
    /// With a handful.
    MadeAnewShorter,
}

impl Vanishing {
    pub(crate) fn create(cluster: &Cluster, topic: &str, partitions: i32) -> Self {
        cluster.create_topic(topic, partitions, &COMPACTS_AT_ONCE);
        Self { topic: topic.to_owned(), log: 0, written: vec![0; usize::try_from(partitions).expect("a count")] }
    }

    /// The key of a record: the first and some others have the same, so that only the last of them outlives compaction.
    pub(crate) fn key(n: i64) -> String {
        if n % 4 == 0 || n % 7 == 3 { SHARED_KEY.to_owned() } else { format!("once-{n}") }
    }

    /// Adds so many records to every partition.
    pub(crate) fn write(&mut self, cluster: &Cluster, count: i64) {
        let mut records = Vec::new();
        for (partition, written) in (0..).zip(&mut self.written) {
            records.extend((*written..*written + count).map(|n| Record {
                topic: self.topic.clone(),
                partition,
                key: Some(Self::key(n).into_bytes()),
                value: Some(format!(r#"{{"partition":{partition},"log":{},"n":{n}}}"#, self.log).into_bytes()),
                ..Record::default()
            }));
            *written += count;
        }
        cluster.produce(&records);
        for (partition, written) in (0..).zip(&self.written) {
            assert_eq!(cluster.end_offset(&self.topic, partition), *written, "offsets are what the records say");
        }
    }

    /// Makes records vanish. `choose` gives a number below its argument.
    pub(crate) fn lose(&mut self, cluster: &Cluster, loss: Loss, mut choose: impl FnMut(i64) -> i64) {
        match loss {
            Loss::Compaction => self.compact(cluster),
            Loss::DeletedRecords => {
                for (partition, written) in (0..).zip(&self.written) {
                    let (start, _) = cluster.watermarks(&self.topic, partition);
                    cluster.delete_records(&self.topic, partition, start + choose(*written - start + 1));
                }
            }
            Loss::MadeAnew => {
                let most = self.written.iter().copied().max().unwrap_or(0);
                self.make_anew(cluster, most + 11);
            }
            Loss::MadeAnewShorter => self.make_anew(cluster, 5),
        }
    }

    /// Waits until every record is gone that was there and has a later one of its key. A segment ends when a record comes after its time.
    fn compact(&mut self, cluster: &Cluster) {
        let before = self.written.clone();
        wait_until(&format!("{} is compacted", self.topic), PATIENCE, || {
            self.write(cluster, 4);
            let again = |record: &&Record| record.key.as_deref() == Some(SHARED_KEY.as_bytes());
            let count = |partition: i32, below: i64| {
                let in_log = cluster.read_all(&self.topic).into_iter();
                in_log.filter(|r| r.partition == partition && r.offset < below && again(&r)).count()
            };
            (0..).zip(&before).all(|(partition, before)| count(partition, *before) == 0)
        });
    }

    /// Deletes the topic, makes it anew and fills it, before a consumer that is slow to look sees an empty log.
    fn make_anew(&mut self, cluster: &Cluster, count: i64) {
        cluster.create_topic(&self.topic, i32::try_from(self.written.len()).expect("a count"), &COMPACTS_AT_ONCE);
        self.written.fill(0);
        self.log += 1;
        // A producer that knows nothing of the former topic.
        self.write(&Cluster::new(cluster.bootstrap_servers().to_owned()), count);
    }

    fn partitions(&self) -> Vec<(String, i32)> {
        (0..).zip(&self.written).map(|(partition, _)| (self.topic.clone(), partition)).collect()
    }

    /// Whether the group has committed every record but this many of each partition.
    pub(crate) fn is_committed_but(&self, cluster: &Cluster, group: &str, uncommitted: i64) -> bool {
        let committed = cluster.committed(group, &self.partitions());
        (0..).zip(&self.written).all(|(partition, written)| {
            let committed = committed.get(&(self.topic.clone(), partition)).copied().unwrap_or(0);
            (*written - uncommitted..=*written).contains(&committed)
        })
    }
}
