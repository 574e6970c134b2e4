//! Where the registry is, and who asks.

use std::time::Duration;

use connect_api::{
    ConverterType, Error, Result,
    config::{AnyConfigKey, Config, ConfigKey, Importance, OnlyWith, Secret},
};

use super::{
    address::{Address, basic},
    subject::SubjectNameStrategy,
    tls::{self, TlsConfig},
};

/// People set a few for each subject, and a connector has many.
const FEWEST_SCHEMAS: usize = 1_000;

const ONLY_READS: &str = "a sink's converter only reads";
const ASKS_UNTIL_ANSWERED: &str = "a registry that does not answer is asked again until it does, with a pause of 10 s at most";

static URL: ConfigKey<Secret> = ConfigKey::required(
    "schema.registry.url",
    "Where the schema registry answers, with Confluent's API: URLs between commas, which are tried in turn. A user and a password may stand in \
     each: `http://user:password@host:8081`.",
)
.importance(Importance::High)
.check(|url| Address::list(url.expose()).map(drop));

static MAX_SCHEMAS: ConfigKey<i32> = ConfigKey::with_default(
    "max.schemas.per.subject",
    "1000",
    "Schemas that are kept in memory, for all subjects, but 1,000 at least. Of more, those that were not met for longest are asked for again.",
)
.importance(Importance::Low)
.check(|most| if *most > 0 { Ok(()) } else { Err("must be at least 1".to_owned()) });

static KEY_STRATEGY: ConfigKey<String> = strategy("key.subject.name.strategy", "Under which name a key's schema is registered.");

static VALUE_STRATEGY: ConfigKey<String> =
    strategy("value.subject.name.strategy", "Under which name a value's schema is registered.");

const fn strategy(name: &'static str, documentation: &'static str) -> ConfigKey<String> {
    ConfigKey::with_default(name, "io.confluent.kafka.serializers.subject.TopicNameStrategy", documentation)
        .check(|text| SubjectNameStrategy::parse(text).map(drop))
}

static BASIC_SOURCE: ConfigKey<String> = ConfigKey::with_default(
    "basic.auth.credentials.source",
    "URL",
    "Where a user and a password are given: `URL`, in `schema.registry.url`; `USER_INFO`, in `basic.auth.user.info`.",
)
.one_of(&["URL", "USER_INFO"]);

static USER_INFO: ConfigKey<Secret> =
    ConfigKey::optional("basic.auth.user.info", "User and password, as `user:password`, where the source is `USER_INFO`.");

static OLD_USER_INFO: ConfigKey<Secret> =
    ConfigKey::optional("schema.registry.basic.auth.user.info", "The old name of `basic.auth.user.info`.")
        .importance(Importance::Low);

static BEARER_SOURCE: ConfigKey<String> =
    ConfigKey::optional("bearer.auth.credentials.source", "`STATIC_TOKEN` sends `bearer.auth.token`.").one_of(&["STATIC_TOKEN"]);

static TOKEN: ConfigKey<Secret> = ConfigKey::optional("bearer.auth.token", "The token that is sent with each request.");

static CONNECT_TIMEOUT: ConfigKey<i32> =
    ConfigKey::with_default("http.connect.timeout.ms", "60000", "How long connecting may take.")
        .unit("ms")
        .importance(Importance::Low)
        .check(positive);

static READ_TIMEOUT: ConfigKey<i32> = ConfigKey::with_default("http.read.timeout.ms", "60000", "How long an answer may take.")
    .unit("ms")
    .importance(Importance::Low)
    .check(positive);

static PROXY_HOST: ConfigKey<String> = ConfigKey::optional("proxy.host", "A proxy in front of the registry: not supported.")
    .importance(Importance::Low)
    .check(|_host| Err("is not supported: the registry must be reached without a proxy".to_owned()));

static MAX_RETRIES: ConfigKey<i32> = ignored("max.retries", "3", "How often a request is repeated.", ASKS_UNTIL_ANSWERED);
static RETRIES_WAIT: ConfigKey<i32> =
    ignored("retries.wait.ms", "1000", "The pause before a request is repeated.", ASKS_UNTIL_ANSWERED);
static RETRIES_MAX_WAIT: ConfigKey<i32> =
    ignored("retries.max.wait.ms", "20000", "The longest pause before a request is repeated.", ASKS_UNTIL_ANSWERED);
