//! Nested fields on one level.

use std::{collections::HashMap, sync::Arc};

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Field, Fields, JsonObject, Schema, SchemaType, Value},
};

use super::{
    operand::{OperandTransformation, classes, fields, object},
    schemas::{Derived, with_fields},
};

static DELIMITER: ConfigKey<String> =
    ConfigKey::with_default("delimiter", ".", "What stands between the names of a nested field and of those that it is in.").raw();

const PURPOSE: &str = "flattening";

/// All names of one object together. Short names that lie deep become long ones, each in full.
const MOST_BYTES_OF_NAMES: usize = 64 * 1024 * 1024;

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
            let mut flat = Flat::default();
            flat.add(&object, "", &self.delimiter)?;
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
    bytes_of_names: usize,
}

impl Flat {
    fn add(&mut self, object: &JsonObject, prefix: &str, delimiter: &str) -> Result<()> {
        for at in 0..object.len() {
            let name = object.name(at);
            let name = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}{delimiter}{name}") };
            self.bytes_of_names += name.len();
            if self.bytes_of_names > MOST_BYTES_OF_NAMES {
                return Err(Error::data(format!("the names of the flattened fields have more than {MOST_BYTES_OF_NAMES} bytes")));
            }
            match object.unread(at) {
                Value::Object(nested) => self.add(&nested, &name, delimiter)?,
                Value::Json(json) if json.as_bytes().starts_with(b"{") => {
                    let nested = JsonObject::of(&json).unwrap_or_default();
                    self.add(&nested, &name, delimiter)?;
                }
                Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                    let class = Value::Timestamp(0).type_name();
                    return Err(Error::data(format!(
                        "Flatten transformation was passed a value of type class {class} which is not supported by Connect's data API"
                    )));
                }
                value => self.put(name.into(), value),
            }
        }
        Ok(())
    }

    fn put(&mut self, name: Arc<str>, value: Value) {
        match self.places.get(&name) {
            Some(place) => self.object.set_at(*place, value),
            None => {
                self.places.insert(Arc::clone(&name), self.object.len());
                self.object.push(&name, value);
            }
        }
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
