//! The files that people publish, and what we say of each. `CONNECT_TEST_BLESS=1` writes the table again: read what changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::process::connect;

/// Classes that nobody has: their authors made them up, or left a placeholder.
const MADE_UP: [&str; 3] = ["JsonFormatter", "key_serializer.class", "value_serializer.class"];

/// Keys that no connector and no client has: their authors made them up, or mistyped them.
const NOBODY_S: [&str; 4] = ["s3.ssl.enabled", "s3.part.siz", "s3.socket.timeout.ms", "s3.connection.timeout.ms"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn connectors() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let is_connector = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name.ends_with(".properties") || name.ends_with(".json")) && !name.contains(".worker.")
    };
    let mut files: Vec<_> = entries.filter(is_connector).collect();
    files.sort();
    files
}

/// What is said of a file, with its worker's where it has one, and whether it may start.
fn said_of(file: &Path) -> (bool, Vec<String>) {
    let worker = file.with_extension("worker.properties");
    let (worker, path) = (worker.to_str().unwrap().to_owned(), file.to_str().unwrap());
    let output = if Path::new(&worker).exists() {
        connect(&["validate", &worker, path])
    } else {
        connect(&["validate", "--bootstrap-servers", "127.0.0.1:9092", path])
    };
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let folder = format!("{}/", folder().display());
    let lines = text.lines().filter(|line| line.starts_with("error: ") || line.starts_with("warning: "));
    (output.status.success(), lines.map(|line| line.replace(&folder, "")).collect())
}

#[test]
fn the_table_of_published_files_says_what_we_say_of_each() {
    let mut starts = 0;
    let (mut table, mut details) = (String::new(), String::new());
    for file in connectors() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (ok, said) = said_of(&file);
        starts += usize::from(ok);
        let count = |kind: &str| said.iter().filter(|line| line.starts_with(kind)).count();
        writeln!(table, "| {name} | {} | {} | {} |", if ok { "starts" } else { "refused" }, count("error"), count("warning"))
            .unwrap();
        if !said.is_empty() {
            writeln!(details, "\n## {name}\n\n```\n{}\n```", said.join("\n")).unwrap();
        }
    }
    let files = connectors().len();
    let text = format!(
        "# What is said of {files} published connector files\n\nWritten by `tests/it/corpus.rs`, which keeps it true.\n\n\
         | file | | errors | warnings |\n| --- | --- | ---: | ---: |\n{table}{details}"
    );
    crate::say(&format!("corpus: {starts} of {files} files start; tests/corpus/TABLE.md says what is said of each\n{table}"));
    let path = folder().join("TABLE.md");
    if std::env::var("CONNECT_TEST_BLESS").is_ok() {
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = text.lines().zip(known.lines()).find(|(now, known)| now != known);
    assert!(text == known, "tests/corpus/TABLE.md is out of date (CONNECT_TEST_BLESS=1 writes it): {differs:?}");
}

#[test]
fn no_real_class_could_not_be_found() {
    for file in connectors() {
        for line in said_of(&file).1 {
            let made_up = MADE_UP.iter().any(|name| line.contains(name));
            assert!(made_up || !line.contains("could not be found"), "{line}");
        }
    }
}

#[test]
fn no_real_key_is_unknown() {
    for line in connectors().iter().flat_map(|file| said_of(file).1) {
        let unknown = line.split_once("unknown key ").and_then(|(_, rest)| rest.split(',').next());
        assert!(unknown.is_none_or(|key| NOBODY_S.contains(&key)), "{line}");
    }
}
