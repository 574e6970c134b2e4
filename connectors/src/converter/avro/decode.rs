//! Values out of Avro's binary form.

use std::fmt;

use bytes::Bytes;
use connect_api::data::{Decimal, Text, Value};

use super::plan::Plan;
use crate::{
    converter::repeated_keys::without_repeated_keys,
    zigzag::{self, NoNumber},
};

const MILLISECONDS_OF_A_DAY: i32 = 86_400_000;

/// Values that need no byte can be many, and so can the fields of unions: so many are always allowed.
const VALUES: usize = 4_096;
/// And so many more for each byte.
const VALUES_OF_A_BYTE: usize = 8;

/// So many are made room for before they have been seen.
const ROOM: usize = 256;

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It ends too early.
    Truncated,
    /// Its schema has no such value.
    Because(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the message ends too early for its schema",
            Self::Because(reason) => reason,
        })
    }
}

type Result<T> = std::result::Result<T, Malformed>;

/// The value in `bytes`, which it shares; what follows it is ignored, as on the JVM.
///
/// # Errors
/// Where the bytes are no value of the schema.
pub(super) fn decode(plan: &Plan, bytes: &Bytes) -> Result<Value> {
    match plan {
        // Where a message is nothing but bytes, their length does not stand in front of them.
        Plan::Bytes => Ok(Value::Bytes(bytes.clone())),
        Plan::Decimal(scale) => decimal(bytes.clone(), *scale),
        _ => Decoder { bytes, at: 0, values_left: VALUES + bytes.len().saturating_mul(VALUES_OF_A_BYTE) }.value(plan),
    }
}

struct Decoder<'a> {
    bytes: &'a Bytes,
    at: usize,
    values_left: usize,
}

