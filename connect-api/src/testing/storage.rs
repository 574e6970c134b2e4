//! What every [`Storage`] does: one function per clause of its contract.
//!
//! Each clause works under the prefix it is given, on names that nobody else uses, and panics where the storage breaks its word.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use bytes::Bytes;

use crate::{Body, Completion, Condition, Error, ObjectMetadata, Result, Storage, Version};

/// The smallest part that S3 accepts, but for the last.
const PART: usize = 5 << 20;

type Clause = for<'a> fn(&'a dyn Storage, &'a str) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

macro_rules! clauses {
    ($($name:ident),* $(,)?) => {
        /// All clauses by name.
        const CLAUSES: &[(&str, Clause)] = &[$((stringify!($name), |storage, prefix| Box::pin($name(storage, prefix)))),*];
    };
}

clauses! {
    a_usable_storage_passes_its_check,
    what_was_put_is_there,
    an_empty_object_is_an_object,
    pieces_are_joined_in_order,
    metadata_comes_back_or_its_absence_is_stated,
    what_nobody_put_is_not_there,
    a_taken_name_stays_as_it_is,
    an_object_that_was_seen_can_be_replaced,
    an_object_that_changed_is_not_replaced,
    an_object_that_is_gone_is_not_replaced,
    a_listing_has_the_names_with_the_prefix_in_byte_order,
    a_listing_begins_after_a_name,
    a_listing_is_whole_however_long,
    names_keep_unusual_characters,
    names_keep_empty_parts,
    parts_become_an_object_when_they_are_completed,
    parts_may_come_in_any_order_and_again,
    an_upload_keeps_its_metadata_or_the_absence_is_stated,
    an_upload_does_not_take_a_taken_name,
    an_upload_does_not_replace_an_object_that_changed,
    an_aborted_upload_leaves_nothing,
    abandoned_uploads_are_aborted_by_prefix,
    calls_may_be_made_at_once,
    of_many_puts_at_once_one_wins,
    of_many_completions_at_once_one_wins,
}

/// Runs every clause.
///
/// # Panics
/// Where the storage breaks its word.
pub async fn run_all(storage: &dyn Storage, prefix: &str) {
    run_all_but(storage, prefix, &[]).await;
}

/// Runs every clause but some, which a store is known to break.
///
/// # Panics
/// Where the storage breaks its word, and where a name is not one of a clause.
pub async fn run_all_but(storage: &dyn Storage, prefix: &str, skipped: &[&str]) {
    for name in skipped {
        assert!(CLAUSES.iter().any(|(clause, _)| clause == name), "{name} is not a clause");
    }
    for (name, clause) in CLAUSES.iter().filter(|(name, _)| !skipped.contains(name)) {
        if let Err(error) = clause(storage, &format!("{prefix}{name}/")).await {
            panic!("{name}: {}", error.report());
        }
    }
}

fn body(text: &str) -> Body {
    vec![Bytes::copy_from_slice(text.as_bytes())]
}

fn some_metadata() -> ObjectMetadata {
    [("first-offset", "17"), ("history", "a b/c=d"), ("count", "3")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

async fn put(storage: &dyn Storage, key: &str, text: &str) -> Result<Completion> {
    storage.put(key, body(text), &ObjectMetadata::new(), &Condition::NameFree).await
}

async fn text(storage: &dyn Storage, key: &str) -> Result<Option<String>> {
    Ok(storage.get(key).await?.map(|content| String::from_utf8_lossy(&content).into_owned()))
}

async fn version(storage: &dyn Storage, key: &str) -> Result<Version> {
    let object = storage.head(key).await?.ok_or_else(|| Error::fatal(format!("{key} is not there")))?;
    Ok(object.version)
}

/// All futures to their ends, side by side in one task.
async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

async fn a_usable_storage_passes_its_check(storage: &dyn Storage, _prefix: &str) -> Result<()> {
    storage.check().await
}

async fn what_was_put_is_there(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}t/partition=0/t+0+0000000000.json");
    assert_eq!(put(storage, &key, "content").await?, Completion::Created);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("content"));
    assert_eq!(storage.head(&key).await?.map(|object| object.size), Some(7));
    Ok(())
}

