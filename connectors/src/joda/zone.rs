//! Time zones by the ids that Joda-Time takes.

use std::ops::Range;

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};

use super::civil::DAY;

/// After so many days the calendar, and with it a zone's rules, begin again.
const CYCLE: i64 = 146_097 * DAY;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    id: String,
    time_zone: TimeZone,
}

impl Zone {
    /// UTC.
    pub(crate) fn utc() -> Self {
        Self { id: "UTC".to_owned(), time_zone: TimeZone::UTC }
    }

    /// The zone of this machine: what a JVM on it would call its default zone.
    pub(crate) fn of_machine() -> Self {
        let time_zone = TimeZone::system();
        Self { id: time_zone.iana_name().unwrap_or("UTC").to_owned(), time_zone }
    }

    /// The zone of this id, as Joda-Time takes them: names of the IANA database in their own case, and fixed offsets.
    ///
    /// # Errors
    /// Where there is none: what is allowed.
    pub(crate) fn of(id: &str) -> Result<Self, String> {
        if matches!(id, "Z" | "UT") {
            return Ok(Self::utc());
        }
        let bare = ["UTC", "GMT", "UT"].into_iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
        if let Some(seconds) = fixed_offset(bare) {
            let time_zone = Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|error| error.to_string())?;
            return Ok(if seconds == 0 { Self::utc() } else { Self { id: offset_id(seconds), time_zone } });
        }
        let named = TimeZone::get(id).ok().filter(|zone| zone.iana_name() == Some(id));
        let time_zone = named.ok_or_else(|| {
            format!(
                "the time zone `{id}` is not recognised: names are those of the IANA database in their own case, such as Europe/Berlin or UTC, \
                 or an offset such as +05:30"
            )
        })?;
        Ok(Self { id: super::texts::canonical_zone(id).to_owned(), time_zone })
    }

    /// The id as it is printed: several names of the database are one zone.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The name on this machine, for messages and comparison.
    pub(crate) fn name(&self) -> &str {
        &self.id
    }

    /// The zone of the library.
    pub(crate) fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// How far local time is ahead of UTC at an instant, both in milliseconds.
    pub(super) fn offset(&self, instant: i64) -> i64 {
        i64::from(self.time_zone.to_offset(timestamp(instant)).seconds()) * 1_000
    }

    /// Whether standard time holds at an instant.
    pub(super) fn is_standard(&self, instant: i64) -> bool {
        !self.time_zone.to_offset_info(timestamp(instant)).dst().is_dst()
    }

    /// Local time at an instant.
    pub(super) fn to_local(&self, instant: i64) -> i64 {
        instant.saturating_add(self.offset(instant))
    }

    /// The instant of a local time as the JVM's partitioners compute it: a time that is skipped in spring moves forward; one that there is twice in autumn is
    /// the later one east of Greenwich and the earlier one west of it.
    fn to_instant_leniently(&self, local: i64) -> i64 {
        let first = self.offset(local);
        let second = self.offset(local.saturating_sub(first));
        let is_skipped = || {
            let is = |offset: i64| self.offset(local.saturating_sub(offset)) == offset;
            !is(first) && !is(second)
        };
        let offset = if first != second && first < 0 && is_skipped() { first } else { second };
        local.saturating_sub(offset)
    }

    /// The instant of a local time: the earlier one of two; `None` where it is skipped.
    pub(super) fn to_instant(&self, local: i64) -> Option<i64> {
        let before = self.offset(local.saturating_sub(DAY));
        let after = self.offset(local.saturating_add(DAY));
        let instants = [before.max(after), before.min(after)].map(|offset| (local.saturating_sub(offset), offset));
        instants.into_iter().find(|(instant, offset)| self.offset(*instant) == *offset).map(|(instant, _)| instant)
    }

    /// The instant that stands for all of those that are cut to the same multiple of `duration` milliseconds of local time. Cut toward zero, as on the
    /// JVM: before 1970 to the later one.
    pub(crate) fn truncate(&self, instant: i64, duration: i64) -> i64 {
        self.to_instant_leniently(self.to_local(instant) / duration * duration)
    }

    /// Instants around this one that [`truncate`](Self::truncate) cuts to the same: not all of them where the zone's offset changes.
    pub(crate) fn bucket(&self, instant: i64, duration: i64) -> Range<i64> {
        let offset = self.offset(instant);
        let first = instant.saturating_add(offset) / duration * duration;
        let local = match first {
            0 => (-duration).saturating_add(1)..duration,
            1.. => first..first.saturating_add(duration),
            _ => first.saturating_sub(duration).saturating_add(1)..first.saturating_add(1),
        };
        let Ok(now) = Timestamp::from_millisecond(instant) else { return instant..instant.saturating_add(1) };
        let next = self.time_zone.following(now).next().map_or(i64::MAX, |next| next.timestamp().as_millisecond());
        let soon = Timestamp::from_millisecond(instant.saturating_add(1)).unwrap_or(now);
        let last = self.time_zone.preceding(soon).next().map_or(i64::MIN, |last| last.timestamp().as_millisecond());
        // Transitions are whole seconds.
        local.start.saturating_sub(offset).max(last)..local.end.saturating_sub(offset).min(next)
    }
}

