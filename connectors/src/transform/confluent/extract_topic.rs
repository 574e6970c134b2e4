//! Topics that stand in the record.

use std::sync::Arc;

use connect_api::{
    Error, Plugin, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, Value},
};

use crate::{
    json_path::{Failure, JsonPath},
    transform::{
        operand::{OperandTransformation, classes, decoded, field_value, fields, object},
        topic_format::LastTopic,
    },
};

static FIELD: ConfigKey<String> =
    ConfigKey::with_default("field", "", "The field with the topic; empty for the whole, which is a text then.");
static HEADER: ConfigKey<String> = ConfigKey::required("field", "The name of the header with the topic.")
    .check(|name| if name.is_empty() { Err("String must be non-empty".to_owned()) } else { Ok(()) });
static FIELD_FORMAT: ConfigKey<String> = ConfigKey::with_default(
    "field.format",
    "PLAIN",
    "How the field is named. PLAIN: by its name; JSON_PATH: by a path such as `$['a'].b` that leads to one value.",
)
.one_of_any_case(&["PLAIN", "JSON_PATH", ""]);
static HEADER_FORMAT: ConfigKey<String> =
    ConfigKey::with_default("field.format", "PLAIN", "Headers have no fields: only PLAIN, the whole value.")
        .one_of_any_case(&["PLAIN", ""]);
static SKIP_MISSING_OR_NULL: ConfigKey<bool> = ConfigKey::with_default(
    "skip.missing.or.null",
    "false",
    "Whether a record without the field, or where it is null, keeps its topic; else it fails.",
);

const PURPOSE: &str = "topic extraction";

/// Gives records the topic that stands in them.
pub(crate) struct ExtractTopic {
    field: Place,
    skips: bool,
    last: LastTopic,
}

/// Where the topic stands.
enum Place {
    Whole,
    Field(String),
    Path(JsonPath),
}

impl OperandTransformation for ExtractTopic {
    classes!("io.confluent.connect.transforms.", "ExtractTopic");
    const DOCUMENTATION: &'static str = "Replaces the topic by a text of the record.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ExtractTopic", &[&FIELD, &FIELD_FORMAT, &SKIP_MISSING_OR_NULL])
    }

    fn configure(config: &Config) -> Result<Self> {
        let field = config.get(&FIELD)?;
        let is_path = config.get(&FIELD_FORMAT)?.eq_ignore_ascii_case("JSON_PATH");
        let field = match is_path {
            _ if field.is_empty() => Place::Whole,
            false => Place::Field(field),
            true => {
                let path = JsonPath::new(&field).map_err(|reason| Error::config(format!("`field` is no path: {reason}")))?;
                if !path.is_definite() {
                    let message = format!(
                        "`field` must lead to one value: {field} may lead to several (no `*`, `..`, `[?(…)]`, lists or slices)"
                    );
                    return Err(Error::config(message));
                }
                Place::Path(path)
            }
        };
        Ok(Self { field, skips: config.get(&SKIP_MISSING_OR_NULL)?, last: LastTopic::default() })
    }

    fn apply(&self, operand: Data, record: &mut SinkRecord) -> Result<Data> {
        let (operand, topic) = match &self.field {
            Place::Whole => {
                let topic = decoded(operand.value.clone());
                (operand, topic)
            }
            Place::Path(path) => {
                let topic = match path.value(&operand) {
                    Err(Failure::Missing) => Value::Null,
                    other => other
                        .map_err(|failure| Error::data(format!("the topic cannot be found at {}: {failure}", path.as_str())))?,
                };
                (operand, topic)
            }
            Place::Field(_) if self.skips && matches!(operand.value, Value::Null) => (operand, Value::Null),
            Place::Field(name) => field(operand, name)?,
        };
        topic_of(record, &topic, self.skips, &self.last, || match &self.field {
            Place::Whole => "the whole".to_owned(),
            Place::Field(name) => format!("the field {name}"),
            Place::Path(path) => format!("the field {}", path.as_str()),
        })?;
        Ok(operand)
    }
}

/// The operand, and a field of it; null where it has none.
fn field(operand: Data, name: &str) -> Result<(Data, Value)> {
    let Some(schema) = operand.schema else {
        let object = object(operand.value, PURPOSE)?;
        let topic = object.get(name).unwrap_or_default();
        return Ok((Data::schemaless(Value::Object(object)), topic));
    };
    let (fields, values) = fields(&schema, operand.value, PURPOSE)?;
    let topic = fields.find(name, 0).map(|at| field_value(&fields[at], values.get(at).cloned().unwrap_or_default(), true));
    let topic = topic.unwrap_or_default();
    Ok((Data::with_schema(Arc::clone(&schema), Value::Struct(values)), topic))
}

/// Gives the record the topic. `place`: what is said of where it was looked for.
fn topic_of(record: &mut SinkRecord, topic: &Value, skips: bool, last: &LastTopic, place: impl Fn() -> String) -> Result<()> {
    let problem = match topic {
        Value::String(topic) if !topic.is_empty() => {
            record.topic = last.of(topic);
            return Ok(());
        }
        // An empty text is no topic, either.
        Value::String(_) | Value::Null if skips => return Ok(()),
        Value::String(_) => "is an empty text, which is no topic".to_owned(),
        Value::Null => "is missing or null, and `skip.missing.or.null` is false".to_owned(),
        other => format!("is no text but {}", other.type_name()),
    };
    Err(Error::data(format!("the topic cannot be taken of the record: {} {problem}", place())))
}

/// Gives records the topic that stands in a header, the last one with the name.
pub(crate) struct ExtractTopicOfHeader {
    header: String,
    skips: bool,
    last: LastTopic,
}

impl Plugin for ExtractTopicOfHeader {
    const NAME: &'static str = "io.confluent.connect.transforms.ExtractTopic$Header";
    const DOCUMENTATION: &'static str = "Replaces the topic by the text of a header.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("ExtractTopic", &[&HEADER, &HEADER_FORMAT, &SKIP_MISSING_OR_NULL])
    }

    fn configure(config: &Config) -> Result<Self> {
        Ok(Self { header: config.get(&HEADER)?, skips: config.get(&SKIP_MISSING_OR_NULL)?, last: LastTopic::default() })
    }
}

impl Transformation for ExtractTopicOfHeader {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        let header = record.headers.iter().rev().find(|header| *header.key == *self.header);
        let topic = header.map(|header| decoded(header.value.value.clone())).unwrap_or_default();
        topic_of(&mut record, &topic, self.skips, &self.last, || format!("the header {}", self.header))?;
        Ok(Some(record))
    }
}
