//! The runtime: consumer, task loop, offsets, errors, worker, metrics and health. It knows no connector.

pub mod cli;
pub mod config;
mod consumer;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod herder;
mod logging;
mod memory;
pub mod metrics;
mod rest;
mod shutdown;
mod task;
mod worker;

pub use worker::{Worker, WorkerBuilder};
