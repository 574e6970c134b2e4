//! The keys of a storage sink.

use connect_api::config::{AnyConfigKey, ConfigKey, Importance, List, PluginKind};

use super::{compatibility::Compatibility, tagging};
use crate::{joda::Zone, partitioner::field_path};

pub(super) static FORMAT: ConfigKey<String> =
    ConfigKey::required("format.class", "The format of the files.").importance(Importance::High).plugin(PluginKind::Format);
pub(super) static FLUSH_SIZE: ConfigKey<i32> = ConfigKey::required(
    "flush.size",
    "Records of a topic-partition, all its files together, after which the files are closed and uploaded. Less than 1 means 1.",
)
.importance(Importance::High)
.unit("records");
pub(super) static ROTATE_SCHEDULE: ConfigKey<i64> = ConfigKey::with_default(
    "rotate.schedule.interval.ms",
    "-1",
    "Closes the files on a grid of wall-clock time that begins at midnight of `timezone`; off unless above 0. \
     Each such cut is committed to the group's offset metadata before its objects are completed, so that a restart cuts at the same offset.",
)
.unit("ms");
pub(super) static ROTATE: ConfigKey<i64> = ConfigKey::with_default(
    "rotate.interval.ms",
    "-1",
    "Closes the files before the first record whose time is so much later than that of the first record in them; off unless above 0. Needs a partitioner that goes \
     by time, else it changes nothing. Times are those of `timestamp.extractor`; without a further record nothing is closed.",
)
.importance(Importance::High)
.unit("ms");
pub(super) static ROTATE_SIZE: ConfigKey<i64> = ConfigKey::with_default(
    "rotate.size.bytes",
    "-1",
    "Closes the files of a topic-partition after the record with which they hold so many bytes together, before compression; off unless above 0.",
)
.unit("bytes")
.extension();
pub(super) static ROTATE_PER_FILE: ConfigKey<bool> = ConfigKey::with_default(
    "rotate.per.file",
    "false",
    "Whether `flush.size` and `rotate.size.bytes` count for each file, and not for all open files of a topic-partition together: all of them are closed when one \
     has so much.",
)
.importance(Importance::Low)
.extension();
pub(super) static ROTATE_IDLE: ConfigKey<i64> = ConfigKey::with_default(
    "rotate.idle.ms",
    "-1",
    "Closes the files of a topic-partition to which nothing was written for so long by the wall clock, so that the last records of a quiet topic do not wait for \
     more; off unless above 0. As with `rotate.schedule.interval.ms`, each such cut is committed before its objects are completed.",
)
.unit("ms")
.extension();
pub(super) static TIME_ZONE: ConfigKey<String> =
    ConfigKey::with_default("timezone", "", "The time zone of `rotate.schedule.interval.ms` and of partitioners that go by time.")
        .check(|name| check_time_zone(name));
pub(super) static TOPICS_DIR: ConfigKey<String> =
    ConfigKey::with_default("topics.dir", "topics", "The first component of every object's name; may be empty.")
        .importance(Importance::High);
pub(super) static DIRECTORY_DELIMITER: ConfigKey<String> =
    ConfigKey::with_default("directory.delim", "/", "Stands between directories.");
pub(super) static FILE_DELIMITER: ConfigKey<String> =
    ConfigKey::with_default("file.delim", "+", "Stands between topic, partition and offset in a file's name.");
pub(super) static PAD_WIDTH: ConfigKey<i32> = ConfigKey::with_default(
    "filename.offset.zero.pad.width",
    "10",
    "Width to which offsets in names are padded with zeros; 0 does not pad (the JVM connector fails on 0).",
)
.check(|width| if *width >= 0 { Ok(()) } else { Err("Value must be at least 0".to_owned()) })
.importance(Importance::Low);
pub(super) static PART_SIZE: ConfigKey<i32> =
    ConfigKey::with_default("s3.part.size", "26214400", "Objects beyond this size are sent in parts of about this size.")
        .check(|size| if *size >= 5 * 1024 * 1024 { Ok(()) } else { Err("Value must be at least 5242880".to_owned()) })
        .importance(Importance::High)
        .unit("bytes");
pub(super) static COMPRESSION: ConfigKey<String> =
    ConfigKey::with_default("s3.compression.type", "none", "Compression of JSON and byte-array files.").one_of(&["none", "gzip"]);
pub(super) static COMPRESSION_LEVEL: ConfigKey<i32> =
    ConfigKey::with_default("s3.compression.level", "-1", "The level of gzip, 0 to 9; -1 is the default of zlib.")
        .check(|level| if (-1..=9).contains(level) { Ok(()) } else { Err("Value must be between -1 and 9".to_owned()) });
