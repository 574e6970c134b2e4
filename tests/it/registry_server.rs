//! A schema registry in the test's own process, with as much of Confluent's API as a converter asks for.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::proxy::read_message;

pub(crate) struct RegistryServer {
    state: Arc<State>,
    address: SocketAddr,
}

#[derive(Default)]
struct State {
    /// By id: subject, version, and the text of the schema with what it refers to.
    schemas: Mutex<BTreeMap<i64, Registered>>,
    /// It answers nothing but this status.
    is_down: AtomicBool,
    requests: AtomicUsize,
    /// The credentials that it wants.
    authorization: Mutex<Option<String>>,
}

#[derive(Clone)]
struct Registered {
    subject: String,
    version: i64,
    schema: String,
    references: Value,
}

impl RegistryServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        // Ends with the process.
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Self { state, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A schema under this id, as the next version of its subject.
    pub(crate) fn register(&self, id: i64, subject: &str, schema: &Value) {
        self.register_with(id, subject, schema, &json!([]));
    }

    /// The same, with references to others.
    pub(crate) fn register_with(&self, id: i64, subject: &str, schema: &Value, references: &Value) {
        let mut schemas = locked(&self.state.schemas);
        let version = 1 + schemas.values().filter(|other| other.subject == subject).count();
        let version = i64::try_from(version).expect("a version");
        let (subject, schema, references) = (subject.to_owned(), schema.to_string(), references.clone());
        schemas.insert(id, Registered { subject, version, schema, references });
    }

    /// From now on it answers 503 to everything, or works again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// From now on it answers 401 where this header does not come with a request.
    pub(crate) fn want(&self, authorization: &str) {
        *locked(&self.state.authorization) = Some(authorization.to_owned());
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        while let Some((head, body)) = read_message(&mut reader, false)? {
            self.requests.fetch_add(1, Ordering::SeqCst);
            let (status, answer) = self.answer(&head, &body);
            let answer = answer.to_string();
            let head = format!("HTTP/1.1 {status} -\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n");
            writer.write_all(format!("{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).as_bytes())?;
        }
        Ok(())
    }

    fn answer(&self, head: &str, body: &[u8]) -> (u16, Value) {
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
        };
        if self.is_down.load(Ordering::SeqCst) {
            return (503, json!({ "error_code": 50_003, "message": "said so" }));
        }
        let wanted = locked(&self.authorization).clone();
        if wanted.is_some() && wanted != header("authorization") {
            return (401, json!({ "error_code": 40_101, "message": "Unauthorized" }));
        }
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let schemas = locked(&self.schemas);
        let text = |registered: &Registered| json!({ "schema": registered.schema, "references": registered.references });
        match (method, &parts[..]) {
            ("GET", ["schemas", "ids", id]) => match id.parse().ok().and_then(|id: i64| schemas.get(&id)) {
                Some(registered) => (200, text(registered)),
                None => (404, json!({ "error_code": 40_403, "message": "Schema not found" })),
            },
            ("GET", ["schemas", "types"]) => (200, json!(["AVRO", "JSON", "PROTOBUF"])),
            ("GET", ["subjects", subject, "versions", version]) => {
                let is_it = |other: &&Registered| other.subject == *subject && other.version.to_string() == *version;
                match schemas.values().find(is_it) {
                    Some(registered) => (200, text(registered)),
                    None => (404, json!({ "error_code": 40_402, "message": "Version not found" })),
                }
            }
            ("POST", ["subjects", subject]) => {
                let asked: Value = serde_json::from_slice(body).unwrap_or_default();
                let is_it = |other: &&Registered| other.subject == *subject && asked["schema"] == other.schema.as_str();
                match schemas.values().find(is_it) {
                    Some(registered) => (200, json!({ "subject": subject, "version": registered.version })),
                    None => (404, json!({ "error_code": 40_401, "message": format!("Subject '{subject}' not found.") })),
                }
            }
            _ => (404, json!("no such resource")),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic in the server")
}
