//! How a partition is taken over: what the journal says, and what must be looked up in the bucket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use connect_api::{Error, OffsetAndMetadata, RecordView, Result, TopicPartition};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::info;

use super::{
    boundaries::Boundaries,
    config::StorageSinkConfig,
    findings::Findings,
    journal::Journal,
    object_key::Place,
    provenance::Provenance,
    survey::{self, SurveyId, Wanted},
    topic_partition_writer::{Beginning, Shared, TopicPartitionWriter, encoded_partition},
};

/// Offsets that a tool has reset may lie in the middle of an object: names that begin so far before are listed, and the last one is looked at.
const LOOKS_BACK: i64 = 100_000;

/// A partition that is about to begin.
pub(super) struct Opening {
    pub(super) id: SurveyId,
    pub(super) topic_partition: TopicPartition,
    /// Where it begins; not where the group's offset lies, if the log has begun anew since.
    pub(super) position: OffsetAndMetadata,
    /// What is read now is not what comes next: records came before anybody could take them, or it begins elsewhere.
    pub(super) must_seek: bool,
    /// Objects of this history that were cut elsewhere, as uploads have met them.
    pub(super) met: Vec<(String, Provenance)>,
    /// The process has stood still since: a commit must show that the partition is still ours.
    pub(super) is_doubted: bool,
    begun: Instant,
    /// Ends the survey with it.
    over: DropGuard,
    committed: Option<Journal>,
    encoded_partition: Option<Box<str>>,
    plan: Plan,
}

/// Why a partition is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It was assigned.
    Assigned,
    /// An object of this history was cut elsewhere.
    CutOtherwise,
    /// Its topic was made anew: whatever the bucket holds is of another log.
    Recreated,
    /// Its log was cut off below what was read, or nobody knows whether it is another one.
    CutOff,
}

