//! The object that keeps the schema of a topic's plain JSON: whoever makes it first decides for all.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{Completion, Condition, Error, ErrorKind, ObjectMetadata, Result, Storage, data::Schema};

use crate::converter::{LONGEST_SCHEMA, schema_from_text};

/// The object of one topic.
pub(super) struct SchemaObject<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) key: &'a str,
}

/// What has come of looking for it.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// It was there.
    Kept(Arc<Schema>),
    /// It was made of what was inferred.
    Made(Arc<Schema>),
    /// It is not there, and nothing was inferred that could be put there.
    Nothing,
}

impl SchemaObject<'_> {
    /// The schema that is kept. Where none is, `inferred` is put there.
    ///
    /// # Errors
    /// `Fatal` where the store says that it never works, anything else where it may work later.
    pub(super) async fn find_or_make(&self, inferred: Option<&str>) -> Result<Found> {
        let refused = match self.get().await {
            Ok(Some(bytes)) => return self.schema(&bytes).map(Found::Kept),
            Ok(None) => None,
            Err(error) if error.kind() == ErrorKind::Fatal => return Err(error),
            // Who may not list a bucket is not told that an object is missing, but that it must not be read: only an attempt to make it shows which is true.
            Err(error) => Some(error),
        };
        let Some(inferred) = inferred else { return refused.map_or(Ok(Found::Nothing), |error| Err(self.unread(error))) };
        let body = vec![Bytes::copy_from_slice(inferred.as_bytes())];
        let made = self.storage.put(self.key, body, &ObjectMetadata::new(), &Condition::NameFree).await?;
        match (made, refused) {
            (Completion::NameTaken, Some(error)) => Err(self.unread(error)),
            // What is there counts, whoever has made it.
            (made, _) => match self.get().await.map_err(|error| self.unread(error))? {
                Some(bytes) if made == Completion::Created => self.schema(&bytes).map(Found::Made),
                Some(bytes) => self.schema(&bytes).map(Found::Kept),
                None => Err(Error::retriable(format!("{} has just been there, and is gone", self.key))),
            },
        }
    }

    async fn get(&self) -> Result<Option<Bytes>> {
        self.storage.get(self.key, 0..LONGEST_SCHEMA as u64).await
    }

    fn unread(&self, error: Error) -> Error {
        error.context(format!("the schema in the object {} must be read, for which S3 wants the right `s3:GetObject`", self.key))
    }

    fn schema(&self, bytes: &Bytes) -> Result<Arc<Schema>> {
        let text = std::str::from_utf8(bytes).map_err(|error| Error::data("it is no text").with_source(error));
        text.and_then(schema_from_text).map_err(|error| {
            let reason = error.report();
            Error::retriable(format!(
                "the object {} holds no schema that can be used: {reason}. Mend it, or remove it to have one inferred",
                self.key
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{ops::Range, sync::atomic::AtomicU32, sync::atomic::Ordering};

    use connect_api::{Body, Cursor, IsAbandoned, MultipartUpload, ObjectInfo, Page, async_trait};

    use super::*;
    use crate::storage::memory_storage;

    const KEY: &str = "topics/t/_schema.avsc";
    const SCHEMA: &str = r#"{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]}"#;

    /// What a policy lets through.
    #[derive(Clone, Copy, PartialEq)]
    enum Policy {
        /// No listing: a GET of what is not there is refused.
        NoList,
        /// No GET.
        NoGet,
        /// A store that says that it never works.
        Hopeless,
    }

    struct Guarded {
        inner: Arc<dyn Storage>,
        policy: Policy,
        puts: AtomicU32,
    }

    impl Guarded {
        fn new(name: &str, policy: Policy) -> Self {
            Self { inner: memory_storage(name), policy, puts: AtomicU32::new(0) }
        }

        async fn find_or_make(&self, inferred: Option<&str>) -> Result<Found> {
            SchemaObject { storage: self, key: KEY }.find_or_make(inferred).await
        }
    }

    #[async_trait]
    impl Storage for Guarded {
        async fn check(&self) -> Result<()> {
            Ok(())
        }

        async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
            self.puts.fetch_add(1, Ordering::Relaxed);
            self.inner.put(key, body, metadata, condition).await
        }

        async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
            self.inner.start_upload(key, metadata).await
        }

        async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
            self.inner.head(key).await
        }

        async fn get(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
            match (self.policy, self.inner.get(key, range).await?) {
                (Policy::Hopeless, _) => Err(Error::fatal("400 InvalidURI")),
                (Policy::NoGet, _) | (_, None) => Err(Error::retriable("403 AccessDenied")),
                (_, there) => Ok(there),
            }
        }

        async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
            self.inner.list(prefix, cursor).await
        }

        async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
            self.inner.abort_uploads(prefix, is_abandoned).await
        }
    }

    #[tokio::test]
    async fn a_bucket_that_may_not_be_listed_keeps_the_first_schema_all_the_same() {
        let schema = schema_from_text(SCHEMA).unwrap();
        let store = Guarded::new("schema-object-no-list", Policy::NoList);
        let refused = store.find_or_make(None).await.unwrap_err();
        assert!(refused.kind() == ErrorKind::Retriable && store.puts.load(Ordering::Relaxed) == 0, "{refused:?}");
        assert_eq!(store.find_or_make(Some(SCHEMA)).await.unwrap(), Found::Made(Arc::clone(&schema)));
        assert_eq!(store.find_or_make(Some("another")).await.unwrap(), Found::Kept(schema));
        assert_eq!(store.puts.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn who_may_not_read_the_object_is_told_which_right_is_missing() {
        let store = Guarded::new("schema-object-no-get", Policy::NoGet);
        for _ in 0..2 {
            let error = store.find_or_make(Some(SCHEMA)).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Retriable, "{error:?}");
            assert!(error.report().contains("`s3:GetObject`: 403 AccessDenied") && error.report().contains(KEY), "{error:?}");
        }
    }

    #[tokio::test]
    async fn where_the_store_says_that_it_never_works_nothing_is_made() {
        let store = Guarded::new("schema-object-hopeless", Policy::Hopeless);
        assert_eq!(store.find_or_make(Some(SCHEMA)).await.unwrap_err().kind(), ErrorKind::Fatal);
        assert_eq!(store.puts.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_is_there_counts_and_what_nobody_can_read_is_not_replaced() {
        let storage = memory_storage("schema-object");
        let object = SchemaObject { storage: &*storage, key: KEY };
        assert_eq!(object.find_or_make(None).await.unwrap(), Found::Nothing);
        storage.put(KEY, vec![Bytes::from_static(b"{")], &ObjectMetadata::new(), &Condition::NameFree).await.unwrap();
        let error = object.find_or_make(Some(SCHEMA)).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Retriable && error.to_string().contains("Mend it"), "{error:?}");
    }
}
