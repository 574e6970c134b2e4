//! What the kernel says of a process.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::Result;

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
    /// What the kernel knows of a process (its number, or `self`), for a run that took so long.
    pub(crate) fn of_process(process: &str, elapsed: Duration) -> Result<Self> {
        Ok(Self {
            seconds: elapsed.as_secs_f64(),
            cpu_seconds: cpu_seconds(process)?,
            peak_memory: peak_memory(process)?,
            ..Self::default()
        })
    }

    /// Hands it to the driver.
    pub(crate) fn print(&self) {
        let Self { seconds, cpu_seconds, peak_memory, .. } = self;
        println!("{seconds} {cpu_seconds} {peak_memory}");
    }

    /// Takes what [`Measurement::print`] printed.
    pub(crate) fn read(line: &str) -> Result<Self> {
        let numbers: Vec<f64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
        let [seconds, cpu_seconds, peak_memory] = numbers[..] else {
            return Err(format!("not a measurement: {line}").into());
        };
        Ok(Self { seconds, cpu_seconds, peak_memory, ..Self::default() })
    }
}

/// Microseconds since 1970.
pub(crate) fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

fn cpu_seconds(process: &str) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name in parentheses and may hold blanks; utime and stime are the 14th and 15th.
    let fields = stat.rsplit_once(") ").ok_or("no name in /proc/…/stat")?.1;
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

fn peak_memory(process: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/…/status")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0)
}
