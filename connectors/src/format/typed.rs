//! What a file of one view holds of a record, where values need a schema.

use std::{borrow::Cow, sync::Arc};

use connect_api::{
    Error, Header, RecordView, Result, SinkRecord,
    data::{Field, Fields, Schema, SchemaType, Text, Value, json::Rendering},
};

use super::header_text::header_text;

/// Values of one view of records.
pub(super) struct Typed {
    pub(super) view: RecordView,
    /// Of headers, which have none of their own.
    headers: Arc<Schema>,
}

impl Typed {
    pub(super) fn new(view: RecordView) -> Self {
        Self { view, headers: headers_schema() }
    }

    /// The record's value in this view, with its schema. `format`: who wants one.
    ///
    /// # Errors
    /// `Data` where it has no schema, or headers are not to be written.
    pub(super) fn of<'r>(&'r self, record: &'r SinkRecord, format: &str) -> Result<(&'r Arc<Schema>, Cow<'r, Value>)> {
        let (data, what) = match self.view {
            RecordView::Headers => return Ok((&self.headers, Cow::Owned(headers_value(&record.headers)?))),
            RecordView::Key => (&record.key, "key"),
            RecordView::Value => (&record.value, "value"),
        };
        // Of values alone.
        let inferred = if self.view == RecordView::Value { ", or inferred with `schema.infer=true`" } else { "" };
        match &data.schema {
            Some(schema) => Ok((schema, Cow::Borrowed(&data.value))),
            None => Err(Error::data(format!(
                "{format} needs a schema, and the {what} has none: use a converter that reads one; plain JSON gets one by `{what}.converter.schema.file` or \
                 `{what}.converter.schema.subject`{inferred}"
            ))),
        }
    }
}

/// An array of names and texts.
fn headers_schema() -> Arc<Schema> {
    let text = Arc::new(Schema::required(SchemaType::String));
    let field = |name: &str| Field { name: name.into(), schema: Arc::clone(&text) };
    let header = Fields::new(vec![field("key"), field("value")]).unwrap_or_default();
    Arc::new(Schema::required(SchemaType::Array(Arc::new(Schema::required(SchemaType::Struct(header))))))
}

fn headers_value(headers: &[Header]) -> Result<Value> {
    let header = |header: &Header| {
        let Some(value) = header_text(&header.value, Rendering::Jvm) else {
            return Err(Error::data("Invalid value: null used for required field: \"value\", schema type: STRING"));
        };
        let text = |text: &str| Value::String(Text::from(text.to_owned()));
        Ok(Value::Struct(vec![text(&header.key), text(&value)]))
    };
    headers.iter().map(header).collect::<Result<_>>().map(Value::Array)
}
