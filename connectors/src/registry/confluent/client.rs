//! Requests to a registry.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use connect_api::{Error, Result};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value as Json, json};

use super::{
    address::{Address, basic},
    config::{Authorization, ConfluentConfig},
};
use crate::registry::{
    http::{Http, LONGEST_ANSWER, chain, client},
    schemas::{Reference, RegisteredSchema, SchemaId},
};

/// Of what a registry says, in characters.
const LONGEST_WORDS: usize = 300;
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// What a registry says, where it says anything.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Found(T),
    /// It knows no such thing, or refuses to look: its words.
    Unknown(String),
}

/// Why nobody says anything.
enum NoAnswer {
    /// What answers has no such path: it is no registry, or one of another release.
    NoSuchPath(String),
    Error(Error),
}

/// Asks a registry, one address after the other.
#[derive(Debug)]
pub(super) struct Client {
    config: ConfluentConfig,
    /// Made when it is needed first.
    http: Mutex<Option<Http>>,
    /// The address that answered last.
    first: AtomicUsize,
}

impl Client {
    pub(super) fn new(config: ConfluentConfig) -> Self {
        Self { config, http: Mutex::default(), first: AtomicUsize::new(0) }
    }

    /// The schema with this id. `subject`: where the registry should look, if it is known.
    ///
    /// # Errors
    /// `Retriable` where no address answers, or those who answer refuse the client.
    pub(super) async fn schema(&self, id: SchemaId, subject: Option<&str>) -> Result<Answer<RegisteredSchema>> {
        let SchemaId::Number(number) = id else {
            let found = self.ask(Method::GET, &format!("/schemas/guids/{id}"), None, read_schema).await;
            // Registries without such names have no such path. Bytes that are no Avro at all may ask for one.
            return match found {
                Err(NoAnswer::NoSuchPath(words)) if self.is_registry().await => Ok(Answer::Unknown(words)),
                found => Ok(found?),
            };
        };
        let subject = subject.map(|subject| format!("&subject={}", escaped(subject))).unwrap_or_default();
        let path = format!("/schemas/ids/{number}?fetchMaxId=false{subject}");
        Ok(self.ask(Method::GET, &path, None, read_schema).await?)
    }

    /// Whether a registry answers.
    async fn is_registry(&self) -> bool {
        let types = |answer: &Json| answer.as_array().map(drop);
        matches!(self.ask(Method::GET, "/schemas/types", None, types).await, Ok(Answer::Found(())))
    }

    /// The latest schema of a subject, with its version.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub(super) async fn latest(&self, subject: &str) -> Result<Answer<(RegisteredSchema, i32)>> {
        let path = format!("/subjects/{}/versions/latest", escaped(subject));
        let read = |answer: &Json| Some((read_schema(answer)?, read_version(answer)?));
        Ok(self.ask(Method::GET, &path, None, read).await?)
    }

    /// The schema of a reference.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub(super) async fn referenced(&self, reference: &Reference) -> Result<Answer<RegisteredSchema>> {
        let path = format!("/subjects/{}/versions/{}?deleted=true", escaped(&reference.subject), reference.version);
        Ok(self.ask(Method::GET, &path, None, read_schema).await?)
    }

    /// The version of a schema among those of its subject.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub(super) async fn version(&self, subject: &str, schema: &RegisteredSchema) -> Result<Answer<i32>> {
        let RegisteredSchema { schema_type, schema, references } = schema;
        let mut body = json!({ "schema": schema });
        if schema_type != "AVRO" {
            body["schemaType"] = json!(schema_type);
        }
        if !references.is_empty() {
            let references = references
                .iter()
                .map(|Reference { name, subject, version }| json!({ "name": name, "subject": subject, "version": version }));
            body["references"] = references.collect();
        }
        let path = format!("/subjects/{}?normalize=false&deleted=true", escaped(subject));
        Ok(self.ask(Method::POST, &path, Some(body.to_string()), read_version).await?)
    }

    /// Asks one address after the other, until one has it.
    async fn ask<T>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        read: impl Fn(&Json) -> Option<T>,
    ) -> Result<Answer<T>, NoAnswer> {
        let addresses = &self.config.addresses;
        let first = self.first.load(Ordering::Relaxed);
        let (mut problems, mut unknown, mut nobody_has_the_path) = (Vec::new(), None, true);
        for place in (0..addresses.len()).map(|step| (first + step) % addresses.len()) {
            let Some(address) = addresses.get(place) else { continue };
            match self.ask_at(address, &method, path, body.clone()).await.map_err(NoAnswer::Error)? {
                Ok((StatusCode::OK, answer)) => match serde_json::from_slice(&answer).ok().as_ref().and_then(&read) {
                    Some(found) => {
                        self.first.store(place, Ordering::Relaxed);
                        return Ok(Answer::Found(found));
                    }
                    None => {
                        nobody_has_the_path = false;
                        problems
                            .push(format!("{address} gives no answer of a schema registry to {path}: check `schema.registry.url`"));
                    }
                },
                Ok((status, answer)) => match refusal(status, &answer) {
                    // Another one may have heard of it already.
                    Some(words) => {
                        self.first.store(place, Ordering::Relaxed);
                        unknown = Some(words);
                    }
                    None => {
                        nobody_has_the_path &= matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
                        problems.push(format!("{address} answers {}", failure(status, &answer)));
                    }
                },
                Err(problem) => {
                    nobody_has_the_path = false;
                    problems.push(format!("{address}: {problem}"));
                }
            }
        }
        let problems = problems.join("; ");
        match unknown {
            Some(words) => Ok(Answer::Unknown(words)),
            None if nobody_has_the_path => Err(NoAnswer::NoSuchPath(problems)),
            None => Err(NoAnswer::Error(no_answer(&problems))),
        }
    }

    /// Status and body, or why there is none.
    ///
    /// # Errors
    /// `Config` where no request can be made at all.
    async fn ask_at(
        &self,
        address: &Address,
        method: &Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Result<(StatusCode, Bytes), String>> {
        let mut request = Request::builder()
            .method(method)
            .uri(address.with(path))
            .header(header::ACCEPT, format!("{MEDIA_TYPE}, application/json"))
            .header(header::CONTENT_TYPE, MEDIA_TYPE);
        let authorization = match &self.config.authorization {
            Authorization::OfUrl => address.user_info().map(basic),
            Authorization::Header(text) => Some(text.expose().to_owned()),
        };
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(body.unwrap_or_default()));
        // What is refused may be a secret.
        let request = request.map_err(|_not_shown| {
            Error::config(
                "a request to the schema registry cannot be made: user, password or token hold characters that no header may have",
            )
        })?;
        let asking = self.http()?.request(request);
        let answering = async {
            let answer = asking.await.map_err(|error| explained(&chain(&error)))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await.map_err(|error| chain(&*error))?;
            Ok((status, body.to_bytes()))
        };
        let within = self.config.read_timeout;
        let answered = tokio::time::timeout(within, answering).await;
        Ok(answered.unwrap_or_else(|_elapsed| Err(format!("no answer within {within:?}"))))
    }

    fn http(&self) -> Result<Http> {
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = &*http {
            return Ok(http.clone());
        }
        Ok(http.insert(client(self.config.tls.client()?, self.config.connect_timeout)).clone())
    }
}

