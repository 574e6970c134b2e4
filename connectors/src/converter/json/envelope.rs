//! An object of a schema and a payload.

use std::sync::Arc;

use bytes::Bytes;
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

    /// The data in a message that begins with a schema that was met lately, and has nothing but its payload behind it: as most messages do, and then neither the schema
    /// nor the envelope is looked at again. `None` where it is another message: [`read`](Self::read) reads all.
    ///
    /// # Errors
    /// `Data` where the payload does not fit the schema.
    pub(super) fn read_known(&self, message: &Bytes) -> Result<Option<Data>> {
        const SCHEMA: &[u8] = b"{\"schema\":";
        const PAYLOAD: &[u8] = b",\"payload\":";
        let known = message.strip_prefix(SCHEMA).and_then(|rest| self.schemas.at_beginning(rest));
        let Some((length, schema)) = known else { return Ok(None) };
        let at = SCHEMA.len() + length;
        let is_payload = message.get(at..).is_some_and(|rest| rest.starts_with(PAYLOAD));
        let payload = is_payload.then(|| message.slice(at + PAYLOAD.len()..));
        let Some(payload) = payload.and_then(|payload| JsonText::parse_last_member(&payload)) else { return Ok(None) };
        let reader = Payload::of_message(&payload, self.replaces_null, message.len());
        let value = reader.read(&schema, &mut Cursor::new(&payload))?;
        Ok(Some(Data::with_schema(schema, value)))
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
        let reader = Payload::new(text, self.replaces_null);
        let schema = self.schemas.get(schema, || read_schema(schema, &reader))?;
        let value = reader.read(&schema, &mut Cursor::of(payload))?;
        Ok(Data::with_schema(schema, value))
    }
}

/// Texts of a schema are copied: it outlives the record that it came with.
fn read_schema(schema: &[u8], reader: &Payload<'_>) -> Result<Arc<Schema>> {
    let Some(own) = reader.text.part(schema) else { return Err(Error::data("Schema must contain 'type' field")) };
    let own = own.detached();
    schema::read(own.as_bytes(), &Payload::new(&own, reader.replaces_null)).map(Arc::new)
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

#[cfg(test)]
mod tests {
    use connect_api::ErrorKind;

    use super::*;

    fn read(text: &str) -> Result<Data> {
        let text = JsonText::parse(&Bytes::copy_from_slice(text.as_bytes())).unwrap();
        Envelopes::new(10, true).read(text.as_ref())
    }

    #[test]
    fn schemas_are_one_where_their_texts_are() {
        let envelopes = Envelopes::new(10, true);
        let text = Bytes::from_static(b"{\"schema\":{\"type\":\"int32\"},\"payload\":1}");
        let read = || envelopes.read(JsonText::parse(&text).unwrap().as_ref()).unwrap().schema.unwrap();
        assert!(Arc::ptr_eq(&read(), &read()));
    }

    #[test]
    fn a_message_with_a_known_schema_is_read_as_the_first_one_of_it() {
        let schema = "{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"string\",\"optional\":true}]}";
        let longer = schema.replace("true}]}", "true}],\"name\":\"n\"}");
        let envelopes = Envelopes::new(10, true);
        let both = |text: &str| {
            let message = Bytes::copy_from_slice(text.as_bytes());
            let known = envelopes.read_known(&message);
            let whole = JsonText::parse(&message).map(|text| envelopes.read(text.as_ref()));
            (known, whole)
        };
        for payload in ["{\"a\":\"x\"}", "{ \"a\" : \"\\u00e9\" }", "{\"a\":1,\"a\":\"é\"}", "{}"] {
            for schema in [schema, &*longer] {
                let message = format!("{{\"schema\":{schema},\"payload\":{payload}}}");
                both(&message).1.unwrap().unwrap();
                let (known, whole) = both(&message);
                let (known, whole) = (known.unwrap().unwrap(), whole.unwrap().unwrap());
                assert_eq!((&known.value, &known.schema), (&whole.value, &whole.schema), "{message}");
            }
        }
        // What is no such message, or none at all, is left to those who say why.
        let begins = format!("{{\"schema\":{schema}");
        for rest in
            [",\"payload\":null}", ",\"payload\":{},\"more\":1}", ",\"payload\":{}", "}", ",\"payload\":{}]", " ,\"payload\":{}}"]
        {
            assert!(both(&format!("{begins}{rest}")).0.unwrap().is_none(), "{rest}");
        }
        let wrong = format!("{begins},\"payload\":[]}}");
        let (known, whole) = both(&wrong);
        assert_eq!(known.unwrap_err().to_string(), whole.unwrap().unwrap_err().to_string());
    }

    #[test]
    fn names_of_members_may_have_escapes() {
        let data = read("{\"sch\\u0065ma\":{\"t\\u0079pe\":\"string\"},\"payload\":\"a\\u00e9\"}").unwrap();
        assert!(matches!(data.value, Value::String(text) if *text == *"aé"));
    }

    #[test]
    fn defaults_in_defaults_do_not_fill_memory() {
        let mut schema = "{\"type\":\"int8\",\"default\":0}".to_owned();
        for _ in 0..40 {
            schema = format!("{{\"type\":\"array\",\"optional\":true,\"default\":[null,null],\"items\":{schema}}}");
        }
        let error = read(&format!("{{\"schema\":{schema},\"payload\":null}}")).unwrap_err();
        assert!(error.kind() == ErrorKind::Data && error.to_string().contains("more values than memory should hold"), "{error}");
    }

    #[test]
    fn structs_with_many_fields_that_are_missing_do_not_fill_memory() {
        let fields: Vec<_> =
            (0..2_000).map(|field| format!("{{\"field\":\"f{field}\",\"type\":\"int8\",\"optional\":true}}")).collect();
        let schema = format!("{{\"type\":\"array\",\"items\":{{\"type\":\"struct\",\"fields\":[{}]}}}}", fields.join(","));
        let payload = vec!["{}"; 10_000].join(",");
        assert_eq!(read(&format!("{{\"schema\":{schema},\"payload\":[{payload}]}}")).unwrap_err().kind(), ErrorKind::Data);
    }

    #[test]
    fn a_value_that_is_written_out_is_never_too_many() {
        let payload = vec!["0"; 3_000_000].join(",");
        let data = read(&format!("{{\"schema\":{{\"type\":\"array\",\"items\":{{\"type\":\"int8\"}}}},\"payload\":[{payload}]}}"))
            .unwrap();
        assert!(matches!(data.value, Value::Array(values) if values.len() == 3_000_000));
    }

    #[test]
    fn schemas_in_schemas_end_where_the_stack_might() {
        let nested = |levels: usize| {
            let schema = format!("{}{{\"type\":\"int8\"}}{}", "{\"type\":\"array\",\"items\":".repeat(levels), "}".repeat(levels));
            read(&format!("{{\"schema\":{schema},\"payload\":{}{}}}", "[".repeat(levels), "]".repeat(levels)))
        };
        assert!(nested(200).is_ok());
        assert_eq!(nested(201).unwrap_err().to_string(), "the schema has more than 200 levels");
        assert_eq!(nested(990).unwrap_err().kind(), ErrorKind::Data);
    }
}
