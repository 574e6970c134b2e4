//! Contracts between the runtime of a Kafka Connect sink and its plugins.
//!
//! This crate does no I/O, spawns nothing and depends on neither Kafka nor a store: a plugin is written and tested against it alone.
//! A sink is a [`SinkConnector`] that makes [`SinkTask`]s; converters, transforms, partitioners and formats are the plugins that a
//! configuration names; [`Storage`] is where objects go; [`Plugins`] is the registry.

mod budget;
pub mod config;
mod converter;
pub mod data;
mod error;
mod format;
mod java_regex;
mod metrics;
mod partitioner;
pub mod plugins;
mod predicate;
mod record;
mod sink_connector;
mod sink_task;
mod storage;
#[cfg(feature = "testing")]
pub mod testing;
mod topic_partition;
mod transformation;

pub use async_trait::async_trait;
pub use budget::{Budget, Reservation, Stuck};
pub use converter::{Converter, ConverterType, Fetch, HeaderConverter};
pub use error::{Error, ErrorKind, Result};
pub use format::{Format, RecordView, RecordWriter};
pub use java_regex::JavaRegex;
pub use metrics::{MetricDefinition, MetricKind, Metrics};
pub use partitioner::{PartitionedBy, Partitioner, TimestampExtractor};
pub use plugins::{Plugin, Plugins};
pub use predicate::Predicate;
pub use record::{ConsumerRecord, ConsumerRecords, Header, Origin, RawHeader, SinkRecord, TimestampType};
pub use sink_connector::{Destination, SinkConnector};
pub use sink_task::{CommitReason, ErrantRecordReporter, METADATA_LIMIT, SinkTask, SinkTaskContext, SinkTaskHost};
pub use storage::{
    Body, Completion, Condition, Cursor, IsAbandoned, MultipartUpload, ObjectInfo, ObjectMetadata, Page, PieceLimit, Storage,
    Version,
};
pub use topic_partition::{OffsetAndMetadata, Offsets, TopicPartition};
pub use transformation::Transformation;
