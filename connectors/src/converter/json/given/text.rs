//! From the text of a schema to the schema.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, Result,
    data::{JsonText, LogicalType, Schema, SchemaType},
};
use serde_json::Value as Json;

use crate::{
    converter::{avro, json, json::payload::Payload, json_schema},
    registry::{RegisteredSchema, SchemaText},
};

/// Which language a schema is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Avro,
    JsonSchema,
    /// As an envelope of `JsonConverter` has it.
    Connect,
}

/// The schema in a text, told by what it says.
///
/// # Errors
/// `Data` where it is none that plain JSON may be read by.
pub(crate) fn from_text(text: &str) -> Result<Arc<Schema>> {
    let json: Json = serde_json::from_str(text).map_err(|error| Error::data("the schema is no JSON").with_source(error))?;
    // A whole envelope may serve as its schema.
    let part = json.get("schema").filter(|schema| json.get("type").is_none() && language(schema) == Some(Language::Connect));
    let language = language(part.unwrap_or(&json)).ok_or_else(|| {
        Error::data(
            "the schema is none of a struct: it must be an Avro schema (\"type\": \"record\"), a JSON Schema (\"type\": \"object\"), or a schema as \
             envelopes of JsonConverter have it (\"type\": \"struct\")",
        )
    })?;
    let registered = |schema_type: &str| SchemaText {
        schema: RegisteredSchema { schema_type: schema_type.to_owned(), schema: text.to_owned(), references: Vec::new() },
        referenced: Vec::new(),
    };
    match language {
        Language::Avro => from_registry(&registered("AVRO"), None),
        Language::JsonSchema => from_registry(&registered("JSON"), None),
        Language::Connect => {
            let no_json = |error| Error::data("the schema is no JSON").with_source(error);
            let text = JsonText::parse(&Bytes::from(part.unwrap_or(&json).to_string())).map_err(no_json)?;
            let text = text.ok_or_else(|| Error::data("the schema is null"))?;
            checked(Arc::new(json::schema::read(text.as_bytes(), &Payload::new(&text, true))?))
        }
    }
}

/// The schema that a registry has.
///
/// # Errors
/// `Data` where it is none that plain JSON may be read by.
pub(super) fn from_registry(text: &SchemaText, version: Option<i32>) -> Result<Arc<Schema>> {
    match text.schema.schema_type.as_str() {
        "AVRO" => checked(avro::connect_schema(text, version)?),
        "JSON" => {
            let schema = json_schema::connect_schema(text, version)?;
            checked(schema.ok_or_else(|| Error::data("the schema is that of null"))?)
        }
        other => Err(Error::data(format!("the schema is of type {other}: plain JSON is read by those of types AVRO and JSON"))),
    }
}

fn language(json: &Json) -> Option<Language> {
    let object = match json {
        // A union, of null and a record.
        Json::Array(branches) => return branches.iter().any(|branch| branch.is_object()).then_some(Language::Avro),
        Json::Object(object) => object,
        _ => return None,
    };
    match object.get("type") {
        Some(Json::String(name)) => match name.as_str() {
            "record" | "error" => Some(Language::Avro),
            "struct" => Some(Language::Connect),
            "object" => Some(Language::JsonSchema),
            _ => None,
        },
        Some(Json::Object(_)) => Some(Language::Avro),
        // Several types, or none that is said.
        _ => ["$schema", "$ref", "properties", "allOf", "oneOf", "anyOf"]
            .iter()
            .any(|name| object.contains_key(*name))
            .then_some(Language::JsonSchema),
    }
}

/// # Errors
/// `Data` where the schema is no struct, or has something that no plain JSON is.
fn checked(schema: Arc<Schema>) -> Result<Arc<Schema>> {
    if schema.fields().is_none() || schema.logical_type().is_some() {
        let found = schema.schema_type.name();
        return Err(Error::data(format!("the schema is of type {found}, and records of a file are of type STRUCT")));
    }
    check(&schema)?;
    Ok(schema)
}

fn check(schema: &Schema) -> Result<()> {
    if schema.logical_type() == Some(LogicalType::Decimal)
        && schema.parameter("scale").is_none_or(|scale| scale.parse::<i32>().is_err())
    {
        return Err(Error::data("a Decimal of the schema has no `scale`"));
    }
    match &schema.schema_type {
        SchemaType::Array(items) => check(items),
        SchemaType::Map(keys, _) if !matches!(keys.schema_type, SchemaType::String) => Err(Error::data(format!(
            "a map of the schema has keys of type {}: names in plain JSON are of type STRING",
            keys.schema_type.name()
        ))),
        SchemaType::Map(_, values) => check(values),
        SchemaType::Struct(fields) => fields
            .iter()
            .try_for_each(|field| check(&field.schema).map_err(|error| error.context(format!("the field {}", field.name)))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVRO: &str = r#"{"type":"record","name":"Pin","fields":[{"name":"id","type":"long"},{"name":"title","type":["null","string"],"default":null}]}"#;
    const JSON_SCHEMA: &str =
        r#"{"type":"object","title":"Pin","required":["id"],"properties":{"id":{"type":"integer"},"title":{"type":"string"}}}"#;
    const CONNECT: &str = r#"{"type":"struct","name":"Pin","fields":[{"field":"id","type":"int64"},{"field":"title","type":"string","optional":true}]}"#;

    #[test]
    fn three_languages_are_told_by_what_they_say_and_mean_the_same() {
        let avro = from_text(AVRO).unwrap();
        assert_eq!(avro, from_text(JSON_SCHEMA).unwrap());
        assert_eq!(avro, from_text(CONNECT).unwrap());
        assert_eq!(avro, from_text(&format!("{{\"schema\":{CONNECT},\"payload\":null}}")).unwrap());
        assert!(from_text(&format!("[\"null\",{AVRO}]")).unwrap().optional);
    }

    #[test]
    fn what_is_no_schema_of_a_struct_is_refused() {
        for (text, reason) in [
            ("", "no JSON"),
            ("{", "no JSON"),
            ("7", "none of a struct"),
            ("\"string\"", "none of a struct"),
            ("{}", "none of a struct"),
            ("{\"type\":\"string\"}", "none of a struct"),
            ("{\"type\":\"map\",\"values\":\"int\"}", "none of a struct"),
            ("{\"type\":{\"type\":\"map\",\"values\":\"int\"}}", "type MAP"),
            ("{\"type\":\"record\",\"name\":\"A\"}", "no fields"),
            ("{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":\"B\"}]}", "\"B\" is not a defined name"),
            ("{\"$ref\":\"#/nowhere\"}", "#/nowhere"),
            ("{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int\"}]}", "Unknown schema type: int"),
            (
                "{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"int32\"}}]}",
                "keys of type INT32",
            ),
            (
                "{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\"}]}",
                "no `scale`",
            ),
        ] {
            let error = from_text(text).unwrap_err();
            assert!(error.report().contains(reason), "{text}: {}", error.report());
        }
    }
}
