//! Keys and values that are left out.

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Schema, Value},
};

use crate::transform::{
    operand::{OperandTransformation, classes},
    schemas::Derived,
};

static SCHEMA_BEHAVIOR: ConfigKey<String> = ConfigKey::with_default(
    "schema.behavior",
    "nullify",
    "What becomes of the schema. nullify: it goes, too; retain: it stays, whether or not null is a value of it; validate: it stays, and a record fails of whose \
     schema null is no value; force_optional: it stays, and null becomes a value of it.",
)
.one_of_any_case(&["nullify", "retain", "validate", "force_optional"]);

/// Makes the operand null.
pub(crate) struct Drop {
    behavior: SchemaBehavior,
    optional: Derived<Arc<Schema>>,
}

enum SchemaBehavior {
    Nullify,
    Retain,
    Validate,
    ForceOptional,
}

impl OperandTransformation for Drop {
    classes!("io.confluent.connect.transforms.", "Drop");
    const DOCUMENTATION: &'static str = "Makes the whole null.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Drop", &[&SCHEMA_BEHAVIOR])
    }

    fn configure(config: &Config) -> Result<Self> {
        let behavior = match &*config.get(&SCHEMA_BEHAVIOR)?.to_ascii_lowercase() {
            "retain" => SchemaBehavior::Retain,
            "validate" => SchemaBehavior::Validate,
            "force_optional" => SchemaBehavior::ForceOptional,
            _ => SchemaBehavior::Nullify,
        };
        Ok(Self { behavior, optional: Derived::default() })
    }

    fn apply(&self, operand: Data, _record: &mut SinkRecord) -> Result<Data> {
        let Some(schema) = operand.schema else { return Ok(Data::default()) };
        let schema = match self.behavior {
            SchemaBehavior::Nullify => return Ok(Data::default()),
            SchemaBehavior::Validate if !schema.optional => {
                let message =
                    "null is no value of the schema, and `schema.behavior` is validate: set it to force_optional or nullify";
                return Err(Error::data(message));
            }
            SchemaBehavior::ForceOptional if !schema.optional => {
                let optional = || Ok(Arc::new(Schema { optional: true, ..Schema::clone(&schema) }));
                Arc::clone(&*self.optional.get(&schema, optional)?)
            }
            SchemaBehavior::Retain | SchemaBehavior::Validate | SchemaBehavior::ForceOptional => schema,
        };
        Ok(Data::with_schema(schema, Value::Null))
    }
}
