//! Everything that is wrong with a worker's and a connector's keys, at once.

mod converters;
mod failures;
mod keys;
mod named;
mod rests;
mod unfilled;
mod values;
mod worker;

use std::collections::HashSet;

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

pub(super) use values::is_invisible;

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
        for (to, from) in [(&mut self.problems, &other.problems), (&mut self.warnings, &other.warnings)] {
            // By what is said: a file may have tens of thousands of lines, and something to be said of each.
            let mut known: HashSet<_> = to.iter().map(ToString::to_string).collect();
            to.extend(from.iter().filter(|problem| known.insert(problem.to_string())).cloned());
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
    let def = worker_keys::definition();
    if let Some(problem) = nothing_known(worker, |key| def.knows(key), |_| false) {
        return Validation::of_problems(problem.into());
    }
    check.keys("", &worker_keys::definition(), worker);
    check.unknown_keys_of_worker(worker, &worker_keys::definition());
    check.comments(worker);
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
    let known = check.definitions();
    let knows = |key: &str| known.iter().any(|def| def.knows(key) || def.meant_by(key).is_some());
    let is_near = |key: &str| known.iter().any(|def| nearest(key, def.keys.iter().map(|known| known.name())).is_some());
    if let Some(problem) = nothing_known(connector, knows, is_near) {
        return Validation::of_problems(problem.into());
    }
    check.connector(worker, connector);
    check.converters(worker, connector);
    let wrong = transformations::problems(plugins, connector);
    wrong.iter().for_each(|problem| check.problem(located(problem, connector)));
    if wrong.is_empty() {
        check.validation.warnings.append(transformations::doubts(plugins, connector));
    }
    check.clients(worker, connector);
    check.overrides(worker, connector);
    check.security(worker, connector);
    let definitions = transformations::definitions(plugins, connector);
    for (prefix, def) in &definitions {
        let mut own = connector.with_prefix(prefix);
        // `a.b` is another alias than `a`.
        for (longer, _) in definitions.iter().filter(|(longer, _)| longer.len() > prefix.len()) {
            let Some(rest) = longer.strip_prefix(prefix.as_str()) else { continue };
            let keys: Vec<_> = own.iter().map(|(key, _)| key.to_owned()).filter(|key| key.starts_with(rest)).collect();
            keys.iter().for_each(|key| drop(own.remove(key)));
        }
        check.unknown_keys(prefix, &own, &[def]);
    }
    check.unlisted(connector);
    check.failures(connector);
    check.comments(connector);
    check.quotes(connector);
    check.invisible(connector);
    check.placeholders(connector);
    check.references(connector);
    check.validation
}

/// What is said where a file has keys and nobody knows one of them, nor one like them: it is another kind of file.
fn nothing_known(config: &Config, knows: impl Fn(&str) -> bool, is_near: impl Fn(&str) -> bool) -> Option<Problem> {
    // What an option or the file's name lends has no line.
    let written = || config.iter().filter(|(_, entry)| entry.origin.as_ref().is_some_and(|origin| origin.line > 0));
    written().next()?;
    // Looking for what is like a key costs more, and where the first are like none, the others hardly are.
    let is_known = written().any(|(key, _)| knows(key)) || written().take(MOST_LIKELY).any(|(key, _)| is_near(key));
    (!is_known).then(|| Problem::general(format!("{NOTHING_KNOWN}; {}", shapes::READ)).at(file_of(config)))
}

const MOST_LIKELY: usize = 100;
const NOTHING_KNOWN: &str = "no key of a connector or a worker is in this file";

struct Check<'a> {
    plugins: &'a Plugins,
    validation: Validation,
}

impl Check<'_> {
    /// Of the keys that connectors' files may have.
    fn definitions(&self) -> Vec<ConfigDef> {
        let plugins = self.plugins.sink_connectors().iter().map(|plugin| (plugin.config_def)());
        std::iter::once(connector_keys::definition()).chain(plugins).collect()
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
        elsewhere::class_problem(key, config.entry(key)?, PluginKind::Format, self.plugins.formats(), self.plugins)
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
