//! Files of settings, in whatever form they are written.

use std::{io, path::Path};

use connect_api::config::{Config, Origin, Problem, Problems};

use super::{json, properties, toml};

/// Reads a worker's or a client's file: TOML where its name says so, else Java properties.
///
/// # Errors
/// The file cannot be read, or is malformed.
pub fn read_worker(path: &Path) -> Result<Config, Problems> {
    SettingsFile::read(path)?.of_worker()
}

/// Reads a connector's file: TOML where its name says so, JSON where it begins with a brace, else Java properties.
///
/// # Errors
/// As [`read_worker`].
pub fn read_connector(path: &Path) -> Result<Config, Problems> {
    SettingsFile::read(path)?.of_connector()
}

/// What a file holds, before anybody knows whose settings they are. It is read once: it may be a pipe.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    name: String,
    bytes: Vec<u8>,
    form: Form,
}

/// What a file's name says of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Toml,
    Json,
    /// Java properties as a rule.
    Unsaid,
}

impl Form {
    fn of(path: &Path) -> Self {
        match path.extension().map(|extension| extension.to_ascii_lowercase()) {
            Some(extension) if extension == "toml" => Self::Toml,
            Some(extension) if extension == "json" => Self::Json,
            _ => Self::Unsaid,
        }
    }
}

impl SettingsFile {
    /// Reads it, whatever form it is in.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| one(unreadable(&name, &error)))?;
        Ok(Self { name, bytes, form: Form::of(path) })
    }

    /// Whether a file's name says that it is JSON, which a worker's never is.
    pub(crate) fn is_called_json(path: &Path) -> bool {
        Form::of(path) == Form::Json
    }

    /// As a worker's or a client's.
    pub(crate) fn of_worker(&self) -> Result<Config, Problems> {
        match self.form {
            Form::Json => Err(one(self.problem("a worker's file is Java properties or TOML, not JSON"))),
            Form::Toml => self.toml(),
            Form::Unsaid => self.properties(),
        }
    }

    /// As a connector's.
    pub(crate) fn of_connector(&self) -> Result<Config, Problems> {
        match self.form {
            Form::Toml => self.toml(),
            // Java properties that begin with a brace are legal and never meant.
            Form::Unsaid if !self.bytes.trim_ascii_start().starts_with(b"{") => self.properties(),
            Form::Json | Form::Unsaid => self.text().and_then(|text| json::parse(text, &self.name)),
        }
    }

    fn toml(&self) -> Result<Config, Problems> {
        self.text().and_then(|text| toml::parse(text, &self.name).map_err(one))
    }

    fn properties(&self) -> Result<Config, Problems> {
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = self.bytes[..] {
            return Err(one(self.problem("this is UTF-16: save it as UTF-8")));
        }
        // Nothing is lost with a comment.
        if let [0xef, 0xbb, 0xbf, next, ..] = self.bytes[..]
            && !matches!(next, b'#' | b'!' | b'\r' | b'\n')
        {
            let reason =
                "the file begins with a byte order mark, which Java takes for a part of the first key: save it without one";
            return Err(one(self.problem(reason)));
        }
        properties::parse(&self.bytes, &self.name).map_err(one)
    }

    fn text(&self) -> Result<&str, Problems> {
        std::str::from_utf8(&self.bytes).map_err(|error| one(self.problem(&format!("this is not UTF-8: {error}"))))
    }

    fn problem(&self, reason: &str) -> Problem {
        Problem::general(reason).at(Some(Origin { file: self.name.as_str().into(), line: 0 }))
    }
}

fn unreadable(name: &str, error: &io::Error) -> Problem {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file",
        io::ErrorKind::PermissionDenied => "the file may not be read by this user",
        io::ErrorKind::IsADirectory => "this is a directory, not a file of settings",
        _ => &format!("the file cannot be read: {error}"),
    };
    Problem::general(reason).at(Some(Origin { file: name.into(), line: 0 }))
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
    fn read_with<T>(read: impl Fn(&Path) -> T, name: &str, content: impl AsRef<[u8]>) -> T {
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
        let refused = read_with(read_worker, "w.json", "{}").unwrap_err().to_string();
        assert!(refused.ends_with("w.json: a worker's file is Java properties or TOML, not JSON"), "{refused}");
    }

    #[test]
    fn a_byte_order_mark_is_named_unless_it_does_no_harm() {
        let refused = |content: &[u8]| read_with(read_connector, "c.properties", content).unwrap_err().to_string();
        assert!(refused(b"\xef\xbb\xbftopics=a\n").contains("c.properties: the file begins with a byte order mark"));
        assert!(refused(b"\xff\xfet\0=\0").ends_with("this is UTF-16: save it as UTF-8"));
        let commented = read_with(read_connector, "c.properties", b"\xef\xbb\xbf# a comment\ntopics=a\n").unwrap();
        assert_eq!(commented.text("topics"), Some("a"));
        assert_eq!(read_with(read_connector, "c.toml", "\u{feff}topics = 'a'\n").unwrap().text("topics"), Some("a"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let missing = read_worker(Path::new("/nowhere/worker.properties")).unwrap_err().to_string();
        assert_eq!(missing, "/nowhere/worker.properties: there is no such file");
        let directory = read_connector(&std::env::temp_dir()).unwrap_err().to_string();
        assert!(directory.ends_with("this is a directory, not a file of settings"), "{directory}");
    }
}
