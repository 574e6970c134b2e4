//! What Avro schemas say beside types: names, documentation, defaults, logical types, and what Connect has added.

use connect_api::{
    Result,
    data::{LogicalType, Schema, SchemaType},
};
use serde_json::{Map, Value as Json};

use super::{
    default::default_value,
    plan::Plan,
    schema::{NAMESPACE, no_schema},
};

/// Marks a default that the schema of a field has, and not the field's type.
pub(crate) const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
/// What Connect calls a union: a struct of one field for each of its types.
pub(crate) const UNION: &str = "io.confluent.connect.avro.Union";
/// With an enum's simple name behind them: its documentation and its default.
pub(crate) const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
pub(crate) const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
/// The precision that is not worth a parameter.
const DEFAULT_PRECISION: i64 = 64;

/// A schema with what its values need.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) schema: Schema,
    pub(super) plan: Plan,
    pub(super) size: Size,
    /// It is a record of a key and a value of a Connect map.
    pub(super) is_map_entry: bool,
}

/// How much a schema is once all its names are replaced by what they stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Types in it; each symbol of an enum counts as one.
    pub(super) types: usize,
    /// Levels of types in it.
    pub(super) depth: usize,
}

impl Size {
    pub(super) const ONE: Self = Self { types: 1, depth: 1 };

    /// Of a type around others.
    pub(super) fn around(inside: impl IntoIterator<Item = Self>) -> Self {
        let deepest = |size: Self, inside: Self| Self {
            types: size.types.saturating_add(inside.types),
            depth: size.depth.max(inside.depth + 1),
        };
        inside.into_iter().fold(Self::ONE, deepest)
    }
}

/// What a field says of its type.
#[derive(Clone, Copy, Default)]
pub(super) struct Place<'a> {
    pub(super) namespace: Option<&'a str>,
    /// Null is a value.
    pub(super) optional: bool,
    pub(super) default: Option<&'a Json>,
    pub(super) level: usize,
}

impl<'a> Place<'a> {
    /// Of a type inside.
    pub(super) fn inside(self, namespace: Option<&'a str>) -> Self {
        Place { namespace, optional: false, default: None, level: self.level + 1 }
    }
}

impl Read {
    /// As a field, item or branch has it.
    pub(super) fn at(mut self, place: Place<'_>) -> Self {
        let Self { schema, .. } = &mut self;
        schema.optional = place.optional;
        let Some(json) = place.default.filter(|json| !json.is_null()) else { return self };
        match default_value(schema, json) {
            Some(default) => {
                if schema.default.replace(default).is_none() {
                    add_parameter(schema, FIELD_DEFAULT, "true");
                }
            }
            None => {
                tracing::warn!(schema = schema.name.as_deref(), "a default of an Avro schema does not fit its type; it is ignored")
            }
        }
        self
    }
}

/// What an object says beside its type.
pub(super) fn finish(object: &Map<String, Json>, mut schema: Schema, plan: Plan, size: Size, place: Place<'_>) -> Read {
    let text = |name: &str| object.get(name).and_then(Json::as_str);
    if let Some(name) = text("connect.name").filter(|name| !is_unnamed(name))
        && schema.logical_type().is_none()
    {
        schema.name = Some(name.into());
    }
    if let Some(version) = object.get("connect.version").and_then(Json::as_i64).and_then(|version| i32::try_from(version).ok()) {
        schema.version = Some(version);
    }
    schema.doc = text("connect.doc").map(Into::into);
    for (name, value) in object.get("connect.parameters").and_then(Json::as_object).into_iter().flatten() {
        if let Some(value) = value.as_str() {
            add_parameter(&mut schema, name, value);
        }
    }
    for (name, value) in object.iter().filter(|(name, _)| name.starts_with("avro.")) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        add_parameter(&mut schema, name, &value);
    }
    let plan = match (schema.logical_type(), plan) {
        (Some(LogicalType::Date), Plan::Int32) => Plan::Date,
        (Some(LogicalType::Time), Plan::Int32) => Plan::Time,
        (Some(LogicalType::Timestamp), Plan::Int64) => Plan::Timestamp,
        (Some(LogicalType::Decimal), Plan::Bytes) => Plan::Decimal(scale_of(&schema)),
        (Some(LogicalType::Decimal), Plan::Fixed(size)) => Plan::FixedDecimal(size, scale_of(&schema)),
        (_, plan) => plan,
    };
    if let Some(default) = object.get("connect.default").and_then(|json| default_value(&schema, json)) {
        schema.default = Some(default);
    }
    Read { schema, plan, size, is_map_entry: false }.at(place)
}

/// Files of the JVM say some attributes twice: the first one counts.
fn add_parameter(schema: &mut Schema, name: &str, value: &str) {
    if schema.parameter(name).is_none() {
        schema.parameters.push((name.into(), value.into()));
    }
}

/// A type under the name that Avro has for it.
pub(super) fn named(schema: Schema, full_name: &str) -> Schema {
    if is_unnamed(full_name) { schema } else { schema.named(full_name) }
}

/// Whether the name only says that Connect had none.
fn is_unnamed(full_name: &str) -> bool {
    full_name.strip_prefix(NAMESPACE).is_some_and(|rest| rest.starts_with(".ConnectDefault"))
}

/// # Errors
/// `Data` where a decimal has an unusual scale.
pub(super) fn logical_schema(schema_type: SchemaType, logical: Option<LogicalType>, object: &Map<String, Json>) -> Result<Schema> {
    let schema = Schema::required(schema_type);
    let Some(logical) = logical else { return Ok(schema) };
    let mut schema = Schema { version: Some(1), ..schema.named(logical.name()) };
    if logical == LogicalType::Decimal {
        let scale = match object.get("scale") {
            None => 0,
            Some(scale) => scale
                .as_i64()
                .and_then(|scale| i32::try_from(scale).ok())
                .ok_or_else(|| no_schema("scale must be an integer", object))?,
        };
        schema.parameters.push(("scale".into(), scale.to_string().into()));
        if let Some(precision) = object.get("precision").and_then(Json::as_i64).filter(|precision| *precision != DEFAULT_PRECISION)
        {
            schema.parameters.push(("connect.decimal.precision".into(), precision.to_string().into()));
        }
    }
    Ok(schema)
}

fn scale_of(decimal: &Schema) -> i32 {
    decimal.parameter("scale").and_then(|scale| scale.parse().ok()).unwrap_or_default()
}