async fn an_empty_object_is_an_object(storage: &dyn Storage, prefix: &str) -> Result<()> {
    for (key, body) in [(format!("{prefix}nothing"), Vec::new()), (format!("{prefix}empty"), vec![Bytes::new()])] {
        assert_eq!(storage.put(&key, body, &ObjectMetadata::new(), &Condition::NameFree).await?, Completion::Created);
        assert_eq!(storage.head(&key).await?.map(|object| object.size), Some(0));
        assert_eq!(storage.get(&key).await?, Some(Bytes::new()));
    }
    Ok(())
}

async fn pieces_are_joined_in_order(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}pieces");
    let pieces: Body = (0..100).map(|number| Bytes::from(format!("{number},").repeat(1000))).collect();
    let whole = pieces.concat();
    assert_eq!(storage.put(&key, pieces, &ObjectMetadata::new(), &Condition::NameFree).await?, Completion::Created);
    assert!(storage.get(&key).await?.is_some_and(|content| content == whole), "the content is not the pieces in order");
    Ok(())
}

async fn metadata_comes_back_or_its_absence_is_stated(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}described");
    storage.put(&key, body("x"), &some_metadata(), &Condition::NameFree).await?;
    assert_metadata(storage, &key).await
}

async fn assert_metadata(storage: &dyn Storage, key: &str) -> Result<()> {
    let metadata = storage.head(key).await?.map(|object| object.metadata).unwrap_or_default();
    if storage.limits().contains("keeps no metadata") {
        assert_eq!(metadata, ObjectMetadata::new());
    } else {
        assert_eq!(metadata, some_metadata());
    }
    Ok(())
}

async fn what_nobody_put_is_not_there(storage: &dyn Storage, prefix: &str) -> Result<()> {
    assert_eq!(storage.head(&format!("{prefix}missing")).await?, None);
    assert_eq!(storage.get(&format!("{prefix}missing")).await?, None);
    assert_eq!(storage.list(&format!("{prefix}missing/"), None).await?, Vec::<String>::new());
    Ok(())
}

async fn a_taken_name_stays_as_it_is(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}taken");
    put(storage, &key, "first").await?;
    let before = version(storage, &key).await?;
    assert_eq!(put(storage, &key, "second").await?, Completion::NameTaken);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("first"));
    assert_eq!(version(storage, &key).await?, before);
    Ok(())
}

async fn an_object_that_was_seen_can_be_replaced(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}replaced");
    put(storage, &key, "first").await?;
    let seen = version(storage, &key).await?;
    let replaced = storage.put(&key, body("the second"), &some_metadata(), &Condition::Unchanged(seen.clone())).await?;
    assert_eq!(replaced, Completion::Created);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("the second"));
    assert_ne!(version(storage, &key).await?, seen);
    assert_metadata(storage, &key).await
}

async fn an_object_that_changed_is_not_replaced(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}changed");
    put(storage, &key, "first").await?;
    let seen = Condition::Unchanged(version(storage, &key).await?);
    storage.put(&key, body("the second"), &ObjectMetadata::new(), &seen).await?;
    assert_eq!(storage.put(&key, body("third"), &ObjectMetadata::new(), &seen).await?, Completion::NameTaken);
    assert_eq!(text(storage, &key).await?.as_deref(), Some("the second"));
    Ok(())
}

async fn an_object_that_is_gone_is_not_replaced(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}gone");
    put(storage, &format!("{prefix}there"), "x").await?;
    let condition = Condition::Unchanged(version(storage, &format!("{prefix}there")).await?);
    assert_eq!(storage.put(&key, body("x"), &ObjectMetadata::new(), &condition).await?, Completion::NameTaken);
    assert_eq!(storage.head(&key).await?, None);
    Ok(())
}

