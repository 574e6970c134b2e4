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

#[cfg(test)]
mod tests {
    use connect_api::config::ConfigKey;

    use super::*;

    static LEFT: ConfigKey<String> = ConfigKey::with_default("path", "", "Left to plugins.").of_plugins();
    static READ: ConfigKey<String> = ConfigKey::required("path", "Read by a plugin.");
    static OWN: ConfigKey<i32> = ConfigKey::required("size", "The connector's own.");

    fn own() -> ConfigDef {
        ConfigDef::new("own", &[&OWN, &LEFT])
    }

    fn reader() -> PluginDescription {
        PluginDescription {
            kind: PluginKind::Partitioner,
            names: vec!["com.example.ByPath", "ByPath"],
            documentation: "",
            config_def: ConfigDef::new("reader", &[&READ]),
            metrics: Vec::new(),
        }
    }

    #[test]
    fn a_key_is_checked_by_the_plugin_that_reads_it_and_by_nobody_else() {
        let required = |named: &[ConfigDef]| {
            let defs = each_key_once(&own(), named);
            let keys = defs.iter().flat_map(|def| def.keys.iter().map(|key| (key.name(), key.is_required())));
            keys.collect::<Vec<_>>()
        };
        assert_eq!(required(&[]), [("size", true), ("path", false)]);
        assert_eq!(required(&[reader().config_def]), [("size", true), ("path", true)]);
        let twice = ConfigDef::new("twice", &[&READ, &OWN]);
        assert_eq!(required(&[reader().config_def, twice]), [("size", true), ("path", true)]);
    }

    #[test]
    fn a_key_whose_reader_is_not_named_changes_nothing_and_says_who_reads_it() {
        let warned = |value: &str, named: &[ConfigDef]| {
            let config: Config = [("path", value), ("size", "1")].into_iter().collect();
            keys_of_others(&own(), named, &[reader()], &config).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(warned("x", &[]), ["path changes nothing here: it is read by ByPath alone"]);
        assert!(warned("", &[]).is_empty() && warned("x", &[reader().config_def]).is_empty());
    }
}
