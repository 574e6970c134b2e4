//! Texts to fields of a date.

use super::{
    calendar::{CUTOVER_YEAR, DAY, Date, EPOCH, Rule},
    fields::{Field, Fields},
    names::{self, longest},
    number,
    pattern::{Item, Letter, SimpleDateFormat, Spec},
    zone,
};

/// The hundred years that two-digit years lie in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Century {
    /// Milliseconds since 1970.
    start: i64,
    first_year: i64,
}

impl Century {
    /// From 80 years before a time, in milliseconds since 1970, to 20 years after it.
    pub(super) fn ending_around(now: i64) -> Self {
        let today = Date::new(now.div_euclid(DAY) + EPOCH);
        let first_year = today.year - 80;
        let rule = if first_year > CUTOVER_YEAR { Rule::Gregorian } else { Rule::Julian };
        let day = rule.first_of_month(first_year, today.month) + today.day.min(rule.month_length(first_year, today.month)) - 1;
        Self { start: (day - EPOCH).saturating_mul(DAY).saturating_add(now.rem_euclid(DAY)), first_year }
    }

    /// The full year, and whether it is the first, which may have to be the one after the last.
    fn year(self, two_digits: i32) -> (i32, bool) {
        let (year, first) = (i64::from(two_digits), self.first_year % 100);
        let full = self.first_year / 100 * 100 + year + if year < first { 100 } else { 0 };
        (i32::try_from(full).unwrap_or(two_digits), year == first)
    }
}

impl SimpleDateFormat {
    /// The instant of a text, in milliseconds since 1970. As `DateFormat.parse(String)`: values outside of their range go on counting, and what follows
    /// the last field is ignored. `None` where the text does not fit the pattern, or nothing of it was needed.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        let mut reading = Reading { fields: Fields::default(), century: self.century, is_first_year: false };
        let mut rest = text;
        for item in &self.items {
            rest = match item {
                Item::Literal(literal) => rest.strip_prefix(literal.as_str())?,
                Item::Field(spec) => reading.field(*spec, rest)?,
            };
        }
        (rest.len() < text.len()).then(|| reading.millis())
    }
}

struct Reading {
    fields: Fields,
    century: Century,
    is_first_year: bool,
}

impl Reading {
    fn millis(&mut self) -> i64 {
        let millis = self.fields.millis();
        if !self.is_first_year || millis >= self.century.start {
            return millis;
        }
        self.fields.add_to_years(100);
        self.fields.millis()
    }

    /// Reads one field, and tells what follows.
    fn field<'t>(&mut self, spec: Spec, text: &'t str) -> Option<&'t str> {
        let trimmed = text.trim_start_matches([' ', '\t']);
        let blanks = text.len() - trimmed.len();
        if trimmed.is_empty() {
            return None;
        }
        match spec.letter {
            // Blanks are skipped for numbers and zones alone.
            Letter::Era => self.name(Field::Era, text, names::ERAS.into_iter().chain(names::LONG_ERAS)),
            Letter::Month if spec.count > 2 => self.name(Field::Month, text, names::MONTHS.into_iter().chain(names::SHORT_MONTHS)),
            Letter::DayName => self.name(Field::DayOfWeek, text, names::DAYS.into_iter().chain(names::SHORT_DAYS)),
            Letter::Half => self.name(Field::Half, text, names::HALVES),
            Letter::ZoneName | Letter::ZoneOffset => Some(self.offset(zone::read(trimmed, blanks)?)),
            Letter::IsoOffset => Some(self.offset(zone::read_iso(trimmed, spec.count)?)),
            _ => {
                let window = if spec.is_abutting { utf16_prefix(text, spec.count)?.get(blanks..)? } else { trimmed };
                let (value, rest) = number::read(window)?;
                let used = window.len() - rest.len();
                self.number(spec, value, &window[..used]);
                trimmed.get(used..)
            }
        }
    }

    /// Names come in one or two lists of the same length.
    fn name<'t>(&mut self, field: Field, text: &'t str, all: impl IntoIterator<Item = &'static str>) -> Option<&'t str> {
        let (index, rest) = longest(text, all)?;
        let index = i32::try_from(index).ok()?;
        let value = match field {
            Field::Month => index % 12,
            Field::DayOfWeek => index % 7 + 1,
            _ => index % 2,
        };
        self.fields.set(field, value);
        Some(rest)
    }

    fn offset<'t>(&mut self, (minutes, rest): (i32, &'t str)) -> &'t str {
        self.fields.set_offset(minutes);
        rest
    }

    fn number(&mut self, spec: Spec, value: i32, text: &str) {
        let (field, value) = match spec.letter {
            Letter::Year => (Field::Year, self.year(spec, value, text)),
            Letter::WeekYear => (Field::WeekYear, self.year(spec, value, text)),
            Letter::Month => (Field::Month, value.wrapping_sub(1)),
            Letter::WeekOfYear => (Field::WeekOfYear, value),
            Letter::WeekOfMonth => (Field::WeekOfMonth, value),
            Letter::DayOfYear => (Field::DayOfYear, value),
            Letter::DayOfMonth => (Field::DayOfMonth, value),
            Letter::DayOfWeekInMonth => (Field::DayOfWeekInMonth, value),
            // `Calendar` counts from Sunday. What is no day of the week it has to put right itself.
            Letter::DayNumber if (1..=7).contains(&value) => (Field::DayOfWeek, value % 7 + 1),
            Letter::DayNumber => (Field::DayOfWeek, value),
            Letter::Hour24 => (Field::HourOfDay, if value == 24 { 0 } else { value }),
            Letter::Hour23 => (Field::HourOfDay, value),
            Letter::Hour12 => (Field::HourOfHalf, if value == 12 { 0 } else { value }),
            Letter::Hour11 => (Field::HourOfHalf, value),
            Letter::Minute => (Field::Minute, value),
            Letter::Second => (Field::Second, value),
            Letter::Milli => (Field::Milli, value),
            // Texts.
            Letter::Era | Letter::DayName | Letter::Half | Letter::ZoneName | Letter::ZoneOffset | Letter::IsoOffset => return,
        };
        self.fields.set(field, value);
    }

    /// Just two digits, in a pattern of one or two letters, lie in the century.
    fn year(&mut self, spec: Spec, value: i32, text: &str) -> i32 {
        if spec.count > 2 || text.chars().count() != 2 || !text.chars().all(|c| number::digit(c).is_some()) {
            return value;
        }
        let (year, is_first) = self.century.year(value);
        self.is_first_year = is_first;
        year
    }
}

