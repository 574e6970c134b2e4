//! What liveness and readiness are made of: facts that tasks report and that requests read.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use connect_api::Metrics;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::metrics::definitions::TASK_STATE;

/// A loop that has not turned for so long is stuck: all of them turn several times a second when nothing is to be done.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// The state of a task, as Kafka Connect names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// Not started yet, or stopped.
    Unassigned,
    /// At work.
    Running,
    /// Asked to rest.
    Paused,
    /// Failed, and about to be started again.
    Restarting,
    /// Ended by an error.
    Failed,
}

impl TaskState {
    const ALL: [Self; 5] = [Self::Unassigned, Self::Running, Self::Paused, Self::Restarting, Self::Failed];

    /// The name in lower case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
        }
    }

    fn is_at_work(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// The loops of a task that must keep turning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskLoop {
    /// The thread that owns the consumer.
    Consumer,
    /// The loop that converts and delivers.
    Delivery,
}

impl TaskLoop {
    const ALL: [Self; 2] = [Self::Consumer, Self::Delivery];

    fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Delivery => "delivery",
        }
    }
}

/// The facts of all tasks of a worker. Clones share them.
#[derive(Clone)]
pub(crate) struct Health {
    metrics: Metrics,
    /// Heartbeats are kept as milliseconds since then.
    origin: Instant,
    tasks: Arc<Mutex<Tasks>>,
}

/// By connector and task number.
type Tasks = BTreeMap<(Arc<str>, usize), Arc<Facts>>;

#[derive(Debug)]
struct Facts {
    turned: [AtomicU64; TaskLoop::ALL.len()],
    /// `None` once the task is forgotten.
    state: Mutex<Option<TaskState>>,
    problems: Mutex<BTreeMap<String, Problem>>,
}

/// Something that fails now.
#[derive(Clone, Debug)]
struct Problem {
    text: String,
    since: SystemTime,
    begun: Instant,
}

impl Health {
    /// No task yet. Task states are also shown in `metrics`.
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, origin: Instant::now(), tasks: Arc::default() }
    }

    /// The handle with which a task reports; a task that is started again goes on with its former facts.
    pub(crate) fn task(&self, connector: &Arc<str>, task: usize) -> TaskHealth {
        let facts = locked(&self.tasks).entry((connector.clone(), task)).or_insert_with(|| Arc::new(Facts::new())).clone();
        let handle = TaskHealth { connector: connector.clone(), task, facts, metrics: self.metrics.clone(), origin: self.origin };
        if let Some(state) = *locked(&handle.facts.state) {
            handle.show(state);
        }
        handle
    }

    /// Knows nothing of a connector's tasks any more, whoever still reports for them.
    pub(crate) fn forget(&self, connector: &str) {
        locked(&self.tasks).retain(|(of, _), facts| {
            let goes = **of == *connector;
            if goes {
                *locked(&facts.state) = None;
            }
            !goes
        });
    }

    /// Whether every loop of every task at work still turns, and the report that says so.
    pub(crate) fn liveness(&self, now: Instant) -> (bool, Value) {
        let mut stuck = Vec::new();
        for ((connector, task), facts) in locked(&self.tasks).iter() {
            if !locked(&facts.state).is_some_and(TaskState::is_at_work) {
                continue;
            }
            for task_loop in TaskLoop::ALL {
                let idle = now.saturating_duration_since(self.origin + facts.last_turn(task_loop));
                if idle >= STUCK_AFTER {
                    stuck.push(json!({
                        "connector": &**connector, "task": task, "loop": task_loop.name(), "seconds": idle.as_secs(),
                    }));
                }
            }
        }
        (stuck.is_empty(), json!({ "status": if stuck.is_empty() { "alive" } else { "stuck" }, "stuck": stuck }))
    }

    /// Whether every task does its work, and the report that names what fails and since when.
    pub(crate) fn readiness(&self, now: Instant) -> (bool, Value) {
        let tasks = locked(&self.tasks);
        let mut problems: Vec<Value> =
            tasks.iter().flat_map(|((connector, task), facts)| facts.report(connector, *task, now)).collect();
        if tasks.is_empty() {
            problems.push(json!({ "what": "worker", "problem": "no connector runs yet" }));
        }
        let tasks: Vec<_> = tasks
            .iter()
            .map(|((connector, task), facts)| {
                json!({ "connector": &**connector, "task": task, "state": locked(&facts.state).map(TaskState::name) })
            })
            .collect();
        let ready = problems.is_empty();
        let status = if ready { "ready" } else { "not ready" };
        (ready, json!({ "status": status, "problems": problems, "tasks": tasks }))
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Health({} tasks)", locked(&self.tasks).len())
    }
}

