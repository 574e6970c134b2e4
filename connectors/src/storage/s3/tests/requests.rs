//! What is sent, and what is made of each answer.

use super::{
    scripted::{
        Answer::{self, Close, Status},
        OK, Scripted, before_completion, put, refused, started,
    },
    *,
};

#[tokio::test]
async fn an_object_is_one_request_with_nothing_that_a_reader_would_stumble_over() {
    let server = Scripted::serve(|_, _| OK);
    assert_eq!(put(&server.storage()).await.unwrap(), Completion::Created);

    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(request.is("PUT", "/conformance/t/a%2B0.json.gz"), "{}", request.line);
    assert_eq!(request.body, b"123456789");
    let headers = [
        "content-type",
        "content-encoding",
        "if-none-match",
        "x-amz-meta-history",
        "x-amz-checksum-crc64nvme",
        "transfer-encoding",
    ];
    let values = headers.map(|name| request.header(name));
    assert_eq!(values, [Some("binary/octet-stream"), None, Some("*"), Some("h"), Some("rosUhgp5mIg="), None]);
    assert_eq!(request.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
    assert_eq!(request.header("content-md5"), None);
    let encryption = ["", "-aws-kms-key-id", "-customer-algorithm", "-customer-key"];
    assert!(encryption.iter().all(|name| request.header(&format!("x-amz-server-side-encryption{name}")).is_none()));
    assert!(request.header("authorization").unwrap().contains("/us-east-1/s3/"));
}

#[tokio::test]
async fn settings_of_new_objects_go_with_the_requests_that_make_them() {
    let server = Scripted::serve(|request, _| before_completion(request));
    let storage = server.storage_with(&[
        ("s3.ssea.name", "aws:kms"),
        ("s3.sse.kms.key.id", "key"),
        ("s3.acl.canned", "bucket-owner-full-control"),
        ("s3.send.digest", "true"),
    ]);
    put(&storage).await.unwrap();
    started(&storage).await;

    let requests = server.requests();
    let values = |name: &str| requests.iter().map(|request| request.header(name).map(str::to_owned)).collect::<Vec<_>>();
    let made = |value: &str| vec![Some(value.to_owned()), Some(value.to_owned()), None];
    assert_eq!(values("x-amz-server-side-encryption"), made("aws:kms"));
    assert_eq!(values("x-amz-server-side-encryption-aws-kms-key-id"), made("key"));
    assert_eq!(values("x-amz-acl"), made("bucket-owner-full-control"));
    assert_eq!(
        values("content-md5"),
        [Some("JfnnlDI7RTiF9RgfG2JNCw==".to_owned()), None, Some("ndTkYSaMgDT1yFZOFVxnpg==".to_owned())]
    );
}

#[tokio::test]
async fn encryption_with_the_stores_own_keys_names_no_key() {
    let server = Scripted::serve(|request, _| before_completion(request));
    let storage = server.storage_with(&[("s3.ssea.name", "AES256")]);
    put(&storage).await.unwrap();
    started(&storage).await;
    for request in &server.requests()[..2] {
        assert_eq!(request.header("x-amz-server-side-encryption"), Some("AES256"), "{}", request.line);
        let keys = ["-aws-kms-key-id", "-customer-algorithm", "-customer-key"];
        assert!(keys.iter().all(|name| request.header(&format!("x-amz-server-side-encryption{name}")).is_none()));
    }
}

#[tokio::test]
async fn a_customers_key_goes_with_every_request_that_needs_it() {
    let server = Scripted::serve(|request, _| before_completion(request));
    let storage =
        server.storage_with(&[("s3.ssea.name", "AES256"), ("s3.sse.customer.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")]);
    put(&storage).await.unwrap();
    started(&storage).await;
    storage.head("t/a").await.unwrap();
    storage.get("t/a", 0..1).await.unwrap();
    for request in server.requests() {
        assert_eq!(
            request.header("x-amz-server-side-encryption-customer-key-md5"),
            Some("hRasmdxgYDKV3nvbahU1MA=="),
            "{}",
            request.line
        );
        assert_eq!(request.header("x-amz-server-side-encryption"), None);
    }
}

/// The kind of a failed put, and of the look that may follow it.
async fn kind_of(answer: fn() -> Answer) -> ErrorKind {
    let server = Scripted::serve(move |_, _| answer());
    let storage = server.storage();
    let kind = put(&storage).await.unwrap_err().kind();
    let looked = storage.head("t/a").await;
    assert!(looked.is_ok() || looked.is_err_and(|error| error.kind() == ErrorKind::Retriable), "an answer to HEAD has no code");
    kind
}

#[tokio::test]
async fn trouble_is_told_from_mistakes() {
    assert_eq!(kind_of(|| refused(503, "SlowDown")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(502, "", "<html>")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(403, "AccessDenied")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(404, "NoSuchBucket")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(409, "ConditionalRequestConflict")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(400, "", "")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(400, "", "<html>bad gateway</html>")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(400, "ThrottlingException")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(400, "KMS.DisabledException")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(301, "PermanentRedirect")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(405, "MethodNotAllowed")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Close).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(400, "InvalidArgument")).await, ErrorKind::Fatal);
}

