//! The worker and connector files of tests that are not about them.

use crate::bucket::Bucket;
use crate::cluster::Cluster;

/// A worker as people set one up, with quick commits.
pub(crate) fn worker(cluster: &Cluster) -> String {
    worker_that_commits_every(cluster, 500)
}

/// The same, but offsets are committed only where something asks for it.
pub(crate) fn seldom(cluster: &Cluster) -> String {
    worker_that_commits_every(cluster, 3_600_000)
}

fn worker_that_commits_every(cluster: &Cluster, milliseconds: u32) -> String {
    format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n\
         offset.flush.interval.ms={milliseconds}\n",
        cluster.bootstrap_servers()
    )
}

/// An S3 sink of one topic; a member that is gone is missed after two seconds, so that tests do not wait for it.
pub(crate) fn connector(name: &str, topic: &str, bucket: &Bucket, store_url: &str, more: &str) -> String {
    connector_of(name, topic, bucket.name(), store_url, more)
}

/// The same, where nobody has made the bucket.
pub(crate) fn connector_of(name: &str, topic: &str, bucket: &str, store_url: &str, more: &str) -> String {
    format!(
        "name={name}\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics={topic}\n\
         format.class=io.confluent.connect.s3.format.json.JsonFormat\n\
         storage.class=io.confluent.connect.s3.storage.S3Storage\ns3.region=us-east-1\n\
         s3.bucket.name={bucket}\nstore.url={store_url}\n\
         consumer.override.session.timeout.ms=2000\nconsumer.override.heartbeat.interval.ms=500\n\
         consumer.override.metadata.max.age.ms=1000\n{more}\n"
    )
}

/// For the `more` of [`connector`]: no member is missed, however busy the machine is.
pub(crate) const PATIENT_GROUP: &str = "consumer.override.session.timeout.ms=30000";

/// For the `more` of [`connector`]: settings that have changed since a crash are followed at once, though requests of the dead may still be under way.
pub(crate) const NO_HOLD: &str = "recovery.hold.ms=0";
