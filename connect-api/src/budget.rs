//! One memory budget for everything that waits to become durable.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts bytes against a limit. Clones share the count.
///
/// Reserving never fails and never waits: what has been read must be kept. Whoever reads asks [`Budget::is_exhausted`] first, and
/// stops reading while it is, so the limit is passed by at most what was in flight at that moment.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of this many bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Counts { limit, used: AtomicUsize::new(0) }))
    }

    /// Takes bytes until the reservation is dropped.
    pub fn reserve(&self, bytes: usize) -> Reservation {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
        Reservation { budget: self.clone(), bytes }
    }

    /// Bytes that may be reserved at most.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes reserved now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Whether reading must stop.
    pub fn is_exhausted(&self) -> bool {
        self.used() >= self.0.limit
    }
}

/// Bytes taken from a [`Budget`], given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    bytes: usize,
}

impl Reservation {
    /// Takes or gives back the difference.
    pub fn resize(&mut self, bytes: usize) {
        let used = &self.budget.0.used;
        if bytes >= self.bytes {
            used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_when_a_reservation_is_dropped() {
        let budget = Budget::new(10);
        let mut reservation = budget.reserve(4);
        reservation.resize(11);
        assert!(budget.is_exhausted());
        reservation.resize(3);
        assert_eq!(budget.used(), 3);
        drop(reservation);
        assert_eq!(budget.used(), 0);
    }
}
