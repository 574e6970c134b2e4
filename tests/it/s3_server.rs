//! An S3 server in the test's own process: quick, counts what is asked, refuses some of it, and pretends to hold what nobody could send.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use jiff::Timestamp;

use crate::proxy::read_message;
pub(crate) use crate::s3_manners::Manners;
use crate::s3_manners::Refusal;
use crate::s3_request::{Call, S3Request};

const NAMES_A_PAGE: usize = 1_000;

/// What was asked so far.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) heads: AtomicU64,
    /// Bytes of objects that were sent.
    pub(crate) sent: AtomicU64,
    under_way: AtomicUsize,
    /// The most requests that were under way at once.
    pub(crate) most_under_way: AtomicUsize,
    /// Objects of records that another one has taken the place of.
    replaced: AtomicUsize,
}

pub(crate) struct S3Server {
    state: Arc<State>,
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    manners: Mutex<Manners>,
    counts: Counts,
    /// By `/bucket/key`.
    objects: Mutex<BTreeMap<String, Object>>,
    /// Key and parts, by upload.
    uploads: Mutex<BTreeMap<String, Upload>>,
    versions: AtomicU64,
    /// The lengths of the parts of each upload that was to be completed.
    parts: Mutex<Vec<Vec<usize>>>,
}

#[derive(Clone)]
struct Object {
    content: Content,
    version: String,
    modified: Timestamp,
    /// Header lines.
    metadata: String,
}

#[derive(Clone)]
enum Content {
    Bytes(Arc<Vec<u8>>),
    /// So many zeros that nobody keeps.
    Zeros(u64),
}

#[derive(Default)]
struct Upload {
    path: String,
    metadata: String,
    parts: BTreeMap<u32, Vec<u8>>,
}

/// An answer without the body's length.
struct Answer {
    status: u16,
    headers: String,
    body: Content,
}

impl S3Server {
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State { manners: Mutex::new(manners), ..State::default() });
        let stopping = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stopping));
        let accepting = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // Ends with its connection.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self { state, address, stopping, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it behaves like this, and the most requests under way are counted anew.
    pub(crate) fn behave(&self, manners: Manners) {
        *locked(&self.state.manners) = manners;
        self.state.counts.most_under_way.store(0, Ordering::SeqCst);
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.state.counts
    }

    /// Keys and contents of a bucket.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let objects = locked(&self.state.objects);
        let key = |path: &str| path.strip_prefix(&format!("/{bucket}/")).map(str::to_owned);
        let content = |object: &Object| match &object.content {
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::Zeros(length) => panic!("{length} zeros are still there"),
        };
        objects.iter().filter_map(|(path, object)| Some((key(path)?, content(object)))).collect()
    }

    pub(crate) fn count(&self, bucket: &str) -> usize {
        let prefix = format!("/{bucket}/");
        locked(&self.state.objects).range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix)).count()
    }

    /// The lengths of the parts of each object in parts, once for each time that it was to be completed.
    pub(crate) fn parts(&self) -> Vec<Vec<usize>> {
        locked(&self.state.parts).clone()
    }

    /// Uploads in parts that were neither completed nor aborted.
    pub(crate) fn unfinished(&self) -> usize {
        locked(&self.state.uploads).len()
    }

    /// How often an object of records has taken the place of another one.
    pub(crate) fn replaced(&self) -> usize {
        self.state.counts.replaced.load(Ordering::SeqCst)
    }

    /// Pretends that an object of so many bytes is there.
    pub(crate) fn pretend(&self, bucket: &str, key: &str, size: u64) {
        self.state.keep(format!("/{bucket}/{key}"), Content::Zeros(size), String::new());
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("the server did not panic");
        }
    }
}

