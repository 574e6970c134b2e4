//! Waiting for the sink task without looking dead.

use std::time::Duration;

use crate::rest::{TaskHealth, TaskLoop};

/// Well below what makes a loop count as stuck.
const PERIOD: Duration = Duration::from_secs(5);

/// Waits for a call of the sink task, or for what else may take minutes, and shows meanwhile that the loop is not stuck: whoever restarts the
/// process would only make it begin the same again. A call that blocks its thread shows nothing.
pub(super) async fn shown_to_turn<T>(health: &TaskHealth, call: impl Future<Output = T>) -> T {
    let mut call = std::pin::pin!(call);
    loop {
        match tokio::time::timeout(PERIOD, &mut call).await {
            Ok(done) => return done,
            Err(_not_yet) => health.turned(TaskLoop::Delivery),
        }
    }
}
