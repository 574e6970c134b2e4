//! Whether a store heeds conditions at all.

use tracing::debug;

use super::{Shared, error::Refusal, means::Ways};

/// No object has this name for longer than a moment, and that only in stores that do not heed conditions.
const KEY: &str = ".connect-conditional-write-probe";

/// A version that no object has.
const NO_VERSION: &str = "\"00000000000000000000000000000000\"";

impl Shared {
    /// Puts an object under a condition that cannot hold. A store that heeds it writes nothing; one that does not is asked without conditions from then on.
    pub(super) async fn probe_conditions(&self) {
        let request = self.client.put_object().bucket(&self.bucket).key(KEY).if_match(NO_VERSION);
        match request.send().await {
            Err(answer) if !Refusal::of(&answer).is_feature_missing() => return,
            Err(_refused) => {}
            Ok(_written) => {
                if let Err(answer) = self.client.delete_object().bucket(&self.bucket).key(KEY).send().await {
                    debug!(key = KEY, status = Refusal::of(&answer).status, "could not delete the probe");
                }
            }
        }
        self.means.learn(Ways { conditional: false, ..self.means.ways() });
    }
}
