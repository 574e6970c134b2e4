//! House rules that no compiler checks.

use std::path::{Path, PathBuf};

use crate::process::connect;

/// What a file may have at most, its test module aside.
const LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below the repository's root with one of these extensions, the build and data as others have it left out.
pub(crate) fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "golden", "corpus"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if extensions.iter().any(|extension| name.ends_with(extension)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether this file is a conformance suite, or a module above declares it for tests alone.
fn is_test_module(path: &Path) -> bool {
    if relative(path).starts_with("connect-api/src/testing/") {
        return true;
    }
    // `x/mod.rs` is the module `x` of the folder above.
    let module = if path.ends_with("mod.rs") { path.parent().unwrap() } else { path };
    let (folder, name) = (module.parent().unwrap(), module.file_stem().unwrap().to_string_lossy());
    let parents = [folder.join("mod.rs"), folder.join("lib.rs"), folder.with_extension("rs")];
    let declared =
        |parent: &PathBuf| std::fs::read_to_string(parent).is_ok_and(|text| text.contains(&format!("#[cfg(test)]\nmod {name};")));
    parents.iter().any(declared) || parents[0].is_file() && !path.ends_with("mod.rs") && is_test_module(&parents[0])
}

fn assert_none(what: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{what}:\n{}", offenders.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let length = |path: &PathBuf| {
        let text = read(path);
        let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        (code >= LINES && !is_test_module(path)).then(|| format!("{}: {code} lines", relative(path)))
    };
    assert_none("too long", &files(&[".rs"]).iter().filter_map(length).collect::<Vec<_>>());
}

#[test]
fn nothing_is_named_for_what_it_does_not_say() {
    let empty = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];
    let named = |path: &PathBuf| {
        let path = relative(path);
        path.split(['/', '.', '_']).any(|part| empty.contains(&part)).then_some(path)
    };
    assert_none("says nothing", &files(&[".rs", ".sh", ".toml"]).iter().filter_map(named).collect::<Vec<_>>());
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Spelled in pieces, or this file would be the first to fail.
    let places = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/t", "mp/"]].map(|parts| parts.concat());
    let hosts = [["crates", ".io"], ["repo1.maven", ".org"], ["pypi", ".org"], ["proxy.golang", ".org"], ["deb.debian", ".org"]];
    let hosts = hosts.map(|parts| parts.concat());
    let mut offenders = Vec::new();
    for path in files(&[".rs", ".sh", ".toml", ".md", ".properties", ".json", ".xml", "justfile", "run", ".yml"]) {
        for (number, line) in read(&path).lines().enumerate() {
            let at = |what: &String| line.contains(what.as_str()).then(|| format!("{}:{}: {what}", relative(&path), number + 1));
            offenders.extend(places.iter().chain(&hosts).filter_map(at));
        }
    }
    assert_none("names of machines and registries", &offenders);
}

/// Whether a file of the three crates names this crate.
fn users_of(crate_name: &str) -> Vec<String> {
    let uses = |path: &PathBuf| {
        let name = relative(path);
        let is_source =
            ["connect-api/src", "connect-runtime/src", "connectors/src", "src/"].iter().any(|root| name.starts_with(root));
        let text = read(path);
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        (is_source && code.any(|line| line.contains(&format!("{crate_name}::")))).then_some(name)
    };
    files(&[".rs"]).iter().filter_map(uses).collect()
}

#[test]
fn kafkas_client_is_known_to_the_consumer_and_the_dead_letter_queue_alone() {
    let allowed = |file: &String| {
        file.starts_with("connect-runtime/src/consumer/")
            || file == "connect-runtime/src/task/dead_letter_queue.rs"
            || file.starts_with("connect-runtime/src/task/dead_letter_queue/")
    };
    let users = users_of("rdkafka");
    assert!(!users.is_empty(), "somebody reads from Kafka");
    assert_none("uses rdkafka", &users.into_iter().filter(|file| !allowed(file)).collect::<Vec<_>>());
}

#[test]
fn the_aws_sdk_is_known_to_the_s3_storage_and_glue_s_client_alone() {
    for name in ["aws_sdk_s3", "aws_config", "aws_sigv4", "aws_smithy_types", "aws_credential_types"] {
        let users = users_of(name);
        let knows_it = ["connectors/src/storage/s3/", "connectors/src/registry/glue/client.rs"];
        let strangers = users.into_iter().filter(|file| !knows_it.iter().any(|known| file.starts_with(known)));
        assert_none(name, &strangers.collect::<Vec<_>>());
    }
    assert!(!users_of("aws_sdk_s3").is_empty(), "somebody talks to S3");
}

#[test]
fn only_the_command_line_prints_and_ends_the_process() {
    let prints = |path: &PathBuf| {
        let name = relative(path);
        let is_source = name.contains("/src/")
            && !name.starts_with("fuzz/")
            && name != "connect-runtime/src/cli.rs"
            && !name.starts_with("connect-runtime/src/cli/")
            && !is_test_module(path);
        let text = read(path);
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let words = ["println!(", "eprintln!(", "process::exit("];
        (is_source && code.any(|line| words.iter().any(|word| line.contains(word)))).then_some(name)
    };
    assert_none("prints", &files(&[".rs"]).iter().filter_map(prints).collect::<Vec<_>>());
}

#[test]
fn every_plugin_is_registered() {
    let output = connect(&["plugins"]);
    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    let (mut found, mut missing) = (0, Vec::new());
    for path in files(&[".rs"]).into_iter().filter(|path| relative(path).starts_with("connectors/src/")) {
        let text = read(&path);
        let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).map(str::trim);
        let names = code.filter_map(|line| line.strip_prefix("const NAME: &'static str = \"")?.split('"').next());
        for name in names.filter(|_| !is_test_module(&path)) {
            found += 1;
            if !listed.contains(name) {
                missing.push(format!("{name} of {}", relative(&path)));
            }
        }
    }
    assert!(found > 5, "the plugins say their names");
    assert_none("not registered in connectors/src/plugins.rs", &missing);
}

#[test]
fn crates_are_listed_once_in_the_workspace_and_inherited_everywhere_else() {
    let manifest = |path: &str| read(&root().join(path));
    for path in ["connect-api/Cargo.toml", "connect-runtime/Cargo.toml", "connectors/Cargo.toml"] {
        let text = manifest(path);
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
        let own = dependencies.lines().filter(|line| line.contains('=') && !line.contains("workspace = true"));
        assert_none(path, &own.map(str::to_owned).collect::<Vec<_>>());
    }
    let contracts = manifest("connect-api/Cargo.toml");
    let plugins = manifest("connectors/Cargo.toml");
    assert!(!contracts.contains("rdkafka") && !plugins.contains("rdkafka"), "only the runtime knows Kafka's client");
    assert!(!manifest("connect-runtime/Cargo.toml").contains("connectors"), "the runtime knows no connector");
}