static AUTO_REGISTER: ConfigKey<bool> =
    ConfigKey::with_default("auto.register.schemas", "true", "Whether new schemas are registered.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);
static USE_LATEST: ConfigKey<bool> =
    ConfigKey::with_default("use.latest.version", "false", "Whether the subject's latest schema is written with.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);
static NORMALIZE: ConfigKey<bool> =
    ConfigKey::with_default("normalize.schemas", "false", "Whether schemas are normalized before they are registered.")
        .importance(Importance::Low)
        .no_effect(ONLY_READS);

const fn ignored(name: &'static str, default: &'static str, documentation: &'static str, why: &'static str) -> ConfigKey<i32> {
    ConfigKey::with_default(name, default, documentation).importance(Importance::Low).no_effect(why)
}

fn positive(millis: &i32) -> Result<(), String> {
    if *millis > 0 { Ok(()) } else { Err("must be at least 1".to_owned()) }
}

/// The keys of every converter that reads from a registry.
pub(crate) const KEYS: &[&dyn AnyConfigKey] = &[
    &URL,
    &BASIC_SOURCE,
    &USER_INFO,
    &OLD_USER_INFO,
    &BEARER_SOURCE,
    &TOKEN,
    &tls::TRUSTSTORE_TYPE,
    &tls::TRUSTSTORE_LOCATION,
    &tls::TRUSTSTORE_CERTIFICATES,
    &tls::KEYSTORE_TYPE,
    &tls::KEYSTORE_LOCATION,
    &tls::KEYSTORE_CERTIFICATES,
    &tls::KEYSTORE_KEY,
    &KEY_STRATEGY,
    &VALUE_STRATEGY,
    &MAX_SCHEMAS,
    &CONNECT_TIMEOUT,
    &READ_TIMEOUT,
    &PROXY_HOST,
    &MAX_RETRIES,
    &RETRIES_WAIT,
    &RETRIES_MAX_WAIT,
    &AUTO_REGISTER,
    &USE_LATEST,
    &NORMALIZE,
];

/// The keys of a converter that asks a registry only where its key `schema.subject` is set: where the registry is, and who asks.
pub(crate) static KEYS_WITH_SUBJECT: [OnlyWith; 16] = [
    OnlyWith::new(SCHEMA_SUBJECT, &URL),
    OnlyWith::new(SCHEMA_SUBJECT, &BASIC_SOURCE),
    OnlyWith::new(SCHEMA_SUBJECT, &USER_INFO),
    OnlyWith::new(SCHEMA_SUBJECT, &OLD_USER_INFO),
    OnlyWith::new(SCHEMA_SUBJECT, &BEARER_SOURCE),
    OnlyWith::new(SCHEMA_SUBJECT, &TOKEN),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::TRUSTSTORE_TYPE),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::TRUSTSTORE_LOCATION),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::TRUSTSTORE_CERTIFICATES),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::KEYSTORE_TYPE),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::KEYSTORE_LOCATION),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::KEYSTORE_CERTIFICATES),
    OnlyWith::new(SCHEMA_SUBJECT, &tls::KEYSTORE_KEY),
    OnlyWith::new(SCHEMA_SUBJECT, &CONNECT_TIMEOUT),
    OnlyWith::new(SCHEMA_SUBJECT, &READ_TIMEOUT),
    OnlyWith::new(SCHEMA_SUBJECT, &PROXY_HOST),
];

/// Names the subject, where it is not said by each message which schema it has.
pub(crate) const SCHEMA_SUBJECT: &str = "schema.subject";

/// How a converter speaks to its registry.
#[derive(Clone, Debug)]
pub(crate) struct ConfluentConfig {
    pub(super) addresses: Vec<Address>,
    pub(super) authorization: Authorization,
    pub(super) tls: TlsConfig,
    pub(super) strategy: SubjectNameStrategy,
    /// What is converted.
    pub(super) side: ConverterType,
    /// Schemas that are kept.
    pub(super) most_schemas: usize,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Authorization {
    /// As each URL says.
    OfUrl,
    /// One header for all.
    Header(Secret),
}

impl ConfluentConfig {
    /// What is converted: keys or values.
    pub(crate) fn side(&self) -> ConverterType {
        self.side
    }

    /// Schemas that are kept.
    pub(crate) fn most_schemas(&self) -> usize {
        self.most_schemas
    }

