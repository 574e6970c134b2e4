//! The keys of the S3 client, and what they mean together.

use connect_api::{
    Error, Result,
    config::{AnyConfigKey, Config, ConfigDef, ConfigKey, Importance, Problem, Problems, Secret},
};

use super::{
    credentials::{self, Source},
    encryption::Encryption,
    endpoint::Endpoint,
    proxy::{Part, Proxy},
};
use crate::storage::STORE_URL;

pub(super) static BUCKET: ConfigKey<String> = ConfigKey::required("s3.bucket.name", "The bucket that objects are written to.")
    .importance(Importance::High)
    .check(|name| bucket_name(name));

pub(super) static REGION: ConfigKey<String> =
    ConfigKey::with_default("s3.region", "us-west-2", "The bucket's AWS region. Requests are signed for it with any `store.url`.")
        .check(|region| match region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            _ if region.is_empty() => Err("must not be blank".to_owned()),
            true => Ok(()),
            false => Err("a region has letters, digits and - only, as eu-west-1".to_owned()),
        });

/// Of buckets that were made in us-east-1 before 2018; all others have no more than 63.
const LONGEST_BUCKET: usize = 255;

/// What the names of buckets are made of, here and in other stores, and the ARNs that stand for them. Their whole rules are the stores'.
fn bucket_name(name: &str) -> Result<(), String> {
    let is_arn = name.starts_with("arn:");
    if let Some((_, bucket)) = name.split_once(":s3:::").filter(|_| is_arn) {
        return Err(format!("this is a bucket's ARN: write the name alone, {bucket}"));
    }
    let is_legal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || is_arn && matches!(byte, b':' | b'/');
    match name.bytes().all(is_legal) {
        true if name.len() > LONGEST_BUCKET && !is_arn => {
            Err(format!("a bucket's name has no more than 63 characters, or {LONGEST_BUCKET} of an old one"))
        }
        true => Ok(()),
        false if name.contains('/') => Err("a bucket's name has no / in it, and what follows goes into topics.dir".to_owned()),
        false => Err("a bucket's name has letters, digits, `.`, `-` and `_` only".to_owned()),
    }
}

pub(super) static PATH_STYLE: ConfigKey<bool> = ConfigKey::with_default(
    "s3.path.style.access.enabled",
    "true",
    "Whether the bucket is named in the path of a request rather than in its host name.",
)
.importance(Importance::Low);

static ACCELERATE: ConfigKey<bool> = ConfigKey::with_default(
    "s3.wan.mode",
    "false",
    "Whether to use S3 Transfer Acceleration. It needs `s3.path.style.access.enabled=false`.",
);

static ATTEMPTS: ConfigKey<i32> = ConfigKey::with_default(
    "s3.part.retries",
    "3",
    "How often one request is tried before the failure is reported, but for those that make an object appear, which are made once. The upload itself is then \
     tried again, for as long as it takes.",
)
.check(|attempts| match *attempts {
    // Kafka Connect accepts 0 and fails its tasks: `maxAttempts must be positive`.
    ..1 => Err("must be at least 1, for the first try is one of them; uploads are tried again for ever in any case".to_owned()),
    _ => Ok(()),
});

static BACKOFF: ConfigKey<i64> = ConfigKey::with_default(
    "s3.retry.backoff.ms",
    "200",
    "The longest pause before the first of these repetitions. It doubles with each; the pause is drawn at random below it.",
)
.unit("milliseconds")
.importance(Importance::Low)
.check(|backoff| match *backoff {
    // As above: `baseDelay must be positive`.
    ..1 => Err("must be at least 1 millisecond; 200 is the default".to_owned()),
    _ => Ok(()),
});

pub(super) static ENCRYPTION: ConfigKey<String> =
    ConfigKey::with_default("s3.ssea.name", "", "The server-side encryption of new objects; empty for the bucket's own.")
        .one_of(&["", "AES256", "aws:kms", "aws:kms:dsse"])
        .importance(Importance::Low);

