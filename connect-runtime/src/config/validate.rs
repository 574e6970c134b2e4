//! Everything that is wrong with a worker's and a connector's keys, at once.

mod unfilled;

use connect_api::{
    Plugins,
    config::{AnyConfigKey, Config, ConfigDef, Entry, Origin, PluginKind, Problem, Problems},
    plugins::{self, PluginDescription},
};

use super::{
    ConnectorConfig, WorkerConfig,
    client::{self, Client},
    connector, connector_keys,
    converters::{Choice, Role},
    effective::with_converters,
    elsewhere,
    nearest::nearest,
    transformations, worker_keys,
};
use unfilled::{has_placeholder, refers_to_provider};

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
    check.keys("", &worker_keys::definition(), worker);
    check.unknown_keys("", worker, &[&worker_keys::definition()]);
    check.placeholders(worker);
    check.references(worker);
    check.validation
}

/// Checks a connector's keys together with those of its worker that it inherits: each by itself, against each other, and by the plugins that
/// read them. The worker's other keys are checked by [`validate_worker`].
pub fn validate(plugins: &Plugins, worker: &Config, connector: &Config) -> Validation {
    let mut check = Check { plugins, validation: Validation::default() };
    check.connector(worker, connector);
    check.converters(worker, connector);
    transformations::problems(plugins, connector).iter().for_each(|problem| check.problem(located(problem, connector)));
    check.clients(worker, connector);
    check.overrides(worker, connector);
    check.placeholders(connector);
    check.references(connector);
    check.validation
}

struct Check<'a> {
    plugins: &'a Plugins,
    validation: Validation,
}