impl Opening {
    /// Prepares to open a partition at a position.
    ///
    /// # Errors
    /// `Fatal` where the journal is not to be understood.
    pub(super) fn new(
        shared: &Shared,
        topic_partition: &TopicPartition,
        position: &OffsetAndMetadata,
        why: Why,
        now: i64,
    ) -> Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let encoded_partition = encoded_partition(&shared.config, topic_partition)?;
        let committed = Journal::read(&position.metadata)?;
        // What is known of a topic may be out of date: until its log begins anew, an offset is one of the topic that its journal says.
        let topic_id = committed.as_ref().and_then(|committed| committed.topic_id.clone());
        let ours = Ours {
            owner: shared.owner,
            topic_id: topic_id.or_else(|| shared.context.topic_id(&topic_partition.topic).map(|id| id.to_string())),
            fingerprint: shared.config.fingerprint,
            schemas_may_differ: shared.config.schemas_may_differ,
            places: shared.config.places(topic_partition, encoded_partition.as_deref()),
            hold: shared.config.hold.unwrap_or_else(|| shared.uploads.storage().request_life()),
        };
        let plan = Plan::new(committed.clone(), ours, why, now);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let (topic_partition, over) = (topic_partition.clone(), CancellationToken::new().drop_guard());
        Ok(Self {
            id,
            topic_partition,
            position: position.clone(),
            must_seek: why == Why::CutOtherwise,
            met: Vec::new(),
            is_doubted: false,
            begun: Instant::now(),
            over,
            committed,
            encoded_partition,
            plan,
        })
    }

    /// Until when nothing is looked at, if that is still to come.
    pub(super) fn held_until(&self) -> Option<Instant> {
        (!self.plan.wait.is_zero()).then(|| self.begun + self.plan.wait).filter(|until| *until > Instant::now())
    }

    /// What tells the topic from earlier ones, as it was known when the partition was opened.
    pub(super) fn topic_id(&self) -> Option<&str> {
        self.plan.journal.topic_id.as_deref()
    }

    /// What to look for in the bucket; nothing where the journal says all.
    pub(super) fn wanted(&self, shared: &Shared) -> Option<Wanted> {
        if !self.plan.survey {
            return None;
        }
        let Plan { journal, wait, may_have_uploads, is_new, .. } = &self.plan;
        if !wait.is_zero() {
            let topic_partition = &self.topic_partition;
            info!(%topic_partition, ?wait, "requests of the last owner, which did not stop cleanly, may still take effect: waiting before the bucket is looked at");
        }
        Some(Wanted {
            id: self.id,
            topic_partition: self.topic_partition.clone(),
            places: journal.places.clone(),
            start: self.position.offset,
            looks_back: if journal.looks_back { LOOKS_BACK.min(self.position.offset) } else { 0 },
            file_for_each_schema: shared.config.file_for_each_schema,
            owner: shared.owner,
            topic_id: journal.topic_id.clone(),
            history: journal.history.clone(),
            planned: journal.planned.clone(),
            could_list: !is_new && !journal.blind,
            not_before: (!wait.is_zero()).then(|| Instant::now() + *wait),
            over: self.over.token().clone(),
            tagging: shared.config.tagging.clone().map(|tagging| (tagging, shared.config.endings_beside_values())),
            abandoned: if *may_have_uploads { shared.config.endings() } else { Vec::new() },
        })
    }

    /// Refuses to go on where a crash in mid-group and a change of names or directories came together: some records of the group lie in files that these
    /// settings do not know, and they would be written once more.
    ///
    /// # Errors
    /// `Config` where it is so.
    pub(super) fn refuse_other_settings(&self, config: &StorageSinkConfig, found: &Findings) -> Result<()> {
        let (endings, places) = (config.endings(), config.places(&self.topic_partition, self.encoded_partition.as_deref()));
        let is_named = |slot: &str| {
            // Keys and headers double no value.
            let name = slot.rsplit('/').next().unwrap_or(slot).replace(&*self.topic_partition.topic, "");
            let is_beside = [RecordView::Key, RecordView::Headers].iter().any(|view| name.contains(&format!("{}.", view.suffix())));
            let is_in_place = || places.iter().any(|place| slot.starts_with(&place.directory) && slot.contains(&place.name));
            is_beside || is_in_place() && endings.iter().any(|ending| slot.ends_with(ending.as_str()))
        };
        let Some((first, end, slot)) = found.of_other_settings(config.layout, is_named) else { return Ok(()) };
        let topic_partition = &self.topic_partition;
        Err(Error::config(format!(
            "{topic_partition}: the last owner did not stop cleanly, and names or directories of objects, or which records share one, have been changed since. \
             Offsets {first} to {end} are in files of which only some are there, such as {slot} (the offset left out); under these settings their records would be written once more. \
             Start once with the former settings and stop cleanly, or remove the objects of these offsets"
        )))
    }

    /// The partition begins. `found`: what lies ahead; `None` where nobody could look, or needed to.
    pub(super) fn finish(self, shared: &Arc<Shared>, found: Option<Findings>, now: i64) -> TopicPartitionWriter {
        let Self { topic_partition, position, met, committed, encoded_partition, plan, .. } = self;
        let Plan { mut journal, survey: must_survey, places, .. } = plan;
        let has_looked = found.is_some();
        // A bucket that may not be listed still shows what stands in the way.
        let budget = &shared.context.budget;
        let found = found.unwrap_or_else(|| survey::met(&met, &journal.places, &journal.planned, budget));
        say(&topic_partition, position.offset, &found);
        if has_looked && found.objects() == 0 {
            journal.places = places;
        }
        let boundaries = Boundaries::new((&journal.planned, journal.every), shared.config.layout, found, position.offset);
        journal.keep_places_that_fit();
        journal.every = shared.config.plans_every_cut() || position.offset < boundaries.every_until();
        let knows_ahead = has_looked || !must_survey;
        journal.blind = !knows_ahead;
        let beginning = Beginning { topic_partition, position, journal, committed, boundaries, knows_ahead, encoded_partition };
        TopicPartitionWriter::new(shared, beginning, now)
    }
}

fn say(topic_partition: &TopicPartition, start: i64, found: &Findings) {
    if found.objects() == 0 {
        return;
    }
    let durable: i64 = found.durable.iter().map(|(first, end)| end - first).sum();
    let (objects, until) = (found.objects(), found.until);
    let what_next =
        "ranges of this history are kept as they are; other objects are kept where their content is the same, else replaced";
    info!(%topic_partition, start, objects, durable, until, "objects lie in the bucket at or beyond the committed offset: {what_next}");
}

/// What this owner brings along.
struct Ours {
    owner: u64,
    topic_id: Option<String>,
    fingerprint: u64,
    schemas_may_differ: bool,
    places: Vec<Place>,
    /// How long requests of an owner that is gone may take effect.
    hold: Duration,
}

/// What to do about what may be in the bucket.
struct Plan {
    journal: Journal,
    survey: bool,
    may_have_uploads: bool,
    /// No journal says where the last owner stopped.
    is_new: bool,
    /// How long to wait before anybody looks.
    wait: Duration,
    /// Where objects will lie from now on.
    places: Vec<Place>,
}

