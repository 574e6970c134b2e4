//! Schemas that were read before, by their text.

use std::{num::NonZeroUsize, sync::Arc};

use arc_swap::ArcSwap;
use bytes::Bytes;
use connect_api::{Result, data::Schema};
use lru::LruCache;
use std::sync::{Mutex, PoisonError};

/// So many are found without a lock.
const AT_HAND: usize = 8;

/// A schema that is equal to one before is the same: whoever compares schemas of records compares pointers.
#[derive(Debug)]
pub(super) struct Schemas {
    /// Those that were met last. Replaced as a whole.
    at_hand: ArcSwap<Vec<(Bytes, Arc<Schema>)>>,
    all: Mutex<LruCache<Bytes, Arc<Schema>>>,
}

impl Schemas {
    /// `most`: how many are kept; of more, those that were not met for longest are forgotten.
    pub(super) fn new(most: usize) -> Self {
        let most = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        Self { at_hand: ArcSwap::default(), all: Mutex::new(LruCache::new(most)) }
    }

    /// The schema with this text; `read` reads it where it is new.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn get(&self, text: &[u8], read: impl FnOnce() -> Result<Arc<Schema>>) -> Result<Arc<Schema>> {
        if let Some((_, schema)) = self.at_hand.load().iter().find(|(known, _)| **known == *text) {
            return Ok(Arc::clone(schema));
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let (text, schema) = match all.get_key_value(text) {
            Some((text, schema)) => (text.clone(), Arc::clone(schema)),
            None => {
                let (text, schema) = (Bytes::copy_from_slice(text), read()?);
                all.put(text.clone(), Arc::clone(&schema));
                (text, schema)
            }
        };
        let earlier = self.at_hand.load();
        let mut at_hand = Vec::with_capacity(AT_HAND);
        at_hand.push((text, Arc::clone(&schema)));
        at_hand.extend(earlier.iter().take(AT_HAND - 1).cloned());
        self.at_hand.store(Arc::new(at_hand));
        Ok(schema)
    }
}

#[cfg(test)]
mod tests {
    use connect_api::{Error, data::SchemaType};

    use super::*;

    fn read() -> Result<Arc<Schema>> {
        Ok(Schema::optional(SchemaType::Int32))
    }

    #[test]
    fn a_text_that_was_read_is_not_read_again_while_it_is_kept() {
        let schemas = Schemas::new(100);
        let texts: Vec<_> = (0..100_u8).map(|text| [text]).collect();
        let first: Vec<_> = texts.iter().map(|text| schemas.get(text, read).unwrap()).collect();
        for (text, schema) in texts.iter().zip(&first) {
            let again = schemas.get(text, || Err(Error::data("read again"))).unwrap();
            assert!(Arc::ptr_eq(schema, &again));
        }
    }

    #[test]
    fn no_more_are_kept_than_were_asked_for() {
        let schemas = Schemas::new(3);
        for text in 0..100_u8 {
            schemas.get(&[text], read).unwrap();
        }
        assert_eq!(schemas.all.lock().unwrap().len(), 3);
        assert!(schemas.at_hand.load().len() <= AT_HAND);
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        let schemas = Schemas::new(3);
        assert!(schemas.get(b"x", || Err(Error::data("no schema"))).is_err());
        assert!(schemas.get(b"x", read).is_ok());
    }
}
