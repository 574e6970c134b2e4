//! Everything that is wrong with a worker's and a connector's keys, at once.

mod converters;
mod keys;
mod named;
mod rests;
mod unfilled;
mod values;

use connect_api::{
    Plugins,
    config::{Config, ConfigDef, Origin, PluginKind, Problem, Problems},
    plugins,
};

use super::{
    ConnectorConfig, WorkerConfig,
    client::{self, Client},
    connector, connector_keys,
    effective::with_converters,
    elsewhere,
    nearest::nearest,
    shapes, transformations, worker_keys,
};
use named::{each_key_once, find, keys_of_others, named_plugins};

/// What came of checking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validation {
    /// What cannot work: nothing starts.
    pub problems: Problems,
    /// What changes nothing, or not what it seems to.
    pub warnings: Problems,
}

impl Validation {
    /// The warnings, where nothing is wrong.
    ///
    /// # Errors
    /// The problems, and the warnings with them: they often name the same mistake.
    pub fn into_result(self) -> Result<Problems, Problems> {
        if self.problems.is_empty() {
            return Ok(self.warnings);
        }
        let mut all = self.problems;
        all.append(self.warnings);
        Err(all)
    }

    /// Nothing but problems.
    pub(crate) fn of_problems(problems: Problems) -> Self {
        Self { problems, warnings: Problems::default() }
    }

    /// Nothing but warnings.
    pub(crate) fn of_warnings(warnings: Problems) -> Self {
        Self { problems: Problems::default(), warnings }
    }

    /// Adds what came of another check, once.
    pub(crate) fn append(&mut self, other: &Self) {
        for problem in other.problems.iter() {
            if !self.problems.iter().any(|known| known == problem) {
                self.problems.push(problem.clone());
            }
        }
        for warning in other.warnings.iter() {
            if !self.warnings.iter().any(|known| known == warning) {
                self.warnings.push(warning.clone());
            }
        }
    }

    /// Refuses what is only doubtful.
    #[must_use]
    pub(crate) fn strict(mut self) -> Self {
        self.problems.append(std::mem::take(&mut self.warnings));
        self
    }
}

/// Checks a worker's keys alone.
pub fn validate_worker(plugins: &Plugins, worker: &Config) -> Validation {
    let mut check = Check { plugins, validation: Validation::default() };
    if let Some(problem) = nothing_known(worker, |key| worker_keys::definition().knows(key)) {
        return Validation::of_problems(problem.into());
    }
    check.keys("", &worker_keys::definition(), worker);
    check.unknown_keys("", worker, &[&worker_keys::definition()]);
    check.quotes(worker);
    check.invisible(worker);
    check.placeholders(worker);
    check.references(worker);
    check.validation
}

/// Checks a connector's keys together with those of its worker that it inherits: each by itself, against each other, and by the plugins that
/// read them. The worker's other keys are checked by [`validate_worker`].
pub fn validate(plugins: &Plugins, worker: &Config, connector: &Config) -> Validation {
    let mut check = Check { plugins, validation: Validation::default() };
    if let Some(problem) = nothing_known(connector, |key| check.knows(key)) {
        return Validation::of_problems(problem.into());
    }
    check.connector(worker, connector);
    check.converters(worker, connector);
    transformations::problems(plugins, connector).iter().for_each(|problem| check.problem(located(problem, connector)));
    check.clients(worker, connector);
    check.overrides(worker, connector);
    check.security(worker, connector);
    check.unlisted(connector);
    check.quotes(connector);
    check.invisible(connector);
    check.placeholders(connector);
    check.references(connector);
    check.validation
}

/// What is said where a file has keys and nobody knows one of them: it is another kind of file.
fn nothing_known(config: &Config, knows: impl Fn(&str) -> bool) -> Option<Problem> {
    // What an option or the file's name lends has no line.
    let mut written = config.iter().filter(|(_, entry)| entry.origin.as_ref().is_some_and(|origin| origin.line > 0)).peekable();
    written.peek()?;
    let is_known = written.any(|(key, _)| knows(key));
    (!is_known).then(|| Problem::general(format!("{NOTHING_KNOWN}; {}", shapes::READ)).at(file_of(config)))
}

const NOTHING_KNOWN: &str = "no key of a connector or a worker is in this file";

struct Check<'a> {
    plugins: &'a Plugins,
    validation: Validation,
}

