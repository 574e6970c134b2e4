//! The table of the runtime's metrics, and the handles of one task.

mod budgets;
pub mod definitions;
mod errors;
mod progress;
mod reference;
mod task;

pub(crate) use budgets::ConnectorBudgets;
pub use definitions::DEFINITIONS;
pub(crate) use errors::{StageMetrics, last_error};
pub(crate) use progress::Progress;
pub use reference::reference;
pub(crate) use task::{PartitionMetrics, TaskMetrics};
