//! The payload of an envelope, read by its schema. The rules are those of the JVM's converter, which forgives much: a number of any kind is cut to an integer, a
//! text that should be a number is zero, a number that should be a text is null.

use std::{borrow::Cow, cell::Cell};

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use connect_api::{
    Error, Result,
    data::{
        Decimal, Fields, JsonText, LogicalType, Schema, SchemaType, Text, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use crate::converter::repeated_keys::without_repeated_keys;

/// Padding must be there, and bits that no byte needs may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical).with_decode_allow_trailing_bits(true),
);

pub(super) const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;

/// Whose values are read, and how.
pub(crate) struct Payload<'a> {
    /// Its texts become slices of this one.
    pub(super) text: &'a JsonText,
    /// `replace.null.with.default`.
    pub(super) replaces_null: bool,
    /// How many more values may be made.
    pub(super) left: Cell<usize>,
    /// What unions are called, if the schema is one of a converter of JSON Schemas.
    pub(super) unions: Option<&'static str>,
}

/// Defaults can make many values of few bytes: so many are always allowed.
const VALUES: usize = 1 << 20;

impl<'a> Payload<'a> {
    pub(super) fn new(text: &'a JsonText, replaces_null: bool) -> Self {
        // A value that is written out has a byte, and a comma.
        Self { text, replaces_null, left: Cell::new(VALUES + text.as_bytes().len() / 2), unions: None }
    }

    /// The same, of a part of a message of so many bytes.
    pub(super) fn of_message(text: &'a JsonText, replaces_null: bool, bytes: usize) -> Self {
        Self { left: Cell::new(VALUES + bytes / 2), ..Self::new(text, replaces_null) }
    }

    /// The same for schemas of a converter of JSON Schemas, which calls unions so.
    pub(crate) fn of_json_schema(text: &'a JsonText, unions: &'static str) -> Self {
        Self { unions: Some(unions), ..Self::new(text, true) }
    }

