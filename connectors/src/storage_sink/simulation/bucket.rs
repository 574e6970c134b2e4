//! The bucket, and what each life sees of it. A request that was sent takes effect, whatever becomes of who sent it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, Cursor, Error, IsAbandoned, MultipartUpload, ObjectInfo, ObjectMetadata, Page, PieceLimit, Result,
    Storage, Version, async_trait,
};
use tokio::sync::oneshot;

use super::{Dice, lock};

/// No request takes effect later than this after it was sent.
pub(super) const REQUEST_LIFE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Object {
    pub(super) body: Vec<u8>,
    pub(super) metadata: ObjectMetadata,
    pub(super) version: u64,
    modified: i64,
}

#[derive(Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    versions: u64,
    /// Names whose object was replaced, and what was replaced.
    pub(super) replaced: Vec<(String, Object)>,
    /// Uploads in parts that were neither completed nor aborted.
    pub(super) unfinished: BTreeSet<(String, u64)>,
    uploads: u64,
    /// How large the parts of each finished upload were.
    pub(super) parts: Vec<Vec<usize>>,
}

impl Bucket {
    pub(super) fn create(&mut self, key: &str, body: Vec<u8>, metadata: &ObjectMetadata, condition: &Condition) -> Completion {
        let holds = match (self.objects.get(key), condition) {
            (None, Condition::NameFree) => true,
            (Some(object), Condition::Unchanged(version)) => object.version.to_string() == version.0,
            _ => false,
        };
        if !holds {
            return Completion::NameTaken;
        }
        self.versions += 1;
        let modified = super::life::NOW.get();
        let object = Object { body, metadata: metadata.clone(), version: self.versions, modified };
        if let Some(before) = self.objects.insert(key.to_owned(), object) {
            self.replaced.push((key.to_owned(), before));
        }
        Completion::Created
    }
}

/// How the store treats one life.
#[derive(Clone, Default)]
pub(super) struct Weather {
    /// One request in so many is refused, or its answer is lost; none for 0.
    pub(super) faults: u64,
    /// Nothing that is put will ever be taken.
    pub(super) refuses: bool,
    /// So many listings are refused by a policy.
    pub(super) list_refusals: Arc<Mutex<u32>>,
    /// Names that begin like this are refused as by a policy, for now.
    pub(super) poisoned: Arc<Mutex<Option<String>>>,
    /// What is asked about names that begin like this can never succeed.
    pub(super) hopeless: Arc<Mutex<Option<String>>>,
    /// HEADs of names that begin like this are refused, for now: a key that is disabled.
    pub(super) sealed: Arc<Mutex<Option<String>>>,
    /// A name whose next request hangs until it is let go.
    pub(super) hangs: Arc<Mutex<Option<String>>>,
    /// One HEAD or LIST in so many fails; none for 0.
    pub(super) looks_fail: u64,
    /// Every HEAD says that nothing is there.
    pub(super) is_blind: bool,
    /// How long every request takes beside the rest.
    pub(super) latency: Duration,
    /// How long after it was sent a request takes effect; random for none.
    pub(super) effect_after: Option<Duration>,
    /// Nobody may abort uploads in parts.
    pub(super) keeps_uploads: bool,
    /// What it asks of the pieces of names.
    pub(super) piece_limit: Option<PieceLimit>,
    /// HEADs and LISTs so far, and GETs.
    pub(super) looks: Arc<Mutex<(u64, u64)>>,
}

/// The bucket as one life of the task sees it.
#[derive(Clone)]
pub(super) struct View {
    pub(super) bucket: Arc<Mutex<Bucket>>,
    pub(super) dice: Dice,
    pub(super) weather: Weather,
    /// Requests under way, the most there were, and how many were made.
    pub(super) load: Arc<Mutex<(usize, usize, usize)>>,
}

