//! A real schema registry beside the tests.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

pub(crate) struct RealRegistry {
    /// `http://host:port/path`
    pub(crate) url: String,
}

impl RealRegistry {
    /// The one that the environment names; nothing, and a word about it, where it names none.
    pub(crate) fn from_environment(test: &str) -> Option<Self> {
        let Ok(url) = std::env::var("CONNECT_TEST_REGISTRY") else {
            crate::say(&format!("skipped: {test} needs CONNECT_TEST_REGISTRY"));
            return None;
        };
        Some(Self { url })
    }

    /// Registers an Avro schema, and returns its id.
    pub(crate) fn register(&self, subject: &str, schema: &Value, references: &Value) -> u8 {
        let body = json!({ "schema": schema.to_string(), "references": references }).to_string();
        let (address, path) = self.url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a URL");
        let mut stream = TcpStream::connect(address).expect("the registry listens");
        write!(
            stream,
            "POST /{path}/subjects/{subject}/versions HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let found = answer.rsplit("\"id\":").next().map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        found.and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id below 256: {answer}"))
    }
}
