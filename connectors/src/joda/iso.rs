//! ISO 8601 texts as Joda-Time's general parser takes them: a date with as much of it as there is, a `T`, a time with as much of it as there is, an offset.

use super::{
    civil::{DAY, days, days_in_month, first_monday},
    zone::Zone,
};

const YEARS: std::ops::RangeInclusive<i64> = -292_275_055..=292_278_994;

/// What stands between date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// As on the JVM.
    T,
    /// One blank may stand in its place.
    TOrBlank,
}

/// The instant of a text in milliseconds since 1970. A text without an offset is read in `zone`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str, zone: &Zone, separator: Separator) -> Result<i64, String> {
    let blank = separator == Separator::TOrBlank;
    let invalid = || format!("Invalid format: \"{text}\"");
    let (day, rest) = match date(text) {
        Some(found) => found,
        // Without a date it is a time of the first day.
        None if text.strip_prefix(['T', 't']).is_some_and(|time| digits(time, 2).is_some()) => (Ok(0), text),
        None => return Err(invalid()),
    };
    let has_time = rest.starts_with(['T', 't']) || blank && is_time_after_blank(rest);
    let (time, rest) = if has_time { time(&rest[1..]) } else { (Ok(0), rest) };
    let (offset, rest) = match offset(rest).filter(|_| has_time) {
        Some((offset, rest)) => (Some(offset), rest),
        None => (None, rest),
    };
    if !rest.is_empty() {
        return Err(format!("{} is malformed at \"{rest}\"", invalid()));
    }
    let cannot = |reason: String| format!("Cannot parse \"{text}\": {reason}");
    let local = day.map_err(cannot)?.saturating_mul(DAY).saturating_add(time.map_err(cannot)?);
    match offset {
        Some(offset) => Ok(local.saturating_sub(offset)),
        None => zone
            .to_instant(local)
            .ok_or_else(|| cannot(format!("Illegal instant due to time zone offset transition ({})", zone.name()))),
    }
}

fn is_time_after_blank(rest: &str) -> bool {
    rest.strip_prefix(' ').is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()))
}

/// A value, or which part of the text is out of its range.
type Checked = Result<i64, String>;

/// Days since 1970, and what follows. Of the three ways to write a date the one that takes most of the text is meant.
fn date(text: &str) -> Option<(Checked, &str)> {
    let (year, rest) = signed(text)?;
    let candidates = [month_date(year, rest), week_date(year, rest), ordinal_date(year, rest)];
    let mut best: Option<(Checked, &str)> = None;
    for candidate in candidates.into_iter().flatten() {
        if best.as_ref().is_none_or(|(_, rest)| candidate.1.len() < rest.len()) {
            best = Some(candidate);
        }
    }
    let (day, rest) = best?;
    Some((in_range("year", year, YEARS).and(day), rest))
}

fn month_date(year: i64, rest: &str) -> Option<(Checked, &str)> {
    let Some((month, after_month)) = rest.strip_prefix('-').and_then(|rest| digits(rest, 2)) else {
        return Some((Ok(days(year, 1, 1)), rest));
    };
    let (day, rest) = after_month.strip_prefix('-').and_then(|rest| digits(rest, 2)).unwrap_or((1, after_month));
    let checked = in_range("monthOfYear", month, 1..=12).and_then(|month| {
        let day = in_range("dayOfMonth", day, 1..=days_in_month(year, month))?;
        Ok(days(year, month, day))
    });
    Some((checked, rest))
}

fn week_date(year: i64, rest: &str) -> Option<(Checked, &str)> {
    let (week, after_week) = rest.strip_prefix("-W").or_else(|| rest.strip_prefix("-w")).and_then(|rest| digits(rest, 2))?;
    let (day, rest) = after_week.strip_prefix('-').and_then(|rest| digits(rest, 1)).unwrap_or((1, after_week));
    let weeks = (first_monday(year + 1) - first_monday(year)) / 7;
    let checked = in_range("weekOfWeekyear", week, 1..=weeks).and_then(|week| {
        let day = in_range("dayOfWeek", day, 1..=7)?;
        Ok(first_monday(year) + (week - 1) * 7 + day - 1)
    });
    Some((checked, rest))
}

