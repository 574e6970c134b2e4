//! Single message transforms.

use crate::{Result, SinkRecord};

/// Changes or drops records between the converters and the sink. Deterministic and synchronous.
pub trait Transformation: Send + Sync {
    /// The record to go on with; `None` drops it, and its offset counts as done.
    ///
    /// # Errors
    /// `Data` where the record can never be transformed.
    fn apply(&self, record: SinkRecord) -> Result<Option<SinkRecord>>;
}
