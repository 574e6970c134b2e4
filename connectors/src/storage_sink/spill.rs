//! Where open files go that have no room in memory: pages of one file without a name on local disk, which the system removes with the process.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use connect_api::{Budget, Error, Result, config::Config};
use prometheus::IntGauge;

use super::keys::{SPILL_DIRECTORY, SPILL_LIMIT};

/// What is smaller stays in memory.
pub(super) const PAGE: usize = 4 * 1024;

/// One page, in the arithmetic of files.
const PAGE_BYTES: u64 = PAGE as u64;

/// The disk of one task.
#[derive(Debug)]
pub(super) struct Spill {
    directory: PathBuf,
    /// So many pages it may have.
    most: u32,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    /// Made when it is needed.
    file: Option<File>,
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
    pub(super) fn new(directory: PathBuf, limit: u64) -> Arc<Self> {
        let most = u32::try_from(limit / PAGE_BYTES).unwrap_or(u32::MAX);
        Arc::new(Self { directory, most, pages: Mutex::default() })
    }

    /// As the settings say.
    ///
    /// # Errors
    /// `Config` where they cannot be read.
    pub(super) fn of(config: &Config) -> Result<Arc<Self>> {
        let usual = || Some(PathBuf::from("/var/tmp")).filter(|directory| directory.is_dir()).unwrap_or_else(std::env::temp_dir);
        let directory = config.find(&SPILL_DIRECTORY)?.filter(|directory| !directory.is_empty());
        Ok(Self::new(directory.map_or_else(usual, PathBuf::from), u64::try_from(config.get(&SPILL_LIMIT)?).unwrap_or(u64::MAX)))
    }

    /// A task begins, which may read. `bytes` shows how many are there.
    pub(super) fn begin(&self, bytes: IntGauge, budget: &Budget) {
        budget.stop_reading(false);
        self.pages().bytes = Some(bytes);
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Appends bytes in whole pages. On an error everything is as before.
    ///
    /// # Errors
    /// Where the disk does not take them, or the limit is reached.
    pub(super) fn append(self: &Arc<Self>, to: &mut Spilled, bytes: &[u8]) -> io::Result<()> {
        let mut pages = self.pages();
        let mut taken = Vec::with_capacity(bytes.len() / PAGE);
        let written = pages.write(self, bytes, &mut taken);
        if written.is_err() {
            pages.free.append(&mut taken);
        }
        pages.tell();
        drop(pages);
        written?;
        to.spill.get_or_insert_with(|| Arc::clone(self));
        to.pages.append(&mut taken);
        Ok(())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn write(&mut self, spill: &Spill, bytes: &[u8], taken: &mut Vec<u32>) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&spill.directory)?),
        };
        for page in bytes.chunks_exact(PAGE) {
            let number = match self.free.pop() {
                Some(number) => number,
                None if self.count < spill.most => {
                    self.count += 1;
                    self.count - 1
                }
                None => return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "spill.limit.bytes is reached")),
            };
            taken.push(number);
            file.write_all_at(page, u64::from(number) * PAGE_BYTES)?;
        }
        Ok(())
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

    /// Appends them to `out`, and frees their pages.
    ///
    /// # Errors
    /// `Fatal` where the disk does not give them back.
    pub(super) fn load(self, out: &mut Vec<u8>) -> Result<()> {
        let Some(spill) = &self.spill else { return Ok(()) };
        let mut at = out.len();
        out.resize(at + self.bytes(), 0);
        let pages = spill.pages();
        // Pages that follow each other are read together.
        for run in self.pages.chunk_by(|a, b| *b == a + 1) {
            let end = at + run.len() * PAGE;
            let read = pages.file.as_ref().map(|file| file.read_exact_at(&mut out[at..end], u64::from(run[0]) * PAGE_BYTES));
            read.unwrap_or_else(|| Err(io::ErrorKind::NotFound.into())).map_err(|error| {
                Error::fatal(format!("what was put on disk in {} cannot be read", spill.directory.display())).with_source(error)
            })?;
            at = end;
        }
        Ok(())
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        if let Some(spill) = &self.spill {
            let mut pages = spill.pages();
            pages.free.append(&mut self.pages);
            pages.tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(fill: u8) -> Vec<u8> {
        vec![fill; PAGE]
    }

    fn loaded(spilled: Spilled) -> Vec<u8> {
        let mut out = b"before".to_vec();
        spilled.load(&mut out).unwrap();
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
        assert_eq!(loaded(other), [page(100), page(101), page(102)].concat());
        assert_eq!(loaded(third), [page(7), page(8), page(9)].concat());
        assert_eq!(spill.pages().count, 6);
        assert!(std::fs::read_dir(directory.path()).unwrap().next().is_none(), "it has no name");
    }

    #[test]
    fn beyond_the_limit_nothing_is_taken_and_nothing_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let spill = Spill::new(directory.path().to_owned(), 3 * PAGE_BYTES + 1);
        let mut one = Spilled::default();
        spill.append(&mut one, &[page(1), page(2)].concat()).unwrap();
        let refused = spill.append(&mut one, &[page(3), page(4)].concat()).unwrap_err();
        assert!(refused.to_string().contains("spill.limit.bytes"), "{refused}");
        spill.append(&mut one, &page(5)).unwrap();
        assert_eq!(loaded(one), [page(1), page(2), page(5)].concat());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let spill = Spill::new("/does/not/exist".into(), u64::MAX);
        assert!(spill.append(&mut Spilled::default(), &page(1)).is_err());
        assert_eq!(loaded(Spilled::default()), b"");
    }
}
