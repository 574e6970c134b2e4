//! Which answers let a connector start, and what is found out about conditions.

use std::sync::atomic::{AtomicUsize, Ordering};

use connect_api::Error;

use super::{
    scripted::{
        Answer::{self, Close, Status},
        OK, Request, Scripted, put, refused,
    },
    *,
};

/// What becomes of a start where `HEAD` and the request after it are answered like this.
async fn checked(head: fn() -> Answer, asked_again: fn() -> Answer) -> Result<(), Error> {
    let server = Scripted::serve(move |request, _| if request.is("HEAD", "") { head() } else { asked_again() });
    server.storage().check().await
}

#[tokio::test]
async fn a_bucket_that_is_not_ours_to_ask_about_exists() {
    checked(|| OK, || Close).await.unwrap();
    checked(|| Status(403, "", ""), || Close).await.unwrap();
    checked(|| Status(404, "", ""), || refused(403, "AccessDenied")).await.unwrap();
    checked(|| Status(400, "", ""), || Status(200, "", "<ListBucketResult></ListBucketResult>")).await.unwrap();
}

#[tokio::test]
async fn a_bucket_is_missing_only_where_the_store_says_so_in_words() {
    let missing = checked(|| Status(404, "", ""), || refused(404, "NoSuchBucket")).await.unwrap_err();
    assert_eq!((missing.kind(), missing.to_string()), (ErrorKind::Config, "Non-existent S3 bucket: conformance".to_owned()));
    let misspelt = checked(|| Status(400, "", ""), || refused(400, "InvalidBucketName")).await.unwrap_err();
    assert_eq!(misspelt.kind(), ErrorKind::Config);
    let by_a_proxy = checked(|| Status(404, "", ""), || Status(404, "", "<html>no backend</html>")).await.unwrap_err();
    assert_eq!(by_a_proxy.kind(), ErrorKind::Retriable);
}

#[tokio::test]
async fn a_bucket_elsewhere_is_the_configuration_at_the_start() {
    let redirected = checked(|| Status(301, "", ""), || refused(301, "PermanentRedirect")).await.unwrap_err();
    assert_eq!(redirected.kind(), ErrorKind::Config);
    assert!(redirected.to_string().contains("s3.region"), "{redirected}");
    let refused = checked(|| Status(400, "", ""), || refused(400, "AuthorizationHeaderMalformed")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn the_region_of_a_bucket_elsewhere_is_named_at_the_start_and_later() {
    const REGION: &str = "x-amz-bucket-region: eu-west-1\r\n";
    const MALFORMED: &str = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message></Error>";
    let permanent = checked(|| Status(301, REGION, ""), || Status(301, REGION, "<Error><Code>PermanentRedirect</Code></Error>"));
    let wrong = checked(|| Status(400, "", ""), || Status(400, "", MALFORMED));
    for error in [permanent.await.unwrap_err(), wrong.await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("s3.region=eu-west-1"), "{error}");
    }
    let new = checked(|| Status(307, REGION, ""), || OK).await.unwrap_err();
    assert_eq!(new.kind(), ErrorKind::Retriable);
    assert!(new.to_string().contains("s3.region=eu-west-1"), "{new}");
    for status in [301, 307] {
        let server = Scripted::serve(move |_, _| Status(status, REGION, ""));
        let later = put(&server.storage()).await.unwrap_err();
        assert_eq!(later.kind(), ErrorKind::Retriable);
        assert!(later.to_string().contains("s3.region=eu-west-1"), "{later}");
    }
}

#[tokio::test]
async fn an_answer_that_leads_to_another_address_names_it() {
    let location = "Location: https://store.example/conformance?X-Amz-Signature=abc\r\n";
    let server = Scripted::serve(move |_, _| Status(308, location, ""));
    let error = server.storage().check().await.unwrap_err().to_string();
    assert!(error.contains("leads to https://store.example/conformance:") && error.contains("store.url"), "{error}");
    assert!(!error.contains("Signature"), "{error}");
}

#[tokio::test]
async fn a_start_waits_for_what_may_pass() {
    let kind_of = async |head, asked_again| checked(head, asked_again).await.unwrap_err().kind();
    assert_eq!(kind_of(|| Status(400, "", ""), || refused(400, "ExpiredToken")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(400, "", ""), || Status(400, "", "")).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(500, "", ""), || OK).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Status(405, "", ""), || OK).await, ErrorKind::Retriable);
    assert_eq!(kind_of(|| Close, || OK).await, ErrorKind::Retriable);
}

#[tokio::test]
async fn a_bucket_that_was_there_once_comes_back() {
    for code in ["NoSuchBucket", "PermanentRedirect"] {
        let server = Scripted::serve(move |request, number| match number {
            0 => OK,
            _ if request.is("HEAD", "") => Status(404, "", ""),
            _ => refused(404, code),
        });
        let storage = server.storage();
        storage.check().await.unwrap();
        assert_eq!(storage.check().await.unwrap_err().kind(), ErrorKind::Retriable, "{code}");
    }
}

