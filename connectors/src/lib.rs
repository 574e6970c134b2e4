//! Plugins: converters, partitioners, formats, storages and sinks.

mod compression;
mod converter;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod joda;
mod json_path;
mod partitioner;
mod plugins;
mod predicate;
mod registry;
mod simple_date_format;
mod sink;
mod storage;
mod storage_sink;
mod transform;
mod zigzag;

pub use plugins::plugins;
pub use storage::memory_storage;
