//! Plugins that a list names by aliases: transforms and predicates. `transforms=a` and `transforms.a.type=…`, with the plugin's keys beside it.

use std::sync::Arc;

use connect_api::{
    Plugins, Result,
    config::{AnyConfigKey as _, Config, ConfigKey, List, PluginKind, Problem, Problems},
    plugins::{self, PluginEntry},
};

use super::{elsewhere, nearest::nearest};

/// A list of aliases and the plugins that they may stand for.
pub(super) struct Aliased<'a, C: ?Sized> {
    /// The list; what belongs to an alias begins with the list's name.
    pub(super) list: &'static ConfigKey<List>,
    pub(super) kind: PluginKind,
    /// What Kafka Connect says of an alias without a class.
    pub(super) not_one: &'static str,
    pub(super) known: &'a [PluginEntry<C>],
}

impl<C: ?Sized> Aliased<'_, C> {
    /// The aliases in their order.
    pub(super) fn aliases(&self, connector: &Config) -> Vec<String> {
        connector.get(self.list).map(|list| list.0).unwrap_or_default()
    }

    /// What the keys of an alias begin with.
    pub(super) fn prefix(&self, alias: &str) -> String {
        format!("{}.{alias}.", self.list.name())
    }

    /// The plugin that an alias stands for, with its class.
    ///
    /// # Errors
    /// `Config` where the class is missing or unknown, or refuses its keys.
    pub(super) fn configure(&self, connector: &Config, alias: &str) -> Result<(&'static str, Arc<C>)> {
        let own = connector.with_prefix(&self.prefix(alias));
        let entry = plugins::find(self.known, own.text("type").unwrap_or_default().trim())?;
        let plugin = entry.configure(&own).map_err(|error| error.context(format!("{}{}", self.prefix(alias), "type")))?;
        Ok((entry.name, plugin))
    }

    /// What is wrong with the class of an alias, and with its keys. `named_by`: the key that names the alias.
    pub(super) fn problems(&self, plugins: &Plugins, connector: &Config, alias: &str, named_by: &str) -> Problems {
        let mut problems = Problems::default();
        let prefix = self.prefix(alias);
        let own = connector.with_prefix(&prefix);
        let key = format!("{prefix}type");
        let Some(entry) = own.entry("type") else {
            let named = connector.entry(named_by).and_then(|entry| entry.origin.clone());
            let list = self.list.name();
            let message = match alias {
                "" => format!("{key}: {}: an item between the commas of {named_by} is empty", self.not_one),
                _ => format!("{key}: {}: no class is named: add {key}=…, or take {alias} out of {named_by}", self.not_one),
            };
            let problem = Problem::of_key(&key, message).at(named);
            // Another one that has a class, and of which it may be a slip.
            let others = connector.iter().filter_map(|(key, _)| key.strip_prefix(list)?.strip_prefix('.')?.strip_suffix(".type"));
            let listed = self.aliases(connector);
            let others: Vec<_> = others.filter(|other| !listed.iter().any(|alias| alias == other)).collect();
            let same = others.iter().copied().find(|other| other.eq_ignore_ascii_case(alias));
            problems.push(match same.or_else(|| nearest(alias, others)) {
                Some(meant) => problem.suggest(meant),
                None => problem,
            });
            return problems;
        };
        match plugins::find(self.known, entry.value.trim()) {
            Ok(plugin) => {
                let found = (plugin.config_def)().validate(&own);
                if found.is_empty()
                    && let Err(error) = plugin.configure(&own)
                {
                    problems.push(Problem::of_entry(&key, entry, false, error.report()));
                }
                found.iter().for_each(|problem| problems.push(under(&prefix, problem.clone())));
            }
            Err(_) => {
                let problem = elsewhere::class_problem(&key, entry, self.kind, self.known, plugins);
                problem.into_iter().for_each(|problem| problems.push(problem));
            }
        }
        problems
    }
}

/// A problem of a plugin's own key, named as the key stands in the file.
pub(super) fn under(prefix: &str, mut problem: Problem) -> Problem {
    if let Some(key) = problem.key.take() {
        // The value, which comes first, may hold the key's name as well.
        for before in ["for configuration ", "configuration \""] {
            problem.message = problem.message.replacen(&format!("{before}{key}"), &format!("{before}{prefix}{key}"), 1);
        }
        problem.key = Some(format!("{prefix}{key}"));
    }
    problem
}
