//! The settings of a storage sink: names, cuts, formats.

use std::{sync::Arc, time::Duration};

use connect_api::{
    Format, PartitionedBy, Partitioner, Plugins, RecordView, Result, TopicPartition,
    config::{AnyConfigKey, Config, ConfigKey, Importance, PluginKind, Problem, Problems},
    plugins::find,
};

use super::{
    destinations,
    fingerprint::{fingerprint, layout},
    object_key::{ObjectKeys, Place},
    schedule::{Schedule, time_zone},
};
use crate::compression::Compression;

pub(super) static FORMAT: ConfigKey<String> =
    ConfigKey::required("format.class", "The format of the files.").importance(Importance::High).plugin(PluginKind::Format);
static FLUSH_SIZE: ConfigKey<i32> = ConfigKey::required(
    "flush.size",
    "Records of a topic-partition, all its files together, after which the files are closed and uploaded. Less than 1 means 1.",
)
.importance(Importance::High)
.unit("records");
static ROTATE_SCHEDULE: ConfigKey<i64> = ConfigKey::with_default(
    "rotate.schedule.interval.ms",
    "-1",
    "Closes the files on a grid of wall-clock time that begins at midnight of `timezone`; off unless above 0. \
     Each such cut is committed to the group's offset metadata before its objects are completed, so that a restart cuts at the same offset.",
)
.unit("ms");
static ROTATE: ConfigKey<i64> =
    ConfigKey::with_default("rotate.interval.ms", "-1", "Closes the files by record time. Needs a time-based partitioner.")
        .unit("ms")
        .no_effect("it acts with time-based partitioners only, and they are not supported yet");
static TIME_ZONE: ConfigKey<String> =
    ConfigKey::with_default("timezone", "", "The time zone of `rotate.schedule.interval.ms`.").check(|name| check_time_zone(name));
pub(super) static TOPICS_DIR: ConfigKey<String> =
    ConfigKey::with_default("topics.dir", "topics", "The first component of every object's name; may be empty.")
        .importance(Importance::High);
static DIRECTORY_DELIMITER: ConfigKey<String> = ConfigKey::with_default("directory.delim", "/", "Stands between directories.");
static FILE_DELIMITER: ConfigKey<String> =
    ConfigKey::with_default("file.delim", "+", "Stands between topic, partition and offset in a file's name.");
static PAD_WIDTH: ConfigKey<i32> = ConfigKey::with_default(
    "filename.offset.zero.pad.width",
    "10",
    "Width to which offsets in names are padded with zeros; 0 does not pad (the JVM connector fails on 0).",
)
.check(|width| if *width >= 0 { Ok(()) } else { Err("Value must be at least 0".to_owned()) })
.importance(Importance::Low);
static PART_SIZE: ConfigKey<i32> =
    ConfigKey::with_default("s3.part.size", "26214400", "Objects beyond this size are sent in parts of about this size.")
        .check(|size| if *size >= 5 * 1024 * 1024 { Ok(()) } else { Err("Value must be at least 5242880".to_owned()) })
        .importance(Importance::High)
        .unit("bytes");
static COMPRESSION: ConfigKey<String> =
    ConfigKey::with_default("s3.compression.type", "none", "Compression of JSON and byte-array files.").one_of(&["none", "gzip"]);
static COMPRESSION_LEVEL: ConfigKey<i32> =
    ConfigKey::with_default("s3.compression.level", "-1", "The level of gzip, 0 to 9; -1 is the default of zlib.")
        .check(|level| if (-1..=9).contains(level) { Ok(()) } else { Err("Value must be between -1 and 9".to_owned()) });
static NULL_VALUES: ConfigKey<String> = ConfigKey::with_default(
    "behavior.on.null.values",
    "fail",
    "What becomes of records whose value is null: `ignore` drops them, `fail` fails the task, `write` writes their keys under `tombstone.encoded.partition`.",
)
.one_of_any_case(&["ignore", "fail", "write"]);
static REPORT_NULLS: ConfigKey<bool> = ConfigKey::with_default(
    "report.null.values.to.dlq",
    "true",
    "Whether records dropped by `behavior.on.null.values=ignore` are reported to the dead letter queue, if there is one.",
);
pub(super) static TOMBSTONE_PARTITION: ConfigKey<String> = ConfigKey::with_default(
    "tombstone.encoded.partition",
    "tombstone",
    "The directory of null values under `behavior.on.null.values=write`.",
);
static STORE_KEYS: ConfigKey<bool> =
    ConfigKey::with_default("store.kafka.keys", "false", "Whether a file of keys is written beside each file.");