impl Plan {
    fn new(committed: Option<Journal>, ours: Ours, why: Why, now: i64) -> Self {
        let Ours { owner, topic_id, fingerprint, schemas_may_differ, places, hold } = ours;
        // Offsets that were copied to another group bring the history of that one along.
        let committed = committed.filter(|committed| committed.owner.is_none_or(|theirs| theirs == owner));
        let ours = |journal: Journal| Journal {
            owner: Some(owner),
            topic_id: topic_id.clone().or(journal.topic_id),
            fingerprint: Some(fingerprint),
            clean: false,
            under_way_until: None,
            ..journal
        };
        let Some(committed) = committed else {
            // Nothing here is ours. Objects of another past suggest where to cut, unless they are of another log.
            let survey = why != Why::Recreated;
            let journal = Journal { places: places.clone(), looks_back: survey, ..ours(Journal::new()) };
            return Self { journal, survey, may_have_uploads: false, is_new: true, wait: Duration::ZERO, places };
        };
        let survey = why == Why::CutOtherwise || !committed.clean;
        let other_settings = committed.fingerprint.is_some_and(|theirs| theirs != fingerprint || schemas_may_differ);
        let held = if other_settings && !committed.clean && why == Why::Assigned { hold } else { Duration::ZERO };
        let left = committed.under_way_until.map_or(0, |until| until.saturating_mul(1_000).saturating_sub(now));
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default()).min(hold * 2);
        let may_have_uploads = !committed.clean && why == Why::Assigned;
        let mut journal = ours(committed);
        if survey {
            // Until everything that is found is behind, the next owner must look as well, in the old places and in the new.
            let new: Vec<_> = places.iter().filter(|place| !journal.places.contains(place)).cloned().collect();
            journal.places.extend(new);
        } else {
            journal.places.clone_from(&places);
        }
        Self { journal, survey, may_have_uploads, is_new: false, wait: held.max(left), places }
    }
}

/// Which connector this is, in journals and objects: stable over releases.
pub(super) fn owner(connector: &str) -> u64 {
    super::journal::fingerprint(std::iter::once((connector, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn place(directory: &str) -> Place {
        Place { directory: directory.to_owned(), name: "t+0+".to_owned(), is_exact: true, zero_pad_width: 10 }
    }

    fn ours(fingerprint: u64) -> Ours {
        let (owner, topic_id, places) = (7, Some("b".into()), vec![place("new/")]);
        Ours { owner, topic_id, fingerprint, schemas_may_differ: false, places, hold: Duration::from_secs(30) }
    }

    fn committed(fingerprint: u64, clean: bool) -> Journal {
        Journal { owner: Some(7), fingerprint: Some(fingerprint), clean, places: vec![place("old/")], ..Journal::new() }
    }

    fn plan(committed: Journal, fingerprint: u64) -> Plan {
        Plan::new(Some(committed), ours(fingerprint), Why::Assigned, NOW)
    }

    #[test]
    fn the_bucket_is_looked_at_whenever_the_last_owner_did_not_stop_cleanly() {
        assert!(plan(committed(1, false), 1).survey);
        assert!(plan(committed(2, false), 1).survey);
        assert!(!plan(committed(1, true), 1).survey && !plan(committed(2, true), 1).survey);
        assert!(Plan::new(None, ours(1), Why::Assigned, NOW).survey);
        assert!(Plan::new(Some(committed(1, true)), ours(1), Why::CutOtherwise, NOW).survey);
        let changed = plan(committed(2, false), 1).journal;
        assert_eq!((changed.fingerprint, changed.places), (Some(1), vec![place("old/"), place("new/")]));
    }

    #[test]
    fn who_starts_with_other_settings_waits_for_requests_that_may_still_take_effect() {
        assert_eq!(plan(committed(1, false), 1).wait, Duration::ZERO);
        assert_eq!(plan(committed(2, false), 1).wait, Duration::from_secs(30));
        assert_eq!(plan(committed(2, true), 1).wait, Duration::ZERO);
        let by_other_schemas = |clean| {
            let ours = Ours { schemas_may_differ: true, ..ours(1) };
            Plan::new(Some(committed(1, clean)), ours, Why::Assigned, NOW).wait
        };
        assert_eq!((by_other_schemas(false), by_other_schemas(true)), (Duration::from_secs(30), Duration::ZERO));
        let left_behind = |seconds| Journal { under_way_until: Some(NOW / 1_000 + seconds), ..committed(1, false) };
        assert_eq!(plan(left_behind(12), 1).wait, Duration::from_secs(12));
        assert_eq!(plan(left_behind(-3), 1).wait, Duration::ZERO);
        assert_eq!(plan(left_behind(86_400), 1).wait, Duration::from_secs(60), "a clock that is wrong");
    }

    #[test]
    fn a_journal_of_another_group_is_not_ours_and_uploads_of_others_are_left_alone() {
        let copied = Journal { owner: Some(8), ..committed(1, false) };
        let history = copied.history.clone();
        let plan = plan(copied, 1);
        assert!(plan.survey && !plan.may_have_uploads);
        assert_ne!(plan.journal.history, history);
        assert!(!Plan::new(None, ours(1), Why::Assigned, NOW).may_have_uploads);
    }

    #[test]
    fn a_log_that_began_anew_has_its_own_history_and_heeds_no_object_of_the_old_one() {
        assert!(!Plan::new(None, ours(1), Why::Recreated, NOW).survey);
    }
}
