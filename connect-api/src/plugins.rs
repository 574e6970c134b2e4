//! Everything that can be named in a configuration: one line a plugin.

use std::{fmt, sync::Arc};

use crate::{
    Converter, Error, Format, HeaderConverter, Partitioner, Predicate, Result, SinkConnector, TimestampExtractor, Transformation,
    config::{Config, ConfigDef, PluginKind},
    metrics::MetricDefinition,
};

/// What every plugin says of itself.
pub trait Plugin: Sized + 'static {
    /// The name that existing configurations use, usually a Java class: `io.confluent.connect.s3.S3SinkConnector`.
    const NAME: &'static str;

    /// Further names, besides those that Kafka Connect derives of [`NAME`](Plugin::NAME): its last part, and that without `Connector` or `Converter`.
    const ALIASES: &'static [&'static str] = &[];

    /// Whether Kafka Connect's derived names are its own. They are not where a plugin that is used more has the same ones.
    const HAS_SHORT_NAMES: bool = true;

    /// What it is for, in one sentence.
    const DOCUMENTATION: &'static str;

    /// The keys it reads, as they stand in its own part of the configuration.
    fn config_def() -> ConfigDef;

    /// The metrics it counts.
    fn metrics() -> Vec<&'static MetricDefinition> {
        Vec::new()
    }

    /// Makes one. Converters find `converter.type` (`key`, `value` or `header`) among the keys. Does no I/O.
    ///
    /// # Errors
    /// `Config` where it cannot work like this.
    fn configure(config: &Config) -> Result<Self>;
}

/// A registered plugin that makes `C`s.
pub struct PluginEntry<C: ?Sized> {
    /// See [`Plugin::NAME`].
    pub name: &'static str,
    /// See [`Plugin::DOCUMENTATION`].
    pub documentation: &'static str,
    /// See [`Plugin::config_def`].
    pub config_def: fn() -> ConfigDef,
    /// See [`Plugin::metrics`].
    pub metrics: fn() -> Vec<&'static MetricDefinition>,
    kind: PluginKind,
    aliases: &'static [&'static str],
    has_short_names: bool,
    configure: fn(&Config) -> Result<Arc<C>>,
}

impl<C: ?Sized> PluginEntry<C> {
    fn new<P: Plugin>(kind: PluginKind, configure: fn(&Config) -> Result<Arc<C>>) -> Self {
        Self {
            name: P::NAME,
            documentation: P::DOCUMENTATION,
            config_def: P::config_def,
            metrics: P::metrics,
            kind,
            aliases: P::ALIASES,
            has_short_names: P::HAS_SHORT_NAMES,
            configure,
        }
    }

    /// Makes one.
    ///
    /// # Errors
    /// See [`Plugin::configure`].
    pub fn configure(&self, config: &Config) -> Result<Arc<C>> {
        (self.configure)(config)
    }

    /// All its names, the full one first (Kafka Connect's rules: `PluginUtils.simpleName` and `prunedName`).
    pub fn names(&self) -> Vec<&'static str> {
        let simple = self.name.rsplit('.').next().unwrap_or(self.name);
        let suffix = match self.kind {
            PluginKind::SinkConnector => "Connector",
            PluginKind::Converter => "Converter",
            PluginKind::HeaderConverter => "HeaderConverter",
            PluginKind::Transformation => "Transformation",
            PluginKind::Predicate => "Predicate",
            PluginKind::Partitioner => "Partitioner",
            PluginKind::TimestampExtractor => "TimestampExtractor",
            PluginKind::Format => "Format",
        };
        let pruned = simple.strip_suffix(suffix).filter(|pruned| !pruned.is_empty()).unwrap_or(simple);
        let mut names = vec![self.name];
        let short = if self.has_short_names { &[simple, pruned][..] } else { &[] };
        for name in short.iter().copied().chain(self.aliases.iter().copied()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl<C: ?Sized> Clone for PluginEntry<C> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<C: ?Sized> fmt::Debug for PluginEntry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind, self.name)
    }
}

macro_rules! plugins {
    ($($(#[$doc:meta])* $add:ident $all:ident $kind:ident $trait:ident;)*) => {
        /// The registry. Built once, before anything is configured.
        #[derive(Clone, Debug, Default)]
        pub struct Plugins {
            $($all: Vec<PluginEntry<dyn $trait>>,)*
        }

        impl Plugins {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $add<P: Plugin + $trait>(mut self) -> Self {
                    let configure = |config: &Config| P::configure(config).map(|plugin| Arc::new(plugin) as Arc<dyn $trait>);
                    self.$all.push(PluginEntry::new::<P>(PluginKind::$kind, configure));
                    self
                }

                /// All of this kind, in the order they were added.
                pub fn $all(&self) -> &[PluginEntry<dyn $trait>] {
                    &self.$all
                }
            )*

            /// Kind, all names, documentation and keys of every plugin.
            pub fn describe(&self) -> Vec<PluginDescription> {
                let mut all = Vec::new();
                $(all.extend(self.$all.iter().map(PluginDescription::of));)*
                all
            }
        }
    };
}

plugins! {
    /// Adds a sink connector.
    sink_connector sink_connectors SinkConnector SinkConnector;
    /// Adds a converter.
    converter converters Converter Converter;
    /// Adds a header converter.
    header_converter header_converters HeaderConverter HeaderConverter;
    /// Adds a transform.
    transformation transformations Transformation Transformation;
    /// Adds a predicate.
    predicate predicates Predicate Predicate;
    /// Adds a partitioner.
    partitioner partitioners Partitioner Partitioner;
    /// Adds a timestamp extractor.
    timestamp_extractor timestamp_extractors TimestampExtractor TimestampExtractor;
    /// Adds a format.
    format formats Format Format;
}

/// What a registry tells of a plugin.
#[derive(Debug)]
pub struct PluginDescription {
    /// The kind.
    pub kind: PluginKind,
    /// The full name first.
    pub names: Vec<&'static str>,
    /// What it is for.
    pub documentation: &'static str,
    /// Its keys.
    pub config_def: ConfigDef,
    /// Its metrics.
    pub metrics: Vec<&'static MetricDefinition>,
}

impl PluginDescription {
    fn of<C: ?Sized>(entry: &PluginEntry<C>) -> Self {
        let (config_def, metrics) = ((entry.config_def)(), (entry.metrics)());
        Self { kind: entry.kind, names: entry.names(), documentation: entry.documentation, config_def, metrics }
    }
}

/// The plugin that `name` names. A name that two plugins share names neither of them, unless it is a full one.
///
/// # Errors
/// `Config` with the names that are known.
pub fn find<'a, C: ?Sized>(plugins: &'a [PluginEntry<C>], name: &str) -> Result<&'a PluginEntry<C>> {
    if let Some(entry) = plugins.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let mut named = plugins.iter().filter(|entry| entry.names().contains(&name));
    match (named.next(), named.next()) {
        (Some(entry), None) => Ok(entry),
        _ => {
            let known: Vec<_> = plugins.iter().map(|entry| entry.name).collect();
            Err(Error::config(format!("Class {name} could not be found. Known: {}", known.join(", "))))
        }
    }
}