/// The same moment of the calendar's cycle within what the library knows.
fn timestamp(instant: i64) -> Timestamp {
    let latest = Timestamp::MAX.as_millisecond();
    let known = if instant > latest { latest - (CYCLE - (instant - latest) % CYCLE) } else { instant };
    Timestamp::from_millisecond(known).unwrap_or(Timestamp::MIN)
}

/// `+05:30`, `+0530`, `+05`, `+05:30:15`: seconds.
fn fixed_offset(id: &str) -> Option<i32> {
    let (sign, digits) = match (id.strip_prefix('+'), id.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return None,
    };
    let (seconds, rest) = super::iso::offset_fields(digits)?;
    rest.is_empty().then_some(sign * seconds)
}

/// `+05:30`; with seconds where there are any.
fn offset_id(seconds: i32) -> String {
    let (sign, seconds) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if rest == 0 { format!("{sign}{hours:02}:{minutes:02}") } else { format!("{sign}{hours:02}:{minutes:02}:{rest:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_zones_are_those_of_joda() {
        for (id, is) in [
            ("UTC", "UTC"),
            ("GMT", "Etc/GMT"),
            ("EST", "America/Panama"),
            ("CET", "CET"),
            ("US/Pacific", "America/Los_Angeles"),
            ("Etc/GMT+2", "Etc/GMT+2"),
            ("+05:30", "+05:30"),
            ("+0530", "+05:30"),
            ("-08", "-08:00"),
            ("UTC+01:00", "+01:00"),
            ("+05:30:15", "+05:30:15"),
            ("-00:00", "UTC"),
            ("Z", "UTC"),
        ] {
            assert_eq!(Zone::of(id).unwrap().id(), is, "{id}");
        }
        for id in ["utc", "PST", "GMT+2", "LLL", "america/los_angeles", "+24:00", "+05:60", "+5:30", "+0a:00", "", "+05:3", "UTC+1"]
        {
            assert!(Zone::of(id).is_err(), "{id}");
        }
        let zone = Zone::of("-08:30").unwrap();
        assert_eq!(zone.offset(0), -(8 * 60 + 30) * 60_000);
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn buckets_hold_what_is_cut_to_the_same_instant_and_their_neighbours_do_not() {
        let hour = 3_600_000;
        for (zone, duration) in
            [("America/Los_Angeles", hour), ("Europe/Berlin", 2 * hour), ("America/Sao_Paulo", 24 * hour), ("UTC", 7)]
        {
            let zone = Zone::of(zone).unwrap();
            for start in [
                "2015-11-01T08:30:00Z",
                "2015-03-08T10:30:00Z",
                "2015-10-25T00:30:00Z",
                "2018-11-04T12:00:00Z",
                "1969-12-31T23:30:00Z",
            ] {
                let instant = at(start);
                let bucket = zone.bucket(instant, duration);
                assert!(bucket.contains(&instant), "{start} is not in {bucket:?}");
                for other in [bucket.start, bucket.end - 1] {
                    assert_eq!(zone.truncate(other, duration), zone.truncate(instant, duration), "{start}");
                }
                // What an instant is cut to is cut to itself.
                assert_eq!(zone.truncate(zone.truncate(instant, duration), duration), zone.truncate(instant, duration), "{start}");
            }
        }
    }

    #[test]
    fn local_times_that_are_skipped_or_there_twice_become_the_instants_of_the_jvm() {
        let hour = 3_600_000;
        let cut = |zone: &str, instant: &str, duration: i64| {
            Timestamp::from_millisecond(Zone::of(zone).unwrap().truncate(at(instant), duration)).unwrap().to_string()
        };
        assert_eq!(cut("Europe/Berlin", "2015-10-25T00:30:00Z", hour), "2015-10-25T01:00:00Z");
        assert_eq!(cut("America/Los_Angeles", "2015-11-01T09:30:00Z", hour), "2015-11-01T08:00:00Z");
        assert_eq!(cut("America/Los_Angeles", "2015-03-08T10:30:00Z", 2 * hour), "2015-03-08T10:00:00Z");
        assert_eq!(cut("Europe/Berlin", "2015-03-29T01:30:00Z", 2 * hour), "2015-03-29T01:00:00Z");
    }
}
