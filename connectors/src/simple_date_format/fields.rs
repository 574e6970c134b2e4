//! Fields of a date to instants, as lenient as `java.util.Calendar`: where fields contradict each other, those that were set last count.
//!
//! Arithmetic that Java does in 32 bits wraps around at 32 bits here.

use super::calendar::{CUTOVER, CUTOVER_YEAR, DAY, Date, EPOCH, Rule, on_or_before};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// 0 is before Christ.
    Era,
    Year,
    WeekYear,
    /// 0 is January.
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    /// 1 is Sunday.
    DayOfWeek,
    DayOfWeekInMonth,
    /// 0 is before noon.
    Half,
    HourOfHalf,
    HourOfDay,
    Minute,
    Second,
    Milli,
}

const FIELDS: usize = Field::Milli as usize + 1;

/// What a text says of a date.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    values: [i32; FIELDS],
    /// When each was set: 0 is never, greater is later.
    stamps: [u32; FIELDS],
    last_stamp: u32,
    /// Minutes ahead of UTC.
    offset: i32,
}

/// Which fields tell the day within the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    DayOfMonth,
    WeekOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    WeekOfYear,
}

impl Fields {
    pub(super) fn set(&mut self, field: Field, value: i32) {
        self.last_stamp += 1;
        self.values[field as usize] = value;
        self.stamps[field as usize] = self.last_stamp;
    }

    pub(super) fn set_offset(&mut self, minutes: i32) {
        self.offset = minutes;
    }

    pub(super) fn add_to_years(&mut self, years: i32) {
        for field in [Field::Year, Field::WeekYear] {
            self.values[field as usize] = self.values[field as usize].wrapping_add(years);
        }
    }

    /// Milliseconds since 1970. What no field tells is that of 1 January 1970, midnight in UTC.
    pub(super) fn millis(&self) -> i64 {
        let of_day = self.millis_of_day();
        let (carry, of_day) = (of_day.div_euclid(DAY), of_day.rem_euclid(DAY));
        let day =
            if self.stamp(Field::WeekYear) > self.stamp(Field::Year) { self.week_day(carry) + carry } else { self.day(carry) };
        (day - EPOCH).wrapping_mul(DAY).wrapping_add(of_day).wrapping_sub(i64::from(self.offset) * 60_000)
    }

    fn stamp(&self, field: Field) -> u32 {
        self.stamps[field as usize]
    }

    fn value(&self, field: Field) -> i32 {
        self.values[field as usize]
    }

    fn value_or(&self, field: Field, default: i32) -> i32 {
        if self.stamp(field) == 0 { default } else { self.value(field) }
    }

    /// When the later of two fields was set, if both were.
    fn stamp_of_both(&self, one: Field, other: Field) -> u32 {
        let (one, other) = (self.stamp(one), self.stamp(other));
        if one == 0 || other == 0 { 0 } else { one.max(other) }
    }

    fn millis_of_day(&self) -> i64 {
        let of_day = self.stamp(Field::HourOfDay);
        // An hour of half a day gives way to an hour of the day unless it is complete, and later.
        let hour = if of_day == 0 || self.stamp_of_both(Field::HourOfHalf, Field::Half) > of_day {
            i64::from(self.value(Field::HourOfHalf)) + 12 * i64::from(self.value(Field::Half))
        } else {
            i64::from(self.value(Field::HourOfDay))
        };
        let seconds = (hour * 60 + i64::from(self.value(Field::Minute))) * 60 + i64::from(self.value(Field::Second));
        seconds * 1_000 + i64::from(self.value(Field::Milli))
    }

