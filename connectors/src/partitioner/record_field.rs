//! A field of the record's value.

use connect_api::{
    Error, Plugin, Result, SinkRecord, TimestampExtractor,
    config::{Config, ConfigDef, ConfigKey},
    data::{
        Schema, SchemaType, Value,
        json::{Kind, decode_string},
    },
};

use super::{ENCODING, field_path, partition_error, struct_field};
use crate::joda::{Separator, Zone, parse_iso};

static FIELD: ConfigKey<String> = ConfigKey::with_default(
    "timestamp.field",
    "timestamp",
    "The field of the value that holds the record's time; names with dots between them lead into nested objects. A number counts milliseconds since 1970, and so \
     does a text of digits. Any other text is read as ISO 8601, without an offset in the zone of this machine (not in `timezone`). Extension: a blank may \
     stand in place of the `T`, as in `2020-08-28 03:52:47`; the JVM's task fails on it.",
)
.check(|field| field_path(field).map(drop));

/// The time that a field of the value holds.
#[derive(Debug)]
pub(crate) struct RecordFieldTimestampExtractor {
    field: String,
    path: Vec<String>,
    /// Of texts that name no offset.
    zone: Zone,
}

impl Plugin for RecordFieldTimestampExtractor {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$RecordFieldTimestampExtractor";
    const ALIASES: &'static [&'static str] = &["RecordField"];
    const DOCUMENTATION: &'static str =
        "The time that a field of the value holds. A record whose value has no such field, or no time in it, fails the task.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("RecordField", &[&FIELD])
    }

    fn configure(config: &Config) -> Result<Self> {
        let field = config.get(&FIELD)?;
        let path = field_path(&field).map_err(Error::config)?;
        Ok(Self { field, path, zone: Zone::of_machine() })
    }
}

impl TimestampExtractor for RecordFieldTimestampExtractor {
    fn timestamp(&self, record: &SinkRecord, _now: i64) -> Result<i64> {
        if let Some(fields) = struct_field::fields_of(&record.value) {
            let (schema, value) = struct_field::find(fields, &self.path)?;
            return self.typed(schema, value);
        }
        if let Value::Map(entries) = &record.value.value {
            return self.of_map(record.value.schema.as_deref(), entries);
        }
        let Value::Json(json) = &record.value.value else { return Err(self.no_object(&record.value.value)) };
        if Kind::of(json.as_bytes()) != Kind::Object {
            return Err(self.no_object(&record.value.value));
        }
        let Some(found) = json.find(self.path.iter().map(String::as_str)) else { return Err(self.missing()) };
        match Kind::of(found) {
            Kind::Null => Err(self.missing()),
            Kind::Number => Ok(milliseconds(found)),
            Kind::String => self.parse(&decode_string(found)),
            Kind::Object | Kind::Array | Kind::Boolean => Err(self.no_time("it is neither a number nor a text")),
        }
    }
}

