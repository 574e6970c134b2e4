//! What to do about refusals that have a usual cause outside of the store.

use std::error::Error as StdError;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::error::Refusal;

/// A sentence about the cause and the way out; nothing where the answer says all that is known.
pub(super) fn hint<E>(error: &SdkError<E, HttpResponse>, refusal: &Refusal) -> Option<String>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let Some(answer) = error.raw_response() else { return without_an_answer(&causes(error)).map(str::to_owned) };
    match (refusal.status, refusal.code.as_str()) {
        (Some(407), _) => Some(PROXY_REFUSES.to_owned()),
        (_, "RequestTimeTooSkewed") => {
            Some("the clocks of this machine and of the store differ by too much: set this machine's".to_owned())
        }
        _ => elsewhere(answer, refusal, error.message().unwrap_or_default()),
    }
}

const PROXY_REFUSES: &str = "the proxy refuses the user or password: see `s3.proxy.user` and `s3.proxy.password`";

/// Where the bucket is, or where the answer leads.
fn elsewhere(answer: &HttpResponse, refusal: &Refusal, message: &str) -> Option<String> {
    let is_redirect = matches!(refusal.status, Some(301 | 302 | 303 | 307 | 308));
    if !is_redirect && !refusal.is_elsewhere() {
        return None;
    }
    let header = |name| answer.headers().get(name).filter(|value| !value.is_empty());
    if let Some(region) = header("x-amz-bucket-region").or_else(|| expected_region(message)) {
        let unless = if refusal.is_elsewhere() {
            "; a `store.url` of another region must go with it"
        } else {
            ", unless it is set so already: then the bucket is new, and is found there after a while"
        };
        return Some(format!("the bucket is in the region {region}: set `s3.region={region}`{unless}"));
    }
    match header("location").filter(|_| is_redirect) {
        // What follows the path may be a signature.
        Some(location) => {
            let location = location.split(['?', '#']).next().unwrap_or(location);
            Some(format!("the answer leads to {location}: is `store.url` right?"))
        }
        None => Some("is `s3.region` the bucket's?".to_owned()),
    }
}

/// As in: `The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'`.
fn expected_region(message: &str) -> Option<&str> {
    let (region, _) = message.split_once("expecting '")?.1.split_once('\'')?;
    Some(region).filter(|region| !region.is_empty())
}

/// What is in the texts of the TLS library and of the HTTP client when no answer comes. The first that fits says it best.
const WITHOUT_AN_ANSWER: [(&str, &str); 7] = [
    (
        "not valid for name",
        "the store's certificate is for other host names: write one of them in `store.url`; where the bucket's name stands in front of it, set \
         `s3.path.style.access.enabled=true`",
    ),
    ("certificate expired", "the store's certificate is too old, unless this machine's clock is wrong"),
    ("certificate not valid yet", "the store's certificate is not valid yet, unless this machine's clock is wrong"),
    (
        "CaUsedAsEndEntity",
        "the store's certificate is that of an authority, which may only sign others: give the store one with `basicConstraints=CA:FALSE`",
    ),
    (
        "invalid peer certificate",
        "the store's certificate is signed by nobody whom this machine trusts: add the signer's certificate to the machine's, or name a file \
         with it in the environment's SSL_CERT_FILE",
    ),
    ("corrupt message", "what answers there does not speak TLS: should `store.url` begin with http://?"),
    ("proxy authorization required", PROXY_REFUSES),
];

fn without_an_answer(causes: &str) -> Option<&'static str> {
    WITHOUT_AN_ANSWER.iter().find(|(cause, _)| causes.contains(cause)).map(|(_, hint)| *hint)
}

/// The texts of all causes.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut texts = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push_str(&format!(": {error}"));
        cause = error.source();
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tls_library_says_gets_what_to_do() {
        let hint = |text: &str| without_an_answer(text).unwrap_or_default();
        assert!(hint("invalid peer certificate: certificate not valid for name \"a.b\"").contains("other host names"));
        assert!(hint("invalid peer certificate: certificate expired: verification time 1").contains("clock"));
        assert!(hint("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))").contains("CA:FALSE"));
        assert!(hint("invalid peer certificate: UnknownIssuer").contains("SSL_CERT_FILE"));
        assert_eq!(without_an_answer("connection refused"), None);
    }

    #[test]
    fn the_region_that_is_expected_is_read_from_the_message() {
        let message = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
        assert_eq!(expected_region(message), Some("eu-west-1"));
        assert_eq!(expected_region("expecting ''"), None);
        assert_eq!(expected_region(""), None);
    }
}