impl Decoder<'_> {
    fn value(&mut self, plan: &Plan) -> Result<Value> {
        Ok(match plan {
            Plan::Boolean => Value::Boolean(self.byte()? == 1),
            #[expect(clippy::cast_possible_truncation, reason = "as on the JVM: the schema promises that it fits")]
            Plan::Int8 => Value::Int8(self.int()? as i8),
            #[expect(clippy::cast_possible_truncation, reason = "as on the JVM: the schema promises that it fits")]
            Plan::Int16 => Value::Int16(self.int()? as i16),
            Plan::Int32 => Value::Int32(self.int()?),
            Plan::Int64 => Value::Int64(self.long()?),
            Plan::Date => Value::Date(self.int()?),
            Plan::Time => match self.int()? {
                time @ 0..=MILLISECONDS_OF_A_DAY => Value::Time(time),
                _ => {
                    return Err(Malformed::Because(
                        "Time values must use number of milliseconds greater than 0 and less than 86400000",
                    ));
                }
            },
            Plan::Timestamp => Value::Timestamp(self.long()?),
            Plan::Float32 => Value::Float32(f32::from_le_bytes(self.array()?)),
            Plan::Float64 => Value::Float64(f64::from_le_bytes(self.array()?)),
            Plan::String => Value::String(self.text()?),
            Plan::Bytes => Value::Bytes(self.sized()?),
            Plan::Decimal(scale) => decimal(self.sized()?, *scale)?,
            Plan::Fixed(size) => Value::Bytes(self.slice(*size)?),
            Plan::FixedDecimal(size, scale) => decimal(self.slice(*size)?, *scale)?,
            Plan::Enum(symbols) => {
                let symbol = usize::try_from(self.int()?).ok().and_then(|place| symbols.get(place));
                Value::String(symbol.ok_or(Malformed::Because("an enum has no symbol with this number"))?.clone())
            }
            Plan::Array(items) => {
                let mut values = Vec::new();
                self.blocks(|decoder, room| {
                    values.reserve(room);
                    values.push(decoder.value(items)?);
                    Ok(())
                })?;
                Value::Array(values)
            }
            Plan::Map(values) => self.entries(|decoder| Ok((Value::String(decoder.text()?), decoder.value(values)?)))?,
            Plan::Entries(entry, false) => self.entries(|decoder| Ok((decoder.value(&entry.0)?, decoder.value(&entry.1)?)))?,
            Plan::Entries(entry, true) => self.entries(|decoder| {
                let value = decoder.value(&entry.1)?;
                Ok((decoder.value(&entry.0)?, value))
            })?,
            Plan::Record(fields) => {
                self.count(fields.len())?;
                Value::Struct(fields.iter().map(|field| self.value(field)).collect::<Result<_>>()?)
            }
            Plan::Optional(null, plan) => match self.branch(2)? {
                branch if branch == *null => Value::Null,
                _ => self.value(plan)?,
            },
            Plan::Single(plan) => {
                self.branch(1)?;
                self.value(plan)?
            }
            Plan::Union(branches) => self.union(branches)?,
        })
    }

    /// A struct in which the branch's field alone has a value.
    fn union(&mut self, branches: &[Option<Plan>]) -> Result<Value> {
        let branch = self.branch(branches.len())?;
        let Some(Some(plan)) = branches.get(branch) else { return Ok(Value::Null) };
        let with_plan = |branches: &[Option<Plan>]| branches.iter().flatten().count();
        let (width, place) = (with_plan(branches), with_plan(branches.get(..branch).unwrap_or_default()));
        self.count(width)?;
        let mut values = vec![Value::Null; width];
        let value = self.value(plan)?;
        if let Some(field) = values.get_mut(place) {
            *field = value;
        }
        Ok(Value::Struct(values))
    }

    fn entries(&mut self, entry: impl Fn(&mut Self) -> Result<(Value, Value)>) -> Result<Value> {
        let mut entries = Vec::new();
        self.blocks(|decoder, room| {
            entries.reserve(room);
            entries.push(entry(decoder)?);
            Ok(())
        })?;
        Ok(Value::Map(without_repeated_keys(entries)))
    }

    /// Calls `item` for each item of each block, with how many make sense to make room for.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        loop {
            let mut count = self.long()?;
            if count < 0 {
                // Its size in bytes follows, for those who skip it.
                self.long()?;
                count = count.checked_neg().ok_or(Malformed::Because("a block has no count"))?;
            }
            if count == 0 {
                return Ok(());
            }
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            self.count(count)?;
            item(self, count.min(ROOM))?;
            (1..count).try_for_each(|_| item(self, 0))?;
        }
    }

    fn count(&mut self, values: usize) -> Result<()> {
        let too_many = Malformed::Because("the message stands for more values than it has bytes, and than memory should hold");
        self.values_left = self.values_left.checked_sub(values).ok_or(too_many)?;
        Ok(())
    }

    fn branch(&mut self, branches: usize) -> Result<usize> {
        let branch = usize::try_from(self.int()?).ok().filter(|branch| *branch < branches);
        branch.ok_or(Malformed::Because("a union has no branch with this number"))
    }

    fn text(&mut self) -> Result<Text> {
        self.sized().map(Text::from_utf8_lossy)
    }

    /// Bytes after their length.
    fn sized(&mut self) -> Result<Bytes> {
        let length = self.long()?;
        self.slice(usize::try_from(length).map_err(|_negative| Malformed::Because("Malformed data. Length is negative"))?)
    }

    fn slice(&mut self, length: usize) -> Result<Bytes> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Malformed::Truncated)?;
        let slice = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(slice)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let array = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or(Malformed::Truncated)?;
        self.at += N;
        Ok(*array)
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.at).ok_or(Malformed::Truncated)?;
        self.at += 1;
        Ok(*byte)
    }

    fn int(&mut self) -> Result<i32> {
        i32::try_from(self.long()?).map_err(|_too_long| Malformed::Because("Invalid int encoding"))
    }

    fn long(&mut self) -> Result<i64> {
        let (number, length) =
            zigzag::read(self.bytes.get(self.at..).unwrap_or_default()).map_err(|no_number| match no_number {
                NoNumber::Truncated => Malformed::Truncated,
                NoNumber::TooLong => Malformed::Because("Invalid long encoding"),
            })?;
        self.at += length;
        Ok(number)
    }
}

fn decimal(unscaled: Bytes, scale: i32) -> Result<Value> {
    if unscaled.is_empty() {
        return Err(Malformed::Because("Zero length BigInteger"));
    }
    Ok(Value::Decimal(Decimal::new(unscaled, scale)))
}
