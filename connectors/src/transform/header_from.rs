//! Fields as headers.

use std::sync::Arc;

use connect_api::{
    Error, Header, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{Data, Fields, Schema, Value},
};

use super::{
    non_empty,
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, field_value, fields, object, passed_on},
    schemas::{Derived, with_fields},
};

static FIELDS: ConfigKey<List> = ConfigKey::required("fields", "The fields that become headers.").check(non_empty);
static HEADERS: ConfigKey<List> = ConfigKey::required("headers", "The names of the headers, one for each field.").check(non_empty);
static OPERATION: ConfigKey<String> =
    ConfigKey::required("operation", "Whether the fields stay where they are, or are moved.").one_of(&["move", "copy"]);

/// Moves or copies fields to headers.
pub(crate) struct HeaderFrom {
    /// Fields, and the headers that they become.
    pairs: Vec<(String, Arc<str>)>,
    moves: bool,
    replaces_null: bool,
    rests: Derived<Rest>,
}

/// What is left of the structs of a schema.
struct Rest {
    schema: Arc<Schema>,
    /// Where its fields were.
    places: Vec<usize>,
}

impl OperandTransformation for HeaderFrom {
    classes!("HeaderFrom");
    const DOCUMENTATION: &'static str = "Moves or copies fields to headers; headers with the same names stay.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("HeaderFrom", &[&FIELDS, &HEADERS, &OPERATION, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let (List(fields), List(headers)) = (config.get(&FIELDS)?, config.get(&HEADERS)?);
        if fields.len() != headers.len() {
            return Err(Error::config("'fields' config must have the same number of elements as 'headers' config."));
        }
        Ok(Self {
            pairs: fields.into_iter().zip(headers.into_iter().map(Arc::from)).collect(),
            moves: config.get(&OPERATION)? == "move",
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
            rests: Derived::default(),
        })
    }

    fn apply(&self, operand: Data, record: &mut SinkRecord) -> Result<Data> {
        let purpose = if self.moves { "header move" } else { "header copy" };
        let Some(schema) = operand.schema else {
            let mut object = object(operand.value, purpose)?;
            let value = |field: &str| Data::schemaless(passed_on(&object, field).unwrap_or_default());
            let headers = self.pairs.iter().map(|(field, key)| Header { key: Arc::clone(key), value: value(field) });
            record.headers.extend(headers);
            if self.moves {
                for (field, _) in &self.pairs {
                    if let Some(at) = object.find(field) {
                        object.remove_at(at);
                    }
                }
            }
            return Ok(Data::schemaless(Value::Object(object)));
        };
        let (fields, mut values) = fields(&schema, operand.value, purpose)?;
        for (field, key) in &self.pairs {
            let at = fields.find(field, 0).ok_or_else(|| no_field(field))?;
            let value = field_value(&fields[at], values[at].clone(), self.replaces_null);
            record.headers.push(Header { key: Arc::clone(key), value: Data::with_schema(Arc::clone(&fields[at].schema), value) });
        }
        if !self.moves {
            return Ok(Data::with_schema(schema, Value::Struct(values)));
        }
        let rest = self.rests.get(&schema, || self.rest(&schema, fields))?;
        let value = |place: &usize| field_value(&fields[*place], std::mem::take(&mut values[*place]), self.replaces_null);
        Ok(Data::with_schema(Arc::clone(&rest.schema), Value::Struct(rest.places.iter().map(value).collect())))
    }
}

impl HeaderFrom {
    fn rest(&self, schema: &Schema, fields: &Fields) -> Result<Rest> {
        let is_moved = |place: &usize| self.pairs.iter().any(|(field, _)| **field == *fields[*place].name);
        let places: Vec<_> = (0..fields.len()).filter(|place| !is_moved(place)).collect();
        let kept = places.iter().map(|place| fields[*place].clone()).collect();
        Ok(Rest { schema: Arc::new(with_fields(schema, kept)?), places })
    }
}

fn no_field(field: &str) -> Error {
    Error::data(format!("Field does not exist: {field}")).with_class("java.lang.NullPointerException")
}
