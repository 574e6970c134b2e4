//! Schemas that were read before.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use lru::LruCache;
use tokio::time::Instant;

use super::schemas::SchemaId;

/// So many are found without a lock.
const AT_HAND: usize = 8;

/// How long a registry's word counts that there is no such schema. A poisoned topic does not ask for each record.
const REFUSALS_COUNT_FOR: Duration = Duration::from_secs(3);
/// So many are kept.
const MOST_REFUSALS: usize = 100;
/// Of why there is no schema, in characters: it goes into logs and headers.
const LONGEST_REASON: usize = 500;

/// What is known of an id. It belongs to a topic: the version of a schema is one among those of the topic's subject.
pub(super) struct Known<T> {
    /// Those that were looked for last. Replaced as a whole.
    at_hand: ArcSwap<Vec<Entry<T>>>,
    all: Mutex<LruCache<Key, Arc<T>>>,
    /// Beside the others: whoever asks for what is not there makes nobody forget what is.
    refusals: Mutex<LruCache<Key, Refusal>>,
}

type Key = (SchemaId, Arc<str>);

struct Entry<T> {
    id: SchemaId,
    topic: Arc<str>,
    schema: Arc<T>,
}

#[derive(Debug)]
struct Refusal {
    reason: String,
    at: Instant,
}

impl<T> Known<T> {
    /// `most`: how many are kept; of more, those that were not met for longest are forgotten.
    pub(super) fn new(most: usize) -> Self {
        let cache = |most| NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        let (all, refusals) = (LruCache::new(cache(most)), LruCache::new(cache(MOST_REFUSALS)));
        Self { at_hand: ArcSwap::default(), all: Mutex::new(all), refusals: Mutex::new(refusals) }
    }

    /// The schema, or why there is none; `None` where nobody has asked yet, or not for a while.
    pub(super) fn get(&self, id: SchemaId, topic: &str) -> Option<Result<Arc<T>, String>> {
        if let Some(entry) = self.at_hand.load().iter().find(|entry| entry.id == id && *entry.topic == *topic) {
            return Some(Ok(Arc::clone(&entry.schema)));
        }
        let topic: Arc<str> = topic.into();
        let key = (id, Arc::clone(&topic));
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = all.get(&key) {
            let schema = Arc::clone(schema);
            self.bring_to_hand(Entry { id, topic, schema: Arc::clone(&schema) });
            return Some(Ok(schema));
        }
        drop(all);
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = refusals.peek(&key).filter(|refusal| refusal.at.elapsed() < REFUSALS_COUNT_FOR)?;
        Some(Err(refusal.reason.clone()))
    }

    pub(super) fn put(&self, id: SchemaId, topic: &str, found: Result<T, String>) {
        let key = (id, topic.into());
        match found {
            Ok(schema) => drop(self.all.lock().unwrap_or_else(PoisonError::into_inner).put(key, Arc::new(schema))),
            Err(reason) => {
                let refusal = Refusal { reason: reason.chars().take(LONGEST_REASON).collect(), at: Instant::now() };
                self.refusals.lock().unwrap_or_else(PoisonError::into_inner).put(key, refusal);
            }
        }
    }

    // Called while the others are locked: of two at the same time none gets lost.
    fn bring_to_hand(&self, entry: Entry<T>) {
        let earlier = self.at_hand.load();
        let kept = earlier.iter().take(AT_HAND - 1).map(Entry::clone);
        self.at_hand.store(Arc::new(std::iter::once(entry).chain(kept).collect()));
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { id: self.id, topic: Arc::clone(&self.topic), schema: Arc::clone(&self.schema) }
    }
}

impl<T> std::fmt::Debug for Known<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({} at hand)", self.at_hand.load().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: i32) -> SchemaId {
        SchemaId::Number(number)
    }

    #[test]
    fn a_schema_belongs_to_an_id_and_a_topic() {
        let known = Known::new(100);
        assert!(known.get(id(1), "t").is_none());
        known.put(id(1), "t", Ok("one of t"));
        known.put(id(1), "u", Ok("one of u"));
        known.put(id(2), "t", Ok("two of t"));
        for _ in 0..3 {
            assert_eq!(*known.get(id(1), "t").unwrap().unwrap(), "one of t");
            assert_eq!(*known.get(id(1), "u").unwrap().unwrap(), "one of u");
            assert_eq!(*known.get(id(2), "t").unwrap().unwrap(), "two of t");
        }
        assert!(known.get(id(2), "u").is_none());
    }

    #[test]
    fn a_schema_stays_the_same_however_many_there_are() {
        let known = Known::new(100);
        (0..100).for_each(|number| known.put(id(number), "t", Ok(number)));
        let first: Vec<_> = (0..100).map(|number| known.get(id(number), "t").unwrap().unwrap()).collect();
        for (number, schema) in (0..100).zip(&first) {
            assert!(Arc::ptr_eq(schema, &known.get(id(number), "t").unwrap().unwrap()));
        }
        assert!(known.at_hand.load().len() <= AT_HAND);
    }

    #[test]
    fn no_more_are_kept_than_were_asked_for() {
        let known = Known::new(3);
        (0..100).for_each(|number| known.put(id(number), "t", Ok(number)));
        assert_eq!(known.all.lock().unwrap().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn that_there_is_none_is_believed_for_a_while() {
        let known = Known::<()>::new(10);
        known.put(id(1), "t", Err("Schema not found".to_owned()));
        assert_eq!(known.get(id(1), "t").unwrap().unwrap_err(), "Schema not found");
        tokio::time::advance(REFUSALS_COUNT_FOR).await;
        assert!(known.get(id(1), "t").is_none());
    }
}
