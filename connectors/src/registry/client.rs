//! Requests to a registry.

use std::{
    error::Error as StdError,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use connect_api::{Error, Result};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value as Json, json};

use super::{
    address::{Address, basic},
    config::{Authorization, RegistryConfig},
    wire::SchemaId,
};

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// No schema is as long.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A schema as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredSchema {
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub(crate) schema_type: String,
    /// Its text.
    pub(crate) schema: String,
    /// What it refers to.
    pub(crate) references: Vec<Reference>,
}

/// A schema that another one refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// How the other one calls it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) subject: String,
    pub(crate) version: i64,
}

/// What a registry says, where it says anything.
#[derive(Debug)]
pub(super) enum Answer<T> {
    Found(T),
    /// It knows no such thing, or refuses to look: its words.
    Unknown(String),
}

/// Asks a registry, one address after the other.
#[derive(Debug)]
pub(super) struct Client {
    config: RegistryConfig,
    /// Made when it is needed first.
    http: Mutex<Option<Http>>,
    /// The address that answered last.
    first: AtomicUsize,
}

type Http = HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

impl Client {
    pub(super) fn new(config: RegistryConfig) -> Self {
        Self { config, http: Mutex::default(), first: AtomicUsize::new(0) }
    }

    /// The schema with this id. `subject`: where the registry should look, if it is known.
    ///
    /// # Errors
    /// `Retriable` where no address answers, or those who answer refuse the client.
    pub(super) async fn schema(&self, id: SchemaId, subject: Option<&str>) -> Result<Answer<RegisteredSchema>> {
        let SchemaId::Number(number) = id else {
            let found = self.ask(Method::GET, &format!("/schemas/guids/{id}"), None, RegisteredSchema::read).await;
            // Registries without such names have no such path. Bytes that are no Avro at all may ask for one.
            return match found {
                Err(error) if self.is_registry().await => Ok(Answer::Unknown(error.to_string())),
                found => found,
            };
        };
        let subject = subject.map(|subject| format!("&subject={}", escaped(subject))).unwrap_or_default();
        let path = format!("/schemas/ids/{number}?fetchMaxId=false{subject}");
        self.ask(Method::GET, &path, None, RegisteredSchema::read).await
    }

    /// Whether a registry answers.
    async fn is_registry(&self) -> bool {
        let types = |answer: &Json| answer.as_array().map(drop);
        matches!(self.ask(Method::GET, "/schemas/types", None, types).await, Ok(Answer::Found(())))
    }

    /// The schema of a reference.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub(super) async fn referenced(&self, reference: &Reference) -> Result<Answer<RegisteredSchema>> {
        let path = format!("/subjects/{}/versions/{}?deleted=true", escaped(&reference.subject), reference.version);
        self.ask(Method::GET, &path, None, RegisteredSchema::read).await
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
        let version = |answer: &Json| i32::try_from(answer["version"].as_i64()?).ok();
        self.ask(Method::POST, &path, Some(body.to_string()), version).await
    }

    async fn ask<T>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        read: impl Fn(&Json) -> Option<T>,
    ) -> Result<Answer<T>> {
        let addresses = &self.config.addresses;
        let first = self.first.load(Ordering::Relaxed);
        let mut problems = Vec::new();
        for place in (0..addresses.len()).map(|step| (first + step) % addresses.len()) {
            let Some(address) = addresses.get(place) else { continue };
            match self.ask_at(address, &method, path, body.clone()).await? {
                Ok((StatusCode::OK, answer)) => match serde_json::from_slice(&answer).ok().as_ref().and_then(&read) {
                    Some(found) => {
                        self.first.store(place, Ordering::Relaxed);
                        return Ok(Answer::Found(found));
                    }
                    None => problems.push(format!("{address} gives no answer of a schema registry: check `schema.registry.url`")),
                },
                Ok((status, answer)) => match refusal(status, &answer) {
                    Some(words) => return Ok(Answer::Unknown(words)),
                    None => problems.push(format!("{address} answers {}", failure(status, &answer))),
                },
                Err(problem) => problems.push(format!("{address}: {problem}")),
            }
        }
        Err(Error::retriable(format!("the schema registry does not answer: {}", problems.join("; "))))
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
            let answer = asking.await.map_err(|error| chain(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await.map_err(|error| chain(&*error))?;
            Ok((status, body.to_bytes()))
        };
        let within = self.config.connect_timeout.saturating_add(self.config.read_timeout);
        let answered = tokio::time::timeout(within, answering).await;
        Ok(answered.unwrap_or_else(|_elapsed| Err(format!("no answer within {within:?}"))))
    }

    fn http(&self) -> Result<Http> {
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = &*http {
            return Ok(http.clone());
        }
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(self.config.connect_timeout));
        let tls = self.config.tls.client()?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
        Ok(http.insert(HttpClient::builder(TokioExecutor::new()).build(connector)).clone())
    }
}

impl RegisteredSchema {
    fn read(answer: &Json) -> Option<Self> {
        let references = answer.get("references").and_then(Json::as_array).into_iter().flatten();
        let reference = |reference: &Json| {
            Some(Reference {
                name: reference.get("name")?.as_str()?.to_owned(),
                subject: reference.get("subject")?.as_str()?.to_owned(),
                version: reference.get("version")?.as_i64()?,
            })
        };
        Some(Self {
            schema_type: answer.get("schemaType").and_then(Json::as_str).unwrap_or("AVRO").to_owned(),
            schema: answer.get("schema")?.as_str()?.to_owned(),
            references: references.map(reference).collect::<Option<_>>()?,
        })
    }
}

/// What the registry says where it has understood the question, and has no such thing; nothing where it is worth asking again.
fn refusal(status: StatusCode, answer: &[u8]) -> Option<String> {
    let is_final = matches!(status, StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST);
    is_final.then(|| words(answer)).flatten()
}

fn words(answer: &[u8]) -> Option<String> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    let (message, code) = (answer.get("message")?.as_str()?, answer.get("error_code")?.as_i64()?);
    Some(format!("{message}; error code: {code}"))
}

fn failure(status: StatusCode, answer: &[u8]) -> String {
    let words = words(answer).map(|words| format!(": {words}")).unwrap_or_default();
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            " (check `basic.auth.credentials.source`, the user and the password, and what they may read)"
        }
        StatusCode::NOT_FOUND => " (no schema registry: check the path in `schema.registry.url`)",
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            " (it has another address: check `schema.registry.url`)"
        }
        _ => "",
    };
    format!("{status}{words}{hint}")
}

/// An error with its causes.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// As a part of a path or a query.
fn escaped(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}
