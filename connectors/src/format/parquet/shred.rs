//! Rows to columns, as Dremel does it: each value with how often it repeats and how much around it is there.

use bytes::Bytes;
use connect_api::{Error, Result};
use parquet::data_type::ByteArray;

use super::{
    columns::{Columns, Levels, Values},
    plan::{Branch, Plan, Repeated, Union},
};
use crate::zigzag;

/// A row in Avro's binary form, which ends where the next one begins. We have written it ourselves: where it is not right, the disk has changed it.
pub(super) struct Rows<'a> {
    piece: &'a Bytes,
    at: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(piece: &'a Bytes) -> Self {
        Self { piece, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.piece.len()
    }

    /// Moves the values of the next row into columns.
    ///
    /// # Errors
    /// `Fatal` where there is no row.
    pub(super) fn shred(&mut self, plan: &Plan, columns: &mut Columns) -> Result<()> {
        self.value(plan, columns, Levels { repetition: 0, definition: 0 })
    }

    fn value(&mut self, plan: &Plan, columns: &mut Columns, levels: Levels) -> Result<()> {
        macro_rules! push {
            ($column:expr, $values:ident, $value:expr) => {{
                let value = $value;
                match columns.values(*$column, levels) {
                    Some(Values::$values(values)) => values.push(value),
                    _ => return Err(damaged()),
                }
            }};
        }
        match plan {
            Plan::Boolean(column) => push!(column, Boolean, self.array::<1>()? == [1]),
            Plan::Int32(column) => push!(column, Int32, i32::try_from(self.long()?).map_err(|_too_long| damaged())?),
            Plan::Int64(column) => push!(column, Int64, self.long()?),
            Plan::Float(column) => push!(column, Float, f32::from_le_bytes(self.array()?)),
            Plan::Double(column) => push!(column, Double, f64::from_le_bytes(self.array()?)),
            Plan::Bytes(column) => push!(column, Bytes, {
                let length = self.number()?;
                ByteArray::from(self.slice(length)?)
            }),
            Plan::Fixed(column, size) => push!(column, Fixed, ByteArray::from(self.slice(*size)?).into()),
            Plan::Enum(column, symbols) => push!(column, Bytes, symbols.get(self.number()?).ok_or_else(damaged)?.clone()),
            Plan::Record(fields) => return fields.iter().try_for_each(|field| self.value(field, columns, levels)),
            Plan::Optional(null, branch) => {
                if self.number()? == *null {
                    columns.push_null(&branch.columns, levels);
                } else {
                    return self.value(&branch.plan, columns, levels.defined());
                }
            }
            Plan::Repeated(repeated) => return self.repeated(repeated, columns, levels),
            Plan::Union(union) => return self.union(union, columns, levels),
        }
        Ok(())
    }

    fn repeated(&mut self, repeated: &Repeated, columns: &mut Columns, levels: Levels) -> Result<()> {
        let mut next = levels.defined();
        let mut left = self.number()?;
        if left == 0 {
            columns.push_null(&repeated.columns, levels);
        }
        while left > 0 {
            for _ in 0..left {
                self.value(&repeated.items, columns, next)?;
                next.repetition = repeated.depth;
            }
            left = self.number()?;
        }
        Ok(())
    }

    fn union(&mut self, union: &Union, columns: &mut Columns, levels: Levels) -> Result<()> {
        let branch = self.number()?;
        let (mut levels, mut place) = (levels, Some(branch));
        if let Some(null) = union.null {
            if branch == null {
                columns.push_null(&union.columns, levels);
                return Ok(());
            }
            levels = levels.defined();
            place = Some(branch - usize::from(branch > null));
        }
        let place = place.filter(|place| *place < union.members.len()).ok_or_else(damaged)?;
        for (index, Branch { plan, columns: own }) in union.members.iter().enumerate() {
            if index == place {
                self.value(plan, columns, levels.defined())?;
            } else {
                columns.push_null(own, levels);
            }
        }
        Ok(())
    }

    /// A count, a length or a branch.
    fn number(&mut self) -> Result<usize> {
        usize::try_from(self.long()?).map_err(|_negative| damaged())
    }

    fn long(&mut self) -> Result<i64> {
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let (number, length) = zigzag::read(rest).map_err(|_no_number| damaged())?;
        self.at += length;
        Ok(number)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let array = self.piece.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or_else(damaged)?;
        self.at += N;
        Ok(*array)
    }

    fn slice(&mut self, length: usize) -> Result<Bytes> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.piece.len()).ok_or_else(damaged)?;
        let slice = self.piece.slice(self.at..end);
        self.at = end;
        Ok(slice)
    }
}

impl Levels {
    /// Where what was optional is there.
    fn defined(self) -> Self {
        Self { definition: self.definition + 1, ..self }
    }
}

fn damaged() -> Error {
    Error::fatal("rows of an open Parquet file have changed since they were written")
}
