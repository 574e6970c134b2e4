//! A transform of one's own: one file, and one line that registers it. `cargo run --example custom_transform`, or with brokers that are there:
//! `cargo run --example custom_transform -- localhost:9092`.
//!
//! It keeps of a member only its last characters, in values without a schema and in those with one, and drops records that have no such member.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows on a terminal what happens")]

#[path = "stand_ins/kafka.rs"]
#[allow(dead_code, reason = "the other examples need more of it")]
mod kafka;

use std::{error::Error as StdError, process::ExitCode, sync::Arc, time::Duration};

use connect_api::{
    Cursor, Error, Plugin, Plugins, Result, SinkRecord, Transformation,
    config::{Config, ConfigDef, ConfigKey},
    data::{Data, JsonObject, Value},
};
use connect_runtime::{Worker, config::WorkerConfig};
use kafka::Kafka;

// The transform: its name, its keys, and what it does to a record.

static FIELD: ConfigKey<String> = ConfigKey::required("field", "The member that is shortened.");
static KEEP: ConfigKey<i32> = ConfigKey::with_default("keep", "4", "How many characters stay.")
    .check(|keep| if *keep < 0 { Err("Value must be at least 0".to_owned()) } else { Ok(()) });

struct KeepLast {
    field: Arc<str>,
    keep: usize,
}

impl Plugin for KeepLast {
    const NAME: &'static str = "example.KeepLast";
    const DOCUMENTATION: &'static str = "Keeps of a text only its last characters, and drops records without it.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("KeepLast", &[&FIELD, &KEEP])
    }

    fn configure(config: &Config) -> Result<Self> {
        let keep = usize::try_from(config.get(&KEEP)?).unwrap_or_default();
        Ok(Self { field: config.get(&FIELD)?.into(), keep })
    }
}

impl Transformation for KeepLast {
    fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
        let Data { schema, value } = &mut record.value;
        match (schema, value) {
            // With a schema the values are in the order of its fields.
            (Some(schema), Value::Struct(values)) => {
                let at = schema.fields().and_then(|fields| fields.find(&self.field, 0));
                let Some(text) = at.and_then(|at| values.get_mut(at)) else { return Ok(None) };
                *text = self.shortened(text)?;
            }
            // Without one an object is text: members that nobody touches are neither decoded nor copied.
            (None, value) => {
                let object = match std::mem::take(value) {
                    Value::Json(json) => JsonObject::of(&json),
                    // A transform before this one has changed it.
                    Value::Object(object) => Some(*object),
                    _ => None,
                };
                let mut object = object.ok_or_else(|| Error::data("KeepLast takes objects alone"))?;
                let Some(at) = object.find(&self.field) else { return Ok(None) };
                object.set_at(at, self.shortened(&object.value(at))?);
                *value = Value::Object(Box::new(object));
            }
            (Some(_), _) => return Err(Error::data("KeepLast takes structs alone, in a value with a schema")),
        }
        Ok(Some(record))
    }
}

impl KeepLast {
    fn shortened(&self, value: &Value) -> Result<Value> {
        let Value::String(text) = value else {
            // Such a record fails: `errors.tolerance` says what becomes of it.
            return Err(Error::data(format!("{} is no text but {}", self.field, value.type_name())));
        };
        let gone = text.chars().count().saturating_sub(self.keep);
        Ok(Value::String("*".repeat(gone).chars().chain(text.chars().skip(gone)).collect::<String>().into()))
    }
}

/// The line that registers it, beside everything that comes along.
fn plugins() -> Plugins {
    connectors::plugins().transformation::<KeepLast>()
}

// What follows runs it, and looks at what lands.

const RECORDS: usize = 90;
const FLUSH_SIZE: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    match example(std::env::args().nth(1)).await {
        Ok(first) => {
            println!("{RECORDS} records, the first of them {first}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn example(bootstrap_servers: Option<String>) -> Result<String, Box<dyn StdError>> {
    let kafka = bootstrap_servers.map_or_else(Kafka::start, |given| Kafka::at(&given))?;
    let topic = format!("payments-{}", std::process::id());
    kafka.create_topic_anywhere(&topic).await?;
    for number in 0..RECORDS {
        kafka.produce(&topic, 0, &format!(r#"{{"card":"4711 0000 0000 {number:04}","amount":{number}.50}}"#))?;
        kafka.produce(&topic, 0, &format!(r#"{{"heartbeat":{number}}}"#))?;
    }
    kafka.flush()?;

    let worker: Config = [("bootstrap.servers", kafka.bootstrap_servers()), ("listeners", String::new())].into_iter().collect();
    let worker = WorkerConfig::try_from(&worker).map_err(Error::from)?;
    let worker = Worker::builder(worker).plugins(plugins()).start().await?;
    let connector = [
        ("name", topic.as_str()),
        ("connector.class", "io.confluent.connect.s3.S3SinkConnector"),
        ("topics", &topic),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("transforms", "card,source"),
        ("transforms.card.type", "example.KeepLast"),
        ("transforms.card.field", "card"),
        ("transforms.source.type", "org.apache.kafka.connect.transforms.InsertField$Value"),
        ("transforms.source.offset.field", "offset"),
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("flush.size", &FLUSH_SIZE.to_string()),
        ("storage.class", "memory"),
        ("store.url", "memory://payments"),
        ("s3.bucket.name", "payments"),
    ];
    worker.create_connector(connector.into_iter().collect()).await?;
    let lines = tokio::time::timeout(Duration::from_secs(30), lines()).await.map_err(|_| "not all records within 30 seconds")??;
    worker.stop().await;

    for (number, line) in lines.iter().enumerate() {
        let expected = format!(r#"{{"card":"***************{number:04}","amount":{number}.50,"offset":{}}}"#, number * 2);
        if *line != expected {
            return Err(format!("{line} is not {expected}").into());
        }
    }
    lines.into_iter().next().ok_or_else(|| "no records".into())
}

/// All lines, in their order, as soon as all are there.
async fn lines() -> Result<Vec<String>, Box<dyn StdError>> {
    let storage = connectors::memory_storage("payments");
    loop {
        let objects = storage.list("topics/", &Cursor::Start).await?.names;
        if objects.len() < RECORDS / FLUSH_SIZE {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let mut lines = Vec::new();
        for object in &objects {
            let content = storage.get(object, 0..u64::MAX).await?.ok_or("an object has gone")?;
            lines.extend(String::from_utf8(content.to_vec())?.lines().map(str::to_owned));
        }
        return Ok(lines);
    }
}
