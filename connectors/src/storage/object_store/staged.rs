//! An object in parts: kept aside as files of their own until all are there, then put in place in one step.

use std::{
    collections::BTreeSet,
    process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use connect_api::{Body, Completion, Condition, IsAbandoned, MultipartUpload, ObjectMetadata, Result, async_trait};
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, path::Path};

use super::{ObjectStorage, STAGING, completion, failure, missing_is_fine, names::name_of, path_of};

pub(super) struct StagedUpload {
    storage: ObjectStorage,
    key: String,
    metadata: ObjectMetadata,
    folder: Path,
    parts: Mutex<BTreeSet<usize>>,
    /// Whether the whole object is in the folder, made of the parts as they are now.
    assembled: AtomicBool,
}

impl StagedUpload {
    pub(super) fn new(storage: ObjectStorage, key: &str, metadata: &ObjectMetadata) -> Self {
        let folder = folder(key).join(unique().as_str());
        let (key, metadata) = (key.to_owned(), metadata.clone());
        Self { storage, key, metadata, folder, parts: Mutex::default(), assembled: AtomicBool::new(false) }
    }

    /// Joins the parts into one object, still aside. One part is in memory at a time.
    async fn assemble(&self) -> object_store::Result<Path> {
        let whole = self.folder.clone().join("whole");
        if self.assembled.load(Ordering::Acquire) {
            return Ok(whole);
        }
        let parts: Vec<usize> = self.parts.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let attributes = self.storage.attributes(&self.metadata);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut upload = self.storage.store.put_multipart_opts(&whole, options).await?;
        for number in parts {
            let part = self.storage.store.get(&self.part(number)).await?.bytes().await?;
            upload.put_part(PutPayload::from_bytes(part)).await?;
        }
        upload.complete().await?;
        self.assembled.store(true, Ordering::Release);
        Ok(whole)
    }

    fn part(&self, number: usize) -> Path {
        self.folder.clone().join(number.to_string())
    }

    /// Puts the whole in place of the object that is there.
    async fn replace(&self, whole: &Path, mode: PutMode) -> object_store::Result<()> {
        let store = &self.storage.store;
        let target = path_of(&self.key);
        if mode == PutMode::Overwrite {
            return store.copy(whole, &target).await;
        }
        let content = store.get(whole).await?.bytes().await?;
        let options = PutOptions { mode, attributes: self.storage.attributes(&self.metadata), ..PutOptions::default() };
        store.put_opts(&target, PutPayload::from_bytes(content), options).await.map(drop)
    }
}

#[async_trait]
impl MultipartUpload for StagedUpload {
    async fn put_part(&self, number: usize, body: Body) -> Result<()> {
        self.assembled.store(false, Ordering::Release);
        let path = self.part(number);
        let sent = self.storage.store.put(&path, body.into_iter().collect()).await;
        sent.map_err(|cause| failure("send a part of", &self.key, cause))?;
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        Ok(())
    }

    async fn complete(&self, condition: &Condition) -> Result<Completion> {
        let whole = self.assemble().await.map_err(|cause| failure("join the parts of", &self.key, cause))?;
        let Some(mode) = self.storage.mode(&self.key, condition).await? else { return Ok(Completion::NameTaken) };
        let placed = match mode {
            PutMode::Create => self.storage.store.copy_if_not_exists(&whole, &path_of(&self.key)).await,
            mode => self.replace(&whole, mode).await,
        };
        let completion = completion("complete", &self.key, placed)?;
        if completion == Completion::Created
            && let Err(error) = self.abort().await
        {
            tracing::warn!(key = self.key, error = error.report(), "parts of a complete object were left behind");
        }
        Ok(completion)
    }

    async fn abort(&self) -> Result<()> {
        delete(&self.storage, &self.folder).await
    }
}

/// Deletes what was kept aside for objects with this prefix that are named abandoned. What cannot be deleted keeps nothing else from it.
pub(super) async fn abort_all(storage: &ObjectStorage, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
    let staging = Path::from(STAGING);
    let mut paths = storage.store.list(Some(&staging));
    // STAGING / the parts of the key / the upload / a part
    let mut uploads: BTreeSet<Path> = BTreeSet::new();
    while let Some(object) = paths.try_next().await.map_err(|cause| failure("list", STAGING, cause))? {
        uploads.extend(object.location.parent());
    }
    let mut aborted = 0;
    for upload in uploads {
        let key = upload.parent().and_then(|key| key.prefix_match(&staging).map(Path::from_iter));
        let key = key.and_then(|key| name_of(&key)).filter(|key| key.starts_with(prefix) && is_abandoned(key));
        let Some(key) = key else { continue };
        match delete(storage, &upload).await {
            Ok(()) => aborted += 1,
            Err(error) => tracing::warn!(key, error = error.report(), "parts of an abandoned upload could not be deleted"),
        }
    }
    Ok(aborted)
}

async fn delete(storage: &ObjectStorage, folder: &Path) -> Result<()> {
    let doing = |cause| failure("delete", folder.as_ref(), cause);
    let mut paths = storage.store.list(Some(folder));
    while let Some(object) = paths.try_next().await.map_err(doing)? {
        storage.store.delete(&object.location).await.or_else(missing_is_fine).map_err(doing)?;
    }
    Ok(())
}

/// Where uploads of a name are kept aside.
fn folder(key: &str) -> Path {
    Path::from_iter(Path::from(STAGING).parts().chain(path_of(key).parts()))
}

/// A word that no other upload has, of this process or of another.
fn unique() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{now:x}-{:x}-{:x}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}
