//! The tables of cases that the reference's own tests pin are complete, and name tests and golden cases that there are.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tidy::{files, read};

/// The cases that the specification of the runtime counts, section by section: what their ids begin with, the first number and the last.
/// Those of 12.12 and 12.13 are left out, as the table says.
const RUNTIME: &[(&str, usize, usize)] = &[
    ("P", 1, 16),
    ("T", 1, 50),
    ("R", 1, 15),
    ("D", 1, 13),
    ("J", 1, 26),
    ("C", 1, 4),
    ("H", 1, 14),
    ("X", 1, 44),
    ("S", 1, 12),
    ("M", 1, 6),
];

/// Those of the S3 sink have numbers alone.
const SINK: &[(&str, usize, usize)] = &[("", 1, 192)];

fn golden(file: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file))
}

/// The cells of a table's row.
fn cells(line: &str) -> Option<[&str; 3]> {
    let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.splitn(3, " | ");
    Some([cells.next()?, cells.next()?, cells.next()?])
}

/// Whether the cell is a case's, and no head of a table.
fn is_id(cell: &str) -> bool {
    let number = cell.trim_start_matches(|c: char| c.is_ascii_uppercase());
    cell.len() <= number.len() + 1 && number.parse::<usize>().is_ok()
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

/// The golden cases that are run.
fn covered(coverage: &str) -> BTreeSet<&str> {
    let rows = coverage.lines().filter_map(cells).filter(|[_, status, _]| ["covered", "differs"].contains(status));
    rows.map(|[name, ..]| name).collect()
}

/// What is wrong with a row, and which names in it are nobody's.
fn mistakes([id, status, by]: [&str; 3], covered: &BTreeSet<&str>, tests: &BTreeSet<String>) -> Vec<String> {
    let names = names(by);
    let is_told = match status {
        "shown" => !names.is_empty(),
        "differs" | "not yet" => !by.trim().is_empty(),
        _ => false,
    };
    let mut wrong: Vec<_> = (!is_told).then(|| format!("{id}: {status}: {by}")).into_iter().collect();
    for (is_golden, name) in names {
        let is_there = match (is_golden, name.strip_prefix("vectors/")) {
            (true, _) => covered.contains(name),
            (false, Some(_)) => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).exists(),
            (false, None) => tests.contains(name),
        };
        if !is_there {
            wrong.push(format!("{id}: there is no {name}"));
        }
    }
    wrong
}

fn check(table: &str, cases: &[(&str, usize, usize)]) {
    let (table, coverage, tests) = (golden(table), golden("COVERAGE.md"), tests());
    let covered = covered(&coverage);
    let rows: Vec<_> = table.lines().filter_map(cells).filter(|[id, ..]| is_id(id)).collect();
    let expected = cases.iter().flat_map(|&(begin, first, last)| (first..=last).map(move |number| format!("{begin}{number}")));
    let ids: Vec<_> = rows.iter().map(|[id, ..]| *id).collect();
    assert!(ids.iter().copied().eq(expected), "cases are missing, doubled or out of order: {ids:?}");
    let wrong: Vec<_> = rows.into_iter().flat_map(|row| mistakes(row, &covered, &tests)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_of_the_reference_is_shown_by_a_test_or_says_why_not() {
    check("SPEC_CASES.md", SINK);
}

#[test]
fn every_case_of_the_runtime_is_shown_by_a_test_or_says_why_not() {
    check("RUNTIME_CASES.md", RUNTIME);
}
