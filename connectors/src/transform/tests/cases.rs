//! Cases of the specification (12.10 and 12.11), beyond those that the vectors have.

mod cast;
mod fields;
mod others;
mod times;

use std::sync::Arc;

use connect_api::{
    Error, Result, SinkRecord,
    config::Config,
    data::{Data, Decimal, LogicalType, Schema, SchemaType, Value},
    plugins,
    testing::record_with,
};
use serde_json::{Value as Json, json};

use super::record::{data, plain, record};
use crate::transform::schemas::{of_time, of_type};

const DAY: i64 = 86_400_000;

/// The class for values, where it exists for keys as well.
fn class(name: &str) -> String {
    let one = ["DropHeaders", "Filter", "InsertHeader", "RegexRouter", "TimestampRouter", "ValueToKey"];
    let variant = if one.contains(&name) || name.contains('$') { "" } else { "$Value" };
    format!("org.apache.kafka.connect.transforms.{name}{variant}")
}

fn applied(name: &str, config: &[(&str, &str)], record: SinkRecord) -> Result<SinkRecord> {
    let (all, config): (_, Config) = (crate::plugins(), config.iter().copied().collect());
    let entry = plugins::find(all.transformations(), &class(name)).unwrap();
    let problems = (entry.config_def)().validate(&config);
    if !problems.is_empty() {
        return Err(Error::from(problems));
    }
    let mut record = entry.configure(&config)?.apply(record)?.expect("the record is not dropped");
    record.settle()?;
    Ok(record)
}

fn is_refused(name: &str, config: &[(&str, &str)]) -> bool {
    let refused = applied(name, config, of(Data::default()));
    refused.is_err_and(|error| error.kind() == connect_api::ErrorKind::Config)
}

fn of(value: Data) -> SinkRecord {
    record_with(Data::default(), value, &[])
}

/// Schemaless JSON.
fn object(value: &Json) -> Data {
    data(&json!({ "schema": null, "payload": value }))
}

fn typed(schema: &Json, payload: &Json) -> Data {
    data(&json!({ "schema": schema, "payload": payload }))
}

fn structure(fields: &[(&str, Json)], payload: &Json) -> Data {
    let field = |(name, schema): &(&str, Json)| {
        let mut schema = schema.clone();
        schema["field"] = json!(name);
        schema
    };
    typed(&json!({ "type": "struct", "fields": fields.iter().map(field).collect::<Vec<_>>() }), payload)
}

fn value(name: &str, config: &[(&str, &str)], value: Data) -> Result<Data> {
    applied(name, config, of(value)).map(|record| record.value)
}

/// The only field of a struct, after a transform.
fn field(name: &str, config: &[(&str, &str)], schema: Json, payload: &Json) -> (Schema, Value) {
    let data = value(name, config, structure(&[("magic", schema)], &json!({ "magic": payload }))).unwrap();
    let schema = data.schema.unwrap();
    let Value::Struct(mut values) = data.value else { panic!("{:?}", data.value) };
    (Schema::clone(&schema.fields().unwrap()[0].schema), values.remove(0))
}

fn typed_schema(schema: &Json) -> Arc<Schema> {
    typed(schema, &json!(null)).schema.unwrap_or_else(|| panic!("{schema} has no optional value"))
}
