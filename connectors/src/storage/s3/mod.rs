//! Amazon S3 and stores that speak its protocol. The only importer of the AWS SDK.

mod body;
mod bucket;
mod client;
mod clock;
mod config;
mod credentials;
mod doubtful;
mod encryption;
mod endpoint;
mod error;
mod hints;
mod listing;
mod means;
mod probe;
mod proxy;
mod put;
mod reading;
mod tags;
#[cfg(test)]
mod tests;
mod upload;

use std::{
    fmt,
    ops::Range,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use aws_sdk_s3::Client;
use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, Cursor, IsAbandoned, MultipartUpload, ObjectInfo, ObjectMetadata, Page, Result, Storage,
    async_trait,
};
use tokio::{sync::Mutex, time::Instant};

pub(crate) use self::config::{S3Config, keys, place, validate};
pub(crate) use self::doubtful::warnings;
use self::{
    clock::StoreClock,
    encryption::Encryption,
    means::{Conditions, Means},
    upload::S3Upload,
};

/// Content-Type of all objects: what the SDK for Java stores when nobody says anything.
const CONTENT_TYPE: &str = "binary/octet-stream";

/// Objects in a bucket.
#[derive(Clone)]
pub(crate) struct S3Storage {
    shared: Arc<Shared>,
}

/// What requests are made of.
struct Shared {
    client: Client,
    clock: StoreClock,
    bucket: String,
    encryption: Encryption,
    acl: Option<String>,
    send_digest: bool,
    /// Whether to look before what is rare and cheap to look at: some stores other than AWS take `If-Match`, or any condition of a
    /// completion, and do not heed it.
    looks_first: bool,
    means: Means,
    /// When it was last asked whether it heeds conditions.
    asked: Mutex<Option<Instant>>,
    /// The name of the object that this is asked with.
    probe_key: String,
    /// Whether the bucket could be used once.
    bucket_was_seen: AtomicBool,
    /// The first pause before an object is looked for again whose upload is gone.
    patience: Duration,
}

impl S3Storage {
    /// A client of the bucket. Does no I/O.
    ///
    /// # Errors
    /// `Config` where no client can be made of it.
    pub(crate) fn new(config: &S3Config) -> Result<Self> {
        let clock = StoreClock::default();
        let shared = Shared {
            client: client::build(config, clock.clone())?,
            clock,
            bucket: config.bucket.clone(),
            encryption: config.encryption.clone(),
            acl: config.acl.clone(),
            send_digest: config.send_digest,
            looks_first: config.endpoint.is_some(),
            means: Means::new(if config.endpoint.is_some() { Conditions::Unknown } else { Conditions::Heeded }),
            asked: Mutex::default(),
            probe_key: format!("{}{}", config.directory, probe::NAME),
            bucket_was_seen: AtomicBool::new(false),
            patience: upload::PATIENCE,
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl fmt::Debug for S3Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Storage({})", self.shared.bucket)
    }
}

#[async_trait]
impl Storage for S3Storage {
    async fn check(&self) -> Result<()> {
        self.shared.check().await
    }

    async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        self.shared.put(key, body, metadata, condition).await
    }

    async fn start_upload(&self, key: &str, metadata: &ObjectMetadata) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(S3Upload::start(self.shared.clone(), key, metadata).await?))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        self.shared.head(key).await
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        self.shared.get(key, range).await
    }

    async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
        self.shared.list(prefix, cursor).await
    }

    async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
        self.shared.abort_uploads(prefix, is_abandoned).await
    }

    async fn tag(&self, key: &str, tags: &[(String, String)]) -> Result<()> {
        self.shared.tag(key, tags).await
    }

    fn limits(&self) -> &'static str {
        self.shared.means.limits()
    }
}