impl Counts {
    fn begin(&self) -> u64 {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(now, Ordering::SeqCst);
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        while let Some((head, body)) = read_message(&mut reader, false)? {
            let number = self.counts.begin();
            let manners = *locked(&self.manners);
            std::thread::sleep(manners.latency);
            let request = S3Request::parse(&head, body);
            let mut answer = match manners.refuse(&request, number) {
                Some(Refusal { status, code, headers }) => {
                    self.counts.refused.fetch_add(1, Ordering::SeqCst);
                    Answer { headers, ..refusal(status, code) }
                }
                None => self.answer(&request),
            };
            answer.headers.push_str(&manners.headers());
            let sent = self.send(&mut writer, &request, &answer);
            self.counts.under_way.fetch_sub(1, Ordering::SeqCst);
            sent?;
        }
        Ok(())
    }

    fn send(&self, writer: &mut TcpStream, request: &S3Request, answer: &Answer) -> std::io::Result<()> {
        let Answer { status, headers, body } = answer;
        let length = body.length();
        write!(writer, "HTTP/1.1 {status} -\r\nx-amz-request-id: 1\r\n{headers}Content-Length: {length}\r\n\r\n")?;
        if request.is_head {
            return Ok(());
        }
        let is_object = request.call == Call::Get;
        let mut write = |bytes: &[u8]| {
            writer.write_all(bytes)?;
            if is_object {
                self.counts.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
            }
            Ok(())
        };
        match body {
            Content::Bytes(bytes) => write(bytes),
            Content::Zeros(length) => {
                let zeros = [0; 64 * 1024];
                let whole = zeros.len() as u64;
                (0..length / whole).try_for_each(|_| write(&zeros))?;
                write(&zeros[..usize::try_from(length % whole).expect("less than a block")])
            }
        }
    }

