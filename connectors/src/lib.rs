//! Plugins: converters, partitioners, formats, storages and sinks.

mod compression;
mod converter;
mod format;
mod joda;
mod partitioner;
mod plugins;
mod registry;
mod sink;
mod storage;
mod storage_sink;
mod zigzag;

pub use plugins::plugins;
pub use storage::memory_storage;
