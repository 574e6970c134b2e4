//! Requests to Glue. One call is needed; the AWS SDK's client for it would be the largest part of the program.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig, sts::AssumeRoleProvider};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use connect_api::{Error, Result};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;

use super::config::GlueConfig;
use crate::registry::{
    http::{Http, LONGEST_ANSWER, chain, client, system_tls},
    schemas::{RegisteredSchema, SchemaId},
};

const TARGET: &str = "AWSGlue.GetSchemaVersion";
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Client {
    config: GlueConfig,
    /// Made when it is needed first: the region may be an instance's to say.
    made: OnceCell<Made>,
}

#[derive(Debug)]
struct Made {
    http: Http,
    region: String,
    endpoint: String,
    credentials: SharedCredentialsProvider,
}

impl Client {
    pub(super) fn new(config: GlueConfig) -> Self {
        Self { config, made: OnceCell::new() }
    }

    /// The schema of this name.
    ///
    /// # Errors
    /// `Data` where there is none, `Retriable` where Glue does not answer, or refuses the client.
    pub(super) async fn schema(&self, id: SchemaId) -> Result<RegisteredSchema> {
        let made = self.made.get_or_try_init(|| Made::new(&self.config)).await?;
        let request = made.request(&json!({ "SchemaVersionId": id.to_string() }).to_string()).await?;
        let answering = async {
            let answer = made.http.request(request).await.map_err(|error| chain(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await.map_err(|error| chain(&*error))?;
            Ok::<_, String>((status, body.to_bytes()))
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, answering).await;
        let answered = answered.unwrap_or_else(|_elapsed| Err(format!("no answer within {ANSWER_WITHIN:?}")));
        let (status, body) = answered.map_err(|problem| made.problem(&problem))?;
        let answer: Json = serde_json::from_slice(&body).unwrap_or_default();
        read(status, &answer).unwrap_or_else(|| Err(made.problem(&refusal(status, &answer))))
    }
}

impl Made {
    async fn new(config: &GlueConfig) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = &config.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let sdk = loader.load().await;
        let Some(region) = sdk.region().map(ToString::to_string) else {
            return Err(Error::config("the region of the Glue Schema Registry is not known: set `region`"));
        };
        let endpoint = config.endpoint.clone().unwrap_or_else(|| {
            let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://glue.{region}.{domain}")
        });
        let credentials = credentials(config, &sdk).await?;
        Ok(Self { http: client(system_tls()?, CONNECT_WITHIN), region, endpoint, credentials })
    }

    /// # Errors
    /// `Retriable` where there are no credentials.
    async fn request(&self, body: &str) -> Result<Request<Full<Bytes>>> {
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| self.problem(&format!("there are no AWS credentials: {}", chain(&error))))?;
        let identity = credentials.into();
        let url = format!("{}/", self.endpoint);
        let content_type = "application/x-amz-json-1.1";
        let signed = || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
            let params = v4::SigningParams::builder()
                .identity(&identity)
                .region(&self.region)
                .name("glue")
                .time(SystemTime::now())
                .settings(SigningSettings::default())
                .build()?
                .into();
            let headers = [("content-type", content_type), ("x-amz-target", TARGET)];
            let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
            let (headers, _query) = sign(signable, &params)?.into_parts().0.into_parts();
            let mut request = Request::post(&url)
                .header(header::CONTENT_TYPE, content_type)
                .header("x-amz-target", TARGET)
                .body(Full::from(body.to_owned()))?;
            for header in headers {
                let mut value = HeaderValue::from_str(header.value())?;
                value.set_sensitive(true);
                request.headers_mut().insert(header.name(), value);
            }
            Ok(request)
        };
        // What is refused may be a secret.
        signed().map_err(|_not_shown| Error::config("a request to Glue cannot be signed with these credentials"))
    }

    fn problem(&self, what: &str) -> Error {
        Error::retriable(format!("the Glue Schema Registry at {} does not answer: {what}", self.endpoint))
    }
}

async fn credentials(config: &GlueConfig, sdk: &SdkConfig) -> Result<SharedCredentialsProvider> {
    if let Some((arn, session)) = &config.role {
        let role = AssumeRoleProvider::builder(arn).session_name(session).configure(sdk).build().await;
        return Ok(SharedCredentialsProvider::new(role));
    }
    sdk.credentials_provider().ok_or_else(|| Error::config("there is no chain of AWS credentials"))
}

/// The schema, or that there is none; nothing where it is worth asking again.
fn read(status: StatusCode, answer: &Json) -> Option<Result<RegisteredSchema>> {
    let text = |name: &str| answer.get(name).and_then(Json::as_str);
    if status == StatusCode::OK {
        let (schema_type, schema) = (text("DataFormat")?.to_owned(), text("SchemaDefinition")?.to_owned());
        return Some(Ok(RegisteredSchema { schema_type, schema, references: Vec::new() }));
    }
    let kind = text("__type")?;
    ["EntityNotFoundException", "InvalidInputException"].iter().any(|known| kind.ends_with(known)).then(|| {
        let words = text("Message").or(text("message")).unwrap_or(kind);
        Err(Error::data(format!("the Glue Schema Registry has no such schema: {words}")))
    })
}

/// Reads a body as each answer that there may be.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_any(answer: &[u8]) {
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
        drop((read(status, &answer), refusal(status, &answer)));
    }
}

fn refusal(status: StatusCode, answer: &Json) -> String {
    let text = |name: &str| answer.get(name).and_then(Json::as_str);
    let words = text("Message").or(text("message")).unwrap_or_default();
    let hint = match text("__type").unwrap_or_default() {
        kind if kind.ends_with("AccessDeniedException") => " (the role needs `glue:GetSchemaVersion`)",
        _ => "",
    };
    format!("{status} {} {words}{hint}", text("__type").unwrap_or_default())
}
