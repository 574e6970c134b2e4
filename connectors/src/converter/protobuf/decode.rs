//! Messages to values.

use std::{cell::Cell, fmt};

use bytes::Bytes;
use connect_api::data::{Decimal, Text, Value};
use prost_reflect::{Cardinality, DynamicMessage, MapKey, MessageDescriptor, Value as Protobuf};

use super::plan::{Field, Member, Plan, Struct};

/// Fields that are absent need no byte: so many values are always allowed, and one more for each two bytes.
const VALUES: usize = 1 << 20;

/// Behind the point: billionths need nine, and more are zeros.
const MOST_DIGITS: u32 = 19;

const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;
const NANOSECONDS_OF_A_MILLISECOND: i64 = 1_000_000;

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The bytes are no message of its type.
    Bytes(String),
    /// Its schema has no such value.
    Because(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(reason) => f.write_str(reason),
            Self::Because(reason) => f.write_str(reason),
        }
    }
}

type Result<T> = std::result::Result<T, Malformed>;

/// The value of a message.
///
/// # Errors
/// Where the bytes are no message of this type, or a value of it is none that Connect has.
pub(super) fn decode(message: &MessageDescriptor, plan: &Plan, payload: &Bytes) -> Result<Value> {
    let decoded = DynamicMessage::decode(message.clone(), payload.clone());
    let decoded = decoded.map_err(|error| Malformed::Bytes(error.to_string()))?;
    Room { left: Cell::new(VALUES + payload.len()) }.value(plan, Protobuf::Message(decoded))
}

/// How many more values may be made.
struct Room {
    left: Cell<usize>,
}

impl Room {
    fn take(&self, values: usize) -> Result<()> {
        let too_many =
            Malformed::Because("the message stands for more values than memory should hold: fields that are absent count");
        self.left.set(self.left.get().checked_sub(values).ok_or(too_many)?);
        Ok(())
    }

    fn value(&self, plan: &Plan, read: Protobuf) -> Result<Value> {
        #[expect(clippy::cast_possible_truncation, reason = "as on the JVM: the schema promises that it fits")]
        Ok(match (plan, read) {
            (Plan::Int8, Protobuf::I32(number)) => Value::Int8(number as i8),
            (Plan::Int16, Protobuf::I32(number)) => Value::Int16(number as i16),
            (Plan::Int32, Protobuf::I32(number)) | (Plan::Number, Protobuf::EnumNumber(number)) => Value::Int32(number),
            (Plan::Int64, Protobuf::I64(number)) => Value::Int64(number),
            (Plan::Int64, Protobuf::U32(number)) => Value::Int64(number.into()),
            (Plan::Int64, Protobuf::U64(number)) => Value::Int64(number.cast_signed()),
            (Plan::Float32, Protobuf::F32(number)) => Value::Float32(number),
            (Plan::Float64, Protobuf::F64(number)) => Value::Float64(number),
            (Plan::Boolean, Protobuf::Bool(is)) => Value::Boolean(is),
            (Plan::String, Protobuf::String(text)) => Value::String(text.into()),
            (Plan::Bytes, Protobuf::Bytes(bytes)) => Value::Bytes(bytes),
            (Plan::Symbol(symbols), Protobuf::EnumNumber(number)) => Value::String(match symbols.0.get(&number) {
                Some(symbol) => symbol.clone(),
                None => Text::from(format!("UNKNOWN_ENUM_VALUE_{}_{number}", symbols.1)),
            }),
            (Plan::Array(items), Protobuf::List(list)) => {
                Value::Array(list.into_iter().map(|item| self.value(items, item)).collect::<Result<_>>()?)
            }
            (Plan::Map(entry), Protobuf::Map(entries)) => {
                // The library's order is none that stays.
                let mut entries: Vec<_> = entries.into_iter().collect();
                entries.sort_by(|(left, _), (right, _)| left.cmp(right));
                let entry = |(key, read)| Ok((self.value(&entry.0, of_key(key))?, self.value(&entry.1, read)?));
                Value::Map(entries.into_iter().map(entry).collect::<Result<_>>()?)
            }
            (plan, Protobuf::Message(message)) => return self.of_message(plan, message),
            _ => return Err(Malformed::Because("a field has another type than its schema")),
        })
    }

