//! By fields of the value.

use std::fmt::Write;

use connect_api::{
    Error, PartitionedBy, Partitioner, Plugin, Result, SinkRecord,
    config::{Config, ConfigDef, ConfigKey, Importance, List},
    data::{
        self, JsonText, Schema, Value,
        json::{Kind, decode_string},
    },
};

use super::{ENCODING, field_path, partition_error, struct_field};

pub(super) static FIELDS: ConfigKey<List> = ConfigKey::required(
    "partition.field.name",
    "The fields that directories are made of, `name=value` for each; names with dots between them lead into nested objects.",
)
.importance(Importance::High)
.check(check);
static DIRECTORY_DELIMITER: ConfigKey<String> = ConfigKey::with_default("directory.delim", "/", "");

fn check(List(fields): &List) -> Result<(), String> {
    if fields.is_empty() || fields.iter().all(|field| field.is_empty()) {
        return Err("must not be empty with FieldPartitioner: name at least one field of the value".to_owned());
    }
    fields.iter().try_for_each(|field| field_path(field).map(drop))
}

/// One directory for each combination of the values of some fields.
#[derive(Debug)]
pub(crate) struct FieldPartitioner(Fields);

/// Fields of the value, as directories.
#[derive(Debug)]
pub(super) struct Fields {
    fields: Vec<Field>,
    delimiter: String,
    /// Whether the name stands before the value.
    are_named: bool,
}

#[derive(Debug)]
struct Field {
    /// As it is configured.
    name: String,
    path: Vec<String>,
}

impl Plugin for FieldPartitioner {
    const NAME: &'static str = "io.confluent.connect.storage.partitioner.FieldPartitioner";
    const DOCUMENTATION: &'static str = "One directory for each combination of the values of some fields, `country=DE/city=Kiel`. Texts stand there as they are, slashes too. Extension: it takes \
         schemaless JSON, which the JVM's cannot; a field that is missing counts as `null`, but the schema of a struct must have it. A record without such a field, or \
         whose field is a fraction, an array or an object, goes \
         to the dead letter queue.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("FieldPartitioner", &[&FIELDS])
    }

    fn configure(config: &Config) -> Result<Self> {
        Fields::new(config, config.get(&DIRECTORY_DELIMITER)?, true).map(Self)
    }
}

impl Partitioner for FieldPartitioner {
    fn partitioned_by(&self) -> PartitionedBy {
        PartitionedBy::Record
    }

    fn encode_partition(&self, record: &SinkRecord, _time: i64, encoded: &mut String) -> Result<()> {
        self.0.encode(record, encoded)
    }
}

impl Fields {
    /// Those of `partition.field.name`, with `delimiter` between them. `are_named`: `name=value`, not the value alone.
    ///
    /// # Errors
    /// `Config` where a name cannot be used.
    pub(super) fn new(config: &Config, delimiter: String, are_named: bool) -> Result<Self> {
        let List(names) = config.get(&FIELDS)?;
        let field = |name: String| field_path(&name).map(|path| Field { name, path }).map_err(Error::config);
        Ok(Self { fields: names.into_iter().map(field).collect::<Result<_>>()?, delimiter, are_named })
    }

    /// Appends what the record has in them.
    ///
    /// # Errors
    /// `Data` where the value is no object, or a field's value makes no directory.
    pub(super) fn encode(&self, record: &SinkRecord, encoded: &mut String) -> Result<()> {
        let value = match (&record.value.value, struct_field::fields_of(&record.value)) {
            (_, Some((fields, values))) => Holder::Struct(fields, values),
            (Value::Json(json), None) if Kind::of(json.as_bytes()) == Kind::Object => Holder::Json(json),
            (other, None) => {
                let kind = other.type_name();
                return Err(partition_error(ENCODING, format!("a value of {kind} has no fields")));
            }
        };
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                encoded.push_str(&self.delimiter);
            }
            if self.are_named {
                encoded.push_str(&field.name);
                encoded.push('=');
            }
            match value {
                Holder::Json(json) => field.encode_json(json, encoded)?,
                Holder::Struct(fields, values) => {
                    field.encode_typed(struct_field::find((fields, values), &field.path)?, encoded)?
                }
            }
        }
        Ok(())
    }
}

/// A value that has fields.
#[derive(Clone, Copy)]
enum Holder<'a> {
    Json(&'a JsonText),
    Struct(&'a data::Fields, &'a [Value]),
}

