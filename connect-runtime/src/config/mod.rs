//! Configuration: read from files ([`read_worker`], [`read_connector`]), checked as a whole ([`validate`]), and what is meant by it
//! ([`WorkerConfig`], [`ConnectorConfig`], the settings of Kafka clients).

mod aliased;
mod client;
mod connector;
mod connector_keys;
mod converter_keys;
mod converters;
mod effective;
mod elsewhere;
#[cfg(test)]
pub(crate) mod fake;
mod file;
mod json;
mod kubernetes;
mod memory_size;
mod nearest;
mod properties;
mod reference;
mod shapes;
mod shared_destinations;
mod shared_groups;
mod toml;
mod topic_regex;
mod transformations;
mod validate;
#[cfg(test)]
mod vectors;
mod worker;
mod worker_keys;
mod yaml;

pub(crate) use client::add_command_config;
pub use client::{ClientProperties, admin_properties, consumer_properties, producer_properties};
pub use connector::{ConnectorConfig, DeadLetterQueueConfig, ErrorsConfig, Tolerance, Topics};
pub use converters::{Converters, converters};
pub(crate) use effective::effective;
pub use file::{ConnectorFile, read_connector, read_connectors, read_worker};
pub(crate) use file::{SettingsFile, read_client};
pub use reference::config_reference;
pub(crate) use shared_destinations::{Destinations, shared_destinations};
pub(crate) use shared_groups::shared_groups;
pub use topic_regex::TopicRegex;
pub use transformations::{Guard, NamedTransformation, transformations};
pub use validate::{Validation, validate, validate_worker};
pub use worker::{Listener, WorkerConfig};
