//! Types of values.

use std::sync::Arc;

/// The type of a value as Connect names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}

/// A value's schema. Shared between all records of a converter: compare by pointer first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The type.
    pub schema_type: SchemaType,
    /// Whether null is a value.
    pub optional: bool,
    /// The schema's name, which also marks logical types.
    pub name: Option<Arc<str>>,
    /// The schema's version.
    pub version: Option<i32>,
}

impl Schema {
    /// The schema of a simple converter: optional, without a name.
    pub fn optional(schema_type: SchemaType) -> Arc<Self> {
        Arc::new(Self { schema_type, optional: true, name: None, version: None })
    }
}
