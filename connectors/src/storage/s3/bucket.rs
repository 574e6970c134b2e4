//! Whether the bucket can be used.

use std::{sync::atomic::Ordering, time::Duration};

use connect_api::{Error, Result};

use super::{
    Shared,
    error::{Refusal, error},
};

impl Shared {
    pub(super) async fn check(&self) -> Result<()> {
        self.reach().await?;
        self.bucket_was_seen.store(true, Ordering::Relaxed);
        self.learn_about_conditions(Duration::ZERO).await;
        Ok(())
    }

    async fn reach(&self) -> Result<()> {
        let bucket = &self.bucket;
        let missing = || Error::config(format!("Non-existent S3 bucket: {bucket}"));
        if bucket.is_empty() {
            return Err(missing());
        }
        let Err(answer) = self.client.head_bucket().bucket(bucket).send().await else { return Ok(()) };
        match Refusal::of(&answer).status {
            // Not ours to ask about: it is there all the same.
            Some(403) => return Ok(()),
            Some(301 | 400 | 404) => {}
            _ => return Err(error("reach bucket", bucket, answer)),
        }
        // An answer to `HEAD` has no words, and may be a proxy's: only what the store says in words is a reason not to start.
        let Err(answer) = self.client.list_objects_v2().bucket(bucket).max_keys(1).send().await else { return Ok(()) };
        let refusal = Refusal::of(&answer);
        let cause = error("reach bucket", bucket, answer);
        match refusal.code.as_str() {
            "AccessDenied" => Ok(()),
            // It was there when this connector started, so it comes back.
            _ if self.bucket_was_seen.load(Ordering::Relaxed) => Err(cause),
            "NoSuchBucket" | "InvalidBucketName" => Err(missing()),
            _ if refusal.is_elsewhere() => Err(Error::config(cause.report())),
            _ => Err(cause),
        }
    }
}
