//! A connector's chain of transforms.

use std::{fmt, sync::Arc};

use connect_api::{
    Plugins, Result, Transformation,
    config::{AnyConfigKey as _, Config, PluginKind, Problem, Problems},
    plugins,
};

use super::{ConnectorConfig, connector_keys, elsewhere};

/// A transform and the class it stands for.
#[derive(Clone)]
pub struct NamedTransformation {
    /// Its class.
    pub class: &'static str,
    /// What it does.
    pub transformation: Arc<dyn Transformation>,
}

impl fmt::Debug for NamedTransformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedTransformation({})", self.class)
    }
}

/// The chain in its order.
///
/// # Errors
/// `Config` where a class is missing or unknown, or refuses its keys.
pub fn transformations(plugins: &Plugins, connector: &ConnectorConfig) -> Result<Vec<NamedTransformation>> {
    problems(plugins, &connector.raw).into_result()?;
    let mut chain = Vec::new();
    for alias in connector.raw.get(&connector_keys::TRANSFORMS)?.0 {
        let class = connector.raw.text(&format!("transforms.{alias}.type")).unwrap_or_default().trim();
        let entry = plugins::find(plugins.transformations(), class)?;
        let own = connector.raw.with_prefix(&format!("transforms.{alias}."));
        let transformation = entry.configure(&own).map_err(|error| error.context(format!("transform {alias}")))?;
        chain.push(NamedTransformation { class: entry.name, transformation });
    }
    Ok(chain)
}

/// What is wrong with the chain: classes, and the keys of each.
pub(super) fn problems(plugins: &Plugins, connector: &Config) -> Problems {
    let mut problems = Problems::default();
    let aliases = connector.get(&connector_keys::TRANSFORMS).map(|list| list.0).unwrap_or_default();
    for alias in aliases {
        let prefix = format!("transforms.{alias}.");
        let own = connector.with_prefix(&prefix);
        match own.entry("type") {
            None => {
                let message = format!("{prefix}type: Not a Transformation");
                let named = connector.entry(connector_keys::TRANSFORMS.name()).and_then(|entry| entry.origin.clone());
                problems.push(Problem::of_key(&format!("{prefix}type"), message).at(named));
            }
            Some(entry) => match plugins::find(plugins.transformations(), entry.value.trim()) {
                Ok(transformation) => {
                    let found = (transformation.config_def)().validate(&own);
                    if found.is_empty()
                        && let Err(error) = transformation.configure(&own)
                    {
                        problems.push(Problem::of_entry(&format!("{prefix}type"), entry, false, error.report()));
                    }
                    found.iter().for_each(|problem| problems.push(under(&prefix, problem.clone())));
                }
                Err(_) => {
                    let (key, known) = (format!("{prefix}type"), plugins.transformations());
                    let problem = elsewhere::class_problem(&key, entry, PluginKind::Transformation, known, plugins);
                    problem.into_iter().for_each(|problem| problems.push(problem));
                }
            },
        }
        for key in ["predicate", "negate"] {
            if let Some(entry) = own.entry(key) {
                let reason = "predicates are not supported yet";
                problems.push(Problem::of_entry(&format!("{prefix}{key}"), entry, false, reason));
            }
        }
    }
    problems
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