pub(super) static STORE_HEADERS: ConfigKey<bool> =
    ConfigKey::with_default("store.kafka.headers", "false", "Whether a file of headers is written beside each file.");
static KEYS_FORMAT: ConfigKey<String> =
    ConfigKey::with_default("keys.format.class", "io.confluent.connect.s3.format.avro.AvroFormat", "The format of keys files.");
static HEADERS_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "headers.format.class",
    "io.confluent.connect.s3.format.avro.AvroFormat",
    "The format of headers files.",
);
pub(super) static PARTITIONER: ConfigKey<String> = ConfigKey::with_default(
    "partitioner.class",
    "io.confluent.connect.storage.partitioner.DefaultPartitioner",
    "Which directory a record's file is in.",
)
.importance(Importance::High)
.plugin(PluginKind::Partitioner);
static RETRY_BACKOFF: ConfigKey<i64> =
    ConfigKey::with_default("retry.backoff.ms", "5000", "The longest pause between two attempts of an upload. Attempts never end.")
        .unit("ms");
static UPLOADS: ConfigKey<i32> = ConfigKey::with_default(
    "uploads.in.flight.max",
    "128",
    "Upload requests that a connector has open at the same time in this process.",
)
.check(|uploads| if *uploads >= 1 { Ok(()) } else { Err("Value must be at least 1".to_owned()) })
.extension();
static HOLD: ConfigKey<i64> = ConfigKey::with_default(
    "recovery.hold.ms",
    "-1",
    "How long a partition waits before the bucket is looked at, where its last owner did not stop cleanly and had other settings: as long as requests of \
     that owner may still take effect. -1 leaves it to the store: 30 seconds for S3.",
)
.unit("ms")
.importance(Importance::Low)
.extension();
static COMPATIBILITY: ConfigKey<String> =
    ConfigKey::with_default("schema.compatibility", "NONE", "When a schema change closes the files.")
        .no_effect("schemaless data has no schema changes");
static CONDITIONAL_WRITES: ConfigKey<bool> =
    ConfigKey::with_default("enable.conditional.writes", "true", "Whether objects are created only where none is.")
        .no_effect("every object is created only where none is");
static MAX_WRITE_DURATION: ConfigKey<i64> =
    ConfigKey::with_default("max.write.duration.ms", "9223372036854775807", "How long one put may take.")
        .no_effect("put never waits for the store");
static SCHEMAS_CACHE: ConfigKey<i32> = ConfigKey::with_default("schemas.cache.config", "1000", "The size of the schema cache.")
    .no_effect("there are no schemas to cache");
static SHUTDOWN_TIMEOUT: ConfigKey<i64> =
    ConfigKey::with_default("shutdown.timeout.ms", "3000", "Unused.").no_effect("it has none in the JVM connector either");
static ROTATE_ON_CHANGE: ConfigKey<bool> = ConfigKey::with_default(
    "rotate.file.on.partition.change",
    "true",
    "Closes the files when the directory changes, with `rotate.interval.ms`.",
)
.no_effect("it acts with `rotate.interval.ms` only");
static TAGGING: ConfigKey<bool> =
    ConfigKey::with_default("s3.object.tagging", "false", "Whether objects are tagged; not there yet.").check(|tagging| {
        if *tagging { Err("tagging is not supported yet; the same facts are in the objects' metadata".to_owned()) } else { Ok(()) }
    });
static AFFIX: ConfigKey<String> =
    ConfigKey::with_default("s3.schema.partition.affix.type", "NONE", "Adds the schema's name to the directory; not there yet.")
        .one_of(&["NONE"]);

