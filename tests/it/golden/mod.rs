//! What the JVM connector does, as data, and that we do the same: `tests/golden/cases` and its table `COVERAGE.md`.
//!
//! `CONNECT_GOLDEN=name,name` runs these cases alone and prints what differs; `CONNECT_GOLDEN_BLESS=1` writes what we
//! do instead for the cases that the table lists as different.

mod avro;
mod case;
mod compare;
mod coverage;
mod parquet;
mod run;

use std::collections::VecDeque;
use std::sync::Mutex;

use case::Case;
use coverage::{Ours, Row, Status};
use run::Outcome;

use crate::cluster::Cluster;

/// So many at once: they wait more than they work.
const AT_ONCE: usize = 8;

#[test]
fn what_the_table_lists_as_covered_does_what_the_jvm_does() {
    let Some(cluster) = Cluster::from_environment("golden cases") else { return };
    if run::bucket().is_none() {
        return;
    }
    let chosen = std::env::var("CONNECT_GOLDEN").ok();
    let rows: VecDeque<Row> = coverage::rows()
        .into_iter()
        .filter(|row| chosen.as_ref().map_or(row.status.runs(), |chosen| chosen.split(',').any(|name| name == row.case)))
        .collect();
    let count = rows.len();
    let (queue, failures) = (Mutex::new(rows), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(row) = queue.lock().expect("no panic in here").pop_front() else { return };
                    if !differences(&row, &cluster).is_empty() {
                        failures.lock().expect("no panic in here").push(row);
                    }
                }
            });
        }
    });
    // Cases wait for what happens within seconds, and a machine may be too busy with eight of them: what differs does so alone, too.
    let differing = failures.into_inner().expect("no panic").into_iter().filter_map(|row| {
        let differences = differences(&row, &cluster);
        (!differences.is_empty()).then(|| format!("{}:\n    {}", row.case, differences.join("\n    ")))
    });
    let failures: Vec<String> = differing.collect();
    assert!(failures.is_empty(), "{} of {count} cases differ:\n{}", failures.len(), failures.join("\n"));
}

/// What differs from the expectation, also where a case cannot be run to its end.
fn differences(row: &Row, cluster: &Cluster) -> Vec<String> {
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(row, cluster)));
    checked.unwrap_or_else(|_| vec!["the runner gave up".to_owned()])
}

/// What differs from the expectation, one line each.
fn check(row: &Row, cluster: &Cluster) -> Vec<String> {
    let case = Case::load(&row.case);
    let bucket = run::bucket().expect("a bucket");
    let bless = std::env::var("CONNECT_GOLDEN_BLESS").is_ok();
    if row.status == Status::Differs && bless {
        let outcome = run::run(&case, cluster, &bucket, &[]);
        Ours::of(&outcome).write(&case.name);
        return Vec::new();
    }
    let ours = (row.status == Status::Differs).then(|| Ours::read(&case.name));
    let expected = ours.as_ref().map_or_else(|| case.snapshots.clone(), |ours| ours.snapshots(&case));
    let outcome = run::run(&case, cluster, &bucket, &expected);
    let last_dead_letters = ours.as_ref().and_then(Ours::dead_letters);
    let mut differences = ours.map_or_else(|| against_the_jvm(&case, &outcome), |ours| ours.differences(&outcome));
    if let Some(theirs) = &case.dead_letters {
        match last_dead_letters.unwrap_or(theirs.len()) {
            // Records that end the task on the JVM.
            more if more > theirs.len() => {
                let count = outcome.dead_letters.len();
                differences.extend((count != more).then(|| format!("{count} dead letters instead of {more}")));
            }
            count => differences.extend(compare::dead_letters(&outcome.dead_letters, &theirs[theirs.len() - count..])),
        }
    }
    for text in &row.says {
        if !outcome.log.contains(text.as_str()) {
            differences.push(format!("does not say `{text}`"));
        }
    }
    if !differences.is_empty() && std::env::var("CONNECT_GOLDEN").is_ok() {
        differences.push(format!("its log:\n{}", outcome.log));
    }
    differences
}

fn against_the_jvm(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut differences = Vec::new();
    let refused = case.final_state == "REJECTED";
    if outcome.refused != refused {
        let ended = outcome.log.lines().rev().take(6).collect::<Vec<_>>().join(" / ");
        differences.push(format!("refused: {} instead of {refused} ({ended})", outcome.refused));
    }
    for (ours, theirs) in outcome.snapshots.iter().zip(&case.snapshots) {
        if !run::agrees(ours, theirs) {
            let (ours, theirs) = (brief(ours), brief(theirs));
            differences.push(format!("{}\n      instead of {}", ours, theirs));
        }
    }
    differences.extend(compare::objects(case, &outcome.objects));
    differences.extend(compare::tags(case, &outcome.tags));
    differences
}

fn brief(snapshot: &case::Snapshot) -> String {
    let committed: Vec<String> = snapshot.committed.iter().map(|((t, p), offset)| format!("{t}-{p}:{offset}")).collect();
    let failed = if snapshot.failed { "FAILED" } else { "running" };
    format!("{:?}: {failed}, committed {}, {} objects", snapshot.when, committed.join(" "), snapshot.keys.len())
}

#[test]
fn the_table_lists_every_case_once() {
    let mut listed: Vec<String> = coverage::rows().into_iter().map(|row| row.case).collect();
    listed.sort();
    assert_eq!(listed, case::names());
}

#[test]
fn a_case_that_is_not_covered_yet_needs_what_the_table_says_is_missing() {
    let mut wrong = Vec::new();
    for row in coverage::rows().into_iter().filter(|row| row.status == Status::NotYet) {
        let case = Case::load(&row.case);
        let needed = coverage::missing_features(&case);
        if row.features.is_empty() || !row.features.iter().all(|feature| needed.contains(&feature.as_str())) {
            wrong.push(format!("{}: the table says {:?}, the case needs {needed:?}", row.case, row.features));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_case_that_needs_nothing_that_is_missing_is_covered_or_differs_on_purpose() {
    let rows = coverage::rows();
    let idle = rows.iter().filter(|row| row.status == Status::NotYet);
    let names: Vec<&str> =
        idle.filter(|row| coverage::missing_features(&Case::load(&row.case)).is_empty()).map(|row| row.case.as_str()).collect();
    assert!(names.is_empty(), "nothing is missing for {names:?}");
}
