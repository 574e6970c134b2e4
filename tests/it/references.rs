//! The generated references are what the binary prints. `CONNECT_TEST_BLESS=1` writes them again.

use std::path::Path;

use crate::process::connect;

fn assert_is_what_the_binary_prints(document: &str, command: &str) {
    let output = connect(&[command]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.lines().count() > 10, "connect {command} says next to nothing");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    if std::env::var("CONNECT_TEST_BLESS").is_ok() {
        std::fs::write(&path, &printed).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == printed, "{document} is out of date: connect {command} > {document}");
}

#[test]
fn the_configuration_reference_is_what_the_binary_prints() {
    assert_is_what_the_binary_prints("docs/configuration.md", "config-reference");
}

#[test]
fn the_metrics_reference_is_what_the_binary_prints() {
    assert_is_what_the_binary_prints("docs/metrics.md", "metrics-reference");
}
