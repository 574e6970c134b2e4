//! Predicates: which records a transform is for.

use crate::{Result, SinkRecord};

/// Says of a record whether the transforms that name this predicate run; with `negate=true` those run where it does not hold. Deterministic and synchronous.
pub trait Predicate: Send + Sync {
    /// Whether it holds of the record.
    ///
    /// # Errors
    /// `Data` where that cannot be said of the record.
    fn test(&self, record: &SinkRecord) -> Result<bool>;
}
