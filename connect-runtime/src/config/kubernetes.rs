//! Connector files in YAML: Strimzi's `KafkaConnector` resources, or the keys themselves.

use std::sync::Arc;

use connect_api::config::{Config, Origin, Problem, Problems};

use super::{
    file::ConnectorFile,
    json::{self, NOT_RUNNING},
    shapes,
    yaml::{self, Node},
};

/// Reads every `KafkaConnector` of a text with one or more documents, and every document that holds nothing but a connector's keys.
/// Other resources are left out, and a warning names them.
///
/// # Errors
/// What is not YAML, holds no connector, or has values that can be no settings.
pub(super) fn parse(text: &str, file: &str) -> Result<ConnectorFile, Problems> {
    let file: Arc<str> = file.into();
    if let Some(shape) = shapes::template_of_helm(text) {
        return Err(shape.problem(&file).into());
    }
    let documents = yaml::parse(text).map_err(|malformed| {
        let origin = Origin { file: file.clone(), line: malformed.line };
        let problem = shapes::foreign(text).map(|shape| shape.problem(&file));
        Problems::from(
            problem.unwrap_or_else(|| Problem::general(format!("this is not YAML: {}", malformed.reason)).at(Some(origin))),
        )
    })?;
    let mut reader = Reader { file, text, read: ConnectorFile::default(), problems: Problems::default(), others: Vec::new() };
    documents.iter().filter_map(yaml::Document::root).for_each(|root| reader.document(root, false));
    reader.finish()
}

struct Reader<'a> {
    file: Arc<str>,
    text: &'a str,
    read: ConnectorFile,
    problems: Problems,
    /// Resources of other kinds: what they are called, and their lines.
    others: Vec<(String, u32)>,
}

const IN_BRACES: &str = "a value that begins with { is an object in YAML, and a setting is a text: put the whole value into \"…\" if the brace is a \
                         part of it";

/// The group of Strimzi's resources.
const STRIMZI: &str = "kafka.strimzi.io/";

/// The fields of a `KafkaConnector`'s `spec` that Strimzi knows.
const FIELDS: [&str; 9] =
    ["class", "tasksMax", "config", "autoRestart", "pause", "state", "version", "listOffsets", "alterOffsets"];

