//! Values in memory.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher},
    mem,
    sync::Arc,
};

use bytes::Bytes;

use super::{
    Decimal, JsonObject, JsonText, Schema, Text,
    json::{double_to_string, float_to_string},
};

/// A value with the schema it was read with, if any.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// `None` for schemaless data.
    pub schema: Option<Arc<Schema>>,
    /// The value.
    pub value: Value,
}

impl Data {
    /// A value with a schema.
    pub fn with_schema(schema: Arc<Schema>, value: Value) -> Self {
        Self { schema: Some(schema), value }
    }

    /// A value without a schema.
    pub fn schemaless(value: Value) -> Self {
        Self { schema: None, value }
    }
}

/// A value. Text, bytes and JSON are slices of the batch they came in: they are cheap to clone, and arrays, maps and structs are where they are short.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// INT8.
    Int8(i8),
    /// INT16.
    Int16(i16),
    /// INT32.
    Int32(i32),
    /// INT64.
    Int64(i64),
    /// FLOAT32.
    Float32(f32),
    /// FLOAT64.
    Float64(f64),
    /// STRING.
    String(Text),
    /// BYTES.
    Bytes(Bytes),
    /// BYTES of the logical type Decimal.
    Decimal(Decimal),
    /// INT32 of the logical type Date: days since 1970.
    Date(i32),
    /// INT32 of the logical type Time: milliseconds since midnight.
    Time(i32),
    /// INT64 of the logical type Timestamp: milliseconds since 1970.
    Timestamp(i64),
    /// ARRAY.
    Array(Vec<Value>),
    /// MAP: entries in the order in which they came. No key occurs twice.
    Map(Vec<(Value, Value)>),
    /// STRUCT: a value for each field of the schema, in the order of the fields; null where a field has none.
    Struct(Vec<Value>),
    /// Schemaless JSON (object, array, string, number or boolean; JSON's `null` is [`Value::Null`]), validated and not yet
    /// decoded.
    Json(JsonText),
    /// A schemaless JSON object of which a transform has changed some members. Whoever gets records after the transforms gets [`Value::Json`] in its place.
    Object(Box<JsonObject>),
}

impl Value {
    /// How Connect calls the value's type in messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "java.lang.Boolean",
            Self::Int8(_) => "java.lang.Byte",
            Self::Int16(_) => "java.lang.Short",
            Self::Int32(_) => "java.lang.Integer",
            Self::Int64(_) => "java.lang.Long",
            Self::Float32(_) => "java.lang.Float",
            Self::Float64(_) => "java.lang.Double",
            Self::String(_) => "java.lang.String",
            Self::Bytes(_) => "[B",
            Self::Decimal(_) => "java.math.BigDecimal",
            Self::Date(_) | Self::Time(_) | Self::Timestamp(_) => "java.util.Date",
            Self::Array(_) => "java.util.ArrayList",
            Self::Map(_) | Self::Object(_) => "java.util.HashMap",
            Self::Struct(_) => "org.apache.kafka.connect.data.Struct",
            Self::Json(json) => json.type_name(),
        }
    }
}

impl Value {
    /// The text of a scalar that is no bytes, as Java prints it; `None` for anything else.
    pub fn scalar_text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(match self {
            Self::String(text) => return Some(Cow::Borrowed(text)),
            Self::Boolean(value) => value.to_string(),
            Self::Int8(value) => value.to_string(),
            Self::Int16(value) => value.to_string(),
            Self::Int32(value) => value.to_string(),
            Self::Int64(value) => value.to_string(),
            Self::Float32(value) => float_to_string(*value),
            Self::Float64(value) => double_to_string(*value),
            Self::Decimal(value) => value.to_string(),
            _ => return None,
        }))
    }

    /// What the JVM has a `java.util.Date` of (Date, Time, Timestamp), in milliseconds since 1970; `None` for anything else.
    pub fn epoch_millis(&self) -> Option<i64> {
        const DAY: i64 = 86_400_000;
        match self {
            Self::Date(days) => Some(i64::from(*days) * DAY),
            Self::Time(time) => Some((*time).into()),
            Self::Timestamp(time) => Some(*time),
            _ => None,
        }
    }
}

