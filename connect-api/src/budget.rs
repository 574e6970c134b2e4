//! One memory budget for everything that waits to become durable.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts bytes against a limit. Clones share the count.
///
/// Reserving never fails and never waits: what has been read must be kept. Whoever reads asks [`Budget::is_exhausted`] first, and
/// stops reading while it is, so the limit is passed by at most what was in flight at that moment.
///
/// Bytes in *motion* (batches, uploads) come back by themselves. Bytes that are *parked* (an open file that waits for more
/// records) come back only if reading goes on: where nothing is in motion the budget is not exhausted, whatever is parked, or
/// everything would stand still for ever.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    limit: usize,
    used: AtomicUsize,
    parked: AtomicUsize,
}

impl Budget {
    /// A budget of this many bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Counts { limit, used: AtomicUsize::new(0), parked: AtomicUsize::new(0) }))
    }

    /// Takes bytes until the reservation is dropped.
    pub fn reserve(&self, bytes: usize) -> Reservation {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
        Reservation { budget: self.clone(), bytes, parked: false }
    }

    /// Takes bytes that come back only when reading goes on.
    pub fn park(&self, bytes: usize) -> Reservation {
        self.0.parked.fetch_add(bytes, Ordering::Relaxed);
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
        Reservation { budget: self.clone(), bytes, parked: true }
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
        let used = self.used();
        used >= self.0.limit && used > self.0.parked.load(Ordering::Relaxed)
    }

    /// Whether more than half is used: time to let go of what can be let go of.
    pub fn is_tight(&self) -> bool {
        self.used() > self.0.limit / 2
    }
}

/// Bytes taken from a [`Budget`], given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    bytes: usize,
    parked: bool,
}

impl Reservation {
    /// Takes or gives back the difference.
    pub fn resize(&mut self, bytes: usize) {
        let counts = &self.budget.0;
        adjust(&counts.used, self.bytes, bytes);
        if self.parked {
            adjust(&counts.parked, self.bytes, bytes);
        }
        self.bytes = bytes;
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes will come back by themselves from now on.
    pub fn set_in_motion(&mut self) {
        if std::mem::take(&mut self.parked) {
            self.budget.0.parked.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.resize(0);
    }
}

fn adjust(count: &AtomicUsize, from: usize, to: usize) {
    if to >= from {
        count.fetch_add(to - from, Ordering::Relaxed);
    } else {
        count.fetch_sub(from - to, Ordering::Relaxed);
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

    #[test]
    fn parked_bytes_alone_never_stop_reading() {
        let budget = Budget::new(10);
        let mut file = budget.park(20);
        assert!(!budget.is_exhausted());
        let upload = budget.reserve(1);
        assert!(budget.is_exhausted());
        drop(upload);
        assert!(!budget.is_exhausted());
        file.set_in_motion();
        assert!(budget.is_exhausted());
    }
}
