//! What is known of an object, and bytes of it.

use std::ops::Range;

use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};
use bytes::{Bytes, BytesMut};
use connect_api::{Error, ObjectInfo, Result, Version};

use super::{
    Shared, client,
    encryption::with_customer_key,
    error::{Refusal, error},
};

impl Shared {
    pub(super) async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let request = with_customer_key!(self.client.head_object(), self.encryption);
        let answer = match request.bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(answer) if Refusal::of(&answer).is_object_missing() => return Ok(None),
            Err(answer) => return Err(error("look at", key, answer)),
        };
        // Some stores change the case of names.
        let metadata =
            answer.metadata.unwrap_or_default().into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value));
        Ok(Some(ObjectInfo {
            size: answer.content_length.unwrap_or_default().unsigned_abs(),
            version: Version(answer.e_tag.unwrap_or_default()),
            modified: answer.last_modified.and_then(|modified| modified.to_millis().ok()).map(|at| self.clock.as_ours(at)),
            metadata: metadata.collect(),
        }))
    }

    pub(super) async fn get(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        if range.is_empty() {
            // No header asks for nothing.
            return Ok(self.head(key).await?.map(|_there| Bytes::new()));
        }
        let last = (range.end - 1).min(i64::MAX.unsigned_abs());
        let request = with_customer_key!(self.client.get_object(), self.encryption);
        let request = request.bucket(&self.bucket).key(key).range(format!("bytes={}-{last}", range.start));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(answer) if Refusal::of(&answer).is_object_missing() => return Ok(None),
            Err(answer) if Refusal::of(&answer).is_beyond_the_end() => return Ok(Some(Bytes::new())),
            Err(answer) => return Err(error("read", key, answer)),
        };
        // A store that does not know ranges sends all of the object.
        let wanted = if answer.content_range.is_some() { 0..range.end - range.start } else { range };
        let sent = answer.content_length.map(|length| length.unsigned_abs().min(wanted.end));
        let time = client::reading_time(sent.unwrap_or(wanted.end));
        match tokio::time::timeout(time, Box::pin(cut_out(answer.body, wanted, sent.unwrap_or_default()))).await {
            Ok(Ok(content)) => Ok(Some(content)),
            Ok(Err(cause)) => Err(Error::retriable(format!("could not read {key}")).with_source(cause)),
            Err(_elapsed) => Err(Error::retriable(format!("could not read {key} within {} seconds", time.as_secs()))),
        }
    }
}

/// These bytes of a body of which so many are announced. It is read no further, and what lies before them is thrown away piece by piece.
async fn cut_out(mut body: ByteStream, wanted: Range<u64>, sent: u64) -> Result<Bytes, ByteStreamError> {
    let mut content = BytesMut::with_capacity(usize::try_from(sent.saturating_sub(wanted.start)).unwrap_or_default());
    let mut at = 0;
    while at < wanted.end
        && let Some(piece) = body.try_next().await?
    {
        let length = piece.len() as u64;
        let within = |offset: u64| usize::try_from(offset.saturating_sub(at).min(length)).unwrap_or(piece.len());
        content.extend_from_slice(&piece[within(wanted.start)..within(wanted.end)]);
        at += length;
    }
    Ok(content.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_a_whole_body_only_the_range_is_kept() {
        for (wanted, expected) in [(0..3, "012"), (2..5, "234"), (8..20, "89"), (10..12, ""), (0..10, "0123456789")] {
            let body = ByteStream::from_static(b"0123456789");
            assert_eq!(cut_out(body, wanted.clone(), 10).await.unwrap(), expected, "{wanted:?}");
        }
    }
}
