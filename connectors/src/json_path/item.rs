//! Values of all kinds, as a path sees them: objects with members, arrays with elements, and scalars.

use std::{iter, ops::Range};

use connect_api::data::{Data, JsonText, Schema, SchemaType, Value, json::Cursor};

const BYTES_A_STEP: usize = 64;

/// How many steps it is to look through a text, beyond the first.
pub(super) fn text_steps(text: &str) -> usize {
    text.len() / BYTES_A_STEP
}

/// A value that a path has met.
#[derive(Clone, Debug)]
pub(super) enum Item<'a> {
    /// An object or an array as text.
    Json(JsonText),
    /// A value in memory, and its schema, if it has one.
    Value(&'a Value, Option<&'a Schema>),
    /// A value without a schema that was decoded on the way.
    Decoded(Value),
}

/// Values within a value.
type Children<'s, 'a> = Box<dyn Iterator<Item = Item<'a>> + 's>;

impl<'a> Item<'a> {
    /// The whole.
    pub(super) fn of(data: &'a Data) -> Self {
        Self::borrowed(&data.value, data.schema.as_deref())
    }

    fn borrowed(value: &'a Value, schema: Option<&'a Schema>) -> Self {
        match value {
            Value::Json(json) => Self::of_json(json),
            _ => Self::Value(value, schema),
        }
    }

    fn of_json(json: &JsonText) -> Self {
        match json.to_value() {
            Value::Json(container) => Self::Json(container),
            scalar => Self::Decoded(scalar),
        }
    }

    fn decoded(value: Value) -> Self {
        match value {
            Value::Json(json) => Self::of_json(&json),
            value => Self::Decoded(value),
        }
    }

    fn part(json: &JsonText, part: &[u8]) -> Self {
        Self::decoded(json.part_value(part))
    }

    fn value(&self) -> Option<(&Value, Option<&'a Schema>)> {
        match self {
            Self::Json(_) => None,
            Self::Value(value, schema) => Some((value, *schema)),
            Self::Decoded(value) => Some((value, None)),
        }
    }

    pub(super) fn is_object(&self) -> bool {
        match self {
            Self::Json(json) => json.as_bytes().starts_with(b"{"),
            _ => matches!(self.value(), Some((Value::Object(_) | Value::Map(_) | Value::Struct(_), _))),
        }
    }

    pub(super) fn is_array(&self) -> bool {
        match self {
            Self::Json(json) => json.as_bytes().starts_with(b"["),
            _ => matches!(self.value(), Some((Value::Array(_), _))),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value(), Some((Value::Null, _)))
    }

    /// How many steps it is to look through it.
    pub(super) fn steps(&self) -> usize {
        match self {
            Self::Json(json) => 1 + json.as_bytes().len() / BYTES_A_STEP,
            _ => match self.value() {
                Some((Value::Array(values) | Value::Struct(values), _)) => 1 + values.len(),
                Some((Value::Map(entries), _)) => 1 + entries.len(),
                Some((Value::Object(object), _)) => 1 + object.len(),
                _ => 1,
            },
        }
    }

    /// The member of an object.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Json(json) => json.find([name]).map(|part| Self::part(json, part)),
            Self::Value(Value::Struct(values), Some(schema)) => {
                let fields = schema.fields()?;
                let at = fields.find(name, 0)?;
                Some(values.get(at).map_or(Self::Decoded(Value::Null), |value| Self::borrowed(value, Some(&fields[at].schema))))
            }
            Self::Value(Value::Map(entries), schema) => {
                entries.iter().find(|(key, _)| is_key(key, name)).map(|(_, value)| Self::borrowed(value, of_values(*schema)))
            }
            Self::Decoded(Value::Map(entries)) => {
                entries.iter().find(|(key, _)| is_key(key, name)).map(|(_, value)| Self::decoded(value.clone()))
            }
            Self::Value(Value::Object(object), _) | Self::Decoded(Value::Object(object)) => object.get(name).map(Self::decoded),
            _ => None,
        }
    }

    /// The values of an object's members, or the elements of an array.
    pub(super) fn children(&self) -> Children<'_, 'a> {
        self.children_within(0..usize::MAX)
    }

    /// Those of them from one place to before another one. What stands before is not decoded.
    pub(super) fn children_within(&self, range: Range<usize>) -> Children<'_, 'a> {
        let (start, end) = (range.start, range.end);
        match self {
            Self::Json(json) => Box::new(parts(json).take(end).skip(start).map(|part| Self::part(json, part))),
            Self::Value(Value::Struct(values), Some(schema)) => {
                let fields = schema.fields().map_or(&[][..], |fields| fields);
                let fields = values.iter().zip(fields).take(end).skip(start);
                Box::new(fields.map(|(value, field)| Self::borrowed(value, Some(&field.schema))))
            }
            Self::Value(Value::Map(entries), schema) => {
                let schema = of_values(*schema);
                Box::new(entries.iter().take(end).skip(start).map(move |(_, value)| Self::borrowed(value, schema)))
            }
            Self::Value(Value::Array(values), schema) => {
                let schema = of_values(*schema);
                Box::new(values.iter().take(end).skip(start).map(move |value| Self::borrowed(value, schema)))
            }
            Self::Decoded(Value::Map(entries)) => {
                Box::new(entries.iter().take(end).skip(start).map(|(_, value)| Self::decoded(value.clone())))
            }
            Self::Decoded(Value::Array(values)) => {
                Box::new(values.iter().take(end).skip(start).map(|value| Self::decoded(value.clone())))
            }
            Self::Value(Value::Object(object), _) | Self::Decoded(Value::Object(object)) => {
                Box::new((start..end.min(object.len())).map(|at| Self::decoded(object.value(at))))
            }
            _ => Box::new(iter::empty()),
        }
    }

    /// How many children it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Json(json) => parts(json).count(),
            _ => match self.value() {
                Some((Value::Array(values) | Value::Struct(values), _)) => values.len(),
                Some((Value::Map(entries), _)) => entries.len(),
                Some((Value::Object(object), _)) => object.len(),
                _ => 0,
            },
        }
    }

    /// The value for whoever is not a path.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Json(json) => Value::Json(json.clone()),
            Self::Value(value, _) => (*value).clone(),
            Self::Decoded(value) => value.clone(),
        }
    }

    /// A scalar.
    pub(super) fn scalar(&self) -> Option<&Value> {
        let is_scalar = !self.is_object() && !self.is_array();
        self.value().map(|(value, _)| value).filter(|_| is_scalar)
    }
}

fn is_key(key: &Value, name: &str) -> bool {
    key.scalar_text().is_some_and(|text| *text == *name)
}

/// The schema of the values of a map, or of the elements of an array.
fn of_values(schema: Option<&Schema>) -> Option<&Schema> {
    match &schema?.schema_type {
        SchemaType::Array(values) | SchemaType::Map(_, values) => Some(values),
        _ => None,
    }
}

/// The texts of an object's values, or of an array's elements.
fn parts(json: &JsonText) -> impl Iterator<Item = &[u8]> {
    let is_object = json.as_bytes().starts_with(b"{");
    let mut cursor = Cursor::new(json);
    let mut more = cursor.enter();
    iter::from_fn(move || {
        if !more {
            return None;
        }
        if is_object {
            cursor.name();
        }
        let part = cursor.value();
        more = cursor.goes_on();
        Some(part)
    })
}
