//! Whether two objects say the same: bytes for bytes, values for JSON, inflated if compressed.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::Value;

use super::case::{Case, Expected};
use crate::bucket::Object;
use crate::cluster::Record;

/// What differs between the bucket and the JVM's, one line each.
pub(super) fn objects(case: &Case, ours: &BTreeMap<String, Object>) -> Vec<String> {
    let mut differences = Vec::new();
    for key in ours.keys().filter(|key| !case.objects.contains_key(*key)) {
        differences.push(format!("object {key} should not exist"));
    }
    for (key, expected) in &case.objects {
        let Some(object) = ours.get(key) else {
            differences.push(format!("object {key} is missing"));
            continue;
        };
        if object.content_type != expected.content_type {
            differences.push(format!("{key}: type {:?} instead of {:?}", object.content_type, expected.content_type));
        }
        if let Err(difference) = body(case, key, &object.body, expected) {
            differences.push(format!("{key}: {difference}"));
        }
    }
    differences
}

/// The same for the tags of objects.
pub(super) fn tags(case: &Case, ours: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<String> {
    let theirs = case.objects.iter().map(|(key, expected)| (key, &expected.tags)).filter(|(_, tags)| !tags.is_empty());
    let differs = theirs.filter(|(key, theirs)| ours.get(*key) != Some(theirs));
    differs.map(|(key, theirs)| format!("{key}: tags {:?} instead of {theirs:?}", ours.get(key))).collect()
}

fn body(case: &Case, key: &str, ours: &[u8], expected: &Expected) -> Result<(), String> {
    let inflate = |bytes: &[u8]| {
        let mut inflated = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut inflated).map_err(|error| error.to_string())?;
        Ok::<_, String>(inflated)
    };
    let Some(theirs) = &expected.body else {
        // Too big to store: it holds the input values, one a line.
        let separator = if key.ends_with(".json") { "\n" } else { "" };
        let input: Vec<u8> = case.records.iter().flat_map(|record| [value_of(record), separator.as_bytes()].concat()).collect();
        return if ours.len() == expected.size && ours == input { Ok(()) } else { Err("another body".into()) };
    };
    let (ours, theirs) = if key.ends_with(".gz") { (inflate(ours)?, inflate(theirs)?) } else { (ours.to_vec(), theirs.clone()) };
    let json = case.setting("format.class").is_some_and(|class| class.ends_with("JsonFormat"))
        && (key.ends_with(".json") || key.ends_with(".json.gz"));
    if ours == theirs {
        return Ok(());
    }
    if key.ends_with(".avro") {
        return super::avro::same(&ours, &theirs);
    }
    if key.ends_with(".parquet") {
        return super::parquet::same(&ours, &theirs);
    }
    if !json {
        return Err(format!("{} instead of {}", excerpt(&ours), excerpt(&theirs)));
    }
    let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (ours, theirs) = (lines(&ours), lines(&theirs));
    if ours.len() != theirs.len() {
        return Err(format!("{} records instead of {}", ours.len(), theirs.len()));
    }
    for (line, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let same = match (parse(ours), parse(theirs)) {
            (Ok(ours), Ok(theirs)) => same_json(&ours, &theirs),
            _ => ours == theirs,
        };
        if !same {
            return Err(format!("record {line}: {} instead of {}", excerpt(ours), excerpt(theirs)));
        }
    }
    Ok(())
}

/// Half a surrogate pair is no text: here it becomes a word that no record holds.
fn parse(line: &[u8]) -> serde_json::Result<Value> {
    let text = String::from_utf8_lossy(line);
    let mut whole = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        let escape = |at: usize| {
            let hex = rest.get(at..at + 6)?.strip_prefix("\\u")?;
            u32::from_str_radix(hex, 16).ok()
        };
        let (kept, skipped) = match escape(at) {
            Some(0xd800..0xdc00) if matches!(escape(at + 6), Some(0xdc00..0xe000)) => (at + 12, at + 12),
            Some(0xd800..0xe000) => (at, at + 6),
            _ => (at + 2, at + 2),
        };
        whole.push_str(&rest[..kept]);
        if skipped > kept {
            whole.push_str(&format!("half-a-pair-{:x}", escape(at).unwrap_or_default()));
        }
        rest = &rest[skipped..];
    }
    whole.push_str(rest);
    serde_json::from_str(&whole)
}

fn value_of(record: &Record) -> &[u8] {
    record.value.as_deref().unwrap_or_default()
}

/// Equal as values. Where the JVM loses digits of a number, ours must be what it lost them from.
fn same_json(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|theirs| same_json(value, theirs)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same_json(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => same_number(&ours.to_string(), &theirs.to_string()),
        // A double too big for the JVM becomes a text there.
        (Value::Number(ours), Value::String(theirs)) => {
            let infinite = ours.to_string().parse::<f64>().is_ok_and(f64::is_infinite);
            infinite && theirs.trim_start_matches('-') == "Infinity"
        }
        _ => ours == theirs,
    }
}

