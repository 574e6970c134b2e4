//! Whether a store heeds conditions at all.

use std::time::Duration;

use aws_sdk_s3::types::ObjectCannedAcl;
use connect_api::{Condition, Version};
use tokio::time::Instant;
use tracing::debug;

use super::{
    Shared,
    encryption::{Encryption, with_customer_key, with_encryption},
    error::Refusal,
    means::Conditions,
    put::headers,
};

/// The object that is put and deleted. The same for everybody, so that one which a crash has left goes with the next probe.
pub(super) const NAME: &str = ".connect-conditional-write-probe";

/// A version that no object has.
const NO_VERSION: &str = "\"00000000000000000000000000000000\"";

/// How often a name that must be taken is put in vain before the store is said not to heed it: each probe that ends at the same time frees the name once.
const TRIES: usize = 3;

/// How long a store that gave no clear answer is left alone by those who have an object to send.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// What the answer to a put under a condition that cannot hold tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Heeds,
    Ignores,
    /// It was refused for another reason, or not answered.
    Unknown,
}

impl Shared {
    /// Finds out what the store does, where that is not known yet and was not asked just now. Of several callers at once one asks, and none waits for it.
    pub(super) async fn learn_about_conditions(&self, pause: Duration) {
        if self.means.ways().conditions != Conditions::Unknown {
            return;
        }
        let Ok(mut asked) = self.asked.try_lock() else { return };
        if asked.is_some_and(|asked| asked.elapsed() < pause) {
            return;
        }
        let verdict = self.probe().await;
        *asked = Some(Instant::now());
        match verdict {
            Verdict::Heeds => self.means.settle(Conditions::Heeded),
            Verdict::Ignores => self.means.settle(Conditions::Ignored),
            Verdict::Unknown => {
                debug!(key = self.probe_key, "the store did not say whether it heeds conditional writes: asking again later")
            }
        }
    }

    /// Puts under conditions that cannot hold: that a missing object has a version, and that a name is free which is not.
    async fn probe(&self) -> Verdict {
        let replaces = self.try_condition(&Condition::Unchanged(Version(NO_VERSION.to_owned()))).await;
        if replaces == Verdict::Unknown {
            return replaces;
        }
        let verdict = if replaces == Verdict::Heeds { self.try_taken_name().await } else { replaces };
        self.delete_probe().await;
        verdict
    }

    async fn try_taken_name(&self) -> Verdict {
        // The first makes the object, unless it is there already.
        for _ in 0..=TRIES {
            match self.try_condition(&Condition::NameFree).await {
                Verdict::Ignores => {}
                other => return other,
            }
        }
        Verdict::Ignores
    }

    async fn try_condition(&self, condition: &Condition) -> Verdict {
        let (if_none_match, if_match) = headers(condition);
        // With all that goes with new objects: policies refuse others.
        let request = with_encryption!(self.client.put_object(), &self.encryption)
            .bucket(&self.bucket)
            .key(&self.probe_key)
            .set_acl(self.acl.as_deref().map(ObjectCannedAcl::from))
            .set_if_none_match(if_none_match)
            .set_if_match(if_match);
        match request.send().await {
            Ok(_written) => Verdict::Ignores,
            Err(answer) => verdict(&Refusal::of(&answer), condition),
        }
    }

    async fn delete_probe(&self) {
        if let Err(answer) = self.client.delete_object().bucket(&self.bucket).key(&self.probe_key).send().await {
            debug!(key = self.probe_key, status = Refusal::of(&answer).status, "could not delete the probe");
        }
    }
}

fn verdict(refusal: &Refusal, condition: &Condition) -> Verdict {
    let conflicts = refusal.status == Some(409) && matches!(refusal.code.as_str(), "" | "ConditionalRequestConflict");
    match condition {
        _ if refusal.status == Some(412) => Verdict::Heeds,
        Condition::Unchanged(_) if refusal.is_object_missing() || conflicts => Verdict::Heeds,
        _ if refusal.status == Some(501) => Verdict::Ignores,
        _ => Verdict::Unknown,
    }
}
