//! Which values of a message become which of a struct.

use std::{collections::HashMap, sync::Arc};

use connect_api::data::Text;
use prost_reflect::{EnumDescriptor, FieldDescriptor};

/// How the value of a field is read.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Int8,
    Int16,
    Int32,
    /// Also what has no sign, in 32 bits or 64.
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    /// An enum as its number.
    Number,
    /// An enum as its symbol: the symbols, and its name for what has none.
    Symbol(Arc<(HashMap<i32, Text>, String)>),
    Decimal,
    /// In two parts, before and behind the point.
    TwoPartDecimal,
    Date,
    Time,
    Timestamp,
    /// A message of one value, which stands for it.
    Wrapped(Arc<Field>),
    Struct(Arc<Struct>),
    Array(Box<Plan>),
    Map(Arc<(Plan, Plan)>),
}

impl Plan {
    /// Of an enum as its symbol.
    pub(super) fn symbols(symbols: &EnumDescriptor) -> Self {
        let mut names = HashMap::new();
        for symbol in symbols.values() {
            // Of several with one number, the first.
            names.entry(symbol.number()).or_insert_with(|| symbol.name().to_owned().into());
        }
        Self::Symbol(Arc::new((names, symbols.name().to_owned())))
    }
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Struct {
    /// In the order of the schema.
    pub(super) members: Vec<Member>,
}

/// A field of the struct.
#[derive(Clone, Debug)]
pub(super) enum Member {
    Field(Field),
    /// A struct in which the field that is there is alone.
    Union(Vec<Field>),
}

/// A field of a message.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) field: FieldDescriptor,
    pub(super) plan: Plan,
    /// Whether it is null where it is not there; else it has its default then.
    pub(super) can_be_absent: bool,
}
