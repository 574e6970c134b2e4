//! Fields of the value as the key.

use std::sync::Arc;

use connect_api::{
    Error, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey, List},
    data::{Data, Field, JsonObject, Schema, Value},
};

use super::{
    non_empty,
    operand::{REPLACE_NULL_WITH_DEFAULT, field_value, no_struct, object, passed_on},
    schemas::{Derived, struct_type},
};

static FIELDS: ConfigKey<List> = ConfigKey::required("fields", "The fields of the value that become the key.").check(non_empty);

const PURPOSE: &str = "copying fields from value to key";

/// Makes a key of fields of the value.
pub(crate) struct ValueToKey {
    fields: Vec<Arc<str>>,
    replaces_null: bool,
    keys: Derived<Key>,
}

/// The key of the values of a schema.
struct Key {
    schema: Arc<Schema>,
    /// Where its fields are in the value.
    places: Vec<usize>,
}

impl Plugin for ValueToKey {
    const NAME: &'static str = "org.apache.kafka.connect.transforms.ValueToKey";
    const DOCUMENTATION: &'static str = "Makes a new key of fields of the value.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ValueToKey", &[&FIELDS, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let fields = config.get(&FIELDS)?.0.into_iter().map(Arc::from).collect();
        Ok(Self { fields, replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?, keys: Derived::default() })
    }
}

impl Transformation for ValueToKey {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        record.key = match &record.value.schema {
            None => {
                let value = object(std::mem::take(&mut record.value.value), PURPOSE)?;
                let mut key = JsonObject::default();
                for field in &self.fields {
                    key.set(field, passed_on(&value, field).unwrap_or_default());
                }
                record.value.value = Value::Object(value);
                Data::schemaless(Value::Object(Box::new(key)))
            }
            Some(schema) => self.with_schema(schema, &record.value.value)?,
        };
        Ok(Some(record))
    }
}

impl ValueToKey {
    fn with_schema(&self, schema: &Arc<Schema>, value: &Value) -> Result<Data> {
        let (Some(fields), Value::Struct(values)) = (schema.fields(), value) else { return Err(no_struct(value, PURPOSE)) };
        let key = self.keys.get(schema, || {
            let place = |name: &Arc<str>| fields.find(name, 0).ok_or_else(|| Error::data(format!("Field does not exist: {name}")));
            let places: Vec<_> = self.fields.iter().map(place).collect::<Result<_>>()?;
            let own = places.iter().map(|place| Field::clone(&fields[*place])).collect();
            Ok(Key { schema: Arc::new(Schema::required(struct_type(own)?)), places })
        })?;
        let value =
            |place: &usize| field_value(&fields[*place], values.get(*place).cloned().unwrap_or_default(), self.replaces_null);
        Ok(Data::with_schema(Arc::clone(&key.schema), Value::Struct(key.places.iter().map(value).collect())))
    }
}