    fn of_message(&self, plan: &Plan, mut message: DynamicMessage) -> Result<Value> {
        match plan {
            Plan::Struct(plan) => self.structure(plan, message),
            Plan::Wrapped(field) => self.field_value(field, &mut message),
            Plan::Decimal => {
                let (mut unscaled, mut scale) = (Bytes::new(), 0);
                for (field, read) in message.take_fields() {
                    match (field.name(), read) {
                        ("value", Protobuf::Bytes(bytes)) => unscaled = bytes,
                        ("scale", Protobuf::I32(number)) => scale = number,
                        _ => {}
                    }
                }
                if unscaled.is_empty() {
                    return Err(Malformed::Because("Zero length BigInteger"));
                }
                Ok(Value::Decimal(Decimal::new(unscaled, scale)))
            }
            Plan::TwoPartDecimal => two_part_decimal(&message),
            Plan::Date => date(&message),
            Plan::Time => {
                let number = |name| number(&message, name);
                let (hours, minutes, seconds) = (number("hours"), number("minutes"), number("seconds"));
                let is_time = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..60).contains(&seconds);
                let millis = number("nanos") / NANOSECONDS_OF_A_MILLISECOND;
                let time = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis;
                let time =
                    Some(time).filter(|time| is_time && (0..MILLISECONDS_OF_A_DAY).contains(time) && (0..1_000).contains(&millis));
                let time = time.and_then(|time| i32::try_from(time).ok());
                time.map(Value::Time).ok_or(Malformed::Because("a google.type.TimeOfDay is no time of a day"))
            }
            Plan::Timestamp => {
                let (seconds, nanos) = (number(&message, "seconds"), number(&message, "nanos"));
                let millis = seconds.checked_mul(1_000).and_then(|millis| millis.checked_add(nanos / NANOSECONDS_OF_A_MILLISECOND));
                let is_timestamp = (0..1_000_000_000).contains(&nanos);
                let millis = millis.filter(|_| is_timestamp).ok_or(Malformed::Because("a google.protobuf.Timestamp is no time"))?;
                Ok(Value::Timestamp(millis))
            }
            _ => Err(Malformed::Because("a field has another type than its schema")),
        }
    }

    fn structure(&self, plan: &Struct, mut message: DynamicMessage) -> Result<Value> {
        self.take(plan.members.len())?;
        let member = |member: &Member| match member {
            Member::Field(field) => self.field_value(field, &mut message),
            Member::Union(fields) => {
                let Some(place) = fields.iter().position(|field| message.has_field(&field.field)) else { return Ok(Value::Null) };
                self.take(fields.len())?;
                let mut values = vec![Value::Null; fields.len()];
                if let (Some(value), Some(field)) = (values.get_mut(place), fields.get(place)) {
                    *value = self.field_value(field, &mut message)?;
                }
                Ok(Value::Struct(values))
            }
        };
        plan.members.iter().map(member).collect::<Result<_>>().map(Value::Struct)
    }

    fn field_value(&self, field: &Field, message: &mut DynamicMessage) -> Result<Value> {
        match message.take_field(&field.field) {
            Some(read) => self.value(&field.plan, read),
            None if field.field.cardinality() == Cardinality::Required => {
                Err(Malformed::Because("Message was missing required fields."))
            }
            None if field.can_be_absent => Ok(Value::Null),
            None => self.value(&field.plan, Protobuf::default_value_for_field(&field.field)),
        }
    }
}

/// A number whose billionths stand beside its units.
fn two_part_decimal(message: &DynamicMessage) -> Result<Value> {
    let (units, fraction, scale) = (number(message, "units"), number(message, "fraction"), number(message, "scale"));
    // Behind the point are as many digits as it says, and never less than none.
    let digits = u32::try_from(scale.max(0)).ok().filter(|digits| *digits <= MOST_DIGITS);
    let unscaled = digits.and_then(|digits| {
        let whole = i128::from(units).checked_mul(10_i128.checked_pow(digits)?)?;
        let billionths = i128::from(fraction).checked_mul(10_i128.checked_pow(digits)?)?;
        let rest = if billionths % 1_000_000_000 == 0 { billionths / 1_000_000_000 } else { return None };
        Some((whole.checked_add(rest)?, i32::try_from(digits).ok()?))
    });
    let unrounded = "an additionalTypes.Decimal has more digits than its scale, or a scale that nobody has";
    let (unscaled, scale) = unscaled.ok_or(Malformed::Because(unrounded))?;
    Ok(Value::Decimal(Decimal::new(Bytes::copy_from_slice(&unscaled.to_be_bytes()), scale)))
}

fn date(message: &DynamicMessage) -> Result<Value> {
    let part = |name| i16::try_from(number(message, name)).ok();
    let date = part("year").filter(|year| *year > 0).and_then(|year| {
        let (month, day) = (i8::try_from(part("month")?).ok()?, i8::try_from(part("day")?).ok()?);
        jiff::civil::Date::new(year, month, day).ok()
    });
    let date = date.ok_or(Malformed::Because("a google.type.Date is no day of the calendar"))?;
    let days = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).map(|span| span.get_days());
    days.map(Value::Date).map_err(|_out_of_range| Malformed::Because("a google.type.Date is no day of the calendar"))
}

/// An integer of one of the messages with a meaning of their own; 0 where it is not there.
fn number(message: &DynamicMessage, name: &str) -> i64 {
    let read = message.get_field_by_name(name);
    read.and_then(|read| read.as_i64().or_else(|| read.as_i32().map(i64::from))).unwrap_or(0)
}

fn of_key(key: MapKey) -> Protobuf {
    match key {
        MapKey::Bool(is) => Protobuf::Bool(is),
        MapKey::I32(number) => Protobuf::I32(number),
        MapKey::I64(number) => Protobuf::I64(number),
        MapKey::U32(number) => Protobuf::U32(number),
        MapKey::U64(number) => Protobuf::U64(number),
        MapKey::String(text) => Protobuf::String(text),
    }
}
