//! What is sent, and what is made of each answer: against a server that answers by script.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::Mutex,
};

use connect_api::Error;

use super::*;

/// A request as it arrived. Names of headers are in lower case.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn is(&self, method: &str, part: &str) -> bool {
        self.line.starts_with(method) && self.line.contains(part)
    }
}

/// What the server does with a request.
enum Answer {
    /// Status, further headers each with its line end, body.
    Status(u16, &'static str, &'static str),
    /// The connection is closed without a word.
    Close,
}

use Answer::{Close, Status};

const OK: Answer = Status(200, "ETag: \"1\"\r\n", "");

fn refused(status: u16, code: &'static str) -> Answer {
    let body = match code {
        "NotImplemented" => "<Error><Code>NotImplemented</Code><Message>no</Message></Error>",
        "SlowDown" => "<Error><Code>SlowDown</Code><Message>slow down</Message></Error>",
        "AccessDenied" => "<Error><Code>AccessDenied</Code><Message>denied</Message></Error>",
        "InvalidArgument" => "<Error><Code>InvalidArgument</Code><Message>no</Message></Error>",
        "NoSuchBucket" => "<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>",
        "NoSuchUpload" => "<Error><Code>NoSuchUpload</Code><Message>no</Message></Error>",
        "PreconditionFailed" => "<Error><Code>PreconditionFailed</Code><Message>taken</Message></Error>",
        "ConditionalRequestConflict" => "<Error><Code>ConditionalRequestConflict</Code><Message>again</Message></Error>",
        "XAmzContentSHA256Mismatch" => "<Error><Code>XAmzContentSHA256Mismatch</Code><Message>sign it</Message></Error>",
        other => panic!("no answer is written down for {other}"),
    };
    Status(status, "", body)
}

