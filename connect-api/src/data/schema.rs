//! Types of values.

use std::sync::Arc;

use super::{Fields, Value};

/// The type of a value as Connect names it, with the types of what it holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SchemaType {
    /// 8 bits, signed.
    Int8,
    /// 16 bits, signed.
    Int16,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// IEEE 754 single precision.
    Float32,
    /// IEEE 754 double precision.
    Float64,
    /// True or false.
    Boolean,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// A list of values of one schema.
    Array(Arc<Schema>),
    /// Keys and values of one schema each.
    Map(Arc<Schema>, Arc<Schema>),
    /// Named fields, each with its own schema.
    Struct(Fields),
}

impl SchemaType {
    /// How Connect calls it: `INT8`, `STRUCT`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Array(_) => "ARRAY",
            Self::Map(..) => "MAP",
            Self::Struct(_) => "STRUCT",
        }
    }
}

/// A value's schema. Shared between all records that have it: compare with [`Schema::is_same`], which looks at the pointer first.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The type.
    pub schema_type: SchemaType,
    /// Whether null is a value.
    pub optional: bool,
    /// What null stands for; `None` where nothing does. Of the schema's own type.
    pub default: Option<Value>,
    /// The schema's name, which also marks [logical types](LogicalType).
    pub name: Option<Arc<str>>,
    /// The schema's version.
    pub version: Option<i32>,
    /// What it is for.
    pub doc: Option<Arc<str>>,
    /// Further attributes, in the order in which they were given. No name occurs twice.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
}

/// A type that is stored as another one, and marked by the schema's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogicalType {
    /// BYTES: a decimal; the parameter `scale` has its scale.
    Decimal,
    /// INT32: days since 1970.
    Date,
    /// INT32: milliseconds since midnight.
    Time,
    /// INT64: milliseconds since 1970.
    Timestamp,
}

impl LogicalType {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Decimal, "org.apache.kafka.connect.data.Decimal"),
        (Self::Date, "org.apache.kafka.connect.data.Date"),
        (Self::Time, "org.apache.kafka.connect.data.Time"),
        (Self::Timestamp, "org.apache.kafka.connect.data.Timestamp"),
    ];

    /// The name of its schemas.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(logical_type, _)| *logical_type == self).map_or("", |(_, name)| name)
    }

    /// That of a schema with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(logical_type, _)| logical_type)
    }
}

impl Schema {
    /// A schema that null is no value of, without any attribute.
    pub fn required(schema_type: SchemaType) -> Self {
        Self { schema_type, optional: false, default: None, name: None, version: None, doc: None, parameters: Vec::new() }
    }

    /// The schema of a simple converter: optional, without any other attribute.
    pub fn optional(schema_type: SchemaType) -> Arc<Self> {
        Arc::new(Self { optional: true, ..Self::required(schema_type) })
    }

    /// The same schema under a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The logical type that its name says.
    pub fn logical_type(&self) -> Option<LogicalType> {
        self.name.as_deref().and_then(LogicalType::of)
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// Its fields; `None` where it is no struct.
    pub fn fields(&self) -> Option<&Fields> {
        match &self.schema_type {
            SchemaType::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// Whether both are equal. Cheap where they are the same, as with two records of one converter.
    pub fn is_same(left: &Arc<Self>, right: &Arc<Self>) -> bool {
        Arc::ptr_eq(left, right) || left == right
    }
}

/// As on the JVM: all attributes count, and parameters in any order.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        let Self { schema_type, optional, default, name, version, doc, parameters } = self;
        let has = |(name, value): &(Arc<str>, Arc<str>)| other.parameter(name) == Some(value);
        *optional == other.optional
            && *version == other.version
            && *name == other.name
            && *doc == other.doc
            && parameters.len() == other.parameters.len()
            && (*parameters == other.parameters || parameters.iter().all(has))
            && *schema_type == other.schema_type
            && *default == other.default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_attributes_count_for_equality_and_parameters_in_any_order() {
        let with = |parameters: &[(&'static str, &'static str)]| Schema {
            parameters: parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..Schema::required(SchemaType::Int32)
        };
        assert_eq!(with(&[("a", "1"), ("b", "2")]), with(&[("b", "2"), ("a", "1")]));
        assert_ne!(with(&[("a", "1")]), with(&[("a", "2")]));
        assert_ne!(with(&[("a", "1")]), with(&[]));
        let plain = || Schema::required(SchemaType::Int32);
        for other in [
            Schema { optional: true, ..plain() },
            Schema { default: Some(Value::Int32(0)), ..plain() },
            Schema { version: Some(1), ..plain() },
            Schema { doc: Some("d".into()), ..plain() },
            plain().named("n"),
            Schema::required(SchemaType::Int64),
            Schema::required(SchemaType::Array(Arc::new(plain()))),
        ] {
            assert_ne!(plain(), other);
            assert_eq!(other, other.clone());
        }
    }

    #[test]
    fn names_mark_logical_types() {
        for (logical_type, name) in LogicalType::ALL {
            assert_eq!(Schema::required(SchemaType::Int32).named(name).logical_type(), Some(logical_type));
            assert_eq!(logical_type.name(), name);
        }
        assert_eq!(Schema::required(SchemaType::Int32).named("n").logical_type(), None);
    }
}
