//! Dates as Joda-Time writes and reads them: what `path.format`, `locale`, `timezone` and `timestamp.field` mean to the JVM connector.
//!
//! | file | part |
//! |---|---|
//! | `pattern` | the pattern language, compiled once |
//! | `civil` | years, weeks and days of the ISO calendar |
//! | `zone` | ids and offsets of time zones, local times to instants |
//! | `texts`, `locales.tsv`, `zones.tsv` | names of months, days, eras and zones: facts of CLDR 39, as Java 17 answers them |
//! | `iso` | ISO 8601 texts as Joda-Time's general parser takes them |

mod civil;
mod iso;
mod pattern;
mod texts;
#[cfg(test)]
mod vectors;
mod zone;

pub(crate) use iso::{Separator, parse as parse_iso};
pub(crate) use pattern::Pattern;
pub(crate) use texts::Texts;
pub(crate) use zone::Zone;
