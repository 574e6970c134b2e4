//! The chain of single message transforms.

use connect_api::{Error, Result, SinkRecord};

use crate::config::NamedTransformation;

/// A transform that failed.
#[derive(Debug)]
pub(super) struct TransformFailure {
    /// Its class.
    pub(super) class: &'static str,
    pub(super) error: Error,
}

/// Runs the record through the chain; `None` where a transform drops it.
///
/// # Errors
/// The first transform that fails.
pub(super) fn transform(chain: &[NamedTransformation], mut record: SinkRecord) -> Result<Option<SinkRecord>, TransformFailure> {
    let Some(last) = chain.last() else { return Ok(Some(record)) };
    for NamedTransformation { class, transformation, guard } in chain {
        let failed = |error| TransformFailure { class, error };
        if let Some(guard) = guard
            && !guard.admits(&record).map_err(failed)?
        {
            continue;
        }
        match transformation.apply(record) {
            Ok(Some(transformed)) => record = transformed,
            Ok(None) => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
    }
    record.settle().map_err(|error| TransformFailure { class: last.class, error })?;
    Ok(Some(record))
}
