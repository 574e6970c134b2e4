//! Scalars of validated text as values: what the JVM's converter without schemas makes of them, but for large numbers.

use super::{JsonText, Kind, find::decode_string};
use crate::data::{Text, Value};

impl JsonText {
    /// What the text says: strings, booleans and numbers as values; arrays and objects stay text. Whole numbers of more than 64 bits are decimals, where the JVM cuts
    /// them to 64.
    pub fn to_value(&self) -> Value {
        self.part_value(self.as_bytes())
    }

    /// The same for a part of the text, as a [`Cursor`](super::Cursor) or [`JsonText::find`] has found it.
    pub fn part_value(&self, part: &[u8]) -> Value {
        match Kind::of(part) {
            Kind::Null => Value::Null,
            Kind::Boolean => Value::Boolean(part == b"true"),
            Kind::Number if is_whole(part) => whole(part),
            Kind::Number => Value::Float64(double(part)),
            Kind::String if part.contains(&b'\\') => Value::String(Text::from(decode_string(part).into_owned())),
            Kind::String => Value::String(Text::from_utf8_lossy(self.share(&part[1..part.len() - 1]))),
            Kind::Array | Kind::Object => self.part(part).map_or(Value::Null, Value::Json),
        }
    }
}

fn whole(number: &[u8]) -> Value {
    let text = std::str::from_utf8(number).unwrap_or_default();
    let large = || text.parse().map_or_else(|_| Value::Int64(integer(number)), Value::Decimal);
    text.parse().map_or_else(|_| large(), Value::Int64)
}

/// Whether a number has neither a fraction nor an exponent.
pub(super) fn is_whole(number: &[u8]) -> bool {
    !number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// `BigInteger.longValue()`: the low 64 bits.
pub(super) fn integer(number: &[u8]) -> i64 {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let low = digits.iter().fold(0i64, |low, &digit| low.wrapping_mul(10).wrapping_add(i64::from(digit.wrapping_sub(b'0'))));
    if digits.len() < number.len() { low.wrapping_neg() } else { low }
}

/// `BigDecimal.doubleValue()`: there is no negative zero.
pub(super) fn double(number: &[u8]) -> f64 {
    let mut mantissa = number.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let is_zero = mantissa.all(|byte| matches!(byte, b'-' | b'.' | b'0'));
    std::str::from_utf8(number).ok().and_then(|text| text.parse().ok()).filter(|_| !is_zero).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn scalars_are_what_the_jvm_makes_of_them_and_large_numbers_keep_their_digits() {
        for (text, expected) in [
            ("7", Value::Int64(7)),
            ("-0", Value::Int64(0)),
            ("9223372036854775807", Value::Int64(i64::MAX)),
            ("12345678901234567890", Value::Decimal("12345678901234567890".parse().unwrap())),
            ("-1.50e1", Value::Float64(-15.0)),
            ("-0.0", Value::Float64(0.0)),
            ("1e400", Value::Float64(f64::INFINITY)),
            ("true", Value::Boolean(true)),
            ("\"é\"", Value::String("é".into())),
            (r#""a\"\u00e9""#, Value::String("a\"é".into())),
        ] {
            let json = JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap().unwrap();
            assert_eq!(json.to_value(), expected, "{text}");
        }
    }
}
