//! Runs what was checked until it is told to stop.

use std::process::ExitCode;

use connect_api::Plugins;

use super::{WORKER, files::Checked};

pub(super) fn serve(_plugins: Plugins, checked: Checked) -> ExitCode {
    tracing::error!(
        brokers = checked.worker.bootstrap_servers,
        connectors = checked.connectors.len(),
        "this build cannot run them yet"
    );
    ExitCode::from(WORKER)
}
