//! Where objects are put.

mod local;
mod memory;
mod metered;
mod names;
mod object_store;
pub(crate) mod s3;

use std::sync::Arc;

use connect_api::{
    Error, Result, Storage,
    config::{AnyConfigKey, Config, ConfigKey, ConfigType, ConfigValue, Importance, Problem, Problems},
};

pub use self::memory::memory_storage;
pub(crate) use self::metered::{METRICS, Metered};

/// A Java class name, or another name in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassName(pub(crate) String);

impl ConfigValue for ClassName {
    const TYPE: ConfigType = ConfigType::Class;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

/// How many names the storages of this process list at once: as many as S3.
const PAGE: usize = 1_000;

const S3: &str = "io.confluent.connect.s3.storage.S3Storage";
const LOCAL: &str = "local";
const MEMORY: &str = "memory";
const NAMES: &str = "names";

pub(crate) static STORAGE_CLASS: ConfigKey<ClassName> = ConfigKey::required(
    "storage.class",
    "Where objects are put: `io.confluent.connect.s3.storage.S3Storage`, or, beyond the JVM connector, `local` (a directory, with \
     `store.url=file:///directory`), `memory` (this process, with `store.url=memory://name`) or `names` (keeps names and forgets bodies: \
     for measuring only).",
)
.importance(Importance::High)
.one_of(&[S3, LOCAL, MEMORY, NAMES]);

pub(crate) static STORE_URL: ConfigKey<String> = ConfigKey::optional(
    "store.url",
    "The store's address where it is not AWS: `http://host:port`. Without a scheme, `https://` is meant, and no port may follow. \
     Without it the environment's `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` count, as for every AWS SDK.",
)
.importance(Importance::High);

/// The keys that choose a storage and set it up.
pub(crate) fn keys() -> Vec<&'static dyn AnyConfigKey> {
    let mut keys: Vec<&'static dyn AnyConfigKey> = vec![&STORAGE_CLASS, &STORE_URL];
    keys.extend(s3::keys());
    keys
}

/// What is wrong with keys that are right each by itself.
pub(crate) fn validate(config: &Config) -> Problems {
    let checked = match config.get(&STORAGE_CLASS) {
        Ok(ClassName(class)) if class == S3 => return s3::validate(config),
        Ok(ClassName(class)) if class == LOCAL => local::directory(config).map(drop),
        _ => Ok(()),
    };
    let mut problems = Problems::default();
    if let Err(reason) = checked {
        let origin = config.entry(STORE_URL.name()).and_then(|entry| entry.origin.clone());
        problems.push(Problem::of_key(STORE_URL.name(), reason).at(origin));
    }
    problems
}

/// What works and is probably not meant.
pub(crate) fn warnings(config: &Config) -> Problems {
    match config.get(&STORAGE_CLASS) {
        Ok(ClassName(class)) if class == S3 => s3::warnings(config),
        _ => Problems::default(),
    }
}

/// What names lie in: the same text where it is the same store and bucket, as far as one can know it without asking. Nothing where names never meet, or
/// the settings are refused.
pub(crate) fn place(config: &Config) -> Option<String> {
    match config.get(&STORAGE_CLASS).ok()?.0.as_str() {
        S3 => s3::place(config),
        LOCAL => local::directory(config).ok().map(|directory| format!("file:///{directory}")),
        MEMORY => Some(format!("memory://{}", config.text(STORE_URL.name()).map_or("", memory::name))),
        _ => None,
    }
}

/// The storage that the configuration names. Does no I/O; one per connector is enough, whatever the number of its tasks.
///
/// # Errors
/// `Config` where it cannot work like this.
pub(crate) fn open(config: &Config) -> Result<Arc<dyn Storage>> {
    match config.get(&STORAGE_CLASS)?.0.as_str() {
        LOCAL => Ok(Arc::new(local::open(&local::directory(config).map_err(Error::config)?))),
        MEMORY => Ok(memory_storage(config.text(STORE_URL.name()).map_or("", memory::name))),
        NAMES => Ok(Arc::new(names::Names::default())),
        _ => Ok(Arc::new(s3::S3Storage::new(&s3::S3Config::try_from(config)?)?)),
    }
}