async fn a_listing_has_the_names_with_the_prefix_in_byte_order(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let names = ["a-b/1", "a/1", "a/10", "a/2", "a/2.json", "a/b/c", "a0", "b/1"].map(|name| format!("{prefix}{name}"));
    for name in names.iter().rev() {
        put(storage, name, "x").await?;
    }
    assert_eq!(storage.list(prefix, None).await?, names);
    assert_eq!(storage.list(&format!("{prefix}a/"), None).await?, names[1..6]);
    assert_eq!(storage.list(&format!("{prefix}a/2"), None).await?, names[3..5]);
    assert_eq!(storage.list(&format!("{prefix}a"), None).await?, names[..7]);
    Ok(())
}

async fn a_listing_begins_after_a_name(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let names = ["t+0+1", "t+0+2", "t+0+3"].map(|name| format!("{prefix}{name}"));
    for name in &names {
        put(storage, name, "x").await?;
    }
    assert_eq!(storage.list(prefix, Some(&names[0])).await?, names[1..]);
    assert_eq!(storage.list(prefix, Some(&format!("{prefix}t+0+10"))).await?, names[1..]);
    assert_eq!(storage.list(prefix, Some(&names[2])).await?, Vec::<String>::new());
    Ok(())
}

async fn a_listing_is_whole_however_long(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let names: Vec<_> = (0..1_010).map(|number| format!("{prefix}t+0+{number:010}.json")).collect();
    for some in names.chunks(64) {
        for made in join_all(some.iter().map(|name| put(storage, name, "x")).collect()).await {
            made?;
        }
    }
    assert_eq!(storage.list(prefix, None).await?, names);
    assert_eq!(storage.list(prefix, Some(&names[4])).await?, names[5..]);
    Ok(())
}

async fn names_keep_unusual_characters(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let parts = ["+", "=", "%", "%2F", "a b", ":", "&amp;", "<>", "\"'", "~!*()", "ü", "😀", "#1", "?x=1", ".hidden"];
    let mut names: Vec<_> = parts.iter().map(|part| format!("{prefix}{part}.json")).collect();
    for name in &names {
        assert_eq!(put(storage, name, name).await?, Completion::Created, "{name}");
    }
    for name in &names {
        assert_eq!(text(storage, name).await?.as_ref(), Some(name));
    }
    names.sort_unstable();
    assert_eq!(storage.list(prefix, None).await?, names);
    Ok(())
}

async fn names_keep_empty_parts(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let names = ["a//b", "a/b"].map(|name| format!("{prefix}{name}"));
    for name in &names {
        assert_eq!(put(storage, name, name).await?, Completion::Created, "{name}");
    }
    for name in &names {
        assert_eq!(text(storage, name).await?.as_ref(), Some(name));
    }
    assert_eq!(storage.list(prefix, None).await?, names);
    assert_eq!(storage.list(&format!("{prefix}a//"), None).await?, names[..1]);
    Ok(())
}

async fn parts_become_an_object_when_they_are_completed(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}whole");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(0, vec![Bytes::from(vec![b'a'; PART - 1]), Bytes::from_static(b"b")]).await?;
    upload.put_part(1, body("end")).await?;
    assert_eq!(storage.head(&key).await?, None);
    assert_eq!(storage.list(prefix, None).await?, Vec::<String>::new());
    assert_eq!(upload.complete(&Condition::NameFree).await?, Completion::Created);

    assert_eq!(storage.head(&key).await?.map(|object| object.size), Some(PART as u64 + 3));
    let content = storage.get(&key).await?.unwrap_or_default();
    assert!(content.len() == PART + 3 && content.ends_with(b"aabend"), "{} bytes", content.len());
    assert_eq!(storage.list(prefix, None).await?, [key]);
    Ok(())
}

