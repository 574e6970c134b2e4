//! Files of settings, in whatever form they are written.

use std::{io, path::Path};

use connect_api::config::{Config, Problem, Problems};

use super::{json, properties, toml};

/// Reads a worker's or a client's file: TOML where its name says so, else Java properties.
///
/// # Errors
/// The file cannot be read, or is malformed.
pub fn read_worker(path: &Path) -> Result<Config, Problems> {
    read(path, false)
}

/// Reads a connector's file: TOML where its name says so, JSON where it begins with a brace, else Java properties.
///
/// # Errors
/// As [`read_worker`].
pub fn read_connector(path: &Path) -> Result<Config, Problems> {
    read(path, true)
}

fn read(path: &Path, may_be_json: bool) -> Result<Config, Problems> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| one(Problem::general(unreadable(&name, &error))))?;
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase()).unwrap_or_default();
    // Java properties that begin with a brace are legal and never meant.
    let is_json = extension == "json" || bytes.trim_ascii_start().starts_with(b"{");
    if extension == "toml" {
        return text(&bytes, &name).and_then(|text| toml::parse(text, &name).map_err(one));
    }
    if may_be_json && is_json {
        return text(&bytes, &name).and_then(|text| json::parse(text, &name));
    }
    properties::parse(&bytes, &name).map_err(one)
}

fn text<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Problems> {
    std::str::from_utf8(bytes).map_err(|error| one(Problem::general(format!("{name}: this is not UTF-8: {error}"))))
}

fn unreadable(name: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("{name}: there is no such file"),
        io::ErrorKind::PermissionDenied => format!("{name}: the file may not be read by this user"),
        io::ErrorKind::IsADirectory => format!("{name}: this is a directory, not a file of settings"),
        _ => format!("{name}: the file cannot be read: {error}"),
    }
}

fn one(problem: Problem) -> Problems {
    let mut problems = Problems::default();
    problems.push(problem);
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file of this name and content, which is gone afterwards.
    fn read_with<T>(read: impl Fn(&Path) -> T, name: &str, content: &str) -> T {
        let directory = std::env::temp_dir().join(format!("connect-file-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        let result = read(&path);
        std::fs::remove_dir_all(&directory).unwrap();
        result
    }

    #[test]
    fn the_form_of_a_file_is_found_out() {
        let files = [
            ("a.properties", "tasks.max = 3"),
            ("a.toml", "tasks.max = 3"),
            ("a.json", "{\"tasks.max\": \"3\"}"),
            ("a.conf", " {\"name\": \"x\", \"config\": {\"tasks.max\": 3}}"),
        ];
        for (name, content) in files {
            assert_eq!(read_with(read_connector, name, content).unwrap().text("tasks.max"), Some("3"), "{name}");
        }
    }

    #[test]
    fn a_worker_file_is_never_json() {
        assert_eq!(read_with(read_worker, "w.properties", "{a=b").unwrap().text("{a"), Some("b"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let missing = read_worker(Path::new("/nowhere/worker.properties")).unwrap_err().to_string();
        assert_eq!(missing, "/nowhere/worker.properties: there is no such file");
        let directory = read_connector(&std::env::temp_dir()).unwrap_err().to_string();
        assert!(directory.ends_with("this is a directory, not a file of settings"), "{directory}");
    }
}
