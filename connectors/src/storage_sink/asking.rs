//! Asking the store until it answers: nothing of the environment ever ends an upload.

use std::sync::{Arc, atomic::Ordering};

use connect_api::{ErrorKind, Result};
use prometheus::IntGauge;
use tracing::{debug, warn};

use super::{uploads::Uploads, writer_state::WriterState};

/// Asks the store until it answers. While it waits for its next attempt an upload gives its place to another.
///
/// A macro, because what is asked borrows, and a future made by a closure that borrows cannot be shown to be `Send`.
macro_rules! until_answered {
    ($uploads:expr, $retrying:expr, $question:expr) => {
        until_answered!($uploads, $retrying, let _nothing = (); $question)
    };
    // What is needed for each try, and let go of after it: got before the look at the lease, for it may take as long as it likes.
    ($uploads:expr, $retrying:expr, let $needed:ident = $got:expr; $question:expr) => {{
        let mut retrying = $retrying;
        loop {
            retrying.wait_for_trust().await;
            let answer = {
                let $needed = $got;
                let permit = $uploads.permits.uploads.acquire().await;
                if !retrying.is_trusted() {
                    // The process was frozen while this waited for its turn.
                    continue;
                }
                let in_flight = $crate::storage_sink::asking::InFlight::new(&$uploads.metrics.in_flight);
                let answer = $question.await;
                drop((in_flight, permit));
                answer
            };
            if let Some(answer) = retrying.settle(answer).await {
                break answer;
            }
        }
    }};
}

pub(super) use until_answered;

/// Counts a request while it is under way, however it ends.
pub(super) struct InFlight<'a>(&'a IntGauge);

impl<'a> InFlight<'a> {
    pub(super) fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// How often something was asked, and whether it is refused now.
pub(super) struct Retrying<'a> {
    uploads: &'a Arc<Uploads>,
    key: &'a str,
    writer: &'a WriterState,
    /// Whether a lane waits with it.
    in_lane: bool,
    attempt: u32,
    is_refused: bool,
}

impl<'a> Retrying<'a> {
    pub(super) fn new(uploads: &'a Arc<Uploads>, key: &'a str, writer: &'a WriterState, in_lane: bool) -> Self {
        Self { uploads, key, writer, in_lane, attempt: 0, is_refused: false }
    }

    /// Whether the partition is still ours, as far as this process can know without asking.
    pub(super) fn is_trusted(&self) -> bool {
        // Of a log that is gone no commit can tell; its objects are made under free names only.
        let is_doubted = self.writer.is_doubted.load(Ordering::Relaxed) && !self.writer.log_is_gone();
        self.uploads.lease.holds() && !is_doubted
    }

    /// Waits until it is certain that the partition is still ours: after the process has stood still, a commit must have shown it.
    pub(super) async fn wait_for_trust(&self) {
        const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(200);
        // The lane stays taken: nobody else may send anything either.
        while !self.is_trusted() {
            if !self.uploads.lease.holds() {
                // The loop that answers renews it.
                self.uploads.context.request_commit();
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The answer, or nothing after a pause where the question is to be asked again. The environment never needs a human.
    pub(super) async fn settle<T>(&mut self, answer: Result<T>) -> Option<Result<T>> {
        match answer {
            Err(error) if matches!(error.kind(), ErrorKind::Retriable | ErrorKind::Config) => {
                // One answer of many that is a refusal is no trouble: a second one to the same question is.
                if self.attempt > 0 {
                    self.refuse(error.report());
                }
                self.uploads.metrics.retries.inc();
                let pause = self.uploads.backoff(self.attempt + 1);
                // Once for all that wait: a store that hangs is one trouble, and not one for each object.
                let (key, attempt, error) = (self.key, self.attempt + 1, error.report());
                if self.uploads.may_tell() {
                    warn!(key, attempt, ?pause, error, "the store does not take it, retrying");
                } else {
                    debug!(key, attempt, ?pause, error, "the store does not take it, retrying");
                }
                self.pause().await;
                None
            }
            answer => {
                if self.is_refused {
                    debug!(key = self.key, "the store answers again");
                }
                Some(answer.map_err(|error| error.context(format!("object {}", self.key))))
            }
        }
    }

    /// Counts as refused until it ends, and says why.
    pub(super) fn refuse(&mut self, why: String) {
        if !std::mem::replace(&mut self.is_refused, true) {
            self.uploads.refuse(self.writer);
        }
        self.uploads.context.report_problem("storage", Some(why));
    }

    /// Waits before the next attempt, longer each time.
    async fn pause(&mut self) {
        self.attempt += 1;
        let _lane = self.pause_lane();
        tokio::time::sleep(self.uploads.backoff(self.attempt)).await;
    }

    /// While it is held another upload may have the lane.
    pub(super) fn pause_lane(&self) -> Option<PausedLane<'a>> {
        self.in_lane.then(|| {
            self.uploads.pause_lane();
            PausedLane(self.uploads)
        })
    }
}

impl Drop for Retrying<'_> {
    fn drop(&mut self) {
        if self.is_refused {
            self.uploads.forgive(self.writer);
        }
    }
}

/// A lane that was given to others for a while.
pub(super) struct PausedLane<'a>(&'a Arc<Uploads>);

impl Drop for PausedLane<'_> {
    fn drop(&mut self) {
        self.0.resume_lane();
    }
}
