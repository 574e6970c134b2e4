//! The whole as a field.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Field, JsonObject, Schema, Value},
};

use super::{
    operand::{OperandTransformation, classes},
    schemas::{Derived, struct_type},
};

static FIELD: ConfigKey<String> = ConfigKey::required("field", "The name of the only field.");

/// Wraps the operand in a struct or an object with one field.
pub(crate) struct HoistField {
    field: Arc<str>,
    schemas: Derived<Arc<Schema>>,
}

impl OperandTransformation for HoistField {
    classes!("HoistField");
    const DOCUMENTATION: &'static str = "Makes the whole the only field of a struct, or of an object where there is no schema.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("HoistField", &[&FIELD])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { field: config.get(&FIELD)?.into(), schemas: Derived::default() })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        let Some(schema) = operand.schema else {
            let mut object = JsonObject::default();
            object.push(&self.field, operand.value);
            return Ok(Data::schemaless(Value::Object(Box::new(object))));
        };
        if matches!(operand.value, Value::Null) && !schema.optional && schema.default.is_none() {
            let (field, schema_type) = (&self.field, schema.schema_type.name());
            let message = format!("Invalid value: null used for required field: \"{field}\", schema type: {schema_type}");
            return Err(Error::data(message));
        }
        let hoisted = self.schemas.get(&schema, || {
            let field = Field { name: Arc::clone(&self.field), schema: Arc::clone(&schema) };
            Ok(Arc::new(Schema::required(struct_type(vec![field])?)))
        })?;
        Ok(Data::with_schema(Arc::clone(&hoisted), Value::Struct(vec![operand.value])))
    }
}
