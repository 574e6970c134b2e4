//! The connector file of MSK Connect, run with nothing but this machine: `cargo run --release --example quickstart`.
//!
//! Kafka is librdkafka's mock cluster and S3 a server over a directory, both inside this process. The connector file is
//! `configs/msk-s3-sink.properties` with its two placeholders filled in; where S3 is and who we are is said beside it, as on AWS.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows on a terminal what happens")]

mod pinterest;
mod stand_ins;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use connect_api::config::{Config, Origin};
use connect_runtime::{
    Worker,
    config::{WorkerConfig, read_connector},
};
use pinterest::{Dataset, Emulator, TABLES};
use stand_ins::{Kafka, S3};
use tokio::time::{Instant, sleep};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const NAME: &str = "msk-s3-sink";
const TOPIC_ROOT: &str = "126ca3664fbb";
const BUCKET: &str = "user-126ca3664fbb-bucket";
const PARTITIONS: usize = 3;
const ROWS: usize = 1_000;
const DEADLINE: Duration = Duration::from_secs(60);

/// Topic and partition, and the values in the order of their offsets.
type Topics = BTreeMap<(String, i32), Vec<String>>;

#[tokio::main]
async fn main() -> ExitCode {
    match quickstart().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe quickstart failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn quickstart() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(HERE).join("target/quickstart");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(directory.join("s3"))?;

    let kafka = Kafka::start()?;
    let s3 = S3::start(&directory.join("s3"))?;
    let bucket = s3.create_bucket(BUCKET)?;
    println!("Kafka      {} (librdkafka's mock cluster)", kafka.bootstrap_servers());
    println!("S3         {} (a server over {})", s3.url(), directory.join("s3").display());

    let topics = produce(&kafka)?;
    let records: usize = topics.values().map(Vec::len).sum();
    println!("Records    {records} in the topics {}, {PARTITIONS} partitions each", names(&topics).join(", "));

    let worker = Worker::builder(worker_config(&kafka)?).plugins(connectors::plugins()).start().await?;
    let connector = connector_config(&directory, &s3)?;
    println!("Connector  configs/msk-s3-sink.properties with <TOPIC_ROOT>={TOPIC_ROOT} and <BUCKET_NAME>={BUCKET}");
    if let Some(address) = worker.rest_address() {
        println!("Metrics    http://{address}/metrics\n");
    }
    worker.create_connector(connector).await?;
    wait_for_objects(&worker, records).await?;
    wait_for_offsets(&kafka, &topics).await?;

    let metrics = worker.metrics().scrape();
    worker.stop().await;
    show_bucket(&bucket, &topics)?;
    show_metrics(&metrics);
    verify(&bucket, &topics)?;
    verify_offsets(&kafka, &topics)?;
    println!(
        "\nEvery one of the {records} records is in the bucket exactly once, and the group's offsets are at the end of the topics."
    );
    show_next_step(&bucket);
    Ok(())
}

/// Waits until a commit has covered every record. A stop commits what is left, but not while the mock cluster's group rebalances because
/// another task has left it: then the next start would go on from the commit before.
async fn wait_for_offsets(kafka: &Kafka, topics: &Topics) -> Result<(), Box<dyn Error>> {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match verify_offsets(kafka, topics) {
            Err(_behind) if Instant::now() < patience => sleep(Duration::from_millis(200)).await,
            verified => return verified,
        }
    }
}

/// Posts rows as the emulator of the pipeline does, to the three topics in turn.
fn produce(kafka: &Kafka) -> Result<Topics, Box<dyn Error>> {
    let (dataset, mut topics) = (Dataset::new(), Topics::new());
    for table in TABLES {
        kafka.create_topic(&format!("{TOPIC_ROOT}.{table}"), i32::try_from(PARTITIONS)?)?;
    }
    for (number, row) in Emulator::new().take(ROWS).enumerate() {
        let partition = i32::try_from(number % PARTITIONS)?;
        for (table, value) in TABLES.iter().zip(dataset.posting(row)) {
            let topic = format!("{TOPIC_ROOT}.{table}");
            kafka.produce(&topic, partition, &value)?;
            topics.entry((topic, partition)).or_default().push(value);
        }
    }
    kafka.flush()?;
    Ok(topics)
}

/// What MSK Connect says in the worker's configuration.
fn worker_config(kafka: &Kafka) -> Result<WorkerConfig, Box<dyn Error>> {
    let bootstrap = kafka.bootstrap_servers();
    let keys = [
        ("bootstrap.servers", bootstrap.as_str()),
        ("listeners", "http://127.0.0.1:0"),
        // The default of a minute is more than anybody wants to wait here.
        ("offset.flush.interval.ms", "500"),
        // How long the mock cluster waits for the other tasks, where they do not join at once.
        ("consumer.session.timeout.ms", "6000"),
    ];
    let config: Config = keys.into_iter().collect();
    Ok(WorkerConfig::try_from(&config).map_err(connect_api::Error::from)?)
}

