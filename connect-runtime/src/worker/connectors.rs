//! The connectors of a worker, each under its name as long as anything of it is left.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use connect_api::{Budget, Error, Metrics, Result};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{config::Destinations, metrics::ConnectorBudgets, rest::Health, shutdown::Stop};

/// Who has which name. Clones share the names. Nothing waits while they are locked.
#[derive(Clone, Debug)]
pub(super) struct Connectors {
    metrics: Metrics,
    health: Health,
    budgets: ConnectorBudgets,
    names: Arc<Mutex<Names>>,
}

#[derive(Debug, Default)]
struct Names {
    /// The worker stops: nobody gets a name any more.
    closed: bool,
    held: BTreeMap<Arc<str>, Existing>,
}

/// A connector that starts, runs or stops.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    /// Ends it in order.
    pub(super) stop: Stop,
    gone: CancellationToken,
    writes_to: Arc<Destinations>,
}

impl Existing {
    /// Waits until nothing is left of it.
    pub(super) async fn gone(&self) {
        self.gone.cancelled().await;
    }
}

impl Connectors {
    /// No connector yet. What the later ones leave in these is forgotten with them.
    pub(super) fn new(metrics: Metrics, health: Health, budgets: ConnectorBudgets) -> Self {
        Self { metrics, health, budgets, names: Arc::default() }
    }

    /// Takes a name that nobody has, and what the connector writes to.
    ///
    /// # Errors
    /// `Config` where a connector has the name or writes under the same names of its sink, `Retriable` where that one is about to go, `Fatal` where the
    /// worker stops.
    pub(super) fn hold(&self, name: &Arc<str>, writes_to: Destinations) -> Result<(Held, Existing)> {
        let mut names = self.names();
        if names.closed {
            return Err(Error::fatal("the worker is stopping"));
        }
        match names.held.get(name) {
            Some(existing) if existing.stop.is_cancelled() => {
                return Err(Error::retriable(format!("Connector {name} is being stopped")));
            }
            Some(_) => return Err(Error::config(format!("Connector {name} already exists"))),
            None => {}
        }
        for (other, existing) in &names.held {
            let refused = writes_to.refuse_shared_with(&existing.writes_to, other);
            if refused.is_err() && existing.stop.is_cancelled() {
                return Err(Error::retriable(format!("Connector {other}, which writes under the same names, is being stopped")));
            }
            refused?;
        }
        let existing = Existing { stop: Stop::default(), gone: CancellationToken::new(), writes_to: Arc::new(writes_to) };
        names.held.insert(name.clone(), existing.clone());
        let gone = existing.gone.clone().drop_guard();
        Ok((Held { connectors: self.clone(), name: name.clone(), _gone: gone }, existing))
    }

    /// The connector of this name.
    pub(super) fn find(&self, name: &str) -> Option<Existing> {
        self.names().held.get(name).cloned()
    }

    /// All there are; nobody gets a name any more.
    pub(super) fn close(&self) -> Vec<Existing> {
        let mut names = self.names();
        names.closed = true;
        names.held.values().cloned().collect()
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that is taken. When it is dropped, health and metrics know nothing of the connector any more, and others may have the name.
pub(super) struct Held {
    connectors: Connectors,
    name: Arc<str>,
    _gone: DropGuard,
}

impl Held {
    /// Shows what the connector holds of the memory.
    pub(super) fn show_budget(&self, budget: Budget) {
        self.connectors.budgets.add(&self.name, budget);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Connectors { metrics, health, budgets, .. } = &self.connectors;
        // Under the lock: what the next connector of this name shows must not be forgotten.
        let mut names = self.connectors.names();
        health.forget(&self.name);
        budgets.remove(&self.name);
        metrics.forget("connector", &self.name);
        names.held.remove(&self.name);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.name)
    }
}

/// Asks for an end when it is dropped, unless it was let go of.
pub(super) struct StopOnDrop(Option<Stop>);

impl StopOnDrop {
    /// Will ask `stop`.
    pub(super) fn new(stop: Stop) -> Self {
        Self(Some(stop))
    }

    /// Asks for nothing any more.
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.cancel();
        }
    }
}
