//! The proleptic ISO calendar, for any year that 64 bits of milliseconds reach: libraries end at the year 9999.

pub(super) const DAY: i64 = 86_400_000;

/// A local time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    /// Milliseconds since 1970 as a clock on the wall would count them.
    millis: i64,
    /// Days since 1970.
    days: i64,
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Local {
    pub(super) fn new(millis: i64) -> Self {
        let days = millis.div_euclid(DAY);
        let (year, month, day) = date(days);
        Self { millis, days, year, month, day }
    }

    pub(super) fn millis_of_day(self) -> i64 {
        self.millis.rem_euclid(DAY)
    }

    pub(super) fn hour(self) -> i64 {
        self.millis_of_day() / 3_600_000
    }

    pub(super) fn day_of_year(self) -> i64 {
        self.days - days(self.year, 1, 1) + 1
    }

    /// 1 is Monday.
    pub(super) fn day_of_week(self) -> i64 {
        // 1970 began on a Thursday.
        (self.days + 3).rem_euclid(7) + 1
    }

    /// The year that the week belongs to, and its number there.
    pub(super) fn week(self) -> (i64, i64) {
        // A week belongs to the year that its Thursday is in.
        let thursday = self.days - self.day_of_week() + 4;
        let (year, _, _) = date(thursday);
        (year, (thursday - days(year, 1, 1)) / 7 + 1)
    }

    /// The year counted from 1 in its era, and whether that is before Christ.
    pub(super) fn year_of_era(self) -> (i64, bool) {
        if self.year > 0 { (self.year, false) } else { (1 - self.year, true) }
    }
}

/// Days since 1970 of a date. A month is 1 to 12; the day may lie outside of the month.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their odd day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    cycle * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468
}

/// Year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (cycle, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (month, day) = ((month + 2) % 12 + 1, of_year - (153 * month + 2) / 5 + 1);
    (cycle * 400 + year + i64::from(month <= 2), month, day)
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}

/// Days since 1970 of the Monday of the first week of a year.
pub(super) fn first_monday(year: i64) -> i64 {
    let fourth = days(year, 1, 4);
    fourth - (fourth + 3).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse_over_two_cycles_and_far_away() {
        let far = [-106_751_991_167, 106_751_991_167, -719_528, -719_163, 2_932_897];
        for day in (-146_097..146_097).chain(far) {
            let (year, month, day_of_month) = date(day);
            assert_eq!(days(year, month, day_of_month), day);
            assert!((1..=days_in_month(year, month)).contains(&day_of_month), "{year}-{month}-{day_of_month}");
        }
        assert_eq!((date(0), date(-1), date(18_321)), ((1970, 1, 1), (1969, 12, 31), (2020, 2, 29)));
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        let week = |year, month, day| {
            let local = Local::new(days(year, month, day) * DAY);
            (local.week(), local.day_of_week())
        };
        assert_eq!(week(2020, 12, 31), ((2020, 53), 4));
        assert_eq!(week(2021, 1, 3), ((2020, 53), 7));
        assert_eq!(week(2004, 1, 1), ((2004, 1), 4));
        assert_eq!(first_monday(2021), days(2021, 1, 4));
    }
}