/// As Java compares objects: NaN equals itself, and zero does not equal negative zero.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::Int8(left), Self::Int8(right)) => left == right,
            (Self::Int16(left), Self::Int16(right)) => left == right,
            (Self::Int32(left), Self::Int32(right))
            | (Self::Date(left), Self::Date(right))
            | (Self::Time(left), Self::Time(right)) => left == right,
            (Self::Int64(left), Self::Int64(right)) | (Self::Timestamp(left), Self::Timestamp(right)) => left == right,
            (Self::Float32(left), Self::Float32(right)) => left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan(),
            (Self::Float64(left), Self::Float64(right)) => left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan(),
            (Self::String(left), Self::String(right)) => left == right,
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Decimal(left), Self::Decimal(right)) => left == right,
            (Self::Array(left), Self::Array(right)) | (Self::Struct(left), Self::Struct(right)) => left == right,
            // In any order, and mostly in the same.
            (Self::Map(left), Self::Map(right)) => left == right || left.len() == right.len() && has_all(left, right),
            (Self::Json(left), Self::Json(right)) => left == right,
            (Self::Object(left), Self::Object(right)) => left == right,
            _ => false,
        }
    }
}

impl Eq for Value {}

fn has_all(all: &[(Value, Value)], some: &[(Value, Value)]) -> bool {
    let all: HashMap<&Value, &Value> = all.iter().map(|(key, value)| (key, value)).collect();
    some.iter().all(|(key, value)| all.get(key) == Some(&value))
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Boolean(value) => value.hash(state),
            Self::Int8(value) => value.hash(state),
            Self::Int16(value) => value.hash(state),
            Self::Int32(value) | Self::Date(value) | Self::Time(value) => value.hash(state),
            Self::Int64(value) | Self::Timestamp(value) => value.hash(state),
            // All that are no number are equal.
            Self::Float32(value) => (if value.is_nan() { f32::NAN } else { *value }).to_bits().hash(state),
            Self::Float64(value) => (if value.is_nan() { f64::NAN } else { *value }).to_bits().hash(state),
            Self::String(text) => text.hash(state),
            Self::Bytes(bytes) => bytes.hash(state),
            Self::Decimal(decimal) => decimal.hash(state),
            Self::Array(values) | Self::Struct(values) => values.hash(state),
            // In any order.
            Self::Map(entries) => {
                let entry = |entry: &(Self, Self)| BuildHasherDefault::<DefaultHasher>::default().hash_one(entry);
                entries.iter().map(entry).fold(0_u64, u64::wrapping_add).hash(state);
            }
            Self::Json(json) => json.as_bytes().hash(state),
            Self::Object(object) => object.len().hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn values_are_equal_where_java_says_so_and_have_one_hash_then() {
        let map = |keys: [i32; 2]| Value::Map(keys.map(|key| (Value::Int32(key), Value::Null)).into());
        let equal = [
            (Value::Float64(f64::NAN), Value::Float64(-f64::NAN)),
            (Value::Float32(f32::NAN), Value::Float32(-f32::NAN)),
            (map([1, 2]), map([2, 1])),
            (Value::Array(vec![Value::Null]), Value::Array(vec![Value::Null])),
        ];
        let hashes = RandomState::new();
        for (left, right) in &equal {
            assert_eq!(left, right);
            assert_eq!(hashes.hash_one(left), hashes.hash_one(right));
        }
        let different = [
            (Value::Float64(0.0), Value::Float64(-0.0)),
            (Value::Int32(1), Value::Int64(1)),
            (Value::Int32(1), Value::Date(1)),
            (map([1, 2]), map([1, 3])),
            (Value::Array(vec![]), Value::Struct(vec![])),
        ];
        for (left, right) in different {
            assert_ne!(left, right);
        }
    }
}
