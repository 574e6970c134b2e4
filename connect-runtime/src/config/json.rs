//! Connector files in JSON: a flat object, or what Kafka Connect's REST API or MSK Connect's command line take to create a connector.

use std::{collections::HashMap, sync::Arc};

use connect_api::config::{Config, Origin, Problem, Problems};
use serde_json::{Map, Value};

use super::{
    connector_keys,
    file::{ConnectorFile, set_twice},
    kubernetes, shapes,
};

/// What settings may be wrapped in: the object that holds them, and the name beside it.
const WRAPPERS: [(&str, &str); 2] = [("config", "name"), ("connectorConfiguration", "connectorName")];

/// Reads `{"name": …, "connector.class": …}`, `{"name": …, "config": {…}}`, or the input of `aws kafkaconnect create-connector`,
/// `{"connectorName": …, "connectorConfiguration": {…}}`, whose other members say where MSK Connect runs it. A resource of Kubernetes is as in
/// YAML.
///
/// # Errors
/// What is not JSON, and every value that can be no setting.
pub(super) fn parse(text: &str, file: &str) -> Result<ConnectorFile, Problems> {
    let name: Arc<str> = file.into();
    let at = |line: u32| Some(Origin { file: name.clone(), line });
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(Value::Array(list)) if list.first().is_some_and(|item| item.get("definition").is_some()) => {
            return Err(Problem::general(VERDICT).at(at(1)).into());
        }
        Ok(Value::Array(_)) => return Err(Problem::general(LIST).at(at(1)).into()),
        Ok(_) => return Err(Problem::general("a connector file in JSON holds an object of settings").at(at(1)).into()),
        Err(error) => {
            let line = error.line().try_into().unwrap_or(u32::MAX);
            let shape = shapes::foreign(text).map(|shape| shape.problem(&name));
            return Err(shape.unwrap_or_else(|| Problem::general(format!("this is not JSON: {error}")).at(at(line))).into());
        }
    };
    if object.contains_key("apiVersion") && object.contains_key("kind") {
        return kubernetes::parse(text, file);
    }
    if let Some(shape) = shapes::cloud_formation(text) {
        return Err(shape.problem(&name).into());
    }
    if let Some(connector) = object.iter().find_map(|(connector, value)| value.get("info")?.get("config").map(|_| connector)) {
        let message = format!(
            "this is the answer to GET /connectors?expand=info, which is not read: take each connector out of it, `jq '.[\"{connector}\"].info' \
             {file} > {connector}.json`"
        );
        return Err(Problem::general(message).at(at(1)).into());
    }
    for (member, message) in
        [("connector", STATUS), ("error_count", VERDICT), ("configs", VERDICT), ("connectors", SEVERAL), ("Config", CAPITALS)]
    {
        let is_known = |value: &Value| match member {
            "configs" => value.get(0).is_some_and(|config| config.get("definition").is_some() || config.get("value").is_some()),
            "connectors" => value.get(0).is_some_and(Value::is_object),
            "Config" => value.is_object() && !object.contains_key("config"),
            _ => value.get("state").is_some() || value.is_number(),
        };
        if object.get(member).is_some_and(is_known) {
            return Err(Problem::general(message).at(at(1)).into());
        }
    }
    let nested = WRAPPERS.iter().find_map(|(outer, name)| Some((*outer, object.get(*outer)?.as_object()?, *name)));
    let lines = key_lines(text, nested.map(|(outer, ..)| outer));
    let line_of: HashMap<_, _> = lines.iter().map(|(key, line)| (key.as_str(), *line)).collect();
    let origin = |key: &str| at(line_of.get(key).copied().unwrap_or(0));
    let (mut config, mut problems) = settings(nested.map_or(&object, |(_, settings, _)| settings), &origin);
    if let Some((_, _, name)) = nested {
        let found = [beside(&object, name, &mut config, &at(0)), initial_state(&object, &at(0))];
        found.into_iter().flatten().for_each(|problem| problems.push(problem));
    }
    problems.into_result()?;
    let mut read = ConnectorFile { connectors: vec![config], warnings: Problems::default() };
    let mut seen = HashMap::new();
    for (key, line) in &lines {
        if let Some(before) = seen.insert(key, *line) {
            read.warnings.push(set_twice(key, before, Origin { file: name.clone(), line: *line }));
        }
    }
    if let Some((outer, ..)) = nested {
        let lines: HashMap<_, _> = key_lines(text, None).into_iter().collect();
        let misplaced = object.iter().filter(|(key, value)| *key != outer && is_setting(key, value)).map(|(key, _)| key);
        for key in misplaced {
            let message = format!("{key} changes nothing beside {outer}: move it inside");
            read.warnings.push(Problem::of_key(key, message).at(at(lines.get(key).copied().unwrap_or(0))));
        }
    }
    Ok(read)
}