pub(super) static CUSTOMER_KEY: ConfigKey<Secret> = ConfigKey::optional(
    "s3.sse.customer.key",
    "With `s3.ssea.name=AES256`: the customer's own key in Base64, which S3 encrypts with and forgets.",
)
.importance(Importance::Low);

pub(super) static KMS_KEY_ID: ConfigKey<String> = ConfigKey::with_default(
    "s3.sse.kms.key.id",
    "",
    "With `s3.ssea.name=aws:kms`: the KMS key. Without it the bucket's own encryption holds.",
)
.importance(Importance::Low);

static CANNED_ACL: ConfigKey<String> = ConfigKey::optional("s3.acl.canned", "The canned ACL of new objects.")
    .one_of(&[
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    ])
    .importance(Importance::Low);

static PROXY_URL: ConfigKey<String> =
    ConfigKey::with_default("s3.proxy.url", "", "An HTTP proxy: `http://[user[:password]@]host[:port]`. Nothing in it is escaped: use the other keys where a password has special characters.")
        .importance(Importance::Low);

static PROXY_USER: ConfigKey<String> =
    ConfigKey::optional("s3.proxy.user", "The user at the proxy, in place of the one in its URL.").importance(Importance::Low);

static PROXY_PASSWORD: ConfigKey<Secret> =
    ConfigKey::optional("s3.proxy.password", "The password at the proxy, in place of the one in its URL.")
        .importance(Importance::Low);

static SEND_DIGEST: ConfigKey<bool> = ConfigKey::with_default(
    "s3.send.digest",
    "false",
    "Whether to send the MD5 digest of what is sent. A CRC-64 is sent in any case, where the store takes it.",
)
.importance(Importance::Low);

static EXPECT_CONTINUE: ConfigKey<bool> =
    ConfigKey::with_default("s3.http.send.expect.continue", "true", "Whether the client of the JVM asks before it sends a body.")
        .importance(Importance::Low)
        .no_effect("bodies are sent without asking first, which saves a round trip");

static ELASTIC_BUFFER: ConfigKey<bool> =
    ConfigKey::with_default("s3.elastic.buffer.enable", "false", "Whether the JVM's part buffers grow with their content.")
        .importance(Importance::Low)
        .no_effect("buffers always grow with their content");

static ELASTIC_BUFFER_CAPACITY: ConfigKey<i32> =
    ConfigKey::with_default("s3.elastic.buffer.init.capacity", "131072", "The first size of the JVM's elastic buffers.")
        .unit("bytes")
        .importance(Importance::Low)
        .no_effect("buffers always grow with their content")
        .check(|size| if *size < 4096 { Err("Value must be at least 4096".to_owned()) } else { Ok(()) });

/// The keys that the client reads.
pub(crate) fn keys() -> Vec<&'static dyn AnyConfigKey> {
    let mut keys: Vec<&'static dyn AnyConfigKey> = vec![
        &BUCKET,
        &REGION,
        &PATH_STYLE,
        &ACCELERATE,
        &ATTEMPTS,
        &BACKOFF,
        &ENCRYPTION,
        &CUSTOMER_KEY,
        &KMS_KEY_ID,
        &CANNED_ACL,
        &PROXY_URL,
        &PROXY_USER,
        &PROXY_PASSWORD,
        &SEND_DIGEST,
        &EXPECT_CONTINUE,
        &ELASTIC_BUFFER,
        &ELASTIC_BUFFER_CAPACITY,
    ];
    keys.extend(credentials::keys());
    keys
}

/// What is wrong with keys that are right each by itself.
pub(crate) fn validate(config: &Config) -> Problems {
    let mut problems = Problems::default();
    let mut refuse = |key: &str, reason: String| {
        let origin = config.entry(key).and_then(|entry| entry.origin.clone());
        problems.push(Problem::of_key(key, reason).at(origin));
    };
    if matches!((config.get(&ACCELERATE), config.get(&PATH_STYLE)), (Ok(true), Ok(true))) {
        for key in [ACCELERATE.name(), PATH_STYLE.name()] {
            refuse(key, BOTH_STYLES.to_owned());
        }
    }
    let has_url = config.text(STORE_URL.name()).is_some_and(|url| !url.trim().is_empty());
    if has_url && config.get(&ACCELERATE).unwrap_or_default() {
        let key = ACCELERATE.name();
        refuse(key, format!("`{key}=true` is of AWS alone, and `{}` names another store: leave one of them out", STORE_URL.name()));
    }
    if let Err((name, reason)) = endpoint(config) {
        refuse(STORE_URL.name(), format!("`{name}` {reason}"));
    }
    if let Err((key, reason)) = proxy(config) {
        refuse(key, format!("`{key}` {reason}"));
    }
    if let Err((key, reason)) = Source::new(config) {
        refuse(key, reason);
    }
    if let Err(reason) = encryption(config) {
        refuse(CUSTOMER_KEY.name(), reason);
    }
    problems
}

