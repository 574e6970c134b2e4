use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use connect_api::{ErrorKind, config::Config};

use super::*;

const SCHEMA: &str = r#"{"schema":"\"int\"","references":[]}"#;
const UNKNOWN: &str = r#"{"error_code":40403,"message":"Schema not found"}"#;

/// A server that answers each path as a script says, and remembers what it was asked.
struct Scripted {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn serve(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (script, asked) = (Arc::new(script), Arc::<Mutex<Vec<String>>>::default());
        let remembered = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, remembered) = (Arc::clone(&script), Arc::clone(&remembered));
                thread::spawn(move || while answer_one(&stream, &*script, &remembered).is_some() {});
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer_one(mut stream: &TcpStream, script: &dyn Fn(&str) -> (u16, String), asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut lines, mut line) = (Vec::new(), String::new());
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        lines.push(line.clone());
    }
    let length = lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse().ok());
    reader.take(length.unwrap_or_default()).read_to_end(&mut Vec::new()).ok()?;
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let (status, body) = script(&path);
    asked.lock().unwrap().push(path);
    stream.write_all(format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).ok()
}

fn client(urls: &[&str]) -> Client {
    let config: Config = [("schema.registry.url".to_owned(), urls.join(","))].into_iter().collect();
    Client::new(ConfluentConfig::new(&config).unwrap())
}

async fn schema(client: &Client, id: SchemaId) -> Result<String, Error> {
    Ok(match client.schema(id, None).await? {
        Answer::Found(schema) => schema.schema,
        Answer::Unknown(words) => format!("unknown: {words}"),
    })
}

const ID: SchemaId = SchemaId::Number(1);
const GUID: SchemaId = SchemaId::Guid([7; 16]);

#[tokio::test]
async fn the_address_that_answered_last_is_asked_first() {
    let down = Scripted::serve(|_| (503, String::new()));
    let up = Scripted::serve(|_| (200, SCHEMA.to_owned()));
    let client = client(&[&down.url, &up.url]);
    assert_eq!(schema(&client, ID).await.unwrap(), "\"int\"");
    assert_eq!(down.asked().len(), 1);
    assert_eq!(schema(&client, ID).await.unwrap(), "\"int\"");
    assert_eq!((down.asked().len(), up.asked().len()), (0, 2));
}

#[tokio::test]
async fn what_one_address_does_not_know_another_one_may() {
    let behind = Scripted::serve(|_| (404, UNKNOWN.to_owned()));
    let ahead = Scripted::serve(|_| (200, SCHEMA.to_owned()));
    assert_eq!(schema(&client(&[&behind.url, &ahead.url]), ID).await.unwrap(), "\"int\"");
    let nobody = schema(&client(&[&behind.url, &behind.url]), ID).await.unwrap();
    assert_eq!(nobody, "unknown: Schema not found; error code: 40403");
}

#[tokio::test]
async fn what_is_no_answer_of_a_registry_is_asked_for_again_and_named_without_the_password() {
    let long = "x".repeat(5 << 20);
    let answers = [
        (200, "<html>welcome</html>".to_owned(), "gives no answer of a schema registry"),
        (200, r#"{"schema":1}"#.to_owned(), "gives no answer of a schema registry"),
        (404, "<html>".to_owned(), "no schema registry: check the path"),
        (404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#.to_owned(), "no schema registry: check the path"),
        (400, r#"{"error_code":400,"message":"Bad Request"}"#.to_owned(), "Bad Request"),
        (401, String::new(), "basic.auth.credentials.source"),
        (301, String::new(), "it has another address"),
        (500, long, "length limit exceeded"),
    ];
    for (status, body, expected) in answers {
        let server = Scripted::serve(move |_| (status, body.clone()));
        let with_password = server.url.replace("http://", "http://user:secret@");
        let error = schema(&client(&[&with_password]), ID).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Retriable, "{expected}");
        let report = error.report();
        assert!(report.contains(expected) && report.contains(&server.url) && !report.contains("secret"), "{report}");
    }
}

#[tokio::test]
async fn a_registry_without_names_has_no_schema_of_a_name_and_one_that_does_not_answer_may_have() {
    let types = |path: &str| path == "/schemas/types";
    let old = Scripted::serve(move |path| if types(path) { (200, "[\"AVRO\"]".into()) } else { (404, "<html>".into()) });
    assert!(schema(&client(&[&old.url]), GUID).await.unwrap().starts_with("unknown: "));
    for status in [503, 429, 401, 500] {
        let busy = Scripted::serve(move |path| if types(path) { (200, "[\"AVRO\"]".into()) } else { (status, String::new()) });
        assert_eq!(schema(&client(&[&busy.url]), GUID).await.unwrap_err().kind(), ErrorKind::Retriable, "{status}");
    }
    let none = Scripted::serve(|_| (404, String::new()));
    assert_eq!(schema(&client(&[&none.url]), GUID).await.unwrap_err().kind(), ErrorKind::Retriable);
}

#[tokio::test]
async fn references_are_read_once_and_in_circles_end() {
    let server = Scripted::serve(|path| {
        let refers_to =
            |name: &str| format!(r#"{{"schema":"of {name}","references":[{{"name":"{name}","subject":"{name}","version":1}}]}}"#);
        (200, if path.starts_with("/subjects/a/") { refers_to("b") } else { refers_to("a") })
    });
    let client = client(&[&server.url]);
    let Answer::Found(first) = client.schema(ID, None).await.unwrap() else { panic!() };
    let text = with_references(first, &client).await.unwrap();
    let referenced: Vec<_> = text.referenced.iter().map(|(_, schema)| &*schema.schema).collect();
    assert_eq!(referenced, ["of a", "of b"], "what others refer to comes first");
}

#[tokio::test]
async fn subjects_are_escaped_in_paths() {
    let server = Scripted::serve(|_| (200, SCHEMA.to_owned()));
    client(&[&server.url]).schema(ID, Some("a/b?c d")).await.unwrap();
    assert_eq!(server.asked(), ["/schemas/ids/1?fetchMaxId=false&subject=a%2Fb%3Fc%20d"]);
}
