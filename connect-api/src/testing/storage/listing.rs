//! Pages of names.

use std::collections::BTreeSet;

use super::{join_all, put};
use crate::{Cursor, Result, Storage};

/// All pages from here to the end, each of them as its cursor and its names.
async fn pages(storage: &dyn Storage, prefix: &str, from: Cursor) -> Result<Vec<(Cursor, Vec<String>)>> {
    let mut pages = Vec::new();
    let mut cursor = Some(from);
    while let Some(at) = cursor {
        assert!(pages.len() < 1_000, "the listing of {prefix} has no end");
        let page = storage.list(prefix, &at).await?;
        assert!(page.names.len() <= 5_000, "{} names in a page", page.names.len());
        cursor = page.next;
        pages.push((at, page.names));
    }
    Ok(pages)
}

/// The names of all pages from here to the end, sorted. One that came twice is in it twice.
async fn names_from(storage: &dyn Storage, prefix: &str, from: Cursor) -> Result<Vec<String>> {
    let mut names: Vec<_> = pages(storage, prefix, from).await?.into_iter().flat_map(|(_, names)| names).collect();
    names.sort_unstable();
    Ok(names)
}

/// Puts many objects, a thousand and some, so that their names fill more than a page of S3.
async fn put_many(storage: &dyn Storage, prefix: &str) -> Result<Vec<String>> {
    let names: Vec<_> = (0..1_010).map(|number| format!("{prefix}t+0+{number:010}.json")).collect();
    for some in names.chunks(64) {
        for made in join_all(some.iter().map(|name| put(storage, name, "x")).collect()).await {
            made?;
        }
    }
    Ok(names)
}

pub(super) async fn names(storage: &dyn Storage, prefix: &str) -> Result<Vec<String>> {
    names_from(storage, prefix, Cursor::Start).await
}

pub(super) async fn a_listing_has_the_names_with_the_prefix(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let made = ["a-b/1", "a/1", "a/10", "a/2", "a/2.json", "a/b/c", "a0", "b/1"].map(|name| format!("{prefix}{name}"));
    for name in made.iter().rev() {
        put(storage, name, "x").await?;
    }
    assert_eq!(names(storage, prefix).await?, made);
    assert_eq!(names(storage, &format!("{prefix}a/")).await?, made[1..6]);
    assert_eq!(names(storage, &format!("{prefix}a/2")).await?, made[3..5]);
    assert_eq!(names(storage, &format!("{prefix}a")).await?, made[..7]);
    Ok(())
}

pub(super) async fn a_listing_begins_after_a_name(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let made = ["t+0+1", "t+0+2", "t+0+3"].map(|name| format!("{prefix}{name}"));
    for name in &made {
        put(storage, name, "x").await?;
    }
    let after = |name: &str| Cursor::After(format!("{prefix}{name}"));
    assert_eq!(names_from(storage, prefix, after("")).await?, made);
    assert_eq!(names_from(storage, prefix, after("t+0+1")).await?, made[1..]);
    assert_eq!(names_from(storage, prefix, after("t+0+10")).await?, made[1..]);
    assert_eq!(names_from(storage, prefix, after("t+0+3")).await?, Vec::<String>::new());
    Ok(())
}

pub(super) async fn pages_have_every_name_once(storage: &dyn Storage, prefix: &str) -> Result<()> {
    let made = put_many(storage, prefix).await?;
    assert_eq!(names(storage, prefix).await?, made);
    assert_eq!(names_from(storage, prefix, Cursor::After(made[4].clone())).await?, made[5..]);
    Ok(())
}

pub(super) async fn a_page_can_be_asked_for_again(storage: &dyn Storage, prefix: &str) -> Result<()> {
    put_many(storage, prefix).await?;
    for (cursor, names) in pages(storage, prefix, Cursor::Start).await? {
        assert_eq!(storage.list(prefix, &cursor).await?.names, names, "{cursor:?}");
    }
    let pages = pages(storage, prefix, Cursor::Start).await?;
    let added = format!("{prefix}t+0+{:010}.json", 2_000);
    put(storage, &added, "x").await?;
    let mut again = BTreeSet::new();
    for (cursor, _) in &pages {
        again.extend(storage.list(prefix, cursor).await?.names);
    }
    let before: BTreeSet<_> = pages.into_iter().flat_map(|(_, names)| names).collect();
    assert!(again.is_superset(&before), "names are missing from pages that were asked for again");
    assert!(names(storage, prefix).await?.contains(&added));
    Ok(())
}