/// Whether a member looks like a setting, which would have to stand among the others. `name` has its place there, too.
fn is_setting(key: &str, value: &Value) -> bool {
    let is_known = key != "name" && (key.contains('.') || connector_keys::definition().knows(key));
    is_known && (value.is_string() || value.is_number() || value.is_boolean())
}

const SEVERAL: &str = "this is a list of connectors below one name, and a connector file in JSON holds one connector: write each into a file of \
                       its own, `jq '.connectors[0]' FILE > connector.json`";
const CAPITALS: &str = "members are called name and config, in lower case";

const LIST: &str = "this is a list, and a connector file in JSON holds one connector: write each into a file of its own, `jq '.[0]' FILE > \
                    connector.json`; of a list of names, ask for each, GET /connectors/NAME";

const STATUS: &str =
    "this is the answer to GET /connectors/NAME/status, which has no keys of the connector: GET /connectors/NAME has them";
const VERDICT: &str =
    "this is the answer to PUT /connector-plugins/NAME/config/validate, which is not read: the keys are in what was sent";

fn settings(object: &Map<String, Value>, origin: &dyn Fn(&str) -> Option<Origin>) -> (Config, Problems) {
    let (mut config, mut problems) = (Config::default(), Problems::default());
    for (key, value) in object {
        let refused = match value {
            Value::String(text) => {
                config.insert(key, text, origin(key));
                continue;
            }
            Value::Number(_) | Value::Bool(_) => {
                config.insert(key, value.to_string(), origin(key));
                continue;
            }
            Value::Null => format!("{key}: Null value can not be supplied as the configuration value."),
            Value::Array(_) => format!("{key}: a list is written as one text with commas, \"a,b\""),
            Value::Object(_) => format!("{key}: a setting is a text, not an object"),
        };
        problems.push(Problem::of_key(key, refused).at(origin(key)));
    }
    (config, problems)
}

/// The member beside `config` that names the connector.
fn beside(object: &Map<String, Value>, key: &str, config: &mut Config, origin: &Option<Origin>) -> Option<Problem> {
    let name = match object.get(key)? {
        Value::String(name) => name,
        name @ (Value::Number(_) | Value::Bool(_)) => &name.to_string(),
        _ => return Some(Problem::of_key(key, format!("{key}: a connector's name is a text")).at(origin.clone())),
    };
    outer_name(key, name, config, origin)
}

/// The name beside `config` is the connector's; one inside must be the same.
pub(super) fn outer_name(key: &str, name: &str, config: &mut Config, origin: &Option<Origin>) -> Option<Problem> {
    match config.text("name") {
        Some(inner) if inner != name => {
            let message = format!("{key} is {name} beside the config and {inner} inside it");
            Some(Problem::of_key(key, message).at(origin.clone()))
        }
        _ => {
            config.insert("name", name, origin.clone());
            None
        }
    }
}

/// What is said of a connector that shall not run yet.
pub(super) const NOT_RUNNING: &str = "connectors here can only begin RUNNING: leave the file out until then";

/// `initial_state` of KIP-980, which the REST API takes beside `config`: only running is built.
fn initial_state(object: &Map<String, Value>, origin: &Option<Origin>) -> Option<Problem> {
    let state = object.get("initial_state").filter(|state| !state.is_null())?;
    let runs = state.as_str().is_some_and(|state| state.eq_ignore_ascii_case("RUNNING"));
    let message = format!("initial_state is {state}, and {NOT_RUNNING}");
    (!runs).then(|| Problem::of_key("initial_state", message).at(origin.clone()))
}

