//! The headers of a record as a value with a schema.

use std::sync::Arc;

use connect_api::{
    Error, Header, Result,
    data::{Field, Fields, Schema, SchemaType, Text, Value},
};

use super::{header_text::header_text, json::Rendering};

/// An array of names and texts.
pub(super) fn headers_schema() -> Arc<Schema> {
    let text = Arc::new(Schema::required(SchemaType::String));
    let field = |name: &str| Field { name: name.into(), schema: Arc::clone(&text) };
    let header = Fields::new(vec![field("key"), field("value")]).unwrap_or_default();
    Arc::new(Schema::required(SchemaType::Array(Arc::new(Schema::required(SchemaType::Struct(header))))))
}

pub(super) fn headers_value(headers: &[Header]) -> Result<Value> {
    let header = |header: &Header| {
        let Some(value) = header_text(&header.value, Rendering::Jvm) else {
            return Err(Error::data("Invalid value: null used for required field: \"value\", schema type: STRING"));
        };
        let text = |text: &str| Value::String(Text::from(text.to_owned()));
        Ok(Value::Struct(vec![text(&header.key), text(&value)]))
    };
    headers.iter().map(header).collect::<Result<_>>().map(Value::Array)
}
