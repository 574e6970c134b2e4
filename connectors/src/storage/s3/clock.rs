//! How far the store's clock is from this machine's. The SDK signs requests by the store's; times in its answers are read by this one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use aws_sdk_s3::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::BoxError,
};
use aws_smithy_types::{DateTime, date_time::Format};
use tracing::warn;

/// Below this, in milliseconds, clocks are taken for equal: answers are under way for a while, and tell whole seconds.
const NOTICED: i64 = 5_000;

/// Beyond this an operator is told: AWS refuses what is signed for a time that is 15 minutes away.
const TOLD: i64 = 300_000;

/// The difference as the last answer showed it. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreClock {
    /// Milliseconds that the store's clock is ahead.
    ahead: Arc<AtomicI64>,
    told: Arc<AtomicBool>,
}

impl StoreClock {
    /// A time of the store's clock as this machine's shows it, both in milliseconds since 1970.
    pub(super) fn as_ours(&self, theirs: i64) -> i64 {
        theirs.saturating_sub(self.ahead.load(Ordering::Relaxed))
    }

    /// Learns from the `Date` of an answer that has just arrived.
    fn learn(&self, date: &str, now: i64) {
        let Some(theirs) = DateTime::from_str(date, Format::HttpDate).ok().and_then(|date| date.to_millis().ok()) else { return };
        let ahead = theirs.saturating_sub(now);
        self.ahead.store(if ahead.saturating_abs() < NOTICED { 0 } else { ahead }, Ordering::Relaxed);
        if ahead.saturating_abs() >= TOLD && !self.told.swap(true, Ordering::Relaxed) {
            let (minutes, which) = (ahead.saturating_abs() / 60_000, if ahead > 0 { "behind" } else { "ahead of" });
            warn!(
                "this machine's clock is {minutes} minutes {which} the store's: requests are signed with the store's time; set this machine's clock"
            );
        }
    }
}

impl Intercept for StoreClock {
    fn name(&self) -> &'static str {
        "StoreClock"
    }

    fn read_before_deserialization(
        &self,
        answer: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = answer.response().headers();
        // What comes out of a cache tells the time of then.
        if let Some(date) = headers.get("date").filter(|_| headers.get("age").is_none()) {
            self.learn(date, jiff::Timestamp::now().as_millisecond());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_clock_that_differs_are_read_by_ours_and_small_differences_are_none() {
        const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
        let theirs = 1_700_000_000_000;
        for (ours, as_ours) in [
            (theirs + 1_200_000, theirs + 1_200_000),
            (theirs - 1_200_000, theirs - 1_200_000),
            (theirs + 4_000, theirs),
            (theirs, theirs),
        ] {
            let clock = StoreClock::default();
            clock.learn(DATE, ours);
            assert_eq!(clock.as_ours(theirs), as_ours);
            clock.learn("yesterday", 0);
            assert_eq!(clock.as_ours(theirs), as_ours);
        }
    }
}
