//! A consumer that does what a test says, and remembers what it was told.

use std::sync::{Arc, Mutex, mpsc as std_mpsc};

use bytes::Bytes;
use connect_api::{Budget, ConsumerRecord, ConsumerRecords, Error, Offsets, TopicPartition};
use tokio::sync::mpsc;

use super::{Ack, Batch, Command, ConsumerHandle, EpochOffset, Event, Generation, NewLog, PartitionRecords, TopicIds};

/// The consumer's end of a task.
pub(crate) struct ScriptedConsumer {
    events: mpsc::UnboundedSender<Event>,
    batches: mpsc::Sender<Batch>,
    commands: Arc<Mutex<Vec<Command>>>,
    pub(crate) budget: Budget,
}

impl ScriptedConsumer {
    /// A consumer that has read nothing and leaves its group as soon as it is told to.
    pub(crate) fn new() -> (Self, ConsumerHandle) {
        let (events, events_receiver) = mpsc::unbounded_channel();
        let (batches, batches_receiver) = mpsc::channel(16);
        let commands: Arc<Mutex<Vec<Command>>> = Arc::default();
        let (told, closed) = (commands.clone(), events.clone());
        let handle = ConsumerHandle::new(events_receiver, batches_receiver, move |command| {
            if matches!(command, Command::Stop { .. }) {
                closed.send(Event::Closed).unwrap();
            }
            told.lock().unwrap().push(command);
        });
        (Self { events, batches, commands, budget: Budget::new(1 << 20) }, handle)
    }

    pub(crate) fn assign(&self, epoch: u64, partitions: Offsets) {
        self.assign_with_ids(epoch, partitions, TopicIds::new());
    }

    pub(crate) fn assign_with_ids(&self, epoch: u64, partitions: Offsets, topic_ids: TopicIds) {
        self.events.send(Event::Assigned { epoch, partitions, topic_ids }).unwrap();
    }

    pub(crate) fn happened(&self, event: Event) {
        self.events.send(event).unwrap();
    }

    /// Says after all batches that these logs have begun anew.
    pub(crate) fn begin_anew(&self, new_logs: Vec<NewLog>) {
        self.batches.try_send(Batch { new_logs, partitions: Vec::new(), reservation: self.budget.reserve(0) }).unwrap();
    }

    /// Revokes partitions; the answer arrives where the result points to.
    pub(crate) fn revoke(&self, partitions: Vec<TopicPartition>, lost: bool) -> std_mpsc::Receiver<Vec<EpochOffset>> {
        self.revoke_deleted(partitions, Vec::new(), lost)
    }

    /// Revokes partitions; the topic of some is gone.
    pub(crate) fn revoke_deleted(
        &self,
        partitions: Vec<TopicPartition>,
        deleted: Vec<TopicPartition>,
        lost: bool,
    ) -> std_mpsc::Receiver<Vec<EpochOffset>> {
        let (ack, answer) = Ack::new();
        self.events.send(Event::Revoked { partitions, deleted, lost, ack }).unwrap();
        answer
    }

    pub(crate) fn metadata_too_large(&self) {
        self.events.send(Event::MetadataTooLarge).unwrap();
    }

    pub(crate) fn committed(&self, seq: u64, offsets: Offsets, error: Option<Error>) {
        self.events.send(Event::Committed { seq, offsets, error }).unwrap();
    }

    /// Reads records at these offsets of each partition.
    pub(crate) fn read(&self, generation: Generation, partitions: &[(TopicPartition, &[i64])]) {
        let records = |(topic_partition, offsets): &(TopicPartition, &[i64])| {
            let record = |offset: &i64| ConsumerRecord {
                offset: *offset,
                timestamp: -1,
                value: Some(Bytes::from_static(b"value")),
                ..ConsumerRecord::default()
            };
            let records =
                ConsumerRecords { topic_partition: topic_partition.clone(), records: offsets.iter().map(record).collect() };
            PartitionRecords { records: Arc::new(records), generation, bytes: 5 * offsets.len() }
        };
        let new_logs = Vec::new();
        let batch = Batch { new_logs, partitions: partitions.iter().map(records).collect(), reservation: self.budget.reserve(5) };
        self.batches.try_send(batch).unwrap();
    }

    /// What the task has told the consumer since the last call.
    pub(crate) fn told(&self) -> Vec<Command> {
        std::mem::take(&mut self.commands.lock().unwrap())
    }
}
