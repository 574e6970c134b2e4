//! What a partition's writer and its uploads tell each other without words.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use connect_api::Reservation;
use tokio_util::sync::CancellationToken;

/// Identifies the writer of a partition within one assignment: what ends after the assignment ended concerns nobody.
pub(super) type WriterId = u64;

/// Shared by a writer and its uploads.
#[derive(Debug)]
pub(super) struct WriterState {
    pub(super) id: WriterId,
    /// When the writer began, in milliseconds since 1970.
    pub(super) opened: i64,
    /// The writer is gone: what is under way is given up.
    pub(super) cancelled: CancellationToken,
    /// Whether the partition is still ours is in doubt: nothing is sent.
    pub(super) is_doubted: AtomicBool,
    /// Nobody can read these records again.
    log_is_gone: AtomicBool,
    /// Bytes of closed files that are not durable yet.
    waiting: AtomicUsize,
    /// Requests that the store has refused and that are tried again.
    refused: AtomicUsize,
}

impl WriterState {
    pub(super) fn new(opened: i64) -> Arc<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            opened,
            cancelled: CancellationToken::new(),
            is_doubted: AtomicBool::new(false),
            log_is_gone: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    /// What comes of it, unless the writer goes first. Not `run_until_cancelled`, which lets the future go one step further: it might send something that
    /// nobody wants any more.
    pub(super) async fn while_open<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => None,
            done = future => Some(done),
        }
    }

    /// Bytes of closed files that are not durable yet.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The log that this writer read has ended.
    pub(super) fn end_log(&self) {
        self.log_is_gone.store(true, Ordering::Relaxed);
    }

    /// Whether nobody can read these records again.
    pub(super) fn log_is_gone(&self) -> bool {
        self.log_is_gone.load(Ordering::Relaxed)
    }

    /// Whether the store refuses something of this writer now.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed) > 0
    }

    /// Counts a request that is refused. True for the first of them.
    pub(super) fn refuse(&self) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// A request that was refused is not any more. True for the last of them.
    pub(super) fn forgive(&self) -> bool {
        self.refused.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// Counts the bytes as waiting until they are dropped, with those that wait on disk.
    pub(super) fn wait(self: &Arc<Self>, reservation: Reservation, on_disk: usize) -> WaitingBytes {
        let bytes = reservation.bytes() + on_disk;
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        WaitingBytes { state: Arc::clone(self), bytes, _reservation: reservation }
    }
}

/// Bytes of a closed file until they are durable.
#[derive(Debug)]
pub(super) struct WaitingBytes {
    state: Arc<WriterState>,
    bytes: usize,
    _reservation: Reservation,
}

impl Drop for WaitingBytes {
    fn drop(&mut self) {
        self.state.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
