//! Names of objects, and uploads that nobody completed.

use aws_sdk_s3::types::EncodingType;
use connect_api::{Error, Result};

use super::{
    Shared,
    error::{Refusal, error},
};

impl Shared {
    pub(super) async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<String>> {
        // Encoding is not asked for: it is not needed for names that XML can hold, and two of the stores that were tried encode wrongly.
        let request =
            self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_start_after(start_after.map(str::to_owned));
        let mut pages = request.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                // Not a passing fault: policies made for the JVM connector need not grant it. The caller may do without.
                Err(answer) if Refusal::of(&answer).code == "AccessDenied" => {
                    let message = format!("listing names in bucket {} is denied: it needs s3:ListBucket", self.bucket);
                    return Err(Error::config(message));
                }
                page => page.map_err(|answer| error("list names with the prefix", prefix, answer))?,
            };
            let encoded = page.encoding_type == Some(EncodingType::Url);
            let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            names.extend(keys.map(|key| if encoded { decode(&key) } else { key }));
        }
        names.retain(|name| start_after.is_none_or(|after| name.as_str() > after));
        if !names.is_sorted() {
            names.sort_unstable();
        }
        Ok(names)
    }

    pub(super) async fn abort_uploads(&self, prefix: &str) -> Result<usize> {
        let mut aborted = 0;
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
            let page = match request.set_key_marker(key_marker).set_upload_id_marker(id_marker).send().await {
                Ok(page) => page,
                // Where uploads cannot be listed, they expire by the bucket's own rules.
                Err(answer) if Refusal::of(&answer).is_feature_missing() => return Ok(aborted),
                Err(answer) => return Err(error("list uploads with the prefix", prefix, answer)),
            };
            for upload in page.uploads.unwrap_or_default() {
                if let (Some(key), Some(id)) = (upload.key, upload.upload_id) {
                    self.abort(&key, &id).await?;
                    aborted += 1;
                }
            }
            if page.is_truncated != Some(true) {
                return Ok(aborted);
            }
            (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
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
