//! What a storage sink counts.

use connect_api::{MetricDefinition, MetricKind, SinkTaskContext};
use prometheus::{IntCounter, IntGauge};

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident $metric:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        $($(#[$doc])* pub(super) static $name: MetricDefinition = MetricDefinition {
            name: $metric, kind: MetricKind::$kind, labels: &[$($label),*], help: $help,
        };)*

        /// All of them, for the reference.
        pub(crate) fn definitions() -> Vec<&'static MetricDefinition> {
            vec![$(&$name),*]
        }
    };
}

metrics! {
    OBJECTS "connect_sink_objects_total" Counter ["connector"] "Objects that have become durable, those adopted from before a restart not counted";
    BYTES "connect_sink_object_bytes_total" Counter ["connector"] "Bytes of these objects as stored, after compression";
    RECORDS "connect_sink_records_written_total" Counter ["connector", "task"] "Records written to files";
    ROTATIONS "connect_sink_rotations_total" Counter ["connector", "reason"] "Times that the files of a partition were closed, by what decided it";
    ADOPTED "connect_sink_objects_adopted_total" Counter ["connector"] "Objects that were there already with the records that were about to be written";
    REPLACED "connect_sink_objects_replaced_total" Counter ["connector"] "Objects with other content, of another history or of other settings, that were in the way and were replaced";
    IN_FLIGHT "connect_sink_uploads_in_flight" Gauge ["connector"] "Upload requests waiting for the store's answer";
    RETRIES "connect_sink_upload_retries_total" Counter ["connector"] "Upload requests that are made again because the store did not take them";
    OPEN_FILES "connect_sink_open_files" Gauge ["connector", "task"] "Files that wait for more records";
    SPILLED "connect_sink_spilled_bytes" Gauge ["connector", "task"] "Bytes of open and closed files that lie on local disk, because memory is full";
    OPENING "connect_sink_opening_partitions" Gauge ["connector", "task"] "Partitions that wait until it is known what lies ahead of them in the store";
    DURABLE_OFFSET "connect_sink_durable_offset" Gauge ["connector", "topic", "partition"] "Everything before this offset is durable in the store, looked at once a second";
}

/// Handles of uploads.
pub(super) struct UploadMetrics {
    objects: IntCounter,
    bytes: IntCounter,
    pub(super) adopted: IntCounter,
    pub(super) replaced: IntCounter,
    pub(super) in_flight: IntGauge,
    pub(super) retries: IntCounter,
}

impl UploadMetrics {
    pub(super) fn new(context: &SinkTaskContext) -> Self {
        let connector = &*context.connector;
        let counter = |definition| context.metrics.counter(definition, &[connector]);
        Self {
            objects: counter(&OBJECTS),
            bytes: counter(&BYTES),
            adopted: counter(&ADOPTED),
            replaced: counter(&REPLACED),
            in_flight: context.metrics.gauge(&IN_FLIGHT, &[connector]),
            retries: counter(&RETRIES),
        }
    }

    pub(super) fn object_written(&self, bytes: u64) {
        self.objects.inc();
        self.bytes.inc_by(bytes);
    }
}

/// Why files are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// `flush.size`.
    Size,
    /// `rotate.schedule.interval.ms`.
    Schedule,
    /// `rotate.interval.ms`.
    Interval,
    /// `rotate.file.on.partition.change`.
    PartitionChange,
    /// `partitioner.max.open.files`.
    OpenFiles,
    /// `rotate.size.bytes`.
    Bytes,
    /// `rotate.idle.ms`.
    Idle,
    /// A record's schema does not go with that of its file: `schema.compatibility`.
    Schema,
    /// A cut that was planned before a restart, or the edge of an object that is there already.
    Recovery,
}

/// Handles of a task.
pub(super) struct TaskMetrics {
    pub(super) records: IntCounter,
    pub(super) open_files: IntGauge,
    pub(super) opening: IntGauge,
    pub(super) spilled: IntGauge,
    size: IntCounter,
    schedule: IntCounter,
    interval: IntCounter,
    partition_change: IntCounter,
    max_open_files: IntCounter,
    bytes: IntCounter,
    idle: IntCounter,
    schema: IntCounter,
    recovery: IntCounter,
}

impl TaskMetrics {
    pub(super) fn new(context: &SinkTaskContext) -> Self {
        let (connector, task) = (&*context.connector, context.task.to_string());
        let rotations = |reason| context.metrics.counter(&ROTATIONS, &[connector, reason]);
        Self {
            records: context.metrics.counter(&RECORDS, &[connector, &task]),
            open_files: context.metrics.gauge(&OPEN_FILES, &[connector, &task]),
            opening: context.metrics.gauge(&OPENING, &[connector, &task]),
            spilled: context.metrics.gauge(&SPILLED, &[connector, &task]),
            size: rotations("size"),
            schedule: rotations("schedule"),
            interval: rotations("interval"),
            partition_change: rotations("partition_change"),
            max_open_files: rotations("open_files"),
            bytes: rotations("bytes"),
            idle: rotations("idle"),
            schema: rotations("schema"),
            recovery: rotations("recovery"),
        }
    }

    pub(super) fn rotated(&self, reason: Reason) {
        match reason {
            Reason::Size => self.size.inc(),
            Reason::Schedule => self.schedule.inc(),
            Reason::Interval => self.interval.inc(),
            Reason::PartitionChange => self.partition_change.inc(),
            Reason::OpenFiles => self.max_open_files.inc(),
            Reason::Bytes => self.bytes.inc(),
            Reason::Idle => self.idle.inc(),
            Reason::Schema => self.schema.inc(),
            Reason::Recovery => self.recovery.inc(),
        }
    }
}
