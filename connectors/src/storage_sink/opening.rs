//! How a partition is taken over: what the journal says, and what must be looked up in the bucket.

use std::sync::Arc;

use connect_api::{ErrorKind, OffsetAndMetadata, Result, TopicPartition};
use tracing::{info, warn};

use super::{
    boundaries::Boundaries,
    journal::Journal,
    object_key::Place,
    recovery::{Found, Survey},
    topic_partition_writer::{Opening, Reopen, Shared, TopicPartitionWriter, encoded_partition},
};

/// Opens a partition at a position. `reopen`: why it is opened again within an assignment.
pub(super) async fn open(
    shared: &Arc<Shared>,
    topic_partition: &TopicPartition,
    position: &OffsetAndMetadata,
    reopen: Option<Reopen>,
    now: i64,
) -> Result<TopicPartitionWriter> {
    let encoded_partition = encoded_partition(&shared.config, topic_partition)?;
    let places = shared.config.places(topic_partition, encoded_partition.as_deref());
    let committed = Journal::read(&position.metadata)?;
    let plan = Plan::new(committed.clone(), shared.config.fingerprint, &places, reopen.is_some());
    abort_abandoned_uploads(shared, &places, &plan).await;
    let mut journal = plan.journal;
    let surveyed = if plan.survey { survey(shared, topic_partition, &journal, position.offset).await? } else { None };
    // Objects of an owner that crashed may lie ahead; with the same settings they are met by name, and nobody has looked.
    let knows_ahead = surveyed.is_some() || committed.as_ref().is_some_and(|committed| committed.clean);
    let found = surveyed.unwrap_or_default();
    if found.is_empty() {
        journal.fingerprint = Some(shared.config.fingerprint);
        journal.places = places;
    }
    let boundaries = Boundaries::new(&journal.planned, journal.every, found, position.offset);
    journal.keep_places_that_fit();
    journal.every |= shared.config.schedule.is_some();
    let position = position.clone();
    let opening = Opening {
        topic_partition: topic_partition.clone(),
        position,
        journal,
        committed,
        boundaries,
        knows_ahead,
        encoded_partition,
    };
    Ok(TopicPartitionWriter::new(shared, opening, now))
}

/// What to do about what may be in the bucket.
struct Plan {
    journal: Journal,
    survey: bool,
    may_have_uploads: bool,
}

impl Plan {
    fn new(committed: Option<Journal>, fingerprint: u64, places: &[Place], is_reopened: bool) -> Self {
        let Some(committed) = committed else {
            // Nothing here is ours, but objects of another past may be in the way.
            return Self { journal: Journal { places: places.to_vec(), ..Journal::new() }, survey: true, may_have_uploads: true };
        };
        let same_settings = committed.fingerprint == Some(fingerprint);
        let survey = is_reopened || !(same_settings || committed.clean);
        let may_have_uploads = !committed.clean && !is_reopened;
        let mut journal = Journal { clean: false, ..committed };
        if survey {
            // Until everything that is found is behind, the next owner must look as well, in the old places and in the new.
            journal.fingerprint = None;
            let new: Vec<_> = places.iter().filter(|place| !journal.places.contains(place)).cloned().collect();
            journal.places.extend(new);
        } else {
            journal.fingerprint = Some(fingerprint);
            journal.places = places.to_vec();
        }
        Self { journal, survey, may_have_uploads }
    }
}

/// What lies ahead; `None` where the bucket may not be listed.
async fn survey(shared: &Shared, topic_partition: &TopicPartition, journal: &Journal, start: i64) -> Result<Option<Vec<Found>>> {
    let survey = Survey {
        storage: shared.uploads.storage(),
        topic_partition,
        places: &journal.places,
        history: &journal.history,
        planned: &journal.planned,
    };
    let found = match survey.from(start).await {
        Err(error) if error.kind() == ErrorKind::Config => {
            let consequence = "objects of another past that are in the way will be met by name only";
            warn!(%topic_partition, error = error.report(), "the bucket cannot be listed: {consequence}");
            return Ok(None);
        }
        found => found?,
    };
    if let Some(first) = found.first() {
        let durable = found.iter().filter(|range| range.is_durable).count();
        let (ranges, first) = (found.len(), first.first);
        let what_next =
            "ranges of this history are kept as they are; other objects are kept where their content is the same, else replaced";
        info!(%topic_partition, start, ranges, durable, first, "objects lie in the bucket at or beyond the committed offset: {what_next}");
    }
    Ok(Some(found))
}

/// Frees what a crashed owner has left of uploads in parts. Best effort: a lifecycle rule of the bucket does the same.
async fn abort_abandoned_uploads(shared: &Shared, places: &[Place], plan: &Plan) {
    if !plan.may_have_uploads {
        return;
    }
    // Without an exact place the uploads of other partitions, whose owners are alive, would be aborted too.
    for place in places.iter().filter(|place| place.is_exact) {
        let prefix = place.prefix();
        match shared.uploads.storage().abort_uploads(&prefix).await {
            Ok(0) => {}
            Ok(uploads) => info!(prefix, uploads, "aborted multipart uploads that nobody had completed"),
            Err(error) => warn!(prefix, error = error.report(), "could not look for multipart uploads that nobody had completed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(directory: &str) -> Place {
        Place { directory: directory.to_owned(), name: "t+0+".to_owned(), is_exact: true, zero_pad_width: 10 }
    }

    fn committed(fingerprint: Option<u64>, clean: bool) -> Option<Journal> {
        Some(Journal { fingerprint, clean, places: vec![place("old/")], ..Journal::new() })
    }

    #[test]
    fn the_bucket_is_looked_at_when_settings_changed_and_the_last_owner_did_not_stop_cleanly() {
        let new = [place("new/")];
        assert!(!Plan::new(committed(Some(1), false), 1, &new, false).survey);
        assert!(!Plan::new(committed(Some(2), true), 1, &new, false).survey);
        assert!(Plan::new(committed(None, false), 1, &new, false).survey);
        assert!(Plan::new(None, 1, &new, false).survey);
        let changed = Plan::new(committed(Some(2), false), 1, &new, false);
        assert!(changed.survey);
        assert_eq!(changed.journal.fingerprint, None);
        assert_eq!(changed.journal.places, [place("old/"), place("new/")]);
    }
}
