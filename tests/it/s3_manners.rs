//! How an S3 server of the tests differs from a quick one that does all that it is asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, fmt::strtime};

use crate::s3_request::S3Request;

/// The least that S3 takes as a part that is not the last.
const LEAST_PART: usize = 5 << 20;
/// How far the time of a request may be from the server's, as for S3.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The differences.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    /// Every so manieth request is answered with 503; none if zero.
    pub(crate) refuses_every: u64,
    /// Time to think about each request.
    pub(crate) latency: Duration,
    /// All parts of an object but the last must have one length, as Cloudflare R2 wants it.
    pub(crate) wants_equal_parts: bool,
    /// How many minutes its clock is ahead, if it looks at it: requests of another time are refused.
    pub(crate) clock_ahead: Option<i32>,
    /// It does not say what its clock shows.
    pub(crate) hides_its_time: bool,
    /// The bucket's region, and the status (301, 307 or 400) of the answer to requests that are signed for another one.
    pub(crate) elsewhere: Option<(u16, &'static str)>,
}

/// An answer that refuses a request.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) headers: String,
}

impl Manners {
    /// What is said to the `number`th request, if it is refused whatever it asks for.
    pub(crate) fn refuse(&self, request: &S3Request, number: u64) -> Option<Refusal> {
        let refused = |status, code, headers| Some(Refusal { status, code, headers });
        if self.refuses_every > 0 && number.is_multiple_of(self.refuses_every) {
            return refused(503, "SlowDown", String::new());
        }
        if self.now().is_some_and(|now| request.signed_at().is_none_or(|at| now.duration_since(at).abs() > MOST_SKEW)) {
            return refused(403, "RequestTimeTooSkewed", String::new());
        }
        let (status, region) = self.elsewhere.filter(|(_, region)| request.region().as_deref() != Some(region))?;
        let code = match status {
            301 => "PermanentRedirect",
            307 => "TemporaryRedirect",
            _ => "AuthorizationHeaderMalformed",
        };
        refused(status, code, format!("x-amz-bucket-region: {region}\r\n"))
    }

    /// The code with which parts of these lengths are refused.
    pub(crate) fn refuse_parts(&self, lengths: &[usize]) -> Option<&'static str> {
        let (last, others) = lengths.split_last()?;
        if others.iter().any(|length| *length < LEAST_PART) {
            return Some("EntityTooSmall");
        }
        let uneven = others.first().is_some_and(|first| last > first || others.iter().any(|length| length != first));
        (self.wants_equal_parts && uneven).then_some("InvalidPart")
    }

    /// Header lines of every answer.
    pub(crate) fn headers(&self) -> String {
        self.now()
            .filter(|_| !self.hides_its_time)
            .map_or_else(String::new, |now| format!("Date: {}\r\n", now.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    }

    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp::now() + SignedDuration::from_mins(self.clock_ahead?.into()))
    }
}

impl S3Request {
    /// When it says that it was signed.
    fn signed_at(&self) -> Option<Timestamp> {
        let date = strtime::parse("%Y%m%dT%H%M%SZ", &self.date).ok()?;
        date.to_datetime().ok()?.in_tz("UTC").ok().map(|at| at.timestamp())
    }

    /// The region that it is signed for.
    fn region(&self) -> Option<String> {
        self.authorization.split_once("Credential=")?.1.split('/').nth(2).map(str::to_owned)
    }
}
