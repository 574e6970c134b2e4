//! Bytes to data.
