//! The pattern language: letters are fields of a date, their number is the width, anything else is itself.

use std::fmt::Write;

use super::{
    civil::Local,
    texts::{Texts, ZoneNames},
    zone::Zone,
};

/// A pattern with its zone and its language, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    segments: Vec<Segment>,
    zone: Zone,
    texts: Texts,
    zone_names: Option<ZoneNames>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Number(Number, usize),
    /// Two digits of a year.
    ShortYear(Number),
    /// Digits of the fraction of a second.
    Fraction(usize),
    Text(Text),
    ZoneId,
    /// With a colon, or without.
    Offset(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Century,
    YearOfEra,
    Year,
    WeekYear,
    Week,
    DayOfWeek,
    DayOfYear,
    Month,
    Day,
    /// 0 to 11.
    Hour11,
    /// 1 to 12.
    Hour12,
    /// 0 to 23.
    Hour23,
    /// 1 to 24.
    Hour24,
    Minute,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Era,
    HalfOfDay,
    ShortDay,
    Day,
    ShortMonth,
    Month,
    ShortZone,
    Zone,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is not understood.
    pub(crate) fn new(pattern: &str, zone: Zone, texts: Texts) -> Result<Self, String> {
        if pattern.is_empty() {
            return Err("Invalid pattern specification: Pattern is null or empty".to_owned());
        }
        let segments = compile(pattern)?;
        let names_zones = segments.iter().any(|segment| matches!(segment, Segment::Text(Text::ShortZone | Text::Zone)));
        if names_zones && !texts.have_zones() {
            return Err("names of time zones (`z`) are known in English only: take `Z`, `ZZ` or `ZZZ`, or `locale=en`".to_owned());
        }
        let zone_names = if names_zones { texts.zone(zone.id()) } else { None };
        Ok(Self { segments, zone, texts, zone_names })
    }

    /// The zone that it is written in.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Appends the text of an instant, in milliseconds since 1970.
    pub(crate) fn format(&self, instant: i64, out: &mut String) {
        let offset = self.zone.offset(instant);
        let local = Local::new(instant.saturating_add(offset));
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Number(number, width) => padded(number.of(local), *width, out),
                Segment::ShortYear(number) => padded(number.of(local).abs() % 100, 2, out),
                Segment::Fraction(width) => fraction(local.millis_of_day() % 1_000, *width, out),
                Segment::Text(text) => self.text(*text, local, (instant, offset), out),
                Segment::ZoneId => out.push_str(self.zone.id()),
                Segment::Offset(colon) => push_offset(offset, if *colon { ":" } else { "" }, out),
            }
        }
    }

    fn text(&self, text: Text, local: Local, (instant, offset): (i64, i64), out: &mut String) {
        let texts = &self.texts;
        let is_standard = || self.zone.is_standard(instant);
        let zone = || self.zone_names.as_ref().map(|names| if is_standard() { names.standard } else { names.summer });
        // Fields count from 1, lists from 0.
        let (list, number) = match text {
            Text::Era => (&texts.eras, i64::from(!local.year_of_era().1)),
            Text::HalfOfDay => (&texts.halves, local.hour() / 12),
            Text::ShortDay => (&texts.short_days, local.day_of_week() - 1),
            Text::Day => (&texts.days, local.day_of_week() - 1),
            Text::ShortMonth => (&texts.short_months, local.month - 1),
            Text::Month => (&texts.months, local.month - 1),
            Text::ShortZone | Text::Zone => {
                return match zone() {
                    Some(name) => out.push_str(if text == Text::Zone { name.long } else { name.short }),
                    // A zone that is its offset is its own name.
                    None if self.zone.id().starts_with(['+', '-']) => out.push_str(self.zone.id()),
                    None => push_offset(offset, ":", out),
                };
            }
        };
        let text = usize::try_from(number).ok().and_then(|number| list.get(number));
        out.push_str(text.copied().unwrap_or_default());
    }
}

impl Number {
    fn of(self, local: Local) -> i64 {
        let hour = local.hour();
        match self {
            Self::Century => local.year_of_era().0 / 100,
            Self::YearOfEra => local.year_of_era().0,
            Self::Year => local.year,
            Self::WeekYear => local.week().0,
            Self::Week => local.week().1,
            Self::DayOfWeek => local.day_of_week(),
            Self::DayOfYear => local.day_of_year(),
            Self::Month => local.month,
            Self::Day => local.day,
            Self::Hour11 => hour % 12,
            Self::Hour12 => (hour + 11) % 12 + 1,
            Self::Hour23 => hour,
            Self::Hour24 => (hour + 23) % 24 + 1,
            Self::Minute => local.millis_of_day() / 60_000 % 60,
            Self::Second => local.millis_of_day() / 1_000 % 60,
        }
    }
}

fn compile(pattern: &str) -> Result<Vec<Segment>, String> {
    let mut segments = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_alphabetic() {
            let width = rest.chars().take_while(|letter| *letter == first).count();
            let token;
            (token, rest) = rest.split_at(width);
            segments.push(field(first, width).ok_or_else(|| format!("Illegal pattern component: {token}"))?);
        } else {
            let text;
            (text, rest) = literal(rest);
            segments.push(Segment::Literal(text));
        }
    }
    Ok(segments)
}

