//! What people keep connectors in and what is not read: recognised by its structure, with the way to convert it.

use std::sync::Arc;

use connect_api::config::{Origin, Problem};

use super::yaml::Node;

/// Something that is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    line: u32,
    message: String,
}

impl Shape {
    fn at(line: u32, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// What is said of it.
    pub(super) fn problem(self, file: &Arc<str>) -> Problem {
        Problem::general(self.message).at(Some(Origin { file: file.clone(), line: self.line }))
    }
}

/// What connector files may be.
pub(super) const READ: &str = "connector files are Java properties, TOML, JSON (a map of keys, the body of a REST request, the input of `aws \
                               kafkaconnect create-connector`) or YAML (Strimzi's KafkaConnector, a map of keys)";

/// A file with comments at most.
pub(super) const NOTHING: &str = "there is nothing in this file";

const CLOUD_FORMATION: &str = "this is a CloudFormation template, which is not read: write what is below ConnectorConfiguration into a JSON file \
                               of its own, {\"connectorName\": …, \"connectorConfiguration\": {…}}; `aws kafkaconnect describe-connector \
                               --connector-arn ARN` prints it of a connector that exists";
const TERRAFORM: &str = "this is HCL (Terraform), which is not read: write each `\"key\" = \"value\"` of the map as a line key=value, without \
                         the quotes, into a .properties file; `aws kafkaconnect describe-connector --connector-arn ARN > connector.json` \
                         makes a file that is read of a connector that exists in MSK Connect";
const SCRIPT: &str = "this is a shell script or a command, which is not read: save the JSON that it sends (after -d or --data, without the \
                      quotes of the shell) in a file of its own, connector.json";
const JSON_LINES: &str = "these are lines of JSON without their braces: put { before the first and } after the last, and call the file \
                          connector.json";
const QUOTED: &str = "keys and values are in quotes here, as in SQL or in a program, which is not read: write each pair as key=value, without \
                      quotes and commas, into a .properties file";
const SECTION: &str = "this has sections, as TOML has: call the file connector.toml if it is TOML, with keys in quotes as \
                       \"topics.dir\" = \"…\"; Java properties have none";
const CONTAINER: &str = "this is the environment of a container (CONNECT_…), which is not read: it sets up a worker. Write a worker's \
                         .properties file: without CONNECT_, in lower case, with . for _, as CONNECT_BOOTSTRAP_SERVERS is bootstrap.servers";
const COMPOSE: &str = "this is a file of docker compose, which is not read: write the connector's keys into a .properties file";
const HELM: &str = "this is a template of Helm, which is not read: render it with `helm template`, and give the result";
const CONFLICT: &str =
    "git has left both sides of a conflict here: keep one of them, and remove the lines <<<<<<<, ======= and >>>>>>>";
const PART: &str = "this is a part of something larger, and only the whole is read: put it into a KafkaConnector resource (apiVersion, kind, \
                    metadata.name, spec), or write the keys below it, not indented, as key=value into a .properties file";

/// Whether a text without a telling name is YAML: by what Java properties never have, not by colons, which they may have.
pub(super) fn is_yaml(text: &str) -> bool {
    let lines: Vec<_> = text.lines().filter(|line| !is_comment(line)).collect();
    let begins = |start: &str| lines.iter().any(|line| line.starts_with(start));
    let opens = |line: &str| {
        // One word, a colon and nothing after it; keys of connectors have dots as a rule, and those few have none.
        let name = line.split(" #").next().unwrap_or_default().trim_end().strip_suffix(':');
        name.is_some_and(|name| {
            is_word(name) && !["name", "topics", "transforms", "predicates", "locale", "timezone"].contains(&name)
        })
    };
    let nested = lines.windows(2).any(|pair| {
        let below = pair[1].trim();
        let is_inside = pair[1].starts_with(' ') && (below.ends_with(':') || below.contains(": "));
        opens(pair[0]) && (is_inside || below.starts_with("- "))
    });
    lines.first().is_some_and(|line| line.trim_end() == "---") || begins("apiVersion:") && begins("kind:") || nested
}

/// Whether braces stand where a value begins: to YAML that is a mapping, and nobody means one. Helm fills them in.
pub(super) fn template_of_helm(text: &str) -> Option<Shape> {
    let begins = |line: &str| line.split_once(": ").is_some_and(|(_, value)| value.trim_start().starts_with("{{"));
    (1..).zip(text.lines()).find(|(_, line)| !is_comment(line) && begins(line)).map(|(line, _)| Shape::at(line, HELM))
}

/// Whether a text begins as an object or a list of objects. Java properties may begin with a brace, too, and it is never meant.
pub(super) fn begins_as_json(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.starts_with(b"{") && !text.starts_with(b"{{")
        || text.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
}

/// Whether a text is an object with keys in quotes, which Java properties never are.
pub(super) fn is_json(text: &[u8]) -> bool {
    text.trim_ascii_start().strip_prefix(b"{").is_some_and(|rest| matches!(rest.trim_ascii_start(), [b'"' | b'}', ..]))
}

/// What a text is that is neither Java properties nor any other form that is read.
pub(super) fn foreign(text: &str) -> Option<Shape> {
    let is_json = begins_as_json(text.as_bytes());
    // Of three kinds of lines, for those may be meant that have a meaning in a value.
    let conflict = |start: &str| (1..).zip(text.lines()).find(|(_, line)| line.starts_with(start)).map(|(line, _)| line);
    if let (Some(line), Some(_), Some(_)) = (conflict("<<<<<<< "), conflict("======="), conflict(">>>>>>> ")) {
        return Some(Shape::at(line, CONFLICT));
    }
    // What continues a line is a part of its value, whatever it looks like.
    let mut continues = false;
    let lines: Vec<_> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| {
            let is_line = !is_comment(line) && !continues;
            continues = line.ends_with('\\') && (continues || is_line);
            is_line
        })
        .collect();
    let first = |is: &dyn Fn(&str) -> bool, message: &str| {
        lines.iter().find(|(_, line)| is(line.trim())).map(|(line, _)| Shape::at(*line, message))
    };
    if let Some(found) = cloud_formation(text) {
        return Some(found);
    }
    if is_json {
        return None;
    }
    let script = text.lines().next().filter(|line| line.starts_with("#!")).map(|_| Shape::at(1, SCRIPT));
    let quoted = lines.iter().find_map(|(line, text)| Some((*line, after_quoted_key(text.trim())?)));
    let in_quotes = |shape: (char, char), message: &'static str| {
        quoted.filter(|(_, found)| *found == shape).map(|(line, _)| Shape::at(line, message))
    };
    script
        .or_else(|| first(&is_command, SCRIPT))
        .or_else(|| first(&is_block_of_hcl, TERRAFORM))
        .or_else(|| in_quotes(('"', '='), TERRAFORM))
        .or_else(|| first(&is_section, SECTION))
        .or_else(|| first(&|line| variable_of(line).is_some_and(is_container_variable), CONTAINER))
        .or_else(|| first(&|line| line == "services:", COMPOSE))
        .or_else(|| first(&|line| line.contains("{{") && !line.contains(['=', '$']) || line.starts_with("{{"), HELM))
        .or_else(|| in_quotes(('"', ':'), JSON_LINES))
        .or_else(|| in_quotes(('\'', '='), QUOTED))
        .or_else(|| in_quotes(('\'', ':'), QUOTED))
}

