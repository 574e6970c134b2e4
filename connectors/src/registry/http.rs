//! The HTTP client, which the AWS SDK brings along.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::Bytes;
use connect_api::{Error, Result};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, client::WantsClientCert};

/// No schema is as long.
pub(super) const LONGEST_ANSWER: usize = 2 * 1024 * 1024;

pub(super) type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// TLS that trusts whom the system trusts.
///
/// # Errors
/// `Config` where TLS cannot be set up.
pub(super) fn system_tls() -> Result<ClientConfig> {
    Ok(trusting(system_roots())?.with_no_client_auth())
}

/// The certificates that the system trusts.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// TLS that trusts these.
///
/// # Errors
/// `Config` where TLS cannot be set up.
pub(super) fn trusting(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::config("TLS cannot be set up").with_source(error))?;
    Ok(builder.with_root_certificates(roots))
}

/// A client for HTTP and HTTPS that keeps connections.
pub(super) fn client(tls: ClientConfig, connect_timeout: Duration) -> Http {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(connect_timeout));
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
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