fn read_schema(answer: &Json) -> Option<RegisteredSchema> {
    let references = answer.get("references").and_then(Json::as_array).into_iter().flatten();
    let reference = |reference: &Json| {
        Some(Reference {
            name: reference.get("name")?.as_str()?.to_owned(),
            subject: reference.get("subject")?.as_str()?.to_owned(),
            version: reference.get("version")?.as_i64()?,
        })
    };
    Some(RegisteredSchema {
        schema_type: answer.get("schemaType").and_then(Json::as_str).unwrap_or("AVRO").to_owned(),
        schema: answer.get("schema")?.as_str()?.to_owned(),
        references: references.map(reference).collect::<Option<_>>()?,
    })
}

fn read_version(answer: &Json) -> Option<i32> {
    i32::try_from(answer["version"].as_i64()?).ok()
}

/// Reads a body as each answer that there may be.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_any(answer: &[u8]) {
    drop(serde_json::from_slice(answer).ok().as_ref().and_then(read_schema));
    for status in [StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNAUTHORIZED] {
        drop((refusal(status, answer), failure(status, answer)));
    }
}

fn no_answer(problems: &str) -> Error {
    Error::retriable(format!("no schema comes from the registry: {problems}"))
}

impl From<NoAnswer> for Error {
    fn from(no: NoAnswer) -> Self {
        match no {
            NoAnswer::NoSuchPath(problems) => no_answer(&problems),
            NoAnswer::Error(error) => error,
        }
    }
}

/// What the registry says where it has understood the question, and has no such thing; nothing where it is worth asking again.
fn refusal(status: StatusCode, answer: &[u8]) -> Option<String> {
    let code = serde_json::from_slice::<Json>(answer).ok()?.get("error_code")?.as_i64()?;
    // Any server says 404; a registry has numbers of its own behind it. What it cannot understand is a schema that is none.
    let is_final = match status {
        StatusCode::NOT_FOUND => (40_400..40_500).contains(&code),
        StatusCode::UNPROCESSABLE_ENTITY => (42_200..42_300).contains(&code),
        _ => false,
    };
    is_final.then(|| words(answer)).flatten()
}

fn words(answer: &[u8]) -> Option<String> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    let (message, code) = (answer.get("message")?.as_str()?, answer.get("error_code")?.as_i64()?);
    // Some quote the schema.
    let message: String = message.chars().take(LONGEST_WORDS).collect();
    Some(format!("{message}; error code: {code}"))
}

/// What a library says, with what it means.
fn explained(problem: &str) -> String {
    const MEANINGS: [(&str, &str); 4] = [
        ("InvalidContentType", "it speaks no TLS: does its URL begin with http://?"),
        ("UnknownIssuer", "nobody who is trusted has signed its certificate: see `schema.registry.ssl.truststore.location`"),
        ("CaUsedAsEndEntity", "its certificate is that of an authority: sign one for the host with it, and trust the authority"),
        ("NotValidForName", "its certificate is for another host name"),
    ];
    match MEANINGS.iter().find(|(word, _)| problem.contains(word)) {
        Some((_, meaning)) => format!("{problem} ({meaning})"),
        None => problem.to_owned(),
    }
}

fn failure(status: StatusCode, answer: &[u8]) -> String {
    let words = words(answer).map(|words| format!(": {words}")).unwrap_or_default();
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            " (check who asks and what that user may read: `basic.auth.user.info` is sent with `basic.auth.credentials.source=USER_INFO` alone, and \
             `bearer.auth.token` with `bearer.auth.credentials.source=STATIC_TOKEN`)"
        }
        StatusCode::NOT_FOUND => " (no schema registry: check the path in `schema.registry.url`)",
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            " (it has another address: check `schema.registry.url`)"
        }
        _ => "",
    };
    format!("{status}{words}{hint}")
}

/// As a part of a path or a query.
fn escaped(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}
