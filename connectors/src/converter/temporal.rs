//! The text of dates and times in headers, in UTC.

const DAY: i64 = 86_400_000;

/// Length of `HH:mm:ss.SSSZ`.
const TIME: usize = 13;
/// Length of `yyyy-MM-dd`.
const DATE: usize = 10;
/// Length of `yyyy-MM-ddTHH:mm:ss.SSSZ`.
const TIMESTAMP: usize = 24;

/// The milliseconds since 1970 of a text that has the length of a date, a time or both. Colons may be escaped. As in Java, fields may be too large
/// and then carry over: `2019-13-45` is a day in 2020.
pub(super) fn parse(text: &str) -> Option<i64> {
    let text = text.replace("\\:", ":");
    let mut fields = Fields { rest: &text };
    match text.len() {
        TIME => time(&mut fields),
        DATE => date(&mut fields),
        TIMESTAMP => {
            let day = date(&mut fields)?;
            fields.literal("T")?;
            Some(day + time(&mut fields)?)
        }
        _ => None,
    }
}

struct Fields<'a> {
    rest: &'a str,
}

impl Fields<'_> {
    fn number(&mut self) -> Option<i64> {
        /// More would not fit the milliseconds.
        const MAX_DIGITS: usize = 8;
        let len = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if len > MAX_DIGITS {
            return None;
        }
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        digits.parse().ok()
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }
}

fn date(fields: &mut Fields<'_>) -> Option<i64> {
    let year = fields.number()?;
    fields.literal("-")?;
    let month = fields.number()?;
    fields.literal("-")?;
    Some(days_before(year, month - 1) * DAY + (fields.number()? - 1) * DAY)
}

fn time(fields: &mut Fields<'_>) -> Option<i64> {
    let hours = fields.number()?;
    fields.literal(":")?;
    let minutes = fields.number()?;
    fields.literal(":")?;
    let seconds = fields.number()?;
    fields.literal(".")?;
    let millis = fields.number()?;
    fields.literal("Z")?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

/// Days from 1970 to the first of a month, counted from 0; months beyond the year carry over.
fn days_before(year: i64, month: i64) -> i64 {
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
    // Years that begin in March end with the leap day.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 - 719_468
}

/// A time if it is in the first day, a date if it is midnight, both otherwise. Before 1970 everything is a time: Java's rule.
pub(crate) fn print(millis: i64) -> String {
    if millis < DAY {
        print_time(millis)
    } else if millis % DAY == 0 {
        print_date(millis / DAY)
    } else {
        format!("{}T{}", print_date(millis.div_euclid(DAY)), print_time(millis))
    }
}

fn print_time(millis: i64) -> String {
    let millis = millis.rem_euclid(DAY);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `2020-06-15`, of a day since 1970-01-01, or before it.
pub(crate) fn print_date(day: i64) -> String {
    // 400 years have 146,097 days: a guess that is never too late, and too early by a few years at most.
    let mut year = 1970 + (day * 400).div_euclid(146_097) - 2;
    while days_before(year + 1, 0) <= day {
        year += 1;
    }
    let month = (1..12).take_while(|&month| days_before(year, month) <= day).count() as i64;
    format!("{year:04}-{:02}-{:02}", month + 1, day - days_before(year, month) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_every_century_print() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (-366, "1968-12-31"),
            (-8_773, "1945-12-25"),
            (-719_162, "0001-01-01"),
            (18_428, "2020-06-15"),
        ] {
            assert_eq!(print_date(day), expected);
        }
        for day in -50_000..50_000 {
            let days: i64 = print_date(day).rsplit('-').next().unwrap().parse().unwrap();
            assert!((1..=31).contains(&days), "{day}");
        }
    }
}
