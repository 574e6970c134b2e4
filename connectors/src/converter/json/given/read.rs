//! Plain JSON, read by a schema that somebody gave. Nothing is forgiven and nothing is lost: what the schema has no room for is refused, with its place.

use std::{cell::Cell, collections::HashMap};

use connect_api::{
    Result,
    data::{
        Field, Fields, JsonText, Schema, SchemaType, Text, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use super::{
    JSON_NAME, JSON_TEXT,
    misfit::{Fits, Misfit},
    scalar,
};
use crate::converter::{
    avro::UNION,
    json::payload::{Payload, weight},
    json_schema::ONE_OF,
};

/// What becomes of members that the schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownFields {
    /// The record does not fit.
    Fail,
    /// They are left out.
    Ignore,
}

/// Reads one text by a schema.
pub(super) struct Fitting<'a> {
    payload: Payload<'a>,
    /// `Fail` for a while where the types of a union are tried.
    unknown: Cell<UnknownFields>,
    /// How many members were left out.
    left_out: Cell<usize>,
}

/// The value of a text.
///
/// # Errors
/// `Data` where it does not fit, with the member's path.
pub(crate) fn read(text: &JsonText, schema: &Schema, unknown: UnknownFields, replaces_null: bool) -> Result<Value> {
    let fitting = Fitting { payload: Payload::new(text, replaces_null), unknown: Cell::new(unknown), left_out: Cell::new(0) };
    Ok(fitting.any(schema, &mut Cursor::new(text))?)
}

impl Fitting<'_> {
    fn any(&self, schema: &Schema, cursor: &mut Cursor<'_>) -> Fits<Value> {
        let kind = cursor.kind();
        if kind == Kind::Null {
            cursor.value();
            return match &schema.default {
                Some(default) if self.payload.replaces_null => self.copy(default),
                _ if schema.optional => Ok(Value::Null),
                _ => Err(Misfit::other(schema, kind, b"null")),
            };
        }
        if let Some(logical) = schema.logical_type() {
            return scalar::logical(logical, schema, kind, cursor.value());
        }
        match &schema.schema_type {
            SchemaType::Struct(fields) if matches!(schema.name.as_deref(), Some(UNION | ONE_OF)) => self.union(fields, cursor),
            SchemaType::Struct(fields) if kind == Kind::Object => self.fields(fields, cursor),
            SchemaType::Array(items) if kind == Kind::Array => self.items(items, cursor),
            SchemaType::Map(_, values) if kind == Kind::Object => self.entries(values, cursor),
            SchemaType::String if schema.parameter(JSON_TEXT).is_some() => Ok(self.json_text(cursor.value())),
            SchemaType::String if kind == Kind::String => {
                let text = cursor.value();
                scalar::check_symbol(schema, text)?;
                Ok(Value::String(self.payload.string(text)))
            }
            _ => scalar::plain(schema, kind, cursor.value()),
        }
    }

    /// A member that is not there.
    fn missing(&self, schema: &Schema) -> Fits<Value> {
        match &schema.default {
            Some(default) => self.copy(default),
            None if schema.optional => Ok(Value::Null),
            None => Err(Misfit::missing(schema)),
        }
    }

    fn copy(&self, default: &Value) -> Fits<Value> {
        self.payload.count(weight(default)).map_err(Misfit::unfit)?;
        Ok(default.clone())
    }

    fn fields(&self, fields: &Fields, cursor: &mut Cursor<'_>) -> Fits<Value> {
        self.payload.count(fields.len()).map_err(Misfit::unfit)?;
        let mut values: Vec<Option<Value>> = vec![None; fields.len()];
        let (mut goes_on, mut next) = (cursor.enter(), 0);
        // Made where it is needed first: as a rule members come in the order of the fields.
        let mut renamed = None;
        while goes_on {
            let name = decode_string(cursor.name());
            match place_of(fields, &name, next, &mut renamed) {
                Some(place) => {
                    let value = self.any(&fields[place].schema, cursor).map_err(|misfit| misfit.in_member(&name))?;
                    values[place] = Some(value);
                    next = place + 1;
                }
                None if self.unknown.get() == UnknownFields::Fail => return Err(Misfit::unknown().in_member(&name)),
                None => {
                    cursor.value();
                    self.left_out.set(self.left_out.get() + 1);
                }
            }
            goes_on = cursor.goes_on();
        }
        let value = |(place, value): (usize, Option<Value>)| match value {
            Some(value) => Ok(value),
            None => self.missing(&fields[place].schema).map_err(|misfit| misfit.in_member(member_of(&fields[place]))),
        };
        values.into_iter().enumerate().map(value).collect::<Fits<_>>().map(Value::Struct)
    }

    fn items(&self, items: &Schema, cursor: &mut Cursor<'_>) -> Fits<Value> {
        let (mut read, mut goes_on) = (Vec::new(), cursor.enter());
        while goes_on {
            read.push(self.any(items, cursor).map_err(|misfit| misfit.in_element(read.len()))?);
            goes_on = cursor.goes_on();
        }
        Ok(Value::Array(read))
    }

    fn entries(&self, values: &Schema, cursor: &mut Cursor<'_>) -> Fits<Value> {
        let (mut entries, mut goes_on) = (Vec::new(), cursor.enter());
        while goes_on {
            let name = cursor.name();
            let value = self.any(values, cursor).map_err(|misfit| misfit.in_member(&decode_string(name)))?;
            entries.push((Value::String(self.payload.string(name)), value));
            goes_on = cursor.goes_on();
        }
        Ok(Value::Map(entries))
    }

    /// A struct in which one field is there: the first that the value fits, or the one that leaves out the fewest of its members.
    fn union(&self, fields: &Fields, cursor: &mut Cursor<'_>) -> Fits<Value> {
        self.payload.count(fields.len()).map_err(Misfit::unfit)?;
        let (start, kind) = (*cursor, cursor.kind());
        let text = cursor.value();
        let in_place = |(place, value): (usize, Value)| {
            let mut values = vec![Value::Null; fields.len()];
            values[place] = value;
            Value::Struct(values)
        };
        let unknown = self.unknown.replace(UnknownFields::Fail);
        let strict = self.branch(fields, start);
        self.unknown.set(unknown);
        let found = match strict {
            Err(misfit) if unknown == UnknownFields::Ignore && !misfit.as_ref().is_some_and(|misfit| misfit.is_final()) => {
                self.branch(fields, start)
            }
            strict => strict,
        };
        let names = || fields.iter().map(|field| field.schema.schema_type.name()).collect::<Vec<_>>().join(", ");
        let none_of_all = || Misfit::because(kind, text, format!("one of {}, each as its schema says", names()));
        let misfit = |nearest: Option<Box<Misfit>>| {
            nearest.filter(|misfit| misfit.is_final() || misfit.depth() > 0).unwrap_or_else(none_of_all)
        };
        found.map(in_place).map_err(misfit)
    }

    /// The place of the type that leaves out the fewest members, with the value; or the misfit that was read furthest, which is the type that was meant.
    fn branch(&self, fields: &Fields, start: Cursor<'_>) -> Result<(usize, Value), Option<Box<Misfit>>> {
        let (left, left_out) = (self.payload.left.get(), self.left_out.get());
        let mut best: Option<Branch> = None;
        let mut nearest: Option<Box<Misfit>> = None;
        for (place, field) in fields.iter().enumerate() {
            // What the types before have made is gone.
            self.payload.left.set(left);
            self.left_out.set(left_out);
            match self.any(&field.schema, &mut { start }) {
                Ok(value) => {
                    let branch = Branch { place, value, left: self.payload.left.get(), left_out: self.left_out.get() };
                    let is_whole = branch.left_out == left_out;
                    if best.as_ref().is_none_or(|best| branch.left_out < best.left_out) {
                        best = Some(branch);
                    }
                    if is_whole {
                        break;
                    }
                }
                Err(misfit) if misfit.is_final() => return Err(Some(misfit)),
                Err(misfit) if nearest.as_ref().is_none_or(|nearest| nearest.depth() < misfit.depth()) => nearest = Some(misfit),
                Err(_) => {}
            }
        }
        let Some(best) = best else {
            self.payload.left.set(left);
            self.left_out.set(left_out);
            return Err(nearest);
        };
        self.payload.left.set(best.left);
        self.left_out.set(best.left_out);
        Ok((best.place, best.value))
    }

    /// The text of any value, as it stands in the record.
    fn json_text(&self, text: &[u8]) -> Value {
        Value::String(Text::from_utf8_lossy(self.payload.text.share(text)))
    }
}

