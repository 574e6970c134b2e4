//! The SDK's client as this connector wants it.

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Builder, Config, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder as HttpBuilder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use connect_api::{Error, Result};

use super::{S3Config, clock::StoreClock, proxy::Proxy};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// Completions put thousands of parts together before they are answered, and a repetition meets an upload that is gone.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(60);
const TIMEOUT_PER_PART: Duration = Duration::from_millis(100);
/// Bodies get this much longer for each MiB: two megabits a second must be enough, shared with other uploads as the line may be.
const TIMEOUT_PER_MEBIBYTE: Duration = Duration::from_secs(4);
pub(super) const MEBIBYTE: u64 = 1 << 20;

/// Makes the client. Nothing is asked of anybody before the first request.
pub(super) fn build(config: &S3Config, clock: StoreClock) -> Result<Client> {
    let mut builder = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .force_path_style(config.path_style)
        .accelerate(config.accelerate)
        .credentials_provider(config.credentials.provider(&config.region))
        .http_client(http_client(config)?)
        .interceptor(clock)
        .retry_config(RetryConfig::standard().with_max_attempts(config.attempts).with_initial_backoff(config.backoff))
        .timeout_config(timeouts(0))
        // It was tried and does not notice a store that stops reading; `Content::unless_stalled` does.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // The SDK's own checksums would be sent as trailers of `aws-chunked` bodies, which some stores keep as content encoding.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = &config.endpoint {
        builder = builder.endpoint_url(endpoint.url());
    }
    Ok(Client::from_conf(builder.build()))
}

/// The client's settings for one request that makes an object appear, of this size: it is made once. A repetition is asked for by whoever knows whether
/// the partition is still its own, for the process may have stood still meanwhile.
pub(super) fn once(length: u64) -> Builder {
    for_body_of(length).unwrap_or_else(Config::builder).retry_config(RetryConfig::disabled())
}

/// The client's settings for one request with a body of this size.
pub(super) fn for_body_of(length: u64) -> Option<Builder> {
    (length >= MEBIBYTE).then(|| Config::builder().timeout_config(timeouts(length)))
}

/// The client's settings for the completion of an upload with so many parts.
pub(super) fn for_completion_of(parts: usize) -> Builder {
    let attempt = COMPLETION_TIMEOUT + TIMEOUT_PER_PART * u32::try_from(parts).unwrap_or(u32::MAX);
    once(0).timeout_config(limits(attempt))
}

/// The time limits of a request with a body of this size.
fn timeouts(length: u64) -> TimeoutConfig {
    limits(reading_time(length))
}

/// Two attempts fit into the whole.
fn limits(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * 2)
        .build()
}

/// How long reading an answer of this size may take.
pub(super) fn reading_time(length: u64) -> Duration {
    let mebibytes = u32::try_from(length / MEBIBYTE).unwrap_or(u32::MAX);
    ATTEMPT_TIMEOUT.saturating_add(TIMEOUT_PER_MEBIBYTE.saturating_mul(mebibytes))
}

/// The connection pool is as large as the number of requests at once: the uploads in flight are bounded by who starts them.
fn http_client(config: &S3Config) -> Result<SharedHttpClient> {
    let tls = Provider::Rustls(CryptoMode::AwsLc);
    let Some(proxy) = &config.proxy else {
        let plain_http = config.endpoint.as_ref().is_some_and(|endpoint| endpoint.is_plain_http());
        // Without TLS there is no reason to read the machine's certificates, which takes longer than the first request.
        return Ok(if plain_http { HttpBuilder::new().build_http() } else { HttpBuilder::new().tls_provider(tls).build_https() });
    };
    let proxy = proxy_config(proxy)?;
    Ok(HttpBuilder::new().build_with_connector_fn(move |settings, _components| {
        let connector = Connector::builder().proxy_config(proxy.clone());
        let connector = settings.map_or(connector.clone(), |settings| connector.connector_settings(settings.clone()));
        connector.tls_provider(tls.clone()).build()
    }))
}

fn proxy_config(proxy: &Proxy) -> Result<ProxyConfig> {
    let config = ProxyConfig::all(proxy.url.as_str());
    // Its own message would quote the URL, user and password included, if there were any in it.
    let config = config.map_err(|_quotes_the_url| Error::config("`s3.proxy.url` is not the URL of a proxy"))?;
    // The client makes a URL of them, and undoes the escapes.
    Ok(match proxy.credentials() {
        Some((user, password)) => config.with_basic_auth(user, password),
        None => config,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_hangs_is_noticed_within_seconds_and_large_bodies_get_longer() {
        let small = timeouts(0);
        assert_eq!(small.operation_attempt_timeout(), Some(Duration::from_secs(15)));
        assert_eq!(small.operation_timeout(), Some(Duration::from_secs(30)));
        let large = timeouts(25 * MEBIBYTE);
        assert_eq!(large.operation_attempt_timeout(), Some(Duration::from_secs(15 + 25 * 4)));
        assert!(for_body_of(MEBIBYTE - 1).is_none() && for_body_of(MEBIBYTE).is_some());
    }

    #[test]
    fn a_completion_may_take_longer_the_more_parts_it_has() {
        let attempt = |parts| for_completion_of(parts).build().timeout_config().unwrap().operation_attempt_timeout();
        assert_eq!(attempt(1), Some(Duration::from_millis(60_100)));
        assert_eq!(attempt(10_000), Some(Duration::from_secs(60 + 1_000)));
    }
}
