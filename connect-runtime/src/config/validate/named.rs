//! The keys of plugins that a connector's file names, beside those of the connector's own plugin.

use connect_api::{
    config::{AnyConfigKey, Config, ConfigDef, PluginKind, Problem, Problems},
    plugins::PluginDescription,
};

/// The plugins that a definition's keys name, by what was typed or by default.
pub(super) fn named_plugins<'a>(
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

pub(super) fn find<'a>(described: &'a [PluginDescription], kind: PluginKind, class: &str) -> Option<&'a PluginDescription> {
    described.iter().find(|plugin| plugin.kind == kind && plugin.names.contains(&class))
}

/// The definitions with each key in one of them: in that of the plugin that reads it, where the connector's own leaves it to plugins.
pub(super) fn each_key_once(own: &ConfigDef, named: &[ConfigDef]) -> Vec<ConfigDef> {
    let has = |def: &ConfigDef, key: &dyn AnyConfigKey| def.keys.iter().any(|other| other.name() == key.name());
    let keeps = |def: &ConfigDef, keep: &dyn Fn(&dyn AnyConfigKey) -> bool| ConfigDef {
        keys: def.keys.iter().copied().filter(|key| keep(*key)).collect(),
        ..def.clone()
    };
    let mut defs = vec![keeps(own, &|key| !(key.is_of_plugins() && named.iter().any(|def| has(def, key))))];
    for def in named {
        let taken = |key: &dyn AnyConfigKey| defs.iter().any(|earlier| has(earlier, key));
        let rest = keeps(def, &|key| !taken(key));
        defs.push(rest);
    }
    defs
}

/// Warnings of keys that are read by plugins which nothing names: they change nothing.
pub(super) fn keys_of_others(own: &ConfigDef, named: &[ConfigDef], described: &[PluginDescription], config: &Config) -> Problems {
    let mut warnings = Problems::default();
    for key in own.keys.iter().filter(|key| key.is_of_plugins() && !named.iter().any(|def| def.knows(key.name()))) {
        let name = key.name();
        // Who writes the default down asks for nothing.
        let Some(entry) = config.entry(name).filter(|entry| key.default() != Some(entry.value.trim())) else { continue };
        let reads =
            |plugin: &&PluginDescription| plugin.config_def.keys.iter().any(|read| read.name() == name && !read.is_of_plugins());
        let readers = described.iter().filter(reads).filter_map(|plugin| plugin.names.first()?.rsplit(['.', '$']).next());
        let readers = readers.collect::<Vec<_>>().join(", ");
        let message = format!("{name} changes nothing here: it is read by {readers} alone");
        warnings.push(Problem::of_key(name, message).at(entry.origin.clone()));
    }
    warnings
}
