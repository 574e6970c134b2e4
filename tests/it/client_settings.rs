//! Settings of Kafka clients: what runs on the JVM runs, and what cannot run is refused before anything starts, in the words of the file.

use std::path::PathBuf;
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, wait_until};
use crate::files::worker;
use crate::process::{Connect, connect, scratch};
use crate::reports::{self, committed, produce};

const PATIENCE: Duration = Duration::from_secs(60);
const FOLDER: &str = "client-settings-refused-at-start";

/// The line of the file that is about the client's settings; the others take its place.
const LINE: &str = "consumer.override.fetch.max.bytes=500000";

fn five_records() -> impl Iterator<Item = Vec<u8>> {
    (0..5).map(|i| format!(r#"{{"i":{i}}}"#).into_bytes())
}

#[test]
fn what_the_jvm_takes_runs() {
    let Some(cluster) = Cluster::from_environment("client settings") else { return };
    let lines = [
        LINE,
        "consumer.override.fetch.max.bytes=0",
        "consumer.override.reconnect.backoff.ms=1000\nconsumer.override.reconnect.backoff.max.ms=500",
        "consumer.override.reconnect.backoff.ms=20000",
        "consumer.override.auto.offset.reset=by_duration:PT1H",
        "consumer.override.max.poll.interval.ms=5000",
        "consumer.override.group.protocol=consumer",
    ];
    for (number, line) in lines.into_iter().enumerate() {
        let Some(bucket) = Bucket::create(Server::Moto, "client settings") else { return };
        let topic = format!("client-settings-{number}-{}", std::process::id());
        cluster.create_topic(&topic, 1, &[]);
        produce(&cluster, &topic, five_records());
        let file = reports::connector(FOLDER, &bucket, &format!("name={topic}\ntopics={topic}\n{line}"));
        let file = if line == LINE { file } else { file.replace(&format!("{LINE}\n"), "") };
        let mut process = Connect::start(&scratch("client-settings"), &worker(&cluster), &file);
        wait_until(&format!("five records are committed with {line}"), PATIENCE, || {
            assert!(process.is_running(), "{line}: {}", process.log());
            committed(&cluster, &format!("connect-{topic}"), &topic) == Some(5)
        });
        assert_eq!(bucket.keys().len(), 1, "{line}");
        assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
    }
}

#[test]
fn a_reset_by_duration_begins_at_the_first_record_that_is_young_enough() {
    let Some(cluster) = Cluster::from_environment("by duration") else { return };
    let Some(bucket) = Bucket::create(Server::Moto, "by duration") else { return };
    let topic = format!("by-duration-{}", std::process::id());
    cluster.create_topic(&topic, 2, &[]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let record = |partition, minutes: u64, n: i64| crate::cluster::Record {
        topic: topic.clone(),
        partition,
        timestamp: Some(i64::try_from(now.as_millis()).unwrap() - i64::try_from(minutes * 60_000).unwrap()),
        value: Some(format!(r#"{{"i":{n}}}"#).into_bytes()),
        ..crate::cluster::Record::default()
    };
    // All of the second partition is too old: it begins at its end.
    cluster.produce(&[record(0, 300, 0), record(0, 200, 1), record(0, 30, 2), record(0, 1, 3), record(1, 300, 0)]);
    let changes = format!("name={topic}\ntopics={topic}\nflush.size=1\nconsumer.override.auto.offset.reset=by_duration:PT1H");
    let file = reports::connector(FOLDER, &bucket, &changes).replace(&format!("{LINE}\n"), "");
    let mut process = Connect::start(&scratch("by-duration"), &worker(&cluster), &file);
    let partitions = [(topic.clone(), 0), (topic.clone(), 1)];
    wait_until("the young ones are committed", PATIENCE, || {
        cluster.committed(&format!("connect-{topic}"), &partitions).get(&partitions[0]) == Some(&4)
    });
    cluster.produce(&[record(1, 0, 1)]);
    wait_until("and what follows", PATIENCE, || {
        cluster.committed(&format!("connect-{topic}"), &partitions).get(&partitions[1]) == Some(&2)
    });
    let names: Vec<_> = bucket.keys().iter().map(|key| key.rsplit('/').next().unwrap().to_owned()).collect();
    let expected = [(0, 2), (0, 3), (1, 1)].map(|(partition, offset)| format!("{topic}+{partition}+{offset:010}.json"));
    assert_eq!(names, expected);
    assert!(process.stop(Duration::from_secs(20)).success(), "{}", process.log());
}

/// What is said of the file with these lines in the place of the one that is about the client's settings.
fn said(line: &str) -> (bool, String) {
    let file = std::fs::read_to_string(format!("{}/tests/reports/{FOLDER}/connector.properties", env!("CARGO_MANIFEST_DIR")))
        .unwrap()
        .replace("${BUCKET}", "a-bucket")
        .replace("${STORE_URL}", "http://127.0.0.1:9")
        .replace(LINE, line);
    let path: PathBuf = scratch("refused-settings").join("connector.properties");
    std::fs::write(&path, file).unwrap();
    let output = connect(&["validate", path.to_str().unwrap()]);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
fn what_no_client_can_be_made_of_is_refused_by_validate_with_the_key_as_it_was_written() {
    let tls = "consumer.override.security.protocol=SSL\nconsumer.override.ssl.truststore.type=PEM\n";
    let not_a_certificate = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
    let cases = [
        (
            "consumer.override.group.protocol=consumer\nconsumer.override.session.timeout.ms=30000".to_owned(),
            "consumer.override.session.timeout.ms",
            16,
        ),
        (
            "consumer.override.group.protocol=consumer\nconsumer.override.heartbeat.interval.ms=1000".to_owned(),
            "consumer.override.heartbeat.interval.ms",
            16,
        ),
        ("consumer.override.receive.message.max.bytes=2000".to_owned(), "consumer.override.receive.message.max.bytes", 15),
        (
            format!("{tls}consumer.override.ssl.truststore.location=/no/such/file"),
            "/no/such/file for configuration consumer.override.ssl.truststore.location: the file cannot be read",
            17,
        ),
        (
            format!("{tls}consumer.override.ssl.truststore.location={not_a_certificate}"),
            "consumer.override.ssl.truststore.location",
            17,
        ),
        (
            "consumer.override.session.timeout.ms=2000".to_owned(),
            "consumer.override.session.timeout.ms: must be more than heartbeat.interval.ms",
            15,
        ),
        (
            "errors.tolerance=all\nerrors.deadletterqueue.topic.name=q\nproducer.override.enable.idempotence=true\n\
             producer.override.acks=1"
                .to_owned(),
            "producer.override.acks",
            18,
        ),
        (
            "errors.tolerance=all\nerrors.deadletterqueue.topic.name=q\nproducer.override.linger.ms=500\n\
             producer.override.delivery.timeout.ms=400"
                .to_owned(),
            "producer.override.delivery.timeout.ms",
            18,
        ),
    ];
    for (line, expected, number) in cases {
        let (is_valid, text) = said(&line);
        assert!(!is_valid, "{line} is valid");
        let about = text.lines().find(|said| said.contains(expected)).unwrap_or_else(|| panic!("{line}: {text}"));
        assert!(about.contains(&format!("connector.properties:{number}")), "{about}");
        assert!(!text.contains("ssl.ca.location") && !text.contains("message.timeout.ms"), "{text}");
    }
}

#[test]
fn all_files_that_cannot_be_read_are_named_at_once_and_none_where_they_are_not_used() {
    let files = "consumer.override.ssl.truststore.type=PEM\nconsumer.override.ssl.truststore.location=/no/such/ca\n\
        consumer.override.ssl.keystore.type=PEM\nconsumer.override.ssl.keystore.location=/no/such/key";
    let (is_valid, text) = said(&format!("consumer.override.security.protocol=SSL\n{files}"));
    assert!(!is_valid && text.contains("2 errors") && text.contains("/no/such/ca") && text.contains("/no/such/key"), "{text}");
    let (is_valid, text) = said(files);
    assert!(is_valid, "{text}");
}

#[test]
fn a_limit_is_said_where_it_is_written() {
    let (is_valid, text) = said("consumer.override.fetch.max.bytes=0");
    assert!(is_valid && text.contains("connector.properties:15") && text.contains("is limited to 1000"), "{text}");
    let (is_valid, text) = said("consumer.override.auto.offset.reset=by_duration:1 hour");
    assert!(!is_valid && text.contains("such as PT1H"), "{text}");
}
