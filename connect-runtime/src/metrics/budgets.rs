//! What each connector holds of the memory, looked at when somebody asks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use connect_api::{Budget, Metrics};

use super::definitions::CONNECTOR_BUDGET_USED;

/// The budgets of the connectors that run. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectorBudgets(Arc<Mutex<BTreeMap<Arc<str>, Budget>>>);

impl ConnectorBudgets {
    /// This connector is shown from now on.
    pub(crate) fn add(&self, connector: &Arc<str>, budget: Budget) {
        self.budgets().insert(connector.clone(), budget);
    }

    /// This connector is not shown any more; its series is its owner's to remove.
    pub(crate) fn remove(&self, connector: &str) {
        self.budgets().remove(connector);
    }

    /// Shows what each holds now.
    pub(crate) fn show(&self, metrics: &Metrics) {
        for (connector, budget) in &*self.budgets() {
            let used = i64::try_from(budget.used()).unwrap_or(i64::MAX);
            metrics.gauge(&CONNECTOR_BUDGET_USED, &[connector]).set(used);
        }
    }

    /// What each holds now.
    pub(super) fn used(&self) -> Vec<(Arc<str>, usize)> {
        self.budgets().iter().map(|(connector, budget)| (connector.clone(), budget.used())).collect()
    }

    fn budgets(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Budget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
