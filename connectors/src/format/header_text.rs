//! The text of a header's value.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_api::data::{
    Data, Schema, SchemaType, Value,
    json::{Kind, Rendering},
};

use crate::converter::print_java_date;

/// The value as Connect's value-to-string rule prints it; `None` for null.
pub(super) fn header_text(data: &Data, rendering: Rendering) -> Option<Cow<'_, str>> {
    match &data.value {
        Value::Null => None,
        Value::Bytes(bytes) => Some(Cow::Owned(STANDARD.encode(bytes))),
        Value::Json(json) => {
            let tree = json.tree();
            if tree.root().kind() == Kind::String {
                let units = char::decode_utf16(tree.root().units());
                return Some(units.map(|unit| unit.unwrap_or('?')).collect());
            }
            let mut rendered = Vec::with_capacity(json.as_bytes().len());
            rendering.write_json(json, &mut rendered);
            Some(Cow::Owned(String::from_utf8_lossy(&rendered).into_owned()))
        }
        value => value.scalar_text().or_else(|| {
            let mut text = String::new();
            write_text(data.schema.as_deref(), value, &mut text);
            Some(Cow::Owned(text))
        }),
    }
}

/// As Connect's `Values.convertToString` prints what holds other values: texts in quotes, structs and maps as objects.
fn write_text(schema: Option<&Schema>, value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::String(text) => write_quoted(text, out),
        Value::Bytes(bytes) => write_quoted(&STANDARD.encode(bytes), out),
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
        other => match other.epoch_millis() {
            Some(time) => out.push_str(&print_java_date(time)),
            None => out.push_str(&other.scalar_text().unwrap_or_default()),
        },
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
