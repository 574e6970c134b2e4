//! The settings of a storage sink: names, cuts, formats.

use std::{path::Path, sync::Arc, time::Duration};

use connect_api::{
    Error, Format, PartitionedBy, Partitioner, Plugins, RecordView, Result, TimestampExtractor, TopicPartition,
    config::{AnyConfigKey, Config, ConfigKey, Problem, Problems},
    plugins::find,
};

use super::{
    compatibility::Compatibility,
    destinations,
    fingerprint::{fingerprint, layout, schemas_may_differ},
    inferred::Inferring,
    keys::*,
    object_key::{ObjectKeys, Place},
    rotation::Rotation,
    schedule::Schedule,
    spill::Spill,
    tagging::Tagging,
};
use crate::{
    compression::Compression,
    joda::Zone,
    partitioner::{Affix, SchemaAffix},
};

/// What S3 takes as the name of an object, in bytes.
const LONGEST_NAME: usize = 1_024;
/// The digits of the greatest offset.
const LONGEST_OFFSET: usize = 19;

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

impl ViewFormat {
    /// What names of its objects end with.
    fn ending(&self) -> String {
        format!("{}{}", self.view.suffix(), self.extension)
    }
}

/// The settings as they are meant.
pub(crate) struct StorageSinkConfig {
    /// When files are cut, the clock's grid aside.
    pub(super) rotation: Rotation,
    /// Which schemas go into one file.
    pub(super) compatibility: Compatibility,
    /// Each schema has an open file of its own in a directory: no schema cuts.
    pub(super) file_for_each_schema: bool,
    /// Where plain JSON gets a schema.
    pub(super) inferring: Option<Inferring>,
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
    /// Where the partitioner goes by time.
    pub(super) extractor: Option<Arc<dyn TimestampExtractor>>,
    /// How long requests of an owner that is gone may take effect, where the store is not asked.
    pub(super) hold: Option<Duration>,
    pub(super) max_backoff: Duration,
    /// Requests that one connector may have open.
    pub(super) uploads_in_flight: usize,
    /// Where open files go while memory is full.
    pub(super) spill: Arc<Spill>,
    /// Where objects are tagged.
    pub(super) tagging: Option<Arc<Tagging>>,
    pub(super) fingerprint: u64,
    /// What records become may have changed though the settings have not.
    pub(super) schemas_may_differ: bool,
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
        let mut partitioner = entry.configure(config)?;
        if let Some(affix) = Affix::of(&config.get(&AFFIX)?) {
            partitioner = Arc::new(SchemaAffix::new(affix, partitioner, config.get(&DIRECTORY_DELIMITER)?));
        }
        let mut sorts = vec![(entry.name, (entry.config_def)())];
        let mut extractor = None;
        let partitioned_by = partitioner.partitioned_by();
        let by_time = partitioned_by.is_by_time();
        if by_time {
            let entry = find(plugins.timestamp_extractors(), &config.get(&EXTRACTOR)?)?;
            extractor = Some(entry.configure(config)?);
            sorts.push((entry.name, (entry.config_def)()));
        }
        let file_for_each_schema = !config.get(&ROTATE_ON_SCHEMA_CHANGE)?;
        let is_sorted = partitioned_by != PartitionedBy::TopicPartition || file_for_each_schema;
        let layout = is_sorted.then(|| layout(config, &sorts, file_for_each_schema));
        Ok(Self {
            rotation: rotation(config, by_time)?,
            compatibility: config.get(&COMPATIBILITY)?,
            file_for_each_schema,
            inferring: Inferring::new(config)?,
            schedule: schedule(config)?,
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
            extractor,
            hold: u64::try_from(config.get(&HOLD)?).ok().map(Duration::from_millis),
            uploads_in_flight: uploads_in_flight(config),
            max_backoff: Duration::from_millis(config.get(&RETRY_BACKOFF)?.max(100).unsigned_abs()),
            spill: Spill::of(config)?,
            tagging: Tagging::new(config)?,
            fingerprint: fingerprint(config),
            schemas_may_differ: schemas_may_differ(config),
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

    /// How long the part of a partition's paths may be that its partitioner gives, in bytes.
    pub(super) fn longest_directory(&self, topic_partition: &TopicPartition) -> usize {
        LONGEST_NAME.saturating_sub(self.longest_name(topic_partition, "").len())
    }

    /// A name as long as any of an object in this directory. The offset is not the object's: whether a record can be written must not depend on where
    /// files are cut.
    pub(super) fn longest_name(&self, topic_partition: &TopicPartition, directory: &str) -> String {
        let before_offset = self.keys.before_offset(topic_partition, directory);
        let ending = self.endings().into_iter().max_by_key(String::len).unwrap_or_default();
        format!("{before_offset}{}{ending}", "0".repeat(LONGEST_OFFSET.max(self.keys.zero_pad_width)))
    }

    /// What names of objects end with, one for each view.
    pub(super) fn endings(&self) -> Vec<String> {
        self.formats.iter().map(ViewFormat::ending).collect()
    }

    /// What names of objects end with that hold no values.
    pub(super) fn endings_beside_values(&self) -> Vec<String> {
        self.formats.iter().filter(|format| format.view != RecordView::Value).map(ViewFormat::ending).collect()
    }
}

fn rotation(config: &Config, by_time: bool) -> Result<Rotation> {
    let interval = Some(config.get(&ROTATE)?).filter(|interval| *interval > 0);
    Ok(Rotation {
        flush_size: u64::try_from(config.get(&FLUSH_SIZE)?.max(1)).unwrap_or(1),
        interval: interval.filter(|_| by_time),
        on_change: config.get(&ROTATE_ON_CHANGE)?,
        max_open_files: usize::try_from(config.get(&MAX_OPEN_FILES)?).ok(),
        bytes: u64::try_from(config.get(&ROTATE_SIZE)?).ok().filter(|bytes| *bytes > 0),
        per_file: config.get(&ROTATE_PER_FILE)?,
        idle: Some(config.get(&ROTATE_IDLE)?).filter(|idle| *idle > 0),
    })
}

fn schedule(config: &Config) -> Result<Option<Schedule>> {
    let interval = config.get(&ROTATE_SCHEDULE)?;
    if interval <= 0 {
        return Ok(None);
    }
    let zone = Zone::of(&config.get(&TIME_ZONE)?).map_err(Error::config)?;
    Ok(Some(Schedule::new(interval, zone.time_zone().clone())))
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
    let spill_directory = text(&SPILL_DIRECTORY);
    if !spill_directory.is_empty() && !Path::new(&spill_directory).is_dir() {
        add(SPILL_DIRECTORY.name(), format!("spill.directory: {spill_directory} is not there, or is no directory"));
    }
    if let Ok(partitioner) = find(plugins.partitioners(), &text(&PARTITIONER)) {
        // Its single keys are checked with its definition.
        let is_sound = (partitioner.config_def)().validate(config).is_empty();
        let def = (partitioner.config_def)();
        // A template may have no time in it.
        let has_time = !def.knows(TEMPLATE.name()) || text(&TEMPLATE).contains("{time:");
        let needs_zone = has_time && def.knows(LOCALE.name());
        match partitioner.configure(config) {
            Err(_) if needs_zone && text(&TIME_ZONE).is_empty() => add(
                "timezone",
                "`timezone` is required with this partitioner: directories are named by the time there; write UTC, for example"
                    .to_owned(),
            ),
            Err(error) if is_sound => add(PARTITIONER.name(), error.to_string()),
            _ => {}
        }
    }
    if text(&NULL_VALUES).eq_ignore_ascii_case("write") && !config.get(&STORE_KEYS).unwrap_or_default() {
        add(
            "behavior.on.null.values",
            "`behavior.on.null.values=write` writes the keys of null values: set `store.kafka.keys=true`".to_owned(),
        );
    }
    if config.get(&ROTATE_ON_SCHEMA_CHANGE).is_ok_and(|rotates| !rotates)
        && config.get(&COMPATIBILITY).is_ok_and(|compatibility| compatibility != Compatibility::None)
    {
        add(
            ROTATE_ON_SCHEMA_CHANGE.name(),
            format!(
                "`{}=false` opens a file for each schema, and `{}={}` writes records of several schemas into one file: leave one of them out",
                ROTATE_ON_SCHEMA_CHANGE.name(),
                COMPATIBILITY.name(),
                config.text(COMPATIBILITY.name()).unwrap_or_default().trim()
            ),
        );
    }
    if config.get(&INFER).unwrap_or_default() && text(&FORMAT).contains("ByteArray") {
        add(
            INFER.name(),
            format!("`{}` gives plain JSON a schema, and ByteArrayFormat takes bytes alone: remove one of them", INFER.name()),
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

#[cfg(test)]
mod tests {
    use connect_api::{Plugin, RecordWriter, config::ConfigDef};

    use super::*;

    fn settings(more: &[(&str, &str)]) -> Config {
        let common = [("format.class", "JsonFormat"), ("flush.size", "3"), ("locale", "en"), ("timezone", "UTC")];
        common.iter().chain(more).copied().collect()
    }

    fn problems(more: &[(&str, &str)]) -> Vec<String> {
        validate(&settings(more), &crate::plugins()).iter().map(ToString::to_string).collect()
    }

    fn rotation_of(more: &[(&str, &str)]) -> Rotation {
        StorageSinkConfig::new(&settings(more), &crate::plugins()).unwrap().rotation
    }

    #[test]
    fn record_time_cuts_only_where_the_partitioner_goes_by_time() {
        let interval = ("rotate.interval.ms", "60000");
        assert_eq!(rotation_of(&[interval]).interval, None);
        assert_eq!(rotation_of(&[interval, ("partitioner.class", "HourlyPartitioner")]).interval, Some(60_000));
        assert_eq!(rotation_of(&[("rotate.interval.ms", "0"), ("partitioner.class", "HourlyPartitioner")]).interval, None);
    }

    #[test]
    fn files_for_each_schema_and_files_of_several_schemas_exclude_each_other() {
        let each = ("rotate.file.on.schema.change", "false");
        let layout = |more: &[(&str, &str)]| StorageSinkConfig::new(&settings(more), &crate::plugins()).unwrap().layout;
        for mode in ["BACKWARD", "FORWARD", "FULL"] {
            let said = problems(&[each, ("schema.compatibility", mode)]);
            let names_both = said.len() == 1
                && said[0].contains("rotate.file.on.schema.change=false")
                && said[0].contains(&format!("schema.compatibility={mode}"));
            assert!(names_both, "{said:?}");
            assert!(problems(&[("schema.compatibility", mode), (each.0, "true")]).is_empty());
        }
        assert!(problems(&[each]).is_empty() && problems(&[each, ("schema.compatibility", "NONE")]).is_empty());
        // Which file a record is in does not follow from its partition any more.
        assert!(layout(&[]).is_none() && layout(&[(each.0, "true")]).is_none() && layout(&[each]).is_some());
    }

    #[test]
    fn any_negative_number_of_open_files_is_no_limit() {
        assert_eq!(rotation_of(&[("partitioner.max.open.files", "-7")]).max_open_files, None);
        assert_eq!(rotation_of(&[("partitioner.max.open.files", "4")]).max_open_files, Some(4));
        assert!(MAX_OPEN_FILES.parse("0").is_err());
    }

    #[test]
    fn partitioners_that_go_by_time_need_a_zone_and_say_so_once() {
        let hourly = ("partitioner.class", "HourlyPartitioner");
        assert!(problems(&[hourly]).is_empty());
        let found = problems(&[hourly, ("timezone", "")]);
        assert!(found.len() == 1 && found[0].contains("`timezone` is required"), "{found:?}");
        let based = [("partitioner.class", "TimeBasedPartitioner"), ("partition.duration.ms", "1000"), ("path.format", "/")];
        let found = problems(&based);
        assert!(found.len() == 1 && found[0].contains("Path format cannot be empty"), "{found:?}");
    }

    #[test]
    fn names_of_fields_are_checked_with_any_partitioner() {
        for fields in ["a..b", ".field", "..field", "a.   .b"] {
            assert!(PARTITION_FIELDS.parse(fields).is_err(), "{fields}");
        }
        assert!(PARTITION_FIELDS.parse("").is_ok() && PARTITION_FIELDS.parse("field1,nested.field2").is_ok());
    }

    #[test]
    fn a_schemas_name_in_the_directory_leaves_rotation_by_time_as_it_is() {
        let hourly = [("partitioner.class", "HourlyPartitioner"), ("rotate.interval.ms", "60000")];
        for affix in ["NONE", "PREFIX", "SUFFIX"] {
            let settings = [&hourly[..], &[("s3.schema.partition.affix.type", affix)]].concat();
            assert!(problems(&settings).is_empty());
            assert_eq!(rotation_of(&settings).interval, Some(60_000));
        }
        assert!(AFFIX.parse("Random").is_err());
        assert_eq!(AFFIX.default(), Some("NONE"));
    }

    #[test]
    fn a_schedule_needs_a_zone_and_says_so_once() {
        let schedule = ("rotate.schedule.interval.ms", "30");
        assert!(problems(&[schedule, ("timezone", "CET")]).is_empty());
        let found = problems(&[schedule, ("timezone", "")]);
        assert!(
            found.len() == 1 && found[0].contains("`timezone`") && found[0].contains("`rotate.schedule.interval.ms`"),
            "{found:?}"
        );
    }

    #[test]
    fn the_padding_of_offsets_and_the_longest_ending_count_in_the_longest_name() {
        let longest = |more: &[(&str, &str)]| {
            let config = StorageSinkConfig::new(&settings(more), &crate::plugins()).unwrap();
            let topic_partition = TopicPartition::new("t", 0);
            let name = config.longest_name(&topic_partition, "a=b");
            assert_eq!(config.longest_directory(&topic_partition), 1_024 + "a=b".len() - name.len());
            name
        };
        assert_eq!(longest(&[]), "topics/t/a=b/t+0+0000000000000000000.json");
        let padded = longest(&[
            ("filename.offset.zero.pad.width", "300"),
            ("store.kafka.keys", "true"),
            ("keys.format.class", "JsonFormat"),
        ]);
        assert_eq!(padded, format!("topics/t/a=b/t+0+{}.keys.json", "0".repeat(300)));
    }

    #[test]
    fn levels_of_compression_are_those_of_zlib() {
        assert!(["-1", "0", "9"].iter().all(|level| COMPRESSION_LEVEL.parse(level).is_ok()));
        assert!(["-2", "10"].iter().all(|level| COMPRESSION_LEVEL.parse(level).is_err()));
    }

    /// A format that packs its records itself.
    #[derive(Debug)]
    struct Packed;

    impl Plugin for Packed {
        const NAME: &'static str = "Packed";
        const DOCUMENTATION: &'static str = "packs its records itself";

        fn config_def() -> ConfigDef {
            ConfigDef::default()
        }

        fn configure(_config: &Config) -> Result<Self> {
            Ok(Self)
        }
    }

    impl Format for Packed {
        fn extension(&self) -> &'static str {
            ".packed"
        }

        fn allows_stream_compression(&self) -> bool {
            false
        }

        fn record_writer(&self, _view: RecordView) -> Result<Box<dyn RecordWriter>> {
            Err(Error::fatal("never asked"))
        }
    }

    #[test]
    fn gzip_is_refused_where_any_file_has_a_format_that_packs_its_records_itself() {
        let plugins = crate::plugins().format::<Packed>();
        for (key, format) in [("format.class", "Packed"), ("keys.format.class", "Packed"), ("headers.format.class", "Packed")] {
            let json = [("keys.format.class", "JsonFormat"), ("headers.format.class", "JsonFormat")];
            let all = [&json[..], &[("store.kafka.keys", "true"), ("store.kafka.headers", "true"), (key, format)]].concat();
            let found = |compression| {
                validate(&settings(&[&all[..], &[("s3.compression.type", compression)]].concat()), &plugins)
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
            };
            assert!(found("none").is_empty(), "{key}: {:?}", found("none"));
            let refused = found("gzip");
            assert!(refused.len() == 1 && refused[0].contains("Packed"), "{key}: {refused:?}");
        }
    }
}