fn ordinal_date(year: i64, rest: &str) -> Option<(Checked, &str)> {
    let (day, rest) = digits(rest.strip_prefix('-')?, 3)?;
    let length = days(year + 1, 1, 1) - days(year, 1, 1);
    Some((in_range("dayOfYear", day, 1..=length).map(|day| days(year, 1, day)), rest))
}

/// Milliseconds of the day, and what follows. Nothing at all is midnight.
fn time(text: &str) -> (Checked, &str) {
    let units = [("hourOfDay", 23, 3_600_000), ("minuteOfHour", 59, 60_000), ("secondOfMinute", 59, 1_000)];
    let (mut millis, mut rest) = (Ok(0), text);
    for (index, (name, most, unit)) in units.into_iter().enumerate() {
        let field = if index == 0 { Some(rest) } else { rest.strip_prefix(':') };
        let Some((value, after)) = field.and_then(|field| digits(field, 2)) else { break };
        millis = millis.and_then(|millis| Ok(millis + in_range(name, value, 0..=most)? * unit));
        rest = after;
        // The last unit that is given may have a fraction.
        if let Some((fraction, after)) = rest.strip_prefix(['.', ',']).and_then(|rest| fraction(rest, unit)) {
            return (millis.map(|millis| millis + fraction), after);
        }
    }
    (millis, rest)
}

/// Up to nine digits of a unit, in milliseconds; what is smaller is dropped.
fn fraction(text: &str, unit: i64) -> Option<(i64, &str)> {
    let (value, rest) = digits(text, 9)?;
    let scale = 10_i64.checked_pow(u32::try_from(text.len() - rest.len()).ok()?)?;
    Some((value * unit / scale, rest))
}

/// `Z`, `+02`, `+0230`, `+02:30`: milliseconds ahead of UTC.
fn offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let (seconds, rest) = offset_fields(rest)?;
    let whole = i64::from(seconds) * 1_000;
    // Only seconds have a fraction, and only where colons stand between the fields.
    let told = text.len() - rest.len() == "+00:00:00".len();
    match rest.strip_prefix(['.', ',']).filter(|_| told).and_then(|rest| digits(rest, 3).map(|found| (found, rest))) {
        Some(((value, after), before)) => {
            let millis = value * [1_000, 100, 10, 1].get(before.len() - after.len())?;
            Some((sign * (whole + millis), after))
        }
        None => Some((sign * whole, rest)),
    }
}

/// `02`, `0230`, `02:30`, `02:30:15` after the sign: seconds, and what follows.
pub(super) fn offset_fields(text: &str) -> Option<(i32, &str)> {
    let two = |text: &str, most: i32| {
        let pair = text.get(..2).filter(|pair| pair.bytes().all(|digit| digit.is_ascii_digit()))?;
        pair.parse::<i32>().ok().filter(|value| *value <= most)
    };
    let mut seconds = two(text, 23)? * 3_600;
    let mut rest = &text[2..];
    let separator = if rest.starts_with(':') { ":" } else { "" };
    for unit in [60, 1] {
        let Some(field) = rest.strip_prefix(separator).filter(|field| field.starts_with(|c: char| c.is_ascii_digit())) else {
            // A colon must be followed by something.
            return if separator.is_empty() || !rest.starts_with(':') { Some((seconds, rest)) } else { None };
        };
        seconds += two(field, 59)? * unit;
        rest = &field[2..];
    }
    Some((seconds, rest))
}

/// A number with or without a sign, of at most nine digits.
fn signed(text: &str) -> Option<(i64, &str)> {
    let (sign, rest) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(rest), _) => (-1, rest),
        (_, Some(rest)) => (1, rest),
        _ => (1, text),
    };
    digits(rest, 9).map(|(value, rest)| (sign * value, rest))
}

/// At least one digit, and at most so many.
fn digits(text: &str, most: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(count);
    Some((digits.parse().ok()?, rest))
}

fn in_range(name: &str, value: i64, range: std::ops::RangeInclusive<i64>) -> Checked {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!("Value {value} for {name} must be in the range [{},{}]", range.start(), range.end()))
}
