//! By a template.

use std::{borrow::Cow, fmt::Write, ops::Range};

use connect_api::{
    Error, PartitionedBy, Partitioner, Plugin, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, Importance},
    data::{
        Value,
        json::{Kind, decode_string},
    },
};

use super::{ENCODING, by_time::ByTime, field_path, partition_error, struct_field};
use crate::converter::print_date;

static TEMPLATE: ConfigKey<String> = ConfigKey::required(
    "partition.template",
    "The directory. `{field.a.b}` is a field of the value, `{header.x}` the last header of this name, `{key}` the key, `{partition}` the Kafka partition, and \
     `{time:'day'=yyyy-MM-dd}` the time as a Joda-Time pattern; the rest stands as it is: `country={field.country}/{time:yyyy/MM/dd}`.",
)
.importance(Importance::High)
.check(|template| parse(template).map(drop));
static DURATION: ConfigKey<i64> = ConfigKey::optional(
    "partition.duration.ms",
    "How long one directory lasts, where the template has a `{time:…}`: times are cut to a multiple of it in local time. One hour is 3600000.",
)
.unit("ms")
.check(|duration| if *duration > 0 { Ok(()) } else { Err("it must be positive".to_owned()) });
static LOCALE: ConfigKey<String> =
    ConfigKey::with_default("locale", "en", "The language of names of months, days and eras in directories.");

/// What stands where there is no value, as Hive and Spark write and read it.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Characters that Hive and Spark escape in names of directories, beside control characters.
const ESCAPED: &str = "\"#%'*/:=?\\{[]^\u{7f}";

/// A directory as a template describes it.
#[derive(Debug)]
pub(crate) struct TemplatePartitioner {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// The names that lead to a field of the value.
    Field(Vec<String>),
    Header(String),
    Key,
    Partition,
    Time(Box<ByTime>),
}

/// A piece as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written<'a> {
    /// What stands as it is.
    Text(&'a str),
    /// The names that lead to a field of the value.
    Field(Vec<String>),
    /// The name of a header.
    Header(&'a str),
    /// The record's key.
    Key,
    /// The Kafka partition.
    Partition,
    /// A pattern of the time.
    Time(&'a str),
}

impl Plugin for TemplatePartitioner {
    const NAME: &'static str = "TemplatePartitioner";
    const DOCUMENTATION: &'static str = "Extension, which the JVM's connector does not have: a directory as a template describes it. Values are escaped as Hive and Spark escape them, `a/b` as \
         `a%2Fb`, so that none leaves its directory; both read them back as they were. Where there is no value, or an empty one, \
         `__HIVE_DEFAULT_PARTITION__` stands. A record whose value makes no directory, such as an array, goes to the dead letter queue.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("TemplatePartitioner", &[&TEMPLATE, &DURATION, &LOCALE])
    }

    fn configure(config: &Config) -> Result<Self> {
        let template = config.get(&TEMPLATE)?;
        let invalid = |reason| Error::config(format!("Invalid value {template} for configuration partition.template: {reason}"));
        let pieces = parse(&template).map_err(invalid)?.into_iter().map(|piece| {
            Ok(match piece {
                Written::Text(text) => Piece::Text(text.to_owned()),
                Written::Field(path) => Piece::Field(path),
                Written::Header(name) => Piece::Header(name.to_owned()),
                Written::Key => Piece::Key,
                Written::Partition => Piece::Partition,
                Written::Time(pattern) => {
                    let missing = || {
                        invalid("{time:…} needs partition.duration.ms, how long one directory lasts; 3600000 is an hour".to_owned())
                    };
                    let duration = config.find(&DURATION)?.ok_or_else(missing)?;
                    Piece::Time(Box::new(ByTime::of(config, &config.get(&LOCALE)?, duration, ("partition.template", pattern))?))
                }
            })
        });
        Ok(Self { pieces: pieces.collect::<Result<_>>()? })
    }
}

/// What is between braces, and what is not.
///
/// # Errors
/// Why this is no template.
pub(crate) fn parse(template: &str) -> Result<Vec<Written<'_>>, String> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while !rest.is_empty() {
        let (text, behind) = rest.split_once('{').map_or((rest, None), |(text, behind)| (text, Some(behind)));
        if text.contains('}') {
            return Err("there is a } without its {".to_owned());
        }
        if !text.is_empty() {
            pieces.push(Written::Text(text));
        }
        let Some(behind) = behind else { break };
        let (inside, behind) = behind.split_once('}').ok_or_else(|| format!("the }} of {{{behind} is missing"))?;
        pieces.push(piece(inside)?);
        rest = behind;
    }
    let is_value = |piece: &Written<'_>| !matches!(piece, Written::Text(_));
    if !pieces.iter().any(is_value) {
        return Err("it names nothing in braces, such as {field.country}, and all records would be in one directory".to_owned());
    }
    let stands_for = |piece: &Written<'_>| if let Written::Text(text) = piece { (*text).to_owned() } else { "x".to_owned() };
    let path: String = pieces.iter().map(stands_for).collect();
    if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
        return Err("a directory in it has no name, or one of dots alone".to_owned());
    }
    Ok(pieces)
}

