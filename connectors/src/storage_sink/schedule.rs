//! When the wall clock rotates (`rotate.schedule.interval.ms`): a grid that begins anew at every local midnight.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// The grid.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    interval: i64,
    time_zone: TimeZone,
}

impl Schedule {
    /// A rotation every `interval` milliseconds, at least 1, counted from midnight in `time_zone`.
    pub(super) fn new(interval: i64, time_zone: TimeZone) -> Self {
        Self { interval: interval.max(1), time_zone }
    }

    /// The first instant of the grid after `now`, both in milliseconds since 1970. The last slot of a day ends at midnight, however short.
    pub(super) fn next_after(&self, now: i64) -> i64 {
        let Ok(timestamp) = Timestamp::from_millisecond(now) else { return i64::MAX };
        let zoned = timestamp.to_zoned(self.time_zone.clone());
        let midnight = zoned.start_of_day();
        let tomorrow = midnight.as_ref().ok().and_then(|day| day.checked_add(1.day()).ok()?.start_of_day().ok());
        let (Ok(midnight), Some(tomorrow)) = (midnight, tomorrow) else { return i64::MAX };
        let (start, end) = (midnight.timestamp().as_millisecond(), tomorrow.timestamp().as_millisecond());
        let slots = (now - start) / self.interval + 1;
        slots.saturating_mul(self.interval).saturating_add(start).min(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_that_of_the_reference_table() {
        let minute = 60_000;
        let hour = 60 * minute;
        for (now, interval, zone, expected) in [
            ("2020-06-15T10:00:00Z", 10 * minute, "UTC", "2020-06-15T10:10:00Z"),
            ("2020-06-15T10:00:00.001Z", 10 * minute, "Asia/Kolkata", "2020-06-15T15:40:00+05:30"),
            ("2020-06-15T10:00:00Z", 7 * hour, "UTC", "2020-06-15T14:00:00Z"),
            ("2020-06-15T21:30:00Z", 7 * hour, "UTC", "2020-06-16T00:00:00Z"),
            ("2020-06-15T10:00:00Z", 48 * hour, "UTC", "2020-06-16T00:00:00Z"),
            ("2019-11-03T22:00:00-08:00", hour, "America/Los_Angeles", "2019-11-03T23:00:00-08:00"),
            ("2019-11-03T23:00:00-08:00", hour, "America/Los_Angeles", "2019-11-04T00:00:00-08:00"),
            ("2020-03-08T09:30:00Z", 6 * hour, "America/Los_Angeles", "2020-03-08T07:00:00-07:00"),
            ("2020-03-08T14:30:00Z", 6 * hour, "America/Los_Angeles", "2020-03-08T13:00:00-07:00"),
            ("2018-11-04T04:00:00Z", 6 * hour, "America/Sao_Paulo", "2018-11-04T07:00:00-02:00"),
            ("2020-06-15T10:00:00Z", 30, "CET", "2020-06-15T12:00:00.030+02:00"),
        ] {
            let schedule = Schedule::new(interval, TimeZone::get(zone).unwrap());
            let now = now.parse::<Timestamp>().unwrap().as_millisecond();
            let expected = expected.parse::<Timestamp>().unwrap();
            assert_eq!(Timestamp::from_millisecond(schedule.next_after(now)).unwrap(), expected, "{zone} {interval}");
        }
    }
}