/// A template of CloudFormation, in JSON or YAML, or the part of it that is about a connector.
pub(super) fn cloud_formation(text: &str) -> Option<Shape> {
    let is = |line: &str| {
        let key = line.trim().trim_start_matches(['"', '\'']);
        line.contains("AWS::KafkaConnect::Connector")
            || line.contains("\"ConnectorConfiguration\"")
            || key.starts_with("AWSTemplateFormatVersion")
            || key.starts_with("ConnectorConfiguration")
    };
    (1..).zip(text.lines()).find(|(_, line)| !is_comment(line) && is(line)).map(|(line, _)| Shape::at(line, CLOUD_FORMATION))
}

/// A block that holds a connector's keys and is not all of it: `config:` of a resource or of a request.
pub(super) fn part_of_yaml(root: Node<'_>) -> Option<Shape> {
    let names = ["config", "spec", "connectorConfiguration", "configuration", "configs", "connectors"];
    let entries = root.entries();
    if let Some((_, key, _)) = entries.iter().find(|(name, _, value)| *name == "environment" && value.text().is_none()) {
        return Some(Shape::at(key.line(), CONTAINER));
    }
    let (name, key, _) = entries.iter().find(|(name, _, value)| names.contains(name) && value.text().is_none())?;
    Some(Shape::at(key.line(), format!("{name}: {PART}")))
}

/// YAML that nobody recognises.
pub(super) fn unknown_yaml(root: Node<'_>) -> Shape {
    if root.text().is_some_and(|text| text.contains('=')) {
        return Shape::at(root.line(), "this is no YAML, though it is called so: Java properties belong into a .properties file");
    }
    Shape::at(root.line(), format!("no connector is in this YAML; {READ}"))
}

/// Whether a key sets up a worker in a container of Confluent's.
pub(super) fn is_container_variable(key: &str) -> bool {
    let name = key.strip_prefix("CONNECT_").unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The variable that a line of an environment sets, in YAML, in a file of variables, in a script or in a Dockerfile.
fn variable_of(line: &str) -> Option<&str> {
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start_matches(['"', '\'']);
    let line = ["export ", "ENV ", "name: "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(line.len());
    Some(&line[..end]).filter(|name| !name.is_empty())
}

fn is_comment(line: &str) -> bool {
    matches!(line.trim_start().as_bytes(), [] | [b'#' | b'!', ..])
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn is_command(line: &str) -> bool {
    let heredoc = line.split_once("<<").is_some_and(|(_, rest)| {
        let word = rest.trim_start_matches(['-', '\'', '"']);
        word.starts_with("EOF") || word.starts_with("END")
    });
    line.starts_with("curl ") || line.contains("$(curl ") || line.contains("| curl ") || heredoc || line.starts_with("kubectl ")
}

/// `resource "aws_mskconnect_connector" "x" {`, `connector_configuration = {`, `config = merge({`.
fn is_block_of_hcl(line: &str) -> bool {
    let block = ["resource \"", "module \"", "data \"", "variable \"", "locals {"].iter().any(|start| line.starts_with(start));
    let assigned = line.split_once('=').is_some_and(|(name, value)| {
        let value = value.trim();
        is_word(name.trim())
            && (value == "{" || value.ends_with("({") || value.starts_with("merge(") || value.starts_with("tomap("))
    });
    block && line.ends_with('{') || assigned
}

/// `[connector]`.
fn is_section(line: &str) -> bool {
    let inside = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|name| !name.is_empty() && name.split('.').all(is_word))
}

/// The quotes of a key and the separator after it: Java properties would take the quotes for a part of it.
fn after_quoted_key(line: &str) -> Option<(char, char)> {
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (key, rest) = line[1..].split_once(quote)?;
    let separator = rest.trim_start().chars().next()?;
    let is_key = !key.is_empty() && key.split('.').all(is_word);
    (is_key && matches!(separator, '=' | ':')).then_some((quote, separator))
}

#[cfg(test)]
mod tests;
