//! The `connect` binary: the runtime with every plugin of this repository.

use std::{ffi::c_int, process::ExitCode};

/// For all code of the process, C's included: what librdkafka allocates on one thread is given back on another, for every record, and
/// that takes a third off what reading costs. A request to S3 becomes a fifth cheaper.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of the allocator's option `purge_delay`, which the crate does not name: how long it keeps memory that nobody uses before it
/// gives it back, in milliseconds.
const PURGE_DELAY: c_int = 15;

/// The default of a second keeps a fifth of the process's memory lying about while it is busy.
const PURGE_AFTER_MS: i64 = 200;

fn main() -> ExitCode {
    give_memory_back_soon();
    connect_runtime::cli::run(connectors::plugins())
}

#[allow(unsafe_code, reason = "the allocator has no other way to be told")]
fn give_memory_back_soon() {
    // SAFETY: the call stores a number in a table of the allocator's.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, PURGE_AFTER_MS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "as above")]
    fn the_number_is_that_of_the_option() {
        // SAFETY: the calls read and write a number in a table of the allocator's.
        let get = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        // No other option has this default.
        assert!(get() == 1_000 || std::env::var_os("MIMALLOC_PURGE_DELAY").is_some());
        give_memory_back_soon();
        assert!(get() == PURGE_AFTER_MS || std::env::var_os("MIMALLOC_PURGE_DELAY").is_some());
    }
}
