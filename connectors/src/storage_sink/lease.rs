//! Whether this process has been awake: one that was frozen may have lost its partitions and not know it yet.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// How long the task's loop may stand still before what it owns is in doubt: well below the time after which a group gives a member's partitions to
/// others (`session.timeout.ms`), even with a request under way.
const AWAKE: Duration = Duration::from_secs(5);

/// Renewed whenever the task's loop turns.
#[derive(Debug)]
pub(super) struct Lease {
    origin: Instant,
    renewed: AtomicU64,
}

impl Lease {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now(), renewed: AtomicU64::new(0) }
    }

    /// The loop has turned. False where it stood still for so long that nothing is certain any more.
    pub(super) fn renew(&self) -> bool {
        let now = self.origin.elapsed();
        let before = Duration::from_millis(self.renewed.swap(millis(now), Ordering::Relaxed));
        now.saturating_sub(before) < AWAKE
    }

    /// Whether the loop has turned lately.
    pub(super) fn holds(&self) -> bool {
        self.origin.elapsed().saturating_sub(Duration::from_millis(self.renewed.load(Ordering::Relaxed))) < AWAKE
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stood_still_is_not_trusted() {
        let lease = Lease::new();
        tokio::time::advance(AWAKE / 2).await;
        assert!(lease.holds() && lease.renew());
        tokio::time::advance(AWAKE).await;
        assert!(!lease.holds() && !lease.renew());
        assert!(lease.holds() && lease.renew());
    }
}
