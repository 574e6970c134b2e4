//! Records as the vectors have them: keys and values as envelopes of `schema` and `payload`.

use std::sync::Arc;

use bytes::Bytes;
use connect_api::{
    ConsumerRecord, ConsumerRecords, Converter as _, Header, Origin, Plugin as _, SinkRecord, TopicPartition,
    config::Config,
    data::{Data, Value},
};
use serde_json::{Value as Json, json};

use crate::converter::JsonConverter;

/// The data of an envelope; of one without a schema, schemaless JSON.
pub(in crate::transform::tests) fn data(envelope: &Json) -> Data {
    let has_schema = !envelope["schema"].is_null();
    let message = if has_schema { envelope } else { &envelope["payload"] };
    let config: Config = [("schemas.enable", if has_schema { "true" } else { "false" }), ("replace.null.with.default", "false")]
        .into_iter()
        .collect();
    let bytes = Bytes::from(message.to_string());
    JsonConverter::configure(&config).unwrap().to_connect_data("t", &[], Some(&bytes)).unwrap()
}

/// A record of the vectors.
pub(crate) fn record(line: &Json, offset: i64) -> SinkRecord {
    let timestamp = line["timestamp"].as_i64().unwrap_or(-1);
    let consumed = ConsumerRecord { offset, timestamp, ..ConsumerRecord::default() };
    let partition = i32::try_from(line["partition"].as_i64().unwrap_or_default()).unwrap();
    let topic_partition = TopicPartition { topic: line["topic"].as_str().unwrap_or("t").into(), partition };
    let batch = Arc::new(ConsumerRecords { topic_partition, records: vec![consumed] });
    let headers = line["headers"].as_array().map_or(&[][..], |headers| headers);
    let header = |header: &Json| Header { key: header["name"].as_str().unwrap().into(), value: data(&header["value"]) };
    SinkRecord::new(Origin::new(batch, 0), data(&line["key"]), data(&line["value"]), headers.iter().map(header).collect())
}

/// A value without a schema as JSON; objects without an order.
pub(in crate::transform::tests) fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Json(text) => serde_json::from_slice(text.as_bytes()).unwrap(),
        Value::Object(object) => serde_json::from_slice(object.to_text().unwrap().as_bytes()).unwrap(),
        Value::Boolean(value) => json!(value),
        Value::Int8(value) => json!(value),
        Value::Int16(value) => json!(value),
        Value::Int32(value) => json!(value),
        Value::Int64(value) | Value::Timestamp(value) => json!(value),
        Value::Float32(value) => json!(value),
        Value::Float64(value) => json!(value),
        Value::String(text) => json!(&**text),
        Value::Array(values) => values.iter().map(plain).collect(),
        other => panic!("{other:?} is no JSON"),
    }
}

/// Whether both say the same: with schemas they are equal, without they have equal JSON.
pub(in crate::transform::tests) fn is_same(left: &Data, right: &Data) -> bool {
    match (&left.schema, &right.schema) {
        (None, None) => plain(&left.value) == plain(&right.value),
        (Some(left_schema), Some(right_schema)) => left_schema == right_schema && left.value == right.value,
        _ => false,
    }
}
