//! An HTTP proxy between the sink and an S3 server that can answer for it, break, hang, and tell a test of every step.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request's first line, in S3's words.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    /// Bucket and key, with their escapes.
    pub(crate) path: String,
    /// The key that signed it, for which region and service: `AK/eu-west-1/s3`; empty where none did.
    pub(crate) access_key: String,
}

impl Request {
    /// Whether this request can make an object of records appear, and not only what is put to see what the store does.
    pub(crate) fn completes_records(&self) -> bool {
        self.kind.completes() && self.path.contains("/topics/")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    PutObject,
    CreateMultipart,
    Part,
    Tag,
    Complete,
    Abort,
    HeadObject,
    HeadBucket,
    List,
    Other,
}

impl Kind {
    /// Whether this request can make an object appear.
    pub(crate) fn completes(self) -> bool {
        matches!(self, Self::PutObject | Self::Complete)
    }
}

/// When the test is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The proxy has the whole request, the server nothing of it.
    Arrived,
    /// The server has answered, the sink does not know.
    Done,
    /// The sink has been sent the answer.
    Answered,
}

/// What happens to the request. Only `Pass` means anything after it has arrived, except for `Reset` and `Truncate` when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// This status and S3 error code, without asking the server.
    Answer(u16, &'static str),
    /// The connection breaks.
    Reset,
    /// No answer for so long, then the connection breaks.
    Hang(Duration),
    /// The connection breaks in the middle of the answer.
    Truncate,
}

type Decide = dyn Fn(&Request, Moment) -> Verdict + Send + Sync;

pub(crate) struct Proxy {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens, and forwards to `upstream` (`http://host:port`) what `decide` lets pass.
    pub(crate) fn start(upstream: &str, decide: impl Fn(&Request, Moment) -> Verdict + Send + Sync + 'static) -> Self {
        let upstream: SocketAddr = upstream.trim_start_matches("http://").parse().expect("host:port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stopping = Arc::new(AtomicBool::new(false));
        let (stopped, decide): (_, Arc<Decide>) = (Arc::clone(&stopping), Arc::new(decide));
        let accepting = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (decide, stopped) = (Arc::clone(&decide), Arc::clone(&stopped));
                // Ends with its connection; what a client does to it is no concern of the test's.
                std::thread::spawn(move || drop(serve(stream, upstream, &*decide, &stopped)));
            }
        });
        Self { address, stopping, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("the proxy did not panic");
        }
    }
}

fn serve(client: TcpStream, upstream: SocketAddr, decide: &Decide, stopping: &AtomicBool) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut writer = client;
    loop {
        let Some((head, body)) = read_message(&mut reader, false)? else { return Ok(()) };
        let request = describe(&head);
        match decide(&request, Moment::Arrived) {
            Verdict::Pass => {}
            Verdict::Answer(status, code) => {
                let body = if request.kind == Kind::HeadBucket || request.kind == Kind::HeadObject {
                    String::new()
                } else {
                    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>injected</Message></Error>")
                };
                let length = body.len();
                write!(
                    writer,
                    "HTTP/1.1 {status} injected\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{body}"
                )?;
                continue;
            }
            Verdict::Reset | Verdict::Truncate => return Ok(()),
            Verdict::Hang(how_long) => {
                let tick = Duration::from_millis(50);
                let mut waited = Duration::ZERO;
                while waited < how_long && !stopping.load(Ordering::Relaxed) {
                    std::thread::sleep(tick);
                    waited += tick;
                }
                return Ok(());
            }
        }
        let mut server = TcpStream::connect(upstream)?;
        server.set_nodelay(true)?;
        server.write_all(&[head.as_bytes(), &body].concat())?;
        let no_body = head.starts_with("HEAD ");
        let answer = read_message(&mut BufReader::new(server), no_body)?;
        let Some((answer_head, answer_body)) = answer else { return Ok(()) };
        let answer = [answer_head.as_bytes(), &answer_body].concat();
        match decide(&request, Moment::Done) {
            Verdict::Reset => return Ok(()),
            Verdict::Truncate => return writer.write_all(&answer[..answer.len() / 2]),
            _ => writer.write_all(&answer)?,
        }
        decide(&request, Moment::Answered);
    }
}

/// The head, with its blank line, and the body of a request or an answer, as they were sent.
pub(crate) fn read_message(reader: &mut impl BufRead, without_body: bool) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
    };
    let mut body = Vec::new();
    if without_body {
        return Ok(Some((head, body)));
    }
    if let Some(length) = header("content-length").and_then(|length| length.parse::<u64>().ok()) {
        reader.take(length).read_to_end(&mut body)?;
    } else if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        while !body.ends_with(b"\r\n0\r\n\r\n") && body != b"0\r\n\r\n" {
            if reader.read_until(b'\n', &mut body)? == 0 {
                break;
            }
        }
    }
    Ok(Some((head, body)))
}

fn describe(head: &str) -> Request {
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // What a start asks with is none of the sink's objects.
    let is_object = path.trim_matches('/').contains('/') && !path.ends_with("/.connect-conditional-write-probe");
    let kind = match method {
        "PUT" if query.contains("partNumber=") => Kind::Part,
        "PUT" if query.starts_with("tagging") => Kind::Tag,
        "PUT" if is_object => Kind::PutObject,
        "POST" if query.contains("uploadId=") => Kind::Complete,
        "POST" if query.starts_with("uploads") => Kind::CreateMultipart,
        "DELETE" if query.contains("uploadId=") => Kind::Abort,
        "GET" if query.contains("list-type=2") => Kind::List,
        "HEAD" if is_object => Kind::HeadObject,
        "HEAD" => Kind::HeadBucket,
        _ => Kind::Other,
    };
    Request { kind, path: path.to_owned(), access_key: signer(head).unwrap_or_default() }
}

fn signer(head: &str) -> Option<String> {
    let (_, credential) = head.split_once("Credential=")?;
    let mut parts = credential.split([',', '/']);
    let (key, _date) = (parts.next()?, parts.next()?);
    Some(format!("{key}/{}/{}", parts.next()?, parts.next()?))
}

#[test]
fn the_proxy_passes_answers_breaks_and_tells() {
    use crate::bucket::{Bucket, Server};
    use std::sync::Mutex;

    let Some(bucket) = Bucket::create(Server::Moto, "proxy") else { return };
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let verdicts = Mutex::new(vec![Verdict::Reset, Verdict::Answer(503, "SlowDown"), Verdict::Pass]);
    let proxy = Proxy::start(bucket.url(), move |request, moment| {
        telling.lock().unwrap().push((request.kind, moment));
        if moment == Moment::Arrived { verdicts.lock().unwrap().pop().unwrap() } else { Verdict::Pass }
    });
    let ask = || {
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        write!(stream, "GET /moto-api/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", proxy.address).unwrap();
        let mut reader = BufReader::new(stream);
        read_message(&mut reader, false).unwrap()
    };
    let (head, body) = ask().unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(!body.is_empty());
    // It is told after the answer has been sent.
    crate::cluster::wait_until("the answer is told", Duration::from_secs(10), || told.lock().unwrap().len() == 3);
    let (head, body) = ask().unwrap();
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(String::from_utf8(body).unwrap().contains("SlowDown"));
    assert_eq!(ask(), None);
    let other = |moment| (Kind::Other, moment);
    let expected = [Moment::Arrived, Moment::Done, Moment::Answered, Moment::Arrived, Moment::Arrived].map(other);
    assert_eq!(*told.lock().unwrap(), expected);
}
