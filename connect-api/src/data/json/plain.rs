//! Values without a schema, as JSON: as Jackson's mapper writes Java's objects.

use std::borrow::Cow;

use super::{
    JsonText, java_map_order,
    jvm::{write_jvm_string, write_jvm_text},
    scalar::{write_base64_string, write_decimal, write_float32, write_float64, write_integer},
    string::{write_string, write_utf8},
};
use crate::{
    Error, Result,
    config::{ConfigType, ConfigValue},
    data::Value,
};

/// How schemaless JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// As the producer wrote it.
    Lossless,
    /// As the connector on the JVM writes it.
    Jvm,
}

impl ConfigValue for Rendering {
    const TYPE: ConfigType = ConfigType::String;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "lossless" => Ok(Self::Lossless),
            "jvm" => Ok(Self::Jvm),
            _ => Err("must be one of lossless, jvm".to_owned()),
        }
    }
}

impl Rendering {
    /// Appends a text.
    pub fn write_json(self, json: &JsonText, out: &mut Vec<u8>) {
        match self {
            Self::Lossless => out.extend_from_slice(json.as_bytes()),
            Self::Jvm => json.render_jvm(out),
        }
    }

    /// Appends a string.
    pub fn write_text(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Lossless => write_string(text, out),
            Self::Jvm => write_jvm_string(text, out),
        }
    }

    /// Appends a value. Dates are milliseconds since 1970 here.
    ///
    /// # Errors
    /// `Data` for structs, which cannot be written without their schema.
    pub fn write_plain(self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match value {
            Value::Json(json) => self.write_json(json, out),
            // It is not checked again whether it is UTF-8.
            Value::String(text) => match self {
                Self::Lossless => write_utf8(text.as_bytes(), out),
                Self::Jvm => write_jvm_text(text, out),
            },
            Value::Bytes(bytes) => write_base64_string(bytes, out),
            Value::Null => out.extend_from_slice(b"null"),
            Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Int8(value) => write_integer((*value).into(), out),
            Value::Int16(value) => write_integer((*value).into(), out),
            Value::Int32(value) => write_integer((*value).into(), out),
            Value::Int64(value) => write_integer(*value, out),
            Value::Float32(value) => write_float32(*value, out),
            Value::Float64(value) => write_float64(*value, out),
            Value::Decimal(decimal) => write_decimal(decimal, out),
            Value::Array(values) => {
                out.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.write_plain(value, out)?;
                }
                out.push(b']');
            }
            Value::Object(object) => self.write_json(&object.to_text()?, out),
            Value::Map(entries) => return self.write_plain_map(entries, out),
            other => match other.epoch_millis() {
                Some(time) => write_integer(time, out),
                None => return Err(Error::data(format!("JsonFormat cannot write objects of type class {}", other.type_name()))),
            },
        }
        Ok(())
    }

    fn write_plain_map(self, entries: &[(Value, Value)], out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        for (index, place) in java_map_order(entries).into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let (key, value) = &entries[place];
            self.write_text(&key_text(key)?, out);
            out.push(b':');
            self.write_plain(value, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// A map's key as the name of a member.
fn key_text(key: &Value) -> Result<Cow<'_, str>> {
    key.scalar_text().ok_or_else(|| {
        let class = key.type_name();
        Error::data(format!("JsonFormat cannot write maps with keys of type class {class} outside of structs"))
    })
}
