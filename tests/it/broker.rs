//! A Kafka broker of a test's own: for what a shared one must not suffer or see.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cluster::{Cluster, wait_until};
use crate::process::{free_address, scratch};

pub(crate) struct Broker {
    directory: PathBuf,
    libraries: String,
    address: String,
    process: Option<Child>,
}

impl Broker {
    /// Starts one, or says which test is skipped because there are no jars.
    pub(crate) fn start(test: &str) -> Option<Self> {
        Self::start_with(test, "")
    }

    /// The same, with these lines in its file.
    pub(crate) fn start_with(test: &str, more: &str) -> Option<Self> {
        let libraries = libraries(test)?;
        let directory = scratch("broker");
        let address = free_address();
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let template = std::fs::read_to_string(scripts.join("kafka-server.properties")).expect("the broker's settings");
        let settings = template
            .replace("@PORT@", &address.port().to_string())
            .replace("@CONTROLLER@", &free_address().port().to_string())
            .replace("@DATA@", &directory.join("data").to_string_lossy());
        let settings = format!("{settings}\n{more}\n");
        std::fs::write(directory.join("server.properties"), settings).expect("the broker's settings");
        std::fs::copy(scripts.join("kafka-log4j2.properties"), directory.join("log4j2.properties")).expect("its log's settings");
        let mut broker = Self { directory, libraries, address: address.to_string(), process: None };
        let cluster_id = ["format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", "server.properties"];
        let formatted = broker.java("kafka.tools.StorageTool").args(cluster_id).status().expect("java runs");
        assert!(formatted.success(), "the broker's storage is not formatted: {}", broker.log());
        broker.run();
        Some(broker)
    }

    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::new(self.address.clone())
    }

    /// Runs it (again), and waits until it answers.
    pub(crate) fn run(&mut self) {
        let process = self.java("kafka.Kafka").arg("server.properties").spawn().expect("java runs");
        self.process = Some(process);
        wait_until("the broker listens", Duration::from_secs(60), || TcpStream::connect(&self.address).is_ok());
    }

    /// Changes who may do what, with Kafka's own tool.
    pub(crate) fn change_rights(&self, arguments: &[&str]) {
        let tool = "org.apache.kafka.tools.AclCommand";
        let done =
            self.java(tool).args(["--bootstrap-server", &self.address, "--force"]).args(arguments).status().expect("java runs");
        assert!(done.success(), "{arguments:?}: {}", self.log());
    }

    /// Stops it as an operator does.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let asked = Command::new("kill").arg(process.id().to_string()).status().expect("kill runs");
        assert!(asked.success(), "kill");
        wait_until("the broker ends", Duration::from_secs(60), || process.try_wait().expect("a status").is_some());
    }

    fn java(&self, class: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.directory.join("log")).expect("a log");
        let mut command = java(&self.libraries);
        command
            .current_dir(&self.directory)
            .args(["-Dlog4j2.configurationFile=file:log4j2.properties", class])
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log);
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// Where the jars of the broker and its tools are.
pub(crate) fn libraries(test: &str) -> Option<String> {
    let found = std::env::var("CONNECT_TEST_KAFKA_LIBS").ok();
    if found.is_none() {
        crate::skipped(test, "CONNECT_TEST_KAFKA_LIBS");
    }
    found
}

/// Java with Kafka's classes.
pub(crate) fn java(libraries: &str) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", &format!("{libraries}/*")]).stdin(Stdio::null());
    command
}