/// All keys of a storage sink.
pub(crate) fn keys() -> Vec<&'static dyn AnyConfigKey> {
    let here: [&'static dyn AnyConfigKey; 31] = [
        &FORMAT,
        &FLUSH_SIZE,
        &ROTATE_SCHEDULE,
        &ROTATE,
        &TIME_ZONE,
        &TOPICS_DIR,
        &DIRECTORY_DELIMITER,
        &FILE_DELIMITER,
        &PAD_WIDTH,
        &PARTITIONER,
        &PART_SIZE,
        &COMPRESSION,
        &COMPRESSION_LEVEL,
        &NULL_VALUES,
        &REPORT_NULLS,
        &TOMBSTONE_PARTITION,
        &STORE_KEYS,
        &KEYS_FORMAT,
        &STORE_HEADERS,
        &HEADERS_FORMAT,
        &RETRY_BACKOFF,
        &UPLOADS,
        &HOLD,
        &COMPATIBILITY,
        &CONDITIONAL_WRITES,
        &MAX_WRITE_DURATION,
        &SCHEMAS_CACHE,
        &SHUTDOWN_TIMEOUT,
        &ROTATE_ON_CHANGE,
        &TAGGING,
        &AFFIX,
    ];
    here.into_iter().chain(super::not_yet::KEYS.iter().copied()).collect()
}

/// How many requests a connector may have open. A value that is refused is reported with its definition.
pub(crate) fn uploads_in_flight(config: &Config) -> usize {
    config.get(&UPLOADS).ok().and_then(|uploads| usize::try_from(uploads).ok()).unwrap_or(1)
}

/// What becomes of null values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NullValues {
    Ignore,
    Fail,
    Write,
}

/// The format of one view of the records.
pub(super) struct ViewFormat {
    pub(super) view: RecordView,
    pub(super) format: Arc<dyn Format>,
    /// With that of the compression.
    pub(super) extension: String,
}

/// The settings as they are meant.
pub(crate) struct StorageSinkConfig {
    pub(super) flush_size: u64,
    pub(super) schedule: Option<Schedule>,
    pub(super) keys: ObjectKeys,
    pub(super) part_size: usize,
    pub(super) compression: Compression,
    pub(super) null_values: NullValues,
    pub(super) report_nulls: bool,
    pub(super) tombstone_partition: String,
    pub(super) formats: Vec<ViewFormat>,
    pub(super) partitioner: Arc<dyn Partitioner>,
    pub(super) partitioned_by: PartitionedBy,
    /// How long requests of an owner that is gone may take effect, where the store is not asked.
    pub(super) hold: Option<Duration>,
    pub(super) max_backoff: Duration,
    /// Requests that one connector may have open.
    pub(super) uploads_in_flight: usize,
    pub(super) fingerprint: u64,
    /// What decides which file a record goes to, where that is not its partition alone.
    pub(super) layout: Option<u64>,
}

impl StorageSinkConfig {
    /// Reads the settings; the plugins that they name get the whole configuration.
    pub(crate) fn new(config: &Config, plugins: &Plugins) -> Result<Self> {
        validate(config, plugins).into_result()?;
        Self::unchecked(config, plugins)
    }

    /// The same, without what [`validate`] finds.
    pub(super) fn unchecked(config: &Config, plugins: &Plugins) -> Result<Self> {
        let compression = match config.get(&COMPRESSION)?.as_str() {
            "gzip" => Compression::Gzip(config.get(&COMPRESSION_LEVEL)?),
            _ => Compression::None,
        };
        let mut formats = Vec::new();
        for (view, key) in views(config)? {
            let format = find(plugins.formats(), &config.get(key)?)?.configure(config)?;
            let extension = format!("{}{}", format.extension(), compression.extension());
            formats.push(ViewFormat { view, format, extension });
        }
        let entry = find(plugins.partitioners(), &config.get(&PARTITIONER)?)?;
        let partitioner = entry.configure(config)?;
        let interval = config.get(&ROTATE_SCHEDULE)?;
        let schedule = if interval > 0 { Some(Schedule::new(interval, time_zone(&config.get(&TIME_ZONE)?)?)) } else { None };
        let partitioned_by = partitioner.partitioned_by();
        let layout = (partitioned_by != PartitionedBy::TopicPartition).then(|| layout(config, entry.name, &(entry.config_def)()));
        Ok(Self {
            flush_size: u64::try_from(config.get(&FLUSH_SIZE)?.max(1)).unwrap_or(1),
            schedule,
            keys: ObjectKeys {
                topics_dir: config.get(&TOPICS_DIR)?,
                directory_delimiter: config.get(&DIRECTORY_DELIMITER)?,
                file_delimiter: config.get(&FILE_DELIMITER)?,
                zero_pad_width: usize::try_from(config.get(&PAD_WIDTH)?).unwrap_or_default(),
            },
            part_size: usize::try_from(config.get(&PART_SIZE)?).unwrap_or(usize::MAX),
            compression,
            null_values: match config.get(&NULL_VALUES)?.to_ascii_lowercase().as_str() {
                "ignore" => NullValues::Ignore,
                "write" => NullValues::Write,
                _ => NullValues::Fail,
            },
            report_nulls: config.get(&REPORT_NULLS)?,
            tombstone_partition: config.get(&TOMBSTONE_PARTITION)?,
            formats,
            partitioned_by,
            partitioner,
            hold: u64::try_from(config.get(&HOLD)?).ok().map(Duration::from_millis),
            uploads_in_flight: uploads_in_flight(config),
            max_backoff: Duration::from_millis(config.get(&RETRY_BACKOFF)?.max(100).unsigned_abs()),
            fingerprint: fingerprint(config),
            layout,
        })
    }