impl Facts {
    fn new() -> Self {
        Self {
            turned: [const { AtomicU64::new(0) }; TaskLoop::ALL.len()],
            state: Mutex::new(Some(TaskState::Unassigned)),
            problems: Mutex::default(),
        }
    }

    fn last_turn(&self, task_loop: TaskLoop) -> Duration {
        Duration::from_millis(self.turned[task_loop as usize].load(Ordering::Relaxed))
    }

    fn report(&self, connector: &str, task: usize, now: Instant) -> Vec<Value> {
        let state = *locked(&self.state);
        let problems = locked(&self.problems);
        let mut report: Vec<_> = problems.iter().map(|(what, problem)| problem.report(connector, task, what, now)).collect();
        if report.is_empty()
            && let Some(state) = state.filter(|state| !state.is_at_work())
        {
            let text = format!("the task is {}", state.name());
            report.push(json!({ "connector": connector, "task": task, "what": "task", "problem": text }));
        }
        report
    }
}

impl Problem {
    fn report(&self, connector: &str, task: usize, what: &str, now: Instant) -> Value {
        let since = self.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        json!({
            "connector": connector, "task": task, "what": what, "problem": self.text,
            "since": u64::try_from(since).unwrap_or(u64::MAX), "seconds": now.saturating_duration_since(self.begun).as_secs(),
        })
    }
}

/// What one task reports of itself. Clones report for the same task.
#[derive(Clone)]
pub(crate) struct TaskHealth {
    connector: Arc<str>,
    task: usize,
    facts: Arc<Facts>,
    metrics: Metrics,
    origin: Instant,
}

impl TaskHealth {
    /// The loop has turned.
    pub(crate) fn turned(&self, task_loop: TaskLoop) {
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.facts.turned[task_loop as usize].store(now, Ordering::Relaxed);
    }

    /// The task is in this state now. Its loops count as turning from here on.
    pub(crate) fn set_state(&self, state: TaskState) {
        TaskLoop::ALL.into_iter().for_each(|task_loop| self.turned(task_loop));
        let mut known = locked(&self.facts.state);
        if known.is_some() {
            *known = Some(state);
            self.show(state);
        }
    }

    /// `what` fails like this, or works again. While it fails, the time when it began is kept.
    pub(crate) fn set_problem(&self, what: &str, problem: Option<String>) {
        let mut problems = locked(&self.facts.problems);
        match (problem, problems.get_mut(what)) {
            (None, None) => {}
            (None, Some(_)) => drop(problems.remove(what)),
            (Some(text), Some(problem)) => problem.text = text,
            (Some(text), None) => {
                problems.insert(what.to_owned(), Problem { text, since: SystemTime::now(), begun: Instant::now() });
            }
        }
    }

    /// The task begins anew: what failed in its former life may work now.
    pub(crate) fn forget_problems(&self) {
        locked(&self.facts.problems).clear();
    }

    // Called while the state is locked: what is forgotten is not shown again.
    fn show(&self, now: TaskState) {
        let task = self.task.to_string();
        for state in TaskState::ALL {
            self.metrics.gauge(&TASK_STATE, &[&self.connector, &task, state.name()]).set(i64::from(state == now));
        }
    }
}