    /// # Errors
    /// `Data` where there are too many values.
    pub(super) fn count(&self, values: usize) -> Result<()> {
        match self.left.get().checked_sub(values) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Error::data(
                "the message stands for more values than memory should hold: fields that are missing and defaults count",
            )),
        }
    }

    /// Reads the next value.
    ///
    /// # Errors
    /// `Data` where the schema has no such value.
    pub(crate) fn read(&self, schema: &Schema, cursor: &mut Cursor<'_>) -> Result<Value> {
        let kind = cursor.kind();
        if kind == Kind::Null {
            cursor.value();
            return self.null(schema);
        }
        if let Some(logical_type) = schema.logical_type() {
            return logical(logical_type, schema, kind, cursor.value());
        }
        match &schema.schema_type {
            SchemaType::Array(items) => self.array(items, kind, cursor),
            SchemaType::Map(keys, values)
                if matches!(keys.schema_type, SchemaType::String) && !(self.unions.is_some() && keys.optional) =>
            {
                self.object(values, kind, cursor)
            }
            SchemaType::Map(keys, values) if self.unions.is_some() => self.entries(keys, values, kind, cursor),
            SchemaType::Map(keys, values) => self.pairs(keys, values, kind, cursor),
            SchemaType::Struct(fields) if self.is_union(schema) => self.one_of(fields, cursor),
            SchemaType::Struct(fields) => self.fields(fields, kind, cursor),
            scalar => self.scalar(scalar, kind, cursor.value()),
        }
    }

    /// What null is, or a value that is missing.
    fn null(&self, schema: &Schema) -> Result<Value> {
        match &schema.default {
            Some(default) if self.replaces_null => self.count(weight(default)).map(|()| default.clone()),
            _ if schema.optional => Ok(Value::Null),
            _ => Err(Error::data(format!("Invalid null value for required {} field", schema.schema_type.name()))),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low bits, as on the JVM")]
    fn scalar(&self, schema_type: &SchemaType, kind: Kind, text: &[u8]) -> Result<Value> {
        let whole = || if kind == Kind::Number { whole_number(text) } else { 0 };
        Ok(match schema_type {
            SchemaType::Boolean => Value::Boolean(text == b"true"),
            SchemaType::Int8 => Value::Int8(whole() as i8),
            SchemaType::Int16 => Value::Int16(whole() as i16),
            SchemaType::Int32 => Value::Int32(whole() as i32),
            SchemaType::Int64 => Value::Int64(whole()),
            // Adding zero makes negative zero zero: the JVM has it from a BigDecimal.
            SchemaType::Float32 => Value::Float32(number(kind, text).parse::<f32>().unwrap_or_default() + 0.0),
            SchemaType::Float64 => Value::Float64(number(kind, text).parse::<f64>().unwrap_or_default() + 0.0),
            SchemaType::String if kind == Kind::String => Value::String(self.string(text)),
            SchemaType::Bytes if kind == Kind::String => {
                Value::Bytes(decode_base64(text).map_err(|error| Error::data("Invalid bytes field").with_source(error))?)
            }
            _ => Value::Null,
        })
    }

    /// What a text says: a slice of the record where it has no escapes.
    pub(super) fn string(&self, text: &[u8]) -> Text {
        match decode_string(text) {
            Cow::Borrowed(content) => Text::from_utf8_lossy(self.text.share(content.as_bytes())),
            Cow::Owned(content) => Text::from(content),
        }
    }

    /// Of an object the values, of anything else but an array nothing.
    fn array(&self, items: &Schema, kind: Kind, cursor: &mut Cursor<'_>) -> Result<Value> {
        let mut read = Vec::new();
        if !matches!(kind, Kind::Array | Kind::Object) {
            cursor.value();
            return Ok(Value::Array(read));
        }
        let mut goes_on = cursor.enter();
        while goes_on {
            if kind == Kind::Object {
                cursor.name();
            }
            read.push(self.read(items, cursor)?);
            goes_on = cursor.goes_on();
        }
        Ok(Value::Array(read))
    }

    fn object(&self, values: &Schema, kind: Kind, cursor: &mut Cursor<'_>) -> Result<Value> {
        expect(Kind::Object, kind, "Maps with string fields should be encoded as JSON objects, but found")?;
        let (mut entries, mut goes_on) = (Vec::new(), cursor.enter());
        while goes_on {
            let key = Value::String(self.string(cursor.name()));
            entries.push((key, self.read(values, cursor)?));
            goes_on = cursor.goes_on();
        }
        Ok(Value::Map(entries))
    }

    fn pairs(&self, keys: &Schema, values: &Schema, kind: Kind, cursor: &mut Cursor<'_>) -> Result<Value> {
        expect(Kind::Array, kind, "Maps with non-string fields should be encoded as JSON array of tuples, but found")?;
        let (mut entries, mut goes_on) = (Vec::new(), cursor.enter());
        while goes_on {
            expect(Kind::Array, cursor.kind(), "Found invalid map entry instead of array tuple:")?;
            let (mut pair, mut elements) = (*cursor, 0);
            let mut more = cursor.enter();
            while more {
                cursor.value();
                elements += 1;
                more = cursor.goes_on();
            }
            if elements != 2 {
                return Err(Error::data(format!("Found invalid map entry, expected length 2 but found :{elements}")));
            }
            pair.enter();
            let key = self.read(keys, &mut pair)?;
            pair.goes_on();
            entries.push((key, self.read(values, &mut pair)?));
            goes_on = cursor.goes_on();
        }
        Ok(Value::Map(without_repeated_keys(entries)))
    }

    fn fields(&self, fields: &Fields, kind: Kind, cursor: &mut Cursor<'_>) -> Result<Value> {
        expect(Kind::Object, kind, "Structs should be encoded as JSON objects, but found")?;
        self.count(fields.len())?;
        let mut values: Vec<Option<Value>> = vec![None; fields.len()];
        let (mut goes_on, mut next) = (cursor.enter(), 0);
        while goes_on {
            match fields.find(&decode_string(cursor.name()), next) {
                Some(place) => {
                    let field = &fields[place];
                    let value = self.read(&field.schema, cursor)?;
                    refuse_null(&field.name, &field.schema, &value)?;
                    values[place] = Some(value);
                    next = place + 1;
                }
                None => {
                    cursor.value();
                }
            }
            goes_on = cursor.goes_on();
        }
        let missing = |(place, value): (usize, Option<Value>)| value.map_or_else(|| self.null(&fields[place].schema), Ok);
        values.into_iter().enumerate().map(missing).collect::<Result<_>>().map(Value::Struct)
    }
}

/// How many values a value is, itself included.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Array(values) | Value::Struct(values) => 1 + values.iter().map(weight).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(key, value)| weight(key) + weight(value)).sum::<usize>(),
        _ => 1,
    }
}

/// # Errors
/// `Data` where the value is of another kind. What it is is said as Jackson says it.
pub(super) fn expect(expected: Kind, found: Kind, message: &str) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::data(format!("{message} {}", node_type(found)))) }
}

fn node_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "OBJECT",
        Kind::Array => "ARRAY",
        Kind::String => "STRING",
        Kind::Number => "NUMBER",
        Kind::Boolean => "BOOLEAN",
        Kind::Null => "NULL",
    }
}

/// A value that is no text is null where a text is expected, and a struct takes no null for a required field, nor for what such a field holds.
fn refuse_null(field: &str, schema: &Schema, value: &Value) -> Result<()> {
    match (value, &schema.schema_type) {
        (Value::Null, _) if !schema.optional => {
            let schema_type = schema.schema_type.name();
            Err(Error::data(format!("Invalid value: null used for required field: \"{field}\", schema type: {schema_type}")))
        }
        (Value::Array(items), SchemaType::Array(schema)) => items.iter().try_for_each(|item| refuse_null(field, schema, item)),
        (Value::Map(entries), SchemaType::Map(keys, values)) => entries
            .iter()
            .try_for_each(|(key, value)| refuse_null(field, keys, key).and_then(|()| refuse_null(field, values, value))),
        _ => Ok(()),
    }
}