pub(super) static NULL_VALUES: ConfigKey<String> = ConfigKey::with_default(
    "behavior.on.null.values",
    "fail",
    "What becomes of records whose value is null: `ignore` drops them, `fail` fails the task, `write` writes their keys under `tombstone.encoded.partition`.",
)
.one_of_any_case(&["ignore", "fail", "write"]);
pub(super) static REPORT_NULLS: ConfigKey<bool> = ConfigKey::with_default(
    "report.null.values.to.dlq",
    "true",
    "Whether records dropped by `behavior.on.null.values=ignore` are reported to the dead letter queue, if there is one.",
);
pub(super) static TOMBSTONE_PARTITION: ConfigKey<String> = ConfigKey::with_default(
    "tombstone.encoded.partition",
    "tombstone",
    "The directory of null values under `behavior.on.null.values=write`.",
);
pub(super) static STORE_KEYS: ConfigKey<bool> =
    ConfigKey::with_default("store.kafka.keys", "false", "Whether a file of keys is written beside each file.");
pub(super) static STORE_HEADERS: ConfigKey<bool> =
    ConfigKey::with_default("store.kafka.headers", "false", "Whether a file of headers is written beside each file.");
pub(super) static KEYS_FORMAT: ConfigKey<String> =
    ConfigKey::with_default("keys.format.class", "io.confluent.connect.s3.format.avro.AvroFormat", "The format of keys files.");
