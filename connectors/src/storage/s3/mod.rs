//! Amazon S3 and stores that speak its protocol. The only importer of the AWS SDK.

mod body;
mod client;
mod config;
mod encryption;
mod endpoint;
mod error;
mod listing;
mod means;
mod probe;
mod put;
#[cfg(test)]
mod tests;
mod upload;

use std::{fmt, sync::Arc};

use aws_sdk_s3::Client;
use bytes::Bytes;
use connect_api::{
    Body, Completion, Condition, Error, MultipartUpload, ObjectInfo, ObjectMetadata, Result, Storage, Version, async_trait,
};

pub(crate) use self::config::{CREDENTIALS_PREFIX, S3Config, keys, validate};
use self::{
    encryption::{Encryption, with_customer_key},
    error::{Refusal, error},
    means::Means,
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
    bucket: String,
    encryption: Encryption,
    acl: Option<String>,
    send_digest: bool,
    /// Whether to look before what is rare and cheap to look at: some stores other than AWS take `If-Match`, or any condition of a
    /// completion, and do not heed it.
    looks_first: bool,
    means: Means,
}

impl S3Storage {
    /// A client of the bucket. Does no I/O.
    ///
    /// # Errors
    /// `Config` where no client can be made of it.
    pub(crate) fn new(config: &S3Config) -> Result<Self> {
        let shared = Shared {
            client: client::build(config)?,
            bucket: config.bucket.clone(),
            encryption: config.encryption.clone(),
            acl: config.acl.clone(),
            send_digest: config.send_digest,
            looks_first: config.endpoint.is_some(),
            means: Means::default(),
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
        let bucket = &self.shared.bucket;
        let missing = || Error::config(format!("Non-existent S3 bucket: {bucket}"));
        if bucket.is_empty() {
            return Err(missing());
        }
        let Err(answer) = self.shared.client.head_bucket().bucket(bucket).send().await else {
            if self.shared.looks_first {
                self.shared.probe_conditions().await;
            }
            return Ok(());
        };
        match Refusal::of(&answer).status {
            // Elsewhere, or not ours to ask about: there it is all the same.
            Some(301 | 403) => Ok(()),
            Some(404) => Err(missing()),
            _ => Err(error("reach bucket", bucket, answer)),
        }
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

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.shared.get(key).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<String>> {
        self.shared.list(prefix, start_after).await
    }

    async fn abort_uploads(&self, prefix: &str) -> Result<usize> {
        self.shared.abort_uploads(prefix).await
    }

    fn limits(&self) -> &'static str {
        self.shared.means.limits()
    }
}

impl Shared {
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let request = with_customer_key!(self.client.head_object(), self.encryption);
        let answer = match request.bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(answer) if Refusal::of(&answer).is_object_missing() => return Ok(None),
            Err(answer) => return Err(error("look at", key, answer)),
        };
        // Some stores change the case of names.
        let metadata = answer.metadata.unwrap_or_default().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        Ok(Some(ObjectInfo {
            size: answer.content_length.unwrap_or_default().unsigned_abs(),
            version: Version(answer.e_tag.unwrap_or_default()),
            metadata: metadata.collect(),
        }))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        let request = with_customer_key!(self.client.get_object(), self.encryption);
        let answer = match request.bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(answer) if Refusal::of(&answer).is_object_missing() => return Ok(None),
            Err(answer) => return Err(error("read", key, answer)),
        };
        let time = client::reading_time(answer.content_length.unwrap_or_default().unsigned_abs());
        match tokio::time::timeout(time, answer.body.collect()).await {
            Ok(Ok(body)) => Ok(Some(body.into_bytes())),
            Ok(Err(cause)) => Err(Error::retriable(format!("could not read {key}")).with_source(cause)),
            Err(_elapsed) => Err(Error::retriable(format!("could not read {key} within {} seconds", time.as_secs()))),
        }
    }
}
