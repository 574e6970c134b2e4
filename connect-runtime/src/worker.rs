//! The process as a library: what `connect run` and embedders start.

mod connectors;
mod life;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use connect_api::{Budget, Error, Metrics, Plugins, Result, config::Config, plugins};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, ConnectorConfig, Destinations, WorkerConfig},
    herder::{ConnectorSetup, Environment},
    memory,
    metrics::{ConnectorBudgets, Progress},
    rest::{Health, RestServer, Served},
    shutdown::Spawner,
};
use connectors::{Connectors, Existing, StopOnDrop};
use life::Life;

/// How long what serves requests may take to end.
const SERVERS_TIMEOUT: Duration = Duration::from_secs(1);

/// A running worker: connectors, their tasks, and the listener for metrics and health.
///
/// It uses the tokio runtime it is started on, and no global state, environment variable or signal handler. Dropping it ends its
/// tasks without their last commits; [`Worker::stop`] ends them in order.
pub struct Worker {
    environment: Arc<Environment>,
    health: Health,
    cluster: Arc<OnceLock<String>>,
    connectors: Connectors,
    lives: Spawner,
    servers: Spawner,
    rest_address: Option<SocketAddr>,
    stopping: CancellationToken,
    stopped: CancellationToken,
    /// Ends everything without a word.
    dropped: CancellationToken,
}

/// How to start a [`Worker`].
#[derive(Debug)]
pub struct WorkerBuilder {
    config: WorkerConfig,
    plugins: Plugins,
}

impl WorkerBuilder {
    /// What connectors may be made of.
    #[must_use]
    pub fn plugins(mut self, plugins: Plugins) -> Self {
        self.plugins = plugins;
        self
    }

    /// Opens the listeners. Nothing else happens before the first connector.
    ///
    /// # Errors
    /// `Config` where a listener's address cannot be used.
    pub async fn start(self) -> Result<Worker> {
        let Self { config, plugins } = self;
        let metrics = Metrics::default();
        let health = Health::new(metrics.clone());
        let budget = Budget::new(config.memory.unwrap_or_else(memory::default_budget));
        let (stopping, cluster) = (CancellationToken::new(), Arc::default());
        let connector_budgets = ConnectorBudgets::default();
        let servers = Spawner::new(&CancellationToken::new());
        let served = Served {
            metrics: metrics.clone(),
            health: health.clone(),
            budget: budget.clone(),
            connector_budgets: connector_budgets.clone(),
            kafka_cluster_id: Arc::clone(&cluster),
        };
        let mut rest_address = None;
        for listener in &config.listeners {
            let server = RestServer::bind(listener.address()).await?;
            tracing::info!(address = %server.address(), "listening");
            rest_address.get_or_insert(server.address());
            servers.spawn(server.serve(served.clone(), stopping.clone()));
        }
        if let Some(interval) = config.progress_log_interval {
            let progress = Progress::new(metrics.clone(), connector_budgets.clone());
            servers.spawn(progress.tell_every(interval, stopping.clone()));
        }
        tracing::info!(memory = budget.limit(), "worker started");
        let dropped = CancellationToken::new();
        Ok(Worker {
            connectors: Connectors::new(metrics.clone(), health.clone(), connector_budgets),
            lives: Spawner::new(&dropped),
            environment: Arc::new(Environment { config, plugins, metrics, budget }),
            health,
            cluster,
            servers,
            rest_address,
            stopping,
            stopped: CancellationToken::new(),
            dropped,
        })
    }
}

impl Worker {
    /// A worker with this configuration and no plugins yet.
    pub fn builder(config: WorkerConfig) -> WorkerBuilder {
        WorkerBuilder { config, plugins: Plugins::default() }
    }

    /// Starts a connector, and returns once each of its tasks runs or has failed. Trouble with the environment that comes later is
    /// waited out; trouble with a store while the tasks start, too. Several may start at once. Where the future is dropped before it is done, the
    /// connector is stopped as [`Worker::delete_connector`] does it, without anybody waiting.
    ///
    /// # Errors
    /// `Config` with every problem of the configuration, where a task finds that it cannot work with it, or where there is a connector of this
    /// name, or one that writes under the same names of its sink; `Retriable` where no broker answers, or the last connector of this name is not gone
    /// yet. Nothing runs then.
    pub async fn create_connector(&self, config: Config) -> Result<()> {
        let setup = self.check(&config)?;
        let name = setup.config.name.clone();
        let writes_to = Destinations::of(&self.environment.plugins, &setup.config)?;
        let (held, Existing { stop, .. }) = self.connectors.hold(&name, writes_to)?;
        let unfinished = StopOnDrop::new(stop.clone());
        let life =
            Life { environment: self.environment.clone(), health: self.health.clone(), cluster: self.cluster.clone(), held, stop };
        let (tell, started) = oneshot::channel();
        self.lives.spawn(life.live(setup, tell));
        // A life that ends without a word has been dropped with the worker.
        started.await.unwrap_or_else(|_| Err(life::ended(&name)))?;
        unfinished.disarm();
        Ok(())
    }

    /// Stops a connector, each task with a last commit, within `task.shutdown.graceful.timeout.ms`, and forgets it: readiness and metrics are as if
    /// it had never been. One that is starting is not waited for any longer.
    ///
    /// # Errors
    /// `Config` where there is none of this name.
    pub async fn delete_connector(&self, name: &str) -> Result<()> {
        let Some(existing) = self.connectors.find(name) else {
            return Err(Error::config(format!("Connector {name} not found")));
        };
        existing.stop.cancel();
        existing.gone().await;
        Ok(())
    }

    fn check(&self, raw: &Config) -> Result<ConnectorSetup> {
        let Environment { config: worker, plugins, .. } = &*self.environment;
        let validation = config::validate(plugins, &worker.raw, raw);
        for warning in validation.warnings.iter() {
            tracing::warn!("{warning}");
        }
        validation.problems.into_result()?;
        let config = ConnectorConfig::try_from(raw)?;
        let plugin = plugins::find(plugins.sink_connectors(), &config.connector_class)?.configure(raw)?;
        Ok(ConnectorSetup { config, plugin })
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.environment.metrics
    }

    /// Where metrics and health are served; the first of several addresses.
    pub fn rest_address(&self) -> Option<SocketAddr> {
        self.rest_address
    }

    /// Whether every task does its work, and if not, what fails: the body of `/readyz`.
    pub fn readiness(&self) -> (bool, serde_json::Value) {
        self.health.readiness(Instant::now())
    }

    /// Stops all connectors at the same time, each task with a last commit, within `task.shutdown.graceful.timeout.ms`, then the listeners. No start
    /// is waited for.
    pub async fn stop(&self) {
        self.stopping.cancel();
        let connectors = self.connectors.close();
        connectors.iter().for_each(|connector| connector.stop.cancel());
        for connector in connectors {
            connector.gone().await;
        }
        self.servers.close(SERVERS_TIMEOUT).await;
        self.stopped.cancel();
    }

    /// Waits until [`Worker::stop`] has been called and is done.
    pub async fn stopped(&self) {
        self.stopped.cancelled().await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.dropped.cancel();
        self.stopping.cancel();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("rest_address", &self.rest_address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
