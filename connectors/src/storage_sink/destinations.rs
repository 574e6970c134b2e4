//! Under which names a connector writes, so that no two connectors of a process, and no two files of one, have a name in common.

use connect_api::{
    Destination, PartitionedBy, Plugins, RecordView, TopicPartition,
    config::{AnyConfigKey, Config, Problem, Problems},
    plugins::find,
};

use super::{
    config::{NullValues, StorageSinkConfig},
    keys::{AFFIX, FILE_DELIMITER, FORMAT, PAD_WIDTH, PARTITIONER, TOMBSTONE_PARTITION, TOPICS_DIR},
    topic_partition_writer::record_without_content,
};

/// The forms of the names of all files, below `store`: `s3://bucket`. Nothing where the settings are refused.
pub(crate) fn destinations(config: &Config, plugins: &Plugins, store: &str) -> Vec<Destination> {
    let Ok(sink) = StorageSinkConfig::new(config, plugins) else { return Vec::new() };
    let any_topic = TopicPartition::new("<topic>", 0);
    let name = |encoded_partition: &str, ending: &str| {
        let before_offset = sink.keys.before_offset(&any_topic, encoded_partition);
        let place = format!("{store}/{before_offset}{:0width$}{ending}", 0, width = sink.keys.zero_pad_width);
        Destination { place, key: TOPICS_DIR.name() }
    };
    let layout = by_time(&sink).unwrap_or_else(|| layout(config, plugins));
    let endings = sink.endings();
    let mut names: Vec<_> = endings.iter().map(|ending| name(&layout, ending)).collect();
    if sink.null_values == NullValues::Write {
        let beside = sink.formats.iter().zip(&endings).filter(|(format, _)| format.view != RecordView::Value);
        names.extend(beside.map(|(_, ending)| name(&sink.tombstone_partition, ending)));
    }
    names
}

/// The directory of a moment, where directories go by time: whatever the class and its settings are, the same names come of the same directories.
fn by_time(sink: &StorageSinkConfig) -> Option<String> {
    // Midnight of a first of January, and a first hour: it is the same for all durations of a directory.
    const MOMENT: i64 = 0;
    sink.extractor.as_ref()?;
    let record = record_without_content(&TopicPartition::new("<topic>", 0));
    let mut directory = String::new();
    sink.partitioner.encode_partition(&record, MOMENT, &mut directory).ok()?;
    Some(directory)
}

/// The partitioner with all that it makes directories of.
fn layout(config: &Config, plugins: &Plugins) -> String {
    let partitioner = config.get(&PARTITIONER).and_then(|class| find(plugins.partitioners(), &class));
    let Ok(partitioner) = partitioner else { return String::new() };
    let def = (partitioner.config_def)();
    let values = def.keys.iter().map(|key| config.text(key.name()).or(key.default()).unwrap_or_default().trim());
    let affix = config.text(AFFIX.name()).filter(|affix| *affix != "NONE");
    let class = partitioner.name.rsplit('.').next().unwrap_or_default();
    let parts: Vec<_> = std::iter::once(class).chain(values).chain(affix).collect();
    format!("<{}>", parts.join(" "))
}

/// So many bytes of UTF-8 S3 takes.
const LONGEST_NAME: usize = 1_024;

/// Offsets below 10,000,000,000 are of one width then.
const ENOUGH_ZEROS: usize = 10;

/// The bytes of the shortest name that an object may have: of a topic with one letter.
fn shortest_name(sink: &StorageSinkConfig, endings: &[String]) -> Option<usize> {
    let before_offset = sink.keys.before_offset(&TopicPartition::new("t", 0), "").len();
    let ending = endings.iter().map(String::len).min()?;
    Some(before_offset.saturating_add(sink.keys.zero_pad_width).saturating_add(ending))
}

