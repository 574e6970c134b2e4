//! The Connect schema of a JSON Schema, as the converters of Confluent and of AWS make it.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, Result,
    data::{Field, Fields, JsonText, Schema, SchemaType, Value, json::Cursor},
};
use serde_json::{Map, Value as Json};

use super::{
    flavour::Flavour,
    resolve::{Documents, Node},
};
use crate::converter::json::Payload;

/// Types in a schema, those that are referred to once for each place. More could exhaust memory.
const MOST_TYPES: usize = 100_000;
/// There are seven types.
const KINDS: usize = 7;
/// Deeper ones could exhaust the stack.
const DEEPEST: usize = 200;

/// What decides how schemas are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// Whose names are used.
    pub(super) flavour: Flavour,
    /// `use.optional.for.nonrequired`
    pub(super) optional_where_not_required: bool,
    /// `flatten.singleton.unions`
    pub(super) flattens_single_unions: bool,
}

/// Makes schemas.
pub(super) struct SchemaReader<'a> {
    dialect: Dialect,
    documents: &'a Documents,
    types: usize,
    level: usize,
}

impl<'a> SchemaReader<'a> {
    pub(super) fn new(dialect: Dialect, documents: &'a Documents) -> Self {
        Self { dialect, documents, types: 0, level: 0 }
    }

    /// The schema itself; `None` where it is that of null.
    ///
    /// # Errors
    /// `Data` where Connect has no such schema.
    pub(super) fn top(&mut self, version: Option<i32>) -> Result<Option<Schema>> {
        let root = self.documents.root()?;
        if root.schema.get("type").is_some_and(|kind| kind == "null") {
            return Ok(None);
        }
        let mut schema = self.any(&Json::Object(root.schema), &root.document, &mut Vec::new())?;
        schema.version = schema.version.or(version);
        Ok(Some(schema))
    }

    /// `met`: the references that lead here.
    fn any(&mut self, json: &Json, document: &str, met: &mut Vec<String>) -> Result<Schema> {
        self.types += 1;
        self.level += 1;
        if self.types > MOST_TYPES || self.level > DEEPEST {
            return Err(Error::data(format!("the schema has more than {MOST_TYPES} types, or more than {DEEPEST} levels")));
        }
        let before = met.len();
        let node = self.documents.resolved(json, document, met)?;
        let schema = self.node(&node, met)?;
        met.truncate(before);
        self.level -= 1;
        Ok(schema)
    }

    fn node(&mut self, node: &Node, met: &mut Vec<String>) -> Result<Schema> {
        let schema = &node.schema;
        let union = ["oneOf", "anyOf"].into_iter().find_map(|name| Some((name, schema.get(name)?.as_array()?)));
        if let Some((name, branches)) = union.filter(|_| !schema.contains_key("properties")) {
            return self.union(name, node, branches.clone(), met);
        }
        if let Some(Json::Array(kinds)) = schema.get("type") {
            if kinds.len() > KINDS {
                return Err(Error::data("a schema has more types than there are"));
            }
            let branch = |kind: &Json| {
                let mut branch = schema.clone();
                branch.insert("type".to_owned(), kind.clone());
                // A default is that of the union.
                branch.remove("default");
                Json::Object(branch)
            };
            let branches = kinds.iter().map(branch).collect();
            return self.union("type", &Node { schema: without_types(schema), document: node.document.clone() }, branches, met);
        }
        let base = self.base(node, met)?;
        finish(self.dialect.flavour, base, schema)
    }

