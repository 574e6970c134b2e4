//! Connector files in JSON: a flat object, or what Kafka Connect's REST API or MSK Connect's command line take to create a connector.

use std::{collections::HashMap, sync::Arc};

use connect_api::config::{Config, Origin, Problem, Problems};
use serde_json::{Map, Value};

/// What settings may be wrapped in: the object that holds them, and the name beside it.
const WRAPPERS: [(&str, &str); 2] = [("config", "name"), ("connectorConfiguration", "connectorName")];

/// Reads `{"name": …, "connector.class": …}`, `{"name": …, "config": {…}}`, or the input of `aws kafkaconnect create-connector`,
/// `{"connectorName": …, "connectorConfiguration": {…}}`, whose other members say where MSK Connect runs it.
///
/// # Errors
/// What is not JSON, and every value that can be no setting.
pub(super) fn parse(text: &str, file: &str) -> Result<Config, Problems> {
    let file: Arc<str> = file.into();
    let at = |line: u32| Some(Origin { file: file.clone(), line });
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(one(Problem::general("a connector file in JSON holds an object of settings").at(at(1)))),
        Err(error) => {
            let line = error.line().try_into().unwrap_or(u32::MAX);
            return Err(one(Problem::general(format!("this is not JSON: {error}")).at(at(line))));
        }
    };
    let nested = WRAPPERS.iter().find_map(|(outer, name)| Some((object.get(*outer)?.as_object()?, *name)));
    let lines = key_lines(text, if nested.is_some() { 2 } else { 1 });
    let origin = |key: &str| at(lines.get(key).copied().unwrap_or(0));
    let (mut config, mut problems) = settings(nested.map_or(&object, |(settings, _)| settings), &origin);
    if let Some((_, name)) = nested {
        let found = [outer_name(&object, name, &mut config, &at(0)), initial_state(&object, &at(0))];
        found.into_iter().flatten().for_each(|problem| problems.push(problem));
    }
    problems.into_result().map(|()| config)
}

fn one(problem: Problem) -> Problems {
    let mut problems = Problems::default();
    problems.push(problem);
    problems
}

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

/// The name beside `config` is the connector's; one inside must be the same.
fn outer_name(object: &Map<String, Value>, key: &str, config: &mut Config, origin: &Option<Origin>) -> Option<Problem> {
    let name = match object.get(key)? {
        Value::String(name) => name,
        name @ (Value::Number(_) | Value::Bool(_)) => &name.to_string(),
        _ => return Some(Problem::of_key(key, format!("{key}: a connector's name is a text")).at(origin.clone())),
    };
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

/// `initial_state` of KIP-980, which the REST API takes beside `config`: only running is built.
fn initial_state(object: &Map<String, Value>, origin: &Option<Origin>) -> Option<Problem> {
    let state = object.get("initial_state").filter(|state| !state.is_null())?;
    let runs = state.as_str().is_some_and(|state| state.eq_ignore_ascii_case("RUNNING"));
    let message = format!("initial_state is {state}, and connectors here can only begin RUNNING: leave the file out until then");
    (!runs).then(|| Problem::of_key("initial_state", message).at(origin.clone()))
}

/// The lines of the keys at this depth of a text that is known to be JSON.
fn key_lines(text: &str, depth: usize) -> HashMap<String, u32> {
    let mut lines = HashMap::new();
    let (mut line, mut level) = (1, 0_usize);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '\n' => line += 1,
            '{' | '[' => level += 1,
            '}' | ']' => level = level.saturating_sub(1),
            '"' => {
                let length = string_length(rest);
                let (string, after) = rest.split_at(length);
                if level == depth && after.trim_start().starts_with(':') {
                    // A text in quotes, so it is read; the last of equal keys counts, as it does for their values.
                    lines.extend(serde_json::from_str::<String>(string).map(|key| (key, line)));
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
    use super::*;

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
}
