//! The table of the runtime's metrics.
