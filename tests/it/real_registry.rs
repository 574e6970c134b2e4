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
        self.register_as("AVRO", subject, &schema.to_string(), references)
    }

    /// Registers a schema of this type, and returns its id.
    pub(crate) fn register_as(&self, schema_type: &str, subject: &str, schema: &str, references: &Value) -> u8 {
        let body = json!({ "schemaType": schema_type, "schema": schema, "references": references }).to_string();
        let headers = "Content-Type: application/vnd.schemaregistry.v1+json\r\n";
        let answer = post(&self.url, &format!("/subjects/{subject}/versions"), headers, &body);
        let found = answer.rsplit("\"id\":").next().map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        found.and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id below 256: {answer}"))
    }
}

/// The whole answer to a request. `headers`: each with its line end.
pub(crate) fn post(url: &str, path: &str, headers: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").expect("a URL");
    let (address, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "POST {base}{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}
