//! The table of cases that the reference's own tests pin is complete, and names tests and golden cases that there are.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tidy::{files, read};

const CASES: usize = 192;

fn golden(file: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file))
}

/// The cells of a table's row.
fn cells(line: &str) -> Option<[&str; 3]> {
    let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.splitn(3, " | ");
    Some([cells.next()?, cells.next()?, cells.next()?])
}

/// What stands between backquotes, each with whether `golden` stands before it.
fn names(text: &str) -> Vec<(bool, &str)> {
    let pieces: Vec<_> = text.split('`').collect();
    pieces.chunks_exact(2).map(|pair| (pair[0].ends_with("golden "), pair[1])).collect()
}

/// Every function with the attribute of a test.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(&[".rs"]) {
        let text = read(&file);
        for (_, rest) in text.match_indices("#[test]").chain(text.match_indices("#[tokio::test")).map(|(at, _)| ((), &text[at..])) {
            let name = rest.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
            found.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    found
}

#[test]
fn every_case_of_the_reference_is_shown_by_a_test_or_says_why_not() {
    let (table, coverage, tests) = (golden("SPEC_CASES.md"), golden("COVERAGE.md"), tests());
    let covered: BTreeSet<_> = coverage
        .lines()
        .filter_map(cells)
        .filter(|[_, status, _]| ["covered", "differs"].contains(status))
        .map(|[name, ..]| name)
        .collect();
    let rows: Vec<_> =
        table.lines().filter_map(cells).filter_map(|[number, status, by]| Some((number.parse().ok()?, status, by))).collect();
    let numbers: Vec<usize> = rows.iter().map(|(number, ..)| *number).collect();
    assert!(numbers.iter().copied().eq(1..=CASES), "numbers are missing, doubled or out of order: {numbers:?}");
    let mut wrong = Vec::new();
    for (number, status, by) in rows {
        let names = names(by);
        let is_told = match status {
            "shown" => !names.is_empty(),
            "differs" | "not yet" => !by.trim().is_empty(),
            _ => false,
        };
        if !is_told {
            wrong.push(format!("{number}: {status}: {by}"));
        }
        for (is_golden, name) in names {
            let is_there = match (is_golden, name.strip_prefix("vectors/")) {
                (true, _) => covered.contains(name),
                (false, Some(_)) => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).exists(),
                (false, None) => tests.contains(name),
            };
            if !is_there {
                wrong.push(format!("{number}: there is no {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
