//! Objects in parts: lost answers, lost uploads.

use super::{
    scripted::{
        Answer::{self, Status},
        Scripted, before_completion, refused, started,
    },
    *,
};

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
    let lost = lost.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Fatal);
    assert!(lost.report().contains("lost"), "{}", lost.report());
}

/// Otherwise the name would be asked for, and found taken, for ever.
#[tokio::test]
async fn an_upload_that_is_gone_while_the_object_to_be_replaced_is_still_there_is_lost() {
    let server = Scripted::serve(|request, _| match request {
        _ if request.is("POST", "uploadId=") => refused(404, "NoSuchUpload"),
        _ if request.is("HEAD", "") => Status(200, "ETag: \"7\"\r\nx-amz-meta-history: other\r\n", ""),
        _ => before_completion(request),
    });
    let upload = started(&server.storage()).await;
    let replacing = |version: &str| Condition::Unchanged(connect_api::Version(version.to_owned()));
    let changed = upload.complete(&replacing("\"6\"")).await;
    assert_eq!(changed.unwrap(), Completion::NameTaken);
    let lost = upload.complete(&replacing("\"7\"")).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Fatal);
    assert!(lost.report().contains("has lost the multipart upload of t/a"), "{}", lost.report());
}

#[tokio::test]
async fn an_object_that_the_store_is_still_putting_together_is_waited_for() {
    let server = Scripted::serve(|request, number| match request {
        _ if request.is("POST", "uploadId=") => refused(404, "NoSuchUpload"),
        _ if request.is("HEAD", "") && number < 7 => Status(404, "", ""),
        _ if request.is("HEAD", "") => Status(200, "x-amz-meta-history: h\r\n", ""),
        _ => before_completion(request),
    });
    let completed = started(&server.storage()).await.complete(&Condition::NameFree).await;
    assert_eq!(completed.unwrap(), Completion::Created);
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn a_completion_that_meets_another_is_tried_again() {
    let server = Scripted::serve(|request, _| match request {
        _ if request.is("POST", "uploadId=") => refused(409, "ConditionalRequestConflict"),
        _ if request.is("HEAD", "") => Status(404, "", ""),
        _ => before_completion(request),
    });
    let conflict = started(&server.storage()).await.complete(&Condition::NameFree).await.unwrap_err();
    assert_eq!(conflict.kind(), ErrorKind::Retriable);
}

#[tokio::test]
async fn a_part_of_an_upload_that_the_store_has_dropped_is_not_sent_for_ever() {
    let server = Scripted::serve(|request, _| match request {
        _ if request.is("PUT", "partNumber=2") => refused(404, "NoSuchUpload"),
        _ => before_completion(request),
    });
    let lost = started(&server.storage()).await.put_part(1, vec![Bytes::from_static(b"y")]).await;
    let lost = lost.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Fatal);
    assert!(lost.report().contains("has lost the multipart upload of t/a"), "{}", lost.report());
}