async fn parts_may_come_in_any_order_and_again(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}whole");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(2, body("wrong")).await?;
    let parts = [(2, body("end")), (0, vec![Bytes::from(vec![b'0'; PART])]), (1, vec![Bytes::from(vec![b'1'; PART])])];
    for sent in join_all(parts.map(|(number, part)| upload.put_part(number, part)).into()).await {
        sent?;
    }
    assert_eq!(upload.complete(&Condition::NameFree).await?, Completion::Created);
    let content = storage.get(&key).await?.unwrap_or_default();
    assert_eq!(content.len(), 2 * PART + 3);
    let edges = [0, PART - 1, PART, 2 * PART - 1, 2 * PART].map(|at| char::from(content[at]));
    assert_eq!(edges, ['0', '0', '1', '1', 'e']);
    Ok(())
}

async fn an_upload_keeps_its_metadata_or_the_absence_is_stated(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}described");
    let upload = storage.start_upload(&key, &some_metadata()).await?;
    upload.put_part(0, body("x")).await?;
    upload.complete(&Condition::NameFree).await?;
    assert_metadata(storage, &key).await
}

async fn an_upload_does_not_take_a_taken_name(storage: &dyn Storage, prefix: &str) -> Result<()> {
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

async fn an_upload_does_not_replace_an_object_that_changed(storage: &dyn Storage, prefix: &str) -> Result<()> {
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

async fn an_aborted_upload_leaves_nothing(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}aborted");
    let upload = storage.start_upload(&key, &ObjectMetadata::new()).await?;
    upload.put_part(0, body("x")).await?;
    upload.abort().await?;
    assert_eq!(storage.list(prefix, None).await?, Vec::<String>::new());
    assert_eq!(put(storage, &key, "y").await?, Completion::Created);
    Ok(())
}

async fn abandoned_uploads_are_aborted_by_prefix(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let abandoned = storage.start_upload(&format!("{prefix}a/1"), &ObjectMetadata::new()).await?;
    abandoned.put_part(0, body("x")).await?;
    let other = storage.start_upload(&format!("{prefix}b/1"), &ObjectMetadata::new()).await?;
    other.put_part(0, body("y")).await?;

    // Best effort: a store that cannot list uploads aborts none.
    assert!(storage.abort_uploads(&format!("{prefix}a/")).await? <= 1);
    assert_eq!(storage.abort_uploads(&format!("{prefix}c/")).await?, 0);
    assert_eq!(other.complete(&Condition::NameFree).await?, Completion::Created);
    assert_eq!(storage.list(prefix, None).await?, [format!("{prefix}b/1")]);
    Ok(())
}

async fn calls_may_be_made_at_once(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let names: Vec<_> = (0..128).map(|number| format!("{prefix}{number:03}")).collect();
    for made in join_all(names.iter().map(|name| put(storage, name, name)).collect()).await {
        assert_eq!(made?, Completion::Created);
    }
    for (name, content) in names.iter().zip(join_all(names.iter().map(|name| text(storage, name)).collect()).await) {
        assert_eq!(content?.as_ref(), Some(name));
    }
    Ok(())
}

async fn of_many_puts_at_once_one_wins(storage: &dyn Storage, prefix: &str) -> Result<()> {
    for round in 0..5 {
        let key = format!("{prefix}{round}");
        let contents: Vec<_> = (0..20).map(|racer| format!("racer {racer}")).collect();
        let results = join_all(contents.iter().map(|content| put(storage, &key, content)).collect()).await;
        assert_one_winner(storage, &key, &contents, results).await?;
    }
    Ok(())
}

async fn of_many_completions_at_once_one_wins(storage: &dyn Storage, prefix: &str) -> Result<()> {
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

/// A racer may be told to try again (S3 answers 409 to some); then it finds the name taken.
async fn assert_one_winner(storage: &dyn Storage, key: &str, contents: &[String], results: Vec<Result<Completion>>) -> Result<()> {
    let winners = results.iter().enumerate().filter(|(_, result)| matches!(result, Ok(Completion::Created)));
    let winners: Vec<_> = winners.map(|(racer, _)| contents[racer].as_str()).collect();
    assert_eq!(winners.len(), 1, "{key}: {results:?}");
    assert_eq!(text(storage, key).await?.as_deref(), Some(winners[0]));
    Ok(())
}