impl View {
    /// The way there. What changes the bucket is on its way as soon as it is asked for: whoever is frozen then cannot take it back.
    async fn before(&self, key: &str) -> Result<()> {
        {
            let mut load = lock(&self.load);
            *load = (load.0 + 1, load.1.max(load.0 + 1), load.2 + 1);
        }
        tokio::time::sleep(self.weather.latency + Duration::from_millis(self.dice.below(40))).await;
        lock(&self.load).0 -= 1;
        if lock(&self.weather.poisoned).as_deref().is_some_and(|prefix| key.starts_with(prefix)) {
            return Err(Error::retriable("403 AccessDenied"));
        }
        if lock(&self.weather.hopeless).as_deref().is_some_and(|prefix| key.starts_with(prefix)) {
            return Err(Error::fatal("400 InvalidURI"));
        }
        let fails = self.weather.faults > 0 && self.dice.one_in(self.weather.faults);
        if fails { Err(Error::retriable("refused")) } else { Ok(()) }
    }

    /// Not sent yet: whoever is killed now has asked for nothing.
    async fn hang(&self, key: &str) {
        while lock(&self.weather.hangs).as_deref().is_some_and(|name| key.starts_with(name)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What a HEAD or a LIST meets beside.
    fn look(&self) -> Result<()> {
        let mut looks = lock(&self.weather.looks);
        looks.0 += 1;
        let fails = self.weather.looks_fail > 0 && looks.0.is_multiple_of(self.weather.looks_fail);
        if fails { Err(Error::retriable("503 SlowDown")) } else { Ok(()) }
    }

    /// Takes effect after a while, also where nobody waits for the answer any more.
    async fn effect(&self, key: &str, effect: impl FnOnce(&mut Bucket) -> Completion + Send + 'static) -> Result<Completion> {
        self.hang(key).await;
        let late = if self.dice.one_in(20) { 4_500 } else { 40 };
        let random = Duration::from_millis(self.dice.below(late));
        let delay = self.weather.effect_after.unwrap_or(random);
        let (way, key, (answer, answered)) = (self.clone(), key.to_owned(), oneshot::channel());
        #[allow(clippy::disallowed_methods, reason = "the store belongs to nobody")]
        tokio::spawn(async move {
            let arrived = way.before(&key).await;
            tokio::time::sleep(delay).await;
            let done = arrived.map(|()| effect(&mut lock(&way.bucket)));
            let _nobody_waits = answer.send(done);
        });
        let completion = answered.await.unwrap()?;
        tokio::time::sleep(Duration::from_millis(self.dice.below(40))).await;
        let lost = self.weather.faults > 0 && self.dice.one_in(self.weather.faults);
        if lost { Err(Error::retriable("the answer was lost")) } else { Ok(completion) }
    }
}

#[async_trait]
impl Storage for View {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        if self.weather.refuses {
            return Err(Error::fatal("refused for good"));
        }
        let (name, body, metadata, condition) = (key.to_owned(), body.concat(), metadata.clone(), condition.clone());
        self.effect(key, move |bucket| bucket.create(&name, body, &metadata, &condition)).await
    }

    async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        self.hang(key).await;
        self.before(key).await?;
        let mut bucket = lock(&self.bucket);
        bucket.uploads += 1;
        let id = (key.to_owned(), bucket.uploads);
        bucket.unfinished.insert(id.clone());
        drop(bucket);
        Ok(Box::new(InParts { view: self.clone(), id, metadata: metadata.clone(), parts: Mutex::default() }))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.hang(key).await;
        self.before(key).await?;
        if lock(&self.weather.sealed).as_deref().is_some_and(|prefix| key.starts_with(prefix)) {
            return Err(Error::retriable("403 KMS.DisabledException"));
        }
        self.look()?;
        let bucket = lock(&self.bucket);
        Ok(bucket.objects.get(key).filter(|_| !self.weather.is_blind).map(|object| ObjectInfo {
            size: object.body.len() as u64,
            version: Version(object.version.to_string()),
            modified: Some(object.modified),
            metadata: object.metadata.clone(),
        }))
    }

