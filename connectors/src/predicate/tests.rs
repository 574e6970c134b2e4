//! What the JVM answers, as data.

use connect_api::{Error, config::Config, plugins};
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
