//! The `connect` binary: the runtime with every plugin of this repository.

use std::process::ExitCode;

/// For all code of the process, C's included: what librdkafka allocates on one thread is given back on another, for every record, and
/// that takes a third off what reading costs. A request to S3 becomes a fifth cheaper.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    connect_runtime::cli::run(connectors::plugins())
}
