//! Where open files go that have no room in memory: pages of one file without a name on local disk, which the system removes with the process.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use connect_api::{Budget, Error, Result, config::Config};
use prometheus::IntGauge;
use tracing::warn;

use super::keys::{SPILL_DIRECTORY, SPILL_LIMIT};

/// What is smaller stays in memory.
pub(super) const PAGE: usize = 4 * 1024;

/// One page, in the arithmetic of files.
const PAGE_BYTES: u64 = PAGE as u64;

/// The disk of one task.
#[derive(Debug)]
pub(super) struct Spill {
    /// Those that may be tried, the first one that can be written to is taken.
    directories: Vec<PathBuf>,
    /// Somebody has named the directory.
    is_named: bool,
    /// So many pages it may have.
    most: u32,
    /// Made when the task begins: a directory that cannot be used is known before it is needed.
    file: OnceLock<(PathBuf, File)>,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    free: Vec<u32>,
    /// So many there have ever been.
    count: u32,
    bytes: Option<IntGauge>,
}

/// Bytes on disk, in whole pages; none to begin with. Dropping them frees their pages.
#[derive(Debug, Default)]
pub(super) struct Spilled {
    spill: Option<Arc<Spill>>,
    pages: Vec<u32>,
}

impl Spill {
    /// At most so many bytes in a file of this directory.
    #[cfg(test)]
    pub(super) fn new(directory: PathBuf, limit: u64) -> Arc<Self> {
        Self::in_first_of(vec![directory], true, limit)
    }

    fn in_first_of(directories: Vec<PathBuf>, is_named: bool, limit: u64) -> Arc<Self> {
        let most = u32::try_from(limit / PAGE_BYTES).unwrap_or(u32::MAX);
        Arc::new(Self { directories, is_named, most, file: OnceLock::new(), pages: Mutex::default() })
    }

    /// As the settings say.
    ///
    /// # Errors
    /// `Config` where they cannot be read.
    pub(super) fn of(config: &Config) -> Result<Arc<Self>> {
        let named = config.find(&SPILL_DIRECTORY)?.filter(|directory| !directory.is_empty()).map(PathBuf::from);
        let is_named = named.is_some();
        let directories = named.map_or_else(|| vec![PathBuf::from("/var/tmp"), std::env::temp_dir()], |named| vec![named]);
        Ok(Self::in_first_of(directories, is_named, u64::try_from(config.get(&SPILL_LIMIT)?).unwrap_or(u64::MAX)))
    }

