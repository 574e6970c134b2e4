//! One definition per key.

use std::{fmt, marker::PhantomData};

use super::{AnyConfigKey, ConfigType, ConfigValue};

/// How much a key matters, as Kafka Connect's REST API says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Look at it before anything else.
    High,
    /// Worth knowing.
    Medium,
    /// For special cases.
    Low,
}

/// What kind of plugin a class name must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PluginKind {
    /// A sink connector.
    SinkConnector,
    /// A converter of keys or values.
    Converter,
    /// A converter of headers.
    HeaderConverter,
    /// A transform.
    Transformation,
    /// What says which records a transform is for.
    Predicate,
    /// A partitioner.
    Partitioner,
    /// What gives records a time.
    TimestampExtractor,
    /// A file format.
    Format,
}

/// What else must hold of a value.
type Validator<T> = fn(&T) -> Result<(), String>;

/// The definition of one key: parsing, validation, the generated reference and the typed value all come from it.
///
/// ```
/// use connect_api::config::{Config, ConfigKey};
///
/// static FLUSH_SIZE: ConfigKey<i32> =
///     ConfigKey::required("flush.size", "Records written before a partition's files are uploaded.").unit("records");
///
/// let config: Config = [("flush.size", "7")].into_iter().collect();
/// assert_eq!(config.get(&FLUSH_SIZE).unwrap(), 7);
/// ```
pub struct ConfigKey<T> {
    pub(super) name: &'static str,
    pub(super) documentation: &'static str,
    pub(super) default: Option<&'static str>,
    pub(super) required: bool,
    pub(super) raw: bool,
    pub(super) unit: &'static str,
    pub(super) importance: Importance,
    pub(super) one_of: &'static [&'static str],
    pub(super) any_case: bool,
    pub(super) suggested: &'static [&'static str],
    pub(super) plugin: Option<PluginKind>,
    pub(super) extension: bool,
    pub(super) no_effect: Option<&'static str>,
    pub(super) of_plugins: bool,
    pub(super) validator: Option<Validator<T>>,
    value: PhantomData<fn() -> T>,
}

impl<T> ConfigKey<T> {
    const fn new(name: &'static str, documentation: &'static str, default: Option<&'static str>, required: bool) -> Self {
        Self {
            name,
            documentation,
            default,
            required,
            raw: false,
            unit: "",
            importance: Importance::Medium,
            one_of: &[],
            any_case: false,
            suggested: &[],
            plugin: None,
            extension: false,
            no_effect: None,
            of_plugins: false,
            validator: None,
            value: PhantomData,
        }
    }

    /// A key that must be given.
    pub const fn required(name: &'static str, documentation: &'static str) -> Self {
        Self::new(name, documentation, None, true)
    }

    /// A key that may be left out and then has no value.
    pub const fn optional(name: &'static str, documentation: &'static str) -> Self {
        Self::new(name, documentation, None, false)
    }

    /// A key that has this value when it is left out.
    pub const fn with_default(name: &'static str, default: &'static str, documentation: &'static str) -> Self {
        Self::new(name, documentation, Some(default), false)
    }

    /// The unit, for the reference.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// How much it matters; medium unless said.
    #[must_use]
    pub const fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// Only these texts are allowed, in this case.
    #[must_use]
    pub const fn one_of(mut self, allowed: &'static [&'static str]) -> Self {
        self.one_of = allowed;
        self
    }

    /// Only these texts are allowed, in any case.
    #[must_use]
    pub const fn one_of_any_case(mut self, allowed: &'static [&'static str]) -> Self {
        self.one_of = allowed;
        self.any_case = true;
        self
    }

    /// The texts that may be suggested in place of one that is refused, where they are not those of [`ConfigKey::one_of`].
    #[must_use]
    pub const fn suggested(mut self, texts: &'static [&'static str]) -> Self {
        self.suggested = texts;
        self
    }

    /// The value names a plugin of this kind.
    #[must_use]
    pub const fn plugin(mut self, kind: PluginKind) -> Self {
        self.plugin = Some(kind);
        self
    }

    /// The value is taken as it is written, blanks around it included.
    #[must_use]
    pub const fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// The key does not exist on the JVM: the reference marks it.
    #[must_use]
    pub const fn extension(mut self) -> Self {
        self.extension = true;
        self
    }

    /// The key is known and accepted, and changes nothing here, for this reason.
    #[must_use]
    pub const fn no_effect(mut self, reason: &'static str) -> Self {
        self.no_effect = Some(reason);
        self
    }

    /// Plugins that the configuration may name read the key and say what is allowed; where none of them is named it changes nothing.
    #[must_use]
    pub const fn of_plugins(mut self) -> Self {
        self.of_plugins = true;
        self
    }

    /// What else must hold of the value.
    #[must_use]
    pub const fn check(mut self, validator: Validator<T>) -> Self {
        self.validator = Some(validator);
        self
    }
}

impl<T: ConfigValue> ConfigKey<T> {
    /// The value of a text as it stands in a file.
    ///
    /// # Errors
    /// Why it is refused, with what is allowed.
    pub fn parse(&self, text: &str) -> Result<T, String> {
        let text = if self.raw { text } else { text.trim_matches(|c: char| c <= ' ') };
        if !self.one_of.is_empty() && !self.one_of.iter().any(|allowed| self.same(allowed, text)) {
            return Err(format!("must be one of {}", self.allowed()));
        }
        let value = T::parse(text)?;
        if let Some(validator) = self.validator {
            validator(&value)?;
        }
        Ok(value)
    }

    /// The values of [`ConfigKey::one_of`] in words.
    fn allowed(&self) -> String {
        let named: Vec<_> = self.one_of.iter().copied().filter(|value| !value.is_empty()).collect();
        let or_empty = if named.len() < self.one_of.len() { ", or empty" } else { "" };
        format!("{}{or_empty}", named.join(", "))
    }

    fn same(&self, allowed: &str, text: &str) -> bool {
        if self.any_case { allowed.eq_ignore_ascii_case(text) } else { allowed == text }
    }
}

impl<T> fmt::Debug for ConfigKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigKey({})", self.name)
    }
}

impl<T: ConfigValue> AnyConfigKey for ConfigKey<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn documentation(&self) -> &'static str {
        self.documentation
    }

    fn config_type(&self) -> ConfigType {
        if self.plugin.is_some() { ConfigType::Class } else { T::TYPE }
    }

    fn default(&self) -> Option<&'static str> {
        self.default
    }

    fn is_required(&self) -> bool {
        self.required
    }

    fn unit(&self) -> &'static str {
        self.unit
    }

    fn importance(&self) -> Importance {
        self.importance
    }

    fn one_of(&self) -> &'static [&'static str] {
        self.one_of
    }

    fn suggested(&self) -> &'static [&'static str] {
        if self.suggested.is_empty() { self.one_of } else { self.suggested }
    }

    fn plugin(&self) -> Option<PluginKind> {
        self.plugin
    }

    fn is_extension(&self) -> bool {
        self.extension
    }

    fn no_effect(&self) -> Option<&'static str> {
        self.no_effect
    }

    fn is_of_plugins(&self) -> bool {
        self.of_plugins
    }

    fn check(&self, text: &str) -> Result<(), String> {
        self.parse(text).map(drop)
    }
}
