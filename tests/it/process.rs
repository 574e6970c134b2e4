//! The `connect` binary as a process of its own, as an operator runs it: files in, signals, logs and metrics out.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::bucket::{access_key, secret_key};

/// A directory for the files of one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// A port of this machine on which nothing listens, and that nobody is given until it is used: below those of which the kernel takes one for
/// each connection, and another at each call.
pub(crate) fn free_address() -> SocketAddr {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let candidates = std::iter::repeat_with(|| {
        let number = std::process::id().wrapping_mul(101).wrapping_add(NUMBER.fetch_add(1, Ordering::Relaxed));
        SocketAddr::from(([127, 0, 0, 1], 20_000 + u16::try_from(number % 10_000).expect("a small number")))
    });
    candidates.take(10_000).find(|address| TcpListener::bind(address).is_ok()).expect("a port")
}

/// The binary with these arguments, to its end: for everything that does not go on running.
pub(crate) fn connect(arguments: &[&str]) -> Output {
    command().args(arguments).output().expect("the binary starts")
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect"));
    command
        .env("AWS_ACCESS_KEY_ID", access_key())
        .env("AWS_SECRET_ACCESS_KEY", secret_key())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

/// Connector files without names of their own.
fn numbered<'a>(connectors: &[&'a str]) -> Vec<(String, &'a str)> {
    (0_u32..).zip(connectors).map(|(which, file)| (format!("{which}.properties"), *file)).collect()
}

/// `connect run`, running.
pub(crate) struct Connect {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Connect {
    /// Starts `connect run worker.properties connector.properties` with these contents; `listeners` is added to the worker's.
    pub(crate) fn start(directory: &Path, worker: &str, connector: &str) -> Self {
        Self::start_saying(directory, worker, connector, "info")
    }

    /// The same, with this much in its log.
    pub(crate) fn start_saying(directory: &Path, worker: &str, connector: &str, level: &str) -> Self {
        Self::start_all(directory, worker, &[connector], level)
    }

    /// Several connectors in one process.
    pub(crate) fn start_all(directory: &Path, worker: &str, connectors: &[&str], level: &str) -> Self {
        Self::start_as(directory, worker, &numbered(connectors), level, &[], &[])
    }

    /// The same, with this in its environment.
    pub(crate) fn start_in(directory: &Path, worker: &str, connectors: &[&str], level: &str, env: &[(&str, &str)]) -> Self {
        Self::start_as(directory, worker, &numbered(connectors), level, &[], env)
    }

    /// With these arguments after the files.
    pub(crate) fn start_with(directory: &Path, worker: &str, connectors: &[&str], arguments: &[&str]) -> Self {
        Self::start_as(directory, worker, &numbered(connectors), "info", arguments, &[])
    }

    /// Of files that are called like this.
    pub(crate) fn start_named(directory: &Path, worker: &str, connectors: &[(String, &str)], level: &str) -> Self {
        Self::start_as(directory, worker, connectors, level, &[], &[])
    }

    fn start_as(
        directory: &Path,
        worker: &str,
        connectors: &[(String, &str)],
        level: &str,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let address = free_address();
        let file = |name: String, contents: &str| {
            let file = directory.join(name);
            std::fs::write(&file, contents).expect("a file of settings");
            file
        };
        let worker = file(format!("worker-{number}.properties"), &format!("{worker}\nlisteners=http://{address}\n"));
        let connectors = connectors.iter().map(|(name, connector)| file(format!("connector-{number}-{name}"), connector));
        let log = directory.join(format!("log-{number}"));
        let output = File::create(&log).expect("a log");
        let child = command()
            .arg("run")
            .arg(worker)
            .args(connectors)
            .args(arguments)
            .envs(env.iter().copied())
            .env("RUST_LOG", std::env::var("CONNECT_TEST_LOG").unwrap_or_else(|_| level.to_owned()))
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .expect("the binary starts");
        Self { child, address, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).expect("the log")).into_owned()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a status").is_none()
    }

    /// Bytes that the process has for itself: heap and stacks, without the pages of the program's file. Nothing once it has ended.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
    }

    /// SIGKILL: nothing is saved, nobody is told.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        self.child.wait().expect("it is gone");
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(done.success(), "kill -{name}");
    }

    /// SIGTERM, then waits for the end.
    pub(crate) fn stop(&mut self, patience: Duration) -> ExitStatus {
        if let Some(status) = self.child.try_wait().expect("a status") {
            return status;
        }
        // A process that has just begun does not hear of it yet: the signal would end it as it ends any program.
        let deadline = Instant::now() + patience;
        while TcpStream::connect(self.address).is_err() && self.is_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.signal("TERM");
        self.wait(patience)
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {patience:?}; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Status code and body of a GET on its listener; nothing if it does not answer.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(2)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        Some((status, if chunked { dechunked(body) } else { body.to_owned() }))
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.get("/readyz"), Some((200, _)))
    }

    /// Whether it says that a task has failed for good.
    pub(crate) fn has_failed_task(&self) -> bool {
        let Some((_, body)) = self.get("/readyz") else { return false };
        let report: serde_json::Value = serde_json::from_str(&body).expect("readiness is JSON");
        let tasks = report["tasks"].as_array().expect("readiness lists the tasks");
        tasks.iter().any(|task| task["state"] == "failed" || task["state"] == "restarting")
    }

    /// What readiness says is wrong now.
    pub(crate) fn problems(&self) -> Vec<String> {
        let Some((_, body)) = self.get("/readyz") else { return Vec::new() };
        let report: serde_json::Value = serde_json::from_str(&body).expect("readiness is JSON");
        let problems = report["problems"].as_array().expect("readiness lists problems");
        problems.iter().map(|problem| problem["problem"].as_str().expect("a text").to_owned()).collect()
    }

    /// A metric's series: labels as they are written, and value.
    pub(crate) fn series(&self, name: &str) -> Vec<(String, f64)> {
        let Some((_, page)) = self.get("/metrics") else { return Vec::new() };
        let series = page.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
            (metric == name).then(|| Some((labels.to_owned(), value.parse().ok()?)))?
        });
        series.collect()
    }

    /// The sum of a metric's series, or nothing if there is none.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let series = self.series(name);
        (!series.is_empty()).then(|| series.iter().map(|(_, value)| value).sum())
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            for line in tail.iter().rev() {
                crate::say(line);
            }
        }
    }
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
