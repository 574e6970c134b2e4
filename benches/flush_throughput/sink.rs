//! The measured process: a worker with one S3 sink, from its start until all objects are durable.

use std::time::Duration;

use connect_api::config::Config;
use connect_runtime::{Worker, config::WorkerConfig};
use tokio::time::{Instant, sleep};

use crate::{
    Result,
    arguments::Arguments,
    process::{Measurement, milliseconds_since_start, wall_clock},
};

/// What the sink may hold of records that are not yet durable.
pub(crate) const MEMORY_LIMIT: &str = "32M";

const DEADLINE: Duration = Duration::from_secs(120);

/// How often the sink is looked at: a look costs it a tenth of a millisecond.
const PERIOD: Duration = Duration::from_millis(10);

/// Until the first object, it is looked at more often.
const FIRST_PERIOD: Duration = Duration::from_millis(2);

/// Runs the sink once and prints what it took.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(arguments))?.print();
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Measurement> {
    let worker = WorkerConfig::try_from(&worker_config(arguments)?).map_err(connect_api::Error::from)?;
    let worker = Worker::builder(worker).plugins(connectors::plugins()).start().await?;
    worker.create_connector(connector_config(arguments)?).await?;

    let expected = arguments.number("objects")?;
    let (started, mut first_read, mut first_object) = (Instant::now(), None, None);
    loop {
        let metrics = worker.metrics().scrape();
        // Adopted: the store had taken the object, and its answer was late or lost.
        let objects = total(&metrics, "connect_sink_objects_total") + total(&metrics, "connect_sink_objects_adopted_total");
        if total(&metrics, "connect_records_read_total") > 0 {
            first_read.get_or_insert_with(Instant::now);
        }
        if objects > 0 && first_object.is_none() {
            first_object = Some(milliseconds_since_start(arguments)?);
        }
        if objects >= expected {
            break;
        }
        if started.elapsed() > DEADLINE {
            return Err(format!("{objects} of {expected} objects after {DEADLINE:?}").into());
        }
        sleep(if first_object.is_some() { PERIOD } else { FIRST_PERIOD }).await;
    }
    let elapsed = first_read.map(|first: Instant| first.elapsed()).unwrap_or_default();
    let mut measurement = Measurement::of_process(elapsed)?;
    measurement.first_object = first_object.unwrap_or_default();
    worker.stop().await;
    Ok(measurement)
}

fn worker_config(arguments: &Arguments) -> Result<Config> {
    let keys = [
        ("bootstrap.servers", arguments.text("bootstrap")?),
        ("listeners", ""),
        ("memory.limit", MEMORY_LIMIT),
        // How long the mock cluster waits for the other tasks, where they do not join at once.
        ("consumer.session.timeout.ms", "6000"),
    ];
    Ok(keys.into_iter().collect())
}

/// The settings of the MSK Connect file, but for what is measured. The name is new each time: a group without offsets.
fn connector_config(arguments: &Arguments) -> Result<Config> {
    let name = format!("flush-throughput-{}", wall_clock());
    let partitions = arguments.text("partitions")?;
    let mut keys = vec![
        ("name", name.as_str()),
        ("connector.class", "io.confluent.connect.s3.S3SinkConnector"),
        ("tasks.max", partitions),
        ("topics", arguments.text("topic")?),
        ("flush.size", arguments.text("flush-size")?),
        ("schema.compatibility", "NONE"),
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("partitioner.class", "io.confluent.connect.storage.partitioner.DefaultPartitioner"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("s3.bucket.name", "flush-throughput"),
    ];
    match arguments.get("store") {
        None => keys.push(("storage.class", "names")),
        Some(url) => keys.extend([
            ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
            ("s3.region", "us-east-1"),
            ("store.url", url),
            ("aws.access.key.id", "FLUSHTHROUGHPUT"),
            ("aws.secret.access.key", "flush-throughput"),
        ]),
    }
    Ok(keys.into_iter().collect())
}

/// The sum over all series of a metric.
fn total(metrics: &str, name: &str) -> u64 {
    let series = metrics.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
