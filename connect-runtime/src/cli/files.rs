//! The files of a command line, as one worker and its connectors.

use std::path::{Path, PathBuf};

use connect_api::{
    Plugins,
    config::{Config, Origin, Problem, Problems},
};
use tracing::info;

use super::{CONNECTOR, USAGE, WORKER, arguments::Options, report::Refused};
use crate::config::{self, ConnectorFile, SettingsFile, Validation, WorkerConfig};

/// What the files and options say.
#[derive(Debug)]
pub(super) struct Loaded {
    worker: Config,
    connectors: Vec<Config>,
    /// What is to be said of the files themselves: of the worker's, and of the connectors'.
    read: [Problems; 2],
}

/// What may be started.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) worker: WorkerConfig,
    pub(super) connectors: Vec<Config>,
    /// Of the worker's keys, of the files themselves and of connectors together; those of a connector's keys are logged when it is started.
    pub(super) unlogged: Problems,
    pub(super) warnings: Problems,
}

/// What files are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To run them.
    Run,
    /// To be checked and no more.
    Check,
}

/// MSK Connect's own worker configuration, which applies where none is given.
const DEFAULT_WORKER: [(&str, &str); 2] = [
    ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
    ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
];

impl Loaded {
    /// Reads all files. The first is the worker's; but with brokers on the command line only if it looks like one, and what is only
    /// checked needs neither brokers nor a worker's file.
    pub(super) fn read(purpose: Purpose, files: &[PathBuf], options: &Options) -> Result<Self, Refused> {
        let mut refused = Refused::default();
        let mut files: Vec<_> = files.iter().map(|path| (path.as_path(), SettingsFile::read(path))).collect();
        let is_alone = files.len() == 1;
        let has_worker = files.first().is_some_and(|(_, file)| match file {
            _ if options.bootstrap_servers.is_some() => file.as_ref().is_ok_and(is_worker),
            _ if purpose == Purpose::Check => !file.as_ref().is_ok_and(|file| file.is_no_worker() || is_connector(file, is_alone)),
            _ => true,
        });
        let (worker, mut of_worker) = match has_worker.then(|| files.remove(0)) {
            Some((path, _)) if path.as_os_str().is_empty() => Default::default(),
            Some((path, file)) => {
                let found = refused.unless(WORKER, file.and_then(|file| of_worker(&file)));
                let (config, mut warnings) = found;
                if config.iter().next().is_none() && refused.is_empty() {
                    // A worker without keys has Kafka's defaults; a file without keys that stands alone was meant to be something.
                    match files.is_empty() {
                        true => refused.push(WORKER, nothing_in(path, "name a connector's file, or write its keys")),
                        false => warnings.push(nothing_in(path, "the worker has Kafka Connect's defaults")),
                    }
                }
                (config, warnings)
            }
            None => (DEFAULT_WORKER.into_iter().collect(), Problems::default()),
        };
        let (worker, of_options) = with_options(worker, options, &mut refused);
        of_worker.append(of_options);
        let mut read = ConnectorFile::default();
        for (path, file) in files {
            let found = refused.unless(CONNECTOR, file.and_then(|file| file.of_connectors()));
            read.warnings.append(found.warnings);
            for config in found.connectors {
                if let Some(problem) = is_worker_s(&config) {
                    refused.push(CONNECTOR, problem);
                    continue;
                }
                read.connectors.push(refused.unless(CONNECTOR, named(config, path, options)));
            }
        }
        if let (Some(_), true) = (&options.name, read.connectors.len() > 1) {
            refused.push(CONNECTOR, Problem::general("--name is for one connector, and there are several"));
        }
        refused.into_result().map(|_| Self { worker, connectors: read.connectors, read: [of_worker, read.warnings] })
    }

    /// Whether there is anything to run.
    pub(super) fn has_connectors(self) -> Result<Self, Refused> {
        if !self.connectors.is_empty() {
            return Ok(self);
        }
        let mut refused = Refused::default();
        refused.push(USAGE, Problem::general("there is nothing to run: name a connector's file after the worker's"));
        Err(refused)
    }

    /// Checks everything that can be checked without starting it.
    pub(super) fn check(self, plugins: &Plugins, strict: bool) -> Result<Checked, Refused> {
        let mut refused = Refused::default();
        let mut add = |code, validation: Validation| refused.append(code, &if strict { validation.strict() } else { validation });
        let mut of_worker = config::validate_worker(plugins, &self.worker);
        let [worker_read, connectors_read] = self.read.map(Validation::of_warnings);
        of_worker.append(&worker_read);
        let mut unlogged = of_worker.warnings.clone();
        unlogged.append(connectors_read.warnings.clone());
        let of_groups = config::shared_groups(&self.worker, &self.connectors);
        unlogged.append(of_groups.clone());
        add(WORKER, of_worker);
        add(CONNECTOR, connectors_read);
        for connector in &self.connectors {
            add(CONNECTOR, config::validate(plugins, &self.worker, connector));
        }
        add(CONNECTOR, Validation::of_problems(repeated_names(&self.connectors)));
        add(CONNECTOR, Validation::of_problems(config::shared_destinations(plugins, &self.connectors)));
        add(CONNECTOR, Validation::of_warnings(of_groups));
        let worker = WorkerConfig::try_from(&self.worker);
        let warnings = refused.into_result()?;
        let worker = worker.map_err(|problems| Refused::of(WORKER, problems))?;
        Ok(Checked { worker, connectors: self.connectors, unlogged, warnings })
    }
}

/// Keys that say whose file it is, where the one that decides is misspelt.
const OF_CONNECTORS: [&str; 6] = ["topics", "topics.regex", "flush.size", "format.class", "storage.class", "s3.bucket.name"];
const OF_WORKERS: [&str; 3] = ["bootstrap.servers", "key.converter", "value.converter"];

