//! What the kernel says of this process, and what a measured process says of itself.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{Result, arguments::Arguments};

/// The kernel counts CPU time in these.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a measured process found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measurement {
    /// From the first record read to the last one done with.
    pub(crate) seconds: f64,
    /// User and system time of the whole process, start included.
    pub(crate) cpu_seconds: f64,
    /// The most memory that was resident at a time, in bytes.
    pub(crate) peak_memory: f64,
    /// From the start of the process to its first durable object, in milliseconds.
    pub(crate) first_object: f64,
    /// Storage requests.
    pub(crate) requests: f64,
}

impl Measurement {
    /// What the kernel knows, for a run that took so long.
    pub(crate) fn of_process(elapsed: Duration) -> Result<Self> {
        Ok(Self { seconds: elapsed.as_secs_f64(), cpu_seconds: cpu_seconds()?, peak_memory: peak_memory()?, ..Self::default() })
    }

    /// Hands it to the driver.
    pub(crate) fn print(&self) {
        let Self { seconds, cpu_seconds, peak_memory, first_object, requests } = self;
        println!("{}", json!([seconds, cpu_seconds, peak_memory, first_object, requests]));
    }

    /// Takes what [`Measurement::print`] printed.
    pub(crate) fn read(line: &str) -> Result<Self> {
        let numbers: Vec<Value> = serde_json::from_str(line)?;
        let numbers: Vec<f64> = numbers.iter().filter_map(Value::as_f64).collect();
        let [seconds, cpu_seconds, peak_memory, first_object, requests] = numbers[..] else {
            return Err(format!("not a measurement: {line}").into());
        };
        Ok(Self { seconds, cpu_seconds, peak_memory, first_object, requests })
    }
}

/// Microseconds since 1970: the only clock that two processes share.
pub(crate) fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Milliseconds since the driver started this process.
pub(crate) fn milliseconds_since_start(arguments: &Arguments) -> Result<f64> {
    Ok(wall_clock().saturating_sub(arguments.number("started")?) as f64 / 1000.0)
}

fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses and may hold blanks; utime and stime are the 14th and 15th.
    let fields = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?.1;
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

fn peak_memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0)
}
