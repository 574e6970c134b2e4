//! The calendar of Java's `GregorianCalendar`: Julian until 4 October 1582, Gregorian from the next day, 15 October. Years are counted without a gap
//! (0 is 1 BC), months from 0. Days are counted from Monday, 1 January of the year 1 of the Gregorian calendar, which is day 1: Sundays are
//! multiples of seven.

pub(super) const DAY: i64 = 86_400_000;

/// 1 January 1970.
pub(super) const EPOCH: i64 = 719_163;

/// 15 October 1582, the first Gregorian day.
pub(super) const CUTOVER: i64 = 577_736;

pub(super) const CUTOVER_YEAR: i64 = 1582;

/// How leap years are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Julian,
    Gregorian,
}

impl Rule {
    /// The first day of a month (0 to 11).
    pub(super) fn first_of_month(self, year: i64, month: i64) -> i64 {
        // Years that begin in March have their odd day at the end.
        let year = if month < 2 { year - 1 } else { year };
        let of_year = (153 * ((month + 10) % 12) + 2) / 5;
        self.first_of_march(year) + of_year
    }

    fn first_of_march(self, year: i64) -> i64 {
        let julian = year * 365 + year.div_euclid(4);
        match self {
            Self::Julian => julian - 307,
            Self::Gregorian => julian - year.div_euclid(100) + year.div_euclid(400) - 305,
        }
    }

    pub(super) fn month_length(self, year: i64, month: i64) -> i64 {
        let (next_year, next) = if month == 11 { (year + 1, 0) } else { (year, month + 1) };
        self.first_of_month(next_year, next) - self.first_of_month(year, month)
    }

    /// The year, from March to February, that a day lies in.
    fn march_year(self, day: i64) -> i64 {
        match self {
            Self::Julian => (4 * (day + 307) + 3).div_euclid(1_461),
            Self::Gregorian => {
                let (cycle, of_cycle) = ((day + 305).div_euclid(146_097), (day + 305).rem_euclid(146_097));
                cycle * 400 + (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365
            }
        }
    }
}

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    number: i64,
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Date {
    pub(super) fn new(number: i64) -> Self {
        let rule = if number >= CUTOVER { Rule::Gregorian } else { Rule::Julian };
        let year = rule.march_year(number);
        let of_year = number - rule.first_of_march(year);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = (month + 2) % 12;
        Self { number, year: year + i64::from(month < 2), month, day }
    }

    pub(super) fn day_of_year(self) -> i64 {
        self.number - first_of_year(self.year) + 1
    }

    /// 0 is Sunday.
    pub(super) fn day_of_week(self) -> i64 {
        self.number.rem_euclid(7)
    }

    /// Which of the Mondays (Tuesdays, …) of the month.
    pub(super) fn day_of_week_in_month(self) -> i64 {
        (self.number - self.first_of_month()) / 7 + 1
    }

    pub(super) fn week_of_month(self) -> i64 {
        (self.number - on_or_before(self.first_of_month(), 0)) / 7 + 1
    }

    /// The year that the week belongs to, and its number there.
    pub(super) fn week(self) -> (i64, i64) {
        let sunday = on_or_before(self.number, 0);
        // The week with 1 January is the first, so that a week belongs to the year that its last day is in.
        let year = Self::new(sunday + 6).year;
        (year, (sunday - on_or_before(first_of_year(year), 0)) / 7 + 1)
    }

    /// Days that the cutover skips are not counted.
    fn first_of_month(self) -> i64 {
        let rule = if (self.year, self.month) > (CUTOVER_YEAR, 9) { Rule::Gregorian } else { Rule::Julian };
        rule.first_of_month(self.year, self.month)
    }
}

fn first_of_year(year: i64) -> i64 {
    let rule = if year > CUTOVER_YEAR { Rule::Gregorian } else { Rule::Julian };
    rule.first_of_month(year, 0)
}

/// The last day of a week day (0 is Sunday, larger and smaller numbers go on counting) that is not after `day`.
pub(super) fn on_or_before(day: i64, day_of_week: i64) -> i64 {
    day - (day - day_of_week).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(number: i64) -> (i64, i64, i64) {
        let date = Date::new(number);
        (date.year, date.month, date.day)
    }

    #[test]
    fn dates_and_days_are_inverse_by_both_rules() {
        for number in (-300_000..1_200_000).chain([-106_751_000_000, 106_752_000_000]) {
            let (year, month, day) = date(number);
            let rule = if number >= CUTOVER { Rule::Gregorian } else { Rule::Julian };
            assert_eq!(rule.first_of_month(year, month) + day - 1, number);
            assert!((1..=rule.month_length(year, month)).contains(&day));
        }
        assert_eq!(date(EPOCH), (1970, 0, 1));
    }

    #[test]
    fn ten_days_of_october_1582_do_not_exist() {
        assert_eq!((date(CUTOVER - 1), date(CUTOVER)), ((1582, 9, 4), (1582, 9, 15)));
        assert_eq!(Date::new(CUTOVER).day_of_year(), Date::new(CUTOVER - 1).day_of_year() + 1);
    }

    #[test]
    fn weeks_begin_on_sunday_and_the_first_has_the_first_of_january() {
        let week = |year, month, day| Date::new(Rule::Gregorian.first_of_month(year, month) + day - 1).week();
        assert_eq!(week(2023, 0, 1), (2023, 1));
        assert_eq!(week(2022, 11, 31), (2022, 53));
        assert_eq!(week(2024, 11, 28), (2024, 52));
        assert_eq!(week(2024, 11, 29), (2025, 1));
    }
}