impl RecordFieldTimestampExtractor {
    /// A text: digits count milliseconds, whatever year they look like.
    fn parse(&self, text: &str) -> Result<i64> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty()
            && digits.len() <= 19
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(milliseconds) = text.parse()
        {
            return Ok(milliseconds);
        }
        parse_iso(text, &self.zone, Separator::TOrBlank).map_err(|reason| {
            Error::data(format!("{reason}: the field {} holds no time", self.field))
                .with_class("java.lang.IllegalArgumentException")
        })
    }

    /// Of a struct: an instant, an integer of 32 or 64 bits, or a text.
    fn typed(&self, schema: &Schema, value: &Value) -> Result<i64> {
        match value {
            Value::Null => Err(self.missing()),
            Value::Timestamp(time) | Value::Int64(time) => Ok(*time),
            Value::Int32(time) => Ok((*time).into()),
            Value::String(text) => self.parse(text),
            Value::Date(_) | Value::Time(_) => {
                let what = schema.name.as_deref().unwrap_or_default();
                Err(Error::data(format!("The field '{}' is of type {what}, which says no instant", self.field)))
            }
            _ => Err(self.no_time("it is neither an integer of 32 or 64 bits nor a text")),
        }
    }

    /// Of a map, which may hold others and structs: any number, an instant, or a text.
    fn of_map(&self, mut schema: Option<&Schema>, entries: &[(Value, Value)]) -> Result<i64> {
        let mut names = self.path.iter();
        let mut found = names.next().and_then(|name| entry(entries, name));
        schema = values_of(schema);
        for (place, name) in names.enumerate() {
            found = match found {
                Some(Value::Map(entries)) => {
                    schema = values_of(schema);
                    entry(entries, name)
                }
                Some(Value::Struct(values)) => match schema.and_then(Schema::fields) {
                    Some(fields) => {
                        let (schema, value) = struct_field::find((fields, values), &self.path[place + 1..])?;
                        return self.typed(schema, value);
                    }
                    None => None,
                },
                _ => None,
            };
        }
        match found {
            None | Some(Value::Null) => Err(self.missing()),
            Some(Value::Int8(time)) => Ok((*time).into()),
            Some(Value::Int16(time)) => Ok((*time).into()),
            Some(Value::Int32(time)) => Ok((*time).into()),
            Some(Value::Int64(time)) => Ok(*time),
            Some(Value::Float32(time)) => Ok(whole((*time).into())),
            Some(Value::Float64(time)) => Ok(whole(*time)),
            Some(Value::Decimal(time)) => Ok(milliseconds(time.to_string().as_bytes())),
            Some(Value::String(text)) => self.parse(text),
            Some(other) => other.epoch_millis().ok_or_else(|| self.no_time("it is neither a number nor a text")),
        }
    }

    fn no_time(&self, why: &str) -> Error {
        partition_error(format!("Error extracting timestamp from record field: {}", self.field), why.to_owned())
    }

    fn missing(&self) -> Error {
        Error::data(format!("The field '{}' does not exist.", self.field))
    }

    fn no_object(&self, value: &Value) -> Error {
        partition_error(ENCODING, format!("a value of {} has no field {}", value.type_name(), self.field))
    }
}

/// The schema of a map's values.
fn values_of(map: Option<&Schema>) -> Option<&Schema> {
    match &map?.schema_type {
        SchemaType::Map(_, values) => Some(values),
        _ => None,
    }
}

/// The value of a map's key.
fn entry<'a>(entries: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    let is_named = |key: &Value| matches!(key, Value::String(text) if **text == *name);
    entries.iter().find(|(key, _)| is_named(key)).map(|(_, value)| value)
}

#[expect(clippy::cast_possible_truncation, reason = "as Double.longValue() does it: to the nearest that there is")]
fn whole(number: f64) -> i64 {
    number as i64
}

