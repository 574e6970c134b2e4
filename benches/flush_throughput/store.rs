//! A store that keeps names and metadata, but no bodies: as much of S3 as a sink needs, and as little work as that takes.
//!
//! It runs in a process of its own, so that what it costs is not counted as the sink's.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::{Read, Write},
    net::Ipv4Addr,
    rc::Rc,
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::LocalSet,
};

use crate::{Result, arguments};

/// The version of every object.
const VERSION: &str = "\"e\"";

/// The names with their metadata as header lines, and how many requests came.
#[derive(Default)]
struct Store {
    latency: Duration,
    names: RefCell<BTreeMap<String, String>>,
    requests: Cell<u64>,
}

/// One request without its body, which is dropped as it comes.
struct Request {
    method: String,
    path: String,
    query: String,
    body_length: usize,
    /// Whether the name must be free.
    if_none_match: bool,
    /// The version that the object must have.
    if_match: Option<String>,
    metadata: String,
    expects_continue: bool,
}

/// Serves until standard input ends, then prints how many requests were answered.
pub(crate) fn run(arguments: &arguments::Store) -> Result<()> {
    let latency = Duration::from_millis(arguments.latency);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let requests = LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;

        let (ended, mut driver) = oneshot::channel::<()>();
        thread::spawn(move || {
            let _end_of_input = std::io::stdin().read_to_end(&mut Vec::new());
            drop(ended);
        });
        let store = Rc::new(Store { latency, ..Store::default() });
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    tokio::task::spawn_local(Rc::clone(&store).serve(stream));
                }
                _ = &mut driver => return Ok::<_, std::io::Error>(store.requests.get()),
            }
        }
    })?;
    println!("{requests}");
    Ok(())
}

impl Store {
    async fn serve(self: Rc<Self>, mut stream: TcpStream) {
        // A connection that breaks is the client's to open again.
        let _closed = self.answer_all(&mut stream).await;
    }

    async fn answer_all(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut filled = 0;
        loop {
            let head_length = loop {
                if let Some(end) = find(&buffer[..filled], b"\r\n\r\n") {
                    break end + 4;
                }
                let read = stream.read(&mut buffer[filled..]).await?;
                if read == 0 {
                    return Ok(());
                }
                filled += read;
            };
            let request = Request::parse(&buffer[..head_length]);
            if request.expects_continue {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            let mut missing = request.body_length as i64 - (filled - head_length) as i64;
            while missing > 0 {
                let read = stream.read(&mut buffer).await?;
                if read == 0 {
                    return Ok(());
                }
                missing -= read as i64;
            }
            // A request at a time on each connection: nothing follows a body before it is answered.
            filled = 0;
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            self.requests.set(self.requests.get() + 1);
            stream.write_all(self.answer(&request).as_bytes()).await?;
        }
    }

    fn answer(&self, request: &Request) -> String {
        let name = request.path.trim_start_matches('/');
        let (bucket, key) = name.split_once('/').unwrap_or((name, ""));
        let has = |name: &str| request.query.split('&').any(|part| part.split('=').next() == Some(name));
        match request.method.as_str() {
            "PUT" if has("partNumber") => response(200, "", ""),
            "PUT" => self.create(request, ""),
            "POST" if has("uploads") => {
                response(200, "", &xml("InitiateMultipartUploadResult", bucket, key, "<UploadId>upload</UploadId>"))
            }
            "POST" if has("uploadId") => self.create(request, &xml("CompleteMultipartUploadResult", bucket, key, "<ETag>e</ETag>")),
            "HEAD" if key.is_empty() => response(200, "", ""),
            "HEAD" => self.names.borrow().get(&request.path).map_or_else(|| response(404, "", ""), |kept| response(200, kept, "")),
            "GET" if has("uploads") => {
                response(200, "", &xml("ListMultipartUploadsResult", bucket, "", "<IsTruncated>false</IsTruncated>"))
            }
            "GET" if key.is_empty() => self.list(bucket, request),
            "DELETE" => response(204, "", ""),
            _ => response(501, "", "<Error><Code>NotImplemented</Code></Error>"),
        }
    }

    fn create(&self, request: &Request, body: &str) -> String {
        let mut names = self.names.borrow_mut();
        let is_taken = names.contains_key(&request.path);
        match &request.if_match {
            Some(_) if !is_taken => return response(404, "", "<Error><Code>NoSuchKey</Code></Error>"),
            Some(version) if version != VERSION => return response(412, "", "<Error><Code>PreconditionFailed</Code></Error>"),
            None if request.if_none_match && is_taken => {
                return response(412, "", "<Error><Code>PreconditionFailed</Code></Error>");
            }
            _ => {}
        }
        names.insert(request.path.clone(), request.metadata.clone());
        response(200, "", body)
    }

    /// One page: the sink lists to find what an earlier run left, and there was none.
    fn list(&self, bucket: &str, request: &Request) -> String {
        let prefix = request.query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
        let prefix = decoded(prefix);
        let names = self.names.borrow();
        let keys = names.keys().filter_map(|name| name.strip_prefix(&format!("/{bucket}/")));
        let contents: String = keys
            .filter(|key| key.starts_with(&prefix))
            .take(1000)
            .map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>"))
            .collect();
        response(200, "", &xml("ListBucketResult", bucket, "", &format!("<IsTruncated>false</IsTruncated>{contents}")))
    }
}

impl Request {
    fn parse(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: decoded(path),
            query: query.to_owned(),
            body_length: 0,
            if_none_match: false,
            if_match: None,
            metadata: String::new(),
            expects_continue: false,
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => request.body_length = value.trim().parse().unwrap_or(0),
                "if-none-match" => request.if_none_match = true,
                "if-match" => request.if_match = Some(value.trim().to_owned()),
                name if name.starts_with("x-amz-meta-") => request.metadata.push_str(&format!("{name}:{value}\r\n")),
                "expect" => request.expects_continue = true,
                _ => {}
            }
        }
        request
    }
}

fn response(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} -\r\nETag: {VERSION}\r\nx-amz-request-id: 1\r\nContent-Type: application/xml\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn xml(root: &str, bucket: &str, key: &str, content: &str) -> String {
    let name = if root.starts_with("List") { "Name" } else { "Bucket" };
    let key = if key.is_empty() { String::new() } else { format!("<Key>{key}</Key>") };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><{name}>{bucket}</{name}>{key}{content}</{root}>"
    )
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Percent escapes undone.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