/// The keys of a text that is known to be JSON, with their lines: those of the outermost object, or of the one in this member.
fn key_lines(text: &str, member: Option<&str>) -> Vec<(String, u32)> {
    let mut lines = Vec::new();
    let (mut line, mut level, mut inside) = (1, 0_usize, member.is_none());
    let depth = if member.is_some() { 2 } else { 1 };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '\n' => line += 1,
            '{' | '[' => level += 1,
            '}' | ']' => level = level.saturating_sub(1),
            '"' => {
                let length = string_length(rest);
                let (string, after) = rest.split_at(length);
                // A text in quotes, so it is read.
                if let (true, Ok(key)) = (after.trim_start().starts_with(':'), serde_json::from_str::<String>(string)) {
                    if level == 1 && depth == 2 {
                        inside = member == Some(key.as_str());
                    } else if level == depth && inside {
                        lines.push((key, line));
                    }
                }
                rest = after;
                continue;
            }
            _ => {}
        }
        rest = &rest[c.len_utf8()..];
    }
    lines
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return index + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{parse as parse_file, *};

    fn parse(text: &str, file: &str) -> Result<Config, Problems> {
        parse_file(text, file).map(|mut read| read.connectors.remove(0))
    }

    #[test]
    fn both_forms_are_read_with_their_lines() {
        let flat = parse("{\n \"name\": \"s3\",\n \"tasks.max\": 3,\n \"x\": true\n}", "x.json").unwrap();
        assert_eq!((flat.text("name"), flat.text("tasks.max"), flat.text("x")), (Some("s3"), Some("3"), Some("true")));
        assert_eq!(flat.entry("tasks.max").unwrap().origin.as_ref().unwrap().to_string(), "x.json:3");
        let nested =
            parse("{\"name\": \"s3\",\n\"config\": {\n\"topics.regex\": \"a\\\\.b\\\"{\",\n\"t\": \"1\"}, \"x\": 1}", "x.json")
                .unwrap();
        assert_eq!((nested.text("name"), nested.text("topics.regex"), nested.text("x")), (Some("s3"), Some("a\\.b\"{"), None));
        assert_eq!(nested.entry("t").unwrap().origin.as_ref().unwrap().line, 4);
    }

    #[test]
    fn the_input_of_msk_connects_command_line_is_read() {
        let text = r#"{"connectorName": "land",
            "capacity": {"autoScaling": {"maxWorkerCount": 2}},
            "connectorConfiguration": {
                "topics": "a"},
            "plugins": [{"customPlugin": {"revision": 1}}]}"#;
        let config = parse(text, "x.json").unwrap();
        assert_eq!((config.text("name"), config.text("topics"), config.text("capacity")), (Some("land"), Some("a"), None));
        assert_eq!(config.entry("topics").unwrap().origin.as_ref().unwrap().line, 4);
    }

    #[test]
    fn every_value_that_is_no_setting_is_named() {
        let problems = parse("{\"a\": null,\n\"b\": [1],\n\"c\": {}}", "x.json").unwrap_err();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0], "x.json:1: a: Null value can not be supplied as the configuration value.");
        assert!(problems[1].starts_with("x.json:2: b: "), "{problems:?}");
    }

    #[test]
    fn names_that_differ_are_refused() {
        let problems = parse("{\"name\": \"a\", \"config\": {\"name\": \"b\"}}", "x.json").unwrap_err();
        assert_eq!(problems.to_string(), "x.json: name is a beside the config and b inside it");
    }

    #[test]
    fn a_name_beside_the_config_may_be_a_number_as_every_setting() {
        assert_eq!(parse("{\"name\": 5, \"config\": {}}", "x.json").unwrap().text("name"), Some("5"));
        let problems = parse("{\"name\": null, \"config\": {}}", "x.json").unwrap_err();
        assert_eq!(problems.to_string(), "x.json: name: a connector's name is a text");
    }

    #[test]
    fn a_connector_that_shall_not_run_is_refused() {
        let with = |state: &str| parse(&format!("{{\"name\": \"a\", \"initial_state\": {state}, \"config\": {{}}}}"), "x.json");
        assert!(with("\"running\"").is_ok());
        let problems = with("\"STOPPED\"").unwrap_err().to_string();
        assert!(problems.starts_with("x.json: initial_state is \"STOPPED\""), "{problems}");
    }

    #[test]
    fn broken_json_names_the_line() {
        let problems = parse("{\n\"a\": 1,,\n}", "x.json").unwrap_err().to_string();
        assert!(problems.starts_with("x.json:2: this is not JSON: "), "{problems}");
    }

    #[test]
    fn a_key_that_is_there_twice_counts_where_it_is_last_and_both_lines_are_named() {
        let text = "{\"name\": \"x\",\n\"config\": {\n\"topics\": \"a\",\n\"x\": {\"topics\": 1},\n\"topics\": \"b\"},\n\"more\": {\"topics\": \"c\"}}";
        let read = parse_file(&text.replace("{\"topics\": 1}", "\"1\""), "x.json").unwrap();
        assert_eq!(read.connectors[0].text("topics"), Some("b"));
        assert_eq!(read.warnings.to_string(), "x.json:5: topics is set on line 3 as well: what is set last counts");
    }

    #[test]
    fn answers_of_the_rest_api_and_templates_are_recognised_with_the_way_to_convert_them() {
        let said = |text: &str| parse(text, "x.json").unwrap_err().to_string();
        let expanded = said(r#"{"s3": {"info": {"name": "s3", "config": {"topics": "a"}, "tasks": [], "type": "sink"}}}"#);
        assert!(expanded.starts_with("x.json:1: this is the answer to GET /connectors?expand=info"), "{expanded}");
        assert!(expanded.contains(r#"jq '.["s3"].info' x.json > s3.json"#), "{expanded}");
        assert!(said(r#"[{"name": "s3", "config": {}}]"#).contains("write each into a file of its own"));
        assert!(
            said(r#"{"name": "s3", "connector": {"state": "RUNNING"}, "tasks": []}"#).contains("GET /connectors/NAME has them")
        );
        assert!(
            said(r#"{"name": "X", "error_count": 1, "groups": ["a"], "configs": []}"#).contains("the keys are in what was sent")
        );
        let template = said("{\"Resources\": {\"S3\": {\n\"Type\": \"AWS::KafkaConnect::Connector\",\n\"Properties\": {}}}}");
        assert!(template.starts_with("x.json:2: this is a CloudFormation template"), "{template}");
        let lines = said("\"name\": \"s3\",\n\"topics\": \"a\"\n");
        assert!(lines.starts_with("x.json:1: these are lines of JSON without their braces"), "{lines}");
        let answer =
            parse(r#"{"name": "s3", "config": {"topics": "a"}, "tasks": [{"task": 0}], "type": "sink"}"#, "x.json").unwrap();
        assert_eq!((answer.text("name"), answer.text("topics"), answer.text("type")), (Some("s3"), Some("a"), None));
    }

    #[test]
    fn settings_beside_the_config_are_named_and_members_of_requests_are_not() {
        let text = "{\"name\": \"s3\", \"initial_state\": \"RUNNING\", \"tasks\": [], \"type\": \"sink\",\n\"flush.size\": 1,\n\"topics\": \"a\",\n\"config\": {\"tasks.max\": 1}}";
        let read = parse_file(text, "x.json").unwrap();
        assert_eq!(
            read.warnings.to_string(),
            "x.json:2: flush.size changes nothing beside config: move it inside\nx.json:3: topics changes nothing beside config: move it inside"
        );
        let msk = r#"{"connectorName": "s3", "connectorConfiguration": {"topics": "a"}, "kafkaConnectVersion": "2.7.1", "capacity": {}, "tasks.max": 2}"#;
        let said = parse_file(msk, "x.json").unwrap().warnings.to_string();
        assert_eq!(said, "x.json:1: tasks.max changes nothing beside connectorConfiguration: move it inside");
    }

    #[test]
    fn lists_and_names_in_capitals_are_recognised() {
        let said = |text: &str| parse(text, "x.json").unwrap_err().to_string();
        assert!(said(r#"{"connectors": [{"name": "s3", "config": {}}]}"#).contains("jq '.connectors[0]'"));
        assert!(said(r#"{"configs": [{"definition": {"name": "topics"}, "value": {"value": "a"}}]}"#).contains("config/validate"));
        assert!(said(r#"[{"definition": {"name": "topics"}, "value": {}}]"#).contains("config/validate"));
        assert!(said(r#"{"Name": "s3", "Config": {"topics": "a"}}"#).contains("in lower case"));
    }

    #[test]
    fn a_resource_of_kubernetes_may_be_json() {
        let text = "{\"apiVersion\": \"kafka.strimzi.io/v1beta2\", \"kind\": \"KafkaConnector\",\n\"metadata\": {\"name\": \"s3\"},\n\"spec\": {\"class\": \"S3Sink\",\n\"config\": {\"flush.size\": 5}}}";
        let config = parse(text, "x.json").unwrap();
        assert_eq!((config.text("name"), config.text("flush.size")), (Some("s3"), Some("5")));
        assert_eq!(config.entry("flush.size").unwrap().origin.as_ref().unwrap().line, 4);
    }
}
