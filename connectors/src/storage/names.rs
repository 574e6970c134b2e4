//! A store that keeps names and forgets bodies, to measure what a sink costs without what a store costs.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, Cursor, IsAbandoned, MultipartUpload, ObjectInfo, ObjectMetadata, Page, Result, Storage, Version,
    async_trait,
};

use super::PAGE;

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
        let version = |size: u64| Version(size.to_string());
        Ok(size.map(|size| ObjectInfo { size, version: version(size), modified: None, metadata: ObjectMetadata::new() }))
    }

    async fn get(&self, _key: &str, _range: Range<u64>) -> Result<Option<Bytes>> {
        Ok(None)
    }

    async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
        let from = match cursor {
            Cursor::After(name) | Cursor::Token(name) if name.as_str() >= prefix => Bound::Excluded(name.as_str()),
            _ => Bound::Included(prefix),
        };
        let names = self.names();
        let mut listed =
            names.range::<str, _>((from, Bound::Unbounded)).map(|(name, _)| name).take_while(|name| name.starts_with(prefix));
        let page: Vec<_> = listed.by_ref().take(PAGE).cloned().collect();
        let next = listed.next().and(page.last()).cloned().map(Cursor::After);
        Ok(Page { names: page, next })
    }

    async fn abort_uploads(&self, _prefix: &str, _is_abandoned: IsAbandoned<'_>) -> Result<usize> {
        Ok(0)
    }

    fn request_life(&self) -> Duration {
        Duration::ZERO
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
        assert_eq!(names.get("a", 0..9).await.unwrap(), None);
    }

    #[tokio::test]
    async fn names_are_listed_in_pages() {
        let names = Names::default();
        let made: Vec<_> = (0..=PAGE).map(|number| format!("a/{number:05}")).chain(["b".to_owned()]).collect();
        for name in &made {
            names.put(name, Vec::new(), &ObjectMetadata::new(), &Condition::NameFree).await.unwrap();
        }
        let first = names.list("a/", &Cursor::Start).await.unwrap();
        assert_eq!(first.names, made[..PAGE]);
        let second = names.list("a/", &first.next.unwrap()).await.unwrap();
        assert_eq!(second, Page { names: vec![made[PAGE].clone()], next: None });
        assert_eq!(names.list("a/", &Cursor::After("A".to_owned())).await.unwrap().names, made[..PAGE]);
    }
}
