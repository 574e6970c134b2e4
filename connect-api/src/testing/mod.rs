//! Conformance suites: one function per contract.

pub mod converter;
pub mod format;
mod fuzz_target;
pub mod partitioner;
mod record;
pub mod storage;

pub use fuzz_target::FuzzTarget;
pub use record::{record_of, record_with};
