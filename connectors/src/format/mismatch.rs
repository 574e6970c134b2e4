//! Values that are none of their schema.

use connect_api::{
    Error, Result,
    data::{Decimal, Schema, Value},
};

pub(super) fn wrong_type(schema: &Schema, value: &Value) -> Error {
    let (schema_type, class) = (schema.schema_type.name(), value.type_name());
    Error::data(format!("Invalid type for {schema_type}: class {class}"))
}

/// Where only the unscaled number is written, its scale must be that of the schema.
///
/// # Errors
/// `Data` where it is another one.
pub(super) fn check_scale(schema: &Schema, decimal: &Decimal) -> Result<()> {
    let (scale, expected) = (decimal.scale(), schema.parameter("scale").unwrap_or("none"));
    if expected.parse() == Ok(scale) {
        return Ok(());
    }
    Err(Error::data(format!(
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale {expected}, value has scale {scale}."
    )))
}
