//! Tags of objects where the store refuses them, and where the process dies between an object and its tags.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{PATIENT_GROUP, connector, worker};
use crate::process::{Connect, scratch};
use crate::proxy::{Kind, Moment, Proxy, Verdict};
use crate::reports::{committed, produce};

const PATIENCE: Duration = Duration::from_secs(60);

/// A store that refuses tags while it is told to, and counts how often it was asked.
struct Store {
    bucket: Bucket,
    proxy: Proxy,
    refuses: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

impl Store {
    fn new(test: &str) -> Option<Self> {
        let bucket = Bucket::create(Server::Moto, test)?;
        let (refuses, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
        let (refusing, asking) = (Arc::clone(&refuses), Arc::clone(&asked));
        let proxy = Proxy::start(bucket.url(), move |request, moment| {
            if request.kind != Kind::Tag || moment != Moment::Arrived {
                return Verdict::Pass;
            }
            asking.fetch_add(1, Ordering::Relaxed);
            if refusing.load(Ordering::Relaxed) { Verdict::Answer(403, "AccessDenied") } else { Verdict::Pass }
        });
        Some(Self { bucket, proxy, refuses, asked })
    }

    fn start(&self, cluster: &Cluster, directory: &Path, topic: &str, more: &str) -> Connect {
        let more = format!("flush.size=2\nstore.kafka.keys=false\ns3.object.tagging=true\n{more}");
        Connect::start(directory, &worker(cluster), &connector(topic, topic, &self.bucket, &self.proxy.url(), &more))
    }

    fn tags(&self, topic: &str, offset: i64) -> Vec<String> {
        let key = format!("topics/{topic}/partition=0/{topic}+0+{offset:010}.json");
        self.bucket.tags(&key).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }
}

fn numbered(count: i64) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|i| format!(r#"{{"i":{i}}}"#).into_bytes())
}

#[test]
fn tags_that_are_refused_are_said_once_and_hold_nothing_up() {
    let (Some(cluster), Some(store)) = (Cluster::from_environment("tags"), Store::new("tags")) else { return };
    let (topic, directory) = (format!("untagged-{}", std::process::id()), scratch("untagged"));
    cluster.create_topic(&topic, 1, &[]);
    produce(&cluster, &topic, numbered(6));
    let mut process = store.start(&cluster, &directory, &topic, PATIENT_GROUP);
    wait_until("everything is committed", PATIENCE, || committed(&cluster, &format!("connect-{topic}"), &topic) == Some(6));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert_eq!((store.bucket.keys().len(), store.asked.load(Ordering::Relaxed)), (3, 3), "an attempt for each");
    let log = process.log();
    assert!(log.contains("the object could not be tagged, and goes without"), "{log}");
}

#[test]
fn where_tags_must_not_be_missing_nothing_is_committed_without_them_and_the_next_owner_sets_them() {
    let (Some(cluster), Some(store)) = (Cluster::from_environment("tags"), Store::new("tags")) else { return };
    let (topic, directory) = (format!("tagged-{}", std::process::id()), scratch("tagged"));
    let group = format!("connect-{topic}");
    cluster.create_topic(&topic, 1, &[]);
    produce(&cluster, &topic, numbered(4));
    let more = "s3.object.behavior.on.tagging.error=fail\ns3.part.retries=2\ns3.retry.backoff.ms=10";
    let mut process = store.start(&cluster, &directory, &topic, more);
    wait_until("the task has failed", PATIENCE, || process.has_failed_task());
    let log = process.log();
    assert!(log.contains(&format!("Unable to tag S3 object topics/{topic}/partition=0/{topic}+0+")), "{log}");
    assert!(committed(&cluster, &group, &topic).is_none_or(|offset| offset == 0), "{log}");
    process.kill();
    let written = store.bucket.keys();
    assert!(!written.is_empty());

    store.refuses.store(false, Ordering::Relaxed);
    let mut process = store.start(&cluster, &directory, &topic, more);
    wait_until("everything is committed", PATIENCE, || committed(&cluster, &group, &topic) == Some(4));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert_eq!(store.tags(&topic, 0), ["endOffset=1", "recordCount=2", "startOffset=0"]);
    assert_eq!(store.tags(&topic, 2), ["endOffset=3", "recordCount=2", "startOffset=2"]);
}
