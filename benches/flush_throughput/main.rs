//! How fast, and at what cost, records of Kafka become objects: see `benches/README.md`.
//!
//! What is measured is a process of its own, so that CPU time and peak memory are its own, too: the `connect` program as operators
//! start it, and, to compare it with, a copy of this program that only reads ([`Role`]).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for a terminal: it prints its table, and reads its options and the clock where it likes"
)]

mod arguments;
mod child;
mod consumption;
#[path = "../../examples/stand_ins/kafka.rs"]
#[allow(dead_code, reason = "only the brokers are needed here")]
mod kafka;
mod layout;
#[path = "../../examples/pinterest/mod.rs"]
#[allow(dead_code, unused_imports, reason = "only the rows are needed here, and no tests run in a program of its own")]
mod pinterest;
mod plan;
mod process;
mod report;
mod sink;
mod store;
mod topics;
mod typed;

use std::{error::Error, process::ExitCode};

use arguments::{Arguments, Role};
use clap::Parser;
use plan::{Case, Plan};
use report::{Report, Row};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.role {
        None => measure(&arguments),
        Some(Role::Store(arguments)) => store::run(arguments),
        Some(Role::Consumption(arguments)) => consumption::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let (bootstrap, mock) = brokers(arguments)?;
    let plan = Plan::new(arguments, mock.is_some());
    eprintln!("{} rows, {} repetitions each, broker {bootstrap}", plan.cases.len(), plan.repetitions);
    if plan.cases.is_empty() && plan.left_out.is_empty() {
        return Err(format!("no row has `{}` in its name", arguments.filter).into());
    }
    topics::load(&bootstrap, mock.as_ref(), &plan)?;

    let mut report = Report::new(arguments, mock.is_some());
    for case in &plan.cases {
        let row = measure_case(case, &plan, &bootstrap)?;
        eprintln!("{row}");
        report.push(row);
    }
    for case in &plan.left_out {
        report.left_out(case);
    }
    report.print(arguments)
}

/// Runs the sink and bare librdkafka in turns, so that whatever else slows the machine down slows both.
fn measure_case(case: &Case, plan: &Plan, bootstrap: &str) -> Result<Row> {
    let mut row = Row::new(case);
    for _ in 0..plan.repetitions {
        let bare = child::consumption(case, bootstrap)?;
        let run = child::sink(case, bootstrap)?;
        row.add(&bare, &run);
    }
    Ok(row)
}

/// A real broker if one is named, else the mock cluster.
fn brokers(arguments: &Arguments) -> Result<(String, Option<kafka::Kafka>)> {
    let named = arguments.bootstrap.clone().or_else(|| std::env::var("CONNECT_TEST_KAFKA").ok());
    if let Some(bootstrap) = named {
        return Ok((bootstrap, None));
    }
    let mock = kafka::Kafka::start()?;
    Ok((mock.bootstrap_servers(), Some(mock)))
}
