//! The Parquet schema of an Avro schema, as parquet-avro makes it, and how its rows are read.

use std::{collections::HashMap, ops::Range, sync::Arc};

use connect_api::{Error, Result};
use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::ByteArray,
    schema::types::{Type, TypePtr},
};
use serde_json::Value as Json;

use super::plan::{Branch, Plan, Repeated, Union};

/// The Parquet schema, and where the values of its rows go.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) schema: TypePtr,
    pub(super) plan: Plan,
}

impl Layout {
    /// Where an array of it can hold null, all of its arrays have three levels, else two.
    ///
    /// # Errors
    /// `Data` where Parquet has no such schema.
    pub(super) fn of(avro: &Json) -> Result<Self> {
        let mut builder = Builder { has_optional_items: has_optional_items(avro), defined: HashMap::new(), columns: 0, depth: 0 };
        let name = full_name(avro, "");
        let (fields, plan) = builder.record(avro, "")?;
        if fields.is_empty() {
            return Err(empty_group(&format!("message {name} {{\n}}\n")));
        }
        let schema = Type::group_type_builder(&name).with_fields(fields).build().map_err(no_schema)?;
        Ok(Self { schema: Arc::new(schema), plan })
    }
}

struct Builder<'a> {
    has_optional_items: bool,
    /// Named types, with the namespace around them.
    defined: HashMap<String, (&'a Json, String)>,
    /// So far.
    columns: usize,
    /// Repeated groups around.
    depth: i16,
}

impl<'a> Builder<'a> {
    /// The fields of a record, and how they are read.
    fn record(&mut self, avro: &'a Json, around: &str) -> Result<(Vec<TypePtr>, Plan)> {
        let name = full_name(avro, around);
        let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        self.defined.insert(name.clone(), (avro, around.to_owned()));
        let (mut types, mut plans) = (Vec::new(), Vec::new());
        for field in avro["fields"].as_array().into_iter().flatten() {
            let (field_type, plan) = self.field(text(&field["name"]), &field["type"], Repetition::REQUIRED, inner)?;
            types.push(field_type);
            plans.push(plan);
        }
        Ok((types, Plan::Record(plans)))
    }

    fn field(&mut self, name: &str, avro: &'a Json, repetition: Repetition, around: &str) -> Result<(TypePtr, Plan)> {
        match kind(avro) {
            "union" => self.union(name, avro, repetition, around),
            "record" => {
                let (fields, plan) = self.record(avro, around)?;
                Ok((group(name, repetition, fields)?, plan))
            }
            "array" => self.array(name, &avro["items"], repetition, around),
            "map" => self.map(name, &avro["values"], repetition, around),
            "enum" | "fixed" => {
                self.defined.insert(full_name(avro, around), (avro, around.to_owned()));
                self.primitive(name, avro, repetition)
            }
            "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string" => self.primitive(name, avro, repetition),
            named => {
                let qualified = if around.is_empty() { named.to_owned() } else { format!("{around}.{named}") };
                let known = self.defined.get(&qualified).or_else(|| self.defined.get(named)).cloned();
                let (avro, around) = known.ok_or_else(|| Error::data(format!("the schema does not define its type {named}")))?;
                self.field(name, avro, repetition, &around)
            }
        }
    }

    fn primitive(&mut self, name: &str, avro: &Json, repetition: Repetition) -> Result<(TypePtr, Plan)> {
        let column = self.columns;
        self.columns += 1;
        let size = avro["size"].as_u64().and_then(|size| i32::try_from(size).ok()).unwrap_or(0);
        let (physical, plan) = match kind(avro) {
            "boolean" => (Physical::BOOLEAN, Plan::Boolean(column)),
            "int" => (Physical::INT32, Plan::Int32(column)),
            "long" => (Physical::INT64, Plan::Int64(column)),
            "float" => (Physical::FLOAT, Plan::Float(column)),
            "double" => (Physical::DOUBLE, Plan::Double(column)),
            "fixed" if size == 0 => {
                let wrong = Error::data(format!("Invalid FIXED_LEN_BYTE_ARRAY length: 0 of the field {name}"));
                return Err(wrong.with_class("java.lang.IllegalArgumentException"));
            }
            "fixed" => (Physical::FIXED_LEN_BYTE_ARRAY, Plan::Fixed(column, size.cast_unsigned() as usize)),
            "enum" => {
                let symbols = avro["symbols"].as_array().into_iter().flatten();
                (Physical::BYTE_ARRAY, Plan::Enum(column, symbols.map(|symbol| ByteArray::from(text(symbol))).collect()))
            }
            _ => (Physical::BYTE_ARRAY, Plan::Bytes(column)),
        };
        let number = |name: &str| avro[name].as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or(0);
        let logical = match (kind(avro), text(&avro["logicalType"])) {
            (_, "decimal") => Some(LogicalType::decimal(number("scale"), number("precision"))),
            (_, "date") => Some(LogicalType::Date),
            (_, "time-millis") => Some(LogicalType::time(true, TimeUnit::MILLIS)),
            (_, "timestamp-millis") => Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
            ("string", _) => Some(LogicalType::String),
            ("enum", _) => Some(LogicalType::Enum),
            _ => None,
        };
        let mut builder = Type::primitive_type_builder(name, physical).with_repetition(repetition).with_length(size);
        if matches!(logical, Some(LogicalType::Decimal(_))) {
            builder = builder.with_precision(number("precision")).with_scale(number("scale"));
        }
        Ok((Arc::new(builder.with_logical_type(logical).build().map_err(no_schema)?), plan))
    }

