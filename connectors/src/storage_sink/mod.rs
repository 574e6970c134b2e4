//! A sink task over any storage, exactly once.
//!
//! Records go to the open files of their partition ([`topic_partition_writer`]). All files of a partition are *cut* together at one offset; what the
//! settings and the records do not decide alone is planned in the group's offset metadata first ([`journal`]). Closed files are uploaded beside
//! consumption ([`uploads`]) under names that hold their first offset, and only where the name is free; whoever has the name already says by its
//! metadata what follows ([`provenance`]). The offset to commit is a function of the [`ledger`] and of nothing else.

mod asking;
mod boundaries;
mod claim;
mod committing;
mod compatibility;
mod config;
mod cutting;
mod destinations;
mod directories;
mod doubted;
mod doubtful;
mod edges;
mod file_buffer;
mod findings;
mod fingerprint;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod gate;
mod inferred;
mod journal;
mod keys;
mod lease;
mod ledger;
mod metrics;
mod not_yet;
mod null_values;
mod object_key;
mod open_file;
mod open_files;
mod opening;
mod openings;
mod overlap;
mod parts;
mod projection;
mod provenance;
mod reporting;
mod rotation;
mod schedule;
mod schema_files;
mod schema_object;
#[cfg(test)]
mod simulation;
mod slot;
mod spill;
mod spilling;
mod suggestions;
mod survey;
mod tagging;
mod task;
mod topic_partition_writer;
mod turns;
mod upload_queue;
mod uploads;
mod writer_state;

pub(crate) use config::{StorageSinkConfig, uploads_in_flight, validate};
pub(crate) use destinations::destinations;
pub(crate) use doubtful::warnings;
pub(crate) use keys::keys;
pub(crate) use metrics::definitions;
pub(crate) use task::StorageSinkTask;
pub(crate) use uploads::Permits;
