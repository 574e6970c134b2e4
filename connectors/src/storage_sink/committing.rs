//! What a partition's uploads have come to, and what may be committed.

use std::{sync::atomic::Ordering, time::Duration};

use connect_api::OffsetAndMetadata;
use tokio::{sync::oneshot, time::Instant};
use tracing::{debug, info};

use super::{gate::Last, ledger::CutId, provenance::Provenance, reporting::Trial, topic_partition_writer::TopicPartitionWriter};

/// So many cuts may become durable before a commit is asked for: what lies beyond the committed offset must be looked at after a crash.
const DURABLE_BEFORE_COMMIT: u64 = 2_000;

/// The share of the connector's memory that one partition may fill with what the store does not take.
const PART_OF_SHARE: usize = 8;

/// A store that refuses something now and then pauses nobody: what was fetched ahead is thrown away with each pause.
const REFUSED_FOR_LONG: Duration = Duration::from_secs(2);

impl TopicPartitionWriter {
    /// One file of a cut is durable.
    pub(super) fn file_is_durable(&mut self, cut: CutId) {
        self.uploading = self.uploading.saturating_sub(1);
        let moved = self.ledger.file_is_durable(cut);
        // Cuts that wait for room in the journal get it by a commit; and nobody wants to look at all of them after a crash.
        if moved && (self.gate.holds() || self.ledger.not_committed() >= DURABLE_BEFORE_COMMIT) {
            self.shared.context.request_commit();
        }
    }

    /// One file of a cut will never be durable in this assignment.
    pub(super) fn upload_failed(&mut self) {
        self.uploading = self.uploading.saturating_sub(1);
    }

    /// An object of this history is cut elsewhere.
    pub(super) fn cut_otherwise(&mut self, key: String, there: Provenance) {
        self.uploading = self.uploading.saturating_sub(1);
        if self.state.log_is_gone() {
            // Nobody can cut these records once more.
            return;
        }
        if !std::mem::replace(&mut self.must_survey, true) {
            let topic_partition = &self.topic_partition;
            info!(%topic_partition, key, "an object of this history was cut elsewhere: looking at the bucket, then cutting as it was cut");
            self.shared.context.pause(std::slice::from_ref(topic_partition));
        }
        self.met.push((key, there));
    }

    /// A commit at the current generation is wanted.
    pub(super) fn proof_wanted(&mut self, proven: oneshot::Sender<()>) {
        if self.must_survey || self.state.log_is_gone() {
            self.uploading = self.uploading.saturating_sub(1);
            return;
        }
        self.gate.prove(proven);
        self.shared.context.request_commit();
    }

    /// The process has stood still: whether the partition is still ours must be shown by a commit before anything is sent.
    pub(super) fn doubt(&mut self) {
        self.gate.doubt();
        if self.gate.doubts() {
            self.state.is_doubted.store(true, Ordering::Relaxed);
            self.shared.context.request_commit();
        }
    }

    /// Everything before this offset is durable, where everything before `delivered` was delivered.
    pub(super) fn durable_of(&self, delivered: i64) -> i64 {
        self.boundaries.committable(self.ledger.would_be_durable(delivered, self.group.records > 0 || self.must_survey))
    }

    /// What to commit. `closing`: nothing more will be uploaded in this assignment, and requests may take effect until then (in seconds since 1970).
    pub(super) fn pre_commit(&mut self, delivered: i64, closing: Option<i64>) -> OffsetAndMetadata {
        self.gate.set_limit(self.shared.context.metadata_limit());
        let has_open_files = self.group.records > 0 || self.must_survey;
        let offset = self.boundaries.committable(self.ledger.committable(delivered, has_open_files));
        let is_behind = self.boundaries.are_behind(offset);
        if is_behind {
            self.boundaries.forget_found();
            self.gate.journal.looks_back &= !self.knows_ahead;
            self.trial = Trial::default();
            self.forget_earlier_places();
        }
        if offset >= self.boundaries.every_until() {
            self.gate.journal.every = self.shared.config.plans_every_cut();
        }
        let is_behind = is_behind && self.knows_ahead;
        let last = closing.map(|until| match (self.uploading, self.ledger.has_cuts_in_flight()) {
            // Where less counts as delivered than is durable, objects lie beyond the offset.
            (0, false) if is_behind && self.ledger.durable() <= offset => Last::Clean,
            (0, _) => Last::Idle,
            _ => Last::UnderWay { until },
        });
        OffsetAndMetadata::new(offset, self.gate.metadata(offset, is_behind, last))
    }

