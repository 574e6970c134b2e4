//! Numbers and bytes, as JSON: as Jackson writes them.

use std::io::Write;

use super::{double_to_string, float_to_string, write_string};
use crate::data::Decimal;
use base64::{display::Base64Display, engine::general_purpose::STANDARD};

/// Appends a whole number.
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a decimal as `BigDecimal.toString()` prints it.
pub fn write_decimal(decimal: &Decimal, out: &mut Vec<u8>) {
    write_display(decimal, out);
}

fn write_display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    #[expect(clippy::let_underscore_must_use, reason = "a vector takes everything")]
    let _ = write!(out, "{value}");
}

/// Appends a float as Java prints it; NaN and the infinities are strings.
pub fn write_float32(value: f32, out: &mut Vec<u8>) {
    write_float(value.is_finite(), &float_to_string(value), out);
}

/// Appends a double as Java prints it; NaN and the infinities are strings.
pub fn write_float64(value: f64, out: &mut Vec<u8>) {
    write_float(value.is_finite(), &double_to_string(value), out);
}

/// JSON has no number for NaN and the infinities: these are strings.
fn write_float(finite: bool, text: &str, out: &mut Vec<u8>) {
    if finite { out.extend_from_slice(text.as_bytes()) } else { write_string(text, out) }
}

/// Appends bytes as a string in base 64.
pub fn write_base64_string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_display(Base64Display::new(bytes, &STANDARD), out);
    out.push(b'"');
}
