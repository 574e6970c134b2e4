//! Each line of `transforms.jsonl`.

use std::collections::BTreeMap;

use connect_api::{Error, SinkRecord, config::Config, plugins};
use serde_json::Value as Json;

use super::record::{data, is_same, record};

const VECTORS: &str = include_str!("../../../../tests/golden/vectors/transforms.jsonl");

pub(in crate::transform::tests) fn config(line: &Json) -> Config {
    let pairs = line["config"].as_object().unwrap().iter();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// An error as the vectors have it: the class without its package, and the message.
fn said(error: &Error) -> String {
    format!("{}: {error}", error.class().rsplit('.').next().unwrap_or_default())
}

/// What came of one line; `Err` says what differs.
fn check(line: &Json) -> Result<(), String> {
    let (class, config) = (line["type"].as_str().unwrap(), config(line));
    let all = crate::plugins();
    let entry = plugins::find(all.transformations(), class).map_err(|error| error.report())?;
    let problems = (entry.config_def)().validate(&config);
    let configured = if problems.is_empty() { entry.configure(&config) } else { Err(Error::from(problems)) };
    let transformation = match (configured, line["config_error"].as_str()) {
        (Err(_), Some(_)) => return Ok(()),
        (Err(error), None) => return Err(format!("refused: {}", error.report())),
        (Ok(_), Some(expected)) => return Err(format!("not refused: {expected}")),
        (Ok(transformation), None) => transformation,
    };
    let applied = transformation.apply(record(&line["record"], line["offset"].as_i64().unwrap()));
    let applied = match (applied, line["error"].as_str()) {
        // Ours may go on and say what to do.
        (Err(error), Some(expected)) if said(&error).starts_with(expected) => return Ok(()),
        (Err(error), expected) => return Err(format!("failed with {}, not {expected:?}", said(&error))),
        (Ok(_), Some(expected)) => return Err(format!("worked, not {expected}")),
        (Ok(applied), None) => applied,
    };
    match (applied, line["dropped"].as_bool()) {
        (None, Some(true)) => Ok(()),
        (Some(mut transformed), None) => {
            transformed.settle().map_err(|error| error.report())?;
            compare(&transformed, &line["expected"])
        }
        (applied, dropped) => Err(format!("dropped: {}, not {dropped:?}", applied.is_none())),
    }
}

fn compare(record: &SinkRecord, expected: &Json) -> Result<(), String> {
    let differs = |what: &str, ours: &dyn std::fmt::Debug, theirs: &Json| Err(format!("{what}: {ours:#?} is not {theirs:#}"));
    for (what, ours) in [("key", &record.key), ("value", &record.value)] {
        if !is_same(ours, &data(&expected[what])) {
            return differs(what, ours, &expected[what]);
        }
    }
    let headers = expected["headers"].as_array().unwrap();
    let same = |(ours, theirs): (&connect_api::Header, &Json)| {
        *ours.key == *theirs["name"].as_str().unwrap() && is_same(&ours.value, &data(&theirs["value"]))
    };
    if record.headers.len() != headers.len() || !record.headers.iter().zip(headers).all(same) {
        return differs("headers", &record.headers, &expected["headers"]);
    }
    if *record.topic != *expected["topic"].as_str().unwrap() || record.timestamp != expected["timestamp"].as_i64() {
        return differs("topic and timestamp", &(&record.topic, record.timestamp), expected);
    }
    Ok(())
}

/// What is not as on the JVM, for a reason: so many lines of each.
const DIFFERENCES: &[(&str, usize)] = &[
    // Refused at the start, where each record would fail on the JVM.
    ("does not fit regex", 4),
    // Ours names the field, where the JVM has lost a null.
    ("NullPointerException: Field does not exist: name", 1),
    // Lists in headers are texts here, as SimpleHeaderConverter's documentation says.
    ("headers: [", 4),
];

#[test]
fn every_vector_of_transforms_holds_or_differs_for_a_reason() {
    let (mut lines, mut different) = (0, BTreeMap::new());
    let mut failures = Vec::new();
    for line in VECTORS.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()) {
        lines += 1;
        if let Err(why) = check(&line) {
            match DIFFERENCES.iter().find(|(reason, _)| why.contains(reason)) {
                Some((reason, _)) => *different.entry(*reason).or_insert(0) += 1,
                None => failures.push(format!("{} {}: {why}", line["type"], line["config"])),
            }
        }
    }
    assert!(failures.is_empty(), "{} of {lines} differ:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(lines, 332);
    let expected: BTreeMap<_, _> = DIFFERENCES.iter().copied().collect();
    assert_eq!(different, expected);
}