/// A server that answers as `script` says, and remembers what it was asked.
struct Scripted {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// `script` is given each request and the number of those before it.
    fn serve(script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, remembered) = (Arc::new(script), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, remembered) = (script.clone(), remembered.clone());
                thread::spawn(move || while answer_one(stream.as_ref().unwrap(), &*script, &remembered).is_some() {});
            }
        });
        Self { url, requests }
    }

    fn storage(&self) -> S3Storage {
        self.storage_with(&[])
    }

    /// One attempt, so that the script sees each request once, unless `pairs` say otherwise.
    fn storage_with(&self, pairs: &[(&str, &str)]) -> S3Storage {
        let mut config = config(&self.url);
        for (key, value) in [("s3.part.retries", "1"), ("s3.retry.backoff.ms", "1")].iter().chain(pairs) {
            config.insert(*key, *value, None);
        }
        S3Storage::new(&S3Config::try_from(&config).unwrap()).unwrap()
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer_one(mut stream: &TcpStream, script: &dyn Fn(&Request, usize) -> Answer, remembered: &Mutex<Vec<Request>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers =
        lines[1..].iter().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let mut request = Request { line: lines[0].clone(), headers: headers.collect(), body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    let number = {
        let mut remembered = remembered.lock().unwrap();
        remembered.push(request.clone());
        remembered.len() - 1
    };
    let Status(status, headers, body) = script(&request, number) else { return None };
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let body = if request.is("HEAD", "") { "" } else { body };
    stream.write_all(format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n{body}").as_bytes()).ok()
}

async fn put(storage: &S3Storage) -> Result<Completion> {
    let metadata = [("history".to_owned(), "h".to_owned())].into();
    storage
        .put("t/a+0.json.gz", vec![Bytes::from_static(b"1234"), Bytes::from_static(b"56789")], &metadata, &Condition::NameFree)
        .await
}

async fn started(storage: &S3Storage) -> Box<dyn MultipartUpload> {
    let upload = storage.start_upload("t/a", &[("history".to_owned(), "h".to_owned())].into()).await.unwrap();
    upload.put_part(0, vec![Bytes::from_static(b"x")]).await.unwrap();
    upload
}

const UPLOAD: Answer = Status(
    200,
    "",
    "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>id</UploadId></InitiateMultipartUploadResult>",
);

/// The answers to everything before a completion.
fn before_completion(request: &Request) -> Answer {
    if request.is("POST", "?uploads") { UPLOAD } else { OK }
}

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
async fn a_customers_key_goes_with_every_request_that_needs_it() {
    let server = Scripted::serve(|request, _| before_completion(request));
    let storage = server.storage_with(&[("s3.ssea.name", "AES256"), ("s3.sse.customer.key", "a2V5")]);
    put(&storage).await.unwrap();
    started(&storage).await;
    storage.head("t/a").await.unwrap();
    storage.get("t/a").await.unwrap();
    for request in server.requests() {
        assert_eq!(
            request.header("x-amz-server-side-encryption-customer-key-md5"),
            Some("PG4LipwVIkqCKLmpjKFTHQ=="),
            "{}",
            request.line
        );
        assert_eq!(request.header("x-amz-server-side-encryption"), None);
    }
}

async fn kind_of(answer: fn() -> Answer) -> ErrorKind {
    let server = Scripted::serve(move |_, _| answer());
    put(&server.storage()).await.unwrap_err().kind()
}

#[tokio::test]
async fn trouble_is_told_from_mistakes() {
    assert_eq!(kind_of(|| refused(503, "SlowDown")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(502, "", "<html>")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(403, "AccessDenied")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(404, "NoSuchBucket")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(409, "ConditionalRequestConflict")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Close).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| refused(400, "InvalidArgument")).await, ErrorKind::Fatal);
}

#[tokio::test]
async fn an_error_says_what_was_done_to_what_and_what_was_answered() {
    let server = Scripted::serve(|_, _| refused(403, "AccessDenied"));
    let error = put(&server.storage()).await.unwrap_err();
    assert_eq!(error.report(), "could not put t/a+0.json.gz: 403 AccessDenied: denied");

    let refused_connection = storage("http://127.0.0.1:1").head("t/a").await.unwrap_err();
    assert_eq!(refused_connection.kind(), ErrorKind::Retriable);
    assert!(refused_connection.report().to_lowercase().contains("connection refused"), "{}", refused_connection.report());
}

#[tokio::test]
async fn a_request_is_tried_as_often_as_part_retries_says() {
    let server = Scripted::serve(|_, number| if number < 2 { refused(503, "SlowDown") } else { OK });
    assert_eq!(put(&server.storage_with(&[("s3.part.retries", "3")])).await.unwrap(), Completion::Created);
    assert_eq!(server.requests().len(), 3);
    assert!(server.requests().iter().all(|request| request.body == b"123456789"));
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
async fn a_completion_that_fails_within_an_answer_of_200_is_heeded() {
    let taken = Scripted::serve(|request, _| match request {
        _ if request.is("POST", "uploadId=") => refused(200, "PreconditionFailed"),
        _ if request.is("HEAD", "") => Status(404, "", ""),
        _ => before_completion(request),
    });
    let upload = started(&taken.storage()).await;
    assert_eq!(upload.complete(&Condition::NameFree).await.unwrap(), Completion::NameTaken);
}

/// A completion whose answer is lost, and then: what the object under the name says.
async fn completed_after_a_lost_answer(head: fn() -> Answer) -> Result<Completion> {
    let server = Scripted::serve(move |request, number| match request {
        _ if request.is("POST", "uploadId=") => refused(404, "NoSuchUpload"),
        // The look before the completion.
        _ if request.is("HEAD", "") && number == 2 => Status(404, "", ""),
        _ if request.is("HEAD", "") => head(),
        _ => before_completion(request),
    });
    started(&server.storage()).await.complete(&Condition::NameFree).await
}

#[tokio::test]
async fn after_a_lost_answer_to_a_completion_the_object_tells_what_became_of_it() {
    let ours = completed_after_a_lost_answer(|| Status(200, "x-amz-meta-history: h\r\n", "")).await;
    assert_eq!(ours.unwrap(), Completion::Created);
    let others = completed_after_a_lost_answer(|| Status(200, "x-amz-meta-history: other\r\n", "")).await;
    assert_eq!(others.unwrap(), Completion::NameTaken);
    let lost = completed_after_a_lost_answer(|| Status(404, "", "")).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Fatal);
}

#[tokio::test]
async fn a_part_of_an_upload_that_the_store_has_dropped_is_not_sent_for_ever() {
    let server = Scripted::serve(|request, _| match request {
        _ if request.is("PUT", "partNumber=2") => refused(404, "NoSuchUpload"),
        _ => before_completion(request),
    });
    let lost = started(&server.storage()).await.put_part(1, vec![Bytes::from_static(b"y")]).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Fatal);
}

async fn checked(answer: fn() -> Answer) -> Result<(), Error> {
    Scripted::serve(move |_, _| answer()).storage().check().await
}

#[tokio::test]
async fn a_bucket_elsewhere_or_not_ours_to_ask_about_exists() {
    checked(|| OK).await.unwrap();
    checked(|| Status(301, "", "")).await.unwrap();
    checked(|| Status(403, "", "")).await.unwrap();
    assert_eq!(checked(|| Status(404, "", "")).await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(checked(|| Status(500, "", "")).await.unwrap_err().kind(), ErrorKind::Retriable);
    assert_eq!(checked(|| Close).await.unwrap_err().kind(), ErrorKind::Retriable);
}

#[tokio::test]
async fn names_are_decoded_only_where_the_answer_says_that_they_are_encoded() {
    let raw = "<ListBucketResult><Contents><Key>t+0%2B</Key></Contents></ListBucketResult>";
    let encoded = "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>t%2B0%252B</Key></Contents></ListBucketResult>";
    for body in [raw, encoded] {
        let server = Scripted::serve(move |_, _| Status(200, "", body));
        assert_eq!(server.storage().list("t", None).await.unwrap(), ["t+0%2B"]);
        assert!(!server.requests()[0].line.contains("encoding-type"));
    }
}

#[tokio::test]
async fn where_uploads_cannot_be_listed_none_are_aborted() {
    let server = Scripted::serve(|_, _| refused(501, "NotImplemented"));
    assert_eq!(server.storage().abort_uploads("t/").await.unwrap(), 0);
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = Scripted::serve(|_, _| OK);
    let mut config = config("http://store.invalid:9000");
    config.insert("s3.proxy.url", proxy.url.replace("http://", "http://alice:hunter2@"), None);
    let storage = S3Storage::new(&S3Config::try_from(&config).unwrap()).unwrap();
    assert_eq!(put(&storage).await.unwrap(), Completion::Created);
    let request = &proxy.requests()[0];
    assert!(request.is("PUT", "http://store.invalid:9000/conformance/t/a"), "{}", request.line);
    assert_eq!(request.header("proxy-authorization"), Some("Basic YWxpY2U6aHVudGVyMg=="));
}

#[tokio::test]
async fn a_store_that_does_not_heed_conditions_is_found_out_at_the_start() {
    let server = Scripted::serve(|request, _| if request.is("DELETE", "") { Status(204, "", "") } else { OK });
    let storage = server.storage();
    storage.check().await.unwrap();
    assert!(storage.limits().contains("does not heed conditional writes"));
    let asked: Vec<_> = server.requests().iter().map(|request| request.line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(asked, ["HEAD", "PUT", "DELETE"]);

    let heeds = Scripted::serve(|request, _| if request.is("PUT", "") { Status(404, "", "") } else { OK });
    let storage = heeds.storage();
    storage.check().await.unwrap();
    assert_eq!(storage.limits(), "");
    assert_eq!(heeds.requests().len(), 2);
}
