//! Nested fields on one level.

use std::{collections::HashMap, sync::Arc};

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{
        Data, Field, Fields, JsonObject, JsonText, Schema, SchemaType, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use super::{
    operand::{OperandTransformation, classes, fields, object},
    schemas::{Derived, with_fields},
};

static DELIMITER: ConfigKey<String> =
    ConfigKey::with_default("delimiter", ".", "What stands between the names of a nested field and of those that it is in.").raw();

const PURPOSE: &str = "flattening";

/// All names of one object together may have so many bytes for each byte of the object, and a megabyte: short names that lie deep become long ones, each in full.
const BYTES_OF_NAMES: usize = 16;

/// Brings nested fields to the outermost level.
pub(crate) struct Flatten {
    delimiter: String,
    flattened: Derived<Arc<Schema>>,
}

impl OperandTransformation for Flatten {
    classes!("Flatten");
    const DOCUMENTATION: &'static str =
        "Brings nested fields to the outermost level, under names of all that they were in. Arrays stay as they are.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Flatten", &[&DELIMITER])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { delimiter: config.get(&DELIMITER)?, flattened: Derived::default() })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        if matches!(operand.value, Value::Null) {
            return Ok(operand);
        }
        let Some(schema) = operand.schema else {
            let object = object(operand.value, PURPOSE)?;
            let mut flat = Flat { room_for_names: 1 << 20, ..Flat::default() };
            flat.add_all(&object, &self.delimiter)?;
            return Ok(Data::schemaless(Value::Object(Box::new(flat.object))));
        };
        let (fields, values) = fields(&schema, operand.value, PURPOSE)?;
        let flattened = self.flattened.get(&schema, || self.schema(&schema, fields).map(Arc::new))?;
        let mut flat = Vec::with_capacity(flattened.fields().map_or(0, |fields| fields.len()));
        add_values(fields, Some(values), &mut flat);
        Ok(Data::with_schema(Arc::clone(&flattened), Value::Struct(flat)))
    }
}

/// An object that is made of nested ones.
#[derive(Default)]
struct Flat {
    object: JsonObject,
    /// Of names that occur twice the last value stays.
    places: HashMap<Arc<str>, usize>,
    room_for_names: usize,
}

impl Flat {
    fn add_all(&mut self, object: &JsonObject, delimiter: &str) -> Result<()> {
        for at in 0..object.len() {
            match object.unread(at) {
                Value::Object(nested) => self.add_nested(&nested.to_text()?, &object.name(at), delimiter)?,
                Value::Json(json) if json.as_bytes().starts_with(b"{") => self.add_nested(&json, &object.name(at), delimiter)?,
                Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                    let class = Value::Timestamp(0).type_name();
                    return Err(Error::data(format!(
                        "Flatten transformation was passed a value of type class {class} which is not supported by Connect's data API"
                    )));
                }
                value => self.put(&object.name(at), value)?,
            }
        }
        Ok(())
    }

    /// Adds what is in a nested object, however deep: in one pass over its text.
    fn add_nested(&mut self, text: &JsonText, name: &str, delimiter: &str) -> Result<()> {
        self.room_for_names += BYTES_OF_NAMES * text.as_bytes().len();
        let mut cursor = Cursor::new(text);
        // The names of the objects that the cursor is in, and how long it is without each.
        let (mut prefix, mut outer) = (name.to_owned(), Vec::new());
        if !cursor.enter() {
            return Ok(());
        }
        loop {
            let before = prefix.len();
            let name = decode_string(cursor.name());
            if !prefix.is_empty() {
                prefix.push_str(delimiter);
            }
            prefix.push_str(&name);
            if cursor.kind() == Kind::Object {
                if cursor.enter() {
                    outer.push(before);
                    continue;
                }
            } else {
                self.put(&prefix, text.part(cursor.value()).map_or(Value::Null, Value::Json))?;
            }
            prefix.truncate(before);
            while !cursor.goes_on() {
                match outer.pop() {
                    Some(before) => prefix.truncate(before),
                    None => return Ok(()),
                }
            }
        }
    }

    fn put(&mut self, name: &str, value: Value) -> Result<()> {
        self.room_for_names = self.room_for_names.checked_sub(name.len()).ok_or_else(|| {
            Error::data(
                "the names of the flattened fields are longer than memory should hold: each has those of all that it was in",
            )
        })?;
        match self.places.get(name) {
            Some(place) => self.object.set_at(*place, value),
            None => {
                let name: Arc<str> = name.into();
                self.places.insert(Arc::clone(&name), self.object.len());
                self.object.push(&name, value);
            }
        }
        Ok(())
    }
}

/// Appends the values of all leaves, in the order of [`Flatten::schema`].
fn add_values(fields: &Fields, values: Option<Vec<Value>>, out: &mut Vec<Value>) {
    let mut values = values.map(Vec::into_iter);
    for field in fields.iter() {
        let value = values.as_mut().and_then(Iterator::next).unwrap_or_default();
        let value = match (value, &field.schema.default) {
            (Value::Null, Some(default)) if values.is_some() => default.clone(),
            (value, _) => value,
        };
        match (field.schema.fields(), value) {
            (Some(nested), Value::Struct(values)) => add_values(nested, Some(values), out),
            (Some(nested), _) => add_values(nested, None, out),
            (None, value) => out.push(value),
        }
    }
}

impl Flatten {
    fn schema(&self, schema: &Schema, fields: &Fields) -> Result<Schema> {
        let mut flat = Vec::new();
        self.add_fields(fields, "", schema.optional, schema.default.as_ref(), &mut flat)?;
        with_fields(schema, flat)
    }

    /// Appends the leaves. `optional`, `default`: what they take from the structs that they are in.
    fn add_fields(
        &self,
        fields: &Fields,
        prefix: &str,
        optional: bool,
        default: Option<&Value>,
        out: &mut Vec<Field>,
    ) -> Result<()> {
        for (place, Field { name, schema }) in fields.iter().enumerate() {
            let name = if prefix.is_empty() { Arc::clone(name) } else { format!("{prefix}{}{name}", self.delimiter).into() };
            let optional = optional || schema.optional;
            let of_parent = match default {
                Some(Value::Struct(values)) => values.get(place).filter(|value| !matches!(value, Value::Null)),
                _ => None,
            };
            let default = schema.default.as_ref().or(of_parent);
            match &schema.schema_type {
                SchemaType::Struct(nested) => self.add_fields(nested, &name, optional, default, out)?,
                SchemaType::Map(..) => {
                    let message =
                        format!("Flatten transformation does not support MAP for record with schemas (for field {name}).");
                    return Err(Error::data(message));
                }
                _ => {
                    let schema = Arc::new(Schema { optional, default: default.cloned(), ..Schema::clone(schema) });
                    out.push(Field { name, schema });
                }
            }
        }
        Ok(())
    }
}