    /// A task begins, which may read. `bytes` shows how many are there.
    ///
    /// # Errors
    /// `Config` where the directory that somebody has named cannot be written to.
    pub(super) fn begin(&self, bytes: IntGauge, budget: &Budget) -> Result<()> {
        budget.stop_reading(false);
        self.pages().bytes = Some(bytes);
        match self.file() {
            Err(error) if self.is_named => {
                Err(Error::config(format!("spill.directory: {} cannot be written to", self.directory().display()))
                    .with_source(error))
            }
            Err(error) => {
                let (directory, consequence) =
                    (self.directory().display(), "open files that memory has no room for pass memory.limit");
                warn!(%directory, %error, "no directory for open files can be written to: {consequence}; set spill.directory");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Whether there is a disk at all.
    pub(super) fn is_there(&self) -> bool {
        self.file().is_ok()
    }

    /// Where it is, or would be.
    pub(super) fn directory(&self) -> &Path {
        let last = || self.directories.last().map_or(Path::new(""), PathBuf::as_path);
        self.file.get().map_or_else(last, |(directory, _)| directory)
    }

    fn file(&self) -> io::Result<&File> {
        if let Some((_, file)) = self.file.get() {
            return Ok(file);
        }
        let mut refused = io::Error::from(io::ErrorKind::NotFound);
        for directory in &self.directories {
            match tempfile::tempfile_in(directory) {
                Ok(file) => return Ok(&self.file.get_or_init(|| (directory.clone(), file)).1),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Appends bytes in whole pages. On an error everything is as before.
    ///
    /// # Errors
    /// Where the disk does not take them, or the limit is reached.
    pub(super) fn append(self: &Arc<Self>, to: &mut Spilled, bytes: &[u8]) -> io::Result<()> {
        let file = self.file()?;
        let mut taken = self.pages().take(bytes.len() / PAGE, self.most)?;
        let written = bytes
            .chunks_exact(PAGE)
            .zip(&taken)
            .try_for_each(|(page, number)| file.write_all_at(page, u64::from(*number) * PAGE_BYTES));
        if let Err(error) = written {
            self.give_back(&mut taken);
            return Err(error);
        }
        to.spill.get_or_insert_with(|| Arc::clone(self));
        to.pages.append(&mut taken);
        Ok(())
    }

    fn give_back(&self, numbers: &mut Vec<u32>) {
        let mut pages = self.pages();
        pages.free.append(numbers);
        if pages.free.len() == usize::try_from(pages.count).unwrap_or_default() {
            (pages.count, pages.free) = (0, Vec::new());
            // Others may need the room; if the system keeps it, it is used again.
            let _kept = self.file.get().map(|(_, file)| file.set_len(0));
        }
        pages.tell();
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn take(&mut self, wanted: usize, most: u32) -> io::Result<Vec<u32>> {
        let new = u32::try_from(wanted.saturating_sub(self.free.len())).unwrap_or(u32::MAX);
        if self.count.checked_add(new).is_none_or(|count| count > most) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let mut taken = self.free.split_off(self.free.len() - wanted.min(self.free.len()));
        taken.extend(self.count..self.count + new);
        self.count += new;
        self.tell();
        Ok(taken)
    }

    fn tell(&self) {
        let pages = i64::from(self.count) - i64::try_from(self.free.len()).unwrap_or_default();
        self.bytes.iter().for_each(|gauge| gauge.set(pages * i64::try_from(PAGE).unwrap_or_default()));
    }
}

impl Spilled {
    /// How many bytes.
    pub(super) fn bytes(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Appends them to `out`.
    ///
    /// # Errors
    /// `Fatal` where the disk does not give them back.
    pub(super) fn read(&self, out: &mut Vec<u8>) -> Result<()> {
        let Some((directory, file)) = self.spill.as_ref().and_then(|spill| spill.file.get()) else { return Ok(()) };
        let mut at = out.len();
        out.resize(at + self.bytes(), 0);
        // Pages that follow each other are read together.
        for run in self.pages.chunk_by(|a, b| *b == a + 1) {
            let end = at + run.len() * PAGE;
            file.read_exact_at(&mut out[at..end], u64::from(run[0]) * PAGE_BYTES).map_err(|error| {
                Error::fatal(format!("what was put on disk in {} cannot be read", directory.display())).with_source(error)
            })?;
            at = end;
        }
        Ok(())
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        if let Some(spill) = self.spill.take() {
            spill.give_back(&mut self.pages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(fill: u8) -> Vec<u8> {
        vec![fill; PAGE]
    }

    /// Frees its pages, too.
    fn loaded(spilled: Spilled) -> Vec<u8> {
        let mut out = b"before".to_vec();
        spilled.read(&mut out).unwrap();
        drop(spilled);
        out.split_off(6)
    }

    #[test]
    fn what_was_appended_in_turns_comes_back_in_its_order_and_pages_are_used_again() {
        let directory = tempfile::tempdir().unwrap();
        let spill = Spill::new(directory.path().to_owned(), 6 * PAGE_BYTES);
        let (mut one, mut other) = (Spilled::default(), Spilled::default());
        for round in 0..3 {
            spill.append(&mut one, &page(round)).unwrap();
            spill.append(&mut other, &page(100 + round)).unwrap();
        }
        assert_eq!((one.bytes(), loaded(one)), (3 * PAGE, [page(0), page(1), page(2)].concat()));
        let mut third = Spilled::default();
        spill.append(&mut third, &[page(7), page(8), page(9)].concat()).unwrap();
        assert_eq!(spill.pages().count, 6);
        assert_eq!(loaded(other), [page(100), page(101), page(102)].concat());
        assert_eq!(loaded(third), [page(7), page(8), page(9)].concat());
        assert_eq!(spill.pages().count, 0, "all of it is given back");
        assert_eq!(spill.file().unwrap().metadata().unwrap().len(), 0);
        assert!(std::fs::read_dir(directory.path()).unwrap().next().is_none(), "it has no name");
    }

    #[test]
    fn beyond_the_limit_nothing_is_taken_and_nothing_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let spill = Spill::new(directory.path().to_owned(), 3 * PAGE_BYTES + 1);
        let mut one = Spilled::default();
        spill.append(&mut one, &[page(1), page(2)].concat()).unwrap();
        let refused = spill.append(&mut one, &[page(3), page(4)].concat()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::QuotaExceeded);
        spill.append(&mut one, &page(5)).unwrap();
        assert_eq!(loaded(one), [page(1), page(2), page(5)].concat());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let spill = Spill::new("/does/not/exist".into(), u64::MAX);
        assert!(spill.append(&mut Spilled::default(), &page(1)).is_err() && !spill.is_there());
        let gauge = || IntGauge::new("g", "g").unwrap();
        assert!(spill.begin(gauge(), &Budget::new(1)).is_err(), "somebody has named it");
        let fallback = tempfile::tempdir().unwrap();
        let usual = Spill::in_first_of(vec!["/does/not/exist".into(), fallback.path().to_owned()], false, u64::MAX);
        assert!(usual.begin(gauge(), &Budget::new(1)).is_ok() && usual.directory() == fallback.path());
        assert_eq!(loaded(Spilled::default()), b"");
    }
}