    /// Two levels, of which the inner one is the item; three where items can be null.
    fn array(&mut self, name: &str, items: &'a Json, repetition: Repetition, around: &str) -> Result<(TypePtr, Plan)> {
        let (field, plan) = self.repeated(|builder| {
            if !builder.has_optional_items {
                return builder.field("array", items, Repetition::REPEATED, around);
            }
            let (element, plan) = builder.field("element", items, Repetition::REQUIRED, around)?;
            Ok((group("list", Repetition::REPEATED, vec![element])?, plan))
        })?;
        let list = Type::group_type_builder(name).with_logical_type(Some(LogicalType::List));
        Ok((Arc::new(list.with_repetition(repetition).with_fields(vec![field]).build().map_err(no_schema)?), plan))
    }

    fn map(&mut self, name: &str, values: &'a Json, repetition: Repetition, around: &str) -> Result<(TypePtr, Plan)> {
        let (entry, plan) = self.repeated(|builder| {
            let (key, key_plan) = builder.primitive("key", &Json::from("string"), Repetition::REQUIRED)?;
            let (value, value_plan) = builder.field("value", values, Repetition::REQUIRED, around)?;
            let entry = Type::group_type_builder("key_value").with_converted_type(ConvertedType::MAP_KEY_VALUE);
            let entry = entry.with_repetition(Repetition::REPEATED).with_fields(vec![key, value]).build().map_err(no_schema)?;
            Ok((Arc::new(entry), Plan::Record(vec![key_plan, value_plan])))
        })?;
        let map = Type::group_type_builder(name).with_logical_type(Some(LogicalType::Map));
        Ok((Arc::new(map.with_repetition(repetition).with_fields(vec![entry]).build().map_err(no_schema)?), plan))
    }

    fn repeated(&mut self, items: impl FnOnce(&mut Self) -> Result<(TypePtr, Plan)>) -> Result<(TypePtr, Plan)> {
        self.depth += 1;
        let depth = self.depth;
        let ((field, items), columns) = self.spanning(items)?;
        self.depth -= 1;
        Ok((field, Plan::Repeated(Box::new(Repeated { items, columns, depth }))))
    }

    /// Null and one type is that type, and optional. Other unions are groups with an optional field for each type but null.
    fn union(&mut self, name: &str, avro: &'a Json, repetition: Repetition, around: &str) -> Result<(TypePtr, Plan)> {
        let types = avro.as_array().map(Vec::as_slice).unwrap_or_default();
        let null = types.iter().position(|branch| kind(branch) == "null");
        let repetition = if null.is_some() && repetition == Repetition::REQUIRED { Repetition::OPTIONAL } else { repetition };
        let others: Vec<_> = types.iter().filter(|branch| kind(branch) != "null").collect();
        match (&*others, null) {
            ([], _) => Err(Error::data("Cannot convert Avro union of only nulls")),
            ([only], Some(null)) => {
                let ((field, plan), columns) = self.spanning(|builder| builder.field(name, only, repetition, around))?;
                Ok((field, Plan::Optional(null, Box::new(Branch { plan, columns }))))
            }
            (others, null) => {
                let (members, columns) = self.spanning(|builder| {
                    let member = |(place, branch): (usize, &&'a Json)| {
                        let name = format!("member{place}");
                        let ((field, plan), columns) =
                            builder.spanning(|builder| builder.field(&name, branch, Repetition::OPTIONAL, around))?;
                        Ok((field, Branch { plan, columns }))
                    };
                    others.iter().enumerate().map(member).collect::<Result<Vec<_>>>()
                })?;
                let (fields, members) = members.into_iter().unzip();
                Ok((group(name, repetition, fields)?, Plan::Union(Union { null, members, columns })))
            }
        }
    }

    /// What `of` makes, and the columns that came with it.
    fn spanning<T>(&mut self, of: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Range<usize>)> {
        let first = self.columns;
        let made = of(self)?;
        Ok((made, first..self.columns))
    }
}

/// Whether an array anywhere in the schema can hold null.
fn has_optional_items(avro: &Json) -> bool {
    match kind(avro) {
        "union" => avro.as_array().into_iter().flatten().any(has_optional_items),
        "record" => avro["fields"].as_array().into_iter().flatten().any(|field| has_optional_items(&field["type"])),
        "map" => has_optional_items(&avro["values"]),
        "array" => {
            let is_null = |branch: &Json| kind(branch) == "null";
            avro["items"].as_array().is_some_and(|branches| branches.iter().any(is_null)) || has_optional_items(&avro["items"])
        }
        _ => false,
    }
}

fn group(name: &str, repetition: Repetition, fields: Vec<TypePtr>) -> Result<TypePtr> {
    if fields.is_empty() {
        return Err(empty_group(&format!("{} group {name} {{\n}}", repetition.to_string().to_lowercase())));
    }
    Ok(Arc::new(Type::group_type_builder(name).with_repetition(repetition).with_fields(fields).build().map_err(no_schema)?))
}

/// What the schema is, or the name that stands for it.
fn kind(avro: &Json) -> &str {
    match avro {
        Json::Array(_) => "union",
        Json::Object(avro) => avro.get("type").map_or("", kind),
        name => text(name),
    }
}

/// The name of a type with its namespace.
fn full_name(avro: &Json, around: &str) -> String {
    let name = text(&avro["name"]);
    match avro["namespace"].as_str().unwrap_or(around) {
        "" => name.to_owned(),
        namespace => format!("{namespace}.{name}"),
    }
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn empty_group(group: &str) -> Error {
    let class = "org.apache.parquet.schema.InvalidSchemaException";
    Error::data(format!("Cannot write a schema with an empty group: {group}")).with_class(class)
}

fn no_schema(error: parquet::errors::ParquetError) -> Error {
    Error::data("Parquet has no such schema").with_source(error)
}
