//! Looks at what lies in the bucket at and beyond the offsets where partitions begin, while other partitions go on: a page of names at a time, each object
//! that lies ahead once, asked again until the store answers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use connect_api::{Budget, Cursor, Error, ErrorKind, ObjectInfo, Page, Result, TopicPartition};
use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    findings::{Findings, Sighting},
    journal::PlannedCut,
    object_key::Place,
    overlap::{Before, reaches},
    provenance::Provenance,
    tagging::Tagging,
    turns::Turn,
    uploads::{SURVEY_REQUESTS, Uploads},
};

/// A refusal to list is believed when it has been heard so often: policies take a while to hold everywhere.
const REFUSALS: u32 = 4;

/// Where an owner before this one could list, a refusal is believed when it has lasted so long: somebody is at work on a policy, and what is not seen may be
/// written once more.
const REFUSED_FOR: Duration = Duration::from_secs(5 * 60);

/// Listings of a task at the same time.
const LISTINGS_AT_ONCE: usize = 16;

/// Objects of one listing that are looked at, or wait for a permit to be, at the same time.
const HEADS_AT_ONCE: usize = SURVEY_REQUESTS;

/// Between two lines of the log about progress.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Tells surveys apart: those of an assignment that is over concern nobody.
pub(super) type SurveyId = u64;

/// A partition whose objects are looked for.
pub(super) struct Wanted {
    pub(super) id: SurveyId,
    pub(super) topic_partition: TopicPartition,
    /// Where its objects may lie.
    pub(super) places: Vec<Place>,
    /// Objects before this offset are of no interest.
    pub(super) start: i64,
    /// Objects that begin at most so far before it may reach beyond it: nobody says where the last owner stopped.
    pub(super) looks_back: i64,
    /// Files of one group may have the same name but for the offset.
    pub(super) file_for_each_schema: bool,
    /// Which connector this is.
    pub(super) owner: u64,
    /// What tells the topic from earlier ones of its name, where that is known.
    pub(super) topic_id: Option<String>,
    pub(super) history: String,
    pub(super) planned: Vec<PlannedCut>,
    /// The owner before could list the bucket, as its journal says.
    pub(super) could_list: bool,
    /// Nothing is looked at before: requests of the last owner may still take effect.
    pub(super) not_before: Option<Instant>,
    /// How objects are tagged, and what names of those end with that are not.
    pub(super) tagging: Option<(Arc<Tagging>, Vec<String>)>,
    /// Uploads in parts with names that end like this were left behind by the last owner, if any.
    pub(super) abandoned: Vec<String>,
    /// Nobody waits for it any more.
    pub(super) over: CancellationToken,
}

/// What was found of one partition; nothing where the bucket may not be listed.
pub(super) struct Surveyed {
    pub(super) id: SurveyId,
    pub(super) topic_partition: TopicPartition,
    pub(super) found: Result<Option<Findings>>,
}

/// Surveys of one task.
pub(super) struct Surveys {
    uploads: Arc<Uploads>,
    listings: Semaphore,
    results: mpsc::UnboundedSender<Surveyed>,
    looked_at: AtomicU64,
    /// Why the store does not answer, while it does not.
    trouble: Mutex<Option<String>>,
}

/// Where the names of one listing belong.
pub(super) type Interest = (usize, Place);

impl Surveys {
    pub(super) fn new(uploads: Arc<Uploads>) -> (Arc<Self>, mpsc::UnboundedReceiver<Surveyed>) {
        let (results, receiver) = mpsc::unbounded_channel();
        let (listings, looked_at) = (Semaphore::new(LISTINGS_AT_ONCE), AtomicU64::new(0));
        (Arc::new(Self { uploads, listings, results, looked_at, trouble: Mutex::default() }), receiver)
    }

    /// Begins to look for partitions that were opened together. Those whose objects lie in the same directories share a listing.
    pub(super) fn begin(self: &Arc<Self>, wanted: Vec<Wanted>) {
        for group in groups(wanted) {
            let surveys = Arc::clone(self);
            self.uploads.context.spawn(async move {
                let all_over = futures_util::future::join_all(group.iter().map(|wanted| wanted.over.clone().cancelled_owned()));
                tokio::select! {
                    biased;
                    _ = all_over => {}
                    () = surveys.run(group) => {}
                }
            });
        }
    }