pub(super) static HEADERS_FORMAT: ConfigKey<String> = ConfigKey::with_default(
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
pub(super) static RETRY_BACKOFF: ConfigKey<i64> =
    ConfigKey::with_default("retry.backoff.ms", "5000", "The longest pause between two attempts of an upload. Attempts never end.")
        .unit("ms");
pub(super) static UPLOADS: ConfigKey<i32> = ConfigKey::with_default(
    "uploads.in.flight.max",
    "128",
    "Upload requests that a connector has open at the same time in this process.",
)
.check(|uploads| if *uploads >= 1 { Ok(()) } else { Err("Value must be at least 1".to_owned()) })
.extension();
pub(super) static HOLD: ConfigKey<i64> = ConfigKey::with_default(
    "recovery.hold.ms",
    "-1",
    "How long a partition waits before the bucket is looked at, where its last owner did not stop cleanly and had other settings, or may have read \
     records by other schemas (with `schema.infer`, and with JsonConverter's `schema.subject` or `{topic}` in its `schema.file`): as long as requests of that \
     owner may still take effect. -1 leaves it to the store: 30 seconds for S3.",
)
.unit("ms")
.importance(Importance::Low)
.extension();
pub(super) static SPILL_DIRECTORY: ConfigKey<String> = ConfigKey::optional(
    "spill.directory",
    "The directory on local disk that open files go to while memory is full, in files without a name that are gone with the process. It should not be in memory \
     itself, as `/tmp` is in some places. Left out, it is `/var/tmp` where that is there, else the system's directory for temporary files.",
)
.importance(Importance::Low)
.extension();
pub(super) static SPILL_LIMIT: ConfigKey<i64> = ConfigKey::with_default(
    "spill.limit.bytes",
    "-1",
    "So much each task may have in `spill.directory`; -1 is as much as the disk has. Where no more is taken, reading stops until files are closed, and readiness \
     says so.",
)
.unit("bytes")
.importance(Importance::Low)
.extension();
pub(super) static COMPATIBILITY: ConfigKey<Compatibility> = ConfigKey::with_default(
    "schema.compatibility",
    "NONE",
    "Which schemas go into one file. `NONE`: files are closed before a record whose schema is not equal to that of the record before in its directory. `BACKWARD`, \
     and `FULL` like it: a file keeps its schema while records have older versions that fit it, and they are rewritten for it. `FORWARD`: the same with newer \
     versions. Anything else means `NONE`, as on the JVM. For schemas that alternate see `rotate.file.on.schema.change`.",
);
pub(super) static ROTATE_ON_SCHEMA_CHANGE: ConfigKey<bool> = ConfigKey::with_default(
    "rotate.file.on.schema.change",
    "true",
    "Whether a record of another schema closes the files, as `schema.compatibility=NONE` says. With `false` no schema closes any: a file is open for each schema of \
     a directory, and a record goes to that of its own. All files of a topic-partition are still closed together, and `flush.size` counts the records of all. \
     So where S schemas take turns, each `flush.size` records of a topic-partition make S objects in a directory, and with `true` each record makes one of its own, \
     when the next has come. Needs `schema.compatibility=NONE`. To change it, stop cleanly: after a crash between the files of a group the start is refused, as with \
     another `partitioner.class`.",
)
.importance(Importance::Low)
.extension();
pub(super) static INFER: ConfigKey<bool> = ConfigKey::with_default(
    "schema.infer",
    "false",
    "Whether plain JSON (JsonConverter with `schemas.enable=false`) gets a schema, so that Avro and Parquet files can be written: it is inferred from the first \
     records of each topic that a task reads, and kept as an Avro schema in the object `<topics.dir>/<topic>/_schema.avsc`, which readers of the directory ignore. \
     Whoever makes the object first decides for all tasks and later runs; it may be made beforehand, and changed: a connector reads it once, when its first \
     records of the topic come, for which it needs the right to read it (`s3:GetObject`), or when the topic was made anew, and heeds a change after it has been started again. All fields are optional; whole numbers are INT64, others FLOAT64, what \
     was only ever null, has values of several kinds, no fixed members or too many, numbers beyond 64 bits, or fractions with more digits than a double holds, is \
     a STRING of their JSON text (a text with its quotes). A schema of more than 4 MiB has JSON texts in place of objects. Names that Avro refuses are changed. \
     Records are read by it as by JsonConverter's `schema.file`; those that do not fit, or are no objects, are reported as errant records. No schema is made of \
     records without members (`{}`): those that come before any with members are written without a schema, for which Avro and Parquet files have no room, so \
     that there they are errant records.",
)
.extension();
pub(super) static INFER_TOPICS: ConfigKey<List> =
    ConfigKey::with_default("schema.infer.topics", "", "The topics that `schema.infer` is for; empty means all.").extension();
pub(super) static INFER_UNKNOWN: ConfigKey<String> = ConfigKey::with_default(
    "schema.unknown.fields",
    "fail",
    "What becomes of members that a schema of `schema.infer` does not know: `fail`, the record is reported as an errant record; `ignore`, they are left out.",
)
.one_of(&["fail", "ignore"])
.extension();
pub(super) static CONDITIONAL_WRITES: ConfigKey<bool> =
    ConfigKey::with_default("enable.conditional.writes", "true", "Whether objects are created only where none is.")
        .no_effect("every object is created only where none is");
pub(super) static MAX_WRITE_DURATION: ConfigKey<i64> =
    ConfigKey::with_default("max.write.duration.ms", "9223372036854775807", "How long one put may take.")
        .no_effect("put never waits for the store");
pub(super) static SCHEMAS_CACHE: ConfigKey<i32> =
    ConfigKey::with_default("schemas.cache.config", "1000", "The size of the schema cache.")
        .no_effect("there are no schemas to cache");
pub(super) static SHUTDOWN_TIMEOUT: ConfigKey<i64> =
    ConfigKey::with_default("shutdown.timeout.ms", "3000", "Unused.").no_effect("it has none in the JVM connector either");
pub(super) static ROTATE_ON_CHANGE: ConfigKey<bool> = ConfigKey::with_default(
    "rotate.file.on.partition.change",
    "true",
    "Where `rotate.interval.ms` acts, the files are also closed before a record whose directory is not that of the record before. Directories of null values do not \
     count.",
);
pub(super) static MAX_OPEN_FILES: ConfigKey<i32> = ConfigKey::with_default(
    "partitioner.max.open.files",
    "-1",
    "The most directories that a topic-partition has open files in: before a record for another one all are closed. Less than 0 is no limit. With \
     `rotate.file.on.schema.change=false` each schema in a directory counts.",
)
.check(|most| if *most == 0 { Err("no record could ever be written: write -1 for no limit, or at least 1".to_owned()) } else { Ok(()) })
.importance(Importance::Low);
pub(super) static EXTRACTOR: ConfigKey<String> = ConfigKey::with_default(
    "timestamp.extractor",
    "Wallclock",
    "Which time a record has for a partitioner that goes by time, and for `rotate.interval.ms`.",
)
.plugin(PluginKind::TimestampExtractor);
// What follows is read by partitioners and extractors, which have definitions of their own. Here it is known where none of them is named.
pub(super) static PATH_FORMAT: ConfigKey<String> =
    ConfigKey::with_default("path.format", "", "The directory as a pattern: see TimeBasedPartitioner.").of_plugins();
pub(super) static PARTITION_DURATION: ConfigKey<i64> =
    ConfigKey::with_default("partition.duration.ms", "-1", "How long one directory lasts: see TimeBasedPartitioner.")
        .unit("ms")
        .of_plugins();
pub(super) static TEMPLATE: ConfigKey<String> =
    ConfigKey::with_default("partition.template", "", "The directory as a template: see TemplatePartitioner.").of_plugins();
pub(super) static ARE_NAMED: ConfigKey<bool> = ConfigKey::with_default(
    "partition.field.format.path",
    "true",
    "Whether names of fields stand in directories: see FieldAndTimeBasedPartitioner.",
)
.of_plugins();
pub(super) static LOCALE: ConfigKey<String> =
    ConfigKey::with_default("locale", "", "The language of names in directories: see TimeBasedPartitioner.").of_plugins();
pub(super) static TIMESTAMP_FIELD: ConfigKey<String> =
    ConfigKey::with_default("timestamp.field", "timestamp", "The field of the record's time: see RecordFieldTimestampExtractor.")
        .of_plugins();
pub(super) static PARTITION_FIELDS: ConfigKey<List> =
    ConfigKey::with_default("partition.field.name", "", "The fields that directories are made of: see FieldPartitioner.")
        .check(|List(fields)| fields.iter().try_for_each(|field| field_path(field).map(drop)))
        .of_plugins();
static BYTES_EXTENSION: ConfigKey<String> =
    ConfigKey::with_default("format.bytearray.extension", ".bin", "The extension of files: see ByteArrayFormat.").of_plugins();
static BYTES_SEPARATOR: ConfigKey<String> =
    ConfigKey::with_default("format.bytearray.separator", "\n", "What is written after each record: see ByteArrayFormat.")
        .raw()
        .of_plugins();
static JSON_DECIMALS: ConfigKey<String> =
    ConfigKey::with_default("json.decimal.format", "BASE64", "How decimals are written: see JsonFormat.").of_plugins();
pub(super) static AFFIX: ConfigKey<String> =
    ConfigKey::with_default(
        "s3.schema.partition.affix.type",
        "NONE",
        "Whether `schema_name=` and the name of the value's schema stand before or after the partitioner's directory; `null` for a value without a name.",
    )
    .one_of(&["NONE", "PREFIX", "SUFFIX"])
    .importance(Importance::Low);

macro_rules! of_avro {
    ($name:ident, $key:literal, $default:literal, $documentation:literal) => {
        static $name: ConfigKey<String> = ConfigKey::with_default($key, $default, $documentation).of_plugins();
    };
}
of_avro!(AVRO_CODEC, "avro.codec", "null", "How blocks are compressed: see AvroFormat.");
of_avro!(PARQUET_CODEC, "parquet.codec", "snappy", "How pages are compressed: see ParquetFormat.");
of_avro!(ENHANCED, "enhanced.avro.schema.support", "true", "Whether enums stay enums: see AvroFormat.");
of_avro!(METADATA, "connect.meta.data", "true", "Whether schemas say what Connect knows: see AvroFormat.");
of_avro!(OPTIONAL_KEYS, "allow.optional.map.keys", "false", "Whether maps with optional keys are maps: see AvroFormat.");

/// All keys of a storage sink.
pub(crate) fn keys() -> Vec<&'static dyn AnyConfigKey> {
    let here: [&'static dyn AnyConfigKey; 59] = [
        &FORMAT,
        &FLUSH_SIZE,
        &ROTATE_SCHEDULE,
        &ROTATE_SIZE,
        &ROTATE_IDLE,
        &ROTATE_PER_FILE,
        &ROTATE_ON_SCHEMA_CHANGE,
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
        &SPILL_DIRECTORY,
        &SPILL_LIMIT,
        &COMPATIBILITY,
        &INFER,
        &INFER_TOPICS,
        &INFER_UNKNOWN,
        &CONDITIONAL_WRITES,
        &MAX_WRITE_DURATION,
        &SCHEMAS_CACHE,
        &SHUTDOWN_TIMEOUT,
        &ROTATE_ON_CHANGE,
        &MAX_OPEN_FILES,
        &EXTRACTOR,
        &PATH_FORMAT,
        &PARTITION_DURATION,
        &LOCALE,
        &TEMPLATE,
        &ARE_NAMED,
        &TIMESTAMP_FIELD,
        &PARTITION_FIELDS,
        &BYTES_EXTENSION,
        &BYTES_SEPARATOR,
        &JSON_DECIMALS,
        &AVRO_CODEC,
        &PARQUET_CODEC,
        &ENHANCED,
        &METADATA,
        &OPTIONAL_KEYS,
        &tagging::TAGGING,
        &tagging::PAIRS,
        &tagging::ON_ERROR,
        &AFFIX,
    ];
    here.into_iter().chain(super::not_yet::KEYS.iter().copied()).collect()
}

fn check_time_zone(name: &str) -> Result<(), String> {
    if name.is_empty() { Ok(()) } else { Zone::of(name).map(drop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_formats_are_known_beside_every_format() {
        for name in ["json.decimal.format", "avro.codec", "parquet.codec", "connect.meta.data"] {
            assert!(keys().iter().any(|key| key.name() == name && key.is_of_plugins()), "{name}");
        }
    }
}
