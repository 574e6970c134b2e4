//! Keys of a storage sink that do not do what their author probably meant: they mean to the JVM connector what they mean here.

use connect_api::{
    Plugins,
    config::{AnyConfigKey, Config, ConfigKey, Problem, Problems},
    plugins::find,
};

use crate::partitioner::{TemplatePiece, parse_template};

use super::{
    compatibility::COMPATIBILITIES,
    keys::{
        COMPATIBILITY, EXTRACTOR, FORMAT, HEADERS_FORMAT, INFER, KEYS_FORMAT, PARTITION_FIELDS, PARTITIONER, PATH_FORMAT, ROTATE,
        STORE_HEADERS, STORE_KEYS, TEMPLATE, TOPICS_DIR,
    },
    tagging,
};

/// Headers that are stored as other text than they were sent, a rotation that never comes, letters of a path that stand for something else, a directory
/// that is something else, and records that the format or the partitioner does not take.
pub(crate) fn warnings(config: &Config, plugins: &Plugins) -> Problems {
    let mut warnings = Problems::default();
    let mut doubt = |key: &str, message: String| {
        warnings.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    };
    if let Some(pattern) = config.text(PATH_FORMAT.name()).filter(|_| goes_by_time(config, plugins) == Some(true)) {
        let key = PATH_FORMAT.name();
        slips(&[pattern]).for_each(|slip| doubt(key, format!("{key}: {slip}")));
    }
    let template = template(config);
    let times: Vec<_> =
        template.iter().filter_map(|piece| if let TemplatePiece::Time(pattern) = piece { Some(*pattern) } else { None }).collect();
    slips(&times).for_each(|slip| doubt(TEMPLATE.name(), format!("{}: {slip}", TEMPLATE.name())));
    if let (Ok(format), Some(converter)) = (config.get(&FORMAT), config.text("value.converter")) {
        let (format, converter) = (simple(&format), simple(converter.trim()));
        if format == "ByteArrayFormat" && OF_OTHER_THAN_BYTES.contains(&converter) {
            doubt(
                FORMAT.name(),
                format!(
                    "{} takes bytes, and {converter} makes something else of them: set value.converter=org.apache.kafka.connect.converters.ByteArrayConverter",
                    FORMAT.name()
                ),
            );
        }
    }
    routers(config).into_iter().for_each(|(key, message)| doubt(&key, message));
    without_schemas(config).into_iter().for_each(|(key, message)| doubt(key, message));
    if let Some((key, message)) = without_fields(config, plugins).or_else(|| without_texts(config, &template)) {
        doubt(key, message);
    }
    if config.get(&STORE_HEADERS).unwrap_or_default()
        && config.get(&HEADERS_FORMAT).is_ok_and(|class| simple(&class) == "ByteArrayFormat")
    {
        let key = HEADERS_FORMAT.name();
        doubt(key, format!("{key}: ByteArrayFormat takes no headers, and fails for every record: set it to JsonFormat"));
    }
    tagging::doubts(config).into_iter().for_each(|message| doubt(tagging::PAIRS.name(), message));
    let compatibility = config.text(COMPATIBILITY.name()).map(str::trim).unwrap_or_default();
    if !compatibility.is_empty() && !COMPATIBILITIES.contains(&compatibility) {
        let key = COMPATIBILITY.name();
        doubt(key, format!("{key}: {compatibility} means NONE, as on the JVM: it must be one of {}", COMPATIBILITIES.join(", ")));
    }
    let directory = config.text(TOPICS_DIR.name()).unwrap_or_default();
    if directory.contains("://") {
        let what = "an address is no directory: the bucket goes into s3.bucket.name, and the store into store.url";
        doubt(
            TOPICS_DIR.name(),
            format!("{}: all names of objects would begin with {}: {what}", TOPICS_DIR.name(), directory.trim()),
        );
    }
    for key in [TOPICS_DIR.name(), TEMPLATE.name(), PARTITION_FIELDS.name()] {
        if let Some(value) = config.text(key).filter(|value| value.contains(" #")) {
            doubt(key, format!("{key}: names of objects would have {} in them: {COMMENT}", value.trim()));
        }
    }
    if let Some(template) = config.text(TEMPLATE.name()).filter(|_| goes_by(config, "Template")) {
        let outside = template.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, outside)| outside));
        if outside.into_iter().any(|outside| outside.contains('\'')) {
            let key = TEMPLATE.name();
            doubt(key, format!("{key}: the quotes would stand in directories: text needs them inside of {{time:…}} alone"));
        }
        if template.contains("{header.") && config.entry("header.converter").is_none() {
            doubt(TEMPLATE.name(), format!("{}: {OTHER_HEADERS}", TEMPLATE.name()));
        }
    }
    if config.get(&ROTATE).is_ok_and(|interval| interval > 0) && goes_by_time(config, plugins) == Some(false) {
        let key = ROTATE.name();
        let message = format!(
            "{key} changes nothing here: it needs a partitioner that goes by time; rotate.schedule.interval.ms closes files by the clock with every one"
        );
        warnings.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    }
    if config.get(&STORE_HEADERS).unwrap_or_default() && config.entry("header.converter").is_none() {
        let key = STORE_HEADERS.name();
        let message = format!("{key}=true {OTHER_HEADERS}");
        warnings.push(Problem::of_key(key, message).at(config.entry(key).and_then(|entry| entry.origin.clone())));
    }
    warnings
}

