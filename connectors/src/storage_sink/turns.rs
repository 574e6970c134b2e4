//! Only so many listings of a task go on at the same time. One that waits for an answer of the store gives its turn to another.

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

/// The turn of one listing, all of whose questions share it.
pub(super) struct Turn<'a> {
    turns: &'a Semaphore,
    permit: Mutex<Option<SemaphorePermit<'a>>>,
}

impl<'a> Turn<'a> {
    /// `turns`: as many as there may be at the same time. It comes with the first question.
    pub(super) fn new(turns: &'a Semaphore) -> Self {
        Self { turns, permit: Mutex::const_new(None) }
    }

    /// Waits until the listing may ask, unless it has the turn.
    pub(super) async fn wait(&self) {
        let mut permit = self.permit.lock().await;
        if permit.is_none() {
            // A closed semaphore is one that nobody closes.
            *permit = self.turns.acquire().await.ok();
        }
    }

    /// Lets others go on until the next question.
    pub(super) fn give(&self) {
        // Where another question of this listing waits for the turn there is none to give.
        if let Ok(mut permit) = self.permit.try_lock() {
            permit.take();
        }
    }
}
