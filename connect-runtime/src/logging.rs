//! Logs: one line per event, on standard error.

use std::io;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::cli::{LogLevel, Output};

/// Starts logging for the whole process: `level` says what, else `RUST_LOG`, else it is `info`. Embedders bring their own subscriber instead.
pub(crate) fn init(format: Output, level: Option<LogLevel>) {
    let from_environment =
        || EnvFilter::try_from_default_env().unwrap_or_else(|_unset_or_malformed| EnvFilter::new(LogLevel::Info.name()));
    let filter = level.map_or_else(from_environment, |level| EnvFilter::new(level.name()));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(false);
    // Whoever called before has set a subscriber; it stays.
    let _already_set = match format {
        Output::Text => registry.with(layer).try_init(),
        Output::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
}