impl Reader<'_> {
    fn at(&self, node: Node<'_>) -> Option<Origin> {
        Some(Origin { file: self.file.clone(), line: node.line() })
    }

    fn problem(&mut self, node: Node<'_>, key: Option<&str>, message: impl Into<String>) {
        let problem = key.map_or_else(|| Problem::general(""), |key| Problem::of_key(key, ""));
        self.problems.push(Problem { message: message.into(), ..problem.at(self.at(node)) });
    }

    fn warn(&mut self, node: Node<'_>, message: String) {
        let origin = self.at(node);
        self.read.warnings.push(Problem::general(message).at(origin));
    }

    /// `is_listed`: it is an item of a list, which holds no other one: by aliases a list might hold itself.
    fn document(&mut self, root: Node<'_>, is_listed: bool) {
        let text = |name: &str| root.get(name).and_then(Node::text);
        match (text("apiVersion"), text("kind")) {
            (Some(version), Some("KafkaConnector")) if version.starts_with(STRIMZI) => self.resource(root),
            (Some("v1"), Some("List" | "KafkaConnectorList")) if !is_listed => {
                root.get("items").into_iter().flat_map(Node::items).for_each(|item| self.document(item, true));
            }
            (None, Some("KafkaConnector")) => {
                self.problem(root, None, format!("apiVersion is missing: a KafkaConnector has {STRIMZI}v1beta2 or later"));
            }
            (_, Some(kind)) => {
                let name = root.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text);
                self.others.push((format!("{kind} {}", name.unwrap_or_default()).trim_end().to_owned(), root.line()));
            }
            _ => self.keys_alone(root),
        }
    }

    /// A document without a kind: the keys themselves, or something that is none of ours.
    fn keys_alone(&mut self, root: Node<'_>) {
        let entries = root.entries();
        let nested = entries.iter().any(|(_, _, value)| value.is_mapping() || value.items().any(Node::is_mapping));
        // Who writes the class beside them means the keys of a connector.
        let is_connector = root.get("connector.class").is_some();
        let is_environment = root.get("environment").is_some_and(|environment| environment.text().is_none());
        if !root.is_mapping()
            || nested && !is_connector
            || is_environment
            || entries.iter().any(|(key, ..)| shapes::is_container_variable(key))
        {
            let shape =
                shapes::foreign(self.text).or_else(|| shapes::part_of_yaml(root)).unwrap_or_else(|| shapes::unknown_yaml(root));
            return self.problems.push(shape.problem(&self.file));
        }
        let config = self.settings(root);
        self.read.connectors.push(config);
    }

    fn settings(&mut self, mapping: Node<'_>) -> Config {
        let mut config = Config::default();
        for (name, key, value) in mapping.entries() {
            match value.setting() {
                Ok(text) => config.insert(name, text, self.at(key)),
                // Other objects begin on a line of their own.
                Err(_) if value.is_mapping() && value.line() == key.line() => {
                    self.problem(key, Some(name), format!("{name}: {IN_BRACES}"));
                }
                Err(reason) => self.problem(key, Some(name), format!("{name}: {reason}")),
            }
        }
        config
    }

    fn resource(&mut self, root: Node<'_>) {
        let Some(spec) = root.get("spec").filter(|spec| spec.is_mapping()) else {
            return self.problem(root, None, "a KafkaConnector has a spec, with class, tasksMax and config");
        };
        let mut config = match spec.get("config") {
            Some(config) if config.is_mapping() => self.settings(config),
            Some(config) => return self.problem(config, None, "spec.config holds the connector's keys, key: value on a line each"),
            None => Config::default(),
        };
        for (field, key) in [("class", "connector.class"), ("tasksMax", "tasks.max")] {
            self.field(spec, field, key, &mut config);
        }
        match root.get("metadata").and_then(|metadata| metadata.get("name")) {
            None => self.problem(root, Some("name"), "metadata.name is missing: it is the connector's name"),
            Some(name) => {
                let (text, origin) = (name.text().unwrap_or_default(), self.at(name));
                let problem = json::outer_name("metadata.name", text, &mut config, &origin);
                problem.into_iter().for_each(|problem| self.problems.push(problem));
            }
        }
        self.state(spec);
        for (field, key, _) in spec.entries().iter().filter(|(field, ..)| !FIELDS.contains(field)) {
            let message = format!(
                "unknown field spec.{field}, it changes nothing: spec has {}, and the connector's keys are below config",
                FIELDS.join(", ")
            );
            self.warn(*key, message);
        }
        self.read.connectors.push(config);
    }

    /// A field of `spec` that Strimzi sets as a key; one in `spec.config` it ignores.
    fn field(&mut self, spec: Node<'_>, field: &str, key: &str, config: &mut Config) {
        let Some(value) = spec.get(field) else { return };
        match value.setting() {
            Err(reason) => self.problem(value, Some(key), format!("spec.{field}: {reason}")),
            Ok(text) => {
                if let Some(inner) = config.entry(key).filter(|inner| inner.value.trim() != text) {
                    let message = format!("{key} changes nothing in spec.config: spec.{field} counts, which is {text}");
                    self.read.warnings.push(Problem::of_key(key, message).at(inner.origin.clone()));
                }
                config.insert(key, text, self.at(value));
            }
        }
    }

    fn state(&mut self, spec: Node<'_>) {
        for field in ["state", "pause"] {
            let Some(value) = spec.get(field) else { continue };
            let text = value.setting().unwrap_or_default();
            let runs = if field == "state" { text.eq_ignore_ascii_case("running") } else { text == "false" };
            if !runs {
                self.problem(value, Some(field), format!("spec.{field} is {text}, and {NOT_RUNNING}"));
            }
        }
    }

    fn finish(mut self) -> Result<ConnectorFile, Problems> {
        let nothing = self.read.connectors.is_empty() && self.problems.is_empty();
        let first = self.others.first().map_or(0, |(_, line)| *line);
        let origin = |line| Some(Origin { file: self.file.clone(), line });
        if nothing && self.others.is_empty() {
            self.problems.push(Problem::general(shapes::NOTHING).at(origin(0)));
        } else if nothing {
            let kinds: Vec<_> = self.others.iter().map(|(name, _)| name.as_str()).collect();
            self.problems.push(Problem::general(no_connector(&kinds)).at(origin(first)));
        } else {
            for (name, line) in &self.others {
                let message = format!("{name} is left out: of the resources of Kubernetes only Strimzi's KafkaConnector is read");
                self.read.warnings.push(Problem::general(message).at(origin(*line)));
            }
        }
        self.problems.into_result().map(|()| self.read)
    }
}

fn no_connector(kinds: &[&str]) -> String {
    let mut message = format!(
        "no connector is in this file, only {}: connectors are read from Strimzi's KafkaConnector resources (apiVersion {STRIMZI}…)",
        kinds.join(", ")
    );
    let is = |kind: &str| kinds.iter().any(|name| name.split(' ').next() == Some(kind));
    if is("KafkaConnect") {
        message
            .push_str("; the keys below spec.config of a KafkaConnect are a worker's: write them into a worker's .properties file");
    }
    if is("Connector") {
        message.push_str("; of a Connector, write spec.class as connector.class, spec.taskMax as tasks.max, and the keys of spec.configs into a .properties file");
    }
    message
}

#[cfg(test)]
mod tests;
