//! Plain JSON, read by a schema that somebody gave. Nothing is forgiven and nothing is lost: what the schema has no room for is refused, with its place.

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
    unknown: UnknownFields,
}

/// The value of a text.
///
/// # Errors
/// `Data` where it does not fit, with the member's path.
pub(crate) fn read(text: &JsonText, schema: &Schema, unknown: UnknownFields, replaces_null: bool) -> Result<Value> {
    let fitting = Fitting { payload: Payload::new(text, replaces_null), unknown };
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
        while goes_on {
            let name = decode_string(cursor.name());
            match place_of(fields, &name, next) {
                Some(place) => {
                    let field = &fields[place];
                    values[place] = Some(self.any(&field.schema, cursor).map_err(|misfit| misfit.in_member(&field.name))?);
                    next = place + 1;
                }
                None if self.unknown == UnknownFields::Fail => return Err(Misfit::unknown().in_member(&name)),
                None => {
                    cursor.value();
                }
            }
            goes_on = cursor.goes_on();
        }
        let value = |(place, value): (usize, Option<Value>)| match value {
            Some(value) => Ok(value),
            None => self.missing(&fields[place].schema).map_err(|misfit| misfit.in_member(&fields[place].name)),
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

    /// A struct in which one field is there: the first that the value fits.
    fn union(&self, fields: &Fields, cursor: &mut Cursor<'_>) -> Fits<Value> {
        self.payload.count(fields.len()).map_err(Misfit::unfit)?;
        let (start, kind) = (*cursor, cursor.kind());
        let text = cursor.value();
        let mut values = vec![Value::Null; fields.len()];
        let mut nearest: Option<Box<Misfit>> = None;
        for (place, field) in fields.iter().enumerate() {
            match self.any(&field.schema, &mut { start }) {
                Ok(value) => {
                    values[place] = value;
                    return Ok(Value::Struct(values));
                }
                Err(misfit) if misfit.is_final() => return Err(misfit),
                // The one that was read furthest is the one that was meant.
                Err(misfit) if nearest.as_ref().is_none_or(|nearest| nearest.depth() < misfit.depth()) => nearest = Some(misfit),
                Err(_) => {}
            }
        }
        let names: Vec<_> = fields.iter().map(|field| field.schema.schema_type.name()).collect();
        let none_of_all = || Misfit::because(kind, text, format!("one of {}, each as its schema says", names.join(", ")));
        Err(nearest.filter(|nearest| nearest.depth() > 0).unwrap_or_else(none_of_all))
    }

    /// The text of any value, as it stands in the record.
    fn json_text(&self, text: &[u8]) -> Value {
        Value::String(Text::from_utf8_lossy(self.payload.text.share(text)))
    }
}

/// What the field's member is called, where that is not the field's own name.
fn stands_for(field: &Field) -> Option<&str> {
    field.schema.parameter(JSON_NAME)
}

/// The field of a member: it has its name, or says that it stands for it.
fn place_of(fields: &Fields, name: &str, near: usize) -> Option<usize> {
    let found = fields.find(name, near).filter(|place| stands_for(&fields[*place]).is_none_or(|other| other == name));
    found.or_else(|| fields.iter().position(|field| stands_for(field) == Some(name)))
}
