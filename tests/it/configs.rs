//! The configuration files that we ship.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use connect_runtime::config::read_connector;

use crate::process::{connect, scratch};

fn shipped(extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

#[test]
fn every_configuration_that_we_ship_is_valid() {
    let files = [shipped("properties"), shipped("toml")].concat();
    assert!(!files.is_empty());
    for path in files {
        // As README.md says to fill them in: a template as it is names no bucket.
        let text = std::fs::read_to_string(&path).unwrap().replace("<TOPIC_ROOT>", "orders").replace("<BUCKET_NAME>", "my-bucket");
        let filled = scratch("configs").join(path.file_name().unwrap());
        std::fs::write(&filled, &text).unwrap();
        let file = filled.to_str().unwrap();
        let is_worker = text.lines().any(|line| line.starts_with("bootstrap.servers"));
        let output = if is_worker {
            connect(&["validate", file])
        } else {
            connect(&["validate", "--bootstrap-servers", "127.0.0.1:9092", file])
        };
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{}: {said}", path.display());
    }
}

#[test]
fn a_properties_file_and_the_toml_file_of_the_same_name_mean_the_same() {
    let mut pairs = 0;
    for toml in shipped("toml") {
        let properties = toml.with_extension("properties");
        assert!(properties.exists(), "{} has no twin", toml.display());
        let entries = |path: &Path| -> BTreeMap<String, String> {
            let config = read_connector(path).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
            config.iter().map(|(name, entry)| (name.to_owned(), entry.value.clone())).collect()
        };
        assert_eq!(entries(&toml), entries(&properties), "{}", toml.display());
        pairs += 1;
    }
    assert!(pairs > 0);
}