fn logical(logical_type: LogicalType, schema: &Schema, kind: Kind, text: &[u8]) -> Result<Value> {
    let is_whole = kind == Kind::Number && !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let small = || std::str::from_utf8(text).ok().filter(|_| is_whole).and_then(|text| text.parse::<i32>().ok());
    let no_integer = |name: &str, expected: &str| {
        let found = node_type(kind);
        Error::data(format!("Invalid type for {name}, underlying representation should be {expected} but was {found}"))
    };
    match logical_type {
        LogicalType::Date => small().map(Value::Date).ok_or_else(|| no_integer("Date", "integer")),
        LogicalType::Time => {
            let time = small().ok_or_else(|| no_integer("Time", "integer"))?;
            if (0..=MILLISECONDS_OF_A_DAY).contains(&time.into()) {
                return Ok(Value::Time(time));
            }
            Err(Error::data("Time values must use number of milliseconds greater than 0 and less than 86400000"))
        }
        LogicalType::Timestamp if is_whole => Ok(Value::Timestamp(whole_number(text))),
        LogicalType::Timestamp => Err(no_integer("Timestamp", "integral")),
        LogicalType::Decimal if kind == Kind::Number => {
            let read = number(kind, text).parse().map(Value::Decimal);
            read.map_err(|error| Error::data("Invalid number for Decimal field").with_source(error))
        }
        LogicalType::Decimal if kind == Kind::String => {
            let unscaled =
                decode_base64(text).map_err(|error| Error::data("Invalid bytes for Decimal field").with_source(error))?;
            if unscaled.is_empty() {
                return Err(Error::data("Zero length BigInteger").with_class("java.lang.NumberFormatException"));
            }
            Ok(Value::Decimal(Decimal::new(unscaled, scale(schema)?)))
        }
        _ => Err(no_integer("Decimal", "numeric or bytes")),
    }
}

fn scale(schema: &Schema) -> Result<i32> {
    let Some(scale) = schema.parameter("scale") else {
        return Err(Error::data("Invalid Decimal schema: scale parameter not found."));
    };
    scale.parse().map_err(|error| Error::data("Invalid scale parameter found in Decimal schema: ").with_source(error))
}

/// A string's bytes. Blanks may stand between its groups of four letters.
pub(super) fn decode_base64(text: &[u8]) -> Result<Bytes, base64::DecodeError> {
    let mut encoded = decode_string(text);
    if encoded.contains(|character| character <= ' ') {
        encoded = encoded.chars().filter(|character| *character > ' ').collect();
    }
    BASE64.decode(encoded.as_bytes()).map(Bytes::from)
}

/// The text of a number; of anything else none.
fn number(kind: Kind, text: &[u8]) -> &str {
    std::str::from_utf8(text).ok().filter(|_| kind == Kind::Number).unwrap_or_default()
}

/// A number without its fraction: the low 64 bits, as Java's `BigDecimal.longValue()` has them.
pub(super) fn whole_number(number: &[u8]) -> i64 {
    if let Some(whole) = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()) {
        return whole;
    }
    let (mantissa, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&number[..at], &number[at + 1..]),
        None => (number, &b""[..]),
    };
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let exponent = match std::str::from_utf8(exponent).unwrap_or_default().parse::<i64>() {
        Ok(exponent) => exponent,
        Err(_) if exponent.first() == Some(&b'-') => i64::MIN,
        Err(_) if exponent.is_empty() => 0,
        Err(_) => i64::MAX,
    };
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let mut digits = mantissa.iter().filter(is_digit).map(|digit| i64::from(digit - b'0'));
    let whole_digits = i64::try_from(mantissa[..point].iter().filter(is_digit).count()).unwrap_or(i64::MAX);
    let mut low = 0_i64;
    let (mut read, count) = (0, whole_digits.saturating_add(exponent));
    while read < count {
        match digits.next() {
            Some(digit) => low = low.wrapping_mul(10).wrapping_add(digit),
            // 10^64 has no bit among the low 64.
            None if count - read >= 64 => return 0,
            None => low = low.wrapping_mul(10),
        }
        read += 1;
    }
    if number.first() == Some(&b'-') { low.wrapping_neg() } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_their_fraction_and_what_is_beyond_64_bits() {
        for (number, expected) in [
            ("7", 7),
            ("-1.9", -1),
            ("1.5e1", 15),
            ("12345e-2", 123),
            ("12.50", 12),
            ("1e-400", 0),
            ("1e400", 0),
            ("1e2147483647", 0),
            ("18446744073709551617", 1),
            ("-18446744073709551617.9", -1),
            ("9223372036854775808", i64::MIN),
            ("1e19", 10_000_000_000_000_000_000_u64.cast_signed()),
            ("0.0001e4", 1),
        ] {
            assert_eq!(whole_number(number.as_bytes()), expected, "{number}");
        }
    }
}
