//! A connector's chain of transforms, and the predicates that say which records each is for.

use std::{fmt, sync::Arc};

use connect_api::{
    Plugins, Predicate, Result, SinkRecord, Transformation,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, PluginKind, Problem, Problems},
};

use super::{ConnectorConfig, aliased::Aliased, connector_keys};

static TYPE: ConfigKey<String> = ConfigKey::required("type", "The class.");
static PREDICATE: ConfigKey<String> =
    ConfigKey::optional("predicate", "The predicate that says which records the transform is for.");
static NEGATE: ConfigKey<bool> =
    ConfigKey::with_default("negate", "false", "Whether the transform is for the records of which the predicate does not hold.");

/// What each transform has beside its own keys.
const KEYS: &[&dyn AnyConfigKey] = &[&TYPE, &PREDICATE, &NEGATE];

/// A transform and the class it stands for.
#[derive(Clone)]
pub struct NamedTransformation {
    /// Its class.
    pub class: &'static str,
    /// What it does.
    pub transformation: Arc<dyn Transformation>,
    /// Which records it is for; `None` for all.
    pub guard: Option<Guard>,
}

/// A predicate as a transform names it.
#[derive(Clone)]
pub struct Guard {
    /// What is looked at.
    pub predicate: Arc<dyn Predicate>,
    /// Whether the transform is for the records of which it does not hold.
    pub negate: bool,
}

impl Guard {
    /// Whether the transform is for this record.
    ///
    /// # Errors
    /// Those of the predicate.
    pub fn admits(&self, record: &SinkRecord) -> Result<bool> {
        self.predicate.test(record).map(|holds| holds != self.negate)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard(negate: {})", self.negate)
    }
}

impl fmt::Debug for NamedTransformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedTransformation({})", self.class)
    }
}

fn transforms(plugins: &Plugins) -> Aliased<'_, dyn Transformation> {
    Aliased {
        list: &connector_keys::TRANSFORMS,
        kind: PluginKind::Transformation,
        not_one: "Not a Transformation",
        known: plugins.transformations(),
    }
}

fn predicates(plugins: &Plugins) -> Aliased<'_, dyn Predicate> {
    Aliased {
        list: &connector_keys::PREDICATES,
        kind: PluginKind::Predicate,
        not_one: "Not a Predicate",
        known: plugins.predicates(),
    }
}

/// The chain in its order.
///
/// # Errors
/// `Config` where a class is missing or unknown, or refuses its keys.
pub fn transformations(plugins: &Plugins, connector: &ConnectorConfig) -> Result<Vec<NamedTransformation>> {
    let connector = &connector.raw;
    problems(plugins, connector).into_result()?;
    let transforms = transforms(plugins);
    let named = |alias: String| {
        let (class, transformation) = transforms.configure(connector, &alias)?;
        let own = connector.with_prefix(&transforms.prefix(&alias));
        let guard = match own.text(PREDICATE.name()) {
            None => None,
            Some(predicate) => {
                let (_, predicate) = predicates(plugins).configure(connector, predicate.trim())?;
                Some(Guard { predicate, negate: own.get(&NEGATE)? })
            }
        };
        Ok(NamedTransformation { class, transformation, guard })
    };
    transforms.aliases(connector).into_iter().map(named).collect()
}

/// What is wrong with the chain and its predicates: classes, and the keys of each.
pub(super) fn problems(plugins: &Plugins, connector: &Config) -> Problems {
    let (transforms, predicates) = (transforms(plugins), predicates(plugins));
    let mut problems = Problems::default();
    for alias in transforms.aliases(connector) {
        problems.append(transforms.problems(plugins, connector, &alias, transforms.list.name()));
        problems.append(guard_problems(connector, &transforms.prefix(&alias)));
    }
    for (alias, named_by) in named_predicates(plugins, connector) {
        problems.append(predicates.problems(plugins, connector, &alias, &named_by));
    }
    problems
}

