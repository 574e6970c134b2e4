//! The Connect schema of an Avro schema, as Confluent's `AvroData` makes it.

use std::{collections::HashMap, sync::Arc};

use connect_api::{
    Error, Result,
    data::{Field, Fields, LogicalType, Schema, SchemaType, Text},
};
use serde_json::{Map, Value as Json};

use super::{
    attributes::{ENUM_DEFAULT, ENUM_DOC, Place, Read, Size, UNION, finish, logical_schema, named},
    plan::Plan,
};

/// The namespace of what Connect has no name for.
pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
/// What records of a map's entries are called.
const MAP_ENTRY: &str = "MapEntry";
/// Deeper ones could exhaust the stack.
const DEEPEST: usize = 200;
/// Types in a schema, those of a name once for each place where it stands. More could exhaust memory.
const MOST_TYPES: usize = 100_000;
/// What decides how schemas are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// `enhanced.avro.schema.support`
    pub(super) has_full_names: bool,
    /// `flatten.singleton.unions`
    pub(super) flattens_single_unions: bool,
}

/// Reads schemas. Names that were defined once are known from then on.
#[derive(Debug)]
pub(super) struct SchemaReader {
    dialect: Dialect,
    /// By full name; nothing while it is being read.
    defined: HashMap<String, Option<Read>>,
}