const OTHER_HEADERS: &str = "without header.converter: the default one, SimpleHeaderConverter, takes text that looks like a number or a time for one, and \
                             007 is stored as 7; set header.converter=org.apache.kafka.connect.storage.StringConverter to store text as it is";

/// The pieces of the template, where directories go by one.
fn template(config: &Config) -> Vec<TemplatePiece<'_>> {
    let template = config.text(TEMPLATE.name()).filter(|_| goes_by(config, "Template"));
    template.and_then(|template| parse_template(template).ok()).unwrap_or_default()
}

/// Whether this is the partitioner, by the beginning of its name.
fn goes_by(config: &Config, class: &str) -> bool {
    config.get(&PARTITIONER).is_ok_and(|named| simple(&named).starts_with(class))
}

const COMMENT: &str = "what follows the # is a part of it, for comments have lines of their own";

/// What reads fields of values that have none: text, bytes, numbers. A transform may make fields of them.
fn without_fields(config: &Config, plugins: &Plugins) -> Option<(&'static str, String)> {
    let converter = converter_of(config, "value.converter")?;
    let has_none = WITHOUT_FIELDS.contains(&converter.strip_suffix("Converter").unwrap_or(converter));
    if !has_none || transforms(config) {
        return None;
    }
    let names = |key: &ConfigKey<String>, class: &str| config.get(key).is_ok_and(|named| simple(&named).starts_with(class));
    let field = template(config).into_iter().find_map(|piece| match piece {
        TemplatePiece::Field(path) => Some(format!("{{field.{}}}", path.join("."))),
        _ => None,
    });
    let (key, reader) = if names(&PARTITIONER, "FieldPartitioner") || names(&PARTITIONER, "FieldAndTime") {
        (PARTITIONER.name(), simple(&config.get(&PARTITIONER).unwrap_or_default()).to_owned())
    } else if let Some(field) = field {
        (TEMPLATE.name(), field)
    } else if names(&EXTRACTOR, "RecordField") && goes_by_time(config, plugins) == Some(true) {
        (EXTRACTOR.name(), simple(&config.get(&EXTRACTOR).unwrap_or_default()).to_owned())
    } else {
        return None;
    };
    let message = format!(
        "{key}: {reader} reads fields, and values of {converter} have none, so every record fails: set \
         value.converter=org.apache.kafka.connect.json.JsonConverter if they are JSON"
    );
    Some((key, message))
}

/// Transforms that give records another topic, of which the sink takes none.
fn routers(config: &Config) -> Vec<(String, String)> {
    let aliases = config.text("transforms").unwrap_or_default().split(',').map(str::trim);
    let router = |key: String| {
        let class = simple(config.text(&key)?.trim());
        let is_router = class.ends_with("Router") || class.starts_with("ExtractTopic");
        is_router.then(|| {
            let message = format!(
                "{key}: {class} gives records another topic, and the S3 sink fails with the first one that has another than it was read from: leave the \
                 transform out; topics.dir, or InsertField with topic.field and FieldPartitioner, bring another name into those of objects"
            );
            (key, message)
        })
    };
    aliases.map(|alias| format!("transforms.{alias}.type")).filter_map(router).collect()
}