const BOTH_STYLES: &str = "Both accelerate mode and path style access are being enabled. These options are mutually exclusive and \
                           cannot be enabled together. Please disable one of them";

/// The endpoint in `store.url`, else in the variables that every AWS SDK reads.
///
/// # Errors
/// Which of them is wrong, and how.
#[allow(clippy::disallowed_methods, reason = "these variables are the AWS SDKs' own, as those of its credentials")]
pub(super) fn endpoint(config: &Config) -> Result<Option<Endpoint>, (&'static str, String)> {
    let store_url = config.text(STORE_URL.name()).map(str::trim).filter(|url| !url.is_empty());
    Endpoint::find(STORE_URL.name(), store_url, |variable| std::env::var(variable).ok())
}

/// The proxy, if there is one.
///
/// # Errors
/// Which key is wrong, and how.
fn proxy(config: &Config) -> Result<Option<Proxy>, (&'static str, String)> {
    // Trimmed as all values are: as Java trims, which leaves other blanks than those of ASCII as they are.
    let text = |key: &ConfigKey<String>| config.find(key).ok().flatten().filter(|text| !text.is_empty());
    let Some(url) = text(&PROXY_URL) else { return Ok(None) };
    let password = config.find(&PROXY_PASSWORD).ok().flatten().filter(|password| !password.expose().is_empty());
    let proxy = Proxy::new(&url, text(&PROXY_USER).as_deref(), password.as_ref().map(Secret::expose));
    proxy.map(Some).map_err(|(part, reason)| {
        let key = match part {
            Part::Url => PROXY_URL.name(),
            Part::User => PROXY_USER.name(),
            Part::Password => PROXY_PASSWORD.name(),
        };
        (key, reason)
    })
}

/// The bucket, and the store where it is not AWS.
pub(crate) fn place(config: &Config) -> Option<String> {
    let (bucket, endpoint) = (config.get(&BUCKET).ok()?, endpoint(config).ok()?);
    Some(match endpoint.filter(|endpoint| !endpoint.is_aws()) {
        Some(endpoint) => format!("{}/{bucket}", endpoint.place()),
        None => format!("s3://{bucket}"),
    })
}

fn encryption(config: &Config) -> Result<Encryption, String> {
    let customer_key = config.text(CUSTOMER_KEY.name()).map_or("", str::trim);
    let kms_key_id = config.text(KMS_KEY_ID.name()).map_or("", str::trim);
    Encryption::new(config.text(ENCRYPTION.name()).map_or("", str::trim), customer_key, kms_key_id)
}

/// As the sink reads its keys `topics.dir` and `directory.delim`: credentials may be good for nothing else.
fn directory(config: &Config) -> String {
    let directory = config.text("topics.dir").unwrap_or("topics").trim();
    let delimiter = config.text("directory.delim").unwrap_or("/");
    if directory.is_empty() { String::new() } else { format!("{directory}{delimiter}") }
}

/// Everything that the client must know.
#[derive(Clone, Debug)]
pub(crate) struct S3Config {
    pub(super) bucket: String,
    /// What the names of the sink's objects begin with.
    pub(super) directory: String,
    pub(super) region: String,
    /// None for AWS itself.
    pub(super) endpoint: Option<Endpoint>,
    pub(super) path_style: bool,
    pub(super) accelerate: bool,
    pub(super) credentials: Source,
    pub(super) attempts: u32,
    pub(super) backoff: std::time::Duration,
    pub(super) encryption: Encryption,
    pub(super) acl: Option<String>,
    pub(super) proxy: Option<Proxy>,
    pub(super) send_digest: bool,
}

