//! The shapes in which people keep connectors: run as they are, or refused by what they are.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bucket::{Bucket, Server};
use crate::cluster::{Cluster, Record, wait_until};
use crate::files::worker;
use crate::process::{Connect, connect, scratch};

/// As `kubectl get kafkaconnectors -o yaml` and the documentation of Strimzi have it, with the cluster's other resources.
const STRIMZI: &str = r#"apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnect
metadata:
  name: connect
spec:
  bootstrapServers: kafka:9092
  config:
    group.id: connect
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: NAME
  labels:
    strimzi.io/cluster: connect
spec:
  class: io.confluent.connect.s3.S3SinkConnector
  tasksMax: 1
  config:
    topics: "TOPIC"
    flush.size: 2
    format.class: io.confluent.connect.s3.format.json.JsonFormat
    storage.class: io.confluent.connect.s3.storage.S3Storage
    s3.region: us-east-1
    s3.bucket.name: BUCKET
    store.url: "STORE"
"#;

/// As AWS documents it for `aws kafkaconnect create-connector --cli-input-json`.
const MSK_CONNECT: &str = r#"{
  "capacity": {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
  "connectorConfiguration": {
    "connector.class": "io.confluent.connect.s3.S3SinkConnector",
    "tasks.max": "1",
    "topics": "TOPIC",
    "flush.size": "2",
    "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
    "storage.class": "io.confluent.connect.s3.storage.S3Storage",
    "s3.region": "us-east-1",
    "s3.bucket.name": "BUCKET",
    "store.url": "STORE"
  },
  "connectorName": "NAME",
  "kafkaConnectVersion": "2.7.1",
  "plugins": [{"customPlugin": {"customPluginArn": "arn:aws:kafkaconnect:us-east-1:111122223333:custom-plugin/s3/a", "revision": 1}}],
  "serviceExecutionRoleArn": "arn:aws:iam::111122223333:role/service"
}"#;

#[test]
fn a_strimzi_resource_and_the_input_of_create_connector_land_their_records() {
    let Some(bucket) = Bucket::create(Server::Versitygw, "shapes of files") else { return };
    let Some(cluster) = Cluster::from_environment("shapes of files") else { return };
    let id = std::process::id();
    let files = [("strimzi", "yaml", STRIMZI), ("create-connector", "json", MSK_CONNECT)].map(|(shape, extension, text)| {
        let name = format!("shape-{shape}-{id}");
        cluster.create_topic(&name, 1, &[]);
        let record = |n| Record { topic: name.clone(), value: Some(format!(r#"{{"n":{n}}}"#).into_bytes()), ..Record::default() };
        cluster.produce(&(0..4).map(record).collect::<Vec<_>>());
        let text =
            text.replace("NAME", &name).replace("TOPIC", &name).replace("BUCKET", bucket.name()).replace("STORE", bucket.url());
        (name, extension, text)
    });
    let named: Vec<_> = files.iter().map(|(name, extension, text)| (format!("{name}.{extension}"), text.as_str())).collect();
    let mut process = Connect::start_named(&scratch("shapes"), &worker(&cluster), &named, "info");
    let key = |name: &str, offset| format!("topics/{name}/partition=0/{name}+0+{offset:010}.json");
    let expected: BTreeSet<_> = files.iter().flat_map(|(name, ..)| [key(name, 0), key(name, 2)]).collect();
    for (name, ..) in &files {
        let partition = (name.clone(), 0);
        let committed =
            || cluster.committed(&format!("connect-{name}"), std::slice::from_ref(&partition)).get(&partition) == Some(&4);
        wait_until("the offset of the log's end is committed", Duration::from_secs(60), committed);
    }
    assert_eq!(bucket.keys().into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(bucket.get(&key(&files[0].0, 2)).body, b"{\"n\":2}\n{\"n\":3}\n");
    assert!(process.log().contains("KafkaConnect connect is left out"), "{}", process.log());
    assert!(process.stop(Duration::from_secs(10)).success(), "{}", process.log());
}

#[test]
fn what_is_recognised_and_not_read_is_refused_with_file_line_and_the_way_to_convert_it() {
    let directory = scratch("shapes-refused");
    let shapes = [
        (
            "main.tf",
            "resource \"aws_mskconnect_connector\" \"s3\" {\n  name = \"s3\"\n  connector_configuration = {\n    \"topics\" = \"a\"\n  }\n}\n",
            1,
            "HCL (Terraform)",
        ),
        ("map.properties", "\"connector.class\" = \"X\"\n\"topics\" = \"a\"\n", 1, "HCL (Terraform)"),
        (
            "stack.yaml",
            "Resources:\n  S3:\n    Type: AWS::KafkaConnect::Connector\n    Properties:\n      Capacity: !Ref C\n",
            3,
            "CloudFormation",
        ),
        ("stack.json", "{\"Resources\": {\"S3\": {\n\"Type\": \"AWS::KafkaConnect::Connector\"}}}", 2, "CloudFormation"),
        ("part.yaml", "config:\n  connector.class: X\n  topics: a\n", 1, "KafkaConnector resource"),
        ("part.properties", "config:\n  connector.class: X\n  topics: a\n", 1, "KafkaConnector resource"),
        (
            "docker-compose.yml",
            "services:\n  connect:\n    image: confluentinc/cp-kafka-connect\n    environment:\n      CONNECT_GROUP_ID: a\n",
            5,
            "environment of a container",
        ),
        ("create.sh", "#!/bin/sh\ncurl -X POST http://localhost:8083/connectors -d '{\"name\": \"a\"}'\n", 1, "shell script"),
        ("expanded.json", "{\"s3\": {\"info\": {\"name\": \"s3\", \"config\": {}}}}", 1, "GET /connectors?expand=info"),
        (
            "connect.yaml",
            "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnect\nmetadata:\n  name: c\n",
            1,
            "only KafkaConnect c",
        ),
    ];
    for (name, text, line, said) in shapes {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        for arguments in [vec!["validate", path], vec!["validate", "--bootstrap-servers", "127.0.0.1:9092", path]] {
            let output = connect(&arguments);
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(!output.status.success(), "{name}: {text}");
            assert!(text.starts_with(&format!("error: {path}:{line}: ")) && text.contains(said), "{name}: {text}");
            assert!(text.ends_with("1 error, 0 warnings\n"), "{name}: {text}");
        }
    }
}
