//! What is known of objects, and bytes of them.

use super::{
    scripted::{Answer::Status, OK, Scripted, refused},
    *,
};

#[tokio::test]
async fn a_range_is_one_request_and_a_whole_object_is_cut() {
    let knows_ranges = Scripted::serve(|_, _| Status(206, "Content-Range: bytes 2-4/10\r\n", "234"));
    let knows_none = Scripted::serve(|_, _| Status(200, "", "0123456789"));
    for server in [knows_ranges, knows_none] {
        assert_eq!(server.storage().get("t/a", 2..5).await.unwrap().unwrap(), "234");
        assert_eq!(server.requests().len(), 1);
        assert_eq!(server.requests()[0].header("range"), Some("bytes=2-4"));
    }
}

#[tokio::test]
async fn beyond_the_end_of_an_object_there_are_no_bytes() {
    let beyond = Scripted::serve(|_, _| refused(416, "InvalidRange"));
    assert_eq!(beyond.storage().get("t/a", 10..20).await.unwrap().unwrap(), "");
    let missing = Scripted::serve(|_, _| refused(404, "NoSuchKey"));
    assert_eq!(missing.storage().get("t/a", 10..20).await.unwrap(), None);
    let no_bucket = Scripted::serve(|_, _| refused(404, "NoSuchBucket"));
    assert_eq!(no_bucket.storage().get("t/a", 10..20).await.unwrap_err().kind(), ErrorKind::Retriable);
}

#[tokio::test]
async fn an_object_is_as_old_as_the_store_says() {
    let dated = Scripted::serve(|_, _| Status(200, "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""));
    assert_eq!(dated.storage().head("t/a").await.unwrap().unwrap().modified, Some(1_445_412_480_000));
    // The store's clock is years behind.
    let behind = "Date: Wed, 21 Oct 2015 07:28:10 GMT\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    let storage = Scripted::serve(move |_, _| Status(200, behind, "")).storage();
    let modified = storage.head("t/a").await.unwrap().unwrap().modified.unwrap();
    let age = jiff::Timestamp::now().as_millisecond() - modified;
    assert!((10_000..600_000).contains(&age), "written ten seconds ago by its own clock, and not {age} ms");
    let undated = Scripted::serve(|_, _| OK);
    assert_eq!(undated.storage().head("t/a").await.unwrap().unwrap().modified, None);
}
