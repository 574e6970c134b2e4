//! Schemas that were read before, by their text.

use std::{num::NonZeroUsize, sync::Arc};

use arc_swap::ArcSwap;
use bytes::Bytes;
use connect_api::{Result, data::Schema};
use lru::LruCache;
use std::sync::{Mutex, PoisonError};

/// Texts of this many bytes are kept at most, however few schemas that is. What is read from them weighs several times as much.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// So many are found without a lock.
const AT_HAND: usize = 8;

/// A schema that is equal to one before is the same: whoever compares schemas of records compares pointers.
#[derive(Debug)]
pub(super) struct Schemas {
    /// Those that were looked for last and were not here. Replaced as a whole.
    at_hand: ArcSwap<Vec<(Bytes, Arc<Schema>)>>,
    all: Mutex<All>,
}

#[derive(Debug)]
struct All {
    by_text: LruCache<Bytes, Arc<Schema>>,
    /// Of all texts.
    bytes: usize,
}

impl Schemas {
    /// `most`: how many are kept; of more, those that were not met for longest are forgotten.
    pub(super) fn new(most: usize) -> Self {
        let most = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        Self { at_hand: ArcSwap::default(), all: Mutex::new(All { by_text: LruCache::new(most), bytes: 0 }) }
    }

    /// The schema whose text stands at the beginning, of those that were met last, and the length of its text.
    pub(super) fn at_beginning(&self, text: &[u8]) -> Option<(usize, Arc<Schema>)> {
        let at_hand = self.at_hand.load();
        let (known, schema) = at_hand.iter().find(|(known, _)| text.starts_with(known))?;
        Some((known.len(), Arc::clone(schema)))
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
        let (text, schema) = match all.by_text.get_key_value(text) {
            Some((text, schema)) => (text.clone(), Arc::clone(schema)),
            None => {
                let (text, schema) = (Bytes::copy_from_slice(text), read()?);
                all.bytes += text.len();
                if let Some((forgotten, _)) = all.by_text.push(text.clone(), Arc::clone(&schema)) {
                    all.bytes -= forgotten.len();
                }
                while all.bytes > MOST_BYTES
                    && let Some((forgotten, _)) = all.by_text.pop_lru()
                {
                    all.bytes -= forgotten.len();
                }
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
        assert_eq!(schemas.all.lock().unwrap().by_text.len(), 3);
        assert!(schemas.at_hand.load().len() <= AT_HAND);
    }

    #[test]
    fn large_texts_make_room_for_others() {
        let schemas = Schemas::new(1_000);
        for number in 0..20_u8 {
            schemas.get(&vec![number; MOST_BYTES / 4], read).unwrap();
            assert!(schemas.all.lock().unwrap().bytes <= MOST_BYTES);
        }
        schemas.get(&vec![0; 2 * MOST_BYTES], read).unwrap();
        let all = schemas.all.lock().unwrap();
        assert_eq!((all.by_text.len(), all.bytes), (0, 0));
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        let schemas = Schemas::new(3);
        assert!(schemas.get(b"x", || Err(Error::data("no schema"))).is_err());
        assert!(schemas.get(b"x", read).is_ok());
    }
}