fn field(letter: char, width: usize) -> Option<Segment> {
    let number = |number| Segment::Number(number, width);
    let text = |short, long| Segment::Text(if width >= 4 { long } else { short });
    Some(match (letter, width) {
        ('G', _) => Segment::Text(Text::Era),
        ('C', _) => number(Number::Century),
        ('Y' | 'y', 2) => Segment::ShortYear(Number::Year),
        ('x', 2) => Segment::ShortYear(Number::WeekYear),
        ('Y', _) => number(Number::YearOfEra),
        ('y', _) => number(Number::Year),
        ('x', _) => number(Number::WeekYear),
        ('M', 1 | 2) => number(Number::Month),
        ('M', _) => text(Text::ShortMonth, Text::Month),
        ('d', _) => number(Number::Day),
        ('a', _) => Segment::Text(Text::HalfOfDay),
        ('h', _) => number(Number::Hour12),
        ('H', _) => number(Number::Hour23),
        ('k', _) => number(Number::Hour24),
        ('K', _) => number(Number::Hour11),
        ('m', _) => number(Number::Minute),
        ('s', _) => number(Number::Second),
        ('S', _) => Segment::Fraction(width),
        ('e', _) => number(Number::DayOfWeek),
        ('E', _) => text(Text::ShortDay, Text::Day),
        ('D', _) => number(Number::DayOfYear),
        ('w', _) => number(Number::Week),
        ('z', _) => text(Text::ShortZone, Text::Zone),
        ('Z', 1 | 2) => Segment::Offset(width == 2),
        ('Z', _) => Segment::ZoneId,
        _ => return None,
    })
}

/// What stands there as it is, up to the next letter outside of quotes, and the rest. Two quotes are one, inside of others too; a quote that is not closed runs to
/// the end.
fn literal(pattern: &str) -> (String, &str) {
    let (mut text, mut quoted) = (String::new(), false);
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("''") {
            text.push('\'');
            rest = after;
            continue;
        }
        match next {
            '\'' => quoted = !quoted,
            letter if letter.is_ascii_alphabetic() && !quoted => break,
            other => text.push(other),
        }
        rest = &rest[next.len_utf8()..];
    }
    (text, rest)
}

/// Zeros stand between the sign and the digits.
fn padded(number: i64, width: usize, out: &mut String) {
    let sign = if number < 0 { "-" } else { "" };
    // Writing to a String cannot fail.
    let _infallible = write!(out, "{sign}{:0width$}", number.unsigned_abs());
}

/// The first digits of the fraction, and zeros where there are no more.
fn fraction(millis: i64, width: usize, out: &mut String) {
    let digits = format!("{millis:03}");
    out.extend(digits.chars().chain(std::iter::repeat('0')).take(width));
}

fn push_offset(offset: i64, colon: &str, out: &mut String) {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60_000;
    let _infallible = write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pattern: &str, zone: &str, locale: &str, instant: i64) -> String {
        let mut text = "before ".to_owned();
        Pattern::new(pattern, Zone::of(zone).unwrap(), Texts::of(locale)).unwrap().format(instant, &mut text);
        text.strip_prefix("before ").unwrap().to_owned()
    }

    #[test]
    fn the_vectors_of_the_specification_hold() {
        let pattern = "YYYY YY MMM MMMM EEE EEEE a h K k SSS Z ZZ ZZZ C";
        assert_eq!(
            format(pattern, "UTC", "en", 1_592_217_612_345),
            "2020 20 Jun June Mon Monday AM 10 10 10 345 +0000 +00:00 UTC 20"
        );
        assert_eq!(format("x-'W'ww-e D", "UTC", "en", 1_609_372_800_000), "2020-W53-4 366");
    }

    #[test]
    fn zones_are_named_in_the_season_of_the_instant_and_where_they_have_no_name_by_their_offset() {
        let summer = 1_600_000_000_000;
        assert_eq!(format("z zzzz", "Europe/Berlin", "en", summer), "CEST Central European Summer Time");
        assert_eq!(format("z zzzz", "Europe/Berlin", "en", summer + 15_552_000_000), "CET Central European Standard Time");
        assert_eq!(format("z zzzz ZZZ", "Etc/GMT-14", "en", summer), "+14:00 +14:00 Etc/GMT-14");
        assert_eq!(format("z ZZZ Z", "+05:30:15", "en", summer), "+05:30:15 +05:30:15 +0530");
        assert_eq!(format("zz", "Europe/Dublin", "en", summer), "IST");
        assert_eq!(format("zz", "Europe/Dublin", "en", summer + 15_552_000_000), "GMT");
    }

    #[test]
    fn years_before_christ_and_after_ten_thousand_are_written_as_on_the_jvm() {
        let (before, after) = (-93_755_660_172_123, i64::MAX - 86_400_000);
        assert_eq!(format("G YY y x C yyyyyyyyyyy", "Europe/Berlin", "en", before), "BC 01 -1001 -1001 10 -00000001001");
        assert_eq!(format("C YY y Z", "Europe/Berlin", "en", after), "2922789 94 292278994 +0200");
        assert_eq!(format("SSSSS", "UTC", "en", -1), "99900");
    }

    #[test]
    fn names_of_zones_are_refused_in_a_language_that_has_none_and_only_there() {
        let compiled = |pattern: &str, locale: &str| Pattern::new(pattern, Zone::utc(), Texts::of(locale)).map(drop);
        assert!(compiled("zzzz", "de").unwrap_err().contains("locale=en"));
        assert!(compiled("MMMM ZZZ", "de").is_ok() && compiled("zzzz", "en-US").is_ok());
    }
}
