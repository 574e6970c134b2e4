//! Transforms by the names of their classes, on records that are written as JSON.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    Error, SinkRecord, Transformation,
    config::Config,
    data::{Data, Field, Fields, JsonText, Schema, SchemaType, Value},
    plugins,
    testing::record_with,
};
use serde_json::Value as Json;

fn try_configure(class: &str, config: &[(&str, &str)]) -> Result<Arc<dyn Transformation>, Error> {
    let config: Config = config.iter().copied().collect();
    let all = crate::plugins();
    let entry = plugins::find(all.transformations(), class)?;
    (entry.config_def)().validate(&config).into_result()?;
    entry.configure(&config)
}

/// The transform that a file names.
pub(in crate::transform) fn configured(class: &str, config: &[(&str, &str)]) -> Arc<dyn Transformation> {
    try_configure(class, config).unwrap_or_else(|error| panic!("{class}: {}", error.report()))
}

/// Why a configuration is refused.
pub(in crate::transform) fn refusal(class: &str, config: &[(&str, &str)]) -> String {
    match try_configure(class, config) {
        Ok(_) => panic!("{class} takes {config:?}"),
        Err(error) => error.report(),
    }
}

/// What becomes of a record; `None` where it is dropped.
pub(in crate::transform) fn applied(class: &str, config: &[(&str, &str)], record: SinkRecord) -> Option<SinkRecord> {
    configured(class, config).apply(record).unwrap_or_else(|error| panic!("{class}: {}", error.report()))
}

/// A value without a schema.
#[allow(clippy::needless_pass_by_value, reason = "like `with_schema`, in whose place it stands")]
pub(in crate::transform) fn json_value(json: Json) -> Data {
    let text = JsonText::parse(&Bytes::from(json.to_string())).unwrap();
    Data::schemaless(text.map_or(Value::Null, Value::Json))
}

/// A value with a schema that follows from it; objects are structs with the name `row`. Nothing in them is optional but what is null.
pub(in crate::transform) fn with_schema(json: Json) -> Data {
    let scalar = |schema_type, value| Data::with_schema(Arc::new(Schema::required(schema_type)), value);
    match json {
        Json::Null => Data::with_schema(Schema::optional(SchemaType::String), Value::Null),
        Json::Bool(value) => scalar(SchemaType::Boolean, Value::Boolean(value)),
        Json::Number(number) => scalar(SchemaType::Int64, Value::Int64(number.as_i64().unwrap())),
        Json::String(text) => scalar(SchemaType::String, Value::String(text.into())),
        Json::Array(_) => panic!("no test needs it"),
        Json::Object(members) => {
            let parts: Vec<_> = members.into_iter().map(|(name, json)| (name, with_schema(json))).collect();
            let field = |(name, data): &(String, Data)| Field { name: name.as_str().into(), schema: data.schema.clone().unwrap() };
            let fields = Fields::new(parts.iter().map(field).collect()).unwrap();
            let schema = Schema::required(SchemaType::Struct(fields)).named("row");
            Data::with_schema(Arc::new(schema), Value::Struct(parts.into_iter().map(|(_, data)| data.value).collect()))
        }
    }
}

/// A record of `topic-3` at offset 42, with a key without a schema.
pub(in crate::transform) fn record_of(key: Json, value: Data) -> SinkRecord {
    record_with(json_value(key), value, &[])
}
