//! A sink of one's own: about fifty lines, and one line that registers it. `cargo run --example custom_connector`.
//!
//! It appends the value of every record as a line to a file per partition. The length of the file is committed beside the offset;
//! whoever opens the partition next cuts the file back to it. So every record is there exactly once, however often it is read.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows on a terminal what happens")]

#[path = "stand_ins/kafka.rs"]
#[allow(dead_code, reason = "the other examples need more of it")]
mod kafka;

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use connect_api::{
    CommitReason, Error, OffsetAndMetadata, Offsets, Plugin, Plugins, Result, SinkConnector, SinkRecord, SinkTask, SinkTaskContext,
    TopicPartition, async_trait,
    config::{Config, ConfigDef, ConfigKey},
    data::Value,
};
use connect_runtime::{Worker, config::WorkerConfig};
use kafka::Kafka;

// The connector: its name, its keys, and how a task is made.

static DIRECTORY: ConfigKey<String> = ConfigKey::required("directory", "Where the files are.");

struct LineSinkConnector;

impl Plugin for LineSinkConnector {
    const NAME: &'static str = "example.LineSinkConnector";
    const DOCUMENTATION: &'static str = "Appends the value of each record as a line to a file per partition.";

    fn config_def() -> ConfigDef {
        ConfigDef::new("Line sink", &[&DIRECTORY])
    }

    fn configure(_config: &Config) -> Result<Self> {
        Ok(Self)
    }
}

impl SinkConnector for LineSinkConnector {
    fn task(&self, config: &Config, _plugins: &Plugins) -> Result<Box<dyn SinkTask>> {
        Ok(Box::new(LineSinkTask { directory: config.get(&DIRECTORY)?.into(), files: BTreeMap::new() }))
    }
}

// The task: what is written, and what of it is durable.

struct LineSinkTask {
    directory: PathBuf,
    files: BTreeMap<TopicPartition, File>,
}

#[async_trait]
impl SinkTask for LineSinkTask {
    async fn start(&mut self, _context: SinkTaskContext) -> Result<()> {
        fs::create_dir_all(&self.directory).map_err(failed)
    }

    async fn open(&mut self, partitions: &Offsets) -> Result<()> {
        for (partition, committed) in partitions {
            let path = self.directory.join(partition.to_string());
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
            file.set_len(committed.metadata.parse().unwrap_or(0)).map_err(failed)?;
            file.seek(SeekFrom::End(0)).map_err(failed)?;
            self.files.insert(partition.clone(), file);
        }
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        for run in records.chunk_by(|a, b| a.origin().topic_partition() == b.origin().topic_partition()) {
            let lines: String = run.iter().map(line).collect::<Result<_>>()?;
            let Some(mut file) = self.files.get(run[0].origin().topic_partition()) else { continue };
            file.write_all(lines.as_bytes()).map_err(failed)?;
        }
        Ok(())
    }

    async fn pre_commit(&mut self, delivered: &Offsets, _reason: CommitReason) -> Result<Offsets> {
        let durable = self.files.iter().filter_map(|(partition, file)| {
            let offset = delivered.get(partition)?.offset;
            let length = file.sync_data().and_then(|()| file.metadata()).map_err(failed).map(|metadata| metadata.len());
            Some(length.map(|length| (partition.clone(), OffsetAndMetadata::new(offset, length.to_string()))))
        });
        durable.collect()
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.files.retain(|partition, _| !partitions.contains(partition));
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        Ok(())
    }
}

fn line(record: &SinkRecord) -> Result<String> {
    match &record.value.value {
        Value::String(text) => Ok(format!("{}\n", &**text)),
        other => Err(Error::data(format!("expected text and found {}", other.type_name()))),
    }
}

/// The task ends and is started again at the last commit: what a failed write left behind is cut off there.
fn failed(cause: std::io::Error) -> Error {
    Error::fatal("the file cannot be written").with_source(cause)
}

/// The line that registers it, beside everything that comes along.
fn plugins() -> Plugins {
    connectors::plugins().sink_connector::<LineSinkConnector>()
}

// What follows runs it twice against the mock cluster and counts.

const TOPIC: &str = "lines";
const PARTITIONS: i32 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    match example().await {
        Ok(lines) => {
            println!("{lines} records, each in its file exactly once");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn example() -> Result<usize, Box<dyn StdError>> {
    let directory = std::env::temp_dir().join(format!("connect-custom-connector-{}", std::process::id()));
    let kafka = Kafka::start()?;
    kafka.create_topic(TOPIC, PARTITIONS)?;
    for offsets in [0..500, 500..1000] {
        for offset in offsets.clone() {
            for partition in 0..PARTITIONS {
                kafka.produce(TOPIC, partition, &format!("record {offset} of partition {partition}"))?;
            }
        }
        kafka.flush()?;
        run_until(&kafka, &directory, offsets.end).await?;
    }
    let lines = verify(&directory);
    fs::remove_dir_all(&directory)?;
    lines
}

/// A worker's whole life, until so many records of each partition have been written.
async fn run_until(kafka: &Kafka, directory: &Path, records: usize) -> Result<(), Box<dyn StdError>> {
    let bootstrap = kafka.bootstrap_servers();
    // The mock cluster makes the second worker wait for nearly the session timeout of the first.
    let worker = [("bootstrap.servers", bootstrap.as_str()), ("listeners", ""), ("consumer.session.timeout.ms", "6000")];
    let worker = WorkerConfig::try_from(&worker.into_iter().collect::<Config>()).map_err(Error::from)?;
    let worker = Worker::builder(worker).plugins(plugins()).start().await?;
    let connector = [
        ("name", "lines"),
        ("connector.class", "LineSink"),
        ("topics", TOPIC),
        ("tasks.max", "2"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("directory", &directory.to_string_lossy()),
    ];
    worker.create_connector(connector.into_iter().collect()).await?;

    let complete = async {
        while (0..PARTITIONS).any(|partition| lines(directory, partition).len() < records) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), complete).await;
    worker.stop().await;
    Ok(in_time.map_err(|_| "not all records were written within 30 seconds")?)
}

fn lines(directory: &Path, partition: i32) -> Vec<String> {
    let text = fs::read_to_string(directory.join(format!("{TOPIC}-{partition}"))).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn verify(directory: &Path) -> Result<usize, Box<dyn StdError>> {
    let mut count = 0;
    for partition in 0..PARTITIONS {
        let expected: Vec<_> = (0..1000).map(|offset| format!("record {offset} of partition {partition}")).collect();
        if lines(directory, partition) != expected {
            return Err(format!("the file of partition {partition} does not hold its records once and in order").into());
        }
        count += expected.len();
    }
    Ok(count)
}