/// A type of a union that the value fits, and what was left after it.
struct Branch {
    place: usize,
    value: Value,
    left: usize,
    left_out: usize,
}

/// What the field's member is called, where that is not the field's own name.
fn stands_for(field: &Field) -> Option<&str> {
    field.schema.parameter(JSON_NAME)
}

/// What the field's member is called.
fn member_of(field: &Field) -> &str {
    stands_for(field).unwrap_or(&field.name)
}

/// The field of a member: it has its name, or says that it stands for it. `near`: where it probably is. `renamed`: those that stand for another name, once
/// they were looked for.
fn place_of<'f>(fields: &'f Fields, name: &str, near: usize, renamed: &mut Option<HashMap<&'f str, usize>>) -> Option<usize> {
    if fields[..].get(near).is_some_and(|field| member_of(field) == name) {
        return Some(near);
    }
    let found = fields.find(name, near).filter(|place| stands_for(&fields[*place]).is_none_or(|other| other == name));
    found.or_else(|| {
        let all = || fields.iter().enumerate().rev().filter_map(|(place, field)| Some((stands_for(field)?, place)));
        // Of two that stand for one name the first counts.
        renamed.get_or_insert_with(|| all().collect()).get(name).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converter::json::given::schema_from_text;

    #[test]
    fn renamed_members_that_come_in_order_are_not_searched_for() {
        let field = |place: usize| {
            format!(
                "{{\"name\":\"f{place}\",\"type\":{{\"type\":\"int\",\"connect.parameters\":{{\"json.name\":\"m-{place}\"}}}}}}"
            )
        };
        let all: Vec<_> = (0..9).map(field).collect();
        let schema = schema_from_text(&format!("{{\"type\":\"record\",\"name\":\"A\",\"fields\":[{}]}}", all.join(","))).unwrap();
        let (fields, mut renamed) = (schema.fields().unwrap(), None);
        for place in 0..9 {
            assert_eq!(place_of(fields, &format!("m-{place}"), place, &mut renamed), Some(place));
        }
        assert!(renamed.is_none());
        assert_eq!(place_of(fields, "m-7", 0, &mut renamed), Some(7));
        assert_eq!((place_of(fields, "f7", 7, &mut renamed), renamed.map(|renamed| renamed.len())), (None, Some(9)));
    }
}
