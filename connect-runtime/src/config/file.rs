//! Files of settings, in whatever form they are written.

use std::{io, path::Path};

use connect_api::config::{Config, Origin, Problem, Problems};

use super::{
    json, kubernetes, properties,
    shapes::{self, READ},
    toml,
};

/// What a connector file holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ConnectorFile {
    /// The connectors in their order: one, or several where YAML has several documents.
    pub connectors: Vec<Config>,
    /// What is left out or probably not meant.
    pub warnings: Problems,
}

/// Reads a worker's file: TOML where its name says so, else Java properties.
///
/// # Errors
/// The file cannot be read, or is malformed.
pub fn read_worker(path: &Path) -> Result<Config, Problems> {
    SettingsFile::read(path)?.of_worker().map(|(config, _)| config)
}

/// Reads a client's file, as [`read_worker`].
///
/// # Errors
/// As [`read_worker`].
pub(crate) fn read_client(path: &Path) -> Result<Config, Problems> {
    SettingsFile::read(path)?.alone("a client's").map(|(config, _)| config)
}

/// Reads the file of one connector: TOML, JSON or YAML where its name says so or its content cannot be anything else, else Java properties.
///
/// # Errors
/// As [`read_worker`]; and it holds several connectors.
pub fn read_connector(path: &Path) -> Result<Config, Problems> {
    let mut connectors = read_connectors(path)?.connectors;
    match (connectors.pop(), connectors.len()) {
        (Some(connector), 0) => Ok(connector),
        (_, others) => {
            let origin = Origin { file: path.display().to_string().into(), line: 0 };
            let message = format!("one connector is wanted, and this file holds {}", others + 1);
            Err(Problem::general(message).at(Some(origin)).into())
        }
    }
}

/// Reads all connectors of a file, in the forms that [`read_connector`] knows.
///
/// # Errors
/// As [`read_worker`].
pub fn read_connectors(path: &Path) -> Result<ConnectorFile, Problems> {
    SettingsFile::read(path)?.of_connectors()
}

/// What is said of a key that a file sets again: the last time counts, as for `java.util.Properties` and Kafka Connect's REST API.
pub(super) fn set_twice(key: &str, line_before: u32, origin: Origin) -> Problem {
    let twice = match line_before == origin.line {
        true => "twice".to_owned(),
        false => format!("on line {line_before} as well"),
    };
    Problem::of_key(key, format!("{key} is set {twice}: what is set last counts")).at(Some(origin))
}

/// What a file holds, before anybody knows whose settings they are. It is read once: it may be a pipe.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    name: String,
    bytes: Vec<u8>,
    form: Form,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Toml,
    Json,
    Yaml,
    /// As a rule; and what is none of those that are read.
    Properties,
}

impl Form {
    /// By the file's name, else by what its content cannot be otherwise.
    fn of(path: &Path, bytes: &[u8]) -> Self {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::Toml,
            Some("json") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            _ if std::str::from_utf8(bytes).is_ok_and(shapes::is_yaml) => Self::Yaml,
            _ => Self::Properties,
        }
    }
}

