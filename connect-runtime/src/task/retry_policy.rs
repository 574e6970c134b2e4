//! How often and after which pauses a failed operation is tried again (KIP-298).

use std::{collections::hash_map::RandomState, hash::BuildHasher, time::Duration};

const FIRST_DELAY: Duration = Duration::from_millis(300);

/// `errors.retry.timeout` and `errors.retry.delay.max.ms`.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryPolicy {
    /// `None` tries for ever.
    pub(super) timeout: Option<Duration>,
    pub(super) delay_max: Duration,
}

impl RetryPolicy {
    /// Asked before each pause, so that one may end exactly at the deadline and one more attempt follows.
    pub(super) fn is_used_up(&self, elapsed: Duration) -> bool {
        self.timeout.is_some_and(|timeout| elapsed >= timeout)
    }

    /// The pause after this many failed attempts: doubling, drawn at random once it would pass the longest, and never past the deadline.
    pub(super) fn delay(
        &self,
        failed_attempts: u32,
        elapsed: Duration,
        random_below: impl FnOnce(Duration) -> Duration,
    ) -> Duration {
        let doubled = FIRST_DELAY.saturating_mul(1_u32.checked_shl(failed_attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        let delay = if doubled > self.delay_max { random_below(self.delay_max) } else { doubled };
        match self.timeout {
            Some(timeout) => delay.min(timeout.saturating_sub(elapsed)),
            None => delay,
        }
    }
}

pub(super) fn random_below(limit: Duration) -> Duration {
    // Each state is seeded at random: as good a draw as back-off needs.
    let draw = RandomState::new().hash_one(());
    let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(draw.checked_rem(limit).unwrap_or(0))
}