/// A number as the JVM reads it: an integer keeps its low 64 bits, another number loses its fraction.
fn milliseconds(number: &[u8]) -> i64 {
    let text = std::str::from_utf8(number).unwrap_or_default();
    if let Ok(milliseconds) = text.parse() {
        return milliseconds;
    }
    if text.contains(['.', 'e', 'E']) {
        return text.parse().map_or(0, whole);
    }
    let digits = text.trim_start_matches('-');
    let low = digits.bytes().fold(0_i64, |low, digit| low.wrapping_mul(10).wrapping_add(i64::from(digit.wrapping_sub(b'0'))));
    if digits.len() < text.len() { low.wrapping_neg() } else { low }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connect_api::{
        ErrorKind,
        data::{Data, Field, Fields},
        testing::{partitioner, record_of},
    };

    use super::*;
    use crate::partitioner::testing::json;

    fn extractor(field: &str) -> RecordFieldTimestampExtractor {
        let extractor = RecordFieldTimestampExtractor::configure(&[("timestamp.field", field)].into_iter().collect()).unwrap();
        RecordFieldTimestampExtractor { zone: Zone::utc(), ..extractor }
    }

    fn time(value: &str) -> Result<i64> {
        extractor("ts").timestamp(&json(&format!("{{\"a\":{{}},\"ts\":{value}}}")), 0)
    }

    #[test]
    fn it_keeps_the_contract() {
        let records = [json("{\"ts\":1}"), json("{\"ts\":\"x\"}"), json("7"), record_of(Data::default())];
        partitioner::extractor_keeps_the_contract(&extractor("ts"), &records);
    }

    #[test]
    fn numbers_and_texts_are_read_as_on_the_jvm() {
        for (value, expected) in [
            ("1592217612345", 1_592_217_612_345),
            ("1592217612345.9", 1_592_217_612_345),
            ("-1.9", -1),
            ("1e3", 1_000),
            ("9223372036854775808", i64::MIN),
            ("-18446744073709551617", -1),
            ("\"2015\"", 2_015),
            ("\"-9223372036854775808\"", i64::MIN),
            ("\"-1\"", -1),
            ("\"9223372036854775807\"", i64::MAX),
            ("\"+1\"", -62_135_596_800_000),
            ("\"2015-04-02\"", 1_427_932_800_000),
            ("\"2015-04-02T01:00:00.5+02:00\"", 1_427_929_200_500),
            ("\"2015-04-02\\u005401\"", 1_427_936_400_000),
        ] {
            assert_eq!(time(value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_holds_no_time_is_refused() {
        for value in [
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
            "\" 2015-04-02\"",
            "\"20150402T010000Z\"",
            "\"2015-13-01\"",
            "\"2015-04-02+02:00\"",
            "\"99999999999999999999\"",
        ] {
            let error = time(value).unwrap_err();
            assert!(error.kind() == ErrorKind::Data && error.to_string().contains("ts"), "{value}: {error}");
        }
        assert_eq!(
            extractor("other").timestamp(&json("{\"ts\":1}"), 0).unwrap_err().to_string(),
            "The field 'other' does not exist."
        );
    }

    #[test]
    fn a_blank_may_stand_between_date_and_time() {
        assert_eq!(time("\"2020-08-28 03:52:47\"").unwrap(), 1_598_586_767_000);
        assert_eq!(time("\"2020-08-28 03:52:47.25+01:00\"").unwrap(), 1_598_583_167_250);
        for value in ["\"2020-08-28 \"", "\"2020-08-28  03:52\"", "\"2020-08-28 x\"", "\"2020-08-28 +01:00\""] {
            assert!(time(value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_path_leads_through_maps_into_structs() {
        let time = Arc::new(Schema::required(SchemaType::Int64));
        let header = Fields::new(vec![Field { name: "timestamp".into(), schema: time }]).unwrap();
        let header = Schema::required(SchemaType::Struct(header));
        let key = Arc::new(Schema::required(SchemaType::String));
        let map = Schema::required(SchemaType::Map(key, Arc::new(header)));
        let entry = (Value::String("header".into()), Value::Struct(vec![Value::Int64(123)]));
        let record = record_of(Data::with_schema(Arc::new(map), Value::Map(vec![entry])));
        assert_eq!(extractor("header.timestamp").timestamp(&record, 0).unwrap(), 123);
        assert!(extractor("header.other").timestamp(&record, 0).is_err());
        assert!(extractor("other.timestamp").timestamp(&record, 0).is_err());
    }

    #[test]
    fn a_path_leads_into_nested_objects() {
        let record = json("{\"nested.timestamp\":1,\"nested\":{\"timestamp\":7}}");
        assert_eq!(extractor("nested.timestamp").timestamp(&record, 0).unwrap(), 7);
        for path in ["a..b", ".a", "a.", ""] {
            assert!(
                RecordFieldTimestampExtractor::configure(&[("timestamp.field", path)].into_iter().collect()).is_err(),
                "{path}"
            );
        }
    }
}
