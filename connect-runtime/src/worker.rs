//! The process as a library: what `connect run` and embedders start.

/// A running worker.
#[derive(Debug)]
pub struct Worker;

/// How to start a [`Worker`].
#[derive(Debug)]
pub struct WorkerBuilder;
