//! What every [`Storage`] does: one function per clause of its contract.
//!
//! Each clause works under the prefix it is given, on names that nobody else uses, and panics where the storage breaks its word.

mod listing;
mod uploads;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use self::{
    listing::{
        a_listing_begins_after_a_name, a_listing_has_the_names_with_the_prefix, a_page_can_be_asked_for_again, names,
        pages_have_every_name_once,
    },
    uploads::{
        an_aborted_upload_leaves_nothing, an_upload_does_not_replace_an_object_that_changed, an_upload_does_not_take_a_taken_name,
        an_upload_keeps_its_metadata_or_the_absence_is_stated, of_many_completions_at_once_one_wins,
        only_uploads_that_are_named_abandoned_are_aborted, parts_become_an_object_when_they_are_completed,
        parts_may_come_in_any_order_and_again,
    },
};
use crate::{Body, Completion, Condition, Error, ObjectMetadata, Result, Storage, Version};

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
    a_range_is_those_bytes_and_fewer_where_the_object_ends,
    an_object_says_when_it_appeared_or_nothing,
    a_taken_name_stays_as_it_is,
    an_object_that_was_seen_can_be_replaced,
    an_object_that_changed_is_not_replaced,
    an_object_that_is_gone_is_not_replaced,
    a_listing_has_the_names_with_the_prefix,
    a_listing_begins_after_a_name,
    pages_have_every_name_once,
    a_page_can_be_asked_for_again,
    names_keep_unusual_characters,
    names_keep_empty_parts,
    parts_become_an_object_when_they_are_completed,
    parts_may_come_in_any_order_and_again,
    an_upload_keeps_its_metadata_or_the_absence_is_stated,
    an_upload_does_not_take_a_taken_name,
    an_upload_does_not_replace_an_object_that_changed,
    an_aborted_upload_leaves_nothing,
    only_uploads_that_are_named_abandoned_are_aborted,
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
    [("first-offset", "17"), ("history", "a b/c=d"), ("count", "3")].map(|(name, value)| (name.into(), value.to_owned())).into()
}

async fn put(storage: &dyn Storage, key: &str, text: &str) -> Result<Completion> {
    storage.put(key, body(text), &ObjectMetadata::new(), &Condition::NameFree).await
}

/// More than any object here has.
const MUCH: u64 = 64 << 20;

async fn content(storage: &dyn Storage, key: &str) -> Result<Option<Bytes>> {
    storage.get(key, 0..MUCH).await
}

async fn text(storage: &dyn Storage, key: &str) -> Result<Option<String>> {
    Ok(content(storage, key).await?.map(|content| String::from_utf8_lossy(&content).into_owned()))
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
        assert_eq!(content(storage, &key).await?, Some(Bytes::new()));
    }
    Ok(())
}

async fn pieces_are_joined_in_order(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}pieces");
    let pieces: Body = (0..100).map(|number| Bytes::from(format!("{number},").repeat(1000))).collect();
    let whole = pieces.concat();
    assert_eq!(storage.put(&key, pieces, &ObjectMetadata::new(), &Condition::NameFree).await?, Completion::Created);
    assert!(content(storage, &key).await?.is_some_and(|content| content == whole), "the content is not the pieces in order");
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
    for range in [0..1, 0..0, 7..9] {
        assert_eq!(storage.get(&format!("{prefix}missing"), range).await?, None);
    }
    assert_eq!(names(storage, &format!("{prefix}missing/")).await?, Vec::<String>::new());
    Ok(())
}

async fn a_range_is_those_bytes_and_fewer_where_the_object_ends(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}digits");
    put(storage, &key, "0123456789").await?;
    let ranges = [
        (0..10, "0123456789"),
        (2..5, "234"),
        (9..10, "9"),
        (8..20, "89"),
        (0..u64::MAX, "0123456789"),
        (10..11, ""),
        (50..60, ""),
        (3..3, ""),
    ];
    for (range, expected) in ranges {
        assert_eq!(storage.get(&key, range.clone()).await?, Some(Bytes::from(expected)), "{range:?}");
    }
    Ok(())
}

async fn an_object_says_when_it_appeared_or_nothing(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let key = format!("{prefix}dated");
    put(storage, &key, "x").await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let day = 24 * 3_600_000;
    // By the store's clock, which need not be ours.
    if let Some(modified) = storage.head(&key).await?.and_then(|object| object.modified) {
        assert!(i128::from(modified).abs_diff(now.cast_signed()) < day, "{modified} is not near {now}");
    }
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

async fn names_keep_unusual_characters(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let parts = ["+", "=", "%", "%2F", "a b", ":", "&amp;", "<>", "\"'", "~!*()", "ü", "😀", "#1", "?x=1", ".hidden"];
    let mut made: Vec<_> = parts.iter().map(|part| format!("{prefix}{part}.json")).collect();
    for name in &made {
        assert_eq!(put(storage, name, name).await?, Completion::Created, "{name}");
    }
    for name in &made {
        assert_eq!(text(storage, name).await?.as_ref(), Some(name));
    }
    made.sort_unstable();
    assert_eq!(names(storage, prefix).await?, made);
    Ok(())
}

async fn names_keep_empty_parts(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let made = ["a//b", "a/b"].map(|name| format!("{prefix}{name}"));
    for name in &made {
        assert_eq!(put(storage, name, name).await?, Completion::Created, "{name}");
    }
    for name in &made {
        assert_eq!(text(storage, name).await?.as_ref(), Some(name));
    }
    assert_eq!(names(storage, prefix).await?, made);
    assert_eq!(names(storage, &format!("{prefix}a//")).await?, made[..1]);
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

/// A racer may be told to try again (S3 answers 409 to some); then it finds the name taken.
async fn assert_one_winner(storage: &dyn Storage, key: &str, contents: &[String], results: Vec<Result<Completion>>) -> Result<()> {
    let winners = results.iter().enumerate().filter(|(_, result)| matches!(result, Ok(Completion::Created)));
    let winners: Vec<_> = winners.map(|(racer, _)| contents[racer].as_str()).collect();
    assert_eq!(winners.len(), 1, "{key}: {results:?}");
    assert_eq!(text(storage, key).await?.as_deref(), Some(winners[0]));
    Ok(())
}
