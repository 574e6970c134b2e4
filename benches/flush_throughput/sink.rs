//! The measured process: `connect run` with a worker's and a connector's file, from its start until all objects are durable.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    Result,
    plan::{Case, PARTITIONS},
    process::{Measurement, wall_clock},
};

const DEADLINE: Duration = Duration::from_secs(120);

/// How often its metrics are read: each time costs it a tenth of a millisecond.
const PERIOD: Duration = Duration::from_millis(10);

/// Until the first object, they are read more often.
const FIRST_PERIOD: Duration = Duration::from_millis(2);

/// Runs the sink once on the case's topic, into the store at this address or into memory.
pub(crate) fn run(case: &Case, bootstrap: &str, store: Option<&str>) -> Result<Measurement> {
    let mut connect = Connect::start(case, bootstrap, store)?;
    let measured = connect.measure(case.objects());
    measured.map_err(|error| format!("{error}\n{}", connect.log()).into())
}

/// The running program.
struct Connect {
    process: Child,
    started: Instant,
    listener: SocketAddr,
    directory: PathBuf,
}

impl Connect {
    fn start(case: &Case, bootstrap: &str, store: Option<&str>) -> Result<Self> {
        // New each time: a group without offsets.
        let name = format!("flush-throughput-{}", wall_clock());
        let directory = std::env::temp_dir().join(&name);
        fs::create_dir_all(&directory)?;
        let listener = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (worker, connector) = (directory.join("worker.properties"), directory.join("connector.properties"));
        fs::write(&worker, worker_file(bootstrap, listener))?;
        fs::write(&connector, connector_file(&name, case, store)?)?;
        let log = File::create(log_of(&directory))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_connect"));
        command.arg("run").args([worker, connector]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        Ok(Self { process: command.spawn()?, started, listener, directory })
    }

    fn measure(&mut self, expected: u64) -> Result<Measurement> {
        let (mut first_read, mut first_object) = (None, None);
        loop {
            let metrics = self.metrics().unwrap_or_default();
            // Adopted: the store had taken the object, and its answer was late or lost.
            let objects = total(&metrics, "connect_sink_objects_total") + total(&metrics, "connect_sink_objects_adopted_total");
            if total(&metrics, "connect_records_read_total") > 0 {
                first_read.get_or_insert_with(Instant::now);
            }
            if objects > 0 {
                first_object.get_or_insert_with(|| self.started.elapsed());
            }
            if objects >= expected {
                break;
            }
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("connect has ended: {status}").into());
            }
            if self.started.elapsed() > DEADLINE {
                return Err(format!("{objects} of {expected} objects after {DEADLINE:?}").into());
            }
            sleep(if first_object.is_some() { PERIOD } else { FIRST_PERIOD });
        }
        let elapsed = first_read.map(|first: Instant| first.elapsed()).unwrap_or_default();
        let mut measurement = Measurement::of_process(&self.process.id().to_string(), elapsed)?;
        measurement.first_object = first_object.map_or(0.0, |first| first.as_secs_f64() * 1000.0);
        Ok(measurement)
    }

    /// Its metrics; nothing while it does not listen yet.
    fn metrics(&self) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.listener, Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.listener).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn log(&self) -> String {
        fs::read_to_string(log_of(&self.directory)).unwrap_or_default()
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        // What it has done is measured; nobody reads its group again.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
        let _removed = fs::remove_dir_all(&self.directory);
    }
}

fn log_of(directory: &Path) -> PathBuf {
    directory.join("log")
}

fn worker_file(bootstrap: &str, listener: SocketAddr) -> String {
    // The time-out is how long the mock cluster waits for the other tasks, where they do not join at once.
    format!("bootstrap.servers={bootstrap}\nlisteners=http://{listener}\nconsumer.session.timeout.ms=6000\n")
}

/// The settings of the MSK Connect file, but for what is measured.
fn connector_file(name: &str, case: &Case, store: Option<&str>) -> Result<String> {
    let storage = match store {
        None => "storage.class=names".to_owned(),
        Some(url) => format!(
            "storage.class=io.confluent.connect.s3.storage.S3Storage\n\
             s3.region=us-east-1\n\
             store.url={url}\n\
             aws.access.key.id=FLUSHTHROUGHPUT\n\
             aws.secret.access.key=flush-throughput"
        ),
    };
    let (topic, flush_size) = (case.topic(), case.flush_size);
    Ok(format!(
        "name={name}\n\
         connector.class=io.confluent.connect.s3.S3SinkConnector\n\
         tasks.max={PARTITIONS}\n\
         topics={topic}\n\
         flush.size={flush_size}\n\
         schema.compatibility=NONE\n\
         {}\n\
         {}\n\
         key.converter=org.apache.kafka.connect.storage.StringConverter\n\
         s3.bucket.name=flush-throughput\n\
         {storage}\n",
        case.layout.settings(),
        case.layout.conversion()?
    ))
}

/// The sum over all series of a metric.
fn total(metrics: &str, name: &str) -> u64 {
    let series = metrics.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
