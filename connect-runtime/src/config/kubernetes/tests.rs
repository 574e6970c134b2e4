use super::*;

const S3: &str = "\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: s3-sink
  labels:
    strimzi.io/cluster: my-connect
spec:
  class: io.confluent.connect.s3.S3SinkConnector
  tasksMax: 2
  autoRestart:
    enabled: true
  config:
    topics: orders
    flush.size: 1000
    store.kafka.keys: true
    topics.regex: \"a\\\\.b\"
    s3.region: >-
      eu-west-1
";

fn read(text: &str) -> ConnectorFile {
    parse(text, "s3.yaml").unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str) -> String {
    parse(text, "s3.yaml").unwrap_err().to_string()
}

#[test]
fn a_kafka_connector_is_a_connector_s_keys_with_their_lines() {
    let read = read(S3);
    let [config] = &read.connectors[..] else { panic!("{read:?}") };
    let expected = [
        ("connector.class", "io.confluent.connect.s3.S3SinkConnector", 8),
        ("flush.size", "1000", 14),
        ("name", "s3-sink", 4),
        ("s3.region", "eu-west-1", 17),
        ("store.kafka.keys", "true", 15),
        ("tasks.max", "2", 9),
        ("topics", "orders", 13),
        ("topics.regex", "a\\.b", 16),
    ];
    let found: Vec<_> =
        config.iter().map(|(key, entry)| (key, entry.value.as_str(), entry.origin.as_ref().unwrap().line)).collect();
    assert_eq!(found, expected);
    assert!(read.warnings.is_empty(), "{}", read.warnings);
}

#[test]
fn several_documents_are_several_connectors_and_other_kinds_are_named_and_left_out() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: keys\n";
    let text = format!("{secret}---\n{S3}---\n{}---\n# nothing\n", S3.replace("s3-sink", "other"));
    let read = read(&text);
    let names: Vec<_> = read.connectors.iter().map(|config| config.text("name")).collect();
    assert_eq!(names, [Some("s3-sink"), Some("other")]);
    let warning = "s3.yaml:1: Secret keys is left out: of the resources of Kubernetes only Strimzi's KafkaConnector is read";
    assert_eq!(read.warnings.to_string(), warning);
}

#[test]
fn a_list_of_kubectl_is_its_items() {
    let items = S3.lines().map(|line| format!("  {line}\n")).collect::<String>().replacen("  apiVersion", "- apiVersion", 1);
    assert_eq!(read(&format!("apiVersion: v1\nkind: List\nitems:\n{items}")).connectors[0].text("name"), Some("s3-sink"));
}

#[test]
fn a_file_of_other_kinds_says_which_and_what_is_looked_for() {
    let connect =
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnect\nmetadata:\n  name: c\nspec:\n  config:\n    group.id: g\n";
    let said = refused(connect);
    assert!(said.starts_with("s3.yaml:1: no connector is in this file, only KafkaConnect c: connectors are read from"), "{said}");
    assert!(said.contains("are a worker's"), "{said}");
    let confluent = refused("apiVersion: platform.confluent.io/v1beta1\nkind: Connector\nmetadata: {name: c}\nspec: {class: X}\n");
    assert!(confluent.contains("only Connector c") && confluent.contains("spec.configs"), "{confluent}");
}

#[test]
fn what_strimzi_ignores_in_the_config_is_warned_of_and_the_spec_counts() {
    let read = read(&S3.replace("    topics: orders\n", "    topics: orders\n    tasks.max: 7\n    connector.class: X\n"));
    assert_eq!(read.connectors[0].text("tasks.max"), Some("2"));
    let warnings = read.warnings.to_string();
    assert!(
        warnings.contains("s3.yaml:14: tasks.max changes nothing in spec.config: spec.tasksMax counts, which is 2"),
        "{warnings}"
    );
    assert_eq!(read.warnings.len(), 2);
}

#[test]
fn a_field_that_the_spec_does_not_have_is_named() {
    let warnings = read(&S3.replace("  tasksMax: 2\n", "  taskMax: 2\n  flush.size: 3\n")).warnings.to_string();
    assert!(warnings.contains("s3.yaml:9: unknown field spec.taskMax, it changes nothing: spec has class, tasksMax"), "{warnings}");
    assert!(warnings.contains("s3.yaml:10: unknown field spec.flush.size, it changes nothing: "), "{warnings}");
}

#[test]
fn a_connector_that_shall_not_run_is_refused() {
    let with = |field: &str| S3.replace("  tasksMax: 2\n", &format!("  {field}\n"));
    assert_eq!(read(&with("state: running")).connectors.len(), 1);
    assert_eq!(read(&with("pause: false")).connectors.len(), 1);
    for (field, said) in [
        ("state: paused", "spec.state is paused"),
        ("state: stopped", "spec.state is stopped"),
        ("pause: true", "spec.pause is true"),
    ] {
        let refused = refused(&with(field));
        assert!(refused.starts_with(&format!("s3.yaml:9: {said}, and connectors here can only begin RUNNING")), "{refused}");
    }
}

