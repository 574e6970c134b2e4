//! Waiting for what a converter lacks. The loop goes on turning meanwhile.

use std::{fmt, future::pending, time::Duration};

use connect_api::{Error, ErrorKind, Fetch, Result};
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What an answer may take before readiness mentions it.
const EXPECTED: Duration = Duration::from_secs(5);

/// What a converter gets, tried again until it is there.
#[derive(Default)]
pub(super) struct Fetching {
    running: Option<Fetch>,
    /// The last attempt's, until somebody asks for it.
    outcome: Option<Result<()>>,
    /// Attempts in a row that failed.
    failures: u32,
    /// The next attempt is not made before.
    not_before: Option<Instant>,
    /// When the attempt began that is under way.
    begun: Option<Instant>,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum Fetched {
    /// Nothing is under way: it is there, or was never begun.
    Yes,
    /// Something must happen first.
    NotYet,
    /// An attempt failed; after this pause it is worth another one.
    Failed(Error, Duration),
}

impl Fetching {
    /// Begins an attempt, which goes on while somebody waits for its [end](Self::ended).
    pub(super) fn begin(&mut self, fetch: Fetch) {
        self.running = Some(fetch);
        self.begun = Some(Instant::now());
    }

    /// Whether an attempt takes longer than anybody expects.
    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.running.is_some() && self.begun.is_some_and(|begun| now.saturating_duration_since(begun) > EXPECTED)
    }

    /// Completes when an attempt has ended; never where none is under way. May be dropped and called again.
    pub(super) async fn ended(&mut self) {
        match &mut self.running {
            Some(running) => {
                self.outcome = Some(running.await);
                self.running = None;
            }
            None => pending().await,
        }
    }

    /// # Errors
    /// What is not tried again.
    pub(super) fn look(&mut self, now: Instant) -> Result<Fetched> {
        if self.running.is_some() || self.not_before.is_some_and(|at| now < at) {
            return Ok(Fetched::NotYet);
        }
        self.not_before = None;
        match self.outcome.take() {
            None => Ok(Fetched::Yes),
            Some(Ok(())) => {
                self.failures = 0;
                Ok(Fetched::Yes)
            }
            Some(Err(error)) if error.kind() == ErrorKind::Retriable => {
                let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
                self.failures = self.failures.saturating_add(1);
                self.not_before = Some(now + pause);
                Ok(Fetched::Failed(error, pause))
            }
            Some(Err(error)) => Err(error),
        }
    }

    /// Whether somebody should hear of the last failure: of the first, and of fewer and fewer of those after it.
    pub(super) fn is_worth_a_word(&self) -> bool {
        self.failures.is_power_of_two()
    }
}

impl fmt::Debug for Fetching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { running, outcome, failures, not_before, .. } = self;
        write!(f, "Fetching({}, {outcome:?}, {failures} failures, {not_before:?})", running.is_some())
    }
}
