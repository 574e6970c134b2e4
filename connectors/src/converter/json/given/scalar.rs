//! Scalars of a given schema: numbers that are in range, texts of times and decimals.

use std::sync::LazyLock;

use connect_api::data::{
    Decimal, LogicalType, Schema, SchemaType, Value,
    json::{Kind, decode_string},
};

use super::misfit::{Fits, Misfit};
use crate::{
    converter::json::payload::{MILLISECONDS_OF_A_DAY, decode_base64},
    joda::{Separator, Zone, parse_iso},
};

/// Texts that name no offset are read in it: what a record is must not follow from the machine.
static UTC: LazyLock<Zone> = LazyLock::new(Zone::utc);

/// In characters. The time that a decimal takes grows with the square of its digits; Jackson has the same limit.
const LONGEST_NUMBER: usize = 1_000;

/// What the parameters of enums begin with, whichever converter made them: the symbol follows.
const ENUMS: [&str; 2] = ["io.confluent.connect.avro.Enum", "io.confluent.connect.json.Enum"];

/// A value that is neither null nor a text for a text, of a schema without a logical type.
pub(super) fn plain(schema: &Schema, kind: Kind, text: &[u8]) -> Fits<Value> {
    let whole = || if kind == Kind::Number { whole(text) } else { None };
    let number = || std::str::from_utf8(text).ok().filter(|_| kind == Kind::Number);
    let value = match &schema.schema_type {
        SchemaType::Boolean => (kind == Kind::Boolean).then(|| Value::Boolean(text == b"true")),
        SchemaType::Int8 => whole().and_then(|whole| whole.try_into().ok()).map(Value::Int8),
        SchemaType::Int16 => whole().and_then(|whole| whole.try_into().ok()).map(Value::Int16),
        SchemaType::Int32 => whole().and_then(|whole| whole.try_into().ok()).map(Value::Int32),
        SchemaType::Int64 => whole().map(Value::Int64),
        SchemaType::Float32 => {
            number().and_then(|number| number.parse::<f32>().ok()).filter(|number| number.is_finite()).map(Value::Float32)
        }
        SchemaType::Float64 => {
            number().and_then(|number| number.parse::<f64>().ok()).filter(|number| number.is_finite()).map(Value::Float64)
        }
        SchemaType::Bytes if kind == Kind::String => {
            decode_base64(text).ok().filter(|bytes| has_size(schema, bytes.len())).map(Value::Bytes)
        }
        _ => None,
    };
    value.ok_or_else(|| Misfit::other(schema, kind, text))
}

/// A value that is not null, of a schema with a logical type.
pub(super) fn logical(logical: LogicalType, schema: &Schema, kind: Kind, text: &[u8]) -> Fits<Value> {
    let number = || if kind == Kind::Number { whole(text) } else { None };
    let string = || (kind == Kind::String).then(|| decode_string(text));
    let value = match logical {
        LogicalType::Date => match string() {
            Some(text) => date(&text),
            None => number().and_then(|days| days.try_into().ok()),
        }
        .map(Value::Date),
        LogicalType::Time => match string() {
            Some(text) => time_of_day(&text),
            None => number().filter(|time| (0..=MILLISECONDS_OF_A_DAY).contains(time)),
        }
        .and_then(|time| time.try_into().ok())
        .map(Value::Time),
        LogicalType::Timestamp => match string() {
            Some(text) => instant(&text),
            None => number(),
        }
        .map(Value::Timestamp),
        LogicalType::Decimal => match string() {
            Some(text) => decimal(schema, &text),
            None => std::str::from_utf8(text).ok().filter(|_| kind == Kind::Number).and_then(|text| decimal(schema, text)),
        }
        .map(Value::Decimal),
        _ => None,
    };
    value.ok_or_else(|| Misfit::other(schema, kind, text))
}