    /// What has no type of its own but those of several schemas. `name`: of the member that has them.
    fn union(&mut self, name: &str, node: &Node, branches: Vec<Json>, met: &mut Vec<String>) -> Result<Schema> {
        let is_null = |branch: &Json| branch.get("type").is_some_and(|kind| kind == "null");
        let can_be_null = branches.iter().any(is_null);
        let others: Vec<_> = branches.into_iter().filter(|branch| !is_null(branch)).collect();
        let is_null_alone = can_be_null && self.dialect.flavour.has_null_beside(name);
        let is_single = others.len() == 1 && (is_null_alone || self.dialect.flattens_single_unions);
        let schema = match &*others {
            [] => return Err(Error::data("a union of null alone is no schema that Connect has")),
            [only] if is_single => {
                let schema = self.any(only, &node.document, met)?;
                // What stands beside the union is no part of it then.
                return Ok(Schema { optional: schema.optional || can_be_null, ..schema });
            }
            others => {
                let (flavour, mut fields) = (self.dialect.flavour, Vec::with_capacity(others.len()));
                for (place, branch) in others.iter().enumerate() {
                    let schema = Schema { optional: true, ..self.any(branch, &node.document, met)? };
                    fields.push(Field { name: flavour.union_field(place).into(), schema: Arc::new(schema) });
                }
                Schema { optional: can_be_null, ..struct_of(fields)?.named(flavour.union()) }
            }
        };
        finish(self.dialect.flavour, schema, &node.schema)
    }

    fn base(&mut self, node: &Node, met: &mut Vec<String>) -> Result<Schema> {
        let schema = &node.schema;
        let connect_type = schema.get("connect.type").and_then(Json::as_str);
        let kind = schema.get("type").and_then(Json::as_str).or_else(|| implied(schema));
        let symbols = match (schema.get("enum"), schema.get("const")) {
            (Some(Json::Array(symbols)), _) => Some(symbols.clone()),
            (_, Some(symbol)) => Some(vec![symbol.clone()]),
            _ => None,
        };
        if let Some(symbols) = symbols.filter(|_| matches!(kind, None | Some("string"))) {
            self.types += symbols.len();
            return Ok(enumeration(self.dialect.flavour, &symbols));
        }
        let schema_type = match (kind, connect_type) {
            (Some("boolean"), _) => SchemaType::Boolean,
            (Some("integer" | "number"), Some(name)) => number(name)?,
            (Some("integer"), None) => SchemaType::Int64,
            (Some("number"), None) => SchemaType::Float64,
            (Some("string"), Some("bytes")) => SchemaType::Bytes,
            (Some("string"), _) => SchemaType::String,
            (Some("array"), _) => return self.array(node, connect_type, met),
            (Some("object"), Some("map")) => {
                let Some(values) = schema.get("additionalProperties") else {
                    return Err(Error::data("Map schema did not specify the type of its values"));
                };
                let values = self.any(values, &node.document, met)?;
                SchemaType::Map(Arc::new(Schema::required(SchemaType::String)), Arc::new(values))
            }
            (Some("object"), _) => return self.object(node, met),
            (other, _) => return Err(Error::data(format!("Unsupported schema type {}", other.unwrap_or("of anything")))),
        };
        Ok(Schema::required(schema_type))
    }

    fn array(&mut self, node: &Node, connect_type: Option<&str>, met: &mut Vec<String>) -> Result<Schema> {
        let Some(items @ Json::Object(_)) = node.schema.get("items") else {
            return Err(Error::data("Array schema did not specify the items type"));
        };
        if connect_type == Some("map") {
            let before = met.len();
            let entry = self.documents.resolved(items, &node.document, met)?;
            let part = |name: &str| entry.schema.get("properties").and_then(|properties| properties.get(name)).cloned();
            if let (Some(key), Some(value)) = (part("key"), part("value")) {
                let (key, value) = (self.any(&key, &entry.document, met)?, self.any(&value, &entry.document, met)?);
                met.truncate(before);
                return Ok(Schema::required(SchemaType::Map(Arc::new(key), Arc::new(value))));
            }
            met.truncate(before);
        }
        let items = self.any(items, &node.document, met)?;
        Ok(Schema::required(SchemaType::Array(Arc::new(items))))
    }