impl fmt::Debug for TaskHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskHealth({}-{})", self.connector, self.task)
    }
}

// The facts are plain values: they hold even if whoever held the lock has panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> (Health, TaskHealth) {
        let health = Health::new(Metrics::default());
        let task = health.task(&"s3".into(), 1);
        task.set_state(TaskState::Running);
        (health, task)
    }

    fn is_ready(health: &Health) -> bool {
        health.readiness(Instant::now()).0
    }

    #[test]
    fn a_worker_without_tasks_is_alive_and_not_ready() {
        let health = Health::new(Metrics::default());
        assert!(health.liveness(Instant::now()).0);
        assert!(!is_ready(&health));
    }

    #[test]
    fn a_loop_that_does_not_turn_for_a_minute_is_named() {
        let (health, task) = running();
        assert!(health.liveness(Instant::now()).0);
        // The consumer has turned half a minute later than the delivery.
        let later = u64::try_from((health.origin.elapsed() + STUCK_AFTER / 2).as_millis()).unwrap();
        task.facts.turned[TaskLoop::Consumer as usize].store(later, Ordering::Relaxed);
        let (alive, report) = health.liveness(Instant::now() + STUCK_AFTER);
        assert!(!alive);
        assert_eq!(report["stuck"], json!([{ "connector": "s3", "task": 1, "loop": "delivery", "seconds": 60 }]));
    }

    #[test]
    fn a_failed_task_is_alive_and_not_ready() {
        let (health, task) = running();
        task.set_state(TaskState::Failed);
        assert!(health.liveness(Instant::now() + STUCK_AFTER * 2).0);
        let (ready, report) = health.readiness(Instant::now());
        assert!(!ready);
        assert_eq!(report["problems"][0]["problem"], "the task is failed");
    }

    #[test]
    fn readiness_names_each_problem_with_its_age_until_it_is_gone() {
        let (health, task) = running();
        assert!(is_ready(&health));
        task.set_problem("storage", Some("503 SlowDown".into()));
        task.set_problem("storage", Some("connection reset".into()));
        let begun = locked(&task.facts.problems)["storage"].begun;
        let (ready, report) = health.readiness(begun + Duration::from_secs(5));
        assert!(!ready);
        let problem = &report["problems"][0];
        assert_eq!([&problem["what"], &problem["problem"]], ["storage", "connection reset"]);
        assert_eq!(problem["seconds"], 5);
        task.set_problem("storage", None);
        assert!(is_ready(&health));
    }

    #[test]
    fn a_task_that_begins_anew_has_none_of_its_former_problems() {
        let (health, task) = running();
        task.set_problem("storage", Some("503 SlowDown".into()));
        task.forget_problems();
        assert!(is_ready(&health));
    }

    #[test]
    fn a_connector_that_is_forgotten_is_not_ready_alive_or_shown_whatever_its_tasks_still_report() {
        let (health, task) = running();
        let other = health.task(&"other".into(), 0);
        other.set_state(TaskState::Running);
        task.set_problem("storage", Some("503 SlowDown".into()));
        health.forget("s3");
        health.metrics.forget("connector", "s3");
        task.set_state(TaskState::Failed);
        assert!(is_ready(&health));
        assert!(!health.metrics.scrape().contains(r#"connector="s3""#));
        // A new one of this name has nothing of it.
        health.task(&"s3".into(), 1).set_state(TaskState::Running);
        assert!(is_ready(&health));
    }

    #[test]
    fn a_task_shows_exactly_one_state() {
        let (health, task) = running();
        task.set_state(TaskState::Paused);
        let scrape = health.metrics.scrape();
        assert!(scrape.contains(r#"connect_task_state{connector="s3",state="paused",task="1"} 1"#), "{scrape}");
        assert_eq!(scrape.lines().filter(|line| line.ends_with("} 1")).count(), 1);
    }
}