/// What is wrong with `predicate` and `negate` of one transform, by themselves.
fn guard_problems(connector: &Config, prefix: &str) -> Problems {
    let mut problems = Problems::default();
    let own = connector.with_prefix(prefix);
    let Some(entry) = own.entry(NEGATE.name()) else { return problems };
    let key = format!("{prefix}{}", NEGATE.name());
    if let Err(reason) = NEGATE.parse(&entry.value) {
        problems.push(Problem::of_entry(&key, entry, false, reason));
    } else if own.entry(PREDICATE.name()).is_none() {
        let reason = format!("there is no config '{prefix}{}' defining a predicate to be negated.", PREDICATE.name());
        problems.push(Problem::of_entry(&key, entry, false, reason));
    }
    problems
}

/// What of the chain works and is probably not meant.
pub(super) fn doubts(plugins: &Plugins, connector: &Config) -> Problems {
    let (transforms, predicates) = (transforms(plugins), predicates(plugins));
    let mut doubts = Problems::default();
    let mut doubt = |key: String, message: &str| {
        let origin = connector.entry(&key).and_then(|entry| entry.origin.clone());
        doubts.push(Problem::of_key(&key, format!("{key}: {message}")).at(origin));
    };
    let mut used = Vec::new();
    for prefix in transforms.aliases(connector).iter().map(|alias| transforms.prefix(alias)) {
        let key = |name: &str| format!("{prefix}{name}");
        match connector.text(&key(PREDICATE.name())) {
            Some(predicate) => used.push(predicate.trim().to_owned()),
            None if connector.text(&key(TYPE.name())).is_some_and(|class| DROPS_ALL.contains(&class.trim())) => {
                let message = format!("without {} it drops every record", key(PREDICATE.name()));
                doubt(key(TYPE.name()), &message);
            }
            None => {}
        }
    }
    for alias in predicates.aliases(connector).iter().filter(|alias| !used.contains(*alias)) {
        doubt(format!("{}{}", predicates.prefix(alias), TYPE.name()), "no transform names this predicate, so it changes nothing");
    }
    doubts
}

/// Drops each record that it is for.
const DROPS_ALL: [&str; 2] = ["org.apache.kafka.connect.transforms.Filter", "Filter"];

/// The predicates that `predicates` lists, and those that only a transform names, with the key that names each.
pub(super) fn named_predicates(plugins: &Plugins, connector: &Config) -> Vec<(String, String)> {
    let (transforms, predicates) = (transforms(plugins), predicates(plugins));
    let list = predicates.list.name().to_owned();
    let mut named: Vec<_> = predicates.aliases(connector).into_iter().map(|alias| (alias, list.clone())).collect();
    for alias in transforms.aliases(connector) {
        let key = format!("{}{}", transforms.prefix(&alias), PREDICATE.name());
        if let Some(predicate) = connector.text(&key).map(str::trim)
            && !named.iter().any(|(known, _)| known == predicate)
        {
            named.push((predicate.to_owned(), key));
        }
    }
    named
}

/// The keys that each transform and each predicate of the connector reads, by what they begin with.
pub(super) fn definitions(plugins: &Plugins, connector: &Config) -> Vec<(String, ConfigDef)> {
    let (transforms, predicates) = (transforms(plugins), predicates(plugins));
    let mut definitions = Vec::new();
    let class = |prefix: &str| connector.text(&format!("{prefix}{}", TYPE.name())).unwrap_or_default().trim();
    for prefix in transforms.aliases(connector).iter().map(|alias| transforms.prefix(alias)) {
        if let Ok(entry) = connect_api::plugins::find(transforms.known, class(&prefix)) {
            let mut def = (entry.config_def)();
            def.keys.extend(KEYS);
            definitions.push((prefix, def));
        }
    }
    for prefix in named_predicates(plugins, connector).iter().map(|(alias, _)| predicates.prefix(alias)) {
        if let Ok(entry) = connect_api::plugins::find(predicates.known, class(&prefix)) {
            let mut def = (entry.config_def)();
            def.keys.push(&TYPE);
            definitions.push((prefix, def));
        }
    }
    definitions
}
