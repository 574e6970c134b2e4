//! Transforms with predicates.

use connect_api::{data::Data, testing::record_of};

use super::*;

const TRANSFORM: &str = "transforms=a\ntransforms.a.type=Unchanged\ntransforms.a.field=x\n";
const PREDICATE: &str = "predicates.p.type=TopicIs\npredicates.p.topic=topic\n";

fn with(more: &str) -> Validation {
    check(&format!("{GOOD}{TRANSFORM}{more}"))
}

/// The only problem, where nothing is warned of.
fn problem(more: &str) -> String {
    let validation = with(more);
    let (problems, warnings) = (lines(&validation.problems), lines(&validation.warnings));
    assert_eq!((problems.len(), warnings.len()), (1, 0), "{problems:#?} {warnings:#?}");
    problems.into_iter().next().unwrap()
}

/// Whether the only transform has a guard: whether that is negated, and whether it admits a record of the topic.
fn guard(more: &str) -> Option<(bool, bool)> {
    let connector = properties::parse(format!("{GOOD}{TRANSFORM}{more}").as_bytes(), "s3.properties").unwrap();
    let chain = transformations(&fake::plugins(), &ConnectorConfig::try_from(&connector).unwrap()).unwrap();
    let guard = chain[0].guard.as_ref()?;
    Some((guard.negate, guard.admits(&record_of(Data::default())).unwrap()))
}

// X44: the default of `negate` is false.
#[test]
fn a_transform_has_the_predicate_that_it_names_and_negates_it_where_that_is_asked_for() {
    let named = format!("transforms.a.predicate=p\npredicates=p\n{PREDICATE}");
    assert_eq!(with(&named), Validation::default());
    assert_eq!((guard(""), guard(&named)), (None, Some((false, true))));
    let negated = format!("{named}transforms.a.negate=true\n");
    assert_eq!(with(&negated), Validation::default());
    assert_eq!(guard(&negated), Some((true, false)));
}

#[test]
fn a_predicate_that_no_list_names_works_where_a_transform_names_it() {
    let unlisted = format!("transforms.a.predicate=p\n{PREDICATE}");
    assert_eq!(with(&unlisted), Validation::default());
    assert_eq!(guard(&unlisted), Some((false, true)));
}

#[test]
fn a_predicate_of_an_unknown_class_is_refused_with_the_nearest_one() {
    let said = problem("transforms.a.predicate=p\npredicates=p\npredicates.p.type=TopcIs\npredicates.p.topic=t\n");
    assert!(said.starts_with("s3.properties:13: ") && said.contains("predicates.p.type"), "{said}");
    assert!(said.ends_with("(did you mean `com.example.TopicIs`?)"), "{said}");
}

#[test]
fn a_predicate_without_a_class_is_refused_where_it_is_named() {
    let said = |named_by: &str| {
        format!(
            "s3.properties:11: predicates.p.type: Not a Predicate: no class is named: add predicates.p.type=…, or take p out of {named_by}"
        )
    };
    assert_eq!(problem("predicates=p\npredicates.p.topic=t\n"), said("predicates"));
    assert_eq!(problem("transforms.a.predicate=p\n"), said("transforms.a.predicate"));
}

// By its full name: simple ones may mean something of each kind.
#[test]
fn the_class_of_a_transform_is_no_predicate() {
    let said = problem("predicates=p\npredicates.p.type=com.example.Unchanged\n");
    let expected = "s3.properties:12: predicates.p.type: com.example.Unchanged is a transform, and a predicate of transforms is wanted here: \
                    com.example.TopicIs";
    assert_eq!(said, expected);
}

#[test]
fn a_predicate_s_own_keys_are_checked() {
    let said = problem("predicates=p\npredicates.p.type=TopicIs\n");
    assert!(said.starts_with("s3.properties: Missing required configuration \"predicates.p.topic\""), "{said}");
}

#[test]
fn negate_needs_a_predicate_and_a_boolean() {
    let expected = "there is no config 'transforms.a.predicate' defining a predicate to be negated.";
    let said = problem("transforms.a.negate=true\n");
    assert!(said.starts_with("s3.properties:11: ") && said.contains("transforms.a.negate") && said.ends_with(expected), "{said}");
    let said = problem(&format!("transforms.a.predicate=p\ntransforms.a.negate=maybe\n{PREDICATE}"));
    assert!(said.starts_with("s3.properties:12: ") && said.contains("transforms.a.negate") && said.contains("true or"), "{said}");
}

#[test]
fn keys_that_a_transform_or_a_predicate_does_not_read_are_warned_of_with_the_nearest_one() {
    let validation = with(&format!(
        "predicates=p\n{PREDICATE}transforms.a.feild=x\ntransforms.a.predicat=p\npredicates.p.topc=t\npredicates.p.other=t\n"
    ));
    assert!(validation.problems.is_empty(), "{}", validation.problems);
    let mut said = lines(&validation.warnings);
    said.sort();
    let expected = [
        "s3.properties:12: predicates.p.type: no transform names this predicate, so it changes nothing",
        "s3.properties:14: unknown key transforms.a.feild, it changes nothing (did you mean `transforms.a.field`?)",
        "s3.properties:15: unknown key transforms.a.predicat, it changes nothing (did you mean `transforms.a.predicate`?)",
        "s3.properties:16: unknown key predicates.p.topc, it changes nothing (did you mean `predicates.p.topic`?)",
        "s3.properties:17: unknown key predicates.p.other, it changes nothing",
    ];
    assert_eq!(said, expected);
}

#[test]
fn aliases_that_are_listed_twice_are_one_problem() {
    for twice in ["transforms=a,a\ntransforms.a.type=Unchanged\ntransforms.a.field=x\n", "predicates=p,p\n"] {
        let report = check(&format!("{GOOD}{twice}{}", if twice.starts_with('p') { PREDICATE } else { "" }));
        assert_eq!(report.problems.len(), 1, "{}", report.problems);
    }
}

#[test]
fn a_predicate_that_no_transform_names_is_warned_of() {
    let validation = with(&format!("predicates=p\n{PREDICATE}"));
    assert!(validation.problems.is_empty());
    let expected = "s3.properties:12: predicates.p.type: no transform names this predicate, so it changes nothing";
    assert_eq!(lines(&validation.warnings), [expected]);
}