impl Check<'_> {
    /// Whether a connector's file may have this key, or has it by mistake.
    fn knows(&self, key: &str) -> bool {
        let is_in = |def: &ConfigDef| {
            def.knows(key) || def.meant_by(key).is_some() || def.keys.iter().any(|known| is_near(key, known.name()))
        };
        is_in(&connector_keys::definition()) || self.plugins.sink_connectors().iter().any(|plugin| is_in(&(plugin.config_def)()))
    }

    fn problem(&mut self, problem: Problem) {
        self.validation.problems.push(problem);
    }

    /// The connector's own keys, its plugin's, and those of the plugins that it names.
    fn connector(&mut self, worker: &Config, config: &Config) {
        let mut known = vec![connector_keys::definition()];
        self.keys("", &known[0], config);
        connector::topic_problems(config).iter().for_each(|problem| self.problem(located(problem, config)));
        let class = config.text("connector.class").unwrap_or_default().trim();
        let Ok(plugin) = plugins::find(self.plugins.sink_connectors(), class) else {
            // Its keys are unknown, so only what looks like one of ours can be called unknown.
            let mut only_near = Check { plugins: self.plugins, validation: Validation::default() };
            only_near.unknown_keys("", config, &[&known[0]]);
            let near = only_near.validation.warnings.iter().filter(|warning| warning.suggestion.is_some());
            near.for_each(|warning| self.validation.warnings.push(warning.clone()));
            return;
        };
        let own = (plugin.config_def)();
        let described = self.plugins.describe();
        let named =
            |def: &ConfigDef| named_plugins(def, config, &described).map(|plugin| plugin.config_def.clone()).collect::<Vec<_>>();
        let of_named = named(&own);
        for def in each_key_once(&own, &of_named) {
            self.keys("", &def, config);
        }
        self.validation.warnings.append(keys_of_others(&own, &of_named, &described, config));
        known.push(own);
        known.extend(of_named);
        self.unknown_keys_of_connector(config, &known.iter().collect::<Vec<_>>());
        self.beyond_single_keys(plugin, worker, config);
    }

    fn beyond_single_keys(
        &mut self,
        plugin: &plugins::PluginEntry<dyn connect_api::SinkConnector>,
        worker: &Config,
        config: &Config,
    ) {
        match plugin.configure(config) {
            Ok(connector) => {
                let found = connector.validate(config, self.plugins);
                let known = self.validation.problems.clone();
                // The plugin may check its single keys again.
                for problem in found.iter().filter(|problem| !covered(&known, problem)) {
                    let problem = self.of_format(problem, config).unwrap_or_else(|| located(problem, config));
                    self.problem(problem);
                }
                let doubtful = connector.warnings(&with_converters(worker, config), self.plugins);
                doubtful.iter().for_each(|warning| self.validation.warnings.push(located(warning, config)));
            }
            // What stops it from being made is mostly a key that is reported already.
            Err(error) if self.validation.problems.is_empty() => self.problem(Problem::general(error.report())),
            Err(_) => {}
        }
    }

    /// What is said of a format that is not here, also where the plugin looks for it: a class by itself is known here better.
    fn of_format(&self, problem: &Problem, config: &Config) -> Option<Problem> {
        let key = problem.key.as_deref().filter(|key| key.ends_with("format.class"))?;
        elsewhere::class_problem(key, config.entry(key)?, PluginKind::Format, self.plugins.formats())
    }

    fn clients(&mut self, worker: &Config, connector: &Config) {
        // A client's settings need no more of a connector than its name.
        let mut named: Config = [("connector.class", "x"), ("topics", "x")].into_iter().collect();
        named.insert("name", connector.text("name").unwrap_or("x"), None);
        let (Ok(worker), Ok(mut named)) = (WorkerConfig::try_from(worker), ConnectorConfig::try_from(&named)) else { return };
        named.raw = connector.clone();
        for client in clients_of(connector) {
            let translation = client::translate_for(*client, &worker, &named, 0).checked_as_a_whole(*client);
            self.validation.append(&Validation { problems: translation.problems, warnings: translation.warnings });
        }
    }

    /// `connector.client.config.override.policy`.
    fn overrides(&mut self, worker: &Config, connector: &Config) {
        let policy = worker.get(&worker_keys::CLIENT_CONFIG_OVERRIDE_POLICY).unwrap_or_default();
        let policy = policy.rsplit('.').next().unwrap_or_default().trim_end_matches("ConnectorClientConfigOverridePolicy");
        let allowed: &[&str] = match policy {
            "None" => &[],
            "Principal" => &["sasl.jaas.config", "sasl.mechanism", "security.protocol"],
            _ => return,
        };
        let prefixes: Vec<_> = clients_of(connector).iter().map(|client| client.override_prefix()).collect();
        for (written_as, entry) in connector.iter() {
            let Some(key) = prefixes.iter().find_map(|prefix| written_as.strip_prefix(prefix)) else { continue };
            if !allowed.contains(&key) {
                let message =
                    format!("The '{policy}' policy does not allow '{key}' to be overridden in the connector configuration.");
                self.problem(Problem::of_key(written_as, message).at(entry.origin.clone()));
            }
        }
    }
}

/// The clients that a connector needs: a dead letter queue is produced to, and created.
fn clients_of(connector: &Config) -> &'static [Client] {
    let dead_letter_queue = connector.text("errors.deadletterqueue.topic.name").is_some_and(|topic| !topic.trim().is_empty());
    if dead_letter_queue { &[Client::Consumer, Client::Producer, Client::Admin] } else { &[Client::Consumer] }
}

fn is_near(key: &str, known: &str) -> bool {
    nearest(key, [known]).is_some()
}

fn covered(known: &Problems, problem: &Problem) -> bool {
    known.iter().any(|known| known.key.is_some() && known.key == problem.key)
}

/// The file that a configuration was read from, where no line can be named.
fn file_of(config: &Config) -> Option<Origin> {
    let origins = config.iter().filter_map(|(_, entry)| entry.origin.clone());
    origins.map(|origin| Origin { line: 0, ..origin }).next()
}

/// A problem with at least its file.
fn located(problem: &Problem, config: &Config) -> Problem {
    let mut problem = problem.clone();
    if problem.origin.is_none() {
        let written = problem.key.as_deref().and_then(|key| config.entry(key)).and_then(|entry| entry.origin.clone());
        problem.origin = written.or_else(|| file_of(config));
    }
    problem
}

#[cfg(test)]
mod tests;
