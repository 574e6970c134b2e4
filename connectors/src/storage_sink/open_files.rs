//! The open files of one partition, by encoded partition and schema.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::open_file::OpenFile;

/// Which file: its encoded partition, and the fingerprint of its schema where each schema has a file of its own.
pub(super) type Which<'a> = (&'a str, Option<u64>);

/// At most one open file for each encoded partition and schema, in the order of their first offsets.
#[derive(Default)]
pub(super) struct OpenFiles {
    files: Vec<Entry>,
    /// The first file of each encoded partition. Asked for each record of another directory than the one before: not with the hash of the standard library, which
    /// costs more than the rest.
    places: HashMap<Arc<str>, usize, RandomState>,
    /// Records come in runs of one encoded partition: whoever is looked for is mostly whoever was found last.
    last_found: usize,
    /// Those that were written to since they were last looked at.
    touched: Vec<usize>,
}

struct Entry {
    encoded_partition: Arc<str>,
    schema: Option<u64>,
    file: OpenFile,
    /// The first file of its encoded partition.
    first: usize,
    /// Another one of its encoded partition.
    next: Option<usize>,
}

impl OpenFiles {
    /// The open file, for whoever writes to it.
    pub(super) fn get_mut(&mut self, which: Which<'_>) -> Option<&mut OpenFile> {
        let place = self.place_of(which)?;
        self.last_found = place;
        let Entry { file, .. } = self.files.get_mut(place)?;
        if !std::mem::replace(&mut file.is_touched, true) {
            file.is_cold = false;
            self.touched.push(place);
        }
        Some(file)
    }

    /// The same, for whoever only looks.
    pub(super) fn get(&self, which: Which<'_>) -> Option<&OpenFile> {
        self.files.get(self.place_of(which)?).map(|entry| &entry.file)
    }

    fn place_of(&self, (encoded_partition, schema): Which<'_>) -> Option<usize> {
        let first = match self.files.get(self.last_found) {
            Some(last) if *last.encoded_partition == *encoded_partition => {
                if last.schema == schema {
                    return Some(self.last_found);
                }
                last.first
            }
            _ => *self.places.get(encoded_partition)?,
        };
        let mut files = std::iter::successors(Some(first), |place| self.files.get(*place)?.next);
        files.find(|place| self.files.get(*place).is_some_and(|entry| entry.schema == schema))
    }

    /// Whether this very file is open.
    pub(super) fn has(&self, which: Which<'_>) -> bool {
        self.place_of(which).is_some()
    }

    /// Whether an encoded partition has an open file.
    pub(super) fn has_any_in(&self, encoded_partition: &str) -> bool {
        self.places.contains_key(encoded_partition)
    }

    /// Adds a file that is not open; its first offset is the highest.
    pub(super) fn insert(&mut self, (encoded_partition, schema): Which<'_>, mut file: OpenFile) {
        let place = self.files.len();
        self.last_found = place;
        file.is_touched = true;
        self.touched.push(place);
        let (first, next, encoded_partition) = match self.places.get(encoded_partition).and_then(|first| self.files.get_mut(*first))
        {
            Some(entry) => (entry.first, entry.next.replace(place), Arc::clone(&entry.encoded_partition)),
            None => {
                let encoded_partition: Arc<str> = encoded_partition.into();
                self.places.insert(Arc::clone(&encoded_partition), place);
                (place, None, encoded_partition)
            }
        };
        self.files.push(Entry { encoded_partition, schema, file, first, next });
    }

    /// Takes all files, in the order of their first offsets.
    pub(super) fn take(&mut self) -> impl ExactSizeIterator<Item = OpenFile> + use<> {
        self.places.clear();
        self.touched.clear();
        std::mem::take(&mut self.files).into_iter().map(|entry| entry.file)
    }

    /// Has all files looked at, written to or not.
    pub(super) fn touch_all(&mut self) {
        self.touched = (0..self.files.len()).collect();
    }

    /// Looks at each file that was written to since the last time.
    pub(super) fn for_each_touched(&mut self, mut look: impl FnMut(&mut OpenFile)) {
        for place in self.touched.drain(..) {
            let Some(Entry { file, .. }) = self.files.get_mut(place) else { continue };
            file.is_touched = false;
            look(file);
        }
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut OpenFile> {
        self.files.iter_mut().map(|entry| &mut entry.file)
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }
}

#[cfg(test)]
mod tests {
    use connect_api::Budget;

    use super::*;
    use crate::storage_sink::{config::StorageSinkConfig, open_file::Begins};

    #[test]
    fn each_schema_of_each_directory_has_a_file_that_is_found_in_whatever_order_it_is_asked_for() {
        let settings = [("format.class", "JsonFormat"), ("flush.size", "1")].into_iter().collect();
        let config = StorageSinkConfig::new(&settings, &crate::plugins()).unwrap();
        let begin = |first_offset| {
            let begins = Begins { first_offset, tombstones: false, only_schema: None };
            OpenFile::new(&config, "", begins, |_| false, false, &Budget::new(1 << 30)).unwrap()
        };
        let all = [("a", Some(1)), ("b", Some(1)), ("a", Some(2)), ("a", None), ("b", Some(2)), ("c", None), ("a", Some(3))];
        let mut files = OpenFiles::default();
        for (which, first_offset) in all.into_iter().zip(0..) {
            assert!(!files.has(which) && files.get_mut(which).is_none());
            files.insert(which, begin(first_offset));
        }
        for step in 0..50 {
            let place = step * step % all.len();
            let found = files.get_mut(all[place]).map(|file| usize::try_from(file.range.first_offset).unwrap());
            assert_eq!(found, Some(place));
        }
        assert!(files.get(("b", Some(3))).is_none() && !files.has(("d", None)) && !files.has_any_in("d") && files.has_any_in("c"));
        assert_eq!((files.len(), files.take().map(|file| file.range.first_offset).collect()), (7, (0..7).collect::<Vec<i64>>()));
        assert!(!files.has(all[0]));
    }
}
