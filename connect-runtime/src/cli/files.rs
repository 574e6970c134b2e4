//! The files of a command line, as one worker and its connectors.

use std::path::{Path, PathBuf};

use connect_api::{
    Plugins,
    config::{Config, Origin, Problem, Problems},
};
use tracing::info;

use super::{CONNECTOR, USAGE, WORKER, arguments::Options, report::Refused};
use crate::config::{self, Validation, WorkerConfig};

/// What the files and options say.
#[derive(Debug)]
pub(super) struct Loaded {
    worker: Config,
    connectors: Vec<Config>,
}

/// What may be started.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) worker: WorkerConfig,
    pub(super) connectors: Vec<Config>,
    /// Of the worker's file; a connector's are logged when it is started.
    pub(super) worker_warnings: Problems,
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
    /// Reads all files. With brokers on the command line every file is a connector's, else the first is the worker's. What is only checked
    /// needs no brokers.
    pub(super) fn read(purpose: Purpose, files: &[PathBuf], options: &Options) -> Result<Self, Refused> {
        let (worker_file, connector_files) = match files.split_first() {
            Some((first, _)) if purpose == Purpose::Check && is_connector(first) => (None, files),
            Some((first, rest)) if options.bootstrap_servers.is_none() => (Some(first), rest),
            _ => (None, files),
        };
        let mut refused = Refused::default();
        let worker = match worker_file {
            Some(file) if file.as_os_str().is_empty() => Config::default(),
            Some(file) => refused.unless(WORKER, read_worker(file)),
            None => DEFAULT_WORKER.into_iter().collect(),
        };
        let worker = with_options(worker, options, &mut refused);
        let mut connectors = Vec::new();
        for file in connector_files {
            connectors.push(refused.unless(CONNECTOR, read_connector(file, options)));
        }
        if let (Some(_), true) = (&options.name, connector_files.len() > 1) {
            refused.push(CONNECTOR, Problem::general("--name is for one connector, and there are several files"));
        }
        refused.into_result().map(|_| Self { worker, connectors })
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
        let of_worker = config::validate_worker(plugins, &self.worker);
        let worker_warnings = of_worker.warnings.clone();
        add(WORKER, of_worker);
        for connector in &self.connectors {
            add(CONNECTOR, config::validate(plugins, &self.worker, connector));
        }
        add(CONNECTOR, Validation::of_problems(repeated_names(&self.connectors)));
        let worker = WorkerConfig::try_from(&self.worker);
        let warnings = refused.into_result()?;
        let worker = worker.map_err(|problems| Refused::of(WORKER, problems))?;
        Ok(Checked { worker, connectors: self.connectors, worker_warnings, warnings })
    }
}

/// A worker's file is never JSON, whatever is wrong with it.
fn is_connector(file: &Path) -> bool {
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    is_json || config::read_connector(file).is_ok_and(|config| config.entry("connector.class").is_some())
}

fn read_worker(file: &Path) -> Result<Config, Problems> {
    let config = config::read_worker(file)?;
    let mut problems = Problems::default();
    if let Some(entry) = config.entry("connector.class") {
        let message = "this is a connector's file: name the worker's file before it, or use --bootstrap-servers";
        problems.push(Problem::of_key("connector.class", message).at(entry.origin.clone()));
    }
    problems.into_result().map(|()| config)
}

fn with_options(mut worker: Config, options: &Options, refused: &mut Refused) -> Config {
    let mut set = |key: &str, value: Option<String>, option: &str| {
        if let Some(value) = value {
            worker.insert(key, value, Some(Origin { file: option.into(), line: 0 }));
        }
    };
    set("bootstrap.servers", options.bootstrap_servers.clone(), "--bootstrap-servers");
    set("listeners", options.metrics_addr.as_ref().map(|address| format!("http://{address}")), "--metrics-addr");
    set("memory.limit", options.memory.clone(), "--memory");
    if let Some(file) = &options.command_config {
        config::add_command_config(&mut worker, &refused.unless(WORKER, config::read_worker(file)));
    }
    worker
}

fn read_connector(file: &Path, options: &Options) -> Result<Config, Problems> {
    let mut config = config::read_connector(file)?;
    if let Some(name) = &options.name {
        config.insert("name", name, Some(Origin { file: "--name".into(), line: 0 }));
    } else if config.entry("name").is_none() {
        // A file for MSK Connect has no name: it is given beside the file there.
        if let Some(name) = file.file_stem().and_then(|stem| stem.to_str()) {
            info!(file = %file.display(), name, "the file names no connector, so it is called as the file is; --name sets another");
            config.insert("name", name, Some(Origin { file: file.display().to_string().into(), line: 0 }));
        }
    }
    Ok(config)
}

fn repeated_names(connectors: &[Config]) -> Problems {
    let mut problems = Problems::default();
    for (index, connector) in connectors.iter().enumerate() {
        let Some(entry) = connector.entry("name") else { continue };
        if connectors[..index].iter().any(|other| other.text("name") == Some(&entry.value)) {
            let message = format!("Connector {} already exists: two files have this name", entry.value);
            problems.push(Problem::of_key("name", message).at(entry.origin.clone()));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
