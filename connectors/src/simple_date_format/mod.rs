//! Dates as Java's `java.text.SimpleDateFormat` writes and reads them, in English and in UTC: what `format` means to `TimestampConverter` and
//! `timestamp.format` to `TimestampRouter`.
//!
//! | file | part |
//! |---|---|
//! | `pattern` | the pattern language, compiled once |
//! | `format` | instants to texts |
//! | `parse`, `number`, `zone` | texts to fields of a date |
//! | `fields` | fields of a date to instants, as lenient as `java.util.Calendar` |
//! | `calendar` | days, months and weeks; Julian before 15 October 1582 |
//! | `names` | names of months, days, eras |
//!
//! Facts are those of Java 17 with the locale `en`, which `en_US` shares: Kafka names no locale, so that it is the JVM's, and this is what a JVM takes where
//! none is set. Weeks begin on Sunday, and the first week of a year is the one with 1 January. (`Locale.ROOT` has the same weeks, short names in place of
//! the long ones, and the eras BCE and CE.)
//!
//! Left out of Java: a named time zone that was parsed (`PST`) is not the zone that is formatted in from then on; its offset is today's, whatever the date;
//! few names are known. `YYYY` is the true year of the week before Christ, too, where Java is wrong on some of a year's last days.

mod calendar;
mod fields;
mod format;
mod names;
mod number;
mod parse;
mod pattern;
#[cfg(test)]
mod vectors;
mod zone;

pub(crate) use pattern::SimpleDateFormat;