/// Files of one connector that would have the same name, and names that no object can have.
pub(crate) fn validate(config: &Config, plugins: &Plugins) -> Problems {
    let mut problems = Problems::default();
    let mut add = |key: &str, message: String| {
        problems.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    };
    let Ok(sink) = StorageSinkConfig::unchecked(config, plugins) else { return problems };
    let endings = sink.endings();
    if let Some(shortest) = shortest_name(&sink, &endings).filter(|bytes| *bytes > LONGEST_NAME) {
        add(
            PAD_WIDTH.name(),
            format!(
                "`{}={}` makes names of at least {shortest} bytes, and the name of an object has no more than {LONGEST_NAME}: 10 pads all offsets alike \
                 for years",
                PAD_WIDTH.name(),
                sink.keys.zero_pad_width
            ),
        );
    }
    let delimiter = &sink.keys.file_delimiter;
    let is_of_digits = delimiter.bytes().all(|byte| byte.is_ascii_digit());
    if sink.partitioned_by != PartitionedBy::TopicPartition && is_of_digits && sink.keys.zero_pad_width < ENOUGH_ZEROS {
        add(
            FILE_DELIMITER.name(),
            format!(
                "`{}={delimiter}` makes the same name of a partition and an offset and of others, such as 1 and 10, and 11 and 0, where their records share \
                 directories: leave it out, or set `{}={ENOUGH_ZEROS}` at least",
                FILE_DELIMITER.name(),
                PAD_WIDTH.name()
            ),
        );
    }
    for (index, ending) in endings.iter().enumerate() {
        if endings[..index].contains(ending) {
            add(
                FORMAT.name(),
                format!(
                    "two files of each record would have the same name, which ends with {ending}: change the extension of one format"
                ),
            );
        }
    }
    // The directories of the default partitioner are `partition=0` and so on.
    let tombstones = &sink.tombstone_partition;
    if sink.null_values == NullValues::Write
        && tombstones.strip_prefix("partition=").is_some_and(|number| number.parse::<i32>().is_ok())
    {
        add(
            TOMBSTONE_PARTITION.name(),
            format!(
                "`{}={tombstones}` is the directory of a partition: null values need one of their own",
                TOMBSTONE_PARTITION.name()
            ),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        let base = [
            ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
            ("flush.size", "1"),
            ("keys.format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
            ("headers.format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ];
        base.iter().chain(pairs).copied().collect()
    }

    fn places(pairs: &[(&str, &str)]) -> Vec<String> {
        destinations(&config(pairs), &crate::plugins(), "s3://b").into_iter().map(|destination| destination.place).collect()
    }

    #[test]
    fn names_are_shown_with_a_word_for_the_topic() {
        assert_eq!(places(&[]), ["s3://b/topics/<topic>/<DefaultPartitioner>/<topic>+0+0000000000.json"]);
        let all = [("store.kafka.keys", "true"), ("store.kafka.headers", "true"), ("s3.compression.type", "gzip")];
        assert_eq!(places(&all).len(), 3);
        assert!(places(&all)[1].ends_with(".keys.json.gz"), "{:?}", places(&all));
    }

    #[test]
    fn what_decides_names_tells_them_apart_and_nothing_else_does() {
        let plain = places(&[]);
        for pair in [("flush.size", "7"), ("s3.part.size", "5242880"), ("rotate.schedule.interval.ms", "-1")] {
            assert_eq!(places(&[pair]), plain, "{pair:?}");
        }
        for pair in [
            ("topics.dir", "other"),
            ("directory.delim", "_"),
            ("file.delim", "-"),
            ("s3.schema.partition.affix.type", "SUFFIX"),
            ("filename.offset.zero.pad.width", "3"),
            ("s3.compression.type", "gzip"),
            ("format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat"),
        ] {
            assert_ne!(places(&[pair]), plain, "{pair:?}");
        }
    }

    #[test]
    fn partitioners_by_time_share_what_they_name_alike() {
        let (class, path) = ("partitioner.class", "path.format");
        let package = "io.confluent.connect.storage.partitioner";
        let (daily, by_time) = (format!("{package}.DailyPartitioner"), format!("{package}.TimeBasedPartitioner"));
        let common = [("locale", "en"), ("timezone", "UTC")];
        let of = |pairs: &[(&str, &str)]| places(&[&common[..], pairs].concat());
        let days = [(class, by_time.as_str()), (path, "'year'=YYYY/'month'=MM/'day'=dd")];
        let plain = of(&[(class, daily.as_str())]);
        assert!(!plain.is_empty());
        for duration in ["3600000", "86400000"] {
            assert_eq!(of(&[&days[..], &[("partition.duration.ms", duration)]].concat()), plain, "{duration}");
        }
        let hours = [(class, by_time.as_str()), (path, "YYYY-MM-dd-HH"), ("partition.duration.ms", "3600000")];
        assert_ne!(of(&hours), plain);
    }

    #[test]
    fn two_files_of_a_record_never_have_one_name() {
        let bytes = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
        let clash = [("format.class", bytes), ("format.bytearray.extension", ".keys.json"), ("store.kafka.keys", "true")];
        let problems = validate(&config(&clash), &crate::plugins());
        assert_eq!(problems.len(), 1);
        assert!(problems.to_string().contains(".keys.json"), "{problems}");
        assert!(validate(&config(&[("store.kafka.keys", "true")]), &crate::plugins()).is_empty());
    }

    #[test]
    fn names_that_two_partitions_could_have_are_refused() {
        let said = |delimiter: &'static str, width: &'static str, partitioner: &'static str| {
            let names = [("file.delim", delimiter), ("filename.offset.zero.pad.width", width), ("partitioner.class", partitioner)];
            validate(&config(&[&names[..], &[("partition.field.name", "a")]].concat()), &crate::plugins()).to_string()
        };
        for (delimiter, width) in [("", "0"), ("", "9"), ("1", "1")] {
            assert!(
                said(delimiter, width, "FieldPartitioner").contains("makes the same name of a partition and an offset"),
                "{delimiter}"
            );
            assert_eq!(said(delimiter, width, "DefaultPartitioner"), "");
        }
        assert_eq!(said("", "10", "FieldPartitioner"), "");
        assert_eq!(said("+", "0", "FieldPartitioner"), "");
    }

    #[test]
    fn a_width_that_no_name_can_have_is_refused_and_one_that_some_names_can_have_is_not() {
        let said = |width: &str| {
            let padded = config(&[("filename.offset.zero.pad.width", width)]);
            assert!(destinations(&padded, &crate::plugins(), "s3://b").len() < 2, "{width}");
            validate(&padded, &crate::plugins()).to_string()
        };
        for width in ["1010", "65535", "65536", "2147483647"] {
            assert!(said(width).contains(&format!("`filename.offset.zero.pad.width={width}` makes names of")), "{width}");
        }
        for width in ["0", "10", "990"] {
            assert_eq!(said(width), "", "{width}");
        }
    }

    #[test]
    fn null_values_have_a_directory_of_their_own() {
        let tombstones = |directory| {
            [("store.kafka.keys", "true"), ("behavior.on.null.values", "write"), ("tombstone.encoded.partition", directory)]
        };
        assert_eq!(validate(&config(&tombstones("partition=3")), &crate::plugins()).len(), 1);
        assert!(validate(&config(&tombstones("deleted")), &crate::plugins()).is_empty());
    }
}
