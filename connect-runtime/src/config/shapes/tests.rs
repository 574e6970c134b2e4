use super::*;

fn said(text: &str) -> Option<(u32, String)> {
    foreign(text).map(|shape| (shape.line, shape.message))
}

#[test]
fn every_shape_is_recognised_with_its_line() {
    let shapes = [
        ("resource \"aws_mskconnect_connector\" \"s3\" {\n  connector_configuration = {\n", 1, TERRAFORM),
        ("# of the module\nconnector_configuration = {\n  \"topics\" = \"a\"\n}\n", 2, TERRAFORM),
        ("\"connector.class\" = \"X\"\n\"topics\"          = \"a\"\n", 1, TERRAFORM),
        ("config_nonsensitive = {\n", 1, TERRAFORM),
        ("Resources:\n  S3:\n    Type: AWS::KafkaConnect::Connector\n", 3, CLOUD_FORMATION),
        ("ConnectorConfiguration:\n  topics: a\n", 1, CLOUD_FORMATION),
        ("{\"Resources\": {\"S3\":\n {\"Type\": \"AWS::KafkaConnect::Connector\"}}}", 2, CLOUD_FORMATION),
        ("#!/bin/bash\nset -e\n", 1, SCRIPT),
        ("# create it\ncurl -X POST localhost:8083/connectors -d '{\n  \"name\": \"s3\"\n}'\n", 2, SCRIPT),
        ("cat > s3.json <<EOF\n{}\nEOF\n", 1, SCRIPT),
        ("version: '3'\nservices:\n  connect:\n    environment:\n      CONNECT_GROUP_ID: a\n", 5, CONTAINER),
        ("environment:\n  - CONNECT_GROUP_ID=a\n", 2, CONTAINER),
        ("export CONNECT_GROUP_ID=a\n", 1, CONTAINER),
        ("services:\n  minio:\n    image: minio\n", 1, COMPOSE),
        ("metadata:\n  name: {{ .Release.Name }}\n", 2, HELM),
        ("CREATE SINK CONNECTOR s3 WITH (\n  'connector.class' = 'X',\n", 2, QUOTED),
        ("x = {\n};\nmap(\n  'topics': 'a',\n", 1, TERRAFORM),
        ("new Connector({\n  'connector.class': 'X',\n", 2, QUOTED),
        ("[connector]\nname = \"s3\"\n", 1, SECTION),
        ("# INI\n[connector]\ntopics = a\n", 2, SECTION),
        ("{\"ConnectorName\": \"a\", \"ConnectorConfiguration\": {}}", 1, CLOUD_FORMATION),
        ("{{- if .Values.on }}\nkind: KafkaConnector\n", 1, HELM),
        ("topics=a\n<<<<<<< HEAD\nflush.size=1\n=======\nflush.size=2\n>>>>>>> main\n", 2, CONFLICT),
        ("\"connector.class\": \"X\",\n\"topics\": \"a\"\n", 1, JSON_LINES),
    ];
    for (text, line, message) in shapes {
        assert_eq!(said(text), Some((line, message.to_owned())), "{text}");
    }
}

#[test]
fn java_properties_are_none_of_them() {
    for text in [
        "connector.class=S3Sink\ntopics=a\n",
        "connector.class: S3Sink\ntopics: a\n",
        "# curl -X POST localhost:8083/connectors\n! \"a\" = b\ntopics a\n",
        "consumer.sasl.jaas.config=x required \\\n  \"username\"=\"a\" \\\n  password=\"b\";\n",
        "topics.regex=a{2}\npath.format='year'=YYYY\ntopics.dir={{dir}}\n",
        "connect.meta.data=false\nname=CONNECT_S3\n",
        "transforms=a\ntransforms.a.type=X\n",
        "topics.regex=\\\n[abc]\n\"=1\n'=2\npath.format='year'=YYYY\n",
    ] {
        assert_eq!(said(text), None, "{text}");
        assert!(!is_yaml(text), "{text}");
    }
}

#[test]
fn yaml_is_known_by_its_structure_and_not_by_colons() {
    for text in [
        "---\ntopics: a\n",
        "# Strimzi\napiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnector\n",
        "config:\n  topics: a\n",
        "config: # of the resource\n\n  # keys\n  topics: a\n",
        "services:\n  connect:\n    image: x\n",
        "environment:\n- CONNECT_A=b\n",
    ] {
        assert!(is_yaml(text), "{text}");
    }
    for text in ["topics: a\nflush.size: 1\n", "topics:\n  flush.size: 1\n", "topics.dir:\n  flush.size: 1\n", "a: b\n---\nc: d\n"]
    {
        assert!(!is_yaml(text), "{text}");
    }
}
