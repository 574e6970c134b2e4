//! What a header's text means, and how Connect prints it.

use std::fmt;

use connect_api::data::json::{double_to_string, float_to_string};

use crate::converter::temporal;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Parsed {
    Null,
    Boolean(bool),
    Integer(i64),
    Float32(f32),
    Float64(f64),
    /// As Java prints it.
    Decimal(String),
    /// A date, a time or both: milliseconds since 1970.
    Temporal(i64),
    String(String),
    Array(Vec<Parsed>),
    Map(Vec<(Parsed, Parsed)>),
}

impl fmt::Display for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float32(value) => f.write_str(&float_to_string(*value)),
            Self::Float64(value) => f.write_str(&double_to_string(*value)),
            Self::Decimal(text) => f.write_str(text),
            Self::Temporal(millis) => f.write_str(&temporal::print(*millis)),
            Self::String(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}:{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}

/// The type that all values of a list or map share: numbers share the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shared {
    Integer,
    Float32,
    Float64,
    Decimal,
    Boolean,
    Temporal,
    String,
    Array,
    Map,
}

/// What the types of some values have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Common {
    /// There are no values but nulls.
    Nothing,
    All(Shared),
    Mixed,
}

fn common_type<'a>(values: impl Iterator<Item = &'a Parsed>) -> Common {
    values.filter_map(shared_type).fold(Common::Nothing, |common, other| match common {
        Common::Nothing => Common::All(other),
        Common::All(one) if one == other => common,
        Common::All(one) if one.max(other) <= Shared::Float64 => Common::All(one.max(other)),
        _ => Common::Mixed,
    })
}

/// The list, its numbers as wide as the widest. `None` where there is a null among values of one type, which it does not have.
pub(super) fn array(mut items: Vec<Parsed>) -> Option<Parsed> {
    if let Common::All(shared) = common_type(items.iter()) {
        items.iter_mut().try_for_each(|item| widen(item, shared))?;
    }
    Some(Parsed::Array(items))
}

/// As [`array`], for keys and values; where one of these are mixed, both stay as they are.
pub(super) fn map(mut entries: Vec<(Parsed, Parsed)>) -> Option<Parsed> {
    let keys = common_type(entries.iter().map(|(key, _)| key));
    let values = common_type(entries.iter().map(|(_, value)| value));
    if let (Common::All(keys), Common::All(values)) = (keys, values) {
        entries.iter_mut().try_for_each(|(key, value)| widen(key, keys).and_then(|()| widen(value, values)))?;
    }
    Some(Parsed::Map(entries))
}

fn widen(value: &mut Parsed, shared: Shared) -> Option<()> {
    match (shared, &*value) {
        (_, Parsed::Null) => return None,
        (Shared::Float32, Parsed::Integer(integer)) => *value = Parsed::Float32(*integer as f32),
        (Shared::Float64, Parsed::Integer(integer)) => *value = Parsed::Float64(*integer as f64),
        (Shared::Float64, Parsed::Float32(float)) => *value = Parsed::Float64(f64::from(*float)),
        _ => {}
    }
    Some(())
}

fn shared_type(value: &Parsed) -> Option<Shared> {
    Some(match value {
        Parsed::Null => return None,
        Parsed::Boolean(_) => Shared::Boolean,
        Parsed::Integer(_) => Shared::Integer,
        Parsed::Float32(_) => Shared::Float32,
        Parsed::Float64(_) => Shared::Float64,
        Parsed::Decimal(_) => Shared::Decimal,
        Parsed::Temporal(_) => Shared::Temporal,
        Parsed::String(_) => Shared::String,
        Parsed::Array(_) => Shared::Array,
        Parsed::Map(_) => Shared::Map,
    })
}
