//! The text of a header's value.

use std::borrow::Cow;

use connect_api::data::{
    Data, Schema, SchemaType, Value,
    json::{Kind, double_to_string, float_to_string},
};

use super::{base64::write_base64, json::Rendering};
use crate::converter::print_java_date;

const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;

/// The value as Connect's value-to-string rule prints it; `None` for null, and for what has no text.
pub(super) fn header_text(data: &Data, rendering: Rendering) -> Option<Cow<'_, str>> {
    let text = match &data.value {
        Value::String(text) => return Some(Cow::Borrowed(text)),
        Value::Boolean(value) => value.to_string(),
        Value::Int8(value) => value.to_string(),
        Value::Int16(value) => value.to_string(),
        Value::Int32(value) => value.to_string(),
        Value::Int64(value) => value.to_string(),
        Value::Float32(value) => float_to_string(*value),
        Value::Float64(value) => double_to_string(*value),
        Value::Bytes(bytes) => {
            let mut encoded = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
            write_base64(bytes, &mut encoded);
            return lossy(&encoded);
        }
        Value::Json(json) => {
            let tree = json.tree();
            if tree.root().kind() == Kind::String {
                let units = char::decode_utf16(tree.root().units());
                return Some(units.map(|unit| unit.unwrap_or('?')).collect());
            }
            let mut rendered = Vec::with_capacity(json.as_bytes().len());
            rendering.write_json(json, &mut rendered);
            return lossy(&rendered);
        }
        Value::Null => return None,
        value => {
            let mut text = String::new();
            write_text(data.schema.as_deref(), value, &mut text);
            text
        }
    };
    Some(Cow::Owned(text))
}

/// As Connect's `Values.convertToString` prints what holds other values: texts in quotes, structs and maps as objects.
fn write_text(schema: Option<&Schema>, value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::String(text) => write_quoted(text, out),
        Value::Bytes(bytes) => {
            let mut encoded = Vec::new();
            write_base64(bytes, &mut encoded);
            write_quoted(&String::from_utf8_lossy(&encoded), out);
        }
        Value::Boolean(value) => write_display(value, out),
        Value::Int8(value) => write_display(value, out),
        Value::Int16(value) => write_display(value, out),
        Value::Int32(value) => write_display(value, out),
        Value::Int64(value) => write_display(value, out),
        Value::Float32(value) => out.push_str(&float_to_string(*value)),
        Value::Float64(value) => out.push_str(&double_to_string(*value)),
        Value::Decimal(decimal) => write_display(decimal, out),
        Value::Date(days) => out.push_str(&print_java_date(i64::from(*days) * MILLISECONDS_OF_A_DAY)),
        Value::Time(time) => out.push_str(&print_java_date((*time).into())),
        Value::Timestamp(time) => out.push_str(&print_java_date(*time)),
        Value::Array(values) => {
            let items = match schema.map(|schema| &schema.schema_type) {
                Some(SchemaType::Array(items)) => Some(&**items),
                _ => None,
            };
            write_list(['[', ']'], values, out, |value, out| write_text(items, value, out));
        }
        Value::Map(entries) => {
            let (keys, values) = match schema.map(|schema| &schema.schema_type) {
                Some(SchemaType::Map(keys, values)) => (Some(&**keys), Some(&**values)),
                _ => (None, None),
            };
            write_list(['{', '}'], entries, out, |(key, value), out| {
                write_text(keys, key, out);
                out.push(':');
                write_text(values, value, out);
            });
        }
        Value::Struct(values) => {
            let fields = schema.and_then(Schema::fields).map_or(&[][..], |fields| fields);
            let members: Vec<_> = fields.iter().zip(values).collect();
            write_list(['{', '}'], &members, out, |(field, value), out| {
                write_quoted(&field.name, out);
                out.push(':');
                write_text(Some(&field.schema), value, out);
            });
        }
        Value::Json(json) => out.push_str(&String::from_utf8_lossy(json.as_bytes())),
        // What is new has no text yet.
        _ => {}
    }
}

fn write_list<T>([open, close]: [char; 2], values: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push(open);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(value, out);
    }
    out.push(close);
}

fn write_display(value: impl std::fmt::Display, out: &mut String) {
    out.push_str(&value.to_string());
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

fn lossy(text: &[u8]) -> Option<Cow<'static, str>> {
    Some(Cow::Owned(String::from_utf8_lossy(text).into_owned()))
}
