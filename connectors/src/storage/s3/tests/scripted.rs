//! A server that answers by script.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::Mutex,
};

use super::*;

/// A request as it arrived. Names of headers are in lower case.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is(&self, method: &str, part: &str) -> bool {
        self.line.starts_with(method) && self.line.contains(part)
    }
}

/// What the server does with a request.
pub(super) enum Answer {
    /// Status, further headers each with its line end, body.
    Status(u16, &'static str, &'static str),
    /// The connection is closed without a word.
    Close,
}

use Answer::Status;

pub(super) const OK: Answer = Status(200, "ETag: \"1\"\r\n", "");

pub(super) fn refused(status: u16, code: &str) -> Answer {
    Status(status, "", format!("<Error><Code>{code}</Code><Message>said so</Message></Error>").leak())
}

/// A server that answers as `script` says, and remembers what it was asked.
pub(super) struct Scripted {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// `script` is given each request and the number of those before it.
    pub(super) fn serve(script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
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

    pub(super) fn storage(&self) -> S3Storage {
        self.storage_with(&[])
    }

    /// A storage that does not know yet what the store does with conditions.
    pub(super) fn new_storage(&self) -> S3Storage {
        let storage = self.storage();
        storage.shared.means.settle(Conditions::Unknown);
        storage
    }

    /// One attempt, so that the script sees each request once, unless `pairs` say otherwise.
    pub(super) fn storage_with(&self, pairs: &[(&str, &str)]) -> S3Storage {
        let mut config = config(&self.url);
        for (key, value) in [("s3.part.retries", "1"), ("s3.retry.backoff.ms", "1")].iter().chain(pairs) {
            config.insert(*key, *value, None);
        }
        let mut storage = S3Storage::new(&S3Config::try_from(&config).unwrap()).unwrap();
        Arc::get_mut(&mut storage.shared).unwrap().patience = Duration::from_millis(1);
        storage.shared.means.settle(Conditions::Heeded);
        storage
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first words of the requests.
    pub(super) fn methods(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.line.split(' ').next().unwrap().to_owned()).collect()
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

pub(super) async fn put(storage: &S3Storage) -> Result<Completion> {
    let metadata = [("history".into(), "h".to_owned())].into();
    storage
        .put("t/a+0.json.gz", vec![Bytes::from_static(b"1234"), Bytes::from_static(b"56789")], &metadata, &Condition::NameFree)
        .await
}

pub(super) async fn started(storage: &S3Storage) -> Box<dyn MultipartUpload> {
    let upload = storage.start_upload("t/a", &[("history".into(), "h".to_owned())].into()).await.unwrap();
    upload.put_part(0, vec![Bytes::from_static(b"x")]).await.unwrap();
    upload
}

pub(super) const UPLOAD: Answer = Status(
    200,
    "",
    "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>id</UploadId></InitiateMultipartUploadResult>",
);

/// The answers to everything before a completion.
pub(super) fn before_completion(request: &Request) -> Answer {
    if request.is("POST", "?uploads") { UPLOAD } else { OK }
}
