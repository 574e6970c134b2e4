//! A store that keeps names and forgets bodies, to measure what a sink costs without what a store costs.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, MultipartUpload, ObjectInfo, ObjectMetadata, Result, Storage, Version, async_trait,
};

/// Names with the sizes of what they stood for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Arc<Mutex<BTreeMap<String, u64>>>);

impl Names {
    fn names(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn create(&self, key: &str, size: u64, condition: &Condition) -> Completion {
        let mut names = self.names();
        let holds = match (names.get(key), condition) {
            (there, Condition::NameFree) => there.is_none(),
            (Some(size), Condition::Unchanged(version)) => version.0 == size.to_string(),
            (None, Condition::Unchanged(_)) => false,
        };
        if !holds {
            return Completion::NameTaken;
        }
        names.insert(key.to_owned(), size);
        Completion::Created
    }
}

#[async_trait]
impl Storage for Names {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn put(&self, key: &str, body: Body, _metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        Ok(self.create(key, size(&body), condition))
    }

    async fn start_upload(&self, key: &str, _metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(InParts { names: self.clone(), key: key.to_owned(), size: AtomicU64::new(0) }))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let size = self.names().get(key).copied();
        Ok(size.map(|size| ObjectInfo { size, version: Version(size.to_string()), metadata: ObjectMetadata::new() }))
    }

    async fn get(&self, _key: &str) -> Result<Option<Bytes>> {
        Ok(None)
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<String>> {
        let names = self.names();
        let listed = names.keys().filter(|key| key.starts_with(prefix) && start_after.is_none_or(|after| key.as_str() > after));
        Ok(listed.cloned().collect())
    }

    async fn abort_uploads(&self, _prefix: &str) -> Result<usize> {
        Ok(0)
    }

    fn limits(&self) -> &'static str {
        "keeps names and forgets what was in the objects: for measuring only"
    }
}

struct InParts {
    names: Names,
    key: String,
    size: AtomicU64,
}

#[async_trait]
impl MultipartUpload for InParts {
    async fn put_part(&self, _number: usize, body: Body) -> Result<()> {
        self.size.fetch_add(size(&body), Ordering::Relaxed);
        Ok(())
    }

    async fn complete(&self, condition: &Condition) -> Result<Completion> {
        Ok(self.names.create(&self.key, self.size.load(Ordering::Relaxed), condition))
    }

    async fn abort(&self) -> Result<()> {
        Ok(())
    }
}

fn size(body: &Body) -> u64 {
    body.iter().map(|block| block.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_given_once_and_the_body_is_forgotten() {
        let names = Names::default();
        let body = || vec![Bytes::from_static(b"body")];
        let put = async |condition| names.put("a", body(), &ObjectMetadata::new(), &condition).await.unwrap();
        assert_eq!(put(Condition::NameFree).await, Completion::Created);
        assert_eq!(put(Condition::NameFree).await, Completion::NameTaken);
        let seen = names.head("a").await.unwrap().unwrap();
        assert_eq!(seen.size, 4);
        assert_eq!(put(Condition::Unchanged(seen.version)).await, Completion::Created);
        assert_eq!(names.get("a").await.unwrap(), None);
        assert_eq!(names.list("", None).await.unwrap(), ["a"]);
    }
}
