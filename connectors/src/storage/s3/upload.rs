//! An object in parts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::SdkError,
    operation::complete_multipart_upload::{CompleteMultipartUploadError, CompleteMultipartUploadOutput},
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectCannedAcl},
};
use connect_api::{Body, Completion, Condition, Error, MultipartUpload, ObjectMetadata, Result, async_trait};

use super::{
    CONTENT_TYPE, Shared,
    body::Content,
    client,
    encryption::{Encryption, with_customer_key, with_encryption},
    error::{Refusal, error},
    means::Ways,
    probe,
    put::{headers, sent_metadata},
};

/// How often an object is looked for whose upload is gone, and the first of the pauses between, which double.
const LOOKS: u32 = 6;
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// An upload that S3 knows by an id.
pub(super) struct S3Upload {
    shared: Arc<Shared>,
    key: String,
    id: String,
    metadata: ObjectMetadata,
    /// Whether S3 was told that parts come with checksums: then all of them must.
    checksums: bool,
    /// Entity tags and checksums of the parts that are there, by number from 1.
    parts: Mutex<BTreeMap<i32, CompletedPart>>,
}

impl S3Upload {
    /// Has S3 begin an upload.
    ///
    /// # Errors
    /// As [`Storage`](connect_api::Storage) says.
    pub(super) async fn start(shared: Arc<Shared>, key: &str, metadata: &ObjectMetadata) -> Result<Self> {
        let mut ways = shared.means.ways();
        // Of a whole made of parts, stores other than AWS may keep a wrong checksum, and readers that verify it refuse the object.
        let mut checksums = ways.checksums && !shared.looks_first;
        let id = loop {
            let request = with_encryption!(shared.client.create_multipart_upload(), &shared.encryption)
                .bucket(&shared.bucket)
                .key(key)
                .content_type(CONTENT_TYPE)
                .set_metadata(sent_metadata(metadata))
                .set_acl(shared.acl.as_deref().map(ObjectCannedAcl::from))
                .set_checksum_algorithm(checksums.then_some(ChecksumAlgorithm::Crc64Nvme))
                .set_checksum_type(checksums.then_some(ChecksumType::FullObject));
            // An upload whose number got lost stays until somebody frees it: whoever asks again knows that there may be one.
            match request.customize().config_override(client::once(0)).send().await {
                Ok(answer) => break answer.upload_id.unwrap_or_default(),
                Err(answer) if checksums && Refusal::of(&answer).is_feature_missing() => {
                    (checksums, ways.checksums) = (false, false);
                }
                Err(answer) => return Err(error("begin the upload of", key, answer)),
            }
        };
        shared.means.learn(ways);
        let (key, metadata) = (key.to_owned(), metadata.clone());
        Ok(Self { shared, key, id, metadata, checksums, parts: Mutex::default() })
    }

    async fn try_complete(
        &self,
        condition: &Condition,
        ways: Ways,
    ) -> Result<CompleteMultipartUploadOutput, SdkError<CompleteMultipartUploadError, HttpResponse>> {
        let (if_none_match, if_match) = if ways.sends_conditions() { headers(condition) } else { (None, None) };
        let parts: Vec<_> = self.parts.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let settings = client::for_completion_of(parts.len());
        with_customer_key!(self.shared.client.complete_multipart_upload(), self.shared.encryption)
            .bucket(&self.shared.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .set_if_none_match(if_none_match)
            .set_if_match(if_match)
            .customize()
            .config_override(settings)
            .send()
            .await
    }

    /// Finds out what became of an upload that the store no longer knows: the answer to an earlier completion may have been lost, and the store may be at
    /// work on it yet. So the object is waited for, about half a minute.
    async fn look(&self, condition: &Condition) -> Result<Completion> {
        let mut pause = self.shared.patience;
        for looks_left in (0..LOOKS).rev() {
            match self.shared.head(&self.key).await? {
                Some(object) if !self.metadata.is_empty() && object.metadata == self.metadata => return Ok(Completion::Created),
                // But for the one that was to be replaced: what can be replaced no more would be found there for ever.
                Some(object) if *condition != Condition::Unchanged(object.version.clone()) => return Ok(Completion::NameTaken),
                _ if looks_left == 0 => break,
                _ => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        Err(lost(&self.key))
    }
}

fn lost(key: &str) -> Error {
    Error::fatal(format!("the store has lost the multipart upload of {key}"))
}

#[async_trait]
impl MultipartUpload for S3Upload {
    async fn put_part(&self, number: usize, body: Body) -> Result<()> {
        let Ok(number) = i32::try_from(number + 1) else {
            return Err(Error::fatal(format!("part {number} of {} is beyond the limit", self.key)));
        };
        let content = Content::new(body, self.shared.send_digest);
        let checksum = self.checksums.then(|| content.checksum.clone());
        let mut ways = self.shared.means.ways();
        let answer = loop {
            let request = with_customer_key!(self.shared.client.upload_part(), self.shared.encryption)
                .bucket(&self.shared.bucket)
                .key(&self.key)
                .upload_id(&self.id)
                .part_number(number)
                .content_length(i64::try_from(content.len()).unwrap_or(i64::MAX))
                .set_checksum_crc64_nvme(checksum.clone())
                .set_content_md5(content.md5.clone())
                .body(content.stream(!ways.unsigned));
            let sending = async {
                match client::for_body_of(content.len()) {
                    None => request.send().await,
                    Some(settings) => request.customize().config_override(settings).send().await,
                }
            };
            match content.unless_stalled(&self.key, Box::pin(sending)).await? {
                Ok(answer) => break answer,
                Err(answer) if ways.unsigned && Refusal::of(&answer).wants_signed_content() => ways.unsigned = false,
                // Expired by a rule of the bucket, or aborted: what was sent before is gone, so the records must be read again.
                Err(answer) if Refusal::of(&answer).is_upload_missing() => return Err(lost(&self.key)),
                Err(answer) => return Err(error(&format!("send part {number} of"), &self.key, answer)),
            }
        };
        self.shared.means.learn(ways);
        let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).set_checksum_crc64_nvme(checksum).build();
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(number, part);
        Ok(())
    }

    async fn complete(&self, condition: &Condition) -> Result<Completion> {
        self.shared.learn_about_conditions(probe::PAUSE).await;
        let mut ways = self.shared.means.ways();
        loop {
            let look = ways.looks() || self.shared.looks_first;
            if look && !self.shared.holds(&self.key, condition).await? {
                return Ok(Completion::NameTaken);
            }
            let Err(answer) = self.try_complete(condition, ways).await else {
                self.shared.means.learn(ways);
                return Ok(Completion::Created);
            };
            let refusal = Refusal::of(&answer);
            if refusal.is_name_taken(condition) {
                return Ok(Completion::NameTaken);
            }
            if refusal.is_upload_missing() {
                return self.look(condition).await;
            }
            if !(ways.sends_conditions() && refusal.is_feature_missing()) {
                return Err(error("complete the upload of", &self.key, answer));
            }
            ways = ways.without_conditions();
        }
    }

    async fn abort(&self) -> Result<()> {
        self.shared.abort(&self.key, &self.id).await
    }
}
