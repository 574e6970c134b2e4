//! Instants to texts.

use super::{
    calendar::{DAY, Date, EPOCH},
    names,
    pattern::{Item, Letter, SimpleDateFormat, Spec},
};

/// Java writes no more digits than the longest floating point number has.
const WIDEST: usize = 309;

impl SimpleDateFormat {
    /// Appends the text of an instant, in milliseconds since 1970.
    pub(crate) fn format(&self, millis: i64, out: &mut String) {
        let date = Date::new(millis.div_euclid(DAY) + EPOCH);
        let of_day = millis.rem_euclid(DAY);
        for item in &self.items {
            match item {
                Item::Literal(text) => out.push_str(text),
                Item::Field(spec) => push_field(*spec, date, of_day, out),
            }
        }
    }
}

fn push_field(Spec { letter, count, .. }: Spec, date: Date, of_day: i64, out: &mut String) {
    match letter {
        Letter::Era => out.push_str(names::at(&names::ERAS, i64::from(date.year > 0))),
        Letter::Month if count > 3 => out.push_str(names::at(&names::MONTHS, date.month)),
        Letter::Month if count == 3 => out.push_str(names::at(&names::SHORT_MONTHS, date.month)),
        Letter::DayName => {
            out.push_str(names::at(if count > 3 { &names::DAYS } else { &names::SHORT_DAYS }, date.day_of_week()));
        }
        Letter::Half => out.push_str(names::at(&names::HALVES, of_day / (DAY / 2))),
        Letter::ZoneName => out.push_str(if count > 3 { "Coordinated Universal Time" } else { "UTC" }),
        Letter::ZoneOffset => out.push_str("+0000"),
        Letter::IsoOffset => out.push('Z'),
        _ => push_number(number(letter, date, of_day), letter, count, out),
    }
}

/// The value of a field that is a number.
fn number(letter: Letter, date: Date, of_day: i64) -> i64 {
    let hour = of_day / 3_600_000;
    match letter {
        Letter::Year if date.year > 0 => date.year,
        Letter::Year => 1 - date.year,
        Letter::WeekYear => date.week().0,
        Letter::Month => date.month + 1,
        Letter::WeekOfYear => date.week().1,
        Letter::WeekOfMonth => date.week_of_month(),
        Letter::DayOfYear => date.day_of_year(),
        Letter::DayOfMonth => date.day,
        Letter::DayOfWeekInMonth => date.day_of_week_in_month(),
        Letter::DayNumber => (date.day_of_week() + 6) % 7 + 1,
        Letter::Hour23 => hour,
        Letter::Hour24 => (hour + 23) % 24 + 1,
        Letter::Hour11 => hour % 12,
        Letter::Hour12 => (hour + 11) % 12 + 1,
        Letter::Minute => of_day / 60_000 % 60,
        Letter::Second => of_day / 1_000 % 60,
        Letter::Milli => of_day % 1_000,
        // Texts.
        Letter::Era | Letter::DayName | Letter::Half | Letter::ZoneName | Letter::ZoneOffset | Letter::IsoOffset => 0,
    }
}

fn push_number(number: i64, letter: Letter, width: usize, out: &mut String) {
    // Years before Christ in the count of weeks.
    if number < 0 {
        out.push('-');
    }
    let is_short_year = width == 2 && matches!(letter, Letter::Year | Letter::WeekYear);
    let digits = if is_short_year { number.unsigned_abs() % 100 } else { number.unsigned_abs() };
    push_digits(digits, width.min(WIDEST), out);
}

/// Appends a number with zeros in front, up to a width.
fn push_digits(mut number: u64, width: usize, out: &mut String) {
    // The largest has twenty.
    let mut digits = ['0'; 20];
    let mut first = digits.len();
    while number > 0 || first == digits.len() {
        first -= 1;
        digits[first] = char::from(b'0' + u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
    }
    let digits = &digits[first..];
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.extend(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str, millis: i64) -> String {
        let mut out = String::new();
        SimpleDateFormat::at(pattern, 0).unwrap().format(millis, &mut out);
        out
    }

    #[test]
    fn kafkas_own_examples_hold() {
        assert_eq!(text("yyyy MM dd HH mm ss SSS z", 86_401_234), "1970 01 02 00 00 01 234 UTC");
        assert_eq!(text("yyyyMMdd", 1_483_425_001_864), "20170103");
        assert_eq!(text("yyyy/MM/dd HH", 1_700_000_000_123), "2023/11/14 22");
        assert_eq!(text("yyyy-MM-dd HH:mm:ss.SSS", 1_700_000_000_123), "2023-11-14 22:13:20.123");
    }

    #[test]
    fn any_instant_has_a_text() {
        assert_eq!(text("yyyy-MM-dd'T'HH:mm:ss.SSS G", i64::MAX), "292278994-08-17T07:12:55.807 AD");
        assert_eq!(text("yyyy-MM-dd'T'HH:mm:ss.SSS G", i64::MIN), "292269055-12-02T16:47:04.192 BC");
    }
}
