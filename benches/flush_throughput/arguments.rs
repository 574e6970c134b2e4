//! Options and roles of this program's processes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Measures how fast, and at what cost, records of Kafka become objects: see benches/README.md.
#[derive(Debug, Parser)]
#[command(name = "flush_throughput", bin_name = "cargo bench --bench flush_throughput --", disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The broker; without it what CONNECT_TEST_KAFKA names, and else librdkafka's mock cluster.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) bootstrap: Option<String>,
    /// Only rows whose name contains this, such as "memory, 1024 B, flush.size=10000".
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) filter: String,
    /// How often each row is measured: 3, or 1 with --quick.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) repetitions: Option<u64>,
    /// A smoke test: seconds, figures without meaning.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Writes the table to this file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Cargo says so.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// What a process does that the driver starts.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// A store that keeps names only.
    #[command(hide = true)]
    Store(Store),
    /// Bare consumption with librdkafka: what the sink is compared with.
    #[command(hide = true)]
    Consumption(Consumption),
}

#[derive(Debug, Args)]
pub(crate) struct Store {
    /// Milliseconds before each answer.
    pub(crate) latency: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Consumption {
    pub(crate) bootstrap: String,
    pub(crate) topic: String,
    pub(crate) partitions: u64,
    /// How many are read.
    pub(crate) records: u64,
}
