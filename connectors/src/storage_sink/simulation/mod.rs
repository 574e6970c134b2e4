//! A world in which everything goes wrong: crashes at every step, lost answers, requests that land after their owner has died, frozen owners, settings that
//! change at a restart, records that vanish, topics that are made anew.
//!
//! Whatever happens, every record must lie in the bucket exactly once, and no object may change after it has appeared.
//!
//! `CONNECT_SIMULATION_STORIES` says how many random stories are told.

mod bucket;
mod cases;
mod life;
mod plugins;
mod records;
mod stories;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// xorshift64*: the same seed, the same world.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)))
    }

    fn below(&self, sides: u64) -> u64 {
        let mut state = lock(&self.0);
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn up_to(&self, most: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(most).unwrap() + 1)).unwrap()
    }

    fn one_in(&self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one story in a time of its own.
fn tell(story: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(story());
}
