//! Numbers as Java reads, widens and narrows them.

use std::borrow::Cow;

use connect_api::data::{Decimal, Value};

/// A number of any type.
#[derive(Clone, Debug)]
pub(super) enum Number {
    /// Of at most 64 bits.
    Integer(i64),
    /// `Float` and `Double`.
    Float(f64),
    /// `BigDecimal`.
    Decimal(Decimal),
}

impl Number {
    /// The number in a value; dates and times are what they are stored as.
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Int8(value) => Self::Integer((*value).into()),
            Value::Int16(value) => Self::Integer((*value).into()),
            Value::Int32(value) | Value::Date(value) | Value::Time(value) => Self::Integer((*value).into()),
            Value::Int64(value) | Value::Timestamp(value) => Self::Integer(*value),
            Value::Float32(value) => Self::Float((*value).into()),
            Value::Float64(value) => Self::Float(*value),
            Value::Decimal(value) => Self::Decimal(value.clone()),
            _ => return None,
        })
    }

    /// `Number.longValue()`.
    #[expect(clippy::cast_possible_truncation, reason = "as Java does it: what is too large is the largest, and NaN is zero")]
    pub(super) fn long(&self) -> i64 {
        match self {
            Self::Integer(value) => *value,
            Self::Float(value) => *value as i64,
            Self::Decimal(value) => value.low_bits(),
        }
    }

    /// `Number.intValue()`: of floating-point numbers the nearest there is, of others the low bits. Its low bits are the short and the byte.
    #[expect(clippy::cast_possible_truncation, reason = "as Java does it")]
    pub(super) fn int(&self) -> i32 {
        match self {
            Self::Float(value) => *value as i32,
            other => other.long() as i32,
        }
    }

    /// `Number.doubleValue()`.
    #[expect(clippy::cast_precision_loss, reason = "as Java does it")]
    pub(super) fn double(&self) -> f64 {
        match self {
            Self::Integer(value) => *value as f64,
            Self::Float(value) => *value,
            Self::Decimal(value) => value.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// `Number.floatValue()`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as Java does it")]
    pub(super) fn float(&self) -> f32 {
        match self {
            Self::Integer(value) => *value as f32,
            Self::Float(value) => *value as f32,
            Self::Decimal(value) => value.to_string().parse().unwrap_or(f32::NAN),
        }
    }
}

/// A text as Java's `Double.parseDouble` takes it, for Rust's parser: blanks around it, a letter for the type behind it, `NaN` and `Infinity`. Numbers of
/// base 16 are not read.
pub(super) fn float_text(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        "NaN" => return Some(Cow::Borrowed("NaN")),
        "Infinity" => return Some(Cow::Owned(text.replace("Infinity", "inf"))),
        _ => {}
    }
    let digits = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    (is_number && digits.bytes().any(|byte| byte.is_ascii_digit())).then_some(Cow::Borrowed(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_narrowed_as_in_java() {
        let float = |value: f64| Number::Float(value);
        assert_eq!((float(300.7).int() as i8, float(1e30).int(), float(1e30).int() as i8), (44, i32::MAX, -1));
        assert_eq!((float(f64::NAN).long(), float(-1.9).long()), (0, -1));
        assert_eq!(Number::Integer(i64::MAX).int(), -1);
        let decimal: Decimal = "2147483648.9".parse().unwrap();
        assert_eq!(Number::Decimal(decimal.clone()).int(), i32::MIN);
        assert!((Number::Decimal(decimal).double() - 2_147_483_648.9).abs() < 1e-6);
    }

    #[test]
    fn texts_of_floating_point_numbers_are_those_of_java() {
        let parsed = |text: &str| float_text(text).and_then(|text| text.parse::<f64>().ok());
        for (text, expected) in [(" 1.5f ", 1.5), ("1e3D", 1000.0), ("-.5", -0.5), ("5.", 5.0), ("-Infinity", f64::NEG_INFINITY)] {
            assert_eq!(parsed(text), Some(expected), "{text}");
        }
        assert!(parsed("NaN").unwrap().is_nan());
        for text in ["", "inf", "nan", "infinity", "1_0", "0x1p3", "e", "1ff"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
