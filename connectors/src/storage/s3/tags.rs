//! Tags of an object.

use aws_sdk_s3::types::{Tag, Tagging};
use connect_api::{Error, Result};

use super::{Shared, error::error};

impl Shared {
    pub(super) async fn tag(&self, key: &str, tags: &[(String, String)]) -> Result<()> {
        let invalid = |reason| Error::fatal("tags cannot be sent").with_source(reason);
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(invalid)?;
        let answer = self.client.put_object_tagging().bucket(&self.bucket).key(key).tagging(tagging).send().await;
        answer.map(drop).map_err(|answer| error("tag", key, answer))
    }
}
