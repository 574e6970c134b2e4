//! Names of schemas that are made of names of topics.

use connect_api::config::ConfigKey;

pub(super) static SCHEMA_NAME_ADJUSTMENT_MODE: ConfigKey<String> = ConfigKey::with_default(
    "schema.name.adjustment.mode",
    "none",
    "How names of schemas, which are made of the new topic, are made fit for Avro. none: not at all; avro: what Avro does not allow becomes an underscore; \
     avro_unicode: it becomes _u and its code, and so does an underscore.",
)
.one_of_any_case(&["none", "avro", "avro_unicode"]);

/// How names are changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SchemaNameAdjustment {
    None,
    Avro,
    AvroUnicode,
}

impl SchemaNameAdjustment {
    /// That of a value of the key.
    pub(super) fn of(mode: &str) -> Self {
        match () {
            () if mode.eq_ignore_ascii_case("avro") => Self::Avro,
            () if mode.eq_ignore_ascii_case("avro_unicode") => Self::AvroUnicode,
            () => Self::None,
        }
    }

    /// The name as it may be.
    pub(super) fn adjust(self, name: String) -> String {
        if self == Self::None {
            return name;
        }
        let is_letter = |unit: u8| unit.is_ascii_alphabetic() || unit == b'_' && self == Self::Avro;
        let is_allowed = |at: usize, unit: u8| is_letter(unit) || at > 0 && (unit == b'.' || unit.is_ascii_digit());
        let mut adjusted = String::with_capacity(name.len());
        // Java counts and names UTF-16 units.
        for (at, unit) in name.encode_utf16().enumerate() {
            match u8::try_from(unit) {
                Ok(allowed) if is_allowed(at, allowed) => adjusted.push(allowed.into()),
                _ if self == Self::AvroUnicode => adjusted.push_str(&format!("_u{unit:04x}")),
                // Names that differ by their first digit must not become one.
                Ok(digit) if at == 0 && digit.is_ascii_digit() => adjusted.extend(['_', digit.into()]),
                _ => adjusted.push('_'),
            }
        }
        adjusted
    }
}
