//! librdkafka's own lines in our log, of every client, as much of them as `--log-level` says.

use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::{connector, worker};
use crate::process::{Connect, scratch};

const PATIENCE: Duration = Duration::from_secs(60);

/// librdkafka warns of it whenever it makes a client.
const DEPRECATED: [&str; 3] = [
    "consumer.override.socket.blocking.max.ms=100",
    "producer.override.socket.blocking.max.ms=100",
    "admin.override.socket.blocking.max.ms=100",
];

fn start(cluster: &Cluster, bucket: &Bucket, name: &str, more: &str, arguments: &[&str]) -> Connect {
    let more = format!("flush.size=1\nerrors.tolerance=all\nerrors.deadletterqueue.topic.name={name}.dlq\n{more}\n");
    let more = format!("{more}errors.deadletterqueue.topic.replication.factor=1");
    let file = connector(name, name, bucket, bucket.url(), &more);
    let process = Connect::start_with(&scratch("client-log"), &worker(cluster), &[&file], arguments);
    wait_until("it runs", PATIENCE, || process.is_ready());
    process
}

fn lines<'a>(log: &'a str, level: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains("librdkafka:") && line.contains(level)).collect()
}

#[test]
fn warnings_of_librdkafka_are_logged_for_every_client_and_the_log_s_level_silences_them() {
    let Some(cluster) = Cluster::from_environment("client log") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "client log") else { return };
    let name = format!("client-log-{}", std::process::id());
    cluster.create_topic(&name, 1, &[]);
    let deprecated = DEPRECATED.join("\n");

    let mut process = start(&cluster, &bucket, &name, &deprecated, &[]);
    for client in [format!("consumer-{name}-0"), format!("producer of {name}.dlq"), format!("admin client of {name}.dlq")] {
        wait_until(&format!("a warning of {client}"), PATIENCE, || {
            lines(&process.log(), "WARN").iter().any(|line| line.contains("socket.blocking.max.ms") && line.contains(&client))
        });
    }
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());

    let mut process = start(&cluster, &bucket, &name, &deprecated, &["--log-level", "error"]);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    assert_eq!(process.log(), "", "nothing was wrong");
}

#[test]
fn log_level_and_debug_of_a_client_say_what_it_writes() {
    let Some(cluster) = Cluster::from_environment("client log") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "client log") else { return };
    let name = format!("client-debug-{}", std::process::id());
    cluster.create_topic(&name, 1, &[]);

    let debug = "consumer.override.debug=cgrp";
    let mut process = start(&cluster, &bucket, &name, debug, &[]);
    wait_until("what was asked for", PATIENCE, || lines(&process.log(), "INFO").iter().any(|line| line.contains("CGRPJOINSTATE")));
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());

    let quiet = format!("{}\nconsumer.override.log_level=3", DEPRECATED[0]);
    let mut process = start(&cluster, &bucket, &name, &quiet, &["--log-level", "trace"]);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    let log = process.log();
    let client = format!("consumer-{name}-0");
    assert!(!lines(&log, " ").iter().any(|line| line.contains(&client) && !line.contains("ERROR")), "{log}");
}
