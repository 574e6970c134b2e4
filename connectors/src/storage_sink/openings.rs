//! Partitions that are assigned and have not begun: the bucket is looked at for them, beside everything else.

use std::{collections::HashMap, sync::Arc};

use connect_api::{Offsets, Result, TopicPartition};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    opening::{Opening, Why},
    provenance::Provenance,
    survey::{Surveyed, Surveys},
    topic_partition_writer::{Shared, TopicPartitionWriter},
};

/// How long an assignment may wait for the bucket before anything of it is read.
const SOON: std::time::Duration = std::time::Duration::from_millis(500);

/// What readiness calls it.
const PROBLEM: &str = "looking at the bucket";

/// Partitions that have not begun.
pub(super) struct Openings {
    surveys: Arc<Surveys>,
    surveyed: mpsc::UnboundedReceiver<Surveyed>,
    waiting: HashMap<TopicPartition, Opening>,
    is_told: bool,
}

impl Openings {
    pub(super) fn new(surveys: Arc<Surveys>, surveyed: mpsc::UnboundedReceiver<Surveyed>) -> Self {
        Self { surveys, surveyed, waiting: HashMap::new(), is_told: false }
    }

    /// Takes partitions. Returns those that begin at once; reading of the others pauses until it is known what lies ahead of them.
    ///
    /// # Errors
    /// `Fatal` where a journal is not to be understood.
    pub(super) fn open(
        &mut self,
        shared: &Arc<Shared>,
        partitions: &Offsets,
        why: Why,
        now: i64,
    ) -> Result<Vec<TopicPartitionWriter>> {
        let (mut begun, mut wanted, mut paused) = (Vec::new(), Vec::new(), Vec::new());
        for (topic_partition, position) in partitions {
            let before = self.waiting.remove(topic_partition);
            let mut opening = Opening::new(shared, topic_partition, position, why, now)?;
            opening.is_doubted = why != Why::Assigned && before.is_some_and(|before| before.is_doubted);
            match opening.wanted(shared) {
                None => begun.push(begin(shared, opening, None, now)),
                Some(one) => {
                    wanted.push(one);
                    paused.push(topic_partition.clone());
                    self.waiting.insert(topic_partition.clone(), opening);
                }
            }
        }
        if !wanted.is_empty() {
            // Who is assigned has a moment before anything is read: most surveys are done by then, and a pause would throw away what was fetched.
            if why != Why::Assigned {
                shared.context.pause(&paused);
            }
            self.surveys.begin(wanted);
        }
        self.tell(shared);
        Ok(begun)
    }

    /// Waits a moment for surveys of partitions that were just assigned, and returns those that begin. Reading of the others pauses.
    ///
    /// # Errors
    /// The store will never answer.
    pub(super) async fn begin_soon(&mut self, shared: &Arc<Shared>, now: i64) -> Result<Vec<TopicPartitionWriter>> {
        let (mut begun, until) = (Vec::new(), Instant::now() + SOON);
        while !self.waiting.is_empty() {
            let Ok(Some(surveyed)) = timeout_at(until, self.surveyed.recv()).await else { break };
            begun.extend(self.take(shared, surveyed, now)?);
        }
        let paused: Vec<_> = self.waiting.keys().cloned().collect();
        if !paused.is_empty() {
            shared.context.pause(&paused);
        }
        self.tell(shared);
        Ok(begun)
    }

    /// Objects that were in the way of a partition that is looked at for that reason.
    pub(super) fn met(&mut self, topic_partition: &TopicPartition, met: Vec<(String, Provenance)>) {
        if let Some(opening) = self.waiting.get_mut(topic_partition) {
            opening.met = met;
        }
    }

    /// What tells the topic from earlier ones, as it was known when a partition that waits was opened.
    pub(super) fn topic_id(&self, topic_partition: &TopicPartition) -> Option<&str> {
        self.waiting.get(topic_partition)?.topic_id()
    }

    /// Records of the partition have come. False where it does not wait.
    pub(super) fn miss(&mut self, topic_partition: &TopicPartition) -> bool {
        self.waiting.get_mut(topic_partition).map(|opening| opening.must_seek = true).is_some()
    }

    /// The partitions that begin now, as the bucket has been looked at for them.
    ///
    /// # Errors
    /// The store will never answer.
    pub(super) fn begin(&mut self, shared: &Arc<Shared>, now: i64) -> Result<Vec<TopicPartitionWriter>> {
        let mut begun = Vec::new();
        while let Ok(surveyed) = self.surveyed.try_recv() {
            begun.extend(self.take(shared, surveyed, now)?);
        }
        self.tell(shared);
        Ok(begun)
    }

    fn take(&mut self, shared: &Arc<Shared>, surveyed: Surveyed, now: i64) -> Result<Option<TopicPartitionWriter>> {
        let Surveyed { id, topic_partition, found } = surveyed;
        if self.waiting.get(&topic_partition).is_none_or(|opening| opening.id != id) {
            return Ok(None);
        }
        let found = found?;
        let Some(opening) = self.waiting.remove(&topic_partition) else { return Ok(None) };
        if let Some(found) = &found {
            opening.refuse_other_settings(&shared.config, found)?;
        }
        shared.context.resume(&[topic_partition]);
        Ok(Some(begin(shared, opening, found, now)))
    }

    /// The process has stood still: whether they are still ours must be shown before they send anything.
    pub(super) fn doubt(&mut self, which: impl Fn(&TopicPartition) -> bool) {
        self.waiting.iter_mut().filter(|(waiting, _)| which(waiting)).for_each(|(_, opening)| opening.is_doubted = true);
    }

    /// These partitions are no longer ours.
    pub(super) fn close(&mut self, partitions: &[TopicPartition]) {
        partitions.iter().for_each(|topic_partition| drop(self.waiting.remove(topic_partition)));
    }

    fn tell(&mut self, shared: &Shared) {
        let waits = !self.waiting.is_empty();
        if waits {
            let (looked_at, trouble) = self.surveys.progress();
            let trouble = trouble.map(|trouble| format!("; the store does not answer: {trouble}")).unwrap_or_default();
            let held = self.waiting.values().filter_map(Opening::held_until).max().map(|until| {
                let left = (until - Instant::now()).as_secs() + 1;
                format!("; nothing is looked at for {left} more seconds: requests of the last owner may still take effect (`recovery.hold.ms`)")
            });
            let (waiting, held) = (self.waiting.len(), held.unwrap_or_default());
            let text = format!(
                "{waiting} partitions wait until it is known what lies ahead of them; {looked_at} objects looked at{held}{trouble}"
            );
            shared.context.report_problem(PROBLEM, Some(text));
        } else if self.is_told {
            shared.context.report_problem(PROBLEM, None);
        }
        self.is_told = waits;
        shared.metrics.opening.set(i64::try_from(self.waiting.len()).unwrap_or(i64::MAX));
    }
}

fn begin(shared: &Arc<Shared>, opening: Opening, found: Option<super::findings::Findings>, now: i64) -> TopicPartitionWriter {
    if opening.must_seek {
        shared.context.offset(opening.topic_partition.clone(), opening.position.offset);
    }
    let is_doubted = opening.is_doubted;
    let mut writer = opening.finish(shared, found, now);
    if is_doubted {
        writer.doubt();
    }
    writer
}
