//! The open files of one partition, by encoded partition.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

use super::open_file::OpenFile;

/// At most one open file for each encoded partition, in the order of their first offsets.
#[derive(Default)]
pub(super) struct OpenFiles {
    files: Vec<(Arc<str>, OpenFile)>,
    /// Asked for each record of another directory than the one before: not with the hash of the standard library, which costs more than the rest.
    places: HashMap<Arc<str>, usize, RandomState>,
    /// Records come in runs of one encoded partition: whoever is looked for is mostly whoever was found last.
    last_found: usize,
    /// Those that were written to since they were last looked at.
    touched: Vec<usize>,
}

impl OpenFiles {
    /// The open file of an encoded partition.
    pub(super) fn get_mut(&mut self, encoded_partition: &str) -> Option<&mut OpenFile> {
        let place = self.place_of(encoded_partition)?;
        self.last_found = place;
        let (_, file) = self.files.get_mut(place)?;
        if !std::mem::replace(&mut file.is_touched, true) {
            file.is_cold = false;
            self.touched.push(place);
        }
        Some(file)
    }

    /// The same, for whoever only looks.
    pub(super) fn get(&self, encoded_partition: &str) -> Option<&OpenFile> {
        self.files.get(self.place_of(encoded_partition)?).map(|(_, file)| file)
    }

    fn place_of(&self, encoded_partition: &str) -> Option<usize> {
        match self.files.get(self.last_found) {
            Some((name, _)) if **name == *encoded_partition => Some(self.last_found),
            _ => self.places.get(encoded_partition).copied(),
        }
    }

    /// Whether an encoded partition has an open file.
    pub(super) fn has(&self, encoded_partition: &str) -> bool {
        self.places.contains_key(encoded_partition)
    }

    /// Adds the file of an encoded partition that has none; its first offset is the highest.
    pub(super) fn insert(&mut self, encoded_partition: &str, mut file: OpenFile) {
        let name: Arc<str> = encoded_partition.into();
        self.last_found = self.files.len();
        file.is_touched = true;
        self.touched.push(self.last_found);
        self.places.insert(Arc::clone(&name), self.last_found);
        self.files.push((name, file));
    }

    /// Takes all files, in the order of their first offsets.
    pub(super) fn take(&mut self) -> impl ExactSizeIterator<Item = OpenFile> + use<> {
        self.places.clear();
        self.touched.clear();
        std::mem::take(&mut self.files).into_iter().map(|(_, file)| file)
    }

    /// Has all files looked at, written to or not.
    pub(super) fn touch_all(&mut self) {
        self.touched = (0..self.files.len()).collect();
    }

    /// Looks at each file that was written to since the last time.
    pub(super) fn for_each_touched(&mut self, mut look: impl FnMut(&mut OpenFile)) {
        for place in self.touched.drain(..) {
            let Some((_, file)) = self.files.get_mut(place) else { continue };
            file.is_touched = false;
            look(file);
        }
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut OpenFile> {
        self.files.iter_mut().map(|(_, file)| file)
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }
}