    /// The day that a year of weeks, a week and a day of the week tell.
    fn week_day(&self, carry: i64) -> i64 {
        // The other fields count for the era.
        let is_before_christ = Date::new(wrapping_days(self.day(carry), 0)).year <= 0;
        let mut first = Self::default();
        first.set(Field::Era, i32::from(!is_before_christ));
        first.set(Field::Year, self.value(Field::WeekYear));
        first.set(Field::WeekOfYear, 1);
        first.set(Field::DayOfWeek, 1);
        let (mut week, mut day_of_week) = (self.value_or(Field::WeekOfYear, 1), self.value_or(Field::DayOfWeek, 1));
        if day_of_week > 7 {
            week = week.wrapping_add((day_of_week - 1) / 7);
            day_of_week = from_monday((day_of_week - 1) % 7 + 1);
        } else if day_of_week < 1 {
            let days = i64::from(day_of_week) - 1;
            week = week.wrapping_add(i32::try_from(days.div_euclid(7)).unwrap_or_default());
            day_of_week = from_monday(i32::try_from(days.rem_euclid(7)).unwrap_or_default() + 1);
        }
        let days = (day_of_week - 1).wrapping_add(week.wrapping_sub(1).wrapping_mul(7));
        wrapping_days(first.day(0), days)
    }

    /// The day that the other fields tell. `carry` is how many days the time of day adds.
    fn day(&self, carry: i64) -> i64 {
        let basis = self.basis();
        let year = self.value_or(Field::Year, 1970);
        let year = if self.value_or(Field::Era, 1) == 0 { 1_i32.wrapping_sub(year) } else { year };
        let by = |rule| self.day_by(rule, year, basis) + carry;
        let counts_from_new_year = matches!(basis, Basis::DayOfYear | Basis::WeekOfYear);
        let year = i64::from(year);
        if year > CUTOVER_YEAR || year == CUTOVER_YEAR && !counts_from_new_year {
            let day = by(Rule::Gregorian);
            if day >= CUTOVER {
                return day;
            }
        }
        by(Rule::Julian)
    }

    fn day_by(&self, rule: Rule, year: i32, basis: Basis) -> i64 {
        let day_of_week = i64::from(self.value_or(Field::DayOfWeek, 1).wrapping_sub(1));
        if matches!(basis, Basis::DayOfYear | Basis::WeekOfYear) {
            let first = rule.first_of_month(i64::from(year), 0);
            if basis == Basis::DayOfYear {
                return first + i64::from(self.value(Field::DayOfYear)) - 1;
            }
            return in_week(first, day_of_week) + (i64::from(self.value(Field::WeekOfYear)) - 1) * 7;
        }
        let month = self.value(Field::Month);
        let (year, month) = (i64::from(year.wrapping_add(month.div_euclid(12))), i64::from(month.rem_euclid(12)));
        let first = rule.first_of_month(year, month);
        match basis {
            Basis::DayOfMonth => first + i64::from(self.value_or(Field::DayOfMonth, 1)) - 1,
            Basis::WeekOfMonth => {
                in_week(first, day_of_week) + i64::from(self.value(Field::WeekOfMonth).wrapping_sub(1).wrapping_mul(7))
            }
            _ => {
                let number = self.value_or(Field::DayOfWeekInMonth, 1);
                // Negative numbers count from the end.
                let last = if number >= 0 {
                    i64::from(number.wrapping_mul(7))
                } else {
                    rule.month_length(year, month) + i64::from(number.wrapping_add(1).wrapping_mul(7))
                };
                on_or_before(first + last - 1, day_of_week)
            }
        }
    }

    /// The complete group of fields that was set last; if none is complete, the field.
    fn basis(&self) -> Basis {
        let stamp = |field| self.stamp(field);
        let (day_of_week, week_of_year) = (stamp(Field::DayOfWeek), stamp(Field::WeekOfYear));
        let mut of_month = stamp(Field::DayOfMonth);
        let of_year = stamp(Field::DayOfYear);
        let mut week_of_month = self.stamp_of_both(Field::WeekOfMonth, Field::DayOfWeek);
        let mut in_month = self.stamp_of_both(Field::DayOfWeekInMonth, Field::DayOfWeek);
        let by_week = self.stamp_of_both(Field::WeekOfYear, Field::DayOfWeek);
        let mut best = of_month.max(week_of_month).max(in_month).max(of_year).max(by_week);
        if best == 0 {
            week_of_month = stamp(Field::WeekOfMonth);
            in_month = stamp(Field::DayOfWeekInMonth).max(day_of_week);
            best = week_of_month.max(in_month).max(week_of_year);
        }
        if best == 0 {
            of_month = stamp(Field::Month);
            best = of_month;
        }
        if best == of_month {
            Basis::DayOfMonth
        } else if best == week_of_month && stamp(Field::WeekOfMonth) >= week_of_year {
            // A day of the week that was set last completes both of these groups.
            let is_in_month = week_of_month == in_month && stamp(Field::DayOfWeekInMonth) > stamp(Field::WeekOfMonth);
            if is_in_month { Basis::DayOfWeekInMonth } else { Basis::WeekOfMonth }
        } else if best == in_month && stamp(Field::DayOfWeekInMonth) >= week_of_year {
            Basis::DayOfWeekInMonth
        } else if best == of_year {
            Basis::DayOfYear
        } else {
            Basis::WeekOfYear
        }
    }
}

