//! What can be asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "Exit codes: 0 done; 1 the command line is wrong; 2 the worker's configuration is refused or the worker cannot \
    start; 3 a connector's configuration is refused or it cannot run; 130 ended by a second signal";

/// Kafka Connect sinks without a JVM.
#[derive(Debug, Parser)]
#[command(name = "connect", version)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs connectors until SIGTERM or SIGINT
    ///
    /// Like connect-standalone.sh: the first file is the worker's, all others are connectors'. With --bootstrap-servers no worker file is
    /// needed, but one without brokers, as MSK Connect has it, may still come first. Files are Java properties, or TOML where they are named
    /// so; a connector's may be JSON or YAML, too: bodies of REST requests, inputs of create-connector, KafkaConnector resources of Strimzi.
    #[command(after_help = EXIT_CODES)]
    Run(RunArguments),
    /// Checks files as `run` would, and starts nothing
    ///
    /// Takes the same files and options, or connectors' files alone. It asks no broker and no store.
    #[command(after_help = EXIT_CODES)]
    Validate(ValidateArguments),
    /// Lists connectors, converters, transforms, partitioners and formats
    Plugins {
        /// For people or for programs
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Prints the reference of all configuration keys as Markdown
    ConfigReference,
    /// Prints the reference of all metrics as Markdown
    MetricsReference,
}

/// What `run` takes.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// [WORKER] CONNECTOR…
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
    /// Refuse what is only doubtful, such as unknown keys
    #[arg(long)]
    pub(super) strict: bool,
    /// Logs for people or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) log_format: Output,
    /// The least important lines that are logged, librdkafka's own among them; takes the place of RUST_LOG [default: info]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(super) log_level: Option<LogLevel>,
}

/// What `validate` takes.
#[derive(Debug, Args)]
pub(super) struct ValidateArguments {
    /// [WORKER] CONNECTOR…
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
    /// Refuse what is only doubtful, such as unknown keys
    #[arg(long)]
    pub(super) strict: bool,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

/// What stands in for a worker file or goes before it.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Options {
    /// Kafka brokers, host:port with commas between them; takes the place of a worker file
    #[arg(long, value_name = "BROKERS")]
    pub(super) bootstrap_servers: Option<String>,
    /// Settings of every Kafka client, such as client.properties of Kafka's own tools
    #[arg(long, value_name = "FILE")]
    pub(super) command_config: Option<PathBuf>,
    /// Where metrics and health are served, host:port; takes the place of `listeners`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) metrics_addr: Option<String>,
    /// Memory for what is not yet durable, such as 512M; takes the place of `memory.limit`
    #[arg(long, value_name = "BYTES")]
    pub(super) memory: Option<String>,
    /// The connector's name; without it, and without `name` in the file, the file's name without its extension
    #[arg(long)]
    pub(super) name: Option<String>,
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Something does not work.
    Error,
    /// Something is wrong, and work goes on.
    Warn,
    /// What an operator did or would ask about.
    Info,
    /// What developers ask for.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// As `RUST_LOG` spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// For whom something is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_run_needs_a_file() {
        assert!(Arguments::try_parse_from(["connect", "run"]).is_err());
        assert!(Arguments::try_parse_from(["connect", "run", "--bootstrap-servers", "a:1", "s3.properties"]).is_ok());
    }
}