fn piece(inside: &str) -> Result<Written<'_>, String> {
    if let Some(path) = inside.strip_prefix("field.") {
        return field_path(path).map(Written::Field);
    }
    match (inside, inside.split_once(['.', ':'])) {
        ("key", _) => Ok(Written::Key),
        ("partition", _) => Ok(Written::Partition),
        (_, Some(("header", name))) if inside.starts_with("header.") && !name.is_empty() => Ok(Written::Header(name)),
        (_, Some(("time", pattern))) if inside.starts_with("time:") && !pattern.is_empty() => Ok(Written::Time(pattern)),
        _ => Err(format!(
            "{{{inside}}} is not known: write {{field.name}}, {{header.name}}, {{key}}, {{partition}} or {{time:yyyy/MM/dd}}"
        )),
    }
}

impl Partitioner for TemplatePartitioner {
    fn partitioned_by(&self) -> PartitionedBy {
        let (mut by_record, mut by_time) = (false, false);
        for piece in &self.pieces {
            by_record |= matches!(piece, Piece::Field(_) | Piece::Header(_) | Piece::Key);
            by_time |= matches!(piece, Piece::Time(_));
        }
        match (by_record, by_time) {
            (true, true) => PartitionedBy::RecordAndTime,
            (true, false) => PartitionedBy::Record,
            (false, true) => PartitionedBy::Time,
            (false, false) => PartitionedBy::TopicPartition,
        }
    }

    fn bucket(&self, time: i64) -> Range<i64> {
        // All of them have one duration and one zone.
        let by_time = self.pieces.iter().find_map(|piece| if let Piece::Time(by_time) = piece { Some(by_time) } else { None });
        by_time.map_or(time..time.saturating_add(1), |by_time| by_time.bucket(time))
    }

    fn encode_partition(&self, record: &SinkRecord, time: i64, encoded: &mut String) -> Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => encoded.push_str(text),
                Piece::Time(by_time) => by_time.encode(time, encoded),
                Piece::Partition => {
                    let _infallible = write!(encoded, "{}", record.partition);
                }
                Piece::Key => push(encoded, scalar(&record.key.value).map_err(|why| of("the key", why))?.as_deref()),
                Piece::Header(name) => {
                    let header = record.headers.iter().rfind(|header| *header.key == **name);
                    let text = header.map_or(Ok(None), |header| scalar(&header.value.value));
                    push(encoded, text.map_err(|why| of(&format!("the header {name}"), why))?.as_deref());
                }
                Piece::Field(path) => {
                    push(encoded, field(record, path).map_err(|why| of(&format!("the field {}", path.join(".")), why))?.as_deref());
                }
            }
        }
        Ok(())
    }
}

fn of(what: &str, why: &str) -> Error {
    partition_error(ENCODING, format!("{what} {why}"))
}

/// A field that is missing has no value.
fn field<'a>(record: &'a SinkRecord, path: &[String]) -> Result<Option<Cow<'a, str>>, &'static str> {
    if let Some(fields) = struct_field::fields_of(&record.value) {
        return struct_field::find(fields, path).map_or(Ok(None), |(_, value)| scalar(value));
    }
    match &record.value.value {
        Value::Json(json) if Kind::of(json.as_bytes()) == Kind::Object => {
            json.find(path.iter().map(String::as_str)).map_or(Ok(None), json_scalar)
        }
        _ => Err("is missing: the value has no fields"),
    }
}

/// The text of a single value; nothing for null.
fn scalar(value: &Value) -> Result<Option<Cow<'_, str>>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::Json(json) => json_scalar(json.as_bytes()),
        Value::Date(days) => Ok(Some(Cow::Owned(print_date((*days).into())))),
        value => {
            let time = value.epoch_millis().map(|time| Cow::Owned(time.to_string()));
            value.scalar_text().or(time).map(Some).ok_or(NOT_SCALAR)
        }
    }
}

const NOT_SCALAR: &str = "is neither a text nor a number nor true or false";

/// A number stands as it is written.
fn json_scalar(text: &[u8]) -> Result<Option<Cow<'_, str>>, &'static str> {
    match Kind::of(text) {
        Kind::Null => Ok(None),
        Kind::String => Ok(Some(decode_string(text))),
        Kind::Number | Kind::Boolean => Ok(Some(String::from_utf8_lossy(text))),
        Kind::Array | Kind::Object => Err(NOT_SCALAR),
    }
}

