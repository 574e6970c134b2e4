//! What a JSON Schema refers to, and schemas that are made of several.

use std::{cell::Cell, collections::HashMap};

use connect_api::{Error, Result};
use serde_json::{Map, Value as Json};

use crate::registry::{RegisteredSchema, SchemaText};

/// So many references may lead to each other.
const LONGEST_CHAIN: usize = 50;
/// So many schemas may stand in each other, each one of several that must all hold.
const DEEPEST: usize = 50;
/// Values and texts of schemas that are looked at, those that are referred to once for each place. More could exhaust memory.
const MOST: usize = 4_000_000;
/// A text counts once for so many bytes.
const TEXT: usize = 64;
/// What the schema itself is called: no reference has such a name.
const ITSELF: &str = "\0";

/// A schema with those that it refers to.
pub(super) struct Documents {
    by_name: HashMap<String, Json>,
    /// How much may still be looked at.
    left: Cell<usize>,
    /// How deep the one is that is being looked at.
    depth: Cell<usize>,
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
        let mut by_name = HashMap::from([(ITSELF.to_owned(), parse(&text.schema)?)]);
        for (name, referenced) in &text.referenced {
            by_name.insert(name.clone(), parse(referenced)?);
        }
        Ok(Self { by_name, left: Cell::new(MOST), depth: Cell::new(0) })
    }

    /// The schema itself.
    ///
    /// # Errors
    /// `Data` where it is no object.
    pub(super) fn root(&self) -> Result<Node> {
        self.node(self.by_name.get(ITSELF).unwrap_or(&Json::Null), ITSELF)
    }

    /// A schema in the document of another one, with what it refers to in place of its reference, and of several that must all hold one with the properties of all.
    /// `met`: what was referred to on the way there.
    ///
    /// # Errors
    /// `Data` where it refers to what is not there, or to itself.
    pub(super) fn resolved(&self, schema: &Json, document: &str, met: &mut Vec<String>) -> Result<Node> {
        let mut found = self.node(schema, document)?;
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
            let mut merged = self.node(target, &document)?;
            found.schema.remove("$ref");
            // What stands beside a reference says more of it.
            found.say_where();
            merged.schema.extend(found.schema);
            found = merged;
        }
        if self.depth.get() >= DEEPEST {
            return Err(Error::data(format!("the schema has more than {DEEPEST} levels of allOf")));
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.all_of(found, met);
        self.depth.set(self.depth.get() - 1);
        found
    }

    /// # Errors
    /// `Data` where it is no object, or too much was looked at.
    fn node(&self, schema: &Json, document: &str) -> Result<Node> {
        let Json::Object(schema) = schema else {
            let what = format!("Unsupported schema type {schema}: a schema that allows anything is none that Connect has");
            return Err(Error::data(what));
        };
        let left = schema.values().try_fold(self.left.get(), |left, value| left.checked_sub(weight(value)));
        self.left.set(left.ok_or_else(|| Error::data("the schema is more than memory should hold, with all that it refers to"))?);
        Ok(Node { schema: schema.clone(), document: document.to_owned() })
    }

    fn all_of(&self, mut found: Node, met: &[String]) -> Result<Node> {
        let Some(Json::Array(parts)) = found.schema.remove("allOf") else { return Ok(found) };
        for part in &parts {
            // What a part refers to is around the part alone.
            let mut part = self.resolved(part, &found.document, &mut met.to_vec())?;
            if part.document != found.document {
                part.say_where();
            }
            for (name, value) in part.schema.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
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
        let is_current = self.by_name.get(current).and_then(|schema| schema.get("$id")).is_some_and(|id| id == name);
        if is_current {
            return Ok(current);
        }
        // The end of a URL, where the reference has a file's name alone; of several the longest.
        let ends =
            || self.by_name.iter().filter(|(known, _)| name.ends_with(&format!("/{known}"))).max_by_key(|(known, _)| known.len());
        let known = self.by_name.get_key_value(name).or_else(ends);
        let known = known.map(|(known, _)| known.as_str());
        known.ok_or_else(|| Error::data(format!("the schema refers to {name}, which is none of its references in the registry")))
    }
}

/// What a schema says of itself, and not of what is made of it.
const OWN: [&str; 11] = [
    "title",
    "description",
    "default",
    "connect.name",
    "connect.doc",
    "connect.version",
    "connect.parameters",
    "$id",
    "$schema",
    "$defs",
    "definitions",
];

/// Of properties all count, of one that is said twice the later; of lists of required ones both; of anything else the first.
fn merge(into: &mut Map<String, Json>, name: String, value: Json) {
    match (into.get_mut(&name), value) {
        (Some(Json::Object(members)), Json::Object(more)) if name == "properties" => members.extend(more),
        (Some(Json::Array(items)), Json::Array(more)) if name == "required" => {
            let new: Vec<_> = more.into_iter().filter(|item| !items.contains(item)).collect();
            items.extend(new);
        }
        (Some(_), _) => {}
        (None, value) => {
            into.insert(name, value);
        }
    }
}

impl Node {
    /// Makes references to parts of the document say which document that is: the schema becomes a part of another one.
    fn say_where(&mut self) {
        let document = std::mem::take(&mut self.document);
        self.schema.values_mut().for_each(|value| say_where(value, &document));
        self.document = document;
    }
}

fn say_where(json: &mut Json, document: &str) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| say_where(item, document)),
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(reference) if name == "$ref" => qualify(reference, document),
                    value => say_where(value, document),
                }
            }
        }
        _ => {}
    }
}

fn qualify(reference: &mut String, document: &str) {
    if reference.starts_with('#') {
        reference.insert_str(0, document);
    }
}

/// How much a schema is to look at.
fn weight(json: &Json) -> usize {
    match json {
        Json::String(text) => 1 + text.len() / TEXT,
        Json::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Json::Object(members) => 1 + members.iter().map(|(name, value)| 1 + name.len() / TEXT + weight(value)).sum::<usize>(),
        _ => 1,
    }
}

/// A pointer in a URL.
fn decoded(pointer: &str) -> String {
    percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned()
}

/// # Errors
/// `Data` where the schema is of another kind, or no JSON.
fn parse(schema: &RegisteredSchema) -> Result<Json> {
    serde_json::from_str(schema.text("JSON")?).map_err(|error| Error::data("the JSON Schema is no JSON").with_source(error))
}
