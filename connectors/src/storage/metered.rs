//! Counts what is asked of a storage.

use std::{future::Future, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, Cursor, Error, ErrorKind, IsAbandoned, MetricDefinition, MetricKind, Metrics, MultipartUpload,
    ObjectInfo, ObjectMetadata, Page, PieceLimit, Result, Storage, async_trait,
};
use prometheus::{Histogram, IntCounter};
use tokio::time::Instant;

static REQUESTS: MetricDefinition = MetricDefinition {
    name: "connect_storage_requests_total",
    kind: MetricKind::Counter,
    labels: &["connector", "operation", "outcome"],
    help: "Calls of the storage by operation and outcome: ok, created, name_taken, or the kind of error.",
};

static DURATION: MetricDefinition = MetricDefinition {
    name: "connect_storage_request_duration_seconds",
    kind: MetricKind::Histogram(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]),
    labels: &["connector", "operation"],
    help: "Time that calls of the storage took, repetitions inside the client included.",
};

/// The metrics of storages.
pub(crate) const METRICS: &[&MetricDefinition] = &[&REQUESTS, &DURATION];

const OUTCOMES: [&str; 7] = ["ok", "created", "name_taken", "config", "data", "retriable", "fatal"];

/// The place of an outcome in [`OUTCOMES`].
trait Outcome {
    fn index(&self) -> usize {
        0
    }
}

impl Outcome for () {}
impl Outcome for usize {}
impl Outcome for Page {}
impl<T> Outcome for Option<T> {}
impl Outcome for Box<dyn MultipartUpload> {}

impl Outcome for Completion {
    fn index(&self) -> usize {
        match self {
            Self::Created => 1,
            Self::NameTaken => 2,
        }
    }
}

impl Outcome for Error {
    fn index(&self) -> usize {
        match self.kind() {
            ErrorKind::Config => 3,
            ErrorKind::Data => 4,
            ErrorKind::Retriable => 5,
            ErrorKind::Fatal => 6,
        }
    }
}

/// The handles of one operation.
#[derive(Debug)]
struct Meter {
    duration: Histogram,
    outcomes: [IntCounter; OUTCOMES.len()],
}

impl Meter {
    fn new(metrics: &Metrics, connector: &str, operation: &str) -> Self {
        let outcomes = OUTCOMES.map(|outcome| metrics.counter(&REQUESTS, &[connector, operation, outcome]));
        Self { duration: metrics.histogram(&DURATION, &[connector, operation]), outcomes }
    }

    async fn count<T: Outcome>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let started = Instant::now();
        let result = call.await;
        self.duration.observe(started.elapsed().as_secs_f64());
        let outcome = result.as_ref().map_or_else(Outcome::index, Outcome::index);
        self.outcomes[outcome].inc();
        result
    }
}

#[derive(Debug)]
struct Meters {
    check: Meter,
    put: Meter,
    start_upload: Meter,
    put_part: Meter,
    complete: Meter,
    abort: Meter,
    head: Meter,
    get: Meter,
    list: Meter,
    abort_uploads: Meter,
    tag: Meter,
}

/// A storage whose calls are counted.
pub(crate) struct Metered {
    storage: Arc<dyn Storage>,
    meters: Arc<Meters>,
}

impl Metered {
    pub(crate) fn new(storage: Arc<dyn Storage>, metrics: &Metrics, connector: &str) -> Self {
        let meter = |operation| Meter::new(metrics, connector, operation);
        let meters = Meters {
            check: meter("check"),
            put: meter("put"),
            start_upload: meter("start_upload"),
            put_part: meter("put_part"),
            complete: meter("complete"),
            abort: meter("abort"),
            head: meter("head"),
            get: meter("get"),
            list: meter("list"),
            abort_uploads: meter("abort_uploads"),
            tag: meter("tag"),
        };
        Self { storage, meters: Arc::new(meters) }
    }
}

impl std::fmt::Debug for Metered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metered")
    }
}

