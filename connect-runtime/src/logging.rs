//! Logs: one line per event.