#[tokio::test]
async fn an_error_says_what_was_done_to_what_and_what_was_answered() {
    let server = Scripted::serve(|_, _| refused(403, "AccessDenied"));
    let error = put(&server.storage()).await.unwrap_err();
    assert_eq!(error.report(), "could not put t/a+0.json.gz: 403 AccessDenied: said so");

    let refused_connection = storage("http://127.0.0.1:1").head("t/a").await.unwrap_err();
    assert_eq!(refused_connection.kind(), ErrorKind::Retriable);
    assert!(refused_connection.report().to_lowercase().contains("connection refused"), "{}", refused_connection.report());
}

#[tokio::test]
async fn a_request_is_tried_as_often_as_part_retries_says() {
    let server = Scripted::serve(|_, number| if number < 2 { refused(503, "SlowDown") } else { OK });
    let storage = server.storage_with(&[("s3.part.retries", "3")]);
    assert!(storage.head("t/a").await.unwrap().is_some());
    assert_eq!(server.methods(), ["HEAD"; 3]);
}

#[tokio::test]
async fn a_store_that_wants_content_signed_gets_it_signed_from_then_on() {
    let server = Scripted::serve(|request, _| match request.header("x-amz-content-sha256") {
        Some("UNSIGNED-PAYLOAD") => refused(400, "XAmzContentSHA256Mismatch"),
        _ => OK,
    });
    let storage = server.storage();
    assert_eq!(put(&storage).await.unwrap(), Completion::Created);
    assert_eq!(put(&storage).await.unwrap(), Completion::Created);
    assert_eq!(server.requests().len(), 3);
    let sha256 = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";
    assert_eq!(server.requests()[2].header("x-amz-content-sha256"), Some(sha256));
}

#[tokio::test]
async fn a_store_without_conditional_writes_is_looked_at_first_and_says_so() {
    let server = Scripted::serve(|request, _| match request.header("if-none-match") {
        Some(_) => refused(501, "NotImplemented"),
        None if request.is("HEAD", "") => Status(404, "", ""),
        None => OK,
    });
    let storage = server.storage();
    assert_eq!(storage.limits(), "");
    assert_eq!(put(&storage).await.unwrap(), Completion::Created);
    assert!(storage.limits().contains("conditional writes"));
    let last: Vec<_> = server.requests().iter().rev().take(2).map(|request| request.line[..4].to_owned()).collect();
    assert_eq!(last, ["PUT ", "HEAD"]);
}

#[tokio::test]
async fn a_feature_that_is_missing_for_other_reasons_weakens_no_promise() {
    let server =
        Scripted::serve(|request, _| if request.is("HEAD", "") { Status(404, "", "") } else { refused(501, "NotImplemented") });
    let storage = server.storage();
    assert_eq!(put(&storage).await.unwrap_err().kind(), ErrorKind::Fatal);
    assert_eq!(storage.limits(), "");
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = Scripted::serve(|_, _| OK);
    let mut config = config("http://store.invalid:9000");
    config.insert("s3.proxy.url", proxy.url.replace("http://", "http://alice:hunter2@"), None);
    let storage = S3Storage::new(&S3Config::try_from(&config).unwrap()).unwrap();
    storage.shared.means.settle(Conditions::Heeded);
    assert_eq!(put(&storage).await.unwrap(), Completion::Created);
    let request = &proxy.requests()[0];
    assert!(request.is("PUT", "http://store.invalid:9000/conformance/t/a"), "{}", request.line);
    assert_eq!(request.header("proxy-authorization"), Some("Basic YWxpY2U6aHVudGVyMg=="));
}

/// Whoever asks again knows whether the partition is still its own: the process may have stood still between two attempts.
#[tokio::test]
async fn what_makes_an_object_appear_is_never_repeated_by_the_client_itself() {
    for answer in [|| Close, || refused(503, "SlowDown"), || refused(500, "InternalError")] {
        let server = Scripted::serve(move |_, number| if number == 0 { answer() } else { OK });
        let storage = server.storage_with(&[("s3.part.retries", "3")]);
        assert_eq!(put(&storage).await.unwrap_err().kind(), ErrorKind::Retriable);
        assert_eq!(server.methods(), ["PUT"]);
    }
    let server = Scripted::serve(|request, _| match request {
        request if request.is("POST", "uploadId=") => Close,
        request if request.is("HEAD", "") => Status(404, "", ""),
        request => before_completion(request),
    });
    let storage = server.storage_with(&[("s3.part.retries", "3")]);
    let upload = started(&storage).await;
    assert_eq!(upload.complete(&Condition::NameFree).await.unwrap_err().kind(), ErrorKind::Retriable);
    assert_eq!(server.requests().iter().filter(|request| request.is("POST", "uploadId=")).count(), 1);
}