/// Files that need a schema, of values or keys that never have one, and Parquet files of values that are no structs.
fn without_schemas(config: &Config) -> Vec<(&'static str, String)> {
    let keys = config.get(&STORE_KEYS).unwrap_or_default();
    let files = [(FORMAT.name(), config.get(&FORMAT), "value"), (KEYS_FORMAT.name(), config.get(&KEYS_FORMAT), "key")];
    let doubts = files.into_iter().filter(|(.., of)| keys || *of == "value").filter_map(|(name, format, of)| {
        let format = format.ok().map(|format| simple(&format).strip_suffix("Format").unwrap_or(simple(&format)).to_owned())?;
        let converter = converter_of(config, &format!("{of}.converter"))?;
        let converter = converter.strip_suffix("Converter").unwrap_or(converter);
        let enable = config.text(&format!("{of}.converter.schemas.enable"));
        let is_given = ["file", "subject"].iter().any(|key| config.entry(&format!("{of}.converter.schema.{key}")).is_some());
        let is_given = is_given || of == "value" && config.get(&INFER).unwrap_or_default();
        let is_plain = converter == "Json" && !is_given && enable.is_some_and(|enable| enable.trim().eq_ignore_ascii_case("false"));
        if is_plain && matches!(&*format, "Avro" | "Parquet") {
            return Some((name, format!(
                "{name}: {format}Format needs a schema, and JsonConverter with schemas.enable=false reads none, so every record fails: write JSON with \
                 io.confluent.connect.s3.format.json.JsonFormat, give the schema of plain JSON by {of}.converter.schema.file or \
                 {of}.converter.schema.subject, or send one with each message and set {of}.converter.schemas.enable=true"
            )));
        }
        (format == "Parquet" && of == "value" && WITHOUT_FIELDS.contains(&converter)).then(|| {
            (name, format!(
                "{name}: ParquetFormat writes structs, and {converter}Converter makes none, so every record fails: use a converter that reads a schema, or \
                 write another format"
            ))
        })
    });
    if transforms(config) { Vec::new() } else { doubts.collect() }
}

/// What of a template is a text, and always bytes by its converter.
fn without_texts(config: &Config, template: &[TemplatePiece<'_>]) -> Option<(&'static str, String)> {
    let of_bytes = |converter: &str| {
        let named = converter_of(config, converter)?;
        matches!(named, "ByteArrayConverter" | "ByteArray").then_some(named)
    };
    let (piece, converter, key) = template.iter().find_map(|piece| match piece {
        TemplatePiece::Key => Some(("{key}".to_owned(), of_bytes("key.converter")?, "key.converter")),
        TemplatePiece::Header(name) => Some((format!("{{header.{name}}}"), of_bytes("header.converter")?, "header.converter")),
        _ => None,
    })?;
    if transforms(config) {
        return None;
    }
    let message = format!(
        "{}: {piece} takes a text, a number, true or false, and {converter} makes bytes of it, so every record that has one fails: set \
         {key}=org.apache.kafka.connect.storage.StringConverter",
        TEMPLATE.name()
    );
    Some((TEMPLATE.name(), message))
}

/// The simple name of a converter, as it is written.
fn converter_of<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
    config.text(key).map(|class| simple(class.trim()))
}

/// Whether records are changed before they are given directories.
fn transforms(config: &Config) -> bool {
    config.text("transforms").is_some_and(|transforms| !transforms.trim().is_empty())
}

const WITHOUT_FIELDS: [&str; 8] = ["String", "ByteArray", "Boolean", "Short", "Integer", "Long", "Float", "Double"];

/// Converters whose values are text, numbers or maps.
const OF_OTHER_THAN_BYTES: [&str; 3] = ["JsonConverter", "StringConverter", "AvroConverter"];

fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

/// Letters that stand for another field than their author probably took them for, in patterns that make one directory together.
fn slips(patterns: &[&str]) -> impl Iterator<Item = &'static str> {
    // What stands in quotes is text.
    let letters: String = patterns.iter().flat_map(|pattern| pattern.split('\'').step_by(2)).collect();
    let has = |field: char| letters.contains(field);
    let minutes = has('m') && !has('H') && !has('h') && !has('k') && !has('K');
    let day_of_year = has('D') && (has('M') || has('m'));
    let half_day = (has('h') || has('K')) && !has('a');
    let of_minutes = minutes.then_some("mm is the minutes of an hour; the month is MM");
    let of_days = day_of_year.then_some("D is the day of the year; the day of the month is dd");
    let of_hours =
        half_day.then_some("hh is an hour of half a day, so that two hours share a directory; the hour of the day is HH");
    of_minutes.into_iter().chain(of_days).chain(of_hours)
}

