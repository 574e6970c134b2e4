//! What the task does while records wait for the dead letter queue.

use connect_api::{Result, SinkTaskHost as _, TopicPartition};

use super::SinkLoop;

impl SinkLoop {
    /// Shows what the dead letter queue does not take, reads no further in partitions of which too much waits for it, and commits when it has taken it.
    ///
    /// # Errors
    /// Where a record was not taken that the sink task relied on.
    pub(super) fn look_after_copies(&mut self) -> Result<()> {
        let held = self.parts.errors.held()?;
        if held.problem != self.dead_letters {
            self.parts.health.set_problem("dead letter queue", held.problem.clone());
            if self.dead_letters.is_some() {
                // Something was taken: offsets that were held may be committed, and nobody should have to wait for the next time.
                self.parts.host.request_commit();
            }
            self.dead_letters = held.problem;
        }
        let changes = |(topic_partition, partition): (&TopicPartition, &super::assignment::Partition)| {
            let paused = partition.paused.dead_letters;
            let crowded = if paused { &held.half_full } else { &held.crowded }.contains(topic_partition);
            (paused != crowded).then(|| (topic_partition.clone(), crowded))
        };
        let changed: Vec<_> = self.assignment.0.iter().filter_map(changes).collect();
        for (topic_partition, crowded) in changed {
            if crowded {
                tracing::warn!(%topic_partition, "paused: too many of its records wait for the dead letter queue");
            }
            self.pause(&topic_partition, |by| by.dead_letters = crowded);
        }
        Ok(())
    }
}
