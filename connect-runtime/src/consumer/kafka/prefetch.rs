//! What messages that librdkafka has fetched ahead take of the memory budget.

use std::sync::{Mutex, PoisonError};

use connect_api::{Budget, Reservation};

/// What is booked for messages that librdkafka has fetched ahead; given back with the client.
pub(super) struct Prefetch {
    least: usize,
    booked: Mutex<Reservation>,
}

impl Prefetch {
    /// This much is booked whatever lies there.
    pub(super) fn new(budget: &Budget, least: usize) -> Self {
        Self { least, booked: Mutex::new(budget.prefetch(least)) }
    }

    /// Messages lie there decompressed, and may take many times what fetching them was limited to.
    pub(super) fn show(&self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(self.least);
        self.booked.lock().unwrap_or_else(PoisonError::into_inner).resize(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_decompressed_is_booked_and_never_less_than_was_planned() {
        let task = Budget::new(1_000).task();
        let prefetch = Prefetch::new(&task, 100);
        for (lies_there, booked) in [(0, 100), (700, 700), (20, 100)] {
            prefetch.show(lies_there);
            assert_eq!(task.used(), booked);
        }
        drop(prefetch);
        assert_eq!(task.used(), 0);
    }
}