fn has_any(config: &Config, keys: &[&str]) -> bool {
    keys.iter().any(|key| config.entry(key).is_some())
}

fn is_connector_config(config: &Config) -> bool {
    config.entry("connector.class").is_some() || config.entry("bootstrap.servers").is_none() && has_any(config, &OF_CONNECTORS)
}

fn is_connector(file: &SettingsFile, is_alone: bool) -> bool {
    match file.of_connectors() {
        Ok(read) => read.connectors.iter().any(is_connector_config),
        Err(_) => match whose_by_sight(file) {
            Some(whose) => whose == Whose::Connector,
            // What a worker's file has nothing of, and no other file follows, is taken for a connector's in every form.
            None => is_alone && file.words().next().is_some(),
        },
    }
}

fn is_worker(file: &SettingsFile) -> bool {
    match file.of_worker() {
        Ok((config, _)) => !is_connector_config(&config) && has_any(&config, &OF_WORKERS),
        Err(_) => !file.is_no_worker() && file.of_connectors().is_err() && whose_by_sight(file) == Some(Whose::Worker),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Connector,
    Worker,
}

/// Whose a malformed file is, by the words that its lines begin with.
fn whose_by_sight(file: &SettingsFile) -> Option<Whose> {
    let has = |keys: &[&str]| file.words().any(|word| keys.contains(&word));
    if has(&["connector.class"]) || has(&OF_CONNECTORS) && !has(&["bootstrap.servers"]) {
        return Some(Whose::Connector);
    }
    has(&OF_WORKERS).then_some(Whose::Worker)
}

/// What is said of a worker's keys in a connector's place.
fn is_worker_s(config: &Config) -> Option<Problem> {
    const ALONE_OF_WORKERS: [&str; 6] = [
        "bootstrap.servers",
        "group.id",
        "plugin.path",
        "offset.storage.topic",
        "config.storage.topic",
        "offset.storage.file.filename",
    ];
    let is_connector_s = config.entry("connector.class").is_some() || has_any(config, &OF_CONNECTORS);
    let (key, entry) = ALONE_OF_WORKERS.iter().find_map(|key| Some((*key, config.entry(key)?))).filter(|_| !is_connector_s)?;
    let message = "this is a worker's file: it is Java properties or TOML, and comes before those of connectors";
    Some(Problem::of_key(key, message).at(entry.origin.clone()))
}

fn nothing_in(path: &Path, therefore: &str) -> Problem {
    let message = format!("there is nothing in this file: {therefore}");
    Problem::general(message).at(Some(Origin { file: path.display().to_string().into(), line: 0 }))
}

fn of_worker(file: &SettingsFile) -> Result<(Config, Problems), Problems> {
    let (config, warnings) = file.of_worker()?;
    let mut problems = Problems::default();
    let of_connector =
        ["connector.class"].into_iter().chain(OF_CONNECTORS).find_map(|key| config.entry(key).map(|entry| (key, entry)));
    if let Some((key, entry)) = of_connector.filter(|_| is_connector_config(&config)) {
        let message = "this is a connector's file: name the worker's file before it, or use --bootstrap-servers";
        problems.push(Problem::of_key(key, message).at(entry.origin.clone()));
    }
    problems.into_result().map(|()| (config, warnings))
}

fn with_options(mut worker: Config, options: &Options, refused: &mut Refused) -> (Config, Problems) {
    let mut warnings = Problems::default();
    let mut set = |key: &str, value: Option<String>, option: &str| {
        if let Some(value) = value {
            worker.insert(key, value, Some(Origin { file: option.into(), line: 0 }));
        }
    };
    set("bootstrap.servers", options.bootstrap_servers.clone(), "--bootstrap-servers");
    set("listeners", options.metrics_addr.as_ref().map(|address| format!("http://{address}")), "--metrics-addr");
    set("memory.limit", options.memory.clone(), "--memory");
    if let Some(file) = &options.command_config {
        let read = config::read_client(file).and_then(|client| config::add_command_config(&mut worker, &client));
        warnings = refused.unless(WORKER, read);
    }
    (worker, warnings)
}

/// With the name that the option gives it; else its own; else the file's, for a file of MSK Connect has none: it is given beside it there.
fn named(mut config: Config, path: &Path, options: &Options) -> Result<Config, Problems> {
    if let Some(name) = &options.name {
        config.insert("name", name, Some(Origin { file: "--name".into(), line: 0 }));
        return Ok(config);
    }
    if config.entry("name").is_some() {
        return Ok(config);
    }
    let file = path.display().to_string();
    let origin = Some(Origin { file: file.as_str().into(), line: 0 });
    if !path.is_file() {
        let message = "there is no name in it, and what is no file lends it none: give it one with --name";
        let mut problems = Problems::default();
        problems.push(Problem::of_key("name", message).at(origin));
        return Err(problems);
    }
    if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
        info!(file, name, "the file names no connector, so it is called as the file is; --name sets another");
        config.insert("name", name, origin);
    }
    Ok(config)
}

fn repeated_names(connectors: &[Config]) -> Problems {
    let mut problems = Problems::default();
    for (index, connector) in connectors.iter().enumerate() {
        let Some(entry) = connector.entry("name") else { continue };
        let name = entry.value.trim();
        let named = |other: &&Config| other.text("name").map(str::trim) == Some(name);
        if let Some(other) = connectors[..index].iter().find(named).and_then(|other| other.entry("name")) {
            let other = other.origin.as_ref().map_or("another one".to_owned(), ToString::to_string);
            let message = format!("Connector {name} already exists: {other} has this name, too");
            problems.push(Problem::of_key("name", message).at(entry.origin.clone()));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