impl SettingsFile {
    /// Reads it, whatever form it is in.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Problems::from(unreadable(&name, &error)))?;
        Ok(Self::of(name, path, bytes))
    }

    /// What stands in the file of this path.
    pub(crate) fn of(name: String, path: &Path, bytes: Vec<u8>) -> Self {
        let form = Form::of(path, &bytes);
        Self { name, bytes, form }
    }

    /// Whether it is written in a form that a worker's never has.
    pub(crate) fn is_no_worker(&self) -> bool {
        matches!(self.form, Form::Json | Form::Yaml)
    }

    /// The words that lines begin with, without marks before them: as much as can be seen of the keys of a file that is malformed.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let lines = self.bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter_map(|line| std::str::from_utf8(line).ok());
        let words = lines.map(|line| {
            let line = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '{' | '\u{feff}'));
            line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))).next().unwrap_or_default()
        });
        words.filter(|word| !word.is_empty())
    }

    /// As a worker's, with what is to be said of it.
    pub(crate) fn of_worker(&self) -> Result<(Config, Problems), Problems> {
        self.alone("a worker's")
    }

    /// As somebody's who has no more than keys and values.
    fn alone(&self, whose: &str) -> Result<(Config, Problems), Problems> {
        match self.form {
            Form::Json => Err(self.problem(&format!("{whose} file is Java properties or TOML, not JSON")).into()),
            Form::Properties if shapes::is_json(&self.bytes) => {
                Err(self.problem(&format!("{whose} file is Java properties or TOML, and this is JSON")).into())
            }
            Form::Yaml => {
                let reason = format!(
                    "{whose} file is Java properties or TOML, not YAML; a connector's is named after the worker's, or with --bootstrap-servers"
                );
                Err(self.foreign().unwrap_or_else(|| self.problem(&reason)).into())
            }
            Form::Toml => self.toml().map(|config| (config, Problems::default())),
            Form::Properties => self.properties(),
        }
    }

    /// As a connector's, or several.
    pub(crate) fn of_connectors(&self) -> Result<ConnectorFile, Problems> {
        match self.form {
            Form::Toml => self.toml().map(|config| ConnectorFile { connectors: vec![config], warnings: Problems::default() }),
            Form::Yaml => self.text().and_then(|text| kubernetes::parse(text, &self.name)),
            Form::Properties if !shapes::begins_as_json(&self.bytes) => {
                let (config, warnings) = self.properties()?;
                if config.iter().next().is_none() {
                    return Err(self.problem(&format!("{}; {READ}", shapes::NOTHING)).into());
                }
                Ok(ConnectorFile { connectors: vec![config], warnings })
            }
            // Windows marks UTF-8 with a byte order mark, which JSON does not know.
            Form::Json | Form::Properties => {
                self.text().and_then(|text| json::parse(text.trim_start_matches('\u{feff}'), &self.name))
            }
        }
    }

    fn toml(&self) -> Result<Config, Problems> {
        self.text().and_then(|text| toml::parse(text, &self.name).map_err(Problems::from))
    }

    fn properties(&self) -> Result<(Config, Problems), Problems> {
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = self.bytes[..] {
            return Err(self.problem("this is UTF-16: save it as UTF-8").into());
        }
        // Nothing is lost with a comment.
        if let [0xef, 0xbb, 0xbf, next, ..] = self.bytes[..]
            && !matches!(next, b'#' | b'!' | b'\r' | b'\n')
        {
            let reason =
                "the file begins with a byte order mark, which Java takes for a part of the first key: save it without one";
            return Err(self.problem(reason).into());
        }
        match self.foreign() {
            Some(problem) => Err(problem.into()),
            None => properties::read(&self.bytes, &self.name).map_err(Problems::from),
        }
    }

    /// What it is, if it is something that is not read.
    fn foreign(&self) -> Option<Problem> {
        let shape = shapes::foreign(&String::from_utf8_lossy(&self.bytes))?;
        Some(shape.problem(&self.name.as_str().into()))
    }

    fn text(&self) -> Result<&str, Problems> {
        std::str::from_utf8(&self.bytes).map_err(|error| self.problem(&format!("this is not UTF-8: {error}")).into())
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
            ("a.yaml", "connector.class: S3Sink\ntasks.max: 3\n"),
            ("a.yml", KAFKA_CONNECTOR),
            ("a.txt", KAFKA_CONNECTOR),
            ("b.conf", "# flat\n---\ntasks.max: 3\n"),
            ("b.properties", "topics: a\n---\ntasks.max: 3\n"),
            ("d.properties", "topics:\n  tasks.max: 3\n"),
        ];
        for (name, content) in files {
            assert_eq!(read_with(read_connector, name, content).unwrap().text("tasks.max"), Some("3"), "{name}");
        }
    }

    const KAFKA_CONNECTOR: &str =
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnector\nmetadata:\n  name: s3\nspec:\n  tasksMax: 3\n";

    #[test]
    fn one_connector_is_one_and_several_are_several() {
        let two = format!("{KAFKA_CONNECTOR}---\n{}", KAFKA_CONNECTOR.replace("s3", "other"));
        assert_eq!(read_with(read_connectors, "two.yaml", &two).unwrap().connectors.len(), 2);
        let refused = read_with(read_connector, "two.yaml", &two).unwrap_err().to_string();
        assert!(refused.ends_with("two.yaml: one connector is wanted, and this file holds 2"), "{refused}");
    }

    #[test]
    fn a_file_without_a_key_says_what_is_read() {
        let refused = read_with(read_connector, "empty.properties", "# nothing\n\n").unwrap_err().to_string();
        assert!(
            refused.contains("empty.properties: there is nothing in this file; connector files are Java properties, TOML"),
            "{refused}"
        );
        assert!(read_with(read_worker, "empty-worker.properties", "# all by default\n").is_ok());
        let yaml = read_with(read_connector, "empty.yaml", "# nothing\n").unwrap_err().to_string();
        assert!(yaml.ends_with("empty.yaml: there is nothing in this file"), "{yaml}");
    }

    #[test]
    fn a_worker_file_is_never_yaml() {
        let refused = |content: &str| read_with(read_worker, "w.yaml", content).unwrap_err().to_string();
        assert!(refused(KAFKA_CONNECTOR).contains("w.yaml: a worker's file is Java properties or TOML, not YAML"));
        let compose = refused("services:\n  connect:\n    environment:\n      CONNECT_BOOTSTRAP_SERVERS: b:9092\n");
        assert!(compose.contains("w.yaml:4: this is the environment of a container"), "{compose}");
        let variables = read_with(read_worker, "worker.env", "# of the image\nCONNECT_GROUP_ID=a\n").unwrap_err().to_string();
        assert!(variables.contains("worker.env:2: this is the environment of a container"), "{variables}");
    }

    #[test]
    fn a_worker_file_is_never_json() {
        assert_eq!(read_with(read_worker, "w.properties", "{a=b").unwrap().text("{a"), Some("b"));
        let inside = read_with(read_client, "c.properties", "{\n \"security.protocol\": \"SSL\"}").unwrap_err().to_string();
        assert!(inside.ends_with("c.properties: a client's file is Java properties or TOML, and this is JSON"), "{inside}");
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