/// A day of the week (0 is Sunday) in the week that `first` lies in.
fn in_week(first: i64, day_of_week: i64) -> i64 {
    on_or_before(on_or_before(first, 0) + 6, day_of_week)
}

/// Some days after another day, as far as 64 bits of milliseconds reach.
fn wrapping_days(day: i64, after: i32) -> i64 {
    (day - EPOCH).wrapping_mul(DAY).wrapping_add(i64::from(after) * DAY).div_euclid(DAY) + EPOCH
}

/// Sunday is 7 before, and 1 after.
fn from_monday(day_of_week: i32) -> i32 {
    day_of_week % 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(fields: &[(Field, i32)]) -> i64 {
        let mut all = Fields::default();
        for (field, value) in fields {
            all.set(*field, *value);
        }
        all.millis()
    }

    fn day(fields: &[(Field, i32)]) -> (i64, i64, i64) {
        let date = Date::new(millis(fields).div_euclid(DAY) + EPOCH);
        (date.year, date.month, date.day)
    }

    #[test]
    fn nothing_said_is_the_beginning_of_1970() {
        assert_eq!(millis(&[]), 0);
    }

    #[test]
    fn fields_that_were_set_last_count() {
        let (year, month) = ((Field::Year, 2024), (Field::Month, 1));
        assert_eq!(day(&[year, month, (Field::DayOfMonth, 5), (Field::DayOfYear, 60)]), (2024, 1, 29));
        assert_eq!(day(&[year, (Field::DayOfYear, 60), month, (Field::DayOfMonth, 5)]), (2024, 1, 5));
        assert_eq!(day(&[year, (Field::WeekYear, 2020)]), (2019, 11, 29));
        assert_eq!(day(&[(Field::WeekYear, 2020), year]), (2024, 0, 1));
    }

    #[test]
    fn half_of_a_day_counts_once_its_hour_is_there() {
        let hour = |fields: &[(Field, i32)]| millis(fields) / 3_600_000;
        let (of_day, of_half, half) = ((Field::HourOfDay, 5), (Field::HourOfHalf, 3), (Field::Half, 1));
        assert_eq!((hour(&[of_day, of_half]), hour(&[of_half])), (5, 3));
        assert_eq!((hour(&[of_day, of_half, half]), hour(&[of_half, half, of_day])), (15, 5));
    }

    #[test]
    fn days_that_the_cutover_skips_are_the_ones_after_it() {
        let of_october = |day| [(Field::Year, 1582), (Field::Month, 9), (Field::DayOfMonth, day)];
        assert_eq!((day(&of_october(4)), day(&of_october(5)), day(&of_october(15))), ((1582, 9, 4), (1582, 9, 15), (1582, 9, 15)));
    }

    #[test]
    fn the_extremes_do_not_panic() {
        let all = [
            Field::Era,
            Field::Year,
            Field::Month,
            Field::WeekOfYear,
            Field::WeekOfMonth,
            Field::DayOfWeek,
            Field::DayOfWeekInMonth,
        ];
        let more =
            [Field::WeekYear, Field::DayOfYear, Field::DayOfMonth, Field::HourOfDay, Field::Minute, Field::Second, Field::Milli];
        for value in [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX] {
            let mut fields = Fields::default();
            for field in all.into_iter().chain(more).chain(all) {
                fields.set(field, value);
                fields.millis();
            }
        }
    }
}
