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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use connect_api::{Predicate, Transformation, data::Data, testing::record_of};

    use super::*;
    use crate::config::Guard;

    /// Writes its letter behind the topic's name.
    struct Append(&'static str);

    impl Transformation for Append {
        fn apply(&self, mut record: SinkRecord) -> Result<Option<SinkRecord>> {
            record.topic = format!("{}{}", record.topic, self.0).into();
            Ok(Some(record))
        }
    }

    /// Holds of topics that end so; of none that end with `!` can it be said.
    struct Ends(&'static str);

    impl Predicate for Ends {
        fn test(&self, record: &SinkRecord) -> Result<bool> {
            if record.topic.ends_with('!') { Err(Error::data("cannot be said")) } else { Ok(record.topic.ends_with(self.0)) }
        }
    }

    fn link(letter: &'static str, guard: Option<(&'static str, bool)>) -> NamedTransformation {
        let guard = guard.map(|(ending, negate)| Guard { predicate: Arc::new(Ends(ending)), negate });
        NamedTransformation { class: letter, transformation: Arc::new(Append(letter)), guard }
    }

    fn topic(chain: &[NamedTransformation]) -> Result<String, TransformFailure> {
        transform(chain, record_of(Data::default())).map(|record| record.unwrap().topic.to_string())
    }

    // X44
    #[test]
    fn a_transform_with_a_predicate_is_for_the_records_of_which_it_holds_and_negated_for_the_others() {
        for (ending, negate, expected) in
            [("c", false, "topica"), ("c", true, "topic"), ("x", false, "topic"), ("x", true, "topica")]
        {
            assert_eq!(topic(&[link("a", Some((ending, negate)))]).unwrap(), expected);
        }
        // A predicate looks at what the transforms before have made.
        let chain = [link("a", Some(("c", false))), link("b", Some(("c", false))), link("c", Some(("a", false)))];
        assert_eq!(topic(&chain).unwrap(), "topicac");
    }

    #[test]
    fn a_predicate_that_fails_is_a_failure_of_its_transform() {
        let failure = topic(&[link("!", None), link("a", Some(("c", false)))]).unwrap_err();
        assert_eq!((failure.class, failure.error.to_string().as_str()), ("a", "cannot be said"));
    }
}
