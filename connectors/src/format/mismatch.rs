//! Values that are none of their schema.

use connect_api::{
    Error, RecordView, Result,
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

/// A file has one schema, and the record's is another.
pub(super) fn other_schema(view: RecordView) -> Error {
    Error::data(match view {
        RecordView::Key => {
            "the key has another schema than the keys file, which has the schema of its first key: schemas of keys close no files"
        }
        RecordView::Value | RecordView::Headers => "the record has another schema than its file",
    })
}
