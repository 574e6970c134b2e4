//! Objects in parts.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

use super::{assert_metadata, assert_one_winner, body, content, join_all, listing::names, put, some_metadata, text, version};
use crate::{Completion, Condition, ObjectMetadata, Result, Storage};

/// The smallest part that S3 accepts, but for the last.
const PART: usize = 5 << 20;

pub(super) async fn parts_become_an_object_when_they_are_completed(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}whole");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(0, vec![Bytes::from(vec![b'a'; PART - 1]), Bytes::from_static(b"b")]).await?;
    upload.put_part(1, body("end")).await?;
    assert_eq!(storage.head(&key).await?, None);
    assert_eq!(names(storage, prefix).await?, Vec::<String>::new());
    assert_eq!(upload.complete(&Condition::NameFree).await?, Completion::Created);

    assert_eq!(storage.head(&key).await?.map(|object| object.size), Some(PART as u64 + 3));
    let content = content(storage, &key).await?.unwrap_or_default();
    assert!(content.len() == PART + 3 && content.ends_with(b"aabend"), "{} bytes", content.len());
    assert_eq!(names(storage, prefix).await?, [key]);
    Ok(())
}

pub(super) async fn parts_may_come_in_any_order_and_again(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}whole");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(2, body("wrong")).await?;
    let parts = [(2, body("end")), (0, vec![Bytes::from(vec![b'0'; PART])]), (1, vec![Bytes::from(vec![b'1'; PART])])];
    for sent in join_all(parts.map(|(number, part)| upload.put_part(number, part)).into()).await {
        sent?;
    }
    assert_eq!(upload.complete(&Condition::NameFree).await?, Completion::Created);
    let content = content(storage, &key).await?.unwrap_or_default();
    assert_eq!(content.len(), 2 * PART + 3);
    let edges = [0, PART - 1, PART, 2 * PART - 1, 2 * PART].map(|at| char::from(content[at]));
    assert_eq!(edges, ['0', '0', '1', '1', 'e']);
    Ok(())
}

pub(super) async fn an_upload_keeps_its_metadata_or_the_absence_is_stated(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}described");
    let upload = storage.start_upload(&key, &some_metadata()).await?;
    upload.put_part(0, body("x")).await?;
    upload.complete(&Condition::NameFree).await?;
    assert_metadata(storage, &key).await
}

pub(super) async fn an_upload_does_not_take_a_taken_name(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}taken");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(0, body("second")).await?;
    put(storage, &key, "first").await?;
    assert_eq!(upload.complete(&Condition::NameFree).await?, Completion::NameTaken);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("first"));

    let seen = version(storage, &key).await?;
    assert_eq!(upload.complete(&Condition::Unchanged(seen)).await?, Completion::Created);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("second"));
    Ok(())
}

pub(super) async fn an_upload_does_not_replace_an_object_that_changed(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}changed");
    put(storage, &key, "first").await?;
    let seen = Condition::Unchanged(version(storage, &key).await?);
    storage.put(&key, body("the second"), &ObjectMetadata::new(), &seen).await?;
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(0, body("third")).await?;
    assert_eq!(upload.complete(&seen).await?, Completion::NameTaken);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("the second"));
    upload.abort().await
}

pub(super) async fn an_aborted_upload_leaves_nothing(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}aborted");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(0, body("x")).await?;
    upload.abort().await?;
    assert_eq!(names(storage, prefix).await?, Vec::<String>::new());
    assert_eq!(put(storage, &key, "y").await?, Completion::Created);
    Ok(())
}

pub(super) async fn only_uploads_that_are_named_abandoned_are_aborted(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let mut uploads = Vec::new();
    for name in ["a/1.json", "a/1.json.gz", "b/1.json"] {
        let upload = storage.start_upload(&format!("{prefix}{name}"), &ObjectMetadata::new()).await?;
        upload.put_part(0, body("x")).await?;
        uploads.push(upload);
    }
    let asked = Mutex::new(BTreeSet::new());
    let is_abandoned = |name: &str| {
        asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        name.ends_with(".json")
    };

    // Best effort: a store that cannot list uploads aborts none.
    let aborted = storage.abort_uploads(&format!("{prefix}a/"), &is_abandoned).await?;
    assert!(aborted <= 1, "{aborted} uploads were aborted");
    assert_eq!(storage.abort_uploads(&format!("{prefix}a/"), &is_abandoned).await?, 0);
    assert_eq!(storage.abort_uploads(&format!("{prefix}c/"), &is_abandoned).await?, 0);
    let asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(asked.iter().all(|name| name.starts_with(&format!("{prefix}a/"))), "asked about {asked:?}");
    for kept in &uploads[1..] {
        assert_eq!(kept.complete(&Condition::NameFree).await?, Completion::Created);
    }
    assert_eq!(names(storage, prefix).await?, ["a/1.json.gz", "b/1.json"].map(|name| format!("{prefix}{name}")));
    Ok(())
}

pub(super) async fn of_many_completions_at_once_one_wins(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}raced");
    let contents: Vec<_> = (0..8).map(|racer| format!("racer {racer}")).collect();
    let mut uploads = Vec::new();
    for content in &contents {
        let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
        upload.put_part(0, body(content)).await?;
        uploads.push(upload);
    }
    let results = join_all(uploads.iter().map(|upload| upload.complete(&Condition::NameFree)).collect()).await;
    assert_one_winner(storage, &key, &contents, results).await
}