impl Field {
    fn encode_typed(&self, (schema, value): (&Schema, &Value), encoded: &mut String) -> Result<()> {
        match value {
            Value::Null => encoded.push_str("null"),
            Value::Int8(value) => push_integer((*value).into(), encoded),
            Value::Int16(value) => push_integer((*value).into(), encoded),
            Value::Int32(value) => push_integer((*value).into(), encoded),
            Value::Int64(value) => push_integer(*value, encoded),
            Value::String(text) => encoded.push_str(text),
            Value::Boolean(value) => encoded.push_str(if *value { "true" } else { "false" }),
            Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                let (name, what) = (&self.name, schema.name.as_deref().unwrap_or_default());
                return Err(Error::data(format!("the field {name} is of type {what}, which makes no directory")));
            }
            _ => return Err(self.makes_no_directory()),
        }
        Ok(())
    }

    fn makes_no_directory(&self) -> Error {
        let name = &self.name;
        partition_error(ENCODING, format!("the field {name} is neither a text nor a whole number nor true or false"))
    }

    fn encode_json(&self, object: &JsonText, encoded: &mut String) -> Result<()> {
        let found = object.find(self.path.iter().map(String::as_str)).unwrap_or(b"null");
        match Kind::of(found) {
            Kind::String => encoded.push_str(&decode_string(found)),
            // Java has no negative zero among integers.
            Kind::Number if found == b"-0" => encoded.push('0'),
            Kind::Number if found.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => return Err(self.makes_no_directory()),
            Kind::Number | Kind::Null | Kind::Boolean => encoded.push_str(std::str::from_utf8(found).unwrap_or_default()),
            Kind::Array | Kind::Object => return Err(self.makes_no_directory()),
        }
        Ok(())
    }
}

fn push_integer(value: i64, encoded: &mut String) {
    let _infallible = write!(encoded, "{value}");
}

#[cfg(test)]
mod tests {
    use connect_api::{
        data::Data,
        testing::{partitioner, record_of},
    };

    use super::*;
    use crate::partitioner::testing::json;

    fn configured(fields: &str, delimiter: &str) -> Result<FieldPartitioner> {
        FieldPartitioner::configure(&[("partition.field.name", fields), ("directory.delim", delimiter)].into_iter().collect())
    }

    fn encoded(fields: &str, value: &str) -> Result<String> {
        let mut encoded = String::new();
        configured(fields, "/").unwrap().encode_partition(&json(value), 0, &mut encoded).map(|()| encoded)
    }

    #[test]
    fn it_keeps_the_contract() {
        let records = [json("{\"a\":1}"), json("{\"a\":1.5}"), json("7"), record_of(Data::default())];
        partitioner::keeps_the_contract(&configured("a", "/").unwrap(), &records);
    }

    #[test]
    fn values_stand_in_directories_as_they_are() {
        for (fields, value, expected) in [
            ("s", r#"{"s":"def"}"#, "s=def"),
            ("s", r#"{"s":"test/with\\special:chars=and+spaces \u00e9"}"#, "s=test/with\\special:chars=and+spaces é"),
            ("s", r#"{"s":""}"#, "s="),
            ("i", r#"{"i":-12}"#, "i=-12"),
            ("b", r#"{"b":true}"#, "b=true"),
            ("s , i", r#"{"i":12,"s":"def"}"#, "s=def/i=12"),
            ("i,s", r#"{"i":12,"s":"def"}"#, "i=12/s=def"),
            ("user.address.city", r#"{"user":{"address":{"city":"NYC"}}}"#, "user.address.city=NYC"),
            ("user.address.city", r#"{"user":{"address":null}}"#, "user.address.city=null"),
            ("a,b", r#"{"a":null}"#, "a=null/b=null"),
        ] {
            assert_eq!(encoded(fields, value).unwrap(), expected, "{value}");
        }
        let mut with_delimiter = String::new();
        configured("a,b", "|").unwrap().encode_partition(&json(r#"{"a":1,"b":2}"#), 0, &mut with_delimiter).unwrap();
        assert_eq!(with_delimiter, "a=1|b=2");
    }

    #[test]
    fn what_makes_no_directory_is_a_partition_error() {
        for value in [r#"{"f":1.5}"#, r#"{"f":1e3}"#, r#"{"f":[]}"#, r#"{"f":{}}"#, "7", "[1]", "\"f\""] {
            let error = encoded("f", value).unwrap_err();
            assert_eq!(error.to_string(), "Error encoding partition.");
            assert_eq!(error.class(), "io.confluent.connect.storage.errors.PartitionException");
        }
    }

    #[test]
    fn names_of_fields_must_not_be_blank() {
        for fields in ["", " ", "a..b", ".a", "a.", "a. .b", "a,,b"] {
            assert!(configured(fields, "/").is_err(), "{fields:?}");
        }
        assert!(configured("field1,nested.field2", "/").is_ok());
    }
}