/// Whether a text is one of those that the schema lists, where it lists any.
pub(super) fn check_symbol(schema: &Schema, text: &[u8]) -> Fits<()> {
    let Some(name) = ENUMS.into_iter().find(|name| schema.parameter(name).is_some()) else { return Ok(()) };
    let symbol = decode_string(text);
    let symbols = || schema.parameters.iter().filter_map(|(parameter, _)| parameter.strip_prefix(name)?.strip_prefix('.'));
    if symbols().any(|known| known == symbol) {
        return Ok(());
    }
    let known: Vec<_> = symbols().take(20).collect();
    Err(Misfit::because(Kind::String, text, format!("one of {}", known.join(", "))))
}

/// A number without a fraction, however it is written.
fn whole(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.contains(['.', 'e', 'E']) {
        return text.parse().ok();
    }
    let whole = number(text)?.rescaled(0)?;
    let (unscaled, is_negative) = (whole.unscaled(), whole.unscaled().first().is_some_and(|byte| *byte >= 0x80));
    let mut bytes = [if is_negative { 0xff } else { 0 }; 8];
    bytes.get_mut(8_usize.checked_sub(unscaled.len())?..)?.copy_from_slice(unscaled);
    Some(i64::from_be_bytes(bytes))
}

fn has_size(schema: &Schema, bytes: usize) -> bool {
    schema.parameter("connect.fixed.size").is_none_or(|size| size.parse() == Ok(bytes))
}

/// Milliseconds since 1970 of a text with a whole date.
fn instant(text: &str) -> Option<i64> {
    let has_year = matches!(text.as_bytes(), [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..]);
    parse_iso(text, &UTC, Separator::TOrBlank).ok().filter(|_| has_year)
}

/// Days since 1970. A time of the day would be lost.
fn date(text: &str) -> Option<i32> {
    let instant = instant(text).filter(|instant| instant.rem_euclid(MILLISECONDS_OF_A_DAY) == 0)?;
    (instant / MILLISECONDS_OF_A_DAY).try_into().ok()
}

/// Milliseconds since midnight, without an offset.
fn time_of_day(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) {
        return None;
    }
    parse_iso(&format!("T{text}"), &UTC, Separator::T).ok()
}

/// With the scale of its schema, where that takes nothing away.
fn decimal(schema: &Schema, text: &str) -> Option<Decimal> {
    let scale = schema.parameter("scale")?.parse().ok()?;
    number(text)?.rescaled(scale)
}

/// A number of any size, if it is not as long as to keep a processor busy.
fn number(text: &str) -> Option<Decimal> {
    if text.len() <= LONGEST_NUMBER { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_written_in_any_way_and_lose_nothing() {
        for (text, expected) in [
            ("7", Some(7)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1.0", Some(1)),
            ("1e3", Some(1_000)),
            ("12.50e1", Some(125)),
            ("1.5", None),
            ("1.00000000000000000001", None),
            ("1e400", None),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("-1.280e2", Some(-128)),
            ("1e2147483647", None),
        ] {
            assert_eq!(whole(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn times_are_read_in_utc_and_dates_have_no_time() {
        assert_eq!(instant("2023-11-14T22:13:20Z"), Some(1_700_000_000_000));
        assert_eq!(instant("2023-11-14T23:13:20.5+01:00"), Some(1_700_000_000_500));
        assert_eq!(instant("2020-08-28 03:52:47"), Some(1_598_586_767_000));
        for text in ["", "now", "2023", "1700000000000", "-1", "2023-13-01", "14.11.2023"] {
            assert_eq!(instant(text), None, "{text}");
        }
        assert_eq!((date("1970-01-02"), date("1969-12-31"), date("1970-01-02T00:00:01")), (Some(1), Some(-1), None));
        assert_eq!((time_of_day("22:13:20.5"), time_of_day("24:00"), time_of_day("01:00Z")), (Some(80_000_500), None, None));
    }

    #[test]
    fn numbers_of_more_than_a_thousand_digits_are_none() {
        let schema = Schema { parameters: vec![("scale".into(), "0".into())], ..Schema::required(SchemaType::Bytes) };
        let digits = |count: usize| "7".repeat(count);
        assert!(decimal(&schema, &digits(1_000)).is_some());
        assert!(decimal(&schema, &digits(1_001)).is_none());
        assert_eq!(whole(format!("1.{}", "0".repeat(1_000)).as_bytes()), None);
    }
}
