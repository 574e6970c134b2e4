//! Conformance suites: one function per contract.