    /// Nothing of earlier settings lies ahead any more.
    fn forget_earlier_places(&mut self) {
        if !self.knows_ahead {
            return;
        }
        let mut places = self.shared.config.places(&self.topic_partition, self.directories.only());
        std::mem::swap(&mut self.gate.journal.places, &mut places);
        self.gate.journal.keep_places_that_fit();
        if places != self.gate.journal.places {
            debug!(topic_partition = %self.topic_partition, "recovered: everything ahead is new");
        }
    }

    /// This has been committed.
    pub(super) fn committed(&mut self, committed: &OffsetAndMetadata) {
        self.ledger.committed();
        self.gate.committed(committed);
        self.state.is_doubted.store(self.gate.doubts(), Ordering::Relaxed);
        self.release();
    }

    /// Whether the bucket must be looked at before the partition goes on, and nothing of it is under way any more.
    pub(super) fn may_survey(&mut self) -> bool {
        if !self.must_survey {
            return false;
        }
        self.uploading = self.uploading.saturating_sub(self.gate.forget_proofs());
        self.uploading == 0
    }

    /// Where to go on after the bucket has been looked at: with what is committed of the journal.
    pub(super) fn durable_position(&self) -> OffsetAndMetadata {
        OffsetAndMetadata::new(self.durable(), self.gate.metadata_to_go_on_with())
    }

    /// Stops reading of this partition alone while too much of it waits for a store that refuses it. `partitions`: so many the task has, which may all
    /// wait, and together hold no more than the task's share.
    pub(super) fn balance(&mut self, partitions: usize) {
        let (waiting, refused) = (self.state.waiting_bytes(), self.state.is_refused());
        let budget = &self.shared.context.budget;
        let most = (budget.connector_share() / PART_OF_SHARE).min(budget.share() / partitions.max(1));
        self.refused_since = refused.then(|| self.refused_since.unwrap_or_else(Instant::now));
        // A cut that the journal has no room for is as much refused: an offset that is held leaves all cuts after it in the journal.
        self.held_since = self.gate.first().map(|id| match self.held_since {
            Some((known, since)) if known == id => (id, since),
            _ => (id, Instant::now()),
        });
        let since = [self.refused_since, self.held_since.map(|(_, since)| since)];
        let for_long = since.into_iter().flatten().any(|since| since.elapsed() >= REFUSED_FOR_LONG);
        self.stuck.set(if for_long { waiting } else { 0 });
        let topic_partition = std::slice::from_ref(&self.topic_partition);
        if !self.is_paused && for_long && waiting > most {
            self.is_paused = true;
            info!(topic_partition = %self.topic_partition, waiting, "what was read cannot be written for now: reading of this partition pauses");
            self.shared.context.pause(topic_partition);
        } else if self.is_paused && waiting < most / 2 {
            self.is_paused = false;
            if !self.must_survey {
                self.shared.context.resume(topic_partition);
            }
        }
    }

    pub(super) fn durable(&self) -> i64 {
        self.boundaries.committable(self.ledger.durable())
    }

    /// Uploads under way that a little patience may see end.
    pub(super) fn is_uploading(&self) -> bool {
        self.uploading > 0
    }
}

impl super::config::StorageSinkConfig {
    /// Whether paths depend on the wall clock.
    pub(super) fn by_clock(&self) -> bool {
        self.extractor.as_ref().is_some_and(|extractor| extractor.is_wall_clock())
    }

    /// Whether every cut is planned in the journal: where the clock decides anything, a size cut may fall elsewhere for the next owner.
    pub(super) fn plans_every_cut(&self) -> bool {
        self.schedule.is_some() || self.rotation.goes_by_clock() || self.by_clock()
    }
}
