//! The text of a header's value.

use std::borrow::Cow;

use connect_api::data::{
    Value,
    json::{Kind, double_to_string, float_to_string},
};

use super::{base64::write_base64, json::Rendering};

/// The value as Connect's value-to-string rule prints it; `None` for null, and for what has no text.
pub(super) fn header_text(value: &Value, rendering: Rendering) -> Option<Cow<'_, str>> {
    let text = match value {
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
        _ => return None,
    };
    Some(Cow::Owned(text))
}

fn lossy(text: &[u8]) -> Option<Cow<'static, str>> {
    Some(Cow::Owned(String::from_utf8_lossy(text).into_owned()))
}
