//! An object in one request.

use std::collections::HashMap;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::SdkError,
    operation::put_object::{PutObjectError, PutObjectOutput},
    types::ObjectCannedAcl,
};
use connect_api::{Body, Completion, Condition, ObjectMetadata, Result};

use super::{
    CONTENT_TYPE, Shared,
    body::Content,
    client,
    encryption::{Encryption, with_customer_key, with_encryption},
    error::{Refusal, error},
    means::Ways,
    probe,
};

/// What is put where. The same for every attempt.
struct Object<'a> {
    key: &'a str,
    content: Content,
    metadata: &'a ObjectMetadata,
    condition: &'a Condition,
}

/// The headers `If-None-Match` and `If-Match` of a condition.
pub(super) fn headers(condition: &Condition) -> (Option<String>, Option<String>) {
    match condition {
        Condition::NameFree => (Some("*".to_owned()), None),
        Condition::Unchanged(version) => (None, Some(version.0.clone())),
    }
}

/// Metadata as the SDK takes it.
pub(super) fn sent_metadata(metadata: &ObjectMetadata) -> Option<HashMap<String, String>> {
    let owned = metadata.iter().map(|(name, value)| (name.clone().into_owned(), value.clone()));
    (!metadata.is_empty()).then(|| owned.collect())
}

impl Shared {
    pub(super) async fn put(&self, key: &str, body: Body, metadata: &ObjectMetadata, condition: &Condition) -> Result<Completion> {
        let object = Object { key, content: Content::new(body, self.send_digest), metadata, condition };
        self.learn_about_conditions(probe::PAUSE).await;
        let mut ways = self.means.ways();
        loop {
            let look = ways.looks() || (self.looks_first && matches!(condition, Condition::Unchanged(_)));
            if look && !self.holds(key, condition).await? {
                return Ok(Completion::NameTaken);
            }
            let Err(answer) = object.content.unless_stalled(key, Box::pin(self.try_put(&object, ways))).await? else {
                self.means.learn(ways);
                return Ok(Completion::Created);
            };
            let refusal = Refusal::of(&answer);
            if refusal.is_name_taken(condition) {
                return Ok(Completion::NameTaken);
            }
            match ways.without_what_is_refused(&refusal) {
                Some(fewer) => ways = fewer,
                None => return Err(error("put", key, answer)),
            }
        }
    }

    async fn try_put(&self, object: &Object<'_>, ways: Ways) -> Result<PutObjectOutput, SdkError<PutObjectError, HttpResponse>> {
        let Object { key, content, metadata, condition } = object;
        let (if_none_match, if_match) = if ways.sends_conditions() { headers(condition) } else { (None, None) };
        let request = with_encryption!(self.client.put_object(), &self.encryption)
            .bucket(&self.bucket)
            .key(*key)
            .content_type(CONTENT_TYPE)
            .content_length(i64::try_from(content.len()).unwrap_or(i64::MAX))
            .set_metadata(sent_metadata(metadata))
            .set_acl(self.acl.as_deref().map(ObjectCannedAcl::from))
            .set_checksum_crc64_nvme(ways.checksums.then(|| content.checksum.clone()))
            .set_content_md5(content.md5.clone())
            .set_if_none_match(if_none_match)
            .set_if_match(if_match)
            .body(content.stream(!ways.unsigned));
        request.customize().config_override(client::once(content.len())).send().await
    }

    /// Whether the condition holds now: the best that can be had of a store that does not check it itself.
    pub(super) async fn holds(&self, key: &str, condition: &Condition) -> Result<bool> {
        let there = self.head(key).await?;
        Ok(match condition {
            Condition::NameFree => there.is_none(),
            Condition::Unchanged(version) => there.is_some_and(|object| object.version == *version),
        })
    }
}
