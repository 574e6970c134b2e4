//! What partitioners that go by time have in common: a pattern, and how long a directory lasts.

use std::ops::Range;

use connect_api::{
    Error, Result,
    config::{Config, ConfigKey},
};

use crate::joda::{Pattern, Texts, Zone};

pub(super) static LOCALE: ConfigKey<String> = ConfigKey::required(
    "locale",
    "The language of names of months, days and eras in directories, as a code such as `en`, in any case. As on the JVM, a code with a country (`en-US`) is no \
     language: names are then the short English ones.",
)
.check(|locale| if locale.is_empty() { Err("Locale cannot be empty: write `en`, for example".to_owned()) } else { Ok(()) });
static TIME_ZONE: ConfigKey<String> = ConfigKey::with_default("timezone", "", "");
static DIRECTORY_DELIMITER: ConfigKey<String> = ConfigKey::with_default("directory.delim", "/", "");

/// A directory for each span of local time.
#[derive(Debug)]
pub(super) struct ByTime {
    /// Milliseconds.
    duration: i64,
    pattern: Pattern,
}

impl ByTime {
    /// Directories of this pattern that last so many milliseconds. One delimiter of directories at the end of the pattern is dropped.
    ///
    /// # Errors
    /// `Config` where the pattern, the zone or the language is missing or cannot be used.
    pub(super) fn new(config: &Config, duration: i64, pattern: &str) -> Result<Self> {
        Self::of(config, &config.get(&LOCALE)?, duration, ("path.format", pattern))
    }

    /// The same, in this language, with a pattern that stands in the value of this key.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn of(config: &Config, locale: &str, duration: i64, (of, pattern): (&str, &str)) -> Result<Self> {
        let delimiter = config.get(&DIRECTORY_DELIMITER)?;
        let invalid = |key: &str, value: &str, reason: &str| {
            Error::config(format!("Invalid value {value} for configuration {key}: {reason}"))
        };
        if pattern.trim().is_empty() || *pattern == delimiter {
            let reason = "Path format cannot be empty: write 'year'=YYYY/'month'=MM/'day'=dd, for example";
            return Err(invalid(of, pattern, reason));
        }
        let zone = config.get(&TIME_ZONE)?;
        if zone.is_empty() {
            return Err(invalid("timezone", "", "Timezone cannot be empty: write UTC, for example"));
        }
        let zone = Zone::of(&zone).map_err(|reason| Error::config(format!("timezone: {reason}")))?;
        let texts = Texts::of(locale);
        let written = pattern;
        let pattern = pattern.strip_suffix(delimiter.as_str()).unwrap_or(pattern);
        let pattern = Pattern::new(pattern, zone, texts).map_err(|reason| invalid(of, written, &reason))?;
        Ok(Self { duration, pattern })
    }

    /// The pattern `'year'=YYYY/'month'=MM/'day'=dd` and what may follow it, with the configured delimiter.
    ///
    /// # Errors
    /// `Config` where the delimiter cannot be read.
    pub(super) fn pattern_of(config: &Config, parts: &[&str]) -> Result<String> {
        Ok(parts.join(&config.get(&DIRECTORY_DELIMITER)?))
    }

    pub(super) fn bucket(&self, time: i64) -> Range<i64> {
        self.pattern.zone().bucket(time, self.duration)
    }

    pub(super) fn encode(&self, time: i64, encoded: &mut String) {
        self.pattern.format(self.pattern.zone().truncate(time, self.duration), encoded);
    }
}

/// The three parts that both fixed patterns begin with.
pub(super) const DATE: [&str; 3] = ["'year'=YYYY", "'month'=MM", "'day'=dd"];

/// A partitioner that is its [`ByTime`] and no more.
macro_rules! by_time {
    ($name:ident) => {
        impl connect_api::Partitioner for $name {
            fn partitioned_by(&self) -> connect_api::PartitionedBy {
                connect_api::PartitionedBy::Time
            }

            fn bucket(&self, time: i64) -> std::ops::Range<i64> {
                self.0.bucket(time)
            }

            fn encode_partition(
                &self,
                _record: &connect_api::SinkRecord,
                time: i64,
                encoded: &mut String,
            ) -> connect_api::Result<()> {
                self.0.encode(time, encoded);
                Ok(())
            }
        }
    };
}
pub(super) use by_time;
