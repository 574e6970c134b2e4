//! The Avro schema of a Connect schema, as Confluent's `AvroData` makes it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use connect_api::{
    Error, Result,
    data::{Field, Schema, SchemaType},
};
use serde_json::{Map, Value as Json, json};

use super::{
    attributes::{logical, metadata},
    dialect::Dialect,
    json_default::json_default,
};
use crate::converter::{ENUM_DEFAULT, ENUM_DOC, FIELD_DEFAULT, UNION};

/// The namespace of what Connect has no name for.
pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
/// The number of a field that came from Protobuf: it is no part of the field's type, and a type may stand in several fields.
const PROTOBUF_TAG: &str = "io.confluent.connect.protobuf.Tag";
/// Words that stand for types: no name may be one of them where it has no namespace in front.
pub(crate) const TYPES: [&str; 14] =
    ["null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "fixed", "union"];

/// The fields of a union's types; `None` where the schema is none.
pub(super) fn union_fields(schema: &Schema) -> Option<&[Field]> {
    schema.fields().filter(|_| schema.name.as_deref() == Some(UNION)).map(|fields| &**fields)
}

/// The bytes that a value of the schema always has.
pub(super) fn fixed_size(schema: &Schema) -> Option<usize> {
    schema.parameter("connect.fixed.size")?.parse().ok()
}

/// The schema as JSON.
///
/// # Errors
/// `Data` where Avro has no such schema.
pub(in crate::format) fn avro_schema(schema: &Schema, dialect: Dialect) -> Result<Json> {
    let mut names = Names { dialect, defined: HashMap::new(), unnamed: 0 };
    names.of(schema, None)
}

struct Names {
    dialect: Dialect,
    /// Full names, with what they stand for.
    defined: HashMap<String, Schema>,
    /// Structs without a name so far.
    unnamed: usize,
}

impl Names {
    /// `namespace`: the one around it.
    fn of(&mut self, schema: &Schema, namespace: Option<&str>) -> Result<Json> {
        let base = match union_fields(schema) {
            Some(fields) => return self.union(schema, fields, namespace),
            None => self.required(schema, namespace)?,
        };
        Ok(match (&schema.default, schema.optional) {
            (_, false) => base,
            (Some(_), true) => json!([base, "null"]),
            (None, true) => json!(["null", base]),
        })
    }

    /// The types of a union; null comes first.
    ///
    /// # Errors
    /// `Data` where readers could not tell two of them apart.
    fn union(&mut self, schema: &Schema, fields: &[Field], namespace: Option<&str>) -> Result<Json> {
        let mut types: Vec<_> = fields.iter().map(|field| self.required(&field.schema, namespace)).collect::<Result<_>>()?;
        if schema.optional {
            types.insert(0, json!("null"));
        }
        let mut met = HashSet::new();
        match types.iter().find(|branch| !met.insert(branch_name(branch))) {
            Some(twice) => Err(Error::data(format!("Duplicate in union:{}", branch_name(twice)))
                .with_class("org.apache.avro.AvroRuntimeException")),
            None => Ok(Json::Array(types)),
        }
    }

    fn required(&mut self, schema: &Schema, namespace: Option<&str>) -> Result<Json> {
        let mut avro = match &schema.schema_type {
            SchemaType::Int8 => self.number("int", "int8"),
            SchemaType::Int16 => self.number("int", "int16"),
            SchemaType::Int32 => of_type("int"),
            SchemaType::Int64 => of_type("long"),
            SchemaType::Float32 => of_type("float"),
            SchemaType::Float64 => of_type("double"),
            SchemaType::Boolean => of_type("boolean"),
            SchemaType::String => match self.dialect.symbols(schema).map(Iterator::collect::<Vec<_>>) {
                Some(symbols) => {
                    let full_name = schema.parameter("io.confluent.connect.avro.Enum").or(schema.name.as_deref()).unwrap_or("Enum");
                    match self.define(full_name, schema, namespace)? {
                        Definition::Known(name) => return Ok(name),
                        Definition::New(mut avro, _) => {
                            avro.insert("type".to_owned(), json!("enum"));
                            avro.insert("symbols".to_owned(), json!(symbols));
                            let simple = full_name.rsplit('.').next().unwrap_or(full_name);
                            for (parameter, attribute) in [(ENUM_DOC, "doc"), (ENUM_DEFAULT, "default")] {
                                if let Some(text) = schema.parameter(&format!("{parameter}{simple}")) {
                                    avro.insert(attribute.to_owned(), json!(text));
                                }
                            }
                            avro
                        }
                    }
                }
                None => of_type("string"),
            },
            SchemaType::Bytes => match fixed_size(schema) {
                Some(size) => {
                    let full_name = self.fixed_name(schema);
                    match self.define(&full_name, schema, namespace)? {
                        Definition::Known(name) => return Ok(name),
                        Definition::New(mut avro, _) => {
                            avro.insert("type".to_owned(), json!("fixed"));
                            avro.insert("size".to_owned(), json!(size));
                            avro
                        }
                    }
                }
                None => of_type("bytes"),
            },
            SchemaType::Array(items) => {
                let mut avro = of_type("array");
                avro.insert("items".to_owned(), self.of(items, namespace)?);
                avro
            }
            SchemaType::Map(keys, values) if self.dialect.is_map(keys) => {
                let mut avro = of_type("map");
                avro.insert("values".to_owned(), self.of(values, namespace)?);
                avro
            }
            SchemaType::Map(keys, values) => {
                let mut avro = of_type("array");
                avro.insert("items".to_owned(), self.entries(schema, keys, values, namespace)?);
                avro
            }
            SchemaType::Struct(fields) => match self.record(schema, fields, namespace)? {
                Definition::Known(name) => return Ok(name),
                Definition::New(avro, _) => avro,
            },
            other => return Err(Error::data(format!("Avro has no type for {}", other.name()))),
        };
        logical(schema, &mut avro)?;
        if self.dialect.has_metadata {
            metadata(schema, &mut avro)?;
        }
        // A type alone is written as a word.
        let is_bare = avro.len() == 1 && !matches!(schema.schema_type, SchemaType::Struct(_));
        Ok(if is_bare { avro.remove("type").unwrap_or_default() } else { Json::Object(avro) })
    }

    fn number(&self, avro: &str, connect: &str) -> Map<String, Json> {
        let mut avro = of_type(avro);
        if self.dialect.has_metadata {
            avro.insert("connect.type".to_owned(), json!(connect));
        }
        avro
    }

    fn record(&mut self, schema: &Schema, fields: &[Field], namespace: Option<&str>) -> Result<Definition> {
        let full_name = schema.name.as_deref().map_or_else(|| self.unnamed(schema), str::to_owned);
        let (mut avro, inner) = match self.define(&full_name, schema, namespace)? {
            Definition::New(avro, inner) => (avro, inner),
            known @ Definition::Known(_) => return Ok(known),
        };
        let docs = ["connect.record.doc", "io.confluent.connect.avro.record.doc"];
        let doc = docs.into_iter().find_map(|parameter| schema.parameter(parameter));
        if let Some(doc) = doc.filter(|_| self.dialect.has_metadata) {
            avro.insert("doc".to_owned(), json!(doc));
        }
        let mut members = Vec::with_capacity(fields.len());
        for field in fields {
            check_name(&field.name)?;
            let mut member = Map::new();
            member.insert("name".to_owned(), json!(&*field.name));
            member.insert("type".to_owned(), self.of(&field.schema, inner.as_deref())?);
            match &field.schema.default {
                Some(_) if field.schema.optional && union_fields(&field.schema).is_some() => {
                    member.insert("default".to_owned(), Json::Null);
                }
                Some(default) => {
                    member.insert("default".to_owned(), json_default(&field.schema, default)?);
                }
                None if field.schema.optional => {
                    member.insert("default".to_owned(), Json::Null);
                }
                None => {}
            }
            if let Some(doc) = schema.parameter(&format!("{NAMESPACE}.field.doc.{}", field.name)) {
                member.insert("doc".to_owned(), json!(doc));
            }
            members.push(Json::Object(member));
        }
        avro.insert("fields".to_owned(), Json::Array(members));
        Ok(Definition::New(avro, inner))
    }

    /// The record of a map's entries.
    fn entries(&mut self, map: &Schema, keys: &Arc<Schema>, values: &Arc<Schema>, namespace: Option<&str>) -> Result<Json> {
        let field = |name: &str, schema: &Arc<Schema>| Field { name: name.into(), schema: Arc::clone(schema) };
        let fields = connect_api::data::Fields::new(vec![field("key", keys), field("value", values)]).unwrap_or_default();
        let entry = Schema::required(SchemaType::Struct(fields.clone()));
        let full_name = match &map.name {
            Some(name) => name.to_string(),
            None => self.free_name("MapEntry", &entry),
        };
        match self.record(&entry.named(full_name), &fields, namespace)? {
            Definition::Known(name) => Ok(name),
            Definition::New(mut avro, _) => {
                if map.name.is_some() {
                    avro.insert("connect.internal.type".to_owned(), json!("MapEntry"));
                }
                Ok(Json::Object(avro))
            }
        }
    }

    /// All decimals have one name in Connect, and those that differ none in Avro that is the same.
    fn fixed_name(&self, schema: &Schema) -> String {
        let name = schema.name.as_deref().unwrap_or("Fixed");
        let numbered = |number: usize| if number == 1 { name.to_owned() } else { format!("{name}{number}") };
        let is_free = |name: &String| self.defined.get(name).is_none_or(|known| alike(known) == alike(schema));
        if schema.logical_type().is_none() { name.to_owned() } else { (1..).map(numbered).find(is_free).unwrap_or_default() }
    }

    /// A name of Confluent's that is free, or that stands for the same already.
    fn free_name(&self, name: &str, schema: &Schema) -> String {
        let numbered =
            |number: usize| if number == 1 { format!("{NAMESPACE}.{name}") } else { format!("{NAMESPACE}.{name}{number}") };
        let is_free = |name: &String| self.defined.get(name).is_none_or(|known| known.schema_type == schema.schema_type);
        (1..).map(numbered).find(is_free).unwrap_or_default()
    }

    fn unnamed(&mut self, schema: &Schema) -> String {
        let known = self.defined.iter().find(|(name, known)| name.starts_with(NAMESPACE) && *known == schema);
        if let Some((name, _)) = known {
            return name.clone();
        }
        self.unnamed += 1;
        if self.unnamed == 1 {
            format!("{NAMESPACE}.ConnectDefault")
        } else {
            format!("{NAMESPACE}.ConnectDefault{}", self.unnamed)
        }
    }

    /// # Errors
    /// `Data` where the name is none in Avro, or stands for something else already.
    fn define(&mut self, full_name: &str, schema: &Schema, around: Option<&str>) -> Result<Definition> {
        let (namespace, name) = full_name.rsplit_once('.').map_or((None, full_name), |(namespace, name)| (Some(namespace), name));
        check_name(name)?;
        namespace.into_iter().flat_map(|namespace| namespace.split('.')).try_for_each(check_name)?;
        let is_ambiguous = |around: &str| self.defined.contains_key(&format!("{around}.{name}"));
        if namespace.is_none() && (TYPES.contains(&name) || around.is_some_and(is_ambiguous)) {
            return Err(Error::data(format!(
                "Schemas may not be named after primitives, or after others around them: {full_name}"
            ))
            .with_class("org.apache.avro.SchemaParseException"));
        }
        if let Some(known) = self.defined.get(full_name) {
            // Whether null is allowed stands beside the type.
            let is_same = alike(known) == alike(schema) && self.has_same_symbols(known, schema);
            let name = if namespace == around && !TYPES.contains(&name) { name } else { full_name };
            return if is_same {
                Ok(Definition::Known(json!(name)))
            } else {
                Err(Error::data(format!("Can't redefine: {full_name}")).with_class("org.apache.avro.SchemaParseException"))
            };
        }
        self.defined.insert(full_name.to_owned(), schema.clone());
        let mut avro = of_type("record");
        avro.insert("name".to_owned(), json!(name));
        if namespace != around {
            avro.insert("namespace".to_owned(), json!(namespace.unwrap_or_default()));
        }
        Ok(Definition::New(avro, namespace.map(str::to_owned)))
    }
}

impl Names {
    /// Whether the enums of two schemas that are alike have their symbols in the same order: they are written as numbers.
    fn has_same_symbols(&self, one: &Schema, other: &Schema) -> bool {
        let symbols = |schema| self.dialect.symbols(schema).map(Iterator::collect::<Vec<_>>);
        let inner = match (&one.schema_type, &other.schema_type) {
            (SchemaType::Struct(one), SchemaType::Struct(other)) => {
                one.iter().zip(other.iter()).all(|(one, other)| self.has_same_symbols(&one.schema, &other.schema))
            }
            (SchemaType::Array(one), SchemaType::Array(other)) => self.has_same_symbols(one, other),
            (SchemaType::Map(keys, values), SchemaType::Map(other_keys, other_values)) => {
                self.has_same_symbols(keys, other_keys) && self.has_same_symbols(values, other_values)
            }
            _ => true,
        };
        inner && symbols(one) == symbols(other)
    }
}

/// A schema without what its field says of it.
fn alike(schema: &Schema) -> Schema {
    let mut schema = Schema { optional: false, default: None, ..schema.clone() };
    schema.parameters.retain(|(name, _)| ![FIELD_DEFAULT, PROTOBUF_TAG].contains(&&**name));
    schema
}

/// What a name stands for.
enum Definition {
    /// It was defined before: the name is enough.
    Known(Json),
    /// The beginning of its definition, and the namespace in it.
    New(Map<String, Json>, Option<String>),
}

/// What tells a type from others in a union: its full name, or its kind.
fn branch_name(branch: &Json) -> String {
    let text = |name: &str| branch.get(name).and_then(Json::as_str);
    match (text("name"), text("namespace")) {
        (Some(name), Some(namespace)) => format!("{namespace}.{name}"),
        (Some(name), None) => name.to_owned(),
        _ => text("type").or(branch.as_str()).unwrap_or_default().to_owned(),
    }
}

fn of_type(name: &str) -> Map<String, Json> {
    Map::from_iter([("type".to_owned(), json!(name))])
}

/// Letters of all languages, as Java's: readers of other languages take fewer.
fn check_name(name: &str) -> Result<()> {
    let is_fine = |character: char| character.is_alphanumeric() || character == '_';
    let what = match name.chars().next() {
        None => "Empty name".to_owned(),
        Some(first) if !first.is_alphabetic() && first != '_' => format!("Illegal initial character: {name}"),
        _ if name.chars().all(is_fine) => return Ok(()),
        _ => format!("Illegal character in: {name}"),
    };
    Err(Error::data(what).with_class("org.apache.avro.SchemaParseException"))
}

#[cfg(test)]
mod tests {
    use connect_api::data::{Fields, LogicalType, Value};

    use super::*;

    const DIALECT: Dialect = Dialect { has_metadata: true, has_enums: true, allows_optional_keys: false };

    fn of(schema_type: SchemaType) -> Schema {
        Schema::required(schema_type)
    }

    fn record(fields: &[(&str, Schema)]) -> Schema {
        let fields = fields.iter().map(|(name, schema)| Field { name: (*name).into(), schema: Arc::new(schema.clone()) });
        of(SchemaType::Struct(Fields::new(fields.collect()).unwrap()))
    }

    fn avro(schema: &Schema) -> Json {
        avro_schema(schema, DIALECT).unwrap()
    }

    #[test]
    fn single_types_are_words_unless_connect_knows_more() {
        assert_eq!(avro(&of(SchemaType::Int64)), json!("long"));
        assert_eq!(avro(&of(SchemaType::Int8)), json!({"type": "int", "connect.type": "int8"}));
        let plain = Dialect { has_metadata: false, ..DIALECT };
        assert_eq!(avro_schema(&of(SchemaType::Int8), plain).unwrap(), json!("int"));
        assert_eq!(avro(&Schema { optional: true, ..of(SchemaType::String) }), json!(["null", "string"]));
        let defaulted = Schema { optional: true, default: Some(Value::Int32(7)), ..of(SchemaType::Int32) };
        assert_eq!(avro(&defaulted), json!([{"type": "int", "connect.default": 7}, "null"]));
    }

    #[test]
    fn one_message_of_protobuf_may_stand_in_two_fields() {
        let money = |tag: &str| Schema {
            parameters: vec![(PROTOBUF_TAG.into(), tag.into())],
            ..record(&[("cents", of(SchemaType::Int64))]).named("Money")
        };
        let schema = avro(&record(&[("price", money("1")), ("tax", money("2"))]));
        assert_eq!(schema["fields"][1]["type"], "Money");
    }

    fn union(fields: &[(&str, Schema)]) -> Schema {
        Schema { optional: true, ..record(fields).named(UNION) }
    }

    #[test]
    fn a_union_has_null_first_and_no_two_types_that_readers_cannot_tell_apart() {
        let optional = |schema| Schema { optional: true, ..of(schema) };
        let schema = union(&[("int", optional(SchemaType::Int32)), ("string", optional(SchemaType::String))]);
        assert_eq!(avro(&schema), json!(["null", "int", "string"]));
        let defaulted = Schema { default: Some(Value::Struct(vec![Value::Int32(7), Value::Null])), ..schema };
        assert_eq!(
            avro(&record(&[("u", defaulted)]))["fields"],
            json!([{ "name": "u", "type": ["null", "int", "string"], "default": null }])
        );
        let twice = union(&[("a", optional(SchemaType::Int8)), ("b", optional(SchemaType::Int32))]);
        assert_eq!(avro_schema(&twice, DIALECT).unwrap_err().to_string(), "Duplicate in union:int");
    }

    #[test]
    fn one_type_may_have_a_default_in_one_field_and_none_in_another() {
        let symbols = [("io.confluent.connect.avro.Enum", "n.E"), ("io.confluent.connect.avro.Enum.A", "A")];
        let parameters: Vec<(Arc<str>, Arc<str>)> = symbols.map(|(name, value)| (name.into(), value.into())).to_vec();
        let plain = Schema { parameters, ..of(SchemaType::String).named("n.E") };
        let mut defaulted = Schema { default: Some(Value::String("A".into())), ..plain.clone() };
        defaulted.parameters.push((FIELD_DEFAULT.into(), "true".into()));
        let schema = avro(&record(&[("a", defaulted), ("b", plain)]));
        assert_eq!((&schema["fields"][0]["default"], &schema["fields"][1]["type"]), (&json!("A"), &json!("n.E")));
        assert_eq!(schema["fields"][0]["type"]["connect.default"], Json::Null, "it goes back to its field alone");
    }

    #[test]
    fn logical_types_say_so() {
        let decimal = Schema { parameters: vec![("scale".into(), "2".into())], ..of(SchemaType::Bytes) };
        assert_eq!(
            avro(&decimal.named(LogicalType::Decimal.name())),
            json!({"type": "bytes", "scale": 2, "precision": 64, "logicalType": "decimal", "connect.parameters": {"scale": "2"},
                   "connect.name": "org.apache.kafka.connect.data.Decimal"})
        );
        let plain = Dialect { has_metadata: false, ..DIALECT };
        for (schema_type, logical_type, expected) in [
            (SchemaType::Int32, LogicalType::Date, json!({"type": "int", "logicalType": "date"})),
            (SchemaType::Int32, LogicalType::Time, json!({"type": "int", "logicalType": "time-millis"})),
            (SchemaType::Int64, LogicalType::Timestamp, json!({"type": "long", "logicalType": "timestamp-millis"})),
        ] {
            assert_eq!(avro_schema(&of(schema_type).named(logical_type.name()), plain).unwrap(), expected);
        }
    }

    #[test]
    fn structs_without_a_name_get_one_and_equal_ones_the_same() {
        let inner = record(&[("b", of(SchemaType::Int32))]);
        let other = record(&[("c", of(SchemaType::Int32))]);
        let outer = avro(&record(&[("n", inner.clone()), ("m", inner), ("o", other)]));
        assert_eq!(outer["name"], "ConnectDefault");
        assert_eq!(outer["namespace"], NAMESPACE);
        assert_eq!(outer["fields"][0]["type"]["name"], "ConnectDefault2");
        assert_eq!(outer["fields"][0]["type"].get("namespace"), None);
        assert_eq!(outer["fields"][1]["type"], "ConnectDefault2");
        assert_eq!(outer["fields"][2]["type"]["name"], "ConnectDefault3");
    }

    #[test]
    fn a_name_for_two_things_is_refused() {
        let one = record(&[("a", of(SchemaType::Int32))]).named("x.r");
        let two = record(&[("a", of(SchemaType::Int64))]).named("x.r");
        let error = avro_schema(&record(&[("one", one), ("two", two)]), DIALECT).unwrap_err();
        assert_eq!(error.to_string(), "Can't redefine: x.r");
    }

    #[test]
    fn names_that_avro_does_not_have_are_refused() {
        for (name, says) in [("a-b", "Illegal character in: a-b"), ("", "Empty name"), ("1a", "Illegal initial character: 1a")] {
            let error = avro_schema(&record(&[(name, of(SchemaType::Int32))]), DIALECT).unwrap_err();
            assert_eq!(error.class(), "org.apache.avro.SchemaParseException", "{name}");
            assert_eq!(error.to_string(), says);
        }
        for name in ["größe", "日本", "_1"] {
            assert!(avro_schema(&record(&[(name, of(SchemaType::Int32))]), DIALECT).is_ok(), "{name}");
        }
    }
}