impl SchemaReader {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, defined: HashMap::new() }
    }

    /// Reads a schema; what it defines may be named by schemas that are read later.
    ///
    /// # Errors
    /// `Data` where it is none, or Connect has no such schema.
    pub(super) fn read(&mut self, text: &str) -> Result<Read> {
        let json = serde_json::from_str(text)
            .or_else(|error| if is_name(text) { Ok(Json::String(text.to_owned())) } else { Err(error) })
            .map_err(|error| Error::data("the Avro schema is no JSON, or has more levels than can be read").with_source(error))?;
        self.any(&json, Place::default())
    }

    fn any(&mut self, json: &Json, place: Place<'_>) -> Result<Read> {
        if place.level > DEEPEST {
            return Err(Error::data(format!("the schema has more than {DEEPEST} levels")));
        }
        let read = match json {
            Json::String(name) => match self.primitive(name, &Map::new(), place)? {
                Some(read) => read,
                None => self.named(name, place)?,
            },
            Json::Array(branches) => self.union(branches, place)?,
            Json::Object(object) => self.object(object, place)?,
            _ => return Err(Error::data(format!("No type: {json}")).with_class("org.apache.avro.SchemaParseException")),
        };
        if read.size.types > MOST_TYPES {
            return Err(Error::data(format!("the schema has more than {MOST_TYPES} types")));
        }
        if place.level + read.size.depth > DEEPEST {
            return Err(Error::data(format!("the schema has more than {DEEPEST} levels")));
        }
        Ok(read)
    }

    fn object(&mut self, object: &Map<String, Json>, place: Place<'_>) -> Result<Read> {
        let kind = match object.get("type") {
            Some(Json::String(kind)) => kind.as_str(),
            Some(inner @ (Json::Object(_) | Json::Array(_))) => return self.any(inner, Place { level: place.level + 1, ..place }),
            _ => return Err(no_schema("No type", object)),
        };
        match kind {
            "record" | "error" => self.define(object, place, Self::record),
            "enum" => self.define(object, place, Self::symbols),
            "fixed" => self.define(object, place, Self::fixed),
            "array" => {
                let items = object.get("items").ok_or_else(|| no_schema("Array has no items type", object))?;
                let items = self.any(items, place.inside(place.namespace))?;
                let size = Size::around([items.size]);
                if !items.is_map_entry {
                    let plan = Plan::Array(Arc::new(items.plan));
                    let schema = Schema::required(SchemaType::Array(Arc::new(items.schema)));
                    return Ok(finish(object, schema, plan, size, place));
                }
                let no_entry = || Error::data("a MapEntry must be a record of exactly the fields key and value");
                let (SchemaType::Struct(fields), Plan::Record(plans)) = (&items.schema.schema_type, &items.plan) else {
                    return Err(no_entry());
                };
                let place_of = |name| fields.find(name, 0).filter(|_| fields.len() == 2).ok_or_else(no_entry);
                let (key, value) = (place_of("key")?, place_of("value")?);
                let plan = Plan::Entries(Arc::new((plans[key].clone(), plans[value].clone())), key > value);
                let map = SchemaType::Map(Arc::clone(&fields[key].schema), Arc::clone(&fields[value].schema));
                Ok(finish(object, Schema::required(map), plan, size, place))
            }
            "map" => {
                let values = object.get("values").ok_or_else(|| no_schema("Map has no values type", object))?;
                let values = self.any(values, place.inside(place.namespace))?;
                let keys = Arc::new(Schema::required(SchemaType::String));
                let (plan, size) = (Plan::Map(Arc::new(values.plan)), Size::around([values.size]));
                let schema = Schema::required(SchemaType::Map(keys, Arc::new(values.schema)));
                Ok(finish(object, schema, plan, size, place))
            }
            name => match self.primitive(name, object, place)? {
                Some(read) => Ok(read),
                None => self.named(name, place),
            },
        }
    }

    /// A type that has no parts; nothing where the name is none of Avro's.
    fn primitive(&self, name: &str, object: &Map<String, Json>, place: Place<'_>) -> Result<Option<Read>> {
        let text = |name: &str| object.get(name).and_then(Json::as_str);
        let (logical, connect) = (text("logicalType"), text("connect.type"));
        let (schema_type, plan) = match (name, connect) {
            ("boolean", _) => (SchemaType::Boolean, Plan::Boolean),
            ("int", Some("int8")) => (SchemaType::Int8, Plan::Int8),
            ("int", Some("int16")) => (SchemaType::Int16, Plan::Int16),
            ("int", _) => (SchemaType::Int32, Plan::Int32),
            ("long", _) => (SchemaType::Int64, Plan::Int64),
            ("float", _) => (SchemaType::Float32, Plan::Float32),
            ("double", _) => (SchemaType::Float64, Plan::Float64),
            ("string", _) => (SchemaType::String, Plan::String),
            ("bytes", _) => (SchemaType::Bytes, Plan::Bytes),
            ("null", _) => return Err(Error::data("Standalone null schemas are not supported by this converter")),
            _ => return Ok(None),
        };
        let logical = match (&schema_type, logical) {
            (SchemaType::Int32, Some("date")) => Some(LogicalType::Date),
            (SchemaType::Int32, Some("time-millis")) => Some(LogicalType::Time),
            (SchemaType::Int64, Some("timestamp-millis")) => Some(LogicalType::Timestamp),
            (SchemaType::Bytes, Some("decimal")) => Some(LogicalType::Decimal),
            _ => None,
        };
        Ok(Some(finish(object, logical_schema(schema_type, logical, object)?, plan, Size::ONE, place)))
    }

    /// What a name stands for.
    fn named(&mut self, name: &str, place: Place<'_>) -> Result<Read> {
        let full_name = qualified(name, place.namespace);
        let known = self.defined.get(&full_name).or_else(|| self.defined.get(name));
        match known {
            Some(Some(read)) => Ok(read.clone().at(place)),
            Some(None) => {
                Err(Error::data(format!("the record {full_name} contains itself: schemas without an end are not supported")))
            }
            None => {
                Err(Error::data(format!("\"{name}\" is not a defined name")).with_class("org.apache.avro.SchemaParseException"))
            }
        }
    }

    /// Reads a type that has a name, and remembers it.
    fn define(
        &mut self,
        object: &Map<String, Json>,
        place: Place<'_>,
        read: impl FnOnce(&mut Self, &Map<String, Json>, &str, Place<'_>) -> Result<Read>,
    ) -> Result<Read> {
        let name = object.get("name").and_then(Json::as_str).ok_or_else(|| no_schema("No name in schema", object))?;
        let namespace = object.get("namespace").and_then(Json::as_str).or(place.namespace);
        let full_name = qualified(name, namespace);
        if self.defined.contains_key(&full_name) {
            return Err(Error::data(format!("Can't redefine: {full_name}")).with_class("org.apache.avro.SchemaParseException"));
        }
        self.defined.insert(full_name.clone(), None);
        let namespace = full_name.rsplit_once('.').map(|(namespace, _)| namespace.to_owned());
        let required = read(self, object, &full_name, place.inside(namespace.as_deref()))?;
        self.defined.insert(full_name.clone(), Some(required.clone()));
        Ok(required.at(place))
    }

    fn record(&mut self, object: &Map<String, Json>, full_name: &str, inside: Place<'_>) -> Result<Read> {
        let members = object.get("fields").and_then(Json::as_array).ok_or_else(|| no_schema("Record has no fields", object))?;
        let (mut fields, mut plans, mut sizes) = (Vec::with_capacity(members.len()), Vec::with_capacity(members.len()), Vec::new());
        let mut parameters: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        if let Some(doc) = object.get("doc").and_then(Json::as_str) {
            parameters.push((format!("{NAMESPACE}.record.doc").into(), doc.into()));
        }
        for member in members {
            let text = |name: &str| member.get(name).and_then(Json::as_str);
            let name = text("name").ok_or_else(|| no_schema("No field name", object))?;
            let field_type = member.get("type").ok_or_else(|| no_schema("No field type", object))?;
            let place = Place { default: member.get("default"), ..inside };
            let read = self.any(field_type, place).map_err(|error| error.context(format!("the field {name}")))?;
            sizes.push(read.size);
            if let Some(doc) = text("doc") {
                parameters.push((format!("{NAMESPACE}.field.doc.{name}").into(), doc.into()));
            }
            fields.push(Field { name: name.into(), schema: Arc::new(read.schema) });
            plans.push(read.plan);
        }
        let fields = Fields::new(fields).map_err(|name| Error::data(format!("Duplicate field {name} in record {full_name}")))?;
        let schema = Schema { parameters, ..Schema::required(SchemaType::Struct(fields)) };
        let read = finish(object, named(schema, full_name), Plan::Record(plans.into()), Size::around(sizes), Place::default());
        let says_so = object.get("connect.internal.type").is_some_and(|kind| kind == MAP_ENTRY);
        Ok(Read { is_map_entry: says_so || full_name == format!("{NAMESPACE}.{MAP_ENTRY}"), ..read })
    }

    fn symbols(&mut self, object: &Map<String, Json>, full_name: &str, _inside: Place<'_>) -> Result<Read> {
        const ENUM: &str = "io.confluent.connect.avro.Enum";
        let symbols = object.get("symbols").and_then(Json::as_array).ok_or_else(|| no_schema("Enum has no symbols", object))?;
        let symbols: Option<Vec<&str>> = symbols.iter().map(Json::as_str).collect();
        let symbols = symbols.ok_or_else(|| no_schema("Enum has symbols that are no texts", object))?;
        let mut parameters: Vec<(Arc<str>, Arc<str>)> = vec![(ENUM.into(), full_name.into())];
        parameters.extend(symbols.iter().map(|symbol| (format!("{ENUM}.{symbol}").into(), (*symbol).into())));
        let simple = full_name.rsplit('.').next().unwrap_or(full_name);
        for (parameter, attribute) in [(ENUM_DOC, "doc"), (ENUM_DEFAULT, "default")] {
            if let Some(text) = object.get(attribute).and_then(Json::as_str) {
                parameters.push((format!("{parameter}{simple}").into(), text.into()));
            }
        }
        let schema = Schema { parameters, ..Schema::required(SchemaType::String) };
        let size = Size { types: 1 + symbols.len(), ..Size::ONE };
        let plan = Plan::Enum(symbols.into_iter().map(|symbol| Text::from(symbol.to_owned())).collect());
        Ok(finish(object, named(schema, full_name), plan, size, Place::default()))
    }

    fn fixed(&mut self, object: &Map<String, Json>, full_name: &str, _inside: Place<'_>) -> Result<Read> {
        let size = object.get("size").and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| no_schema("Invalid or no size", object))?;
        let parameter = ("connect.fixed.size".into(), size.to_string().into());
        if object.get("logicalType").and_then(Json::as_str) == Some("decimal") {
            let mut schema = logical_schema(SchemaType::Bytes, Some(LogicalType::Decimal), object)?;
            schema.parameters.push(parameter);
            return Ok(finish(object, schema, Plan::Fixed(size), Size::ONE, Place::default()));
        }
        let schema = Schema { parameters: vec![parameter], ..Schema::required(SchemaType::Bytes) };
        Ok(finish(object, named(schema, full_name), Plan::Fixed(size), Size::ONE, Place::default()))
    }

    fn union(&mut self, branches: &[Json], place: Place<'_>) -> Result<Read> {
        let is_null = |branch: &Json| branch == "null" || branch.get("type").is_some_and(|kind| kind == "null");
        let inside = place.inside(place.namespace);
        match branches {
            [null, branch] | [branch, null] if is_null(null) && !is_null(branch) => {
                let read = self.any(branch, Place { optional: true, ..inside })?;
                let at = usize::from(!is_null(&branches[0]));
                return Ok(Read {
                    plan: Plan::Optional(at, Arc::new(read.plan)),
                    size: Size::around([read.size]),
                    is_map_entry: false,
                    ..read
                });
            }
            [branch] if self.dialect.flattens_single_unions && !is_null(branch) => {
                let read = self.any(branch, Place { optional: place.optional, ..inside })?;
                return Ok(Read {
                    plan: Plan::Single(Arc::new(read.plan)),
                    size: Size::around([read.size]),
                    is_map_entry: false,
                    ..read
                });
            }
            _ => {}
        }
        let (mut fields, mut plans, mut sizes, mut optional) =
            (Vec::new(), Vec::with_capacity(branches.len()), Vec::new(), place.optional);
        for branch in branches {
            if is_null(branch) {
                optional = true;
                plans.push(None);
                continue;
            }
            let read = self.any(branch, Place { optional: true, ..inside })?;
            sizes.push(read.size);
            fields.push(Field { name: self.branch_name(branch, place.namespace)?.into(), schema: Arc::new(read.schema) });
            plans.push(Some(read.plan));
        }
        let fields = Fields::new(fields)
            .map_err(|name| Error::data(format!("Multiple union schemas map to the Connect union field name {name}")))?;
        let schema = Schema::required(SchemaType::Struct(fields)).named(UNION);
        let size = Size::around(sizes);
        Ok(Read { schema, plan: Plan::Union(plans.into()), size, is_map_entry: false }.at(Place { optional, ..place }))
    }

    /// How Connect calls the field of a branch.
    fn branch_name(&self, branch: &Json, namespace: Option<&str>) -> Result<String> {
        let name = match branch {
            Json::String(name) => name,
            Json::Object(object) => {
                let kind = object.get("type").and_then(Json::as_str).unwrap_or_default();
                match object.get("name").and_then(Json::as_str) {
                    Some(name) if ["record", "error", "enum", "fixed"].contains(&kind) => {
                        let namespace = object.get("namespace").and_then(Json::as_str).or(namespace);
                        return Ok(self.name_of_field(&qualified(name, namespace)));
                    }
                    _ => return Ok(kind.to_owned()),
                }
            }
            _ => {
                return Err(
                    Error::data("a union must not stand in a union directly").with_class("org.apache.avro.AvroRuntimeException")
                );
            }
        };
        let full_name = qualified(name, namespace);
        let known = if self.defined.contains_key(&full_name) { &full_name } else { name };
        Ok(if self.defined.contains_key(known) { self.name_of_field(known) } else { name.to_owned() })
    }

    fn name_of_field(&self, full_name: &str) -> String {
        let simple = full_name.rsplit('.').next().unwrap_or(full_name);
        (if self.dialect.has_full_names { full_name } else { simple }).to_owned()
    }
}

/// A name with its namespace. One with a dot has it already.
fn qualified(name: &str, namespace: Option<&str>) -> String {
    match namespace.filter(|namespace| !namespace.is_empty() && !name.contains('.')) {
        Some(namespace) => format!("{namespace}.{name}"),
        None => name.to_owned(),
    }
}

/// The full name of the type that a schema's text defines, where it has one.
pub(super) fn full_name(text: &str) -> Option<String> {
    let json: Json = serde_json::from_str(text).ok()?;
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    Some(qualified(text("name")?, text("namespace")))
}

/// Whether a schema's text is a name without quotes, as some registries have it.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

pub(super) fn no_schema(what: &str, object: impl std::fmt::Debug) -> Error {
    let mut shown = format!("{object:?}");
    shown.truncate(shown.char_indices().nth(200).map_or(shown.len(), |(at, _)| at));
    Error::data(format!("{what}: {shown}")).with_class("org.apache.avro.SchemaParseException")
}
