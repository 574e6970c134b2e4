//! The `connect` binary: the runtime with every plugin of this repository.

use std::process::ExitCode;

fn main() -> ExitCode {
    connect_runtime::cli::run(connectors::plugins())
}
