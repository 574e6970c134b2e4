//! Runs what was checked until it is told to stop.

use std::{io, process::ExitCode};

use connect_api::{Error, ErrorKind, Plugins, config::Config};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::{CONNECTOR, INTERRUPTED, WORKER, files::Checked};
use crate::Worker;

/// Runs a worker in a runtime of its own.
pub(super) fn serve(plugins: Plugins, checked: Checked) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(WORKER, "starting threads failed", &io_error(error)),
    };
    let code = runtime.block_on(run(plugins, checked));
    // Whatever still runs has been told to stop and did not: nobody waits for it.
    runtime.shutdown_background();
    code
}

async fn run(plugins: Plugins, checked: Checked) -> ExitCode {
    let mut signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(error) => return failed(WORKER, "catching signals failed", &io_error(error)),
    };
    checked.unlogged.iter().for_each(|warning| warn!("{warning}"));
    let worker = match Worker::builder(checked.worker).plugins(plugins).start().await {
        Ok(worker) => worker,
        Err(error) => return failed(WORKER, "the worker cannot start", &error),
    };
    let created = tokio::select! {
        created = create(&worker, checked.connectors) => Some(created),
        () = signals.next() => None,
    };
    let code = match created {
        Some(Ok(())) => {
            signals.next().await;
            ExitCode::SUCCESS
        }
        Some(Err(code)) => code,
        None => ExitCode::SUCCESS,
    };
    info!("stopping; a second signal ends it at once");
    tokio::select! {
        () = worker.stop() => code,
        () = signals.next() => {
            warn!("ended by a second signal: what was not committed is read again");
            ExitCode::from(INTERRUPTED)
        }
    }
}

/// As connect-standalone.sh does: one after the other, and all or none.
async fn create(worker: &Worker, connectors: Vec<Config>) -> Result<(), ExitCode> {
    for connector in connectors {
        let name = connector.text("name").unwrap_or_default().trim().to_owned();
        if let Err(error) = worker.create_connector(connector).await {
            let code = if error.kind() == ErrorKind::Config { CONNECTOR } else { WORKER };
            return Err(failed(code, &format!("connector {name} cannot run"), &error));
        }
    }
    Ok(())
}

fn failed(code: u8, what: &str, error: &Error) -> ExitCode {
    error!(error = error.report(), "{what}");
    ExitCode::from(code)
}

fn io_error(error: io::Error) -> Error {
    Error::fatal("the operating system refused").with_source(error)
}

/// The signals that ask for an end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