/// The file, its placeholders filled in, and beside it what AWS would have told: a name, where S3 is, and who we are.
fn connector_config(directory: &Path, s3: &S3) -> Result<Config, Box<dyn Error>> {
    let text = fs::read_to_string(Path::new(HERE).join("configs/msk-s3-sink.properties"))?;
    let file = directory.join("msk-s3-sink.properties");
    fs::write(&file, text.replace("<TOPIC_ROOT>", TOPIC_ROOT).replace("<BUCKET_NAME>", BUCKET))?;
    let mut config = read_connector(&file).map_err(connect_api::Error::from)?;
    let origin = Some(Origin { file: "quickstart".into(), line: 0 });
    let url = s3.url();
    let beside =
        [("name", NAME), ("store.url", &url), ("aws.access.key.id", S3::ACCESS_KEY), ("aws.secret.access.key", S3::SECRET_KEY)];
    for (key, value) in beside {
        config.insert(key, value, origin.clone());
    }
    Ok(config)
}

async fn wait_for_objects(worker: &Worker, expected: usize) -> Result<(), Box<dyn Error>> {
    let (start, mut shown) = (Instant::now(), 0);
    while shown < expected {
        sleep(Duration::from_millis(250)).await;
        let objects = total(&worker.metrics().scrape(), "connect_sink_objects_total");
        if objects > shown {
            shown = objects;
            println!("{:>6.1} s  {shown:>5} objects", start.elapsed().as_secs_f64());
        }
        if start.elapsed() > DEADLINE {
            return Err(format!("{shown} of {expected} objects after {DEADLINE:?}").into());
        }
    }
    Ok(())
}

/// The sum over all series of a metric.
fn total(metrics: &str, name: &str) -> usize {
    let series = metrics.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

fn names(topics: &Topics) -> Vec<String> {
    let mut names: Vec<_> = topics.keys().map(|(topic, _)| topic.clone()).collect();
    names.dedup();
    names
}

fn show_bucket(bucket: &Path, topics: &Topics) -> Result<(), Box<dyn Error>> {
    println!("\n{BUCKET}/topics/");
    for topic in names(topics) {
        println!("  {topic}/");
        for partition in 0..PARTITIONS {
            let objects = files(&bucket.join(format!("topics/{topic}/partition={partition}")))?;
            let name = |file: Option<&PathBuf>| file.and_then(|file| Some(file.file_name()?.to_string_lossy().into_owned()));
            let (first, last) = (name(objects.first()).unwrap_or_default(), name(objects.last()).unwrap_or_default());
            println!("    partition={partition}/  {first} … {last} ({} objects)", objects.len());
        }
    }
    let first = object_name(&format!("{TOPIC_ROOT}.pin"), 0, 0);
    println!("\n{}:\n{}", first.display(), fs::read_to_string(bucket.join(&first))?);
    Ok(())
}

fn show_metrics(metrics: &str) {
    println!("Of the metrics:");
    for name in [
        "connect_records_read_total",
        "connect_sink_objects_total",
        "connect_sink_object_bytes_total",
        "connect_storage_requests_total",
    ] {
        println!("  {name} {}", total(metrics, name));
    }
}

/// Topic, partition, and the offset of the first record with ten digits.
fn object_name(topic: &str, partition: i32, offset: usize) -> PathBuf {
    format!("topics/{topic}/partition={partition}/{topic}+{partition}+{offset:010}.json").into()
}

/// Every record in an object of its own, no record missing, no object too many.
fn verify(bucket: &Path, topics: &Topics) -> Result<(), Box<dyn Error>> {
    let mut present: BTreeSet<_> = files(bucket)?.into_iter().collect();
    for ((topic, partition), values) in topics {
        for (offset, value) in values.iter().enumerate() {
            let file = bucket.join(object_name(topic, *partition, offset));
            let content = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            if content != format!("{value}\n") {
                return Err(format!("{} holds something else than its record", file.display()).into());
            }
            present.remove(&file);
        }
    }
    match present.first() {
        None => Ok(()),
        Some(file) => Err(format!("{} objects too many, such as {}", present.len(), file.display()).into()),
    }
}

fn verify_offsets(kafka: &Kafka, topics: &Topics) -> Result<(), Box<dyn Error>> {
    let partitions: Vec<_> = topics.keys().cloned().collect();
    let committed = kafka.committed(&format!("connect-{NAME}"), &partitions)?;
    for (partition, values) in topics {
        let offset = committed.get(partition).copied().unwrap_or(0);
        if usize::try_from(offset)? != values.len() {
            return Err(format!("{partition:?}: committed {offset} of {}", values.len()).into());
        }
    }
    Ok(())
}

/// All files below a directory, in the order of their names.
fn files(directory: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn show_next_step(bucket: &Path) {
    println!("The objects stay in {} until the next run.\n", bucket.display());
    println!("The same file against a real cluster, with the AWS credentials of this machine:");
    println!("  sed 's/<TOPIC_ROOT>/…/; s/<BUCKET_NAME>/…/' configs/msk-s3-sink.properties > s3-sink.properties");
    println!("  cargo run --release -- run --bootstrap-servers host:9092 s3-sink.properties");
}
