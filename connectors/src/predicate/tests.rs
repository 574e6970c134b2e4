//! What the JVM answers, as data.

use connect_api::{Error, ErrorKind, config::Config, data::Data, plugins, testing::record_with};
use serde_json::Value as Json;

use crate::transform::record;

const VECTORS: &str = include_str!("../../../tests/golden/vectors/predicates.jsonl");

#[test]
fn every_vector_of_predicates_holds() {
    let mut lines = 0;
    let all = crate::plugins();
    for line in VECTORS.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()) {
        lines += 1;
        let pairs = line["config"].as_object().unwrap().iter();
        let config: Config = pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
        let entry = plugins::find(all.predicates(), line["type"].as_str().unwrap()).unwrap();
        let problems = (entry.config_def)().validate(&config);
        let configured = if problems.is_empty() { entry.configure(&config) } else { Err(Error::from(problems)) };
        match (configured, line["expected"].as_bool()) {
            (Ok(predicate), Some(expected)) => {
                assert_eq!(predicate.test(&record(&line["record"], 0)).unwrap(), expected, "{line}");
            }
            (Err(_), None) => assert!(line["config_error"].is_string(), "{line}"),
            (configured, expected) => panic!("{:?} {expected:?}: {line}", configured.map(drop)),
        }
    }
    assert_eq!(lines, 21);
}

// X43 of the specification.
#[test]
fn predicates_without_a_name_or_a_pattern_are_refused_and_one_header_of_several_is_enough() {
    let all = crate::plugins();
    let configured = |class: &str, config: &[(&str, &str)]| {
        let entry = plugins::find(all.predicates(), class).unwrap();
        let config: Config = config.iter().copied().collect();
        let problems = (entry.config_def)().validate(&config);
        if problems.is_empty() { entry.configure(&config) } else { Err(Error::from(problems)) }
    };
    for (class, config) in [
        ("HasHeaderKey", &[][..]),
        ("HasHeaderKey", &[("name", "")]),
        ("TopicNameMatches", &[]),
        ("TopicNameMatches", &[("pattern", "*")]),
    ] {
        let refused = configured(class, config).map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{class} {config:?}");
    }
    let has_header = configured("HasHeaderKey", &[("name", "h")]).unwrap();
    let with = |names: &[&str]| {
        let headers: Vec<_> = names.iter().map(|name| (*name, Data::default())).collect();
        has_header.test(&record_with(Data::default(), Data::default(), &headers)).unwrap()
    };
    assert_eq!([with(&[]), with(&["other"]), with(&["other", "h"]), with(&["h", "other", "h"])], [false, false, true, true]);
    let matches = configured("TopicNameMatches", &[("pattern", "my-prefix-.*")]).unwrap();
    let of_topic = |topic: &str| matches.test(&record(&serde_json::json!({ "topic": topic }), 0)).unwrap();
    assert_eq!(["my-prefix-foo", "other", "a-my-prefix-foo"].map(of_topic), [true, false, false]);
}
