//! Objects in this process's memory, by name of the store: for tests, benches and examples.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use connect_api::Storage;
use object_store::memory::InMemory;

use super::object_store::{Abilities, ObjectStorage};

const ABILITIES: Abilities = Abilities {
    metadata: true,
    update: true,
    piece_limit: None,
    limits: "keeps everything in memory: it is gone with the process",
};

static STORES: Mutex<Option<HashMap<String, Arc<ObjectStorage>>>> = Mutex::new(None);

/// The memory storage that `storage.class=memory` and `store.url=memory://name` mean, the same for everybody in this process.
pub fn memory_storage(name: &str) -> Arc<dyn Storage> {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let store = stores
        .get_or_insert_default()
        .entry(name.to_owned())
        .or_insert_with(|| Arc::new(ObjectStorage::new(Arc::new(InMemory::new()), ABILITIES)));
    store.clone()
}

/// The store's name in a URL.
pub(super) fn name(url: &str) -> &str {
    let url = url.trim();
    url.strip_prefix("memory://").unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use connect_api::testing::storage::run_all;

    use super::*;

    #[tokio::test]
    async fn memory_keeps_the_contract() {
        run_all(&*memory_storage("conformance"), "topics/").await;
    }

    #[test]
    fn a_store_is_the_same_for_everybody_who_names_it() {
        assert!(Arc::ptr_eq(&memory_storage("one"), &memory_storage("one")));
        assert!(!Arc::ptr_eq(&memory_storage("one"), &memory_storage("other")));
        assert_eq!([name("memory://one"), name("one"), name("")], ["one", "one", ""]);
    }
}
