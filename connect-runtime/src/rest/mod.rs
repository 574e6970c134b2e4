//! HTTP: metrics, health, and what runs here.

mod health;

use std::{
    fmt::Display,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use connect_api::{Budget, Error, Metrics, Result};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, ToSocketAddrs},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::metrics::{
    ConnectorBudgets,
    definitions::{BUDGET_LIMIT, BUDGET_USED, BUILD_INFO},
};

pub(crate) use health::{Health, TaskHealth, TaskLoop, TaskState};

/// The version that Prometheus' text format has.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4";

/// What the endpoints show. Clones show the same.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) budget: Budget,
    pub(crate) connector_budgets: ConnectorBudgets,
    /// Known once a broker has answered.
    pub(crate) kafka_cluster_id: Arc<OnceLock<String>>,
}

/// A listener that does not answer yet.
#[derive(Debug)]
pub(crate) struct RestServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl RestServer {
    /// Listens on `address`, such as `127.0.0.1:8083`; port 0 takes a free one.
    ///
    /// # Errors
    /// `Config` where the address is not of this machine or is taken.
    pub(crate) async fn bind(address: impl ToSocketAddrs + Display) -> Result<Self> {
        let refused = |error: std::io::Error| Error::config(format!("cannot listen on {address}: {error}")).with_source(error);
        let listener = TcpListener::bind(&address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is cancelled and the requests under way are answered.
    pub(crate) async fn serve(self, served: Served, stop: CancellationToken) {
        let serving = axum::serve(self.listener, router(served)).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(address = %self.address, %error, "http listener ended");
        }
    }
}

fn router(served: Served) -> Router {
    let (version, commit) = version();
    served.metrics.gauge(&BUILD_INFO, &[version, commit]).set(1);
    Router::new()
        .route("/", get(root))
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .fallback(|| async { error(StatusCode::NOT_FOUND) })
        .method_not_allowed_fallback(|| async { error(StatusCode::METHOD_NOT_ALLOWED) })
        .with_state(served)
}

/// Version and commit of this build; the commit is known where the build was told it.
fn version() -> (&'static str, &'static str) {
    (env!("CARGO_PKG_VERSION"), option_env!("CONNECT_COMMIT").unwrap_or("unknown"))
}

async fn root(State(served): State<Served>) -> Response {
    let (version, commit) = version();
    json(StatusCode::OK, &json!({ "version": version, "commit": commit, "kafka_cluster_id": served.kafka_cluster_id.get() }))
}

async fn metrics(State(served): State<Served>) -> Response {
    let gauge = |definition, bytes| served.metrics.gauge(definition, &[]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
    gauge(&BUDGET_USED, served.budget.used());
    gauge(&BUDGET_LIMIT, served.budget.limit());
    served.connector_budgets.show(&served.metrics);
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], served.metrics.scrape()).into_response()
}

async fn livez(State(served): State<Served>) -> Response {
    verdict(served.health.liveness(Instant::now()))
}

async fn readyz(State(served): State<Served>) -> Response {
    verdict(served.health.readiness(Instant::now()))
}

fn verdict((good, report): (bool, Value)) -> Response {
    json(if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &report)
}

/// The body that Kafka Connect's clients expect of every answer that is not a success.
fn error(status: StatusCode) -> Response {
    json(status, &json!({ "error_code": status.as_u16(), "message": format!("HTTP {status}") }))
}

fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use super::*;

    struct Running {
        served: Served,
        address: SocketAddr,
        stop: CancellationToken,
        server: tokio::task::JoinHandle<()>,
    }

    #[allow(clippy::disallowed_methods, reason = "the test joins what it spawns")]
    async fn running() -> Running {
        let metrics = Metrics::default();
        let (budget, connector_budgets) = (Budget::new(1_000), ConnectorBudgets::default());
        connector_budgets.add(&"s3".into(), budget.connector());
        let health = Health::new(metrics.clone());
        let served = Served { health, metrics, budget, connector_budgets, kafka_cluster_id: Arc::default() };
        let server = RestServer::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (server.address(), CancellationToken::new());
        let server = tokio::spawn(server.serve(served.clone(), stop.clone()));
        Running { served, address, stop, server }
    }

    async fn request(address: SocketAddr, method: &str, path: &str) -> (String, String) {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = tokio::task::spawn_blocking(exchange).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text_with_the_budget_of_this_moment() {
        let running = running().await;
        let _held = running.served.budget.reserve(123);
        let (head, body) = request(running.address, "GET", "/metrics").await;
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        assert!(body.contains("connect_budget_used_bytes 123") && body.contains("connect_budget_limit_bytes 1000"), "{body}");
        assert!(body.contains(r#"connect_connector_budget_used_bytes{connector="s3"} 0"#), "{body}");
        assert!(body.contains("connect_build_info{"), "{body}");
    }

    #[tokio::test]
    async fn readiness_is_503_with_the_reason_until_it_is_gone() {
        let running = running().await;
        let task = running.served.health.task(&"s3".into(), 0);
        task.set_state(TaskState::Running);
        task.set_problem("storage", Some("503 SlowDown".into()));
        let (head, body) = request(running.address, "GET", "/readyz").await;
        assert!(head.starts_with("HTTP/1.1 503") && head.contains("application/json"), "{head}");
        assert!(body.contains("503 SlowDown"), "{body}");
        task.set_problem("storage", None);
        assert!(request(running.address, "GET", "/readyz").await.0.starts_with("HTTP/1.1 200"));
        assert!(request(running.address, "GET", "/livez").await.0.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn the_root_names_version_and_cluster() {
        let running = running().await;
        running.served.kafka_cluster_id.set("I4ZmrWqfT2e".into()).unwrap();
        let (_, body) = request(running.address, "GET", "/").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(body["kafka_cluster_id"], "I4ZmrWqfT2e");
    }

    #[tokio::test]
    async fn what_is_not_there_is_refused_as_kafka_connect_does_it() {
        let running = running().await;
        let (head, body) = request(running.address, "GET", "/nothing").await;
        assert!(head.starts_with("HTTP/1.1 404"), "{head}");
        assert_eq!(body, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#);
        let (head, body) = request(running.address, "DELETE", "/metrics").await;
        assert!(head.starts_with("HTTP/1.1 405"), "{head}");
        assert_eq!(body, r#"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#);
    }

    #[tokio::test]
    async fn stopping_ends_the_server_and_a_taken_address_is_named() {
        let running = running().await;
        let error = RestServer::bind(running.address.to_string()).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot listen on {}", running.address)), "{error}");
        running.stop.cancel();
        running.server.await.unwrap();
    }
}
