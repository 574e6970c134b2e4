//! Conformance suites: one function per contract.

pub mod storage;
