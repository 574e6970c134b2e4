//! Where the registry is, and who asks.

use connect_api::{
    Error, Result,
    config::{AnyConfigKey, Config, ConfigKey, Importance},
};
use http::Uri;

const ONLY_READS: &str = "a sink's converter only reads";

static REGION: ConfigKey<String> = ConfigKey::optional(
    "region",
    "The AWS region of the registry. Otherwise it is that of the AWS SDK's own chain: environment, profile, instance.",
)
.importance(Importance::High);

static ENDPOINT: ConfigKey<String> =
    ConfigKey::optional("endpoint", "Where the registry answers, if it is not AWS's address for the region.").check(
        |url| match url.parse::<Uri>() {
            Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && !url.contains('@') => Ok(()),
            _ => Err("must be a URL: https://host".to_owned()),
        },
    );

static ROLE: ConfigKey<String> =
    ConfigKey::optional("assumeRoleArn", "The role that asks, assumed by whoever the default chain names.");

static SESSION: ConfigKey<String> = ConfigKey::with_default(
    "assumeRoleSessionName",
    "kafka-connect-session",
    "What the session of the role is called in AWS's records.",
)
.importance(Importance::Low);

static CACHE_SIZE: ConfigKey<i32> = ConfigKey::with_default("cacheSize", "200", "Schemas that are kept in memory.")
    .importance(Importance::Low)
    .check(|most| if *most > 0 { Ok(()) } else { Err("must be at least 1".to_owned()) });

static TIME_TO_LIVE: ConfigKey<i64> =
    ConfigKey::with_default("timeToLiveMillis", "86400000", "How long schemas are kept in memory.")
        .importance(Importance::Low)
        .no_effect("a schema never changes under its name");

static SECONDARY: ConfigKey<String> =
    ConfigKey::optional("secondary.deserializer", "A class that reads messages of another registry: not supported.")
        .importance(Importance::Low)
        .check(|_class| Err("is not supported: messages of another registry need that registry's converter".to_owned()));

macro_rules! only_for_writing {
    ($($key:ident $name:literal $documentation:literal;)*) => {
        $(static $key: ConfigKey<String> =
            ConfigKey::optional($name, $documentation).importance(Importance::Low).no_effect(ONLY_READS);)*
        const ONLY_FOR_WRITING: &[&dyn AnyConfigKey] = &[$(&$key),*];
    };
}

only_for_writing! {
    REGISTRY "registry.name" "The registry that schemas are registered in; a schema's name is one in all registries.";
    SCHEMA_NAME "schemaName" "Under which name a schema is registered.";
    AUTO_REGISTRATION "schemaAutoRegistrationEnabled" "Whether new schemas are registered.";
    GENERATION "schemaNameGenerationClass" "What makes names of schemas.";
    DATA_FORMAT "dataFormat" "In which format messages are written.";
    COMPATIBILITY "compatibility" "The compatibility of schemas that are registered.";
    COMPRESSION "compression" "How messages are compressed when they are written.";
    DESCRIPTION "description" "The description of a registry that is made.";
}

/// The keys of every converter that reads from Glue.
pub(crate) fn keys() -> Vec<&'static dyn AnyConfigKey> {
    let own: [&dyn AnyConfigKey; 7] = [&REGION, &ENDPOINT, &ROLE, &SESSION, &CACHE_SIZE, &TIME_TO_LIVE, &SECONDARY];
    [&own, ONLY_FOR_WRITING].concat()
}

/// How a converter speaks to Glue.
#[derive(Clone, Debug)]
pub(crate) struct GlueConfig {
    pub(super) region: Option<String>,
    /// Without a slash at its end.
    pub(super) endpoint: Option<String>,
    /// The role that asks, and its session's name.
    pub(super) role: Option<(String, String)>,
    most_schemas: usize,
}

impl GlueConfig {
    /// # Errors
    /// `Config` where a registry cannot be asked like this.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        config.find(&SECONDARY)?;
        let endpoint = config.find(&ENDPOINT)?.map(|url| url.trim_end_matches('/').to_owned());
        let session = config.get(&SESSION)?;
        Ok(Self {
            region: config.find(&REGION)?,
            endpoint,
            role: config.find(&ROLE)?.map(|arn| (arn, session)),
            most_schemas: usize::try_from(config.get(&CACHE_SIZE)?)
                .map_err(|error| Error::config("`cacheSize`").with_source(error))?,
        })
    }

    /// Schemas that are kept.
    pub(crate) fn most_schemas(&self) -> usize {
        self.most_schemas
    }
}
