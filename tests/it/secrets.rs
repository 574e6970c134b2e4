//! Secrets appear in no output.

use std::time::Duration;

use crate::cluster::wait_until;
use crate::process::{Connect, connect, free_address, scratch};

const SECRETS: [&str; 4] =
    ["wJalrXUtnFEMI-planted-1", "planted-sasl-password-2", "planted-override-password-3", "planted-key-password-4"];

fn connector(more: &str) -> String {
    format!(
        "name=secretive\nconnector.class=io.confluent.connect.s3.S3SinkConnector\ntopics=t\nflush.size=1\n\
         format.class=io.confluent.connect.s3.format.json.JsonFormat\n\
         storage.class=io.confluent.connect.s3.storage.S3Storage\ns3.bucket.name=b\ns3.region=us-east-1\n\
         store.url=http://{}\nvalue.converter.schemas.enable=false\naws.access.key.id=AKIAPLANTED\n\
         aws.secret.access.key={}\n\
         consumer.override.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username\\=\"u\" password\\=\"{}\";\n{more}",
        free_address(),
        SECRETS[0],
        SECRETS[2],
    )
}

fn worker() -> String {
    format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\nconnector.client.config.override.policy=All\n\
         consumer.security.protocol=SASL_PLAINTEXT\nconsumer.sasl.mechanism=PLAIN\n\
         consumer.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"{}\";\n\
         consumer.ssl.key.password={}\n",
        free_address(),
        SECRETS[1],
        SECRETS[3],
    )
}

fn assert_silent(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what} shows a secret ({secret}):\n{text}");
    }
}

#[test]
fn no_secret_appears_in_logs_errors_metrics_and_references() {
    let directory = scratch("secrets");
    // Everything is said, librdkafka's own words included.
    let mut process = Connect::start_saying(&directory, &worker(), &connector(""), "debug");
    wait_until("it says something", Duration::from_secs(20), || !process.log().is_empty());
    std::thread::sleep(Duration::from_secs(3));
    for path in ["/metrics", "/readyz", "/livez", "/", "/connectors", "/connectors/secretive", "/connectors/secretive/config"] {
        if let Some((_, body)) = process.get(path) {
            assert_silent(path, &body);
        }
    }
    process.stop(Duration::from_secs(20));
    assert!(!process.log().is_empty());
    assert_silent("the log", &process.log());
}

#[test]
fn no_secret_appears_in_what_is_said_about_a_wrong_file() {
    let directory = scratch("secrets-wrong");
    let (worker_file, connector_file) = (directory.join("worker.properties"), directory.join("connector.properties"));
    std::fs::write(&worker_file, worker()).unwrap();
    let wrong = format!("flush.size=abc\naws.secret.access.kye={}\nssl.key.pasword={}\n", SECRETS[0], SECRETS[3]);
    std::fs::write(&connector_file, connector(&wrong)).unwrap();
    for command in ["run", "validate"] {
        let output = connect(&[command, worker_file.to_str().unwrap(), connector_file.to_str().unwrap()]);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success());
        assert!(text.contains("flush.size"), "{text}");
        assert_silent(command, &text);
    }
}
