//! Configuration files and what they mean: [`WorkerConfig`] and [`ConnectorConfig`].

mod client;
mod connector;
mod connector_keys;
mod converters;
mod memory_size;
mod nearest;
mod properties;
mod topic_regex;
mod transformations;
#[cfg(test)]
mod vectors;
mod worker;
mod worker_keys;

pub use client::{ClientProperties, admin_properties, consumer_properties, producer_properties};
pub use connector::{ConnectorConfig, DeadLetterQueueConfig, ErrorsConfig, Tolerance, Topics};
pub use converters::{Converters, converters};
pub use topic_regex::TopicRegex;
pub use transformations::{NamedTransformation, transformations};
pub use worker::{Listener, WorkerConfig};
