//! Names and versions of schemas.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Schema, Value},
};

use super::{
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, field_value},
    schemas::{Derived, no_fields},
};

static SCHEMA_NAME: ConfigKey<String> = ConfigKey::optional("schema.name", "The new name of the schema.");
static SCHEMA_VERSION: ConfigKey<i32> = ConfigKey::optional("schema.version", "The new version of the schema.");

/// Gives the operand's schema another name or version.
pub(crate) struct SetSchemaMetadata {
    name: Option<Arc<str>>,
    version: Option<i32>,
    replaces_null: bool,
    schemas: Derived<Arc<Schema>>,
}

impl OperandTransformation for SetSchemaMetadata {
    classes!("SetSchemaMetadata");
    const DOCUMENTATION: &'static str = "Gives the schema of structs another name, another version, or both.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("SetSchemaMetadata", &[&SCHEMA_NAME, &SCHEMA_VERSION, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self {
            name: config.find(&SCHEMA_NAME)?.map(Arc::from),
            version: config.find(&SCHEMA_VERSION)?,
            replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?,
            schemas: Derived::default(),
        })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        let Some(schema) = operand.schema else {
            return match operand.value {
                Value::Null => Ok(Data::default()),
                _ => Err(Error::data("Schema required for [updating schema metadata]")),
            };
        };
        // As on the JVM, which asks every schema for its fields.
        let fields = schema.fields().ok_or_else(no_fields)?;
        let updated = self.schemas.get(&schema, || {
            let (name, version) = (self.name.clone().or(schema.name.clone()), self.version.or(schema.version));
            Ok(Arc::new(Schema { name, version, ..Schema::clone(&schema) }))
        })?;
        let value = match operand.value {
            Value::Struct(values) => {
                let values = fields.iter().zip(values);
                Value::Struct(values.map(|(field, value)| field_value(field, value, self.replaces_null)).collect())
            }
            other => other,
        };
        Ok(Data::with_schema(Arc::clone(&updated), value))
    }
}
