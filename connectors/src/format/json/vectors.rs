//! How the JVM writes what its converter reads from envelopes, as data: `tests/golden/vectors`.

use bytes::Bytes;
use connect_api::Converter;
use serde_json::Value as Vector;

use super::*;
use crate::converter::JsonConverter;

const VECTORS: &str = include_str!("../../../../tests/golden/vectors/json-with-schema.jsonl");

#[test]
fn whatever_has_a_schema_is_written_as_on_the_jvm() {
    let converter = JsonConverter::configure(&[("schemas.enable", "true")].into_iter().collect()).unwrap();
    let (mut written, mut refused) = (0, 0);
    for line in VECTORS.lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let input = vector["input"].as_str().unwrap();
        let Ok(data) = converter.to_connect_data("t", &[], Some(&Bytes::copy_from_slice(input.as_bytes()))) else { continue };
        for (decimal_format, expected, error) in [
            ("BASE64", &vector["rendered_base64"], &vector["render_error_BASE64"]),
            ("NUMERIC", &vector["rendered_numeric"], &vector["render_error_NUMERIC"]),
        ] {
            let json = Json { rendering: Rendering::Jvm, decimals_are_numbers: decimal_format == "NUMERIC" };
            let mut out = Vec::new();
            let result = match &data.schema {
                Some(schema) => json.write_typed(schema, &data.value, &mut out),
                None => json.write(&data, &mut out),
            };
            match error.as_str() {
                Some(message) => {
                    assert_eq!(result.unwrap_err().to_string(), message, "{input}");
                    refused += 1;
                }
                None => {
                    result.unwrap_or_else(|error| panic!("{input}: {error}"));
                    assert_eq!(Some(&*String::from_utf8(out).unwrap()), expected.as_str(), "{input}");
                    written += 1;
                }
            }
        }
    }
    assert_eq!((written, refused), (516, 82));
}
