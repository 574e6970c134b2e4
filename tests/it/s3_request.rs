//! Requests of the S3 protocol, as a server of the tests understands them.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Whether there is a bucket, or that there be one.
    Bucket,
    Put,
    Head,
    Get,
    Delete,
    List,
    /// Of an upload in parts, as are the following.
    Begin,
    Part(u32),
    Complete,
    Abort,
    Uploads,
    Unknown,
}

#[derive(Debug)]
pub(crate) struct S3Request {
    pub(crate) call: Call,
    /// The answer has no body, not even that of an error.
    pub(crate) is_head: bool,
    /// `/bucket/key`, without escapes.
    pub(crate) path: String,
    query: String,
    pub(crate) body: Vec<u8>,
    /// Nothing may be there under this name.
    pub(crate) must_be_new: bool,
    /// The version that must be there.
    pub(crate) if_match: Option<String>,
    /// The first and the last byte that are wanted.
    pub(crate) range: Option<(u64, u64)>,
    /// Header lines that are kept with the object.
    pub(crate) metadata: String,
    /// `x-amz-date`.
    pub(crate) date: String,
    pub(crate) authorization: String,
}

impl S3Request {
    pub(crate) fn parse(head: &str, body: Vec<u8>) -> Self {
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (decoded(path), query.to_owned());
        let call = Call::Unknown;
        let (metadata, date, authorization) = Default::default();
        let (must_be_new, if_match, range) = (false, None, None);
        let is_head = method == "HEAD";
        let mut request = Self { call, is_head, path, query, body, must_be_new, if_match, range, metadata, date, authorization };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "if-none-match" => request.must_be_new = true,
                "if-match" => request.if_match = Some(value.to_owned()),
                "range" => request.range = between(value),
                "x-amz-date" => request.date = value.to_owned(),
                "authorization" => request.authorization = value.to_owned(),
                name if name.starts_with("x-amz-meta-") || name == "content-type" => {
                    request.metadata.push_str(&format!("{name}: {value}\r\n"));
                }
                _ => {}
            }
        }
        request.call = request.call(method);
        request
    }

    fn call(&self, method: &str) -> Call {
        let has = |name: &str| self.query.split('&').any(|part| part.split('=').next() == Some(name));
        let is_object = self.path.trim_matches('/').contains('/');
        match method {
            "PUT" if has("partNumber") => self.query("partNumber").parse().map_or(Call::Unknown, Call::Part),
            "PUT" if is_object => Call::Put,
            "POST" if has("uploads") => Call::Begin,
            "POST" if has("uploadId") => Call::Complete,
            "DELETE" if has("uploadId") => Call::Abort,
            "DELETE" if is_object => Call::Delete,
            "HEAD" if is_object => Call::Head,
            "GET" if is_object => Call::Get,
            "GET" if has("uploads") => Call::Uploads,
            "GET" if has("list-type") => Call::List,
            "PUT" | "HEAD" => Call::Bucket,
            _ => Call::Unknown,
        }
    }

    /// A parameter of the query; empty if there is none.
    pub(crate) fn query(&self, name: &str) -> String {
        let value = self.query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        decoded(value.unwrap_or_default())
    }
}

/// `bytes=3-7`, or `bytes=3-`.
fn between(value: &str) -> Option<(u64, u64)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, if last.is_empty() { u64::MAX } else { last.parse().ok()? }))
}

/// Percent escapes undone.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
