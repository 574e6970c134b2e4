//! Keeps tasks running: starts them, starts them again after faults, stops them together.

use std::{fmt, sync::Arc, time::Duration};

use connect_api::{Budget, Error, ErrorKind, Metrics, Plugins, Result, SinkConnector, SinkTask, SinkTaskContext};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, ConnectorConfig, Topics, WorkerConfig},
    consumer::{
        Subscription,
        kafka::{self, KafkaSettings, prefetch_for},
    },
    metrics::TaskMetrics,
    rest::{TaskHealth, TaskState},
    shutdown::{Joined, Spawner, Stop, join},
    task::{Convert, ErrorHandler, Host, SinkLoop, TaskParts, TaskSettings},
};

/// Between a fault and the next start, at first and at most.
const RESTART_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A task that has run for so long starts again as quickly as at first.
const SOUND_AFTER: Duration = Duration::from_secs(300);

/// How long a task that was given up may take to notice.
const ABORT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long what runs beside a task may take to end.
const BACKGROUND_TIMEOUT: Duration = Duration::from_millis(500);

/// What all connectors of a worker share.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) config: WorkerConfig,
    pub(crate) plugins: Plugins,
    pub(crate) metrics: Metrics,
    /// The process's.
    pub(crate) budget: Budget,
}

/// A connector that has been checked.
pub(crate) struct ConnectorSetup {
    pub(crate) config: ConnectorConfig,
    pub(crate) plugin: Arc<dyn SinkConnector>,
}

/// A connector's running tasks.
pub(crate) struct Connector {
    tasks: Vec<RunningTask>,
    stop: Stop,
}

struct RunningTask {
    supervisor: Joined<()>,
    started: watch::Receiver<Option<Started>>,
}

/// How the first start of a task ended.
#[derive(Clone, Debug)]
enum Started {
    /// It runs, or is tried again.
    Supervised,
    /// It can never run like this.
    Refused(String),
}

impl Connector {
    /// Starts one task for each of `health`, which all end when `stop` asks for it.
    pub(crate) fn start(
        environment: &Arc<Environment>,
        setup: ConnectorSetup,
        health: Vec<TaskHealth>,
        budget: &Budget,
        stop: &Stop,
    ) -> Self {
        let setup = Arc::new(setup);
        // All of them before the first task starts: what each may fetch ahead depends on how many there are.
        let tasks: Vec<_> = health.into_iter().map(|health| (health, budget.task())).collect();
        let tasks = tasks.into_iter().enumerate().map(|(task, (health, budget))| {
            let (first, started) = watch::channel(None);
            let metrics = Arc::new(TaskMetrics::new(&environment.metrics, &setup.config.name, task));
            let supervised = Supervised {
                environment: environment.clone(),
                setup: setup.clone(),
                task,
                health,
                metrics,
                budget,
                stop: stop.clone(),
                first,
            };
            RunningTask { supervisor: join(supervised.supervise()), started }
        });
        Self { tasks: tasks.collect(), stop: stop.clone() }
    }

    /// Waits until every task has started or failed to.
    ///
    /// # Errors
    /// `Config` where a task can never run like this.
    pub(crate) async fn started(&self) -> Result<()> {
        for task in &self.tasks {
            let mut started = task.started.clone();
            // A supervisor that has ended without a word has been stopped.
            let Ok(first) = started.wait_for(Option::is_some).await else { continue };
            if let Some(Started::Refused(reason)) = &*first {
                return Err(Error::config(reason.clone()));
            }
        }
        Ok(())
    }