#[async_trait]
impl Storage for Metered {
    async fn check(&self) -> Result<()> {
        self.meters.check.count(self.storage.check()).await
    }

    async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        self.meters.put.count(self.storage.put(key, body, metadata, condition)).await
    }

    async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.meters.start_upload.count(self.storage.start_upload(key, metadata)).await?;
        Ok(Box::new(MeteredUpload { upload, meters: self.meters.clone() }))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.meters.head.count(self.storage.head(key)).await
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        self.meters.get.count(self.storage.get(key, range)).await
    }

    async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
        self.meters.list.count(self.storage.list(prefix, cursor)).await
    }

    async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
        self.meters.abort_uploads.count(self.storage.abort_uploads(prefix, is_abandoned)).await
    }

    async fn tag(&self, key: &str, tags: &[(String, String)]) -> Result<()> {
        self.meters.tag.count(self.storage.tag(key, tags)).await
    }

    fn request_life(&self) -> Duration {
        self.storage.request_life()
    }

    fn piece_limit(&self) -> Option<PieceLimit> {
        self.storage.piece_limit()
    }

    fn limits(&self) -> &'static str {
        self.storage.limits()
    }
}

struct MeteredUpload {
    upload: Box<dyn MultipartUpload>,
    meters: Arc<Meters>,
}

#[async_trait]
impl MultipartUpload for MeteredUpload {
    async fn put_part(&self, number: usize, body: Body) -> Result<()> {
        self.meters.put_part.count(self.upload.put_part(number, body)).await
    }

    async fn complete(&self, condition: &Condition) -> Result<Completion> {
        self.meters.complete.count(self.upload.complete(condition)).await
    }

    async fn abort(&self) -> Result<()> {
        self.meters.abort.count(self.upload.abort()).await
    }
}

#[cfg(test)]
mod tests {
    use connect_api::Version;

    use super::*;
    use crate::storage::memory_storage;

    #[tokio::test]
    async fn calls_are_counted_by_operation_and_outcome() {
        let metrics = Metrics::default();
        let storage = Metered::new(memory_storage("metered"), &metrics, "sink");
        let body = || vec![Bytes::from_static(b"x")];
        let none = ObjectMetadata::new();
        storage.put("a", body(), &none, &Condition::NameFree).await.unwrap();
        storage.put("a", body(), &none, &Condition::NameFree).await.unwrap();
        storage.put("a", body(), &none, &Condition::Unchanged(Version("\"other\"".to_owned()))).await.unwrap();
        let upload = storage.start_upload("b", &none).await.unwrap();
        upload.put_part(0, body()).await.unwrap();
        upload.complete(&Condition::NameFree).await.unwrap();
        storage.get("a", 0..1).await.unwrap();
        storage.list("", &Cursor::Start).await.unwrap();
        storage.abort_uploads("", &|_| true).await.unwrap();
        storage.tag("a", &[]).await.unwrap();

        let count = |operation, outcome| metrics.counter(&REQUESTS, &["sink", operation, outcome]).get();
        assert_eq!(count("put", "created"), 1);
        assert_eq!(count("put", "name_taken"), 2);
        assert_eq!(count("put", "ok"), 0);
        assert_eq!(count("put_part", "ok"), 1);
        assert_eq!(count("complete", "created"), 1);
        assert_eq!(["get", "list", "abort_uploads", "tag"].map(|operation| count(operation, "ok")), [1; 4]);
        assert_eq!(metrics.histogram(&DURATION, &["sink", "put"]).get_sample_count(), 3);
    }

    #[test]
    fn what_is_said_of_the_store_is_passed_on() {
        let memory = memory_storage("metered");
        let storage = Metered::new(memory.clone(), &Metrics::default(), "sink");
        assert_eq!((storage.limits(), storage.request_life()), (memory.limits(), memory.request_life()));
        assert_eq!(storage.request_life(), Duration::ZERO);
    }
}
