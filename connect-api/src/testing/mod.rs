//! Conformance suites: one function per contract.

pub mod converter;
pub mod format;
pub mod partitioner;
mod record;
pub mod storage;

pub use record::{record_of, record_with};