    /// # Errors
    /// `Config` where a registry cannot be asked like this.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let side = match config.text("converter.type") {
            Some("key") => ConverterType::Key,
            _ => ConverterType::Value,
        };
        let strategy = config.get(if side == ConverterType::Key { &KEY_STRATEGY } else { &VALUE_STRATEGY })?;
        let millis = |key| -> Result<_> { Ok(Duration::from_millis(u64::try_from(config.get(key)?).unwrap_or_default())) };
        config.find(&PROXY_HOST)?;
        Ok(Self {
            addresses: Address::list(config.get(&URL)?.expose())
                .map_err(|reason| Error::config(format!("`{}` {reason}", URL.name())))?,
            authorization: authorization(config)?,
            tls: TlsConfig::new(config)?,
            strategy: SubjectNameStrategy::parse(&strategy).map_err(Error::config)?,
            side,
            most_schemas: usize::try_from(config.get(&MAX_SCHEMAS)?).unwrap_or_default().max(FEWEST_SCHEMAS),
            connect_timeout: millis(&CONNECT_TIMEOUT)?,
            read_timeout: millis(&READ_TIMEOUT)?,
        })
    }
}

/// # Errors
/// `Config` where a source is named that gives nothing.
fn authorization(config: &Config) -> Result<Authorization> {
    if config.find(&BEARER_SOURCE)?.is_some() {
        let token = config.find(&TOKEN)?.ok_or_else(|| lacks(&BEARER_SOURCE, "STATIC_TOKEN", TOKEN.name()))?;
        return header(&format!("Bearer {}", token.expose()));
    }
    if config.get(&BASIC_SOURCE)? == "URL" {
        return Ok(Authorization::OfUrl);
    }
    let user_info = config.find(&USER_INFO)?.map_or_else(|| config.find(&OLD_USER_INFO), |user_info| Ok(Some(user_info)))?;
    let user_info = user_info.ok_or_else(|| lacks(&BASIC_SOURCE, "USER_INFO", USER_INFO.name()))?;
    if !user_info.expose().contains(':') {
        return Err(Error::config(format!("`{}` must be a user and a password with a colon between them", USER_INFO.name())));
    }
    header(&basic(user_info.expose()))
}

fn header(text: &str) -> Result<Authorization> {
    if http::HeaderValue::from_str(text).is_err() {
        return Err(Error::config(format!(
            "`{}` holds a character that no header may have, such as the end of a line",
            TOKEN.name()
        )));
    }
    let text = connect_api::config::ConfigValue::parse(text).map_err(Error::config)?;
    Ok(Authorization::Header(text))
}

fn lacks(source: &ConfigKey<String>, value: &str, key: &str) -> Error {
    Error::config(format!("`{}={value}` needs `{key}`", source.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: (&str, &str) = ("schema.registry.url", "http://user:secret@host:8081");

    fn read(pairs: &[(&str, &str)]) -> Result<ConfluentConfig> {
        ConfluentConfig::new(&[&[MINIMUM], pairs].concat().into_iter().collect())
    }

    fn sent(pairs: &[(&str, &str)]) -> Option<String> {
        match read(pairs).unwrap().authorization {
            Authorization::OfUrl => None,
            Authorization::Header(text) => Some(text.expose().to_owned()),
        }
    }

    #[test]
    fn who_asks_is_said_in_the_url_the_user_info_or_a_token() {
        assert_eq!(sent(&[]), None);
        let user_info = ("basic.auth.credentials.source", "USER_INFO");
        for key in ["basic.auth.user.info", "schema.registry.basic.auth.user.info"] {
            assert_eq!(sent(&[user_info, (key, "user:p@ss")]).as_deref(), Some("Basic dXNlcjpwQHNz"));
        }
        let token = [("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "t")];
        assert_eq!(sent(&token).as_deref(), Some("Bearer t"));
        assert!(read(&[user_info, ("basic.auth.user.info", "nobody")]).unwrap_err().to_string().contains("a colon between"));
        let broken = [token[0], ("bearer.auth.token", "a\nb")];
        assert!(!read(&broken).unwrap_err().to_string().contains("a\nb"));
        assert_eq!(
            read(&[user_info]).unwrap_err().to_string(),
            "`basic.auth.credentials.source=USER_INFO` needs `basic.auth.user.info`"
        );
        assert_eq!(
            read(&token[..1]).unwrap_err().to_string(),
            "`bearer.auth.credentials.source=STATIC_TOKEN` needs `bearer.auth.token`"
        );
    }

    #[test]
    fn the_side_decides_which_strategy_counts() {
        let strategies =
            [("key.subject.name.strategy", "RecordNameStrategy"), ("value.subject.name.strategy", "TopicRecordNameStrategy")];
        let strategy = |side| read(&[&strategies[..], &[("converter.type", side)]].concat()).unwrap().strategy;
        assert_eq!(strategy("key"), SubjectNameStrategy::Record);
        assert_eq!(strategy("value"), SubjectNameStrategy::TopicRecord);
    }

    #[test]
    fn no_secret_is_printed() {
        let config = read(&[("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "secret")]).unwrap();
        assert!(!format!("{config:?}").contains("secret"));
    }
}
