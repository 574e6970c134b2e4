//! Fields with what is known of a record, or with a fixed text.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use connect_api::{
    Error, Result, SinkRecord,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey},
    data::{Data, Field, Fields, LogicalType, Schema, SchemaType, Text, Value},
};

use super::{
    operand::{OperandTransformation, REPLACE_NULL_WITH_DEFAULT, classes, field_value, fields, object},
    schemas::{Derived, of_time, of_type, with_fields},
};

macro_rules! field_key {
    ($key:ident, $name:literal, $what:literal) => {
        static $key: ConfigKey<String> = ConfigKey::optional(
            $name,
            concat!("The field for ", $what, ". With `!` at its end it is required, with `?` or nothing it is optional."),
        );
    };
}

field_key!(TOPIC_FIELD, "topic.field", "the topic");
field_key!(PARTITION_FIELD, "partition.field", "the partition");
field_key!(OFFSET_FIELD, "offset.field", "the offset");
field_key!(TIMESTAMP_FIELD, "timestamp.field", "the timestamp");
field_key!(STATIC_FIELD, "static.field", "the text of `static.value`");
static STATIC_VALUE: ConfigKey<String> = ConfigKey::optional("static.value", "The text in `static.field`.");

const PURPOSE: &str = "field insertion";

/// Adds fields.
pub(crate) struct InsertField {
    insertions: Vec<Insertion>,
    replaces_null: bool,
    schemas: Derived<Arc<Schema>>,
}

struct Insertion {
    name: Arc<str>,
    schema: Arc<Schema>,
    what: What,
}

enum What {
    /// With the text of the last topic, which records of a batch share.
    Topic(ArcSwapOption<(Arc<str>, Text)>),
    Partition,
    Offset,
    Timestamp,
    Static(Text),
}

impl What {
    /// What the record has; `None` where it has nothing.
    fn of(&self, record: &SinkRecord, has_schema: bool) -> Option<Value> {
        Some(match self {
            Self::Topic(last) => Value::String(topic(last, &record.topic)),
            Self::Partition => Value::Int32(record.partition),
            Self::Offset => Value::Int64(record.offset()),
            Self::Timestamp if has_schema => Value::Timestamp(record.timestamp?),
            Self::Timestamp => Value::Int64(record.timestamp?),
            Self::Static(text) => Value::String(text.clone()),
        })
    }

    fn schema(&self, optional: bool) -> Schema {
        match self {
            Self::Topic(_) | Self::Static(_) => of_type(SchemaType::String, optional),
            Self::Partition => of_type(SchemaType::Int32, optional),
            Self::Offset => of_type(SchemaType::Int64, optional),
            Self::Timestamp => of_time(LogicalType::Timestamp, optional),
        }
    }
}

impl OperandTransformation for InsertField {
    classes!("InsertField");
    const DOCUMENTATION: &'static str =
        "Adds fields with the record's topic, partition, offset and timestamp, or with a fixed text.";

    fn config_def() -> ConfigDef {
        ConfigDef::new(
            "InsertField",
            &[
                &TOPIC_FIELD,
                &PARTITION_FIELD,
                &OFFSET_FIELD,
                &TIMESTAMP_FIELD,
                &STATIC_FIELD,
                &STATIC_VALUE,
                &REPLACE_NULL_WITH_DEFAULT,
            ],
        )
    }

    fn configure(config: &Config) -> Result<Self> {
        let mut insertions = Vec::new();
        let keys = [&TOPIC_FIELD, &PARTITION_FIELD, &OFFSET_FIELD, &TIMESTAMP_FIELD, &STATIC_FIELD];
        for (key, what) in
            keys.into_iter().zip([What::Topic(ArcSwapOption::empty()), What::Partition, What::Offset, What::Timestamp])
        {
            insertions.extend(config.find(key)?.map(|field| insertion(&field, what)));
        }
        if let Some(field) = config.find(&STATIC_FIELD)? {
            let text = config.find(&STATIC_VALUE)?.ok_or_else(|| {
                Error::config(format!(
                    "Invalid value null for configuration static.value: No value specified for static field: {field}"
                ))
            })?;
            insertions.push(insertion(&field, What::Static(Text::from(text))));
        }
        if insertions.is_empty() {
            let keys = keys.map(AnyConfigKey::name).join(", ");
            return Err(Error::config(format!("No field insertion configured: set one or several of {keys}")));
        }
        Ok(Self { insertions, replaces_null: config.get(&REPLACE_NULL_WITH_DEFAULT)?, schemas: Derived::default() })
    }

    fn apply(&self, operand: Data, record: &mut SinkRecord) -> Result<Data> {
        if matches!(operand.value, Value::Null) {
            return Ok(operand);
        }
        let Some(schema) = operand.schema else {
            let mut object = object(operand.value, PURPOSE)?;
            for Insertion { name, what, .. } in &self.insertions {
                if let Some(value) = what.of(record, false) {
                    object.set(name, value);
                }
            }
            return Ok(Data::schemaless(Value::Object(object)));
        };
        let (fields, mut values) = fields(&schema, operand.value, PURPOSE)?;
        let inserted = self.schemas.get(&schema, || self.schema(&schema, fields).map(Arc::new))?;
        if self.replaces_null {
            for (field, value) in fields.iter().zip(&mut values) {
                *value = field_value(field, std::mem::take(value), true);
            }
        }
        for Insertion { name, schema, what } in &self.insertions {
            let value = what.of(record, true).unwrap_or_default();
            if matches!(value, Value::Null) && !schema.optional {
                return Err(null_in_required(name, schema));
            }
            values.push(value);
        }
        Ok(Data::with_schema(Arc::clone(&inserted), Value::Struct(values)))
    }
}

impl InsertField {
    fn schema(&self, schema: &Schema, fields: &Fields) -> Result<Schema> {
        let inserted = |insertion: &Insertion| Field { name: Arc::clone(&insertion.name), schema: Arc::clone(&insertion.schema) };
        with_fields(schema, fields.iter().cloned().chain(self.insertions.iter().map(inserted)).collect())
    }
}

fn topic(last: &ArcSwapOption<(Arc<str>, Text)>, topic: &Arc<str>) -> Text {
    match &*last.load() {
        Some(last) if Arc::ptr_eq(&last.0, topic) => last.1.clone(),
        _ => {
            let text = Text::from(topic.to_string());
            last.store(Some(Arc::new((Arc::clone(topic), text.clone()))));
            text
        }
    }
}

fn null_in_required(name: &str, schema: &Schema) -> Error {
    let schema_type = schema.schema_type.name();
    Error::data(format!("Invalid value: null used for required field: \"{name}\", schema type: {schema_type}"))
}

fn insertion(field: &str, what: What) -> Insertion {
    let (name, optional) = match (field.strip_suffix('!'), field.strip_suffix('?')) {
        (Some(name), _) => (name, false),
        (None, Some(name)) => (name, true),
        (None, None) => (field, true),
    };
    Insertion { name: name.into(), schema: Arc::new(what.schema(optional)), what }
}