/// As much of a text as Java counts that many characters; `None` if it is shorter.
fn utf16_prefix(text: &str, length: usize) -> Option<&str> {
    let mut left = length;
    for (index, c) in text.char_indices() {
        if left < c.len_utf16() {
            return text.get(..index);
        }
        left -= c.len_utf16();
    }
    (left == 0).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 April 2024.
    const NOW: i64 = 1_713_957_753_000;

    fn text(pattern: &str, text: &str) -> Option<String> {
        let millis = SimpleDateFormat::at(pattern, NOW).unwrap().parse(text)?;
        let mut out = String::new();
        SimpleDateFormat::at("yyyy-MM-dd HH:mm:ss.SSS", NOW).unwrap().format(millis, &mut out);
        Some(out)
    }

    #[test]
    fn kafkas_own_examples_hold() {
        assert_eq!(text("yyyy MM dd HH mm ss SSS z", "1970 01 02 00 00 01 234 UTC").unwrap(), "1970-01-02 00:00:01.234");
        assert_eq!(text("yyyy-MM-dd HH:mm:ss", "2023-11-14 22:13:20").unwrap(), "2023-11-14 22:13:20.000");
        assert_eq!(text("yyyy-MM-dd HH:mm:ss", "plain"), None);
    }

    #[test]
    fn values_outside_of_their_range_go_on_counting() {
        assert_eq!(text("yyyy-MM-dd", "2020-13-45").unwrap(), "2021-02-14 00:00:00.000");
        assert_eq!(text("HH:mm", "25:61").unwrap(), "1970-01-02 02:01:00.000");
    }

    #[test]
    fn adjacent_numbers_have_as_many_digits_as_letters() {
        assert_eq!(text("yyyyMMddHHmmss", "20200229123456").unwrap(), "2020-02-29 12:34:56.000");
        assert_eq!(text("yyyyMMdd", "202"), None);
    }

    #[test]
    fn fractions_are_numbers_of_milliseconds() {
        assert_eq!(text("ss.S", "00.5").unwrap(), "1970-01-01 00:00:00.005");
        assert_eq!(text("ss.SSS", "00.123456").unwrap(), "1970-01-01 00:02:03.456");
    }

    #[test]
    fn two_digit_years_lie_in_the_century_from_80_years_ago() {
        let year = |year: &str| text("yy-MM-dd", &format!("{year}-04-01")).unwrap()[..4].to_owned();
        assert_eq!((year("45"), year("43"), year("00")), ("1945".to_owned(), "2043".to_owned(), "2000".to_owned()));
        // The first year of the century is the year after the last for days before it.
        assert_eq!(text("yy-MM-dd", "44-04-25").unwrap(), "1944-04-25 00:00:00.000");
        assert_eq!(year("44"), "2044");
        assert_eq!((year("145"), year("5")), ("0145".to_owned(), "0005".to_owned()));
    }

    #[test]
    fn the_century_of_a_new_format_is_that_of_its_making() {
        let millis = SimpleDateFormat::new("yy").unwrap().parse("24");
        assert_eq!(millis, Some(1_704_067_200_000));
    }

    #[test]
    fn a_text_of_which_nothing_is_needed_does_not_fit() {
        assert_eq!((text("", "2020"), text("'x'", "xy").is_some()), (None, true));
    }
}
