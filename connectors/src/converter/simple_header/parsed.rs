//! What a header's text means, and how Connect prints it.

use std::fmt;

use connect_api::data::json::{double_to_string, float_to_string};

use super::temporal;

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

/// Gives all values the type that they share, if they share one. `None` where they do and there is a null among them, which has no type.
pub(super) fn align<'a>(values: impl Iterator<Item = &'a mut Parsed>) -> Option<()> {
    let mut values: Vec<_> = values.collect();
    let mut shared = None;
    for other in values.iter().filter_map(|value| shared_type(value)) {
        match shared {
            None => shared = Some(other),
            Some(one) if one == other => {}
            Some(one) if one.max(other) <= Shared::Float64 => shared = Some(one.max(other)),
            Some(_) => return Some(()),
        }
    }
    let Some(shared) = shared else { return Some(()) };
    for value in &mut values {
        match (shared, &**value) {
            (_, Parsed::Null) => return None,
            (Shared::Float32, Parsed::Integer(integer)) => **value = Parsed::Float32(*integer as f32),
            (Shared::Float64, Parsed::Integer(integer)) => **value = Parsed::Float64(*integer as f64),
            (Shared::Float64, Parsed::Float32(float)) => **value = Parsed::Float64(f64::from(*float)),
            _ => {}
        }
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
