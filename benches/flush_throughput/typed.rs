//! Records with schemas, and the registry that has them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::OnceLock,
    thread,
};

use serde_json::{Value, json};

use crate::Result;

/// How the records of a row are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// JSON with its schema in each message.
    Envelope,
    /// Avro with the id of its schema.
    Avro,
}

/// What files they go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Json,
    Avro,
    Parquet,
}

const FIELDS: [(&str, &str, &str); 5] = [
    ("index", "int32", "int"),
    ("unique_id", "string", "string"),
    ("title", "string", "string"),
    ("description", "string", "string"),
    ("downloaded", "int64", "long"),
];

impl Encoding {
    /// A record of exactly this size; its description is made of `filler`, which is long enough.
    pub(crate) fn record(self, number: u64, size: usize, filler: &str) -> Vec<u8> {
        let id = format!("{number:08}-3442-4773-b19e-d3ec6f54dddf");
        let with = |description: &str| match self {
            Self::Envelope => {
                let fields = FIELDS.map(|(name, kind, _)| json!({ "field": name, "type": kind, "optional": false }));
                let schema = json!({ "type": "struct", "name": "pin", "optional": false, "fields": fields });
                let payload = json!({ "index": number % 10_000, "unique_id": id, "title": "No Title Data Available",
                                      "description": description, "downloaded": 1 });
                json!({ "schema": schema, "payload": payload }).to_string().into_bytes()
            }
            Self::Avro => {
                let mut bytes = vec![0, 0, 0, 0, 1];
                long(number % 10_000, &mut bytes);
                for text in [&*id, "No Title Data Available", description] {
                    long(text.len() as u64, &mut bytes);
                    bytes.extend_from_slice(text.as_bytes());
                }
                long(1, &mut bytes);
                bytes
            }
        };
        // Twice: the length of the description has a length of its own.
        let mut room = 0;
        for _ in 0..3 {
            room = (room + size).saturating_sub(with(&filler[..room]).len());
        }
        let record = with(&filler[..room]);
        assert_eq!(record.len(), size, "a record of another size would falsify every figure");
        record
    }

    /// Settings of a connector that reads it.
    pub(crate) fn settings(self) -> Result<String> {
        Ok(match self {
            Self::Envelope => {
                "value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=true".to_owned()
            }
            Self::Avro => {
                let url = registry()?;
                format!("value.converter=io.confluent.connect.avro.AvroConverter\nvalue.converter.schema.registry.url={url}")
            }
        })
    }
}

impl Output {
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::Json => "format.class=io.confluent.connect.s3.format.json.JsonFormat",
            Self::Avro => "format.class=io.confluent.connect.s3.format.avro.AvroFormat",
            Self::Parquet => "format.class=io.confluent.connect.s3.format.parquet.ParquetFormat",
        }
    }
}

fn long(value: u64, bytes: &mut Vec<u8>) {
    let mut rest = value << 1;
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// The address of a registry that has one schema, whatever it is asked for. It runs as long as this process.
fn registry() -> Result<&'static str> {
    static URL: OnceLock<String> = OnceLock::new();
    if let Some(url) = URL.get() {
        return Ok(url);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || drop(serve(&stream)));
        }
    });
    Ok(URL.get_or_init(|| url))
}

fn serve(stream: &TcpStream) -> Result<()> {
    let fields = FIELDS.map(|(name, _, kind)| json!({ "name": name, "type": kind }));
    let schema: Value = json!({ "type": "record", "name": "pin", "fields": fields });
    let answer = json!({ "schema": schema.to_string(), "version": 1 }).to_string();
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        reader.by_ref().take(length).read_to_end(&mut Vec::new())?;
        write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len())?;
    }
}