    /// How many objects were looked at so far, and why the store does not answer, if it does not.
    pub(super) fn progress(&self) -> (u64, Option<String>) {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.looked_at.load(Ordering::Relaxed), trouble)
    }

    async fn run(&self, group: Vec<Wanted>) {
        if let Some(not_before) = group.iter().filter_map(|wanted| wanted.not_before).max() {
            tokio::time::sleep_until(not_before).await;
        }
        let found = self.look(&group).await;
        let mut findings = match found {
            Ok(findings) => findings.into_iter().map(|findings| Ok(Some(findings))).collect::<Vec<_>>(),
            Err(error) if error.kind() == ErrorKind::Config => {
                let consequence = "objects of another past that are in the way will be met by name only";
                warn!(error = error.report(), "the bucket cannot be listed: {consequence}");
                group.iter().map(|_| Ok(None)).collect()
            }
            Err(error) => {
                let again =
                    |error: &Error| Err(Error::fatal("looking at the bucket failed").with_source(Error::fatal(error.report())));
                group.iter().map(|_| again(&error)).collect()
            }
        };
        for (Wanted { id, topic_partition, .. }, found) in group.into_iter().zip(findings.drain(..)) {
            // A task that has gone needs no answer.
            let _gone = self.results.send(Surveyed { id, topic_partition, found });
        }
        self.uploads.context.wake();
    }

    async fn look(&self, group: &[Wanted]) -> Result<Vec<Findings>> {
        let mut findings: Vec<Findings> = group.iter().map(|_| Findings::default()).collect();
        // What was found stays until it is behind: it does not come back by itself.
        let mut memory = self.uploads.budget().park(0);
        let mut told = Instant::now();
        let (turn, untagged) = (Turn::new(&self.listings), AtomicBool::new(false));
        let could_list = group.iter().any(|wanted| wanted.could_list);
        for ((prefix, after), interests) in listings(group) {
            let cursor = after.map_or(Cursor::Start, Cursor::After);
            turn.wait().await;
            self.abort_abandoned(&prefix, &interests, group).await;
            let mut cursor = Some(cursor);
            let mut before = Before::default();
            while let Some(at) = cursor.take() {
                let Page { names, next } = self.page(&turn, &prefix, &at, could_list).await?;
                cursor = next;
                names.iter().for_each(|name| before.see(name, &interests, group));
                let page: usize = names.iter().map(|name| 24 + name.len()).sum();
                memory.resize(findings.iter().map(Findings::bytes).sum::<usize>() + before.bytes() + page);
                let mut ahead = names.into_iter().filter_map(|name| Some((belongs_to(&name, &interests, group)?, name)));
                let mut asked = FuturesUnordered::new();
                loop {
                    let free = HEADS_AT_ONCE - asked.len();
                    asked
                        .extend(ahead.by_ref().take(free).map(|(of, name)| self.look_at(&turn, of, name, &group[of.0], &untagged)));
                    let Some(((of, first), name, info)) = asked.try_next().await? else { break };
                    self.looked_at.fetch_add(1, Ordering::Relaxed);
                    if let Some(info) = info {
                        take(&mut findings[of], &group[of], first, &name, &info);
                    }
                }
                memory.resize(findings.iter().map(Findings::bytes).sum::<usize>() + before.bytes());
                if told.elapsed() >= TOLD_EVERY {
                    told = Instant::now();
                    let (looked_at, _) = self.progress();
                    info!(prefix, looked_at, "looking at the objects beyond the committed offsets");
                }
            }
            for ((of, slot), names) in before.last() {
                let mut group_first = i64::MIN;
                for (first, name) in names {
                    let is_of_group = first >= group_first;
                    let there = if is_of_group { self.head(&turn, &name).await? } else { None };
                    let Some(there) = there.and_then(|info| Provenance::read(&info.metadata)) else { break };
                    group_first = there.group_first;
                    if let Some(end) = reaches(&there, &group[of]) {
                        findings[of].cover(slot.clone(), &there, end);
                    }
                }
            }
        }
        drop(memory);
        findings.iter_mut().for_each(|findings| findings.complete(self.uploads.budget()));
        Ok(findings)
    }

    /// The last owner may have died between an object and its tags. Those of objects in parts are not known any more. `untagged`: the store has refused
    /// some, and that is to be ignored: nobody waits for more refusals.
    async fn tag(&self, wanted: &Wanted, name: &str, info: &ObjectInfo, untagged: &AtomicBool) -> Result<()> {
        let is_tagged = |(_, others): &&(_, Vec<String>)| !others.iter().any(|ending| name.ends_with(ending.as_str()));
        let Some((tagging, _)) = wanted.tagging.as_ref().filter(is_tagged) else { return Ok(()) };
        let there = Provenance::read(&info.metadata).filter(|there| there.history == wanted.history);
        if let Some(cut) = there.and_then(|there| there.cut)
            && !untagged.load(Ordering::Relaxed)
            && !self.uploads.tag(name, tagging, cut.range).await?
        {
            untagged.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn page(&self, turn: &Turn<'_>, prefix: &str, cursor: &Cursor, could_list: bool) -> Result<Page> {
        let (mut attempt, mut refusals, mut refused_since) = (0, 0, None);
        loop {
            turn.wait().await;
            let answer = {
                let _permit = self.uploads.permits.survey.acquire().await;
                self.uploads.storage().list(prefix, cursor).await
            };
            let mut error = match answer {
                Ok(page) => {
                    self.set_trouble(None);
                    return Ok(page);
                }
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Retriable => {}
                ErrorKind::Config => {
                    refusals += 1;
                    let refused_for = refused_since.get_or_insert_with(Instant::now).elapsed();
                    let is_believed = if could_list { refused_for >= REFUSED_FOR } else { refusals >= REFUSALS };
                    if is_believed {
                        return Err(error);
                    }
                    if could_list {
                        let (seconds, why) = (REFUSED_FOR.as_secs(), "what lies there would be written once more");
                        error = error.context(format!(
                            "listing is refused, which the last owner could do: asking for {seconds} seconds before it is believed, for {why}"
                        ));
                    }
                }
                _ => return Err(error),
            }
            attempt += 1;
            self.pause(turn, prefix, attempt, &error).await;
        }
    }

    async fn look_at(
        &self,
        turn: &Turn<'_>,
        of: (usize, i64),
        name: String,
        wanted: &Wanted,
        untagged: &AtomicBool,
    ) -> Result<((usize, i64), String, Option<ObjectInfo>)> {
        let info = self.head(turn, &name).await?;
        if let Some(info) = &info {
            self.tag(wanted, &name, info, untagged).await?;
        }
        Ok((of, name, info))
    }

    async fn head(&self, turn: &Turn<'_>, name: &str) -> Result<Option<ObjectInfo>> {
        let mut attempt = 0;
        loop {
            turn.wait().await;
            let answer = {
                let _permit = self.uploads.permits.survey.acquire().await;
                self.uploads.storage().head(name).await
            };
            match answer {
                Err(error) if matches!(error.kind(), ErrorKind::Config | ErrorKind::Retriable) => {
                    attempt += 1;
                    self.pause(turn, name, attempt, &error).await;
                }
                answer => {
                    if attempt > 0 {
                        self.set_trouble(None);
                    }
                    return answer;
                }
            }
        }
    }

    /// Waits before the store is asked again; meanwhile others may look.
    async fn pause(&self, turn: &Turn<'_>, key: &str, attempt: u32, error: &Error) {
        turn.give();
        let pause = self.uploads.backoff(attempt);
        warn!(key, attempt, ?pause, error = error.report(), "the bucket could not be looked at, retrying");
        self.set_trouble(Some(error.report()));
        tokio::time::sleep(pause).await;
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Frees what a crashed owner has left of uploads in parts. Best effort: a lifecycle rule of the bucket does the same.
    async fn abort_abandoned(&self, prefix: &str, interests: &[Interest], group: &[Wanted]) {
        let is_abandoned = |name: &str| {
            interests.iter().any(|(of, place)| {
                // Whoever has the partition now may be sending it.
                let ours = || {
                    !group[*of].over.is_cancelled()
                        && self.uploads.lease.holds()
                        && group[*of].abandoned.iter().any(|end| name.ends_with(end.as_str()))
                };
                place.first_offset(name).is_some() && ours()
            })
        };
        if interests.iter().all(|(of, _)| group[*of].abandoned.is_empty()) {
            return;
        }
        match self.uploads.storage().abort_uploads(prefix, &is_abandoned).await {
            Ok(0) => {}
            Ok(uploads) => info!(prefix, uploads, "aborted multipart uploads that nobody had completed"),
            Err(error) => warn!(prefix, error = error.report(), "could not look for multipart uploads that nobody had completed"),
        }
    }
}

/// Takes an object in that lies ahead.
fn take(findings: &mut Findings, wanted: &Wanted, first: i64, name: &str, info: &ObjectInfo) {
    let provenance = Provenance::read(&info.metadata).filter(|provenance| provenance.topic_partition == wanted.topic_partition);
    let is_ours = provenance.as_ref().is_some_and(|provenance| provenance.history == wanted.history);
    let sighting = Sighting { first, slot: slot_of(name, &wanted.places), provenance: provenance.as_ref(), is_ours };
    findings.take(sighting, &wanted.planned);
}

/// Whose the name is, and the offset in it, if it lies ahead.
fn belongs_to(name: &str, interests: &[Interest], group: &[Wanted]) -> Option<(usize, i64)> {
    interests.iter().find_map(|(of, place)| {
        let first = place.first_offset(name).filter(|first| *first >= group[*of].start)?;
        Some((*of, first))
    })
}

/// What uploads have met, where nobody may look for the rest.
pub(super) fn met(objects: &[(String, Provenance)], places: &[Place], planned: &[PlannedCut], budget: &Budget) -> Findings {
    let mut findings = Findings::default();
    for (name, provenance) in objects {
        let slot = slot_of(name, places);
        findings.take(Sighting { first: provenance.first_offset, slot, provenance: Some(provenance), is_ours: true }, planned);
    }
    findings.complete(budget);
    findings
}

/// The name without its offset.
fn slot_of(name: &str, places: &[Place]) -> String {
    places.iter().find_map(|place| place.slot(name)).unwrap_or_else(|| name.to_owned())
}

/// Partitions that share a listing, together.
fn groups(wanted: Vec<Wanted>) -> Vec<Vec<Wanted>> {
    let shared = |wanted: &Wanted| wanted.places.iter().find(|place| !place.is_exact).map(Place::prefix);
    let mut groups: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    let mut alone = Vec::new();
    for wanted in wanted {
        match shared(&wanted) {
            Some(prefix) => groups.entry(prefix).or_default().push(wanted),
            None => alone.push(vec![wanted]),
        }
    }
    alone.extend(groups.into_values());
    alone
}

/// What to list for a group, each prefix once, and whom its names may concern.
fn listings(group: &[Wanted]) -> BTreeMap<(String, Option<String>), Vec<Interest>> {
    let mut listings: BTreeMap<(String, Option<String>), Vec<Interest>> = BTreeMap::new();
    for (of, wanted) in group.iter().enumerate() {
        for place in &wanted.places {
            listings
                .entry((place.prefix(), place.just_before(wanted.start - wanted.looks_back)))
                .or_default()
                .push((of, place.clone()));
        }
    }
    listings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(partition: i32, places: Vec<Place>) -> Wanted {
        Wanted {
            id: 0,
            topic_partition: TopicPartition::new("t", partition),
            places,
            start: 12,
            looks_back: 0,
            file_for_each_schema: false,
            owner: 0,
            topic_id: None,
            history: String::new(),
            planned: Vec::new(),
            could_list: false,
            not_before: None,
            tagging: None,
            abandoned: Vec::new(),
            over: CancellationToken::new(),
        }
    }

    fn place(directory: &str, partition: i32, is_exact: bool) -> Place {
        Place { directory: directory.to_owned(), name: format!("t+{partition}+"), is_exact, zero_pad_width: 10 }
    }

    #[test]
    fn partitions_whose_objects_share_directories_share_one_listing() {
        let exact = |partition| place(&format!("topics/t/partition={partition}/"), partition, true);
        let group = groups(vec![
            wanted(0, vec![place("topics/t/", 0, false)]),
            wanted(1, vec![place("topics/t/", 1, false), exact(1)]),
            wanted(2, vec![exact(2)]),
        ]);
        assert_eq!(group.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(listings(&group[1]).len(), 2);
        let listed: Vec<_> = listings(&group[0]).into_keys().collect();
        let after = "topics/t/partition=2/t+2+0000000011".to_owned();
        assert_eq!(listed, [("topics/t/partition=2/t+2+".to_owned(), Some(after))]);
    }

    #[test]
    fn a_name_belongs_to_the_partition_in_it_and_only_if_it_lies_ahead() {
        let group = [wanted(0, vec![place("topics/t/", 0, false)]), wanted(10, vec![place("topics/t/", 10, false)])];
        let interests: Vec<_> = (0..).zip(&group).map(|(of, wanted)| (of, wanted.places[0].clone())).collect();
        assert_eq!(belongs_to("topics/t/d=1/t+10+0000000012.json", &interests, &group), Some((1, 12)));
        assert_eq!(belongs_to("topics/t/d=1/t+0+0000000040.json", &interests, &group), Some((0, 40)));
        assert_eq!(belongs_to("topics/t/d=1/t+0+0000000011.json", &interests, &group), None);
        assert_eq!(belongs_to("topics/t/d=1/t+7+0000000040.json", &interests, &group), None);
    }
}
