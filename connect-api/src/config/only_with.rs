//! Keys that mean something only beside another one.

use super::{AnyConfigKey, ConfigType, Importance, PluginKind};

/// A key that is read only where another one is set. Without that one it may hold anything, and a warning says that it changes nothing.
#[derive(Clone, Copy)]
pub struct OnlyWith {
    key: &'static dyn AnyConfigKey,
    other: &'static str,
}

impl OnlyWith {
    /// The key, and the name of the other one.
    pub const fn new(other: &'static str, key: &'static dyn AnyConfigKey) -> Self {
        Self { key, other }
    }
}

impl AnyConfigKey for OnlyWith {
    fn name(&self) -> &'static str {
        self.key.name()
    }

    fn documentation(&self) -> &'static str {
        self.key.documentation()
    }

    fn config_type(&self) -> ConfigType {
        self.key.config_type()
    }

    fn default(&self) -> Option<&'static str> {
        self.key.default()
    }

    fn is_required(&self) -> bool {
        false
    }

    fn unit(&self) -> &'static str {
        self.key.unit()
    }

    fn importance(&self) -> Importance {
        self.key.importance()
    }

    fn one_of(&self) -> &'static [&'static str] {
        self.key.one_of()
    }

    fn suggested(&self) -> &'static [&'static str] {
        self.key.suggested()
    }

    fn plugin(&self) -> Option<PluginKind> {
        self.key.plugin()
    }

    fn is_extension(&self) -> bool {
        self.key.is_extension()
    }

    fn no_effect(&self) -> Option<&'static str> {
        self.key.no_effect()
    }

    fn is_of_plugins(&self) -> bool {
        self.key.is_of_plugins()
    }

    fn only_with(&self) -> Option<&'static str> {
        Some(self.other)
    }

    fn check(&self, text: &str) -> Result<(), String> {
        self.key.check(text)
    }
}

impl std::fmt::Debug for OnlyWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OnlyWith({}, {})", self.other, self.key.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigDef, ConfigKey};

    static URL: ConfigKey<i32> = ConfigKey::required("url", "Where it is.");
    static KEYS: [OnlyWith; 1] = [OnlyWith::new("subject", &URL)];

    #[test]
    fn without_the_other_key_it_may_hold_anything_and_be_missing() {
        let def = ConfigDef::new("a", &[&KEYS[0]]);
        let problems = |pairs: &[(&str, &str)]| def.validate(&pairs.iter().copied().collect::<Config>()).iter().count();
        assert_eq!(problems(&[]), 0);
        assert_eq!(problems(&[("url", "x")]), 0);
        assert_eq!(problems(&[("subject", "s"), ("url", "x")]), 1);
        assert_eq!(problems(&[("subject", "s"), ("url", "7")]), 0);
        assert!(def.knows("url"));
    }
}