    async fn get(&self, key: &str, range: std::ops::Range<u64>) -> Result<Option<Bytes>> {
        self.hang(key).await;
        self.before(key).await?;
        lock(&self.weather.looks).1 += 1;
        let bucket = lock(&self.bucket);
        let Some(object) = bucket.objects.get(key) else { return Ok(None) };
        let end = usize::try_from(range.end).unwrap().min(object.body.len());
        let start = usize::try_from(range.start).unwrap().min(end);
        Ok(Some(Bytes::copy_from_slice(&object.body[start..end])))
    }

    async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
        self.hang(prefix).await;
        self.before(prefix).await?;
        self.look()?;
        {
            let mut refusals = lock(&self.weather.list_refusals);
            if *refusals > 0 {
                *refusals -= 1;
                return Err(Error::config("AccessDenied"));
            }
        }
        let after = if let Cursor::After(after) = cursor { after.clone() } else { String::new() };
        let bucket = lock(&self.bucket);
        let mut names = bucket.objects.keys().filter(|key| key.starts_with(prefix) && **key > after).cloned();
        let page: Vec<String> = names.by_ref().take(7).collect();
        let next = page.last().filter(|_| names.next().is_some()).map(|last| Cursor::After(last.clone()));
        Ok(Page { names: page, next })
    }

    async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
        if self.weather.keeps_uploads {
            return Err(Error::config("403 AccessDenied"));
        }
        let mut bucket = lock(&self.bucket);
        let before = bucket.unfinished.len();
        bucket.unfinished.retain(|(key, _)| !(key.starts_with(prefix) && is_abandoned(key)));
        Ok(before - bucket.unfinished.len())
    }

    fn request_life(&self) -> Duration {
        REQUEST_LIFE
    }

    fn piece_limit(&self) -> Option<PieceLimit> {
        self.weather.piece_limit
    }
}

struct InParts {
    view: View,
    id: (String, u64),
    metadata: ObjectMetadata,
    parts: Mutex<BTreeMap<usize, Vec<u8>>>,
}

#[async_trait]
impl MultipartUpload for InParts {
    async fn put_part(&self, number: usize, body: Body) -> Result<()> {
        self.view.hang(&self.id.0).await;
        self.view.before(&self.id.0).await?;
        lock(&self.parts).insert(number, body.concat());
        let lost = self.view.weather.faults > 0 && self.view.dice.one_in(self.view.weather.faults);
        if lost { Err(Error::retriable("the answer was lost")) } else { Ok(()) }
    }

    async fn complete(&self, condition: &Condition) -> Result<Completion> {
        let body: Vec<u8> = lock(&self.parts).values().flatten().copied().collect();
        lock(&self.view.bucket).parts.push(lock(&self.parts).values().map(Vec::len).collect());
        let (id, metadata, condition) = (self.id.clone(), self.metadata.clone(), condition.clone());
        let was_there = lock(&self.view.bucket).unfinished.contains(&id);
        if !was_there {
            // As the real one: whoever finds the upload gone looks whether it has become the object.
            let bucket = lock(&self.view.bucket);
            return match bucket.objects.get(&id.0) {
                Some(object) if object.metadata == metadata => Ok(Completion::Created),
                Some(object) if condition != Condition::Unchanged(Version(object.version.to_string())) => Ok(Completion::NameTaken),
                _ => Err(Error::fatal("the store has lost the multipart upload")),
            };
        }
        self.view
            .effect(&self.id.0, move |bucket| {
                if !bucket.unfinished.contains(&id) {
                    return Completion::NameTaken;
                }
                let completion = bucket.create(&id.0, body, &metadata, &condition);
                if completion == Completion::Created {
                    bucket.unfinished.remove(&id);
                }
                completion
            })
            .await
    }

    async fn abort(&self) -> Result<()> {
        lock(&self.view.bucket).unfinished.remove(&self.id);
        Ok(())
    }
}
