//! What is refused before anything starts, in words that a stranger understands.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::process::{connect, free_address, scratch};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn file(directory: &Path, name: &str, contents: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, contents).unwrap();
    path
}

/// A worker file; its broker does not exist, so that a test which comes so far fails.
fn worker_file(directory: &Path) -> PathBuf {
    let contents = format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\n",
        free_address()
    );
    file(directory, "worker.properties", &contents)
}

fn run(worker: &Path, connector: &Path) -> Output {
    connect(&["run", worker.to_str().unwrap(), connector.to_str().unwrap()])
}

const SOUND: &str = "name=sound\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics=t\nflush.size=1\n\
    format.class=io.confluent.connect.s3.format.json.JsonFormat\nstorage.class=io.confluent.connect.s3.storage.S3Storage\n\
    s3.bucket.name=b\ns3.region=us-east-1\n";

const SIX_MISTAKES: &str = "\
name=six
connector.class=io.confluent.connect.s3.S3SinkConnector
storage.class=io.confluent.connect.s3.storage.S3Storage
s3.region=us-east-1
rotate.schedule.intreval.ms=60000
task.max=3
flush.size=abc
topics=one,two
topics.regex=one.*
format.class=io.confluent.connect.s3.format.json.JsonFormatt
";

#[test]
fn six_mistakes_in_a_file_are_all_named_with_line_and_suggestion_before_anything_starts() {
    let directory = scratch("six-mistakes");
    let connector = file(&directory, "six.properties", SIX_MISTAKES);
    let worker = worker_file(&directory);
    for output in [run(&worker, &connector), connect(&["validate", worker.to_str().unwrap(), connector.to_str().unwrap()])] {
        assert!(!output.status.success());
        let text = text(&output);
        let mistakes = [
            ("rotate.schedule.intreval.ms", Some("5"), "rotate.schedule.interval.ms"),
            ("task.max", Some("6"), "tasks.max"),
            ("abc", Some("7"), "flush.size"),
            ("topics.regex", Some("9"), "topics"),
            ("JsonFormatt", Some("10"), "JsonFormat"),
            ("s3.bucket.name", None, "s3.bucket.name"),
        ];
        for (mistake, line, suggestion) in mistakes {
            let about = text.lines().any(|said| {
                said.contains(mistake)
                    && said.contains(suggestion)
                    && line.is_none_or(|line| said.contains(&format!("six.properties:{line}")))
            });
            assert!(about, "nothing about {mistake} (line {line:?}, {suggestion}) in:\n{text}");
        }
    }
}

#[test]
fn a_broken_escape_is_named_with_file_and_line() {
    let directory = scratch("escape");
    let connector = file(&directory, "broken.properties", &format!("{SOUND}topics.dir=a\\u00zz\n"));
    let output = run(&worker_file(&directory), &connector);
    assert!(!output.status.success());
    let text = text(&output);
    assert!(text.contains("broken.properties:9"), "{text}");
    assert!(text.contains("\\u"), "{text}");
}

#[test]
fn a_missing_file_is_named() {
    let directory = scratch("missing");
    let output = run(&worker_file(&directory), &directory.join("nowhere.properties"));
    assert!(!output.status.success());
    let text = text(&output);
    assert!(text.contains("nowhere.properties"), "{text}");
    assert!(text.to_lowercase().contains("no such file"), "{text}");
}

#[test]
fn a_broker_that_does_not_answer_is_named() {
    use crate::cluster::wait_until;
    use crate::process::Connect;
    use std::time::Duration;

    let directory = scratch("unreachable");
    let address = free_address();
    let worker = format!(
        "bootstrap.servers={address}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n"
    );
    let mut process = Connect::start(&directory, &worker, SOUND);
    // It ends, or goes on trying: either way it says which broker and what is wrong with it.
    wait_until("it names the broker", Duration::from_secs(30), || process.log().contains(&address.to_string()));
    let log = process.log();
    let said = log.lines().find(|line| line.contains(&address.to_string()) && !line.contains("INFO")).unwrap_or_default();
    assert!(!said.is_empty(), "only in passing: {log}");
    if process.is_running() {
        assert!(!process.is_ready());
    }
}

/// What `connect validate` says of a sound file with these lines as well.
fn said_of(name: &str, lines: &str) -> String {
    let directory = scratch(name);
    let converters = "key.converter=org.apache.kafka.connect.storage.StringConverter\n\
                      value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n";
    let connector = file(&directory, "sink.properties", &format!("{SOUND}{converters}{lines}"));
    let said = text(&connect(&["validate", "--bootstrap-servers", "127.0.0.1:9092", connector.to_str().unwrap()]));
    said.replace(&format!("{}/", directory.display()), "")
}

#[test]
fn a_misspelt_credentials_provider_and_its_keys_get_the_right_ones() {
    let said = said_of(
        "provider",
        "s3.credentials.provider.class=DefaultAWSCredentialsProviderChain\ns3.credentials.provider.sts.role.arm=x\n",
    );
    assert!(said.contains("error: sink.properties:12: Invalid value DefaultAWSCredentialsProviderChain"), "{said}");
    assert!(said.contains("(did you mean `com.amazonaws.auth.DefaultAWSCredentialsProviderChain`?)"), "{said}");
    assert!(
        said.contains(
            "warning: sink.properties:13: unknown key s3.credentials.provider.sts.role.arm, it changes nothing \
             (did you mean `s3.credentials.provider.sts.role.arn`?)"
        ),
        "{said}"
    );
}