    /// Tells all tasks to stop, then waits for them until `until`; who is not done then is dropped without a last commit.
    pub(crate) async fn stop(mut self, until: Instant) {
        self.stop.cancel();
        for (number, task) in self.tasks.iter_mut().enumerate() {
            if tokio::time::timeout_at(until, task.supervisor.wait()).await.is_err() {
                tracing::error!(task = number, "the task has not stopped in time: what it has not committed is read again");
                task.supervisor.abort();
            }
        }
        // Whoever is told that the connector has stopped finds nothing of it at work, unless it does not even wait for anything.
        let gone = async {
            for task in &mut self.tasks {
                task.supervisor.wait().await;
            }
        };
        if tokio::time::timeout(ABORT_TIMEOUT, gone).await.is_err() {
            tracing::error!("a task blocks its thread and cannot be ended");
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({} tasks)", self.tasks.len())
    }
}

/// One task and what it is made of, over all its starts.
struct Supervised {
    environment: Arc<Environment>,
    setup: Arc<ConnectorSetup>,
    task: usize,
    health: TaskHealth,
    metrics: Arc<TaskMetrics>,
    budget: Budget,
    stop: Stop,
    first: watch::Sender<Option<Started>>,
}

impl Supervised {
    /// Runs the task until it is told to stop, or fails for good.
    async fn supervise(self) {
        let this = Arc::new(self);
        let mut pause = RESTART_AFTER.0;
        loop {
            let begun = Instant::now();
            let run = join({
                let this = this.clone();
                async move { this.run().await }
            });
            // What panics has broken a promise, like any other fault that is not the environment's.
            let ended = run.ended().await.unwrap_or_else(|panic| Err(Error::fatal("the task panicked").with_source(panic)));
            let Err(error) = ended else { return this.ended() };
            if this.stop.is_cancelled() {
                tracing::warn!(
                    connector = &*this.setup.config.name,
                    task = this.task,
                    error = error.report(),
                    "the task failed while it stopped"
                );
                return this.ended();
            }
            if matches!(error.kind(), ErrorKind::Config | ErrorKind::Data) {
                return this.failed_for_good(&error).await;
            }
            if begun.elapsed() >= SOUND_AFTER {
                pause = RESTART_AFTER.0;
            }
            this.failed_for_now(&error, pause);
            tokio::select! {
                () = this.stop.cancelled() => return this.ended(),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(RESTART_AFTER.1);
            this.metrics.restarts.inc();
        }
    }

    fn ended(&self) {
        self.health.set_state(TaskState::Unassigned);
        self.first.send_replace(Some(Started::Supervised));
    }

    async fn failed_for_good(&self, error: &Error) {
        tracing::error!(
            connector = &*self.setup.config.name,
            task = self.task,
            error = error.report(),
            "task failed; it stays so until the connector is started again"
        );
        self.health.set_problem("task", Some(error.report()));
        self.health.set_state(TaskState::Failed);
        let refused = (error.kind() == ErrorKind::Config).then(|| Started::Refused(error.report()));
        self.first.send_replace(Some(refused.unwrap_or(Started::Supervised)));
        self.stop.cancelled().await;
    }

    fn failed_for_now(&self, error: &Error, pause: Duration) {
        tracing::error!(connector = &*self.setup.config.name, task = self.task, error = error.report(), restart_in = ?pause, "task failed, starting it again");
        self.health.set_problem("task", Some(error.report()));
        self.health.set_state(TaskState::Restarting);
        self.first.send_replace(Some(Started::Supervised));
    }

    /// One life of the task.
    async fn run(&self) -> Result<()> {
        let Environment { config: worker, plugins, metrics, .. } = &*self.environment;
        let ConnectorSetup { config: connector, plugin } = &*self.setup;
        self.health.forget_problems();
        let errors = ErrorHandler::start(worker, connector, self.task, &self.budget, metrics);
        let errors = tokio::select! {
            errors = errors => Arc::new(errors?),
            // Nobody waits for a start that hangs: nothing is owned yet.
            () = self.stop.cancelled() => return Ok(()),
        };
        let converters = config::converters(plugins, worker, connector)?;
        let transformations = config::transformations(plugins, connector)?;
        let convert = Convert::new(converters, transformations, errors.clone(), &self.metrics);
        let background = Spawner::new(&CancellationToken::new());
        let host = Arc::new(Host::new(self.health.clone(), errors.clone(), background.clone()));
        let context = SinkTaskContext::new(connector.name.clone(), self.task, self.budget.clone(), metrics.clone(), host.clone());
        let mut sink = plugin.task(&config::effective(worker, connector)?, plugins)?;
        let started = tokio::select! {
            started = self.start_sink(&mut *sink, &context) => started,
            () = self.stop.cancelled() => Ok(()),
        };
        if let Err(error) = started {
            stop_sink(&mut *sink).await;
            return Err(error);
        }
        // A task that was told to stop before it had started has nothing to close.
        if self.stop.is_cancelled() {
            stop_sink(&mut *sink).await;
            return Ok(());
        }
        let consumer = kafka::start(self.consumer_settings()?)?;
        self.running();
        let parts = TaskParts { sink, consumer, convert, errors, host, health: self.health.clone(), metrics: self.metrics.clone() };
        let settings = TaskSettings {
            flush_interval: worker.offset_flush_interval,
            flush_timeout: worker.offset_flush_timeout,
            stop_within: worker.graceful_timeout,
        };
        let ended = SinkLoop::new(parts, settings).run(&self.stop).await;
        let left = self.stop.until(worker.graceful_timeout).saturating_duration_since(Instant::now());
        background.close(BACKGROUND_TIMEOUT.min(left)).await;
        ended
    }

    fn running(&self) {
        self.health.set_problem("task", None);
        self.health.set_problem("assignment", Some("the group has not assigned partitions yet".to_owned()));
        self.health.set_state(TaskState::Running);
        self.first.send_replace(Some(Started::Supervised));
    }

    /// Starts the sink task, again and again while the environment does not let it.
    async fn start_sink(&self, sink: &mut dyn SinkTask, context: &SinkTaskContext) -> Result<()> {
        let mut pause = RESTART_AFTER.0;
        loop {
            match sink.start(context.clone()).await {
                Err(error) if error.kind() == ErrorKind::Retriable => {
                    tracing::warn!(connector = &*context.connector, task = context.task, error = error.report(), retry_in = ?pause, "starting the sink failed");
                    self.health.set_problem("task", Some(error.report()));
                    self.first.send_replace(Some(Started::Supervised));
                }
                other => return other,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RESTART_AFTER.1);
        }
    }

    fn consumer_settings(&self) -> Result<KafkaSettings> {
        let (worker, connector) = (&self.environment.config, &self.setup.config);
        Ok(KafkaSettings {
            connector: connector.name.clone(),
            task: self.task,
            properties: config::consumer_properties(worker, connector, self.task)?,
            subscription: subscription(worker, connector),
            budget: self.budget.clone(),
            prefetch: prefetch_for(&self.budget),
            health: self.health.clone(),
        })
    }
}

async fn stop_sink(sink: &mut dyn SinkTask) {
    if let Err(error) = sink.stop().await {
        tracing::warn!(error = error.report(), "stopping the sink task failed");
    }
}

fn subscription(worker: &WorkerConfig, connector: &ConnectorConfig) -> Subscription {
    match &connector.topics {
        Topics::List(topics) => Subscription::Topics(topics.clone()),
        Topics::Regex(regex) => {
            let regex = regex.clone();
            let set = connector.raw.text("consumer.override.exclude.internal.topics");
            let set = set.or_else(|| worker.raw.text("consumer.exclude.internal.topics"));
            let internal = set.is_some_and(|text| text.trim().eq_ignore_ascii_case("false"));
            Subscription::Matching { matches: Arc::new(move |topic| regex.is_match(topic)), internal }
        }
    }
}
