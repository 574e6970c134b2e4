//! Between a task and its consumer: what happened, what was read, and what the consumer shall do.
//!
//! [`kafka`] speaks to a cluster, [`scripted`] to a test; the task loop cannot tell them apart.

pub(crate) mod kafka;
#[cfg(test)]
pub(crate) mod scripted;
mod subscription;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use connect_api::{ConsumerRecords, Error, OffsetAndMetadata, Offsets, Reservation, TopicPartition};
use tokio::sync::mpsc;

pub(crate) use subscription::Subscription;

/// Which reading of a partition a record belongs to. Records of an older one are dropped wherever they still are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Counts assignments: what was true of a partition before it was lost means nothing after it came back.
    pub(crate) epoch: u64,
    /// Counts the logs that were begun anew within the assignment: the consumer counts.
    pub(crate) log: u64,
    /// Counts seeks within the log: the task counts.
    pub(crate) seeks: u64,
}

impl Generation {
    /// The first reading of an assignment.
    pub(crate) fn first(epoch: u64) -> Self {
        Self { epoch, log: 0, seeks: 0 }
    }

    /// Whether an offset means the same record in both.
    pub(crate) fn is_same_log(self, other: Self) -> bool {
        (self.epoch, self.log) == (other.epoch, other.log)
    }
}

/// Records of one partition, read within one generation.
#[derive(Clone, Debug)]
pub(crate) struct PartitionRecords {
    pub(crate) records: Arc<ConsumerRecords>,
    pub(crate) generation: Generation,
    /// Bytes of keys, values and headers.
    pub(crate) bytes: usize,
}

/// What the consumer read at once.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Logs that have begun anew: the task hears of it after everything that was read before, and before what this batch holds.
    pub(crate) new_logs: Vec<NewLog>,
    /// At most one entry per partition.
    pub(crate) partitions: Vec<PartitionRecords>,
    /// The bytes of all keys, values and headers, counted until the sink has the records.
    pub(crate) reservation: Reservation,
}

/// A partition whose log has begun anew: the topic was made again, or the log was cut off below what was read.
#[derive(Clone, Debug)]
pub(crate) struct NewLog {
    pub(crate) topic_partition: TopicPartition,
    /// What its records carry from now on.
    pub(crate) generation: Generation,
    /// Where it begins.
    pub(crate) begin: i64,
    /// The topic's id, where the brokers know one.
    pub(crate) topic_id: Option<Arc<str>>,
}

/// The ids of topics, by name.
pub(crate) type TopicIds = BTreeMap<String, Arc<str>>;

/// What happened to the consumer.
#[derive(Debug)]
pub(crate) enum Event {
    /// These partitions are ours now. Sent before any record of them; more than once for an assignment where it is not known at once where all
    /// begin.
    Assigned {
        /// The assignment's number.
        epoch: u64,
        /// The next offset of each, with the metadata committed beside it.
        partitions: Offsets,
        /// Of their topics, as far as the brokers say.
        topic_ids: TopicIds,
    },
    /// These partitions are no longer ours; nothing of theirs is read or committed any more, but for what `ack` carries.
    Revoked {
        partitions: Vec<TopicPartition>,
        /// Those of them whose topic has been deleted: nobody can read their records again.
        deleted: Vec<TopicPartition>,
        /// Others may own them already: nothing can be committed.
        lost: bool,
        /// The consumer's thread waits for it.
        ack: Ack,
    },
    /// A commit has ended.
    Committed {
        seq: u64,
        /// What is committed.
        offsets: Offsets,
        /// Why the rest is not.
        error: Option<Error>,
    },
    /// The brokers refuse a commit for the size of its metadata (`offset.metadata.max.bytes`).
    MetadataTooLarge,
    /// The offset after the last record of each partition, from time to time.
    LogEnds(BTreeMap<TopicPartition, i64>),
    /// A partition cannot be read, or can again.
    Unreadable { topic_partition: TopicPartition, unreadable: bool },
    /// So many records have gone from a partition before they were read.
    Gone { topic_partition: TopicPartition, records: u64 },
    /// Nothing is read because the memory budget is used up, or reading goes on.
    Paused(bool),
    /// The brokers cannot be reached, or can again.
    Brokers { problem: Option<String> },
    /// The consumer cannot go on and has ended.
    Failed(Error),
    /// The consumer has left the group, as it was told to.
    Closed,
}

/// Answers a revocation with the offsets to commit before the partitions go.
#[derive(Debug)]
pub(crate) struct Ack(std::sync::mpsc::SyncSender<Vec<EpochOffset>>);

impl Ack {
    /// An answer and where it arrives.
    pub(crate) fn new() -> (Self, std::sync::mpsc::Receiver<Vec<EpochOffset>>) {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        (Self(sender), receiver)
    }

    /// Lets the partitions go.
    pub(crate) fn send(self, offsets: Vec<EpochOffset>) {
        // The consumer's thread has given up waiting: it has said so itself.
        let _gone = self.0.send(offsets);
    }
}

/// What the consumer shall do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Commit; [`Event::Committed`] answers. Partitions whose epoch or log is over are left out.
    Commit { seq: u64, offsets: Vec<EpochOffset> },
    /// Read the partition from this offset on.
    Seek { topic_partition: TopicPartition, generation: Generation, offset: i64 },
    /// What is read of the partition must be of the topic with this id: ask the brokers, if they have said otherwise. [`Batch::new_logs`] tells where it is
    /// another one.
    Expect { topic_partition: TopicPartition, generation: Generation, topic_id: Arc<str> },
    /// Read nothing from these partitions, or read on, until the assignment with this number ends.
    Pause { topic_partition: TopicPartition, epoch: u64, paused: bool },
    /// Commit these offsets, waiting no longer than `within`, and leave the group; [`Event::Closed`] answers.
    Stop { offsets: Vec<EpochOffset>, within: Duration },
}

/// An offset that may be committed within one assignment, and means one log, only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EpochOffset {
    pub(crate) topic_partition: TopicPartition,
    pub(crate) epoch: u64,
    pub(crate) log: u64,
    pub(crate) offset: OffsetAndMetadata,
}

/// The task's end of a consumer.
pub(crate) struct ConsumerHandle {
    /// What happened, in order. Everything in it happened before what `batches` holds was read.
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    /// What was read, in order.
    pub(crate) batches: mpsc::Receiver<Batch>,
    commands: Box<dyn Fn(Command) + Send>,
    wake: Box<dyn Fn() + Send>,
}

impl ConsumerHandle {
    /// A handle whose commands go to `commands`.
    pub(crate) fn new(
        events: mpsc::UnboundedReceiver<Event>,
        batches: mpsc::Receiver<Batch>,
        commands: impl Fn(Command) + Send + 'static,
    ) -> Self {
        Self { events, batches, commands: Box::new(commands), wake: Box::new(|| {}) }
    }

    /// Has `wake` called when there is room for a batch.
    pub(crate) fn waking(self, wake: impl Fn() + Send + 'static) -> Self {
        Self { wake: Box::new(wake), ..self }
    }

    /// Says that there is room for a batch.
    pub(crate) fn has_room(&self) {
        (self.wake)();
    }

    /// Tells the consumer what to do. Never waits.
    pub(crate) fn command(&self, command: Command) {
        (self.commands)(command);
    }
}

impl fmt::Debug for ConsumerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsumerHandle")
    }
}