impl TryFrom<&Config> for S3Config {
    type Error = Error;

    fn try_from(config: &Config) -> Result<Self> {
        let mut problems = ConfigDef::new("S3", &keys()).validate(config);
        problems.append(validate(config));
        problems.into_result()?;
        Ok(Self {
            bucket: config.get(&BUCKET)?,
            directory: directory(config),
            region: config.get(&REGION)?,
            endpoint: endpoint(config).map_err(|(name, reason)| Error::config(format!("`{name}` {reason}")))?,
            path_style: config.get(&PATH_STYLE)?,
            accelerate: config.get(&ACCELERATE)?,
            credentials: Source::new(config).map_err(|(_, reason)| Error::config(reason))?,
            attempts: config.get(&ATTEMPTS)?.unsigned_abs(),
            backoff: std::time::Duration::from_millis(config.get(&BACKOFF)?.unsigned_abs()),
            encryption: encryption(config).map_err(Error::config)?,
            acl: config.find(&CANNED_ACL)?,
            proxy: proxy(config).map_err(|(key, reason)| Error::config(format!("`{key}` {reason}")))?,
            send_digest: config.get(&SEND_DIGEST)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter2";

    fn config(pairs: &[(&str, &str)]) -> Config {
        [("s3.bucket.name", "bucket")].iter().chain(pairs).copied().collect()
    }

    fn parse(pairs: &[(&str, &str)]) -> S3Config {
        S3Config::try_from(&config(pairs)).unwrap()
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        S3Config::try_from(&config(pairs)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_left_out_is_as_on_the_jvm() {
        let config = parse(&[]);
        assert_eq!((config.bucket.as_str(), config.region.as_str()), ("bucket", "us-west-2"));
        assert_eq!((config.path_style, config.accelerate, config.send_digest), (true, false, false));
        assert_eq!((config.attempts, config.backoff.as_millis()), (3, 200));
        assert_eq!(config.encryption, Encryption::Bucket);
        assert!(config.endpoint.is_none() && config.credentials.keys.is_none() && config.proxy.is_none() && config.acl.is_none());
    }

    #[test]
    fn static_credentials_need_both_keys() {
        let (id, secret) = (("aws.access.key.id", "AK"), ("aws.secret.access.key", SECRET));
        assert_eq!(parse(&[id, secret]).credentials.keys.unwrap().secret_access_key.expose(), SECRET);
        assert!(parse(&[id]).credentials.keys.is_none());
        assert!(parse(&[secret]).credentials.keys.is_none());
        assert!(parse(&[id, ("aws.secret.access.key", "")]).credentials.keys.is_none());
    }

    #[test]
    fn what_no_bucket_and_no_region_is_called_is_refused() {
        let said = |name: &str| {
            S3Config::try_from(&[("s3.bucket.name", name)].into_iter().collect()).map(drop).map_err(|error| error.to_string())
        };
        for name in ["bucket", "my.bucket_1", "arn:aws:s3:us-west-2:111122223333:accesspoint/mine", "Old-Bucket"] {
            assert_eq!(said(name), Ok(()), "{name}");
        }
        assert!(said("arn:aws:s3:::mine").unwrap_err().contains("write the name alone, mine"));
        assert_eq!(said(&"b".repeat(255)), Ok(()));
        assert!(said(&"b".repeat(256)).unwrap_err().contains("no more than 63"));
        assert!(said("bucket/path/version=1").unwrap_err().contains("goes into topics.dir"));
        for name in ["<bucket>", "${BUCKET}", "my bucket", "{Bucket}"] {
            assert!(said(name).unwrap_err().contains("letters, digits"), "{name}");
        }
        assert!(refusal(&[("s3.region", "<region>")]).contains("as eu-west-1"));
    }

    #[test]
    fn an_unknown_region_is_accepted_and_a_blank_one_is_not() {
        assert_eq!(parse(&[("s3.region", "moon-1")]).region, "moon-1");
        assert!(refusal(&[("s3.region", " ")]).contains("must not be blank"));
    }

    #[test]
    fn acceleration_is_of_aws_alone() {
        let settings = [("s3.wan.mode", "true"), ("s3.path.style.access.enabled", "false"), ("store.url", "http://minio:9000")];
        let said = validate(&config(&settings)).to_string();
        assert!(said.contains("`s3.wan.mode=true` is of AWS alone"), "{said}");
    }

    #[test]
    fn acceleration_and_path_style_exclude_each_other_on_both_keys() {
        let problems = validate(&config(&[("s3.wan.mode", "true")]));
        let keys: Vec<_> = problems.iter().filter_map(|problem| problem.key.as_deref()).collect();
        assert_eq!(keys, ["s3.wan.mode", "s3.path.style.access.enabled"]);
        assert!(parse(&[("s3.wan.mode", "true"), ("s3.path.style.access.enabled", "false")]).accelerate);
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let refusal = refusal(&[
            ("s3.part.retries", "0"),
            ("s3.retry.backoff.ms", "-1"),
            ("store.url", "127.0.0.1:9000"),
            ("s3.proxy.url", "localhost"),
            ("s3.ssea.name", "aes256"),
        ]);
        for key in ["s3.part.retries", "s3.retry.backoff.ms", "store.url", "s3.proxy.url", "s3.ssea.name"] {
            assert!(refusal.contains(key), "{key}: {refusal}");
        }
    }

    #[test]
    fn numbers_of_tries_and_pauses_below_one_are_refused_each_in_the_same_words() {
        for value in ["0", "-1", " -5 "] {
            let tries = refusal(&[("s3.part.retries", value)]);
            assert!(tries.ends_with(&format!(
                "Invalid value {} for configuration s3.part.retries: must be at least 1, for the first try is one of them; uploads are tried again for \
                 ever in any case",
                value.trim()
            )), "{tries}");
            assert!(refusal(&[("s3.retry.backoff.ms", value)]).contains("must be at least 1 millisecond"), "{value}");
        }
        assert_eq!(parse(&[("s3.part.retries", "1"), ("s3.retry.backoff.ms", "1")]).attempts, 1);
    }

    #[test]
    fn a_proxy_is_refused_at_the_key_that_is_wrong() {
        let keys = |pairs: &[(&str, &str)]| {
            let problems = validate(&config(&[&[("s3.proxy.url", "http://localhost:8080")], pairs].concat()));
            problems.iter().filter_map(|problem| problem.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&[("s3.proxy.user", "u:s")]), ["s3.proxy.user"]);
        assert_eq!(keys(&[("s3.proxy.password", SECRET)]), ["s3.proxy.password"]);
        assert_eq!(keys(&[("s3.proxy.user", " us "), ("s3.proxy.password", "")]), [""; 0]);
        assert_eq!(keys(&[("s3.proxy.user", "us"), ("s3.proxy.password", "\u{a0}pw\u{3000}")]), [""; 0]);
    }

    #[test]
    fn an_access_key_id_that_no_header_can_carry_is_refused() {
        for id in ["AK\u{e9}", "A K", "A\nK"] {
            assert!(refusal(&[("aws.access.key.id", id), ("aws.secret.access.key", SECRET)]).contains("aws.access.key.id"), "{id}");
        }
        parse(&[("aws.access.key.id", "AK:x/y"), ("aws.secret.access.key", "any \" \u{e9} % thing")]);
    }

    #[test]
    fn secrets_are_never_shown() {
        let shown = parse(&[
            ("aws.access.key.id", "AK"),
            ("aws.secret.access.key", SECRET),
            ("s3.ssea.name", "AES256"),
            ("s3.sse.customer.key", "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ="),
            ("s3.proxy.url", "http://user:hunter2@localhost:8080"),
        ]);
        let shown = format!("{shown:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("aHVudGVy"), "{shown}");
        let refusal = refusal(&[("s3.proxy.url", "ftp://user:hunter2@localhost"), ("aws.secret.access.key", SECRET)]);
        assert!(!refusal.contains(SECRET), "{refusal}");
    }
}
