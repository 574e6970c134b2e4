//! The command line: `run`, `validate`, `plugins`, `config-reference`, `metrics-reference`.
//!
//! Exit codes: 0 done; 1 the command line is wrong; 2 the worker's configuration is refused or the worker cannot start; 3 a connector is
//! refused or cannot run; 130 stopped by a second signal.

mod arguments;
mod files;
mod listing;
mod report;
mod serve;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use connect_api::Plugins;

use crate::{config, logging, metrics};
use arguments::{Arguments, Command};
pub(crate) use arguments::{LogLevel, Output};
use files::{Loaded, Purpose};

/// The command line is wrong.
const USAGE: u8 = 1;
/// The worker cannot start.
const WORKER: u8 = 2;
/// A connector cannot run.
const CONNECTOR: u8 = 3;
/// Ended before it had stopped, as a shell says it.
const INTERRUPTED: u8 = 130;

/// Does what the process's arguments say, with these plugins.
pub fn run(plugins: Plugins) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let help = !error.use_stderr();
            // Nobody is left to be told that this could not be printed.
            let _unprinted = error.print();
            return ExitCode::from(if help { 0 } else { USAGE });
        }
    };
    match arguments.command {
        Command::Run(run) => {
            logging::init(run.log_format, run.log_level);
            let loaded = Loaded::read(Purpose::Run, &run.files, &run.options).and_then(Loaded::has_connectors);
            match loaded.and_then(|loaded| loaded.check(&plugins, run.strict)) {
                Ok(checked) => serve::serve(plugins, checked),
                Err(refused) => {
                    complain(&format!("{}\nNothing was started.\n", refused.text()));
                    ExitCode::from(refused.exit_code())
                }
            }
        }
        Command::Validate(validate) => {
            let checked = Loaded::read(Purpose::Check, &validate.files, &validate.options)
                .and_then(|loaded| loaded.check(&plugins, validate.strict));
            let (text, code) = match &checked {
                Ok(checked) => (report::valid(&checked.warnings, validate.output), 0),
                Err(refused) => (refused.report(validate.output), refused.exit_code()),
            };
            print(&text);
            ExitCode::from(code)
        }
        Command::Plugins { output: Output::Text } => print(&listing::text(&plugins)),
        Command::Plugins { output: Output::Json } => print(&listing::json(&plugins)),
        Command::ConfigReference => print(&config::config_reference(&plugins)),
        Command::MetricsReference => print(&metrics::reference(&plugins)),
    }
}

/// Whoever reads the output may have seen enough of it: that is no failure.
fn print(text: &str) -> ExitCode {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn complain(text: &str) {
    // Nobody is left to be told that this could not be printed.
    let _unprinted = io::stderr().lock().write_all(text.as_bytes());
}
