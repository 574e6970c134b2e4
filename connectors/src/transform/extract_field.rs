//! One field in place of the whole.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Schema, Value},
};

use super::{
    field_path::{FIELD_SYNTAX_VERSION, FieldPath},
    operand::{self, OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, field_value, no_struct},
};

static FIELD: ConfigKey<String> = ConfigKey::required("field", "The field.");

const PURPOSE: &str = "field extraction";

/// Replaces the operand by one of its fields.
pub(crate) struct ExtractField {
    path: FieldPath,
    replaces_null: bool,
}

impl OperandTransformation for ExtractField {
    classes!("ExtractField");
    const DOCUMENTATION: &'static str = "Replaces the whole by one of its fields.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ExtractField", &[&FIELD, &FIELD_SYNTAX_VERSION, &REPLACE_NULL_WITH_DEFAULT])
    }

    fn configure(config: &Config) -> Result<Self> {
        let path = FieldPath::new(&config.get(&FIELD)?, &config.get(&FIELD_SYNTAX_VERSION)?)?;
        Ok(Self { path, replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)? })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        match operand.schema {
            None => self.schemaless(operand.value).map(Data::schemaless),
            Some(schema) => self.with_schema(&schema, operand.value),
        }
    }
}

impl ExtractField {
    fn schemaless(&self, value: Value) -> Result<Value> {
        let mut value = value;
        for (index, step) in self.path.steps.iter().enumerate() {
            value = match value {
                Value::Null => return Ok(Value::Null),
                // Nothing else of the text is looked at.
                Value::Json(json) if json.as_bytes().starts_with(b"{") => {
                    json.find([step.as_str()]).and_then(|part| json.part(part)).map_or(Value::Null, Value::Json)
                }
                other => {
                    let purpose = if index == 0 { PURPOSE } else { "nested field access" };
                    operand::passed_on(&*operand::object(other, purpose)?, step).unwrap_or_default()
                }
            };
        }
        Ok(value)
    }

    fn with_schema(&self, schema: &Arc<Schema>, value: Value) -> Result<Data> {
        if !matches!(value, Value::Null | Value::Struct(_)) {
            return Err(no_struct(&value, PURPOSE));
        }
        let (mut schema, mut value) = (Arc::clone(schema), value);
        for step in &self.path.steps {
            let Some(fields) = schema.fields() else { return Err(Error::data("Cannot look up fields on non-struct type")) };
            let Some(at) = fields.find(step, 0) else { return Err(self.path.unknown()) };
            value = match value {
                Value::Struct(mut values) if at < values.len() => {
                    field_value(&fields[at], values.swap_remove(at), self.replaces_null)
                }
                _ => Value::Null,
            };
            schema = Arc::clone(&fields[at].schema);
        }
        Ok(Data::with_schema(schema, value))
    }
}
