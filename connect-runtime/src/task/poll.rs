//! Waiting for whatever happens next.

use std::time::Duration;

use connect_api::{Error, Result, SinkTaskHost as _};
use tokio::time::Instant;

use super::{SinkLoop, delivery::Delivery};
use crate::{
    consumer::{Batch, Event},
    shutdown::Stop,
};

/// How long nothing may happen before the sink task is called all the same.
const TICK: Duration = Duration::from_millis(100);

impl SinkLoop {
    /// Waits for an event, a batch, a request of the sink task, or the time to do something.
    pub(super) async fn poll(&mut self, stop: &Stop) -> Result<()> {
        let until = self.wait_until();
        let takes_batches = self.delivery.is_none() && self.reopen.is_none();
        let mut batch = None;
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            event = self.parts.consumer.events.recv() => {
                let event = event.ok_or_else(|| Error::fatal("the consumer's thread has ended"))?;
                self.handle(event).await?;
            }
            read = self.parts.consumer.batches.recv(), if takes_batches => {
                self.parts.consumer.has_room();
                batch = read;
            }
            () = self.parts.host.requested() => {}
            () = fetched(self.delivery.as_mut()) => {}
            () = tokio::time::sleep_until(until) => {}
        }
        // What was read was read after these had happened.
        while let Ok(event) = self.parts.consumer.events.try_recv() {
            self.handle(event).await?;
        }
        if let Some(mut batch) = batch {
            self.recreated(std::mem::take(&mut batch.new_logs)).await?;
            self.accept(batch);
        }
        if self.parts.host.take_woken()
            && let Some(delivery) = &mut self.delivery
        {
            delivery.not_before = None;
        }
        Ok(())
    }

    fn wait_until(&self) -> Instant {
        if let Some((reopen, _)) = self.reopen {
            return reopen;
        }
        let waiting = self.delivery.as_ref().filter(|delivery| !delivery.is_converting);
        let turn = waiting.and_then(|delivery| delivery.not_before);
        let turn = turn.unwrap_or_else(|| Instant::now() + TICK);
        self.commits.deadline().map_or(turn, |deadline| deadline.min(turn))
    }

    fn accept(&mut self, batch: Batch) {
        if batch.partitions.is_empty() {
            return;
        }
        self.parts.metrics.batches.inc();
        for read in &batch.partitions {
            let (Some(partition), Some(last)) = (self.assignment.0.get(&read.records.topic_partition), read.records.records.last())
            else {
                continue;
            };
            partition.metrics.records_read.inc_by(read.records.records.len() as u64);
            partition.metrics.read_bytes.inc_by(read.bytes as u64);
            partition.metrics.read_until(last.offset + 1);
        }
        // What was opened a moment ago may have been paused at once.
        self.carry_out_requests();
        self.delivery = Some(Delivery::new(batch, &mut self.assignment));
    }

    async fn handle(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Assigned { epoch, partitions, topic_ids } => {
                self.parts.host.set_topic_ids(topic_ids);
                self.assigned(epoch, partitions).await?;
            }
            Event::Revoked { partitions, deleted, lost, ack } => self.revoked(&partitions, &deleted, lost, ack).await?,
            Event::Committed { seq, offsets, error } => self.committed(seq, offsets, error),
            Event::MetadataTooLarge => {
                let limit = self.parts.host.shrink_metadata();
                tracing::warn!(
                    limit,
                    "the brokers take less metadata beside an offset than they do by default (`offset.metadata.max.bytes`): using less"
                );
                self.parts.host.request_commit();
            }
            Event::LogEnds(ends) => {
                for (topic_partition, end) in ends {
                    if let Some(partition) = self.assignment.0.get(&topic_partition) {
                        partition.metrics.set_log_end(end);
                    }
                }
            }
            Event::Unreadable { topic_partition, unreadable } => {
                if let Some(partition) = self.assignment.0.get(&topic_partition) {
                    partition.metrics.unreadable.set(i64::from(unreadable));
                }
            }
            Event::Gone { topic_partition, records } => {
                if let Some(partition) = self.assignment.0.get(&topic_partition) {
                    partition.metrics.records_gone.inc_by(records);
                }
            }
            Event::Paused(paused) => {
                tracing::debug!(paused, "memory budget");
                self.parts.metrics.consumer_paused.set(i64::from(paused));
            }
            Event::Brokers { problem } => self.parts.health.set_problem("kafka", problem),
            Event::Failed(error) => {
                self.consumer_is_gone = true;
                return Err(error);
            }
            Event::Closed => {
                self.consumer_is_gone = true;
                return Err(Error::fatal("the consumer has left the group by itself"));
            }
        }
        Ok(())
    }
}

/// Completes when a converter has what it lacked, or an attempt to get it has failed.
async fn fetched(delivery: Option<&mut Delivery>) {
    match delivery {
        Some(delivery) => delivery.fetching.ended().await,
        None => std::future::pending().await,
    }
}
