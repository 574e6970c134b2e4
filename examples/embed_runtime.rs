//! The runtime inside a program of one's own: `cargo run --example embed_runtime`.
//!
//! Nothing global, no signal handler, no environment: a [`Worker`] is built, is given connectors, and is stopped.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows on a terminal what happens")]

#[path = "stand_ins/kafka.rs"]
#[allow(dead_code, reason = "the other examples need more of it")]
mod kafka;

use std::{error::Error, process::ExitCode, time::Duration};

use connect_api::{Cursor, config::Config};
use connect_runtime::{Worker, config::WorkerConfig};
use kafka::Kafka;

const RECORDS: usize = 100;
const FLUSH_SIZE: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    match embed().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn embed() -> Result<(), Box<dyn Error>> {
    let kafka = Kafka::start()?;
    kafka.create_topic("readings", 1)?;
    for number in 0..RECORDS {
        kafka.produce("readings", 0, &format!(r#"{{"sensor":"s{}","celsius":{number}.5}}"#, number % 3))?;
    }
    kafka.flush()?;

    // The worker: the same keys as in a worker.properties.
    let worker: Config =
        [("bootstrap.servers", kafka.bootstrap_servers()), ("listeners", "http://127.0.0.1:0".to_owned())].into_iter().collect();
    let worker = WorkerConfig::try_from(&worker).map_err(connect_api::Error::from)?;
    let worker = Worker::builder(worker).plugins(connectors::plugins()).start().await?;
    println!("metrics at http://{}/metrics", worker.rest_address().ok_or("no listener")?);

    // A connector: the same keys as in its file. Mistakes are all named in the error.
    let connector = [
        ("name", "readings"),
        ("connector.class", "io.confluent.connect.s3.S3SinkConnector"),
        ("topics", "readings"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("flush.size", &FLUSH_SIZE.to_string()),
        ("storage.class", "memory"),
        ("store.url", "memory://readings"),
        ("s3.bucket.name", "readings"),
    ];
    worker.create_connector(connector.into_iter().collect()).await?;

    let storage = connectors::memory_storage("readings");
    let all = async {
        loop {
            let objects = storage.list("topics/", &Cursor::Start).await?.names;
            if objects.len() == RECORDS / FLUSH_SIZE {
                return Ok::<_, Box<dyn Error>>(objects);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let objects = tokio::time::timeout(Duration::from_secs(30), all).await.map_err(|_| "no objects within 30 seconds")??;

    // A graceful stop commits what is durable.
    worker.stop().await;
    let mut lines = 0;
    for object in &objects {
        let content = storage.get(object, 0..u64::MAX).await?.ok_or("an object has gone")?;
        lines += content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    }
    println!("{} objects with {lines} records, the first of them {}", objects.len(), objects[0]);
    if lines == RECORDS { Ok(()) } else { Err(format!("{lines} of {RECORDS} records").into()) }
}
