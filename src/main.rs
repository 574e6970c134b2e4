//! The `connect` binary: the runtime with every plugin of this repository.

use std::process::ExitCode;

/// Takes a fifth off the cost of a request to S3, and gives large blocks back without asking the kernel for each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    connect_runtime::cli::run(connectors::plugins())
}
