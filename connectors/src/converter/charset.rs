//! Character sets of text.

use bytes::Bytes;
use connect_api::{
    config::{ConfigType, ConfigValue},
    data::Text,
};

/// A character set that text can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    /// With a byte-order mark, or big-endian.
    Utf16,
    Utf16BigEndian,
    Utf16LittleEndian,
    Latin1,
    Ascii,
}

const KNOWN: &[(&[&str], Charset)] = &[
    (&["UTF-8", "UTF8"], Charset::Utf8),
    (&["UTF-16", "UTF16"], Charset::Utf16),
    (&["UTF-16BE"], Charset::Utf16BigEndian),
    (&["UTF-16LE"], Charset::Utf16LittleEndian),
    (&["ISO-8859-1", "ISO8859_1", "LATIN1"], Charset::Latin1),
    (&["US-ASCII", "ASCII"], Charset::Ascii),
];

impl ConfigValue for Charset {
    const TYPE: ConfigType = ConfigType::String;

    fn parse(text: &str) -> Result<Self, String> {
        let named = KNOWN.iter().find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(text)));
        named.map(|&(_, charset)| charset).ok_or_else(|| {
            let names: Vec<_> = KNOWN.iter().filter_map(|(names, _)| names.first().copied()).collect();
            format!("must be one of {}", names.join(", "))
        })
    }
}

impl Charset {
    /// The text in `bytes`; what is malformed becomes U+FFFD.
    pub(super) fn decode(self, bytes: &Bytes) -> Text {
        match self {
            Self::Utf8 => Text::from_utf8_lossy(bytes.clone()),
            Self::Utf16 => match bytes.strip_prefix(b"\xff\xfe") {
                Some(text) => utf16(text, u16::from_le_bytes),
                None => utf16(bytes.strip_prefix(b"\xfe\xff").unwrap_or(bytes), u16::from_be_bytes),
            },
            Self::Utf16BigEndian => utf16(bytes, u16::from_be_bytes),
            Self::Utf16LittleEndian => utf16(bytes, u16::from_le_bytes),
            Self::Latin1 => Text::from(bytes.iter().copied().map(char::from).collect::<String>()),
            Self::Ascii => {
                let character = |&byte: &u8| if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
                Text::from(bytes.iter().map(character).collect::<String>())
            }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Text {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Text::from(text)
}
