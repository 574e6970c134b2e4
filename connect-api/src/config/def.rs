//! Keys that belong together.

use super::{Config, ConfigType, Importance, PluginKind, Problem, Problems};

/// A [`ConfigKey`](super::ConfigKey) of any type.
pub trait AnyConfigKey: Sync {
    /// The key.
    fn name(&self) -> &'static str;
    /// What it does.
    fn documentation(&self) -> &'static str;
    /// The value's type.
    fn config_type(&self) -> ConfigType;
    /// The value when it is left out.
    fn default(&self) -> Option<&'static str>;
    /// Whether it must be given.
    fn is_required(&self) -> bool;
    /// The value's unit or nothing.
    fn unit(&self) -> &'static str;
    /// How much it matters.
    fn importance(&self) -> Importance;
    /// The allowed texts; empty where others are allowed too.
    fn one_of(&self) -> &'static [&'static str];
    /// What may be meant by a text that is refused.
    fn suggested(&self) -> &'static [&'static str];
    /// The kind of plugin that it names.
    fn plugin(&self) -> Option<PluginKind>;
    /// Whether the key is unknown to the JVM.
    fn is_extension(&self) -> bool;
    /// Why the key changes nothing here.
    fn no_effect(&self) -> Option<&'static str>;
    /// Whether only plugins that the configuration may name read it.
    fn is_of_plugins(&self) -> bool;
    /// The key without which this one is not read.
    fn only_with(&self) -> Option<&'static str> {
        None
    }
    /// Whether the text can be the value.
    ///
    /// # Errors
    /// The reason.
    fn check(&self, text: &str) -> Result<(), String>;
}

/// The keys that one part of a configuration knows, under a title.
#[derive(Clone, Default)]
pub struct ConfigDef {
    /// The title in the reference.
    pub title: &'static str,
    /// The keys in the order of the reference.
    pub keys: Vec<&'static dyn AnyConfigKey>,
    /// Prefixes under which any key is allowed because somebody else reads it.
    pub prefixes: Vec<&'static str>,
    /// Keys that people write in place of those that there are, with the right one.
    pub mistaken: Vec<(&'static str, &'static str)>,
}

impl ConfigDef {
    /// Keys under a title.
    pub fn new(title: &'static str, keys: &[&'static dyn AnyConfigKey]) -> Self {
        Self { title, keys: keys.to_vec(), prefixes: Vec::new(), mistaken: Vec::new() }
    }

    /// Allows any key that begins with one of these.
    #[must_use]
    pub fn with_prefixes(mut self, prefixes: &[&'static str]) -> Self {
        self.prefixes.extend(prefixes);
        self
    }

    /// Says which keys are often written in place of which: what is further from the right one than a slip or two.
    #[must_use]
    pub fn with_mistaken(mut self, mistaken: &[(&'static str, &'static str)]) -> Self {
        self.mistaken.extend(mistaken);
        self
    }

    /// The key that was meant by one that is often written in its place.
    pub fn meant_by(&self, name: &str) -> Option<&'static str> {
        self.mistaken.iter().find(|(wrong, _)| *wrong == name).map(|(_, right)| *right)
    }

    /// Whether the key is defined here or has an allowed prefix.
    pub fn knows(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name() == name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// The keys that are read beside those that the configuration has.
    pub fn read_from(&self, config: &Config) -> impl Iterator<Item = &'static dyn AnyConfigKey> {
        self.keys.iter().copied().filter(|key| key.only_with().is_none_or(|other| config.entry(other).is_some()))
    }

    /// Everything that is wrong with the defined keys, each by itself.
    pub fn validate(&self, config: &Config) -> Problems {
        let mut problems = Problems::default();
        for key in self.read_from(config) {
            match config.entry(key.name()) {
                Some(entry) => {
                    if let Err(reason) = key.check(&entry.value) {
                        let secret = key.config_type() == ConfigType::Password;
                        problems.push(Problem::of_entry(key.name(), entry, secret, reason));
                    }
                }
                None if key.is_required() => {
                    let reason = format!("Missing required configuration \"{}\" which has no default value.", key.name());
                    problems.push(Problem::of_key(key.name(), reason));
                }
                None => {}
            }
        }
        problems
    }
}

impl std::fmt::Debug for ConfigDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConfigDef({}, {} keys)", self.title, self.keys.len())
    }
}
