//! Logs: one line per event, on standard error.

use std::io;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::cli::Output;

/// Starts logging for the whole process: `RUST_LOG` says what, `info` without it. Embedders bring their own subscriber instead.
pub(crate) fn init(format: Output) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset_or_malformed| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(false);
    // Whoever called before has set a subscriber; it stays.
    let _already_set = match format {
        Output::Text => registry.with(layer).try_init(),
        Output::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
}