#[test]
fn every_mistake_of_a_resource_is_named_with_its_line() {
    let text = S3
        .replace("  name: s3-sink\n", "  namespace: kafka\n")
        .replace("flush.size: 1000", "flush.size: [1, 2]")
        .replace("topics: orders", "topics:");
    let said = refused(&text);
    let said: Vec<_> = said.lines().collect();
    assert_eq!(said.len(), 3, "{said:#?}");
    assert_eq!(said[0], "s3.yaml:13: topics: Null value can not be supplied as the configuration value.");
    assert!(said[1].starts_with("s3.yaml:14: flush.size: a list is written as one text with commas"), "{said:#?}");
    assert_eq!(said[2], "s3.yaml:1: metadata.name is missing: it is the connector's name");
    assert!(refused("apiVersion: kafka.strimzi.io/v1\nkind: KafkaConnector\nmetadata: {name: a}\n").contains("has a spec"));
    let named = refused(&S3.replace("    topics: orders\n", "    name: other\n"));
    assert_eq!(named, "s3.yaml:4: metadata.name is s3-sink beside the config and other inside it");
}

#[test]
fn keys_without_a_resource_are_read_as_they_are() {
    let read = read("name: flat\nconnector.class: S3Sink\n\"topics\": a\nflush.size: 5\n");
    assert_eq!((read.connectors[0].text("name"), read.connectors[0].text("flush.size")), (Some("flat"), Some("5")));
}

#[test]
fn a_part_of_a_resource_and_other_yaml_are_refused_with_what_is_read() {
    for text in [
        "connectors:\n  - name: a\n    config:\n      topics: a\n",
        "config:\n  topics: a\n",
        "name: s3\nconfig:\n  topics: a\n",
        "spec:\n  config:\n    topics: a\n",
    ] {
        let said = refused(text);
        assert!(said.contains("this is a part of something larger") && said.contains("into a .properties file"), "{said}");
    }
    assert!(refused("name=a\ntopics=b\n").contains("this is no YAML, though it is called so"));
    let said = refused("- a\n- b\n");
    assert!(said.starts_with("s3.yaml:1: no connector is in this YAML; connector files are Java properties"), "{said}");
}

#[test]
fn a_template_is_recognised_where_it_is_no_yaml_yet() {
    let said = refused(&S3.replace("name: s3-sink", "name: {{ .Release.Name }}-s3"));
    assert!(said.starts_with("s3.yaml:4: this is a template of Helm"), "{said}");
    let broken = refused("a: 1\n  b: 2\n");
    assert!(broken.starts_with("s3.yaml:2: this is not YAML: "), "{broken}");
}

#[test]
fn what_is_written_as_in_other_files_says_how_it_is_written_here() {
    let nested = refused("connector.class: S3Sink\ntopics: a\nvalue.converter:\n  schemas.enable: false\n");
    assert!(
        nested.contains(":3: value.converter: a setting is a text") && nested.contains("its whole key on each line"),
        "{nested}"
    );
    let braces = refused("connector.class: S3Sink\npartition.template: {time:yyyy}\n");
    assert!(
        braces.contains(":2: partition.template: a value that begins with { is an object in YAML")
            && braces.contains("the whole value into \"…\""),
        "{braces}"
    );
    let bare = refused("kind: KafkaConnector\nmetadata:\n  name: a\nspec:\n  config: {}\n");
    assert!(bare.contains(":1: apiVersion is missing"), "{bare}");
    let helm = refused("{{- if .Values.on }}\nkind: KafkaConnector\n{{- end }}\n");
    assert!(helm.contains(":1: this is a template of Helm"), "{helm}");
    let value = refused(&S3.replace("topics: orders", "topics: {{ .Values.topics }}"));
    assert!(value.contains(":13: this is a template of Helm"), "{value}");
}

#[test]
fn a_list_that_holds_itself_by_an_alias_is_refused_and_ends_nothing() {
    let itself = refused("--- &a\napiVersion: v1\nkind: List\nitems:\n- *a\n");
    assert!(itself.contains("no connector is in this file, only List"), "{itself}");
}

#[test]
fn a_secret_that_looks_like_an_odd_number_is_not_shown() {
    for value in ["0123456", "12e4567", "1_000"] {
        let odd = refused(&S3.replace("topics: orders", &format!("s3.proxy.password: {value}")));
        assert!(odd.contains("s3.proxy.password: YAML takes this for a number") && !odd.contains(value), "{odd}");
    }
}

#[test]
fn an_environment_alone_is_recognised_as_a_list_too() {
    for text in ["environment:\n  - CONNECT_GROUP_ID=a\n", "environment:\n  - TOPICS=orders\n", "environment:\n  TOPICS: orders\n"]
    {
        let refused = parse(text, "x.yaml").unwrap_err().to_string();
        assert!(refused.contains("this is the environment of a container"), "{text}: {refused}");
    }
}
