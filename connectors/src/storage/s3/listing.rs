//! Names of objects, and uploads that nobody completes.

use aws_sdk_s3::types::{EncodingType, MultipartUpload};
use connect_api::{Cursor, Error, IsAbandoned, Page, Result};
use tracing::warn;

use super::{
    Shared,
    error::{Refusal, error},
};

impl Shared {
    pub(super) async fn list(&self, prefix: &str, cursor: &Cursor) -> Result<Page> {
        let (after, token) = match cursor {
            Cursor::Start => (None, None),
            Cursor::After(name) => (Some(name.clone()), None),
            Cursor::Token(token) => (None, Some(token.clone())),
        };
        // Encoding is not asked for: it is not needed for names that XML can hold, and two of the stores that were tried encode wrongly.
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let page = match request.set_start_after(after.clone()).set_continuation_token(token.clone()).send().await {
            Ok(page) => page,
            // Not a passing fault: policies made for the JVM connector need not grant it. The caller may do without.
            Err(answer) if Refusal::of(&answer).code == "AccessDenied" => {
                let message = format!("listing names in bucket {} is denied: it needs s3:ListBucket", self.bucket);
                return Err(Error::config(message));
            }
            Err(answer) => return Err(error("list names with the prefix", prefix, answer)),
        };
        let encoded = page.encoding_type == Some(EncodingType::Url);
        let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
        let listed = keys.map(|key| if encoded { decode(&key) } else { key });
        let names: Vec<_> =
            listed.filter(|name| name.starts_with(prefix) && after.as_ref().is_none_or(|after| name > after)).collect();
        if page.is_truncated != Some(true) {
            return Ok(Page { names, next: None });
        }
        // Some stores repeat a token for ever.
        let next = page.next_continuation_token.filter(|next| !next.is_empty() && Some(next) != token.as_ref());
        let next = next.ok_or_else(|| Error::retriable(format!("the listing of names with the prefix {prefix} does not go on")))?;
        Ok(Page { names, next: Some(Cursor::Token(next)) })
    }

    /// Best effort: an upload that cannot be aborted keeps no other from it, and expires by the bucket's own rules.
    pub(super) async fn abort_uploads(&self, prefix: &str, is_abandoned: IsAbandoned<'_>) -> Result<usize> {
        let mut aborted = 0;
        let mut markers = (None, None);
        loop {
            let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
            let page = match request.set_key_marker(markers.0.clone()).set_upload_id_marker(markers.1.clone()).send().await {
                Ok(page) => page,
                Err(answer) if Refusal::of(&answer).is_feature_missing() => return Ok(aborted),
                Err(answer) => return Err(error("list uploads with the prefix", prefix, answer)),
            };
            let encoded = page.encoding_type == Some(EncodingType::Url);
            for MultipartUpload { key, upload_id, .. } in page.uploads.unwrap_or_default() {
                let (Some(key), Some(id)) = (key, upload_id) else { continue };
                let key = if encoded { decode(&key) } else { key };
                if !(key.starts_with(prefix) && is_abandoned(&key)) {
                    continue;
                }
                match self.abort(&key, &id).await {
                    Ok(()) => aborted += 1,
                    Err(error) => warn!(key, error = error.report(), "an abandoned multipart upload could not be aborted"),
                }
            }
            let next = (page.next_key_marker, page.next_upload_id_marker);
            if page.is_truncated != Some(true) || next == markers {
                return Ok(aborted);
            }
            markers = next;
        }
    }

    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<()> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(answer) if Refusal::of(&answer).is_upload_missing() => Ok(()),
            Err(answer) => Err(error("abort the upload of", key, answer)),
        }
    }
}

/// Undoes `encoding-type=url`: a form's encoding, with `+` for a blank.
fn decode(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (byte, next) = match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => (u8::try_from(high * 16 + low).unwrap_or_default(), &after[2..]),
            (b'+', ..) => (b' ', after),
            _ => (byte, after),
        };
        bytes.push(byte);
        rest = next;
    }
    String::from_utf8(bytes).unwrap_or_else(|_not_text| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_names_are_decoded_like_a_form() {
        assert_eq!(decode("t%2B0%2B1.json"), "t+0+1.json");
        assert_eq!(decode("a+b/%C3%BC"), "a b/ü");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%ff"), "%ff");
    }
}
