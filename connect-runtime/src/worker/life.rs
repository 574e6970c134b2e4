//! A connector from its start to its end: a future of its own, so that nobody who gives up waiting for it leaves half of it behind.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use connect_api::{Error, Result};
use tokio::sync::oneshot;

use super::connectors::Held;
use crate::{
    config::{self, ConnectorConfig},
    consumer::kafka,
    herder::{Connector, ConnectorSetup, Environment},
    rest::Health,
    shutdown::{Stop, spawn_blocking},
};

/// How long a broker may take to answer before a connector is refused.
const BROKER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connector lives on.
pub(super) struct Life {
    pub(super) environment: Arc<Environment>,
    pub(super) health: Health,
    pub(super) cluster: Arc<OnceLock<String>>,
    pub(super) held: Held,
    pub(super) stop: Stop,
}

impl Life {
    /// Starts the connector, says so, and ends it in order once that is asked for. Says that it cannot run when nothing is left of it.
    pub(super) async fn live(self, setup: ConnectorSetup, started: oneshot::Sender<Result<()>>) {
        let name = setup.config.name.clone();
        let reached = tokio::select! {
            reached = self.reach_brokers(&setup.config) => reached,
            () = self.stop.cancelled() => Err(ended(&name)),
        };
        if let Err(error) = reached {
            drop(self);
            let _nobody_waits = started.send(Err(error));
            return;
        }
        let connector = self.start(setup);
        let refused = tokio::select! {
            // First: tasks that are stopped count as started.
            biased;
            () = self.stop.cancelled() => Some(ended(&name)),
            started = connector.started() => started.err(),
        };
        let answer = match refused {
            Some(error) => Some((started, error)),
            None => {
                tracing::info!(connector = &*name, "connector started");
                // Who does not wait any more has asked for the end.
                let _nobody_waits = started.send(Ok(()));
                self.stop.cancelled().await;
                None
            }
        };
        connector.stop(self.stop.until(self.environment.config.graceful_timeout)).await;
        drop(self);
        tracing::info!(connector = &*name, "connector stopped");
        if let Some((started, error)) = answer {
            let _nobody_waits = started.send(Err(error));
        }
    }

    fn start(&self, setup: ConnectorSetup) -> Connector {
        let name = &setup.config.name;
        let tasks = (0..setup.config.tasks_max).map(|task| self.health.task(name, task)).collect();
        let budget = self.environment.budget.connector();
        self.held.show_budget(budget.clone());
        Connector::start(&self.environment, setup, tasks, &budget, &self.stop)
    }

    async fn reach_brokers(&self, connector: &ConnectorConfig) -> Result<()> {
        let properties = config::consumer_properties(&self.environment.config, connector, 0)?;
        let probing = spawn_blocking(move || kafka::probe(&properties, BROKER_TIMEOUT)).await;
        let cluster = probing.map_err(|error| Error::fatal("looking for brokers").with_source(error))??;
        if let Some(cluster) = cluster {
            self.cluster.get_or_init(|| cluster);
        }
        Ok(())
    }
}

/// Why a connector that was told to stop did not start.
pub(super) fn ended(name: &str) -> Error {
    Error::fatal(format!("Connector {name} was stopped while it started"))
}