    fn answer(&self, request: &S3Request) -> Answer {
        match request.call {
            Call::Bucket => ok(""),
            Call::Put => self.create(request, &request.path, Content::Bytes(Arc::new(request.body.clone())), &request.metadata),
            Call::Head => {
                self.counts.heads.fetch_add(1, Ordering::SeqCst);
                self.object(request)
            }
            Call::Get => self.object(request),
            Call::Delete => {
                locked(&self.objects).remove(&request.path);
                Answer { status: 204, ..ok("") }
            }
            Call::List => self.list(request),
            Call::Begin => {
                let id = self.versions.fetch_add(1, Ordering::SeqCst).to_string();
                let upload = Upload { path: request.path.clone(), metadata: request.metadata.clone(), ..Upload::default() };
                locked(&self.uploads).insert(id.clone(), upload);
                ok(&format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
            }
            Call::Part(number) => match locked(&self.uploads).get_mut(&request.query("uploadId")) {
                Some(upload) => {
                    upload.parts.insert(number, request.body.clone());
                    Answer { headers: "ETag: \"part\"\r\n".into(), ..ok("") }
                }
                None => refusal(404, "NoSuchUpload"),
            },
            Call::Complete => self.complete(request),
            Call::Abort => {
                locked(&self.uploads).remove(&request.query("uploadId"));
                Answer { status: 204, ..ok("") }
            }
            Call::Uploads => {
                let begun = |(id, upload): (&String, &Upload)| {
                    let (_, key) = upload.path.trim_start_matches('/').split_once('/')?;
                    let key = key.starts_with(&request.query("prefix")).then_some(key)?;
                    Some(format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>"))
                };
                let uploads: String = locked(&self.uploads).iter().filter_map(begun).collect();
                ok(&format!("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{uploads}</ListMultipartUploadsResult>"))
            }
            Call::Unknown => refusal(501, "NotImplemented"),
        }
    }

    fn complete(&self, request: &S3Request) -> Answer {
        let id = request.query("uploadId");
        let Some(upload) = locked(&self.uploads).remove(&id) else { return refusal(404, "NoSuchUpload") };
        let lengths: Vec<_> = upload.parts.values().map(Vec::len).collect();
        let refused = locked(&self.manners).refuse_parts(&lengths);
        locked(&self.parts).push(lengths);
        if let Some(code) = refused {
            locked(&self.uploads).insert(id, upload);
            return refusal(400, code);
        }
        let whole = Content::Bytes(Arc::new(upload.parts.values().flatten().copied().collect()));
        let answer = self.create(request, &upload.path, whole, &upload.metadata);
        if answer.status != 200 {
            locked(&self.uploads).insert(id, upload);
            return answer;
        }
        Answer { headers: answer.headers, ..ok("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>") }
    }

    fn create(&self, request: &S3Request, path: &str, content: Content, metadata: &str) -> Answer {
        let there = locked(&self.objects).get(path).map(|object| object.version.clone());
        match (&request.if_match, there) {
            (Some(_), None) => return refusal(404, "NoSuchKey"),
            (Some(wanted), Some(version)) if *wanted != version => return refusal(412, "PreconditionFailed"),
            (None, Some(_)) if request.must_be_new => return refusal(412, "PreconditionFailed"),
            _ => {}
        }
        let version = self.keep(path.to_owned(), content, metadata.to_owned());
        Answer { headers: format!("ETag: {version}\r\n"), ..ok("") }
    }

    fn keep(&self, path: String, content: Content, metadata: String) -> String {
        let version = format!("\"v{}\"", self.versions.fetch_add(1, Ordering::SeqCst));
        let object = Object { content, version: version.clone(), modified: Timestamp::now(), metadata };
        let is_of_records = path.contains("/topics/");
        if locked(&self.objects).insert(path, object).is_some() && is_of_records {
            self.counts.replaced.fetch_add(1, Ordering::SeqCst);
        }
        version
    }

    fn object(&self, request: &S3Request) -> Answer {
        let Some(object) = locked(&self.objects).get(&request.path).cloned() else { return refusal(404, "NoSuchKey") };
        let modified = object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let headers = format!("ETag: {}\r\nLast-Modified: {modified}\r\n{}", object.version, object.metadata);
        let length = object.content.length();
        let Some((first, last)) = request.range.filter(|_| request.call == Call::Get) else {
            return Answer { status: 200, headers, body: object.content };
        };
        if first >= length {
            return refusal(416, "InvalidRange");
        }
        let last = last.min(length - 1);
        let body = match object.content {
            Content::Bytes(bytes) => {
                let at = |offset: u64| usize::try_from(offset).expect("within memory");
                Content::Bytes(Arc::new(bytes[at(first)..=at(last)].to_vec()))
            }
            Content::Zeros(_) => Content::Zeros(last - first + 1),
        };
        Answer { status: 206, headers: format!("{headers}Content-Range: bytes {first}-{last}/{length}\r\n"), body }
    }

    fn list(&self, request: &S3Request) -> Answer {
        let bucket = format!("{}/", request.path.trim_end_matches('/'));
        let (prefix, after) = (request.query("prefix"), request.query("start-after").max(request.query("continuation-token")));
        let objects = locked(&self.objects);
        let begin = format!("{bucket}{}", prefix.as_str().max(after.as_str()));
        let keys = objects.range(begin..).filter_map(|(path, object)| Some((path.strip_prefix(&bucket)?, object)));
        let mut keys = keys.skip_while(|(key, _)| *key <= after.as_str()).take_while(|(key, _)| key.starts_with(&prefix));
        let page: Vec<_> = keys.by_ref().take(NAMES_A_PAGE).collect();
        let next = match (page.last(), keys.next()) {
            (Some((last, _)), Some(_)) => {
                format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>")
            }
            _ => "<IsTruncated>false</IsTruncated>".to_owned(),
        };
        let contents: String = page
            .iter()
            .map(|(key, object)| {
                let (size, modified) = (object.content.length(), object.modified);
                format!("<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>{modified:.3}</LastModified></Contents>")
            })
            .collect();
        ok(&format!("<ListBucketResult>{next}{contents}</ListBucketResult>"))
    }
}

impl Content {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(length) => *length,
        }
    }
}

fn ok(body: &str) -> Answer {
    Answer { status: 200, headers: String::new(), body: Content::Bytes(Arc::new(body.as_bytes().to_vec())) }
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer { status, ..ok(&format!("<Error><Code>{code}</Code><Message>of the test's own server</Message></Error>")) }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic in the server")
}
