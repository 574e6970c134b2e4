//! What an answer of the store means.

use std::error::Error as StdError;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use connect_api::{Condition, Error, ErrorKind};

use super::hints::hint;

/// The parts of a failed request that decisions are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// None where no answer came.
    pub(super) status: Option<u16>,
    /// S3's name of the error; empty where the answer has none, as every answer to `HEAD`.
    pub(super) code: String,
}

impl Refusal {
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        Self { status, code: error.code().unwrap_or_default().to_owned() }
    }

    /// Whether the object that has the name, or had it, is why.
    pub(super) fn is_name_taken(&self, condition: &Condition) -> bool {
        let replaces = matches!(condition, Condition::Unchanged(_));
        self.code == "PreconditionFailed" || matches!(self.status, Some(412 | 304)) || (replaces && self.is_object_missing())
    }

    /// Whether the object that was to be replaced or read is not there.
    pub(super) fn is_object_missing(&self) -> bool {
        match self.code.as_str() {
            "NoSuchKey" => true,
            "NotFound" | "" => self.status == Some(404),
            _ => false,
        }
    }

    /// Whether the store no longer knows the multipart upload: completed, aborted, or expired.
    pub(super) fn is_upload_missing(&self) -> bool {
        self.code == "NoSuchUpload"
    }

    /// Whether the store refuses a feature rather than this object. Google Cloud Storage says `ExcessHeaderValues` to checksums.
    pub(super) fn is_feature_missing(&self) -> bool {
        let is_missing = ["NotImplemented", "ExcessHeaderValues"].contains(&self.code.as_str());
        self.status == Some(501) || is_missing || self.wants_signed_content()
    }

    pub(super) fn wants_signed_content(&self) -> bool {
        self.code == "XAmzContentSHA256Mismatch"
    }

    /// Whether the object ends before the range that was asked for.
    pub(super) fn is_beyond_the_end(&self) -> bool {
        self.status == Some(416) || self.code == "InvalidRange"
    }

    /// Whether the bucket is in another region than the one that was asked.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.status == Some(301) || ELSEWHERE.contains(&self.code.as_str())
    }

    /// What to do next. Whatever may be different later is tried again: credentials are rotated, keys enabled, buckets restored, proxies mended.
    pub(super) fn kind(&self) -> ErrorKind {
        if HOPELESS.contains(&self.code.as_str()) { ErrorKind::Fatal } else { ErrorKind::Retriable }
    }
}

/// What is wrong with the request itself, so that the same one never succeeds. A status alone says no such thing: `HEAD` is answered without a code, and
/// proxies answer, too.
const HOPELESS: &[&str] = &[
    "EntityTooLarge",
    "EntityTooSmall",
    "InvalidArgument",
    "InvalidDigest",
    "InvalidEncryptionAlgorithmError",
    "InvalidObjectName",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRequest",
    "InvalidStorageClass",
    "InvalidURI",
    "KeyTooLong",
    "KeyTooLongError",
    "MalformedXML",
    "MetadataTooLarge",
    "MissingContentLength",
    "NotImplemented",
    // Files of `versitygw` and MinIO in the way of a name.
    "ObjectParentIsFile",
    "XMinioInvalidObjectName",
];

const ELSEWHERE: &[&str] = &["AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"];

/// The error of a failed request, with what was being done.
pub(super) fn error<E>(doing: &str, key: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let refusal = Refusal::of(&error);
    let answer = match (refusal.status, error.message()) {
        (None, _) => "no answer".to_owned(),
        (Some(status), None) => format!("{status} {}", refusal.code),
        (Some(status), Some(message)) => format!("{status} {}: {message}", refusal.code),
    };
    let hint = hint(&error, &refusal).map_or_else(String::new, |hint| format!(" ({hint})"));
    let message = format!("could not {doing} {key}: {}{hint}", answer.trim_end());
    let made = match (&error, refusal.kind()) {
        (SdkError::ConstructionFailure(_), _) | (_, ErrorKind::Fatal) => Error::fatal(message),
        _ => Error::retriable(message),
    };
    // A service's answer is in the message already.
    if refusal.status.is_some() { made } else { made.with_source(error) }
}

#[cfg(test)]
mod tests {
    use connect_api::Version;

    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal { status: Some(status).filter(|status| *status > 0), code: code.to_owned() }
    }

    #[test]
    fn the_environment_is_tried_again_for_ever() {
        for (status, code) in [
            (0, ""),
            (200, "InternalError"),
            (301, "PermanentRedirect"),
            (307, "TemporaryRedirect"),
            (400, ""),
            (400, "AuthorizationHeaderMalformed"),
            (400, "BadDigest"),
            (400, "ExpiredToken"),
            (400, "IncompleteBody"),
            (400, "InvalidToken"),
            (400, "KMS.DisabledException"),
            (400, "KMS.KMSInvalidStateException"),
            (400, "RequestTimeout"),
            (400, "ThrottlingException"),
            (400, "XAmzContentSHA256Mismatch"),
            (403, "InvalidAccessKeyId"),
            (404, "NoSuchBucket"),
            (405, "MethodNotAllowed"),
            (409, "ConditionalRequestConflict"),
            (409, "OperationAborted"),
            (413, ""),
            (421, ""),
            (425, ""),
            (429, ""),
            (500, "InternalError"),
            (501, ""),
            (503, "SlowDown"),
            (504, ""),
        ] {
            assert_eq!(refusal(status, code).kind(), ErrorKind::Retriable, "{status} {code}");
        }
    }

    #[test]
    fn a_request_that_can_never_succeed_is_fatal_whatever_its_status() {
        for code in HOPELESS {
            assert_eq!(refusal(400, code).kind(), ErrorKind::Fatal, "{code}");
        }
        assert_eq!(refusal(501, "NotImplemented").kind(), ErrorKind::Fatal);
        assert!(HOPELESS.is_sorted_by_key(|code| code.to_lowercase()));
    }

    #[test]
    fn a_bucket_elsewhere_is_told_from_other_refusals() {
        for (status, code) in [(301, ""), (301, "PermanentRedirect"), (400, "AuthorizationHeaderMalformed")] {
            assert!(refusal(status, code).is_elsewhere(), "{status} {code}");
        }
        // A new bucket's name is known in its region first.
        assert!(!refusal(307, "TemporaryRedirect").is_elsewhere());
        assert!(!refusal(400, "").is_elsewhere());
    }

    #[test]
    fn a_taken_name_is_told_from_a_missing_bucket() {
        let (free, unchanged) = (Condition::NameFree, Condition::Unchanged(Version("\"1\"".to_owned())));
        for condition in [&free, &unchanged] {
            assert!(refusal(412, "PreconditionFailed").is_name_taken(condition));
            assert!(refusal(200, "PreconditionFailed").is_name_taken(condition));
            assert!(!refusal(404, "NoSuchBucket").is_name_taken(condition));
            assert!(!refusal(404, "NoSuchUpload").is_name_taken(condition));
            assert!(!refusal(409, "ConditionalRequestConflict").is_name_taken(condition));
            assert!(!refusal(503, "SlowDown").is_name_taken(condition));
        }
        assert!(refusal(404, "NoSuchKey").is_name_taken(&unchanged));
        assert!(!refusal(404, "NoSuchKey").is_name_taken(&free));
    }
}
