//! The only place that spawns. Whoever spawns here, joins here.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Asks for an end, and remembers since when. Clones ask for the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    asked: CancellationToken,
    since: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// Asks for the end; asking again changes nothing.
    pub(crate) fn cancel(&self) {
        // First, so that whoever is woken knows it.
        self.since.get_or_init(Instant::now);
        self.asked.cancel();
    }

    /// Whether the end has been asked for.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.asked.is_cancelled()
    }

    /// Waits until the end is asked for.
    pub(crate) async fn cancelled(&self) {
        self.asked.cancelled().await;
    }

    /// So long after the end was asked for, or after now where it was not.
    pub(crate) fn until(&self, within: Duration) -> Instant {
        self.since.get().copied().unwrap_or_else(Instant::now) + within
    }
}

/// Futures that run beside their owner and end with it.
#[derive(Clone, Debug)]
pub(crate) struct Spawner {
    cancelled: CancellationToken,
    running: watch::Sender<usize>,
}

/// Counts a future down, however it ends.
struct Running(watch::Sender<usize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

impl Spawner {
    /// Nothing runs yet. Everything is dropped once `parent` is cancelled.
    pub(crate) fn new(parent: &CancellationToken) -> Self {
        Self { cancelled: parent.child_token(), running: watch::Sender::new(0) }
    }

    /// Runs a future until it ends or [`Spawner::close`] drops it.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.running.send_modify(|running| *running += 1);
        let running = Running(self.running.clone());
        let cancelled = self.cancelled.clone();
        drop(spawn(async move {
            let _running = running;
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = future => {}
            }
        }));
    }

    /// Drops what still runs and waits until it is gone, but not for ever.
    pub(crate) async fn close(&self, within: Duration) {
        self.cancelled.cancel();
        let mut running = self.running.subscribe();
        let gone = tokio::time::timeout(within, running.wait_for(|running| *running == 0)).await;
        if gone.is_err() {
            tracing::warn!(running = *self.running.borrow(), waited = ?within, "background work has not ended");
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

/// A future that runs by itself and is dropped with its handle.
#[derive(Debug)]
pub(crate) struct Joined<T>(JoinHandle<T>);

/// Runs a future that does not outlive its handle.
pub(crate) fn join<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Joined<T> {
    Joined(spawn(future))
}

impl<T> Joined<T> {
    /// Waits for the end.
    ///
    /// # Errors
    /// The future has panicked.
    pub(crate) async fn ended(mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }

    /// Waits for the end, however it comes; may be called again.
    pub(crate) async fn wait(&mut self) {
        if !self.0.is_finished() {
            // What has panicked has ended, too.
            let _ended = (&mut self.0).await;
        }
    }

    /// Drops the future as soon as it waits for something.
    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

impl<T> Drop for Joined<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs what blocks on a thread of its own.
pub(crate) fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(work)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closing_drops_what_runs_and_waits_for_it() {
        struct Dropped(Arc<AtomicBool>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let spawner = Spawner::new(&CancellationToken::new());
        let gone = Arc::new(AtomicBool::new(false));
        let held = Dropped(gone.clone());
        spawner.spawn(async move {
            let _held = held;
            std::future::pending().await
        });
        spawner.close(Duration::from_secs(1)).await;
        assert!(gone.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_future_that_panics_counts_as_ended() {
        let spawner = Spawner::new(&CancellationToken::new());
        spawner.spawn(async { panic!("on purpose") });
        spawner.running.subscribe().wait_for(|running| *running == 0).await.unwrap();
    }
}
