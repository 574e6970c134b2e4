//! Any store of the `object_store` crate behind [`Storage`].

mod names;
mod staged;

use std::{collections::BTreeMap, error::Error as StdError, io, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, Cursor, Error, IsAbandoned, MultipartUpload, ObjectInfo, ObjectMetadata, Page, PieceLimit, Result,
    Storage, Version, async_trait,
};
use futures_util::TryStreamExt;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
    path::Path,
};

use super::PAGE;

pub(super) use self::names::length_of;
use self::{
    names::{STAGING, name_of, path_of},
    staged::StagedUpload,
};

/// What a store can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abilities {
    /// Whether metadata is kept with an object.
    pub(super) metadata: bool,
    /// Whether an object can be replaced on condition. Without, it is looked at first.
    pub(super) update: bool,
    /// See [`Storage::piece_limit`].
    pub(super) piece_limit: Option<PieceLimit>,
    /// See [`Storage::limits`].
    pub(super) limits: &'static str,
}

/// Objects in a store of the `object_store` crate.
#[derive(Clone, Debug)]
pub(super) struct ObjectStorage {
    store: Arc<dyn ObjectStore>,
    abilities: Abilities,
}

impl ObjectStorage {
    pub(super) fn new(store: Arc<dyn ObjectStore>, abilities: Abilities) -> Self {
        Self { store, abilities }
    }

    fn attributes(&self, metadata: &ObjectMetadata) -> Attributes {
        let kept = metadata.iter().filter(|_| self.abilities.metadata);
        kept.map(|(name, value)| (Attribute::Metadata(name.clone()), value.clone())).collect()
    }

    /// The way to put under this condition; nothing where it does not hold.
    async fn mode(&self, key: &str, condition: &Condition) -> Result<Option<PutMode>> {
        let Condition::Unchanged(version) = condition else { return Ok(Some(PutMode::Create)) };
        if self.abilities.update {
            return Ok(Some(PutMode::Update(UpdateVersion { e_tag: Some(version.0.clone()), version: None })));
        }
        let unchanged = self.head(key).await?.is_some_and(|object| object.version == *version);
        Ok(unchanged.then_some(PutMode::Overwrite))
    }
}

#[async_trait]
impl Storage for ObjectStorage {
    async fn check(&self) -> Result<()> {
        let probe = Path::from_iter([STAGING, "probe"]);
        let written = self.store.put(&probe, PutPayload::new()).await;
        written.map_err(|cause| Error::config("the storage cannot be written to").with_source(cause))?;
        self.store.delete(&probe).await.or_else(missing_is_fine).map_err(|cause| failure("delete", probe.as_ref(), cause))
    }

    async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        let Some(mode) = self.mode(key, condition).await? else { return Ok(Completion::NameTaken) };
        let options = PutOptions { mode, attributes: self.attributes(metadata), ..PutOptions::default() };
        completion("put", key, self.store.put_opts(&path_of(key), body.into_iter().collect(), options).await)
    }

    async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(StagedUpload::new(self.clone(), key, metadata)))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.store.get_opts(&path_of(key), options).await {
            Ok(answer) => Ok(Some(ObjectInfo {
                size: answer.meta.size,
                version: Version(answer.meta.e_tag.unwrap_or_default()),
                modified: Some(answer.meta.last_modified.timestamp_millis()),
                metadata: metadata_of(&answer.attributes),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(failure("look at", key, cause)),
        }
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let content = async { self.store.get_opts(&path_of(key), options).await?.bytes().await };
        match content.await {
            Ok(content) => Ok(Some(content)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            // Ranges without a byte are refused like any other mistake.
            Err(cause) => match self.head(key).await? {
                Some(object) if range.is_empty() || object.size <= range.start => Ok(Some(Bytes::new())),
                Some(_) => Err(failure("read", key, cause)),
                None => Ok(None),
            },
        }
    }

    /// Pages are in the order of paths, which is that of names but for characters that paths do not hold. A directory is read from its beginning for
    /// each of them, since it is in no order; what is kept is one page.
    async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
        let folder = prefix.rsplit_once('/').map(|(folder, _)| path_of(folder));
        let mut paths = match cursor {
            Cursor::Token(path) => {
                let path = Path::parse(path).map_err(|cause| Error::fatal("not where a listing has ended").with_source(cause))?;
                self.store.list_with_offset(folder.as_ref(), &path)
            }
            Cursor::Start | Cursor::After(_) => self.store.list(folder.as_ref()),
        };
        let begins_after = |name: &str| !matches!(cursor, Cursor::After(after) if name <= after.as_str());
        let mut first: BTreeMap<Path, String> = BTreeMap::new();
        let mut is_whole = true;
        while let Some(object) = paths.try_next().await.map_err(|cause| failure("list", prefix, cause))? {
            let Some(name) = name_of(&object.location).filter(|name| name.starts_with(prefix) && begins_after(name)) else {
                continue;
            };
            first.insert(object.location, name);
            if first.len() > PAGE {
                first.pop_last();
                is_whole = false;
            }
        }
        let last = first.keys().next_back().filter(|_| !is_whole);
        let next = last.map(|path| Cursor::Token(path.to_string()));
        Ok(Page { names: first.into_values().collect(), next })
    }

    async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
        staged::abort_all(self, prefix, is_abandoned).await
    }

    /// What is not done when its process ends never is.
    fn request_life(&self) -> Duration {
        Duration::ZERO
    }

    fn piece_limit(&self) -> Option<PieceLimit> {
        self.abilities.piece_limit
    }

    fn limits(&self) -> &'static str {
        self.abilities.limits
    }
}

fn metadata_of(attributes: &Attributes) -> ObjectMetadata {
    let named = attributes.iter().filter_map(|(name, value)| match name {
        Attribute::Metadata(name) => Some((name.clone(), value.to_string())),
        _ => None,
    });
    named.collect()
}

/// What came of an attempt to make an object.
fn completion<T>(doing: &str, key: &str, outcome: object_store::Result<T>) -> Result<Completion> {
    match outcome {
        Ok(_) => Ok(Completion::Created),
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(Completion::NameTaken),
        Err(cause) => Err(failure(doing, key, cause)),
    }
}

fn missing_is_fine(error: object_store::Error) -> object_store::Result<()> {
    match error {
        object_store::Error::NotFound { .. } => Ok(()),
        other => Err(other),
    }
}

/// A disk that is full or gone may be mended; a name that cannot be kept stays so.
fn failure(doing: &str, key: &str, cause: object_store::Error) -> Error {
    use object_store::Error as Cause;
    let message = format!("could not {doing} {key}");
    let hopeless = match &cause {
        Cause::NotSupported { .. } | Cause::NotImplemented { .. } | Cause::InvalidPath { .. } => true,
        other => is_about_the_name(other),
    };
    let error = if hopeless { Error::fatal(message) } else { Error::retriable(message) };
    error.with_source(cause)
}

/// Whether a file stands where a directory must be, or the reverse, or the name is too long.
fn is_about_the_name(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory};
            return matches!(io.kind(), NotADirectory | IsADirectory | InvalidFilename);
        }
        cause = error.source();
    }
    false
}
