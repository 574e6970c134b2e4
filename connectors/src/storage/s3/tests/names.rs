//! Pages of names, and uploads that nobody completes.

use super::{
    scripted::{
        Answer::{self, Status},
        Scripted, refused,
    },
    *,
};

const FIRST_PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>2 +/=</NextContinuationToken>\
                          <Contents><Key>t/2</Key></Contents><Contents><Key>t/1</Key></Contents><Contents><Key>other</Key></Contents></ListBucketResult>";
const LAST_PAGE: &str = "<ListBucketResult><Contents><Key>t/3</Key></Contents></ListBucketResult>";

#[tokio::test]
async fn a_page_is_one_request_and_tells_where_the_next_begins() {
    let server = Scripted::serve(|_, number| Status(200, "", if number == 0 { FIRST_PAGE } else { LAST_PAGE }));
    let storage = server.storage();
    let first = storage.list("t/", &Cursor::Start).await.unwrap();
    let next = Cursor::Token("2 +/=".to_owned());
    assert_eq!(first, Page { names: vec!["t/2".to_owned(), "t/1".to_owned()], next: Some(next.clone()) });
    let last = storage.list("t/", &next).await.unwrap();
    assert_eq!(last, Page { names: vec!["t/3".to_owned()], next: None });

    let [first, last] = &server.requests()[..] else { panic!("{:?}", server.methods()) };
    assert!(
        first.is("GET", "prefix=t%2F") && !first.line.contains("token") && !first.line.contains("start-after"),
        "{}",
        first.line
    );
    assert!(last.is("GET", "continuation-token=2%20%2B%2F%3D") && last.line.contains("prefix=t%2F"), "{}", last.line);
}

#[tokio::test]
async fn a_listing_after_a_name_has_no_name_before_it_whatever_the_store_answers() {
    let server = Scripted::serve(|_, _| Status(200, "", FIRST_PAGE));
    let page = server.storage().list("t/", &Cursor::After("t/1".to_owned())).await.unwrap();
    assert_eq!(page.names, ["t/2"]);
    assert!(server.requests()[0].line.contains("start-after=t%2F1"), "{}", server.requests()[0].line);
}

#[tokio::test]
async fn a_listing_that_goes_in_circles_is_not_followed() {
    let server = Scripted::serve(|_, _| Status(200, "", FIRST_PAGE));
    let circles = server.storage().list("t/", &Cursor::Token("2 +/=".to_owned())).await.unwrap_err();
    assert_eq!(circles.kind(), ErrorKind::Retriable);
}

async fn refused_listing(answer: fn() -> Answer) -> ErrorKind {
    Scripted::serve(move |_, _| answer()).storage().list("t/", &Cursor::Start).await.unwrap_err().kind()
}

#[tokio::test]
async fn only_a_listing_that_is_denied_is_given_up() {
    assert_eq!(refused_listing(|| refused(403, "AccessDenied")).await, ErrorKind::Config);
    assert_eq!(refused_listing(|| refused(403, "InvalidAccessKeyId")).await, ErrorKind::Retriable);
    assert_eq!(refused_listing(|| Status(403, "", "")).await, ErrorKind::Retriable);
    assert_eq!(refused_listing(|| refused(301, "PermanentRedirect")).await, ErrorKind::Retriable);
    assert_eq!(refused_listing(|| refused(307, "TemporaryRedirect")).await, ErrorKind::Retriable);
    assert_eq!(refused_listing(|| refused(400, "AuthorizationHeaderMalformed")).await, ErrorKind::Retriable);
    assert_eq!(refused_listing(|| refused(404, "NoSuchBucket")).await, ErrorKind::Retriable);
    assert_eq!(refused_listing(|| refused(503, "SlowDown")).await, ErrorKind::Retriable);
}

#[tokio::test]
async fn names_are_decoded_only_where_the_answer_says_that_they_are_encoded() {
    let raw = "<ListBucketResult><Contents><Key>t+0%2B</Key></Contents></ListBucketResult>";
    let encoded = "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>t%2B0%252B</Key></Contents></ListBucketResult>";
    for body in [raw, encoded] {
        let server = Scripted::serve(move |_, _| Status(200, "", body));
        assert_eq!(server.storage().list("t", &Cursor::Start).await.unwrap().names, ["t+0%2B"]);
        assert!(!server.requests()[0].line.contains("encoding-type"));
    }
}

#[tokio::test]
async fn where_uploads_cannot_be_listed_none_are_aborted() {
    let server = Scripted::serve(|_, _| refused(501, "NotImplemented"));
    assert_eq!(server.storage().abort_uploads("t/", &|_| true).await.unwrap(), 0);
}

const UPLOADS: &str = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>t/2.json</NextKeyMarker>\
                       <NextUploadIdMarker>two</NextUploadIdMarker>\
                       <Upload><Key>t/1.json</Key><UploadId>one</UploadId></Upload>\
                       <Upload><Key>t/1.json.gz</Key><UploadId>other</UploadId></Upload>\
                       <Upload><Key>t/2.json</Key><UploadId>two</UploadId></Upload></ListMultipartUploadsResult>";
const LAST_UPLOADS: &str =
    "<ListMultipartUploadsResult><Upload><Key>t/3.json</Key><UploadId>three</UploadId></Upload></ListMultipartUploadsResult>";

#[tokio::test]
async fn every_upload_that_is_named_is_aborted_although_one_cannot_be() {
    let server = Scripted::serve(|request, _| match request {
        _ if request.is("DELETE", "uploadId=one") => refused(403, "AccessDenied"),
        _ if request.is("DELETE", "") => Status(204, "", ""),
        _ if request.line.contains("key-marker=t%2F2.json") => Status(200, "", LAST_UPLOADS),
        _ => Status(200, "", UPLOADS),
    });
    let aborted = server.storage().abort_uploads("t/", &|name| name.ends_with(".json")).await;
    assert_eq!(aborted.unwrap(), 2);
    let requests = server.requests();
    let ended =
        requests.iter().filter(|request| request.is("DELETE", "")).map(|request| request.line.rsplit_once("uploadId=").unwrap().1);
    let ended: Vec<_> = ended.map(|rest| rest.split([' ', '&']).next().unwrap()).collect();
    assert_eq!(ended, ["one", "two", "three"]);
}

#[tokio::test]
async fn a_listing_of_uploads_that_goes_in_circles_ends() {
    let server =
        Scripted::serve(|request, _| if request.is("DELETE", "") { Status(204, "", "") } else { Status(200, "", UPLOADS) });
    server.storage().abort_uploads("t/", &|_| false).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}
