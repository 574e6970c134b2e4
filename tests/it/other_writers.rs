//! Uploads in parts that others have begun under the same prefix are theirs.

use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, worker};
use crate::numbered::Numbered;
use crate::process::{Connect, scratch};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn uploads_of_other_writers_under_the_same_prefix_can_still_be_completed() {
    let Some(cluster) = Cluster::from_environment("other writers") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "other writers") else { return };
    let name = format!("others-{}", std::process::id());
    let group = format!("connect-{name}");
    let mut records = Numbered::create(&cluster, &name, 1);
    records.write(&cluster, 20);
    let key = |offset: u32, extension: &str| format!("topics/{name}/partition=0/{name}+0+{offset:010}.{extension}");
    // Of a connector without compression, of one of another form, and of a third that is far ahead.
    let mut begun: Vec<_> = [key(0, "json"), key(10, "bin"), key(500_000, "json.gz")].map(|key| bucket.begin_upload(&key)).into();

    let directory = scratch(&name);
    let file = connector(&name, &name, &bucket, bucket.url(), "flush.size=10\ns3.compression.type=gzip");
    let start = || Connect::start(&directory, &worker(&cluster), &file);
    let mut process = start();
    wait_until("all is committed", PATIENCE, || records.is_committed(&cluster, &group));
    process.kill();
    // Nobody knows any more who began that one.
    let ahead = begun.pop().expect("three");
    assert!(ahead.complete(&bucket), "the upload of {} is gone after the first start", ahead.key);

    begun.push(bucket.begin_upload(&key(20, "json")));
    records.write(&cluster, 20);
    let mut process = start();
    wait_until("all is committed after a crash", PATIENCE, || records.is_committed(&cluster, &group));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    for upload in begun {
        assert!(upload.complete(&bucket), "the upload of {} is gone", upload.key);
        assert_eq!(bucket.get(&upload.key).body, b"of another writer");
    }
    assert_eq!(bucket.keys().len(), 4 + 4);
    cluster.delete_topic(&name);
}
