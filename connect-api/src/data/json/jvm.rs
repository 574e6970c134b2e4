//! The rendering that equals the JVM connector's byte for byte.

use super::{
    Kind, Node, Tree,
    decode::{double, integer, is_whole},
    java_double::double_to_string,
    java_hash_map,
    string::{self, short_escape, write_unit_escape},
    tree::{self, Style},
};
use crate::data::Text;

/// Appends the text as the JVM's connector writes it.
pub(super) fn render(tree: &Tree<'_>, out: &mut Vec<u8>) {
    tree::write(tree.root(), &mut Jvm, out);
}

struct Jvm;

impl Style for Jvm {
    fn arrange<'t>(&mut self, members: &mut Vec<(Node<'t>, Node<'t>)>) {
        java_hash_map::arrange(members);
    }

    fn scalar(&mut self, node: Node<'_>, out: &mut Vec<u8>) {
        match node.kind() {
            Kind::String => write_content(node.content(), out),
            Kind::Number => write_number(node.text(), out),
            _ => out.extend_from_slice(node.text()),
        }
    }
}

/// Appends the text as a JSON string with the escapes that Java's generator writes.
pub fn write_jvm_string(text: &str, out: &mut Vec<u8>) {
    // Up to U+FFFF both escape the same. All bytes are looked at, many of them at once.
    if text.bytes().fold(0, u8::max) < 0xf0 {
        return string::write_string(text, out);
    }
    out.push(b'"');
    write_units(text.encode_utf16(), out);
    out.push(b'"');
}

/// The same for a text, which is not checked again.
pub fn write_jvm_text(text: &Text, out: &mut Vec<u8>) {
    if text.as_bytes().iter().copied().fold(0, u8::max) < 0xf0 {
        return string::write_utf8(text.as_bytes(), out);
    }
    write_jvm_string(text, out);
}

fn write_content(content: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // Up to U+FFFF, text without escapes needs none.
    if content.iter().all(|&byte| byte != b'\\' && byte < 0xf0) {
        out.extend_from_slice(content);
    } else {
        write_units(string::units(content), out);
    }
    out.push(b'"');
}

fn write_units(units: impl Iterator<Item = u16>, out: &mut Vec<u8>) {
    for unit in units {
        match (short_escape(unit.into()), char::from_u32(unit.into())) {
            (Some(letter), _) => out.extend_from_slice(&[b'\\', letter]),
            (None, Some(character @ ' '..)) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (None, _) => write_unit_escape(unit, out),
        }
    }
}

fn write_number(text: &[u8], out: &mut Vec<u8>) {
    if is_whole(text) {
        write_integer(text, out);
    } else {
        write_double(text, out);
    }
}

/// `Long.toString(BigInteger.longValue())`: the low 64 bits.
fn write_integer(text: &[u8], out: &mut Vec<u8>) {
    /// With its sign, what surely fits 64 bits.
    const SHORT: usize = 18;
    if text.len() <= SHORT && text != b"-0" {
        return out.extend_from_slice(text);
    }
    out.extend_from_slice(integer(text).to_string().as_bytes());
}

/// `Double.toString(BigDecimal.doubleValue())`; what is beyond a double becomes a string.
fn write_double(text: &[u8], out: &mut Vec<u8>) {
    write_jvm_double(double(text), out);
}

/// Appends a double as Java's generator writes it: what is no number becomes a string.
fn write_jvm_double(value: f64, out: &mut Vec<u8>) {
    let text = double_to_string(value);
    if value.is_finite() {
        out.extend_from_slice(text.as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}
