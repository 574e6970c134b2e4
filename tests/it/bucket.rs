//! A bucket of one of the real S3 servers of the tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, VersioningConfiguration};

use crate::cluster::block_on;

/// Ends the key of what a start puts to see what the store does; an end that comes at once leaves it.
const PROBE: &str = ".connect-conditional-write-probe";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// Exact about conditional writes, knows versions; believes any signature.
    Moto,
    /// Strict about signatures and checksums.
    Versitygw,
}

/// An object with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: Option<String>,
}

/// One bucket, empty at first.
pub(crate) struct Bucket {
    client: Client,
    url: String,
    name: String,
}

pub(crate) fn access_key() -> String {
    std::env::var("CONNECT_TEST_S3_ACCESS_KEY").unwrap_or_else(|_| "AK".into())
}

pub(crate) fn secret_key() -> String {
    std::env::var("CONNECT_TEST_S3_SECRET_KEY").unwrap_or_else(|_| "SKSKSKSK".into())
}

/// A multipart upload of one part that is not complete.
pub(crate) struct Upload {
    pub(crate) key: String,
    id: String,
    etag: String,
}

impl Upload {
    /// Whether it could be completed.
    pub(crate) fn complete(&self, bucket: &Bucket) -> bool {
        let part = CompletedPart::builder().part_number(1).e_tag(&self.etag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let request = bucket.client.complete_multipart_upload().bucket(&bucket.name).key(&self.key);
        block_on(request.upload_id(&self.id).multipart_upload(parts).send()).is_ok()
    }
}

impl Bucket {
    /// A new bucket, or none and a word about it if that server does not run.
    pub(crate) fn create(server: Server, test: &str) -> Option<Self> {
        let variable = match server {
            Server::Moto => "CONNECT_TEST_S3_MOTO",
            Server::Versitygw => "CONNECT_TEST_S3_VERSITYGW",
        };
        let Ok(url) = std::env::var(variable) else {
            crate::skipped(test, variable);
            return None;
        };
        Some(Self::at(&url))
    }

    /// A new bucket of the server that listens there.
    pub(crate) fn at(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(access_key(), secret_key(), None, None, "tests"))
            .region(Region::new("us-east-1"))
            .endpoint_url(url)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        let client = Client::from_conf(config);
        block_on(client.create_bucket().bucket(&name).send()).expect("a bucket");
        Self { client, url: url.to_owned(), name }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Keeps every version of every object from now on, so that overwrites show.
    pub(crate) fn keep_versions(&self) {
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        block_on(self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(enabled).send())
            .expect("versioning");
    }

    /// How many versions each key has, deletions included.
    pub(crate) fn versions(&self) -> BTreeMap<String, usize> {
        let mut versions = BTreeMap::new();
        let (mut key, mut version) = (None, None);
        loop {
            let page = block_on(
                self.client
                    .list_object_versions()
                    .bucket(&self.name)
                    .set_key_marker(key.take())
                    .set_version_id_marker(version.take())
                    .send(),
            )
            .expect("a page of versions");
            for each in page.versions() {
                *versions.entry(each.key().unwrap_or_default().to_owned()).or_default() += 1;
            }
            for each in page.delete_markers() {
                *versions.entry(each.key().unwrap_or_default().to_owned()).or_default() += 1;
            }
            if page.is_truncated() != Some(true) {
                versions.retain(|key, _| !key.ends_with(PROBE));
                return versions;
            }
            key = page.next_key_marker().map(str::to_owned);
            version = page.next_version_id_marker().map(str::to_owned);
        }
    }

    /// The tags of an object.
    pub(crate) fn tags(&self, key: &str) -> BTreeMap<String, String> {
        let tagging = block_on(self.client.get_object_tagging().bucket(&self.name).key(key).send());
        let tags = tagging.map(|tagging| tagging.tag_set().to_vec()).unwrap_or_default();
        tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let page = block_on(self.client.list_objects_v2().bucket(&self.name).set_continuation_token(after.take()).send())
                .expect("a page of keys");
            keys.extend(page.contents().iter().map(|object| object.key().unwrap_or_default().to_owned()));
            after = page.next_continuation_token().map(str::to_owned);
            if after.is_none() {
                keys.retain(|key| !key.ends_with(PROBE));
                keys.sort();
                return keys;
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Object {
        let answer = block_on(self.client.get_object().bucket(&self.name).key(key).send()).expect("an object");
        let content_type = answer.content_type().map(str::to_owned);
        let body = block_on(answer.body.collect()).expect("a body").to_vec();
        Object { body, content_type }
    }

    pub(crate) fn put(&self, key: &str, body: &[u8]) {
        let body = ByteStream::from(body.to_vec());
        block_on(self.client.put_object().bucket(&self.name).key(key).body(body).send()).expect("an object is put");
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        self.keys().into_iter().map(|key| (key.clone(), self.get(&key))).collect()
    }

    /// Begins a multipart upload and sends its only part.
    pub(crate) fn begin_upload(&self, key: &str) -> Upload {
        let begun = block_on(self.client.create_multipart_upload().bucket(&self.name).key(key).send()).expect("an upload");
        let id = begun.upload_id().expect("an upload's number").to_owned();
        let body = ByteStream::from_static(b"of another writer");
        let part = self.client.upload_part().bucket(&self.name).key(key).upload_id(&id).part_number(1).body(body);
        let part = block_on(part.send()).expect("a part");
        Upload { key: key.to_owned(), id, etag: part.e_tag().expect("a part's version").to_owned() }
    }

    /// Multipart uploads that nobody finished.
    pub(crate) fn unfinished_uploads(&self) -> usize {
        block_on(self.client.list_multipart_uploads().bucket(&self.name).send()).expect("the uploads").uploads().len()
    }
}

#[test]
fn an_overwritten_object_shows_in_its_versions() {
    let Some(bucket) = Bucket::create(Server::Moto, "versions") else { return };
    bucket.keep_versions();
    bucket.put("once", b"1");
    bucket.put("twice", b"1");
    bucket.put("twice", b"2");
    assert_eq!(bucket.versions(), BTreeMap::from([("once".to_owned(), 1), ("twice".to_owned(), 2)]));
    assert_eq!(bucket.keys(), ["once", "twice"]);
    assert_eq!(bucket.get("twice").body, b"2");
}
