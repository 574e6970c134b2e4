//! What the JVM answers, as data: `tests/golden/vectors`.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;

const SCHEMALESS: &str = include_str!("../../../../tests/golden/vectors/json-schemaless.jsonl");
const DOUBLES: &str = include_str!("../../../../tests/golden/vectors/java-double.jsonl");

/// A line's members, names and string values decoded.
fn members(line: &str) -> BTreeMap<String, String> {
    let text = JsonText::parse(&Bytes::copy_from_slice(line.as_bytes())).unwrap().unwrap();
    let decoded = |node: Node<'_>| match node.kind() {
        Kind::String => String::from_utf16(&node.units().collect::<Vec<_>>()).unwrap(),
        _ => String::from_utf8(node.text().to_vec()).unwrap(),
    };
    text.tree().root().members().map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for letter in text.bytes().filter(|&letter| letter != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|&other| other == letter).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[test]
fn the_jvm_rendering_equals_the_jvm_byte_for_byte() {
    let mut rendered = 0;
    for line in SCHEMALESS.lines().map(members) {
        let Some(expected) = line.get("rendered_b64").map(|text| from_base64(text)) else { continue };
        let input = Bytes::from(from_base64(&line["input_b64"]));
        let mut actual = Vec::new();
        JsonText::parse(&input).unwrap().unwrap().render_jvm(&mut actual);
        assert_eq!(String::from_utf8_lossy(&actual), String::from_utf8_lossy(&expected), "{input:?}");
        rendered += 1;
    }
    assert_eq!(rendered, 695);
}

#[test]
fn exactly_what_the_jvm_accepts_is_accepted() {
    let mut counts = [0; 3];
    for line in SCHEMALESS.lines().map(members) {
        let input = Bytes::from(from_base64(&line["input_b64"]));
        let parsed = JsonText::parse(&input);
        let (kind, same) = match () {
            () if line.contains_key("rendered_b64") => (0, matches!(parsed, Ok(Some(_)))),
            () if line.contains_key("null_value") => (1, parsed == Ok(None)),
            () => (2, parsed.is_err()),
        };
        assert!(same, "{input:?}: {parsed:?}");
        counts[kind] += 1;
    }
    assert_eq!(counts, [695, 37, 15]);
}

/// Where lossless text differs from what the JVM wrote, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// The JVM keeps the low 64 bits of an integer.
    IntegerBeyond64Bits,
    /// The JVM rounds to a double.
    MoreDigitsThanADouble,
    /// The JVM writes the string "Infinity".
    BeyondADouble,
}

#[test]
fn lossless_text_has_the_values_that_the_jvm_writes_unless_the_jvm_corrupts_them() {
    let mut differences = BTreeMap::new();
    for line in SCHEMALESS.lines().map(members) {
        let Some(expected) = line.get("rendered_b64").map(|text| Bytes::from(from_base64(text))) else { continue };
        let input = Bytes::from(from_base64(&line["input_b64"]));
        let text = JsonText::parse(&input).unwrap().unwrap();
        assert_eq!(JsonText::parse(&text.0).unwrap().unwrap().0, text.0, "not a fixed point: {input:?}");
        let expected = JsonText::parse(&expected).unwrap().unwrap();
        let mut found = Vec::new();
        compare(text.tree().root(), expected.tree().root(), &mut found);
        for difference in found {
            *differences.entry(difference).or_insert(0) += 1;
        }
    }
    let expected =
        [(Difference::IntegerBeyond64Bits, 79), (Difference::MoreDigitsThanADouble, 84), (Difference::BeyondADouble, 55)];
    assert_eq!(differences, BTreeMap::from(expected));
}

fn compare(lossless: Node<'_>, jvm: Node<'_>, differences: &mut Vec<Difference>) {
    if (lossless.kind(), jvm.kind()) == (Kind::Number, Kind::String) {
        assert!(jvm.text() == b"\"Infinity\"" || jvm.text() == b"\"-Infinity\"");
        return differences.push(Difference::BeyondADouble);
    }
    assert_eq!(lossless.kind(), jvm.kind());
    match jvm.kind() {
        Kind::Object => {
            let decoded = |node: Node<'_>| node.units().collect::<Vec<_>>();
            let theirs: BTreeMap<_, _> = jvm.members().map(|(name, value)| (decoded(name), value)).collect();
            assert_eq!(lossless.members().count(), theirs.len());
            lossless.members().for_each(|(name, value)| compare(value, theirs[&decoded(name)], differences));
        }
        Kind::Array => {
            assert_eq!(lossless.items().count(), jvm.items().count());
            lossless.items().zip(jvm.items()).for_each(|(ours, theirs)| compare(ours, theirs, differences));
        }
        Kind::String => assert!(lossless.units().eq(jvm.units())),
        Kind::Number => compare_numbers(lossless.text(), jvm.text(), differences),
        Kind::Boolean | Kind::Null => assert_eq!(lossless.text(), jvm.text()),
    }
}

fn compare_numbers(lossless: &[u8], jvm: &[u8], differences: &mut Vec<Difference>) {
    if decimal(lossless) == decimal(jvm) {
        return;
    }
    let [ours, theirs] = [lossless, jvm].map(|text| std::str::from_utf8(text).unwrap());
    if theirs.contains('.') && ours.parse::<f64>() == theirs.parse::<f64>() {
        return differences.push(Difference::MoreDigitsThanADouble);
    }
    assert!(ours.parse::<i64>().is_err() && theirs.parse::<i64>().is_ok(), "{ours} is not {theirs}");
    assert!(!ours.contains(['.', 'e', 'E']), "{ours} is not {theirs}");
    differences.push(Difference::IntegerBeyond64Bits);
}

/// Sign, digits without zeros around them, and the power of ten of the last: equal for equal numbers of any size.
fn decimal(text: &[u8]) -> (bool, String, i64) {
    let text = std::str::from_utf8(text).unwrap();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let unsigned = mantissa.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let last = exponent.parse::<i64>().unwrap() - fraction.len() as i64 + zeros as i64;
    let significant = significant.trim_start_matches('0').to_owned();
    let zero = significant.is_empty();
    (mantissa.len() > unsigned.len() && !zero, significant, if zero { 0 } else { last })
}

#[test]
fn doubles_and_floats_print_as_in_java_17() {
    let mut lines = 0;
    for line in DOUBLES.lines().map(members) {
        let value = f64::from_bits(u64::from_str_radix(&line["bits"], 16).unwrap());
        assert_eq!(double_to_string(value), line["expected"], "{value:e}");
        assert_eq!(float_to_string(value as f32), line["float_expected"], "{value:e} as float");
        lines += 1;
    }
    assert_eq!(lines, 816);
}
