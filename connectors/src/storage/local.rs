//! Objects as files of a directory.

use std::{path::PathBuf, sync::Arc};

use connect_api::{
    PieceLimit,
    config::{AnyConfigKey, Config},
};
use object_store::{local::LocalFileSystem, path::Path, prefix::PrefixStore};

use super::{
    STORE_URL,
    object_store::{Abilities, ObjectStorage, length_of},
};

/// What file systems take as the name of a file or a directory, in bytes.
const LONGEST: usize = 255;
/// A file has a number behind a `#` while it is written: `#1`, unless others are left from before.
const WHILE_WRITTEN: usize = "#999".len();

const ABILITIES: Abilities = Abilities {
    metadata: false,
    update: false,
    piece_limit: Some(PieceLimit { longest_directory: LONGEST, longest_file: LONGEST - WHILE_WRITTEN, length: length_of }),
    limits: "a local directory keeps no metadata, and its files are looked at before they are replaced, which a stale writer can slip through",
};

/// The directory that `store.url` names.
///
/// # Errors
/// Why it names none.
pub(super) fn directory(config: &Config) -> Result<Path, String> {
    let url = config.text(STORE_URL.name()).unwrap_or_default().trim();
    let path = url.strip_prefix("file://").filter(|path| path.starts_with('/'));
    let Some(path) = path else {
        return Err(format!("`{}` must be file:///directory where `storage.class` is `local`", STORE_URL.name()));
    };
    Path::from_absolute_path(PathBuf::from(path)).map_err(|error| format!("`{}` names no directory: {error}", STORE_URL.name()))
}

/// The storage of a directory, which is made with its first file. Files and directories are flushed to disk before they count.
pub(super) fn open(directory: &Path) -> ObjectStorage {
    let files = LocalFileSystem::new().with_fsync(true);
    ObjectStorage::new(Arc::new(PrefixStore::new(files, directory.clone())), ABILITIES)
}

#[cfg(test)]
mod tests {
    use connect_api::{Body, Completion, Condition, Cursor, ObjectMetadata, Storage, testing::storage::run_all};

    use super::*;

    fn config(url: &str) -> Config {
        [("storage.class", "local"), ("store.url", url)].into_iter().collect()
    }

    #[tokio::test]
    async fn a_directory_keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("file://{}/made on demand", directory.path().display());
        run_all(&open(&super::directory(&config(&url)).unwrap()), "topics/").await;
    }

    #[tokio::test]
    async fn ordinary_names_are_files_of_that_name() {
        let directory = tempfile::tempdir().unwrap();
        let storage = open(&super::directory(&config(&format!("file://{}", directory.path().display()))).unwrap());
        let body: Body = vec!["x".into()];
        let key = "topics/orders/partition=0/orders+0+0000000000.json";
        let made = storage.put(key, body, &ObjectMetadata::new(), &Condition::NameFree).await.unwrap();
        assert_eq!(made, Completion::Created);
        assert_eq!(std::fs::read(directory.path().join(key)).unwrap(), b"x");
    }

    #[tokio::test]
    async fn pages_have_every_name_once_though_paths_sort_otherwise_than_names() {
        let directory = tempfile::tempdir().unwrap();
        let storage = open(&super::directory(&config(&format!("file://{}", directory.path().display()))).unwrap());
        let odd = ["", "#", "%", "$", "\t", "\u{7f}", "/", "/.", ".", "x", "ü"];
        let mut made: Vec<_> = (0..200).flat_map(|number| odd.map(|part| format!("t/{part}/{number}"))).collect();
        for name in &made {
            storage.put(name, Vec::new(), &ObjectMetadata::new(), &Condition::NameFree).await.unwrap();
        }
        made.sort_unstable();
        for (start, expected) in [(Cursor::Start, &made[..]), (Cursor::After(made[1_100].clone()), &made[1_101..])] {
            let (mut names, mut cursor) = (Vec::new(), Some(start));
            while let Some(at) = cursor {
                let page = storage.list("t/", &at).await.unwrap();
                assert!(page.names.len() <= 1_000);
                names.extend(page.names);
                cursor = page.next;
            }
            names.sort_unstable();
            names.retain(|name| expected.contains(name));
            assert!(names == expected, "{} names of {}", names.len(), expected.len());
        }
    }

    #[tokio::test]
    async fn every_upload_that_is_named_abandoned_is_aborted_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let storage = open(&super::directory(&config(&format!("file://{}", directory.path().display()))).unwrap());
        for name in ["t/1.json", "t/2.json", "t/1.json", "t/1.json.gz", "other/1.json"] {
            let upload = storage.start_upload(name, &ObjectMetadata::new()).await.unwrap();
            upload.put_part(0, vec!["x".into()]).await.unwrap();
        }
        let abort = async |prefix| storage.abort_uploads(prefix, &|name| name.ends_with(".json")).await.unwrap();
        assert_eq!(abort("t/").await, 3);
        assert_eq!(abort("").await, 1);
        assert_eq!(abort("").await, 0);
    }

    #[test]
    fn a_directory_must_be_an_absolute_file_url() {
        for url in ["", "directory", "/directory", "http://host/directory", "file://directory"] {
            let reason = directory(&config(url)).unwrap_err();
            assert!(reason.contains("file:///directory"), "{url}: {reason}");
        }
    }

    #[tokio::test]
    async fn a_name_that_is_also_a_directory_is_fatal_rather_than_tried_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let storage = open(&super::directory(&config(&format!("file://{}", directory.path().display()))).unwrap());
        let put = |key| storage.put(key, Vec::new(), const { &ObjectMetadata::new() }, &Condition::NameFree);
        put("a/b").await.unwrap();
        assert_eq!(put("a/b/c").await.unwrap_err().kind(), connect_api::ErrorKind::Fatal);
    }

    #[tokio::test]
    async fn names_of_the_longest_pieces_are_kept_and_longer_ones_are_known_before() {
        let directory = tempfile::tempdir().unwrap();
        let storage = open(&super::directory(&config(&format!("file://{}", directory.path().display()))).unwrap());
        let limit = storage.piece_limit().unwrap();
        // What is escaped has three characters in place of one.
        for (letter, width) in [("a", 1), ("\u{e9}", 2), ("%", 1), ("~", 3), ("#", 3)] {
            let (directory, file) = (letter.repeat(255 / width), letter.repeat(251 / width));
            let key = format!("{directory}/{file}");
            assert_eq!(limit.broken_by(&key), None, "{letter}");
            let made = storage.put(&key, vec!["x".into()], &ObjectMetadata::new(), &Condition::NameFree).await.unwrap();
            assert_eq!(made, Completion::Created, "{letter}");
            let upload = storage.start_upload(&key, &ObjectMetadata::new()).await.unwrap();
            upload.put_part(0, vec!["x".into()]).await.unwrap();
            assert_eq!(upload.complete(&Condition::NameFree).await.unwrap(), Completion::NameTaken, "{letter}");
            let longer = [format!("{directory}{}/f", letter.repeat(2)), format!("d/{file}{}", letter.repeat(5))];
            for key in longer {
                assert!(limit.broken_by(&key).is_some(), "{letter}");
                assert!(storage.put(&key, Vec::new(), &ObjectMetadata::new(), &Condition::NameFree).await.is_err(), "{letter}");
            }
        }
    }
}