/// Whether directories, or `rotate.interval.ms`, go by time; `None` where the partitioner cannot be made.
fn goes_by_time(config: &Config, plugins: &Plugins) -> Option<bool> {
    let partitioner = find(plugins.partitioners(), &config.get(&PARTITIONER).ok()?).ok()?.configure(config).ok()?;
    Some(partitioner.partitioned_by().is_by_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_by_record_time_is_doubtful_without_a_partitioner_by_time() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect(), &crate::plugins()).len();
        let (rotate, daily) = (("rotate.interval.ms", "60000"), "io.confluent.connect.storage.partitioner.DailyPartitioner");
        assert_eq!(doubts(&[rotate]), 1);
        assert_eq!(doubts(&[rotate, ("partitioner.class", daily), ("locale", "en"), ("timezone", "UTC")]), 0);
        assert_eq!(doubts(&[("rotate.interval.ms", "-1")]), 0);
    }

    #[test]
    fn letters_of_a_path_that_are_taken_for_others_are_named() {
        let doubts = |pattern: &str| slips(&[pattern]).collect::<Vec<_>>().join("; ");
        assert_eq!(doubts("YYYY-mm-dd"), "mm is the minutes of an hour; the month is MM");
        assert_eq!(doubts("yyyy/MM/DD"), "D is the day of the year; the day of the month is dd");
        assert!(doubts("yyyy-MM-dd/hh").starts_with("hh is an hour of half a day"));
        for pattern in ["'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH/'min'=mm", "YYYY/DDD", "'Dm'=MM", "hh:mm a"] {
            assert_eq!(doubts(pattern), "", "{pattern}");
        }
    }

    #[test]
    fn letters_of_a_template_s_times_are_doubted_as_those_of_a_path_all_of_them_together() {
        let doubts = |template: &str| {
            let common = [("partitioner.class", "TemplatePartitioner"), ("partition.duration.ms", "3600000"), ("timezone", "UTC")];
            warnings(&common.iter().chain(&[("partition.template", template)]).copied().collect(), &crate::plugins()).to_string()
        };
        assert_eq!(doubts("{time:yyyy-mm-dd}"), "partition.template: mm is the minutes of an hour; the month is MM");
        assert!(doubts("{time:yyyy}/{time:MM}/{time:DD}").contains("the day of the month is dd"));
        assert!(doubts("mm/{time:yyyy/MM/dd/hh}").starts_with("partition.template: hh is an hour of half a day"));
        for template in ["{time:yyyy/MM/dd/HH}/{time:mm}", "DD/{partition}", "{time:yyyy'mm'}"] {
            assert_eq!(doubts(template), "", "{template}");
        }
    }

    #[test]
    fn values_that_are_no_bytes_are_doubtful_in_files_of_bytes() {
        let format = ("format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat");
        let doubts = |converter: &str| {
            warnings(&[format, ("value.converter", converter)].into_iter().collect(), &Plugins::default()).to_string()
        };
        assert!(doubts("org.apache.kafka.connect.json.JsonConverter").contains("JsonConverter makes something else of them"));
        assert_eq!(doubts("org.apache.kafka.connect.converters.ByteArrayConverter"), "");
    }

    #[test]
    fn values_without_fields_are_doubtful_where_fields_are_read() {
        let package = "io.confluent.connect.storage.partitioner";
        let (field, daily) = (format!("{package}.FieldPartitioner"), format!("{package}.DailyPartitioner"));
        let doubts = |converter: &str, pairs: &[(&str, &str)]| {
            let common = [("value.converter", converter), ("partition.field.name", "a"), ("locale", "en"), ("timezone", "UTC")];
            warnings(&common.iter().chain(pairs).copied().collect(), &crate::plugins()).to_string()
        };
        let by_field = [("partitioner.class", field.as_str())];
        let by_time = [("partitioner.class", daily.as_str()), ("timestamp.extractor", "RecordField")];
        for converter in
            ["org.apache.kafka.connect.storage.StringConverter", "ByteArray", "org.apache.kafka.connect.converters.LongConverter"]
        {
            assert!(doubts(converter, &by_field).starts_with("partitioner.class: FieldPartitioner reads fields"), "{converter}");
            assert!(doubts(converter, &by_time).starts_with("timestamp.extractor: RecordField reads fields"), "{converter}");
            assert_eq!(doubts(converter, &[by_field[0], ("transforms", "hoist")]), "");
            assert_eq!(doubts(converter, &[("timestamp.extractor", "RecordField")]), "", "nothing goes by time");
        }
        for pairs in [by_field.as_slice(), &by_time] {
            assert_eq!(doubts("org.apache.kafka.connect.json.JsonConverter", pairs), "");
        }
    }

    #[test]
    fn a_template_that_no_record_can_fill_is_doubtful() {
        let doubts = |template: &str, pairs: &[(&str, &str)]| {
            let common = [("partitioner.class", "TemplatePartitioner"), ("partition.template", template)];
            warnings(&common.iter().chain(pairs).copied().collect(), &crate::plugins()).to_string()
        };
        let bytes = |converter| [(converter, "org.apache.kafka.connect.converters.ByteArrayConverter")];
        let said = doubts("c={field.a.b}/{key}", &bytes("value.converter"));
        assert!(
            said.starts_with("partition.template: {field.a.b} reads fields, and values of ByteArrayConverter have none"),
            "{said}"
        );
        let said = doubts("{key}", &bytes("key.converter"));
        assert!(said.starts_with("partition.template: {key} takes a text") && said.contains("set key.converter="), "{said}");
        assert!(doubts("{header.h}", &bytes("header.converter")).contains("set header.converter="));
        for (template, converter) in
            [("{key}", "value.converter"), ("{field.a}", "key.converter"), ("{partition}", "key.converter")]
        {
            assert_eq!(doubts(template, &bytes(converter)), "", "{template} {converter}");
        }
        for template in ["{field.a}", "{key}"] {
            let [value, key] = ["value.converter", "key.converter"].map(|converter| bytes(converter)[0]);
            assert_eq!(doubts(template, &[value, key, ("transforms", "hoist")]), "", "{template}");
        }
    }

    #[test]
    fn files_of_values_that_they_cannot_take_are_doubtful() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect(), &crate::plugins()).to_string();
        let parquet = ("format.class", "io.confluent.connect.s3.format.parquet.ParquetFormat");
        let [string, json] =
            ["storage.StringConverter", "json.JsonConverter"].map(|class| format!("org.apache.kafka.connect.{class}"));
        assert!(
            doubts(&[parquet, ("value.converter", &string)])
                .contains("ParquetFormat writes structs, and StringConverter makes none")
        );
        let plain = [("value.converter", &*json), ("value.converter.schemas.enable", "false")];
        assert!(doubts(&[parquet, plain[0], plain[1]]).contains("ParquetFormat needs a schema"));
        assert_eq!(doubts(&[parquet, plain[0]]), "");
        for given in [("value.converter.schema.file", "pin"), ("value.converter.schema.subject", "pin"), ("schema.infer", "true")] {
            assert_eq!(doubts(&[parquet, plain[0], plain[1], given]), "");
        }
        assert_eq!(doubts(&[parquet, ("value.converter", &string), ("transforms", "hoist")]), "");
        let keys = [("keys.format.class", parquet.1), ("key.converter", &json), ("key.converter.schemas.enable", "false")];
        assert_eq!(doubts(&keys), "");
        let said = doubts(&[&keys[..], &[("store.kafka.keys", "true")]].concat());
        assert!(
            said.starts_with("keys.format.class: ParquetFormat needs a schema")
                && said.contains("key.converter.schemas.enable=true"),
            "{said}"
        );
    }

    #[test]
    fn headers_in_files_of_bytes_and_directories_that_are_none_are_doubtful() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect(), &crate::plugins()).to_string();
        let bytes = ("headers.format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat");
        let header = ("header.converter", "org.apache.kafka.connect.storage.StringConverter");
        assert!(doubts(&[bytes, header, ("store.kafka.headers", "true")]).contains("fails for every record"));
        assert_eq!(doubts(&[bytes]), "");
        assert!(doubts(&[("topics.dir", "s3://shop-lake/raw")]).contains("an address is no directory"));
        assert!(doubts(&[("topics.dir", "raw # the raw data")]).contains("a part of it"));
        assert_eq!(doubts(&[("topics.dir", "raw/#1")]), "");
    }

    #[test]
    fn the_default_converter_of_headers_is_doubtful_where_they_are_stored() {
        let doubts = |pairs: &[(&str, &str)]| warnings(&pairs.iter().copied().collect(), &Plugins::default()).len();
        let stored = ("store.kafka.headers", "true");
        assert_eq!(doubts(&[stored]), 1);
        assert_eq!(
            doubts(&[stored, ("header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter")]),
            0,
            "it is meant"
        );
        assert_eq!(doubts(&[("store.kafka.headers", "false")]), 0);
        assert_eq!(doubts(&[]), 0);
    }
}