/// A store that answers puts of the probe like this: under `If-Match`, under `If-None-Match` where the name is free, and where it is taken.
fn probed(if_match: fn() -> Answer, free: fn() -> Answer, taken: fn() -> Answer) -> Scripted {
    let made = AtomicUsize::new(0);
    Scripted::serve(move |request, _| match request {
        _ if request.is("DELETE", "") => Status(204, "", ""),
        _ if request.is("HEAD", "/t/") => Status(404, "", ""),
        _ if request.header("if-match").is_some() => if_match(),
        _ if request.header("if-none-match").is_some() && request.is("PUT", "probe") => {
            match made.fetch_add(1, Ordering::Relaxed) {
                0 => free(),
                _ => taken(),
            }
        }
        _ => OK,
    })
}

fn missing() -> Answer {
    refused(404, "NoSuchKey")
}

fn holds_not() -> Answer {
    refused(412, "PreconditionFailed")
}

/// What is said of the store after a start, and what it was asked.
async fn found_out(server: &Scripted) -> (&'static str, Vec<String>) {
    let storage = server.new_storage();
    storage.check().await.unwrap();
    (storage.limits(), server.methods())
}

#[tokio::test]
async fn a_store_that_heeds_conditions_is_found_out_at_the_start_and_keeps_nothing() {
    let server = probed(missing, || OK, holds_not);
    let (limits, asked) = found_out(&server).await;
    assert_eq!(limits, "");
    assert_eq!(asked, ["HEAD", "PUT", "PUT", "PUT", "DELETE"]);
    let is_in_our_directory = |request: &Request| request.line.contains("/conformance/topics/.connect-conditional-write-probe");
    assert!(server.requests()[1..].iter().all(is_in_our_directory), "{:?}", server.requests());
}

#[tokio::test]
async fn a_probe_that_was_left_behind_tells_as_much_and_is_deleted() {
    let (limits, asked) = found_out(&probed(holds_not, holds_not, holds_not)).await;
    assert_eq!(limits, "");
    assert_eq!(asked, ["HEAD", "PUT", "PUT", "DELETE"]);
    let (limits, _) = found_out(&probed(|| refused(409, "ConditionalRequestConflict"), || OK, holds_not)).await;
    assert_eq!(limits, "");
}

#[tokio::test]
async fn a_store_that_does_not_heed_a_condition_is_found_out_at_the_start() {
    let ignores_both = found_out(&probed(|| OK, || OK, || OK)).await;
    assert_eq!(ignores_both.1, ["HEAD", "PUT", "DELETE"]);
    let ignores_taken_names = found_out(&probed(missing, || OK, || OK)).await;
    assert_eq!(ignores_taken_names.1, ["HEAD", "PUT", "PUT", "PUT", "PUT", "PUT", "DELETE"]);
    let refuses = found_out(&probed(|| refused(501, "NotImplemented"), || OK, || OK)).await;
    for (limits, _) in [ignores_both, ignores_taken_names, refuses] {
        assert!(limits.contains("does not heed conditional writes"), "{limits}");
    }
}

#[tokio::test]
async fn a_probe_that_ends_beside_another_does_not_make_a_store_look_careless() {
    let puts = AtomicUsize::new(0);
    let server = Scripted::serve(move |request, _| match request {
        _ if request.is("DELETE", "") => Status(204, "", ""),
        _ if request.header("if-match").is_some() => missing(),
        // The other one deletes the object between the first and the second.
        _ if request.is("PUT", "") && puts.fetch_add(1, Ordering::Relaxed) == 2 => holds_not(),
        _ => OK,
    });
    assert_eq!(found_out(&server).await.0, "");
}

#[tokio::test]
async fn a_store_that_refuses_the_probe_for_other_reasons_is_not_trusted() {
    let refusals: [fn() -> Answer; 5] = [
        || refused(503, "SlowDown"),
        || refused(403, "AccessDenied"),
        || refused(404, "NoSuchBucket"),
        || refused(400, "InvalidRequest"),
        || Close,
    ];
    for refusal in refusals {
        for server in [probed(refusal, || OK, || OK), probed(missing, refusal, || OK), probed(missing, || OK, refusal)] {
            let storage = server.new_storage();
            storage.check().await.unwrap();
            assert!(storage.limits().contains("not known yet"), "{}", storage.limits());

            // Names are looked at first, and the condition goes with the request all the same.
            assert_eq!(put(&storage).await.unwrap(), Completion::Created);
            let [.., look, written] = &server.requests()[..] else { panic!("too few requests") };
            assert!(look.is("HEAD", "/t/") && written.header("if-none-match") == Some("*"), "{look:?} {written:?}");
            assert_ne!(storage.limits(), "");
        }
    }
}

#[tokio::test]
async fn what_was_not_found_out_is_asked_again_at_the_next_start() {
    let server = Scripted::serve(|request, number| match request {
        _ if request.is("PUT", "probe") && number < 2 => refused(503, "SlowDown"),
        _ if request.is("PUT", "probe") => holds_not(),
        _ => OK,
    });
    let storage = server.new_storage();
    storage.check().await.unwrap();
    assert!(storage.limits().contains("not known yet"));
    storage.check().await.unwrap();
    assert_eq!(storage.limits(), "");
}

#[tokio::test]
async fn what_is_not_known_is_asked_before_the_first_object() {
    let server = probed(missing, || OK, holds_not);
    let storage = server.new_storage();
    assert_eq!(put(&storage).await.unwrap(), Completion::Created);
    assert_eq!(storage.limits(), "");
    assert_eq!(server.methods(), ["PUT", "PUT", "PUT", "DELETE", "PUT"]);
}