    /// Fields in the order of their numbers, else in that of the document.
    fn object(&mut self, node: &Node, met: &mut Vec<String>) -> Result<Schema> {
        let none = Map::new();
        let properties = node.schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let required = node.schema.get("required").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let index = |place: usize, property: &Json| {
            let index = property.get("connect.index").and_then(Json::as_u64);
            index.and_then(|index| usize::try_from(index).ok()).unwrap_or_else(|| self.dialect.flavour.without_index(place))
        };
        let mut ordered: Vec<_> =
            properties.iter().enumerate().map(|(place, (name, property))| (index(place, property), name, property)).collect();
        ordered.sort_by_key(|(index, ..)| *index);
        let mut fields = Vec::with_capacity(ordered.len());
        for (_, name, property) in ordered {
            let mut schema =
                self.any(property, &node.document, met).map_err(|error| error.context(format!("the property {name}")))?;
            let is_required = required.iter().any(|required| required == name.as_str());
            schema.optional |= self.dialect.optional_where_not_required && !is_required;
            fields.push(Field { name: name.as_str().into(), schema: Arc::new(schema) });
        }
        struct_of(fields)
    }
}

/// The type that is meant where none is said.
fn implied(schema: &Map<String, Json>) -> Option<&'static str> {
    ["properties", "required", "additionalProperties"]
        .iter()
        .any(|name| schema.contains_key(*name))
        .then_some("object")
        .or_else(|| schema.contains_key("items").then_some("array"))
}

fn number(connect_type: &str) -> Result<SchemaType> {
    Ok(match connect_type {
        "int8" => SchemaType::Int8,
        "int16" => SchemaType::Int16,
        "int32" => SchemaType::Int32,
        "int64" => SchemaType::Int64,
        "float32" => SchemaType::Float32,
        "float64" => SchemaType::Float64,
        "bytes" => SchemaType::Bytes,
        other => return Err(Error::data(format!("Unsupported type {other}")).with_class("java.lang.IllegalArgumentException")),
    })
}

/// An enum has no name of its own.
fn enumeration(flavour: Flavour, symbols: &[Json]) -> Schema {
    let name = flavour.enumeration();
    let mut parameters: Vec<(Arc<str>, Arc<str>)> = vec![(name.into(), "".into())];
    for symbol in symbols {
        let symbol = symbol.as_str().map_or_else(|| symbol.to_string(), str::to_owned);
        parameters.push((format!("{name}.{symbol}").into(), symbol.into()));
    }
    Schema { parameters, ..Schema::required(SchemaType::String) }
}

fn without_types(schema: &Map<String, Json>) -> Map<String, Json> {
    let kept = ["title", "description", "default", "connect.name", "connect.doc", "connect.version", "connect.parameters"];
    schema.iter().filter(|(name, _)| kept.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Adds what a schema says beside its type.
fn finish(flavour: Flavour, mut schema: Schema, json: &Map<String, Json>) -> Result<Schema> {
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    // Unions are known by their name.
    if let Some(name) = text(flavour.name()).filter(|_| schema.name.as_deref() != Some(flavour.union())) {
        schema.name = Some(name.into());
    }
    if let Some(doc) = text(flavour.doc()) {
        schema.doc = Some(doc.into());
    }
    let version = json.get("connect.version").and_then(Json::as_i64).and_then(|version| i32::try_from(version).ok());
    schema.version = version.or(schema.version);
    for (name, value) in json.get("connect.parameters").and_then(Json::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        schema.parameters.push((name.as_str().into(), value.into()));
    }
    if let Some(default) = json.get("default").filter(|default| !default.is_null()) {
        let text = JsonText::parse(&Bytes::from(default.to_string()));
        let text = text.ok().flatten().ok_or_else(|| Error::data("a default is no JSON"))?;
        let read = Payload::of_json_schema(&text, flavour.union()).read(&schema, &mut Cursor::new(&text));
        schema.default = match read.map_err(|error| error.context("a default of the schema"))? {
            Value::Null => {
                return Err(Error::data(format!(
                    "Invalid default value {default} of a schema of type {}",
                    schema.schema_type.name()
                )));
            }
            read => Some(read),
        };
    }
    Ok(schema)
}

fn struct_of(fields: Vec<Field>) -> Result<Schema> {
    let fields = Fields::new(fields).map_err(|name| Error::data(format!("two fields would be called {name}")))?;
    Ok(Schema::required(SchemaType::Struct(fields)))
}
