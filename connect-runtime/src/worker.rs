//! The process as a library: what `connect run` and embedders start.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use connect_api::{Budget, Error, Metrics, Plugins, Result, config::Config, plugins};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, ConnectorConfig, WorkerConfig},
    consumer::kafka,
    herder::{Connector, ConnectorSetup, Environment},
    memory,
    rest::{Health, RestServer, Served},
    shutdown::{Spawner, spawn_blocking},
};

/// How long a broker may take to answer before a connector is refused.
const BROKER_TIMEOUT: Duration = Duration::from_secs(10);

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
    connectors: Mutex<BTreeMap<Arc<str>, Connector>>,
    servers: Spawner,
    rest_address: Option<SocketAddr>,
    stopping: CancellationToken,
    stopped: CancellationToken,
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
        let servers = Spawner::new(&CancellationToken::new());
        let served = Served {
            metrics: metrics.clone(),
            health: health.clone(),
            budget: budget.clone(),
            kafka_cluster_id: Arc::clone(&cluster),
        };
        let mut rest_address = None;
        for listener in &config.listeners {
            let server = RestServer::bind(listener.address()).await?;
            tracing::info!(address = %server.address(), "listening");
            rest_address.get_or_insert(server.address());
            servers.spawn(server.serve(served.clone(), stopping.clone()));
        }
        tracing::info!(memory = budget.limit(), "worker started");
        Ok(Worker {
            environment: Arc::new(Environment { config, plugins, metrics, budget }),
            health,
            cluster,
            connectors: Mutex::default(),
            servers,
            rest_address,
            stopping,
            stopped: CancellationToken::new(),
        })
    }
}

impl Worker {
    /// A worker with this configuration and no plugins yet.
    pub fn builder(config: WorkerConfig) -> WorkerBuilder {
        WorkerBuilder { config, plugins: Plugins::default() }
    }

    /// Starts a connector, and returns once each of its tasks runs or has failed. Trouble with the environment that comes later is
    /// waited out; trouble with a store while the tasks start, too.
    ///
    /// # Errors
    /// `Config` with every problem of the configuration, or where a task finds that it cannot work with it; `Retriable` where no
    /// broker answers. Nothing runs then.
    pub async fn create_connector(&self, config: Config) -> Result<()> {
        let setup = self.check(&config)?;
        let name = setup.config.name.clone();
        let mut connectors = self.connectors.lock().await;
        if self.stopping.is_cancelled() {
            return Err(Error::fatal("the worker is stopping"));
        }
        if connectors.contains_key(&name) {
            return Err(Error::config(format!("Connector {name} already exists")));
        }
        self.reach_brokers(&setup.config).await?;
        let tasks = (0..setup.config.tasks_max).map(|task| self.health.task(&name, task)).collect();
        let connector = Connector::start(&self.environment, setup, tasks, &self.stopping);
        let started = connector.started().await;
        if let Err(error) = started {
            connector.stop(Instant::now() + self.environment.config.graceful_timeout).await;
            return Err(error);
        }
        tracing::info!(connector = &*name, "connector started");
        connectors.insert(name, connector);
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

    async fn reach_brokers(&self, connector: &ConnectorConfig) -> Result<()> {
        let properties = config::consumer_properties(&self.environment.config, connector, 0)?;
        let probing = spawn_blocking(move || kafka::probe(&properties, BROKER_TIMEOUT)).await;
        let cluster = probing.map_err(|error| Error::fatal("looking for brokers").with_source(error))??;
        if let Some(cluster) = cluster {
            self.cluster.get_or_init(|| cluster);
        }
        Ok(())
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

    /// Stops all tasks, each with a last commit, within `task.shutdown.graceful.timeout.ms`, then the listeners.
    pub async fn stop(&self) {
        self.stopping.cancel();
        let mut connectors = self.connectors.lock().await;
        let until = Instant::now() + self.environment.config.graceful_timeout;
        for (name, connector) in std::mem::take(&mut *connectors) {
            connector.stop(until).await;
            tracing::info!(connector = &*name, "connector stopped");
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
