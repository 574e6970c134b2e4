//! What a JSON Schema refers to, and schemas that are made of several.

use std::collections::HashMap;

use connect_api::{Error, Result};
use serde_json::{Map, Value as Json};

use crate::registry::{RegisteredSchema, SchemaText};

/// So many references may lead to each other.
const LONGEST_CHAIN: usize = 50;

/// A schema with those that it refers to.
pub(super) struct Documents {
    /// The schema itself has no name.
    by_name: HashMap<String, Json>,
}

/// A schema, and the document that it stands in: what it refers to may be there.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) schema: Map<String, Json>,
    pub(super) document: String,
}

impl Documents {
    /// # Errors
    /// `Data` where one of them is no JSON, or a schema of another kind.
    pub(super) fn new(text: &SchemaText) -> Result<Self> {
        let mut by_name = HashMap::from([(String::new(), parse(&text.schema)?)]);
        for (name, referenced) in &text.referenced {
            by_name.insert(name.clone(), parse(referenced)?);
        }
        Ok(Self { by_name })
    }

    /// The schema itself.
    ///
    /// # Errors
    /// `Data` where it is no object.
    pub(super) fn root(&self) -> Result<Node> {
        node(self.by_name.get("").unwrap_or(&Json::Null), "")
    }

    /// A schema in the document of another one, with what it refers to in place of its reference, and of several that must all hold one with the properties of all.
    /// `met`: what was referred to on the way there.
    ///
    /// # Errors
    /// `Data` where it refers to what is not there, or to itself.
    pub(super) fn resolved(&self, schema: &Json, document: &str, met: &mut Vec<String>) -> Result<Node> {
        let mut found = node(schema, document)?;
        while let Some(reference) = found.schema.get("$ref").and_then(Json::as_str) {
            let (name, pointer) = reference.split_once('#').unwrap_or((reference, ""));
            let document = self.document(name, &found.document)?;
            let place = format!("{document}#{pointer}");
            if met.contains(&place) || met.len() >= LONGEST_CHAIN {
                return Err(Error::data(format!(
                    "the schema contains itself, through {reference}, and such schemas are not supported"
                )));
            }
            met.push(place);
            let root = self.by_name.get(document).unwrap_or(&Json::Null);
            let target = if pointer.is_empty() { Some(root) } else { root.pointer(&decoded(pointer)) };
            let target = target.ok_or_else(|| Error::data(format!("the schema refers to {reference}, which is not there")))?;
            let document = document.to_owned();
            // What stands beside a reference says more of it.
            let mut merged = node(target, &document)?;
            found.schema.remove("$ref");
            merged.schema.extend(found.schema);
            found = merged;
        }
        self.all_of(found, met)
    }

    fn all_of(&self, mut found: Node, met: &[String]) -> Result<Node> {
        let Some(Json::Array(parts)) = found.schema.remove("allOf") else { return Ok(found) };
        for part in &parts {
            // What a part refers to is around the part alone.
            let part = self.resolved(part, &found.document, &mut met.to_vec())?;
            if part.document != found.document && found.schema.is_empty() {
                found.document.clone_from(&part.document);
            }
            for (name, value) in part.schema {
                merge(&mut found.schema, name, value);
            }
        }
        Ok(found)
    }

    /// The name of the document that is called so in another one.
    fn document<'a>(&'a self, name: &str, current: &'a str) -> Result<&'a str> {
        if name.is_empty() {
            return Ok(current);
        }
        let known = self.by_name.get_key_value(name).or_else(|| {
            // The end of a URL, where the reference has a file's name alone.
            self.by_name.iter().find(|(known, _)| !known.is_empty() && name.ends_with(&format!("/{known}")))
        });
        let known = known.map(|(known, _)| known.as_str());
        known.ok_or_else(|| Error::data(format!("the schema refers to {name}, which is none of its references in the registry")))
    }
}

/// Objects get the members of both, lists the items of both; of anything else the first one counts.
fn merge(into: &mut Map<String, Json>, name: String, value: Json) {
    match (into.get_mut(&name), value) {
        (Some(Json::Object(members)), Json::Object(more)) if name == "properties" => {
            for (name, value) in more {
                members.entry(name).or_insert(value);
            }
        }
        (Some(Json::Array(items)), Json::Array(more)) if name == "required" => items.extend(more),
        (Some(_), _) => {}
        (None, value) => {
            into.insert(name, value);
        }
    }
}

fn node(schema: &Json, document: &str) -> Result<Node> {
    match schema {
        Json::Object(schema) => Ok(Node { schema: schema.clone(), document: document.to_owned() }),
        other => {
            Err(Error::data(format!("Unsupported schema type {other}: a schema that allows anything is none that Connect has")))
        }
    }
}

/// A pointer in a URL.
fn decoded(pointer: &str) -> String {
    percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned()
}

/// # Errors
/// `Data` where the schema is of another kind, or no JSON.
fn parse(schema: &RegisteredSchema) -> Result<Json> {
    match schema.schema_type.as_str() {
        "JSON" => {
            serde_json::from_str(&schema.schema).map_err(|error| Error::data("the JSON Schema is no JSON").with_source(error))
        }
        other => Err(Error::data(format!("the schema is of type {other}, and not a JSON Schema"))),
    }
}
