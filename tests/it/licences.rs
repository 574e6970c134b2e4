//! Every crate that we build with has a licence that `deny.toml` allows, whether or not `cargo deny` is installed.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_dependency_has_a_licence_that_we_allow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let allowed = allowed(&std::fs::read_to_string(root.join("deny.toml")).unwrap());
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let refused = packages.iter().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("none");
        let name = package["name"].as_str().unwrap();
        (!is_allowed(licence, &allowed)).then(|| format!("{name}: {licence}"))
    });
    let refused: Vec<String> = refused.collect();
    assert!(refused.is_empty(), "licences that deny.toml does not allow:\n{}", refused.join("\n"));
}

/// The list `allow` below `[licenses]`.
fn allowed(deny: &str) -> Vec<String> {
    let section = deny.split("[licenses]").nth(1).unwrap().split("allow = [").nth(1).unwrap().split("\n]").next().unwrap();
    section.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next().map(str::to_owned)).collect()
}

/// An SPDX expression: one side of an `OR`, both of an `AND`; old manifests write `/` for `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    split(expression, " OR ").iter().any(|side| {
        split(side, " AND ").iter().all(|term| {
            let term = term.trim();
            let inner = term.strip_prefix('(').and_then(|term| term.strip_suffix(')'));
            inner.map_or_else(|| allowed.iter().any(|one| one == term), |inner| is_allowed(inner, allowed))
        })
    })
}

/// Splits at an operator that is not inside parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, byte) in expression.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ if depth == 0 && at >= from && expression[at..].starts_with(operator) => {
                parts.push(&expression[from..at]);
                from = at + operator.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[from..]);
    parts
}

#[test]
fn an_expression_is_allowed_if_one_choice_is() {
    let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned()];
    assert!(is_allowed("MIT OR GPL-3.0", &allowed));
    assert!(is_allowed("(MIT OR GPL-3.0) AND Apache-2.0", &allowed));
    assert!(is_allowed("GPL-3.0/MIT", &allowed));
    assert!(!is_allowed("MIT AND GPL-3.0", &allowed));
    assert!(!is_allowed("GPL-3.0", &allowed));
}