impl Check<'_> {
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
        self.keys("", &own, config);
        let described = self.plugins.describe();
        let named =
            |def: &ConfigDef| named_plugins(def, config, &described).map(|plugin| plugin.config_def.clone()).collect::<Vec<_>>();
        let of_named = named(&own);
        for def in &of_named {
            let own_keys = def.keys.iter().filter(|key| !own.keys.iter().any(|known| known.name() == key.name()));
            let def = ConfigDef { keys: own_keys.copied().collect(), ..def.clone() };
            self.keys("", &def, config);
        }
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
                found.iter().filter(|problem| !covered(&known, problem)).for_each(|problem| self.problem(located(problem, config)));
                let doubtful = connector.warnings(&with_converters(worker, config), self.plugins);
                doubtful.iter().for_each(|warning| self.validation.warnings.push(located(warning, config)));
            }
            // What stops it from being made is mostly a key that is reported already.
            Err(error) if self.validation.problems.is_empty() => self.problem(Problem::general(error.report())),
            Err(_) => {}
        }
    }

    /// Values that were to be filled in: a template that is run as it is matches no topic and finds no bucket.
    fn placeholders(&mut self, config: &Config) {
        for (key, entry) in config.iter().filter(|(key, entry)| has_placeholder(key, &entry.value)) {
            // The value is not shown: it may be half of a secret.
            let message = format!("{key} still has a placeholder in angle brackets, fill it in");
            self.validation.warnings.push(Problem::of_key(key, message).at(entry.origin.clone()));
        }
    }

    /// What a config provider is to fill in (KIP-297). Kafka Connect leaves it as it is where no provider has that name, which is never meant.
    fn references(&mut self, config: &Config) {
        for (key, entry) in config.iter().filter(|(_, entry)| refers_to_provider(&entry.value)) {
            let message =
                format!("{key} refers to a config provider, ${{provider:…}}, and there are none yet: write the value itself");
            self.problem(Problem::of_key(key, message).at(entry.origin.clone()));
        }
    }

    /// Each key by itself, its class where it names one, and whether it does anything. In the file the keys begin with `prefix`.
    fn keys(&mut self, prefix: &str, def: &ConfigDef, config: &Config) {
        for problem in def.validate(config).iter() {
            let key = problem.key.as_deref().and_then(|name| def.keys.iter().find(|key| key.name() == name));
            let problem = transformations::under(prefix, problem.clone());
            self.problem(key.map_or(problem.clone(), |key| in_plain_words(problem, *key, config)));
        }
        for key in &def.keys {
            let Some(entry) = config.entry(key.name()) else { continue };
            let written_as = format!("{prefix}{}", key.name());
            // Who writes the default down asks for nothing.
            let is_default = key.default() == Some(entry.value.trim());
            if let Some(reason) = key.no_effect().filter(|_| !is_default) {
                let message = format!("{written_as} changes nothing here: {reason}");
                self.validation.warnings.push(Problem::of_key(&written_as, message).at(entry.origin.clone()));
            }
            if let Some(kind) = key.plugin() {
                self.class(&written_as, entry, kind);
            }
        }
    }

    fn class(&mut self, key: &str, entry: &Entry, kind: PluginKind) {
        let plugins = self.plugins;
        macro_rules! look_up {
            ($known:expr) => {
                elsewhere::class_problem(key, entry, kind, $known)
            };
        }
        let problem = match kind {
            PluginKind::SinkConnector => look_up!(plugins.sink_connectors()),
            PluginKind::Converter => look_up!(plugins.converters()),
            PluginKind::HeaderConverter => look_up!(plugins.header_converters()),
            PluginKind::Transformation => look_up!(plugins.transformations()),
            PluginKind::Partitioner => look_up!(plugins.partitioners()),
            PluginKind::Format => look_up!(plugins.formats()),
        };
        if let Some(problem) = problem {
            self.problem(problem);
        }
    }

    fn unknown_keys(&mut self, prefix: &str, config: &Config, known: &[&ConfigDef]) {
        for (key, entry) in config.iter() {
            if known.iter().any(|def| def.knows(key)) {
                continue;
            }
            let names = known.iter().flat_map(|def| def.keys.iter().map(|key| key.name()));
            let written_as = format!("{prefix}{key}");
            let message = format!("unknown key {written_as}, it changes nothing");
            let warning = Problem::of_key(&written_as, message).at(entry.origin.clone());
            let meant = known.iter().find_map(|def| def.meant_by(key));
            self.validation.warnings.push(match meant.or_else(|| nearest(key, names)) {
                Some(near) => warning.suggest(format!("{prefix}{near}")),
                None => warning,
            });
        }
    }

    /// As [`Check::unknown_keys`], for a connector: some keys are only in the wrong file.
    fn unknown_keys_of_connector(&mut self, config: &Config, known: &[&ConfigDef]) {
        let misplaced = |key: &str| worker_keys::definition().knows(key) && !known.iter().any(|def| def.knows(key));
        let mut rest = config.clone();
        for (key, entry) in config.iter().filter(|(key, _)| misplaced(key)) {
            rest.remove(key);
            let message = format!("{key} changes nothing in a connector's file: it is for the worker's");
            let warning = Problem::of_key(key, message).at(entry.origin.clone());
            let client = ["consumer", "producer", "admin"].into_iter().find_map(|client| Some((client, key.strip_prefix(client)?)));
            self.validation.warnings.push(match client {
                Some((client, setting)) => warning.suggest(format!("{client}.override{setting}")),
                None => warning,
            });
        }
        self.unknown_keys("", &rest, known);
    }

    fn converters(&mut self, worker: &Config, connector: &Config) {
        for role in Role::ALL {
            let key = role.key();
            if connector.entry(key).is_none() {
                self.orphans(key, connector);
            }
            let Ok(choice) = Choice::of(role, worker, connector) else {
                let message = format!("Missing required configuration \"{key}\" which has no default value.");
                self.problem(Problem::of_key(key, message).at(file_of(connector)));
                continue;
            };
            let kind = if role == Role::Header { PluginKind::HeaderConverter } else { PluginKind::Converter };
            let described = self.plugins.describe();
            let Some(plugin) = find(&described, kind, &choice.class) else {
                // A connector's own class has been looked up with its other keys.
                if connector.entry(key).is_none() {
                    let inherited = worker.entry(key).cloned();
                    self.class(key, &inherited.unwrap_or(Entry { value: choice.class, origin: None }), kind);
                }
                continue;
            };
            let prefix = format!("{key}.");
            let known = plugin.config_def.clone().with_prefixes(&["converter.type"]);
            let before = self.validation.problems.len();
            self.keys(&prefix, &known, choice.config());
            self.unknown_keys(&prefix, choice.config(), &[&known]);
            // What stops it from being made is mostly a key that has just been reported.
            if self.validation.problems.len() == before
                && let Some(problem) = choice.check(self.plugins)
            {
                self.problem(problem);
            }
        }
    }

    /// A connector's keys for a converter that it does not name: Kafka Connect ignores them silently.
    fn orphans(&mut self, converter: &str, connector: &Config) {
        for (key, entry) in connector.iter().filter(|(key, _)| key.starts_with(&format!("{converter}."))) {
            let message = format!(
                "{key} changes nothing: the connector does not set {converter}, so the worker's is used with the worker's keys"
            );
            self.validation.warnings.push(Problem::of_key(key, message).at(entry.origin.clone()));
        }
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

/// The plugins that a definition's keys name, by what was typed or by default.
fn named_plugins<'a>(
    def: &ConfigDef,
    config: &Config,
    described: &'a [PluginDescription],
) -> impl Iterator<Item = &'a PluginDescription> {
    let named = def.keys.iter().filter_map(|key| {
        let class = config.text(key.name()).or(key.default())?;
        find(described, key.plugin()?, class.trim())
    });
    named.collect::<Vec<_>>().into_iter()
}

fn find<'a>(described: &'a [PluginDescription], kind: PluginKind, class: &str) -> Option<&'a PluginDescription> {
    described.iter().find(|plugin| plugin.kind == kind && plugin.names.contains(&class))
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

/// Kafka's words, and what to write instead.
fn in_plain_words(mut problem: Problem, key: &dyn AnyConfigKey, config: &Config) -> Problem {
    if config.entry(key.name()).is_none() {
        problem.message.push_str(&format!(" Add {}=…: {}", key.name(), first_sentence(key.documentation())));
        return problem.at(file_of(config));
    }
    if problem.message.contains("Not a number of type") {
        let example = key.default().filter(|default| !default.is_empty()).unwrap_or("1000");
        let unit = if key.unit().is_empty() { String::new() } else { format!(" of {}", key.unit()) };
        problem.message.push_str(&format!("; write a whole number{unit} in digits, such as {example}"));
    }
    if !key.one_of().is_empty() {
        let value = config.text(key.name()).unwrap_or_default().trim();
        if let Some(near) = nearest(value, key.one_of().iter().copied()) {
            return problem.suggest(near);
        }
    }
    problem
}

fn first_sentence(documentation: &str) -> &str {
    documentation.split_inclusive(". ").next().unwrap_or(documentation).trim_end()
}

#[cfg(test)]
mod tests;