    /// Where the objects of a partition lie under these settings. `encoded_partition`: that of the partition, where there is only one.
    pub(super) fn places(&self, topic_partition: &TopicPartition, encoded_partition: Option<&str>) -> Vec<Place> {
        let mut places = vec![self.keys.place(topic_partition, encoded_partition)];
        if self.null_values == NullValues::Write && self.partitioned_by == PartitionedBy::TopicPartition {
            places.push(self.keys.place(topic_partition, Some(&self.tombstone_partition)));
        }
        places
    }

    /// What names of objects end with, one for each view.
    pub(super) fn endings(&self) -> Vec<String> {
        self.formats.iter().map(|format| format!("{}{}", format.view.suffix(), format.extension)).collect()
    }
}

/// What single definitions cannot show.
pub(crate) fn validate(config: &Config, plugins: &Plugins) -> Problems {
    let mut problems = Problems::default();
    let mut add = |key: &str, message: String| {
        problems.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    };
    let text = |key: &ConfigKey<String>| config.get(key).unwrap_or_default();
    if config.get(&ROTATE_SCHEDULE).is_ok_and(|interval| interval > 0) && text(&TIME_ZONE).is_empty() {
        add("timezone", "`timezone` is required with `rotate.schedule.interval.ms`: the grid begins at midnight there".to_owned());
    }
    if text(&NULL_VALUES).eq_ignore_ascii_case("write") && !config.get(&STORE_KEYS).unwrap_or_default() {
        add(
            "behavior.on.null.values",
            "`behavior.on.null.values=write` writes the keys of null values: set `store.kafka.keys=true`".to_owned(),
        );
    }
    for (view, key) in views(config).unwrap_or_default() {
        let Ok(name) = config.get(key) else { continue };
        let format = find(plugins.formats(), &name).and_then(|entry| entry.configure(config));
        match (view, format) {
            // The value's format is checked with its definition.
            (RecordView::Value, Err(_)) => {}
            (_, Err(error)) if config.entry(key.name()).is_some() => add(key.name(), format!("`{}`: {error}", key.name())),
            (_, Err(_)) => add(
                switch_of(view),
                format!("`{}` is not set, and its default {name} is not there yet: set it, to JsonFormat for example", key.name()),
            ),
            (_, Ok(format)) if text(&COMPRESSION) == "gzip" && !format.allows_stream_compression() => {
                add("s3.compression.type", format!("`s3.compression.type=gzip` cannot compress files of {name}"));
            }
            (_, Ok(_)) => {}
        }
    }
    problems.append(destinations::validate(config, plugins));
    problems
}

fn views(config: &Config) -> Result<Vec<(RecordView, &'static ConfigKey<String>)>> {
    let mut views = vec![(RecordView::Value, &FORMAT)];
    if config.get(&STORE_KEYS)? {
        views.push((RecordView::Key, &KEYS_FORMAT));
    }
    if config.get(&STORE_HEADERS)? {
        views.push((RecordView::Headers, &HEADERS_FORMAT));
    }
    Ok(views)
}

/// The key that asks for the view's files.
fn switch_of(view: RecordView) -> &'static str {
    match view {
        RecordView::Value => FORMAT.name(),
        RecordView::Key => STORE_KEYS.name(),
        RecordView::Headers => STORE_HEADERS.name(),
    }
}

fn check_time_zone(name: &str) -> Result<(), String> {
    if name.is_empty() { Ok(()) } else { time_zone(name).map(drop).map_err(|error| error.to_string()) }
}