fn same_number(ours: &str, theirs: &str) -> bool {
    if ours == theirs {
        return true;
    }
    let is_integer = |text: &str| text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    if is_integer(ours) && is_integer(theirs) {
        // The JVM keeps the low 64 bits.
        return wrapped(ours) == theirs.parse::<i64>().ok();
    }
    !is_integer(theirs) && ours.parse::<f64>().ok() == theirs.parse::<f64>().ok()
}

/// An integer's low 64 bits, as two's complement.
fn wrapped(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches('-').bytes();
    let low = digits.fold(0_u64, |low, digit| low.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    let low = if text.starts_with('-') { low.wrapping_neg() } else { low };
    Some(i64::from_ne_bytes(low.to_ne_bytes()))
}

pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let short: String = text.chars().take(160).collect();
    if short.len() < text.len() { format!("{short:?}… ({} bytes)", bytes.len()) } else { format!("{short:?}") }
}

/// What differs between two dead letter queues.
pub(super) fn dead_letters(ours: &[Record], theirs: &[Record]) -> Vec<String> {
    if ours.len() != theirs.len() {
        return vec![format!("{} dead letters instead of {}", ours.len(), theirs.len())];
    }
    // In what order the records of a batch are reported is nobody's promise.
    let sorted = |records: &[Record]| {
        let mut records = records.to_vec();
        records.sort_by_key(origin);
        records
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    let mut differences = Vec::new();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let at = format!("dead letter {}-{}", theirs.partition, theirs.offset);
        for (what, ours, theirs) in [("key", &ours.key, &theirs.key), ("value", &ours.value, &theirs.value)] {
            if ours != theirs {
                differences.push(format!("{at}: another {what}"));
            }
        }
        if ours.timestamp != theirs.timestamp {
            differences.push(format!("{at}: timestamp {:?} instead of {:?}", ours.timestamp, theirs.timestamp));
        }
        let headers = |record: &Record| record.headers.iter().map(readable_header).collect::<Vec<_>>();
        for (ours, theirs) in headers(ours).iter().zip(&headers(theirs)) {
            if ours != theirs {
                differences.push(format!("{at}: header {ours:?} instead of {theirs:?}"));
            }
        }
        if ours.headers.len() != theirs.headers.len() {
            differences.push(format!("{at}: {} headers instead of {}", ours.headers.len(), theirs.headers.len()));
        }
    }
    differences
}

/// Where a dead letter comes from, as its headers say; its own place if they do not.
fn origin(record: &Record) -> (String, i64, i64) {
    let header = |name: &str| {
        let found = record.headers.iter().find(|(key, _)| key == name)?.1.as_ref()?;
        Some(String::from_utf8_lossy(found).into_owned())
    };
    let number = |name: &str| header(name)?.parse().ok();
    (
        header("__connect.errors.topic").unwrap_or_default(),
        number("__connect.errors.partition").unwrap_or_else(|| i64::from(record.partition)),
        number("__connect.errors.offset").unwrap_or(record.offset),
    )
}

/// A header as text; of a stack trace only the first line, which names the error.
fn readable_header((name, value): &(String, Option<Vec<u8>>)) -> (String, Option<String>) {
    let text = value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned());
    let text = if name == "__connect.errors.exception.stacktrace" {
        text.map(|text| text.lines().next().unwrap_or_default().to_owned())
    } else {
        text
    };
    (name.clone(), text)
}

#[cfg(test)]
mod tests {
    use super::{parse, same_json, same_number};

    #[test]
    fn numbers_are_the_same_only_up_to_what_the_jvm_loses() {
        assert!(same_number("1.10", "1.1"));
        assert!(same_number("18446744073709551616", "0"));
        assert!(same_number("9223372036854775808", "-9223372036854775808"));
        assert!(!same_number("1", "2"));
        assert!(!same_number("1.1", "1.2"));
        assert!(!same_number("1.5", "1"));
    }

    #[test]
    fn half_a_surrogate_pair_is_the_same_however_it_is_written() {
        let parse = |text: &str| parse(text.as_bytes()).unwrap();
        assert!(same_json(&parse(r#""\ud83d\u0041""#), &parse(r#""\uD83DA""#)));
        assert!(!same_json(&parse(r#""\ud83d""#), &parse(r#""\ud83e""#)));
        assert_eq!(parse(r#""\ud83d\ude00\n""#), "\u{1f600}\n");
    }

    #[test]
    fn objects_are_the_same_in_any_order_of_keys_and_no_other_values() {
        let parse = |text: &str| serde_json::from_str(text).unwrap();
        assert!(same_json(&parse(r#"{"a":1,"b":[1,2]}"#), &parse(r#"{"b":[1,2],"a":1}"#)));
        assert!(!same_json(&parse(r#"{"a":1}"#), &parse(r#"{"a":1,"b":2}"#)));
        assert!(!same_json(&parse("[1,2]"), &parse("[2,1]")));
    }
}
