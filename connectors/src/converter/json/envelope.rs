//! An object of a schema and a payload.

use std::sync::Arc;

use connect_api::{
    Error, Result,
    data::{
        Data, JsonText, Schema, Value,
        json::{Cursor, Kind, decode_string},
    },
};

use super::{payload::Payload, schema, schemas::Schemas};

/// Reads envelopes.
#[derive(Debug)]
pub(super) struct Envelopes {
    schemas: Schemas,
    /// `replace.null.with.default`.
    replaces_null: bool,
}

impl Envelopes {
    /// `schemas`: how many are kept.
    pub(super) fn new(schemas: usize, replaces_null: bool) -> Self {
        Self { schemas: Schemas::new(schemas), replaces_null }
    }

    /// The data in a text; `None` where there is no text, or only `null`.
    ///
    /// # Errors
    /// `Data` where it is no envelope, or the payload does not fit the schema.
    pub(super) fn read(&self, text: Option<&JsonText>) -> Result<Data> {
        let Some((text, (schema, payload))) = text.and_then(|text| Some((text, parts(text)?))) else {
            return Err(Error::data(
                "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional fields. \
                 If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.",
            ));
        };
        if Kind::of(schema) == Kind::Null {
            return Ok(Data::schemaless(text.part(payload).map_or(Value::Null, Value::Json)));
        }
        let reader = Payload { text, replaces_null: self.replaces_null };
        let schema = self.schemas.get(schema, || read_schema(schema, &reader))?;
        let value = reader.read(&schema, &mut Cursor::of(payload))?;
        Ok(Data::with_schema(schema, value))
    }
}

/// Texts of a schema are copied: it outlives the record that it came with.
fn read_schema(schema: &[u8], reader: &Payload<'_>) -> Result<Arc<Schema>> {
    let Some(own) = reader.text.part(schema) else { return Err(Error::data("Schema must contain 'type' field")) };
    let own = own.detached();
    schema::read(own.as_bytes(), &Payload { text: &own, ..*reader }).map(Arc::new)
}

/// The schema and the payload, where there is nothing else.
fn parts(text: &JsonText) -> Option<(&[u8], &[u8])> {
    let mut cursor = Cursor::new(text);
    let (mut schema, mut payload) = (None, None);
    let mut goes_on = cursor.kind() == Kind::Object && cursor.enter();
    while goes_on {
        match &*decode_string(cursor.name()) {
            "schema" => schema = Some(cursor.value()),
            "payload" => payload = Some(cursor.value()),
            _ => return None,
        }
        goes_on = cursor.goes_on();
    }
    schema.zip(payload)
}
