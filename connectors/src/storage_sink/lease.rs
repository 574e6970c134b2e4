//! Whether this process has been awake: one that was frozen may have lost its partitions and not know it yet.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// How long the task's loop may stand still before what it owns is in doubt: well below the time after which a group gives a member's partitions to
/// others (`session.timeout.ms`), even with a request under way.
const AWAKE: Duration = Duration::from_secs(5);

/// Milliseconds since 1970.
pub(super) type Clock = fn() -> i64;

/// Renewed whenever the task's loop turns.
#[derive(Debug)]
pub(super) struct Lease {
    origin: Instant,
    renewed: AtomicU64,
    /// The clock of the process stands still while its machine is suspended; this one is set right when it wakes.
    clock: Clock,
    renewed_by_clock: AtomicI64,
    /// It stood still between two steps of the loop's work, and nobody was told yet.
    stood_still: AtomicBool,
}

impl Lease {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            origin: Instant::now(),
            renewed: AtomicU64::new(0),
            clock,
            renewed_by_clock: AtomicI64::new(clock()),
            stood_still: AtomicBool::new(false),
        }
    }

    /// The loop has turned. False where it stood still for so long that nothing is certain any more.
    pub(super) fn renew(&self) -> bool {
        let stood_still = self.stood_still.swap(false, Ordering::Relaxed);
        self.was_awake() && !stood_still
    }

    /// The loop has not turned, and has done a step of long work: who closes the files of many partitions does not stand still.
    pub(super) fn works(&self) {
        if !self.was_awake() {
            self.stood_still.store(true, Ordering::Relaxed);
        }
    }

    fn was_awake(&self) -> bool {
        let (now, by_clock) = (self.origin.elapsed(), (self.clock)());
        let before = self.renewed.swap(millis(now), Ordering::Relaxed);
        let before_by_clock = self.renewed_by_clock.swap(by_clock, Ordering::Relaxed);
        is_awake((before, now), (before_by_clock, by_clock))
    }

    /// Whether the loop has turned lately.
    pub(super) fn holds(&self) -> bool {
        let before = (self.renewed.load(Ordering::Relaxed), self.renewed_by_clock.load(Ordering::Relaxed));
        !self.stood_still.load(Ordering::Relaxed) && is_awake((before.0, self.origin.elapsed()), (before.1, (self.clock)()))
    }
}

/// Whether little time has passed by both clocks. One that is set forward only costs a commit; one that is set back says nothing.
fn is_awake((before, now): (u64, Duration), (before_by_clock, by_clock): (i64, i64)) -> bool {
    let passed = now.saturating_sub(Duration::from_millis(before));
    let by_clock = u64::try_from(by_clock.saturating_sub(before_by_clock)).unwrap_or_default();
    passed.max(Duration::from_millis(by_clock)) < AWAKE
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<i64> = const { Cell::new(1_700_000_000_000) };
    }

    #[test]
    fn a_machine_that_was_suspended_is_not_trusted_though_its_own_clock_stood_still_too() {
        let lease = Lease::new(|| NOW.get());
        NOW.set(NOW.get() + 2_000);
        assert!(lease.holds() && lease.renew());
        NOW.set(NOW.get() + 60_000);
        assert!(!lease.holds() && !lease.renew());
        assert!(lease.holds() && lease.renew());
        // A clock that is set back says nothing.
        NOW.set(NOW.get() - 86_400_000);
        assert!(lease.holds() && lease.renew());
        NOW.set(NOW.get() + 60_000);
        assert!(!lease.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stood_still_is_not_trusted() {
        let lease = Lease::new(|| 0);
        tokio::time::advance(AWAKE / 2).await;
        assert!(lease.holds() && lease.renew());
        tokio::time::advance(AWAKE).await;
        assert!(!lease.holds() && !lease.renew());
        assert!(lease.holds() && lease.renew());
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_works_for_long_is_trusted_unless_one_step_took_too_long() {
        let lease = Lease::new(|| 0);
        for _ in 0..10 {
            tokio::time::advance(AWAKE / 2).await;
            lease.works();
        }
        assert!(lease.holds() && lease.renew());
        tokio::time::advance(AWAKE).await;
        lease.works();
        assert!(!lease.holds());
        assert!(!lease.renew());
        assert!(lease.holds() && lease.renew());
    }
}
