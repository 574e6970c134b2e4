//! Cases of `spec/connect-runtime.md` 12.10 and 12.11 that the vectors do not have.