/// Appends a value so that it is one name of a directory, or a part of one.
fn push(encoded: &mut String, value: Option<&str>) {
    let value = value.unwrap_or_default();
    if value.is_empty() {
        encoded.push_str(NO_VALUE);
        return;
    }
    let is_escaped = |character: char| character < ' ' || ESCAPED.contains(character) || matches!(value, "." | "..");
    for character in value.chars() {
        if is_escaped(character) {
            let _infallible = write!(encoded, "%{:02X}", u32::from(character));
        } else {
            encoded.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::Data,
        testing::{partitioner, record_of, record_with},
    };

    use super::*;
    use crate::partitioner::testing::json;

    const NOON: i64 = 1_606_737_600_000;

    fn configured(template: &str) -> Result<TemplatePartitioner> {
        let time = [("partition.duration.ms", "3600000"), ("timezone", "UTC")];
        TemplatePartitioner::configure(&[("partition.template", template)].iter().chain(&time).copied().collect())
    }

    fn encoded(template: &str, record: &SinkRecord) -> Result<String> {
        let mut encoded = String::new();
        configured(template).unwrap().encode_partition(record, NOON, &mut encoded).map(|()| encoded)
    }

    fn text(text: &str) -> Data {
        Data::schemaless(Value::String(text.to_owned().into()))
    }

    #[test]
    fn it_keeps_the_contract() {
        let records = [json(r#"{"a":1}"#), json(r#"{"a":[]}"#), json("7"), record_of(Data::default())];
        for template in ["a={field.a}/{time:HH mm}", "{time:yyyy}/x", "p{partition}", "{key}{header.h}", "{field.a}"] {
            partitioner::keeps_the_contract(&configured(template).unwrap(), &records);
        }
    }

    #[test]
    fn every_piece_stands_where_the_template_has_it() {
        let headers = [("h", text("first")), ("h", text("last")), ("n", Data::schemaless(Value::Float64(1.5)))];
        let record = record_with(text("the key"), json(r#"{"a":{"b":"DE"},"n":1.50,"t":true}"#).value, &headers);
        for (template, expected) in [
            ("country={field.a.b}/{time:yyyy/MM/dd}/p={partition}", "country=DE/2020/11/30/p=3"),
            ("{header.h}-{header.n}", "last-1.5"),
            ("{key}", "the key"),
            ("n={field.n}/t={field.t}/{time:'at 'HH}", "n=1.50/t=true/at 12"),
            ("{field.x}/{header.x}", "__HIVE_DEFAULT_PARTITION__/__HIVE_DEFAULT_PARTITION__"),
        ] {
            assert_eq!(encoded(template, &record).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn no_value_leaves_its_directory() {
        for (value, expected) in [
            (r#""a/../../b""#, "a%2F..%2F..%2Fb/x"),
            (r#""..""#, "%2E%2E/x"),
            (r#"".""#, "%2E/x"),
            (r#""50% of {x}:=\"""#, "50%25 of %7Bx}%3A%3D%22/x"),
            (r#""\u0000\n\u007f""#, "%00%0A%7F/x"),
            (r#""日本.é""#, "日本.é/x"),
            (r#""""#, "__HIVE_DEFAULT_PARTITION__/x"),
            ("null", "__HIVE_DEFAULT_PARTITION__/x"),
        ] {
            assert_eq!(encoded("{field.v}/x", &json(&format!("{{\"v\":{value}}}"))).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_makes_no_directory_is_a_data_error_that_names_it() {
        for (template, record, names) in [
            ("{field.v.w}", json("7"), "the field v.w is missing"),
            ("{field.v}", json(r#"{"v":[1]}"#), "the field v is neither"),
            ("{key}", record_with(Data::schemaless(Value::Bytes("x".into())), Data::default(), &[]), "the key is neither"),
            ("{header.h}", record_with(Data::default(), Data::default(), &[("h", json("{}").value)]), "the header h is neither"),
        ] {
            let report = encoded(template, &record).unwrap_err().report();
            assert!(report.contains(names), "{report}");
        }
    }

    #[test]
    fn a_template_that_says_nothing_or_something_unknown_is_refused() {
        for (template, why) in [
            ("", "nothing in braces"),
            ("all", "nothing in braces"),
            ("{field.}", "blank name"),
            ("{country}", "{country} is not known"),
            ("{time}", "{time} is not known"),
            ("{header.}", "is not known"),
            ("{key", "is missing"),
            ("key}", "without its {"),
            ("../{key}", "dots alone"),
            ("{key}//x", "no name"),
            ("/{key}", "no name"),
            ("{key}/", "no name"),
            ("{time:i}", "partition.template"),
        ] {
            let refused = configured(template).unwrap_err().report();
            assert!(refused.contains(why), "{template}: {refused}");
        }
        let without =
            TemplatePartitioner::configure(&[("partition.template", "{time:yyyy}"), ("timezone", "UTC")].into_iter().collect());
        assert!(without.unwrap_err().report().contains("partition.duration.ms"));
    }
}
