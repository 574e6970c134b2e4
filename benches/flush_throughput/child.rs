//! Starts the processes that are measured, and the store.

use std::{
    env::current_exe,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use crate::{
    Result,
    plan::{Case, PARTITIONS, Target},
    process::Measurement,
    sink,
};

/// Reads the case's topic with librdkafka and does nothing with it.
pub(crate) fn consumption(case: &Case, bootstrap: &str) -> Result<Measurement> {
    let (topic, partitions, records) = (case.topic(), PARTITIONS.to_string(), case.records.to_string());
    let output = Command::new(current_exe()?).args(["consumption", bootstrap, &topic, &partitions, &records]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last() {
        Some(line) if output.status.success() => Measurement::read(line),
        _ => Err(format!("reading for {case}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Runs the sink on the case's topic until all objects are there.
pub(crate) fn sink(case: &Case, bootstrap: &str) -> Result<Measurement> {
    let Target::Http(latency) = case.target else { return sink::run(case, bootstrap, None) };
    let store = Store::start(latency.as_millis())?;
    let mut measurement = sink::run(case, bootstrap, Some(&store.url))?;
    measurement.requests = store.stop()?;
    Ok(measurement)
}

/// The store's process. It ends when its standard input does: also when this process dies.
struct Store {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Store {
    fn start(latency: u128) -> Result<Self> {
        let mut command = Command::new(current_exe()?);
        command.args(["store", &latency.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let mut url = String::new();
        lines.read_line(&mut url)?;
        Ok(Self { process, lines, url: url.trim().to_owned() })
    }

    /// How many requests it answered.
    fn stop(mut self) -> Result<f64> {
        drop(self.process.stdin.take());
        let mut requests = String::new();
        self.lines.read_to_string(&mut requests)?;
        self.process.wait()?;
        Ok(requests.trim().parse()?)
    }
}
