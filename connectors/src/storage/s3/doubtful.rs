//! Keys that do not do what their author probably meant: they mean to the JVM connector what they mean here.

use connect_api::config::{AnyConfigKey, Config, Problem, Problems};

use super::{
    config::{self, BUCKET, CUSTOMER_KEY, ENCRYPTION, KMS_KEY_ID, PATH_STYLE, REGION},
    credentials::{self, ACCESS_KEY_ID, ASSUME_ROLE, PROVIDER, SECRET_ACCESS_KEY},
};
use crate::storage::STORE_URL;

/// Half a pair of credentials, keys of an encryption that is not asked for, a region and a bucket that AWS can hardly have, and an address that holds
/// more than the store's.
pub(crate) fn warnings(config: &Config) -> Problems {
    let mut warnings = Problems::default();
    let mut doubt = |key: &dyn AnyConfigKey, message: String| {
        let origin = config.entry(key.name()).and_then(|entry| entry.origin.clone());
        warnings.push(Problem::of_key(key.name(), message).at(origin));
    };
    let (id, secret): (&dyn AnyConfigKey, &dyn AnyConfigKey) = (&ACCESS_KEY_ID, &SECRET_ACCESS_KEY);
    for (key, other) in [(id, secret), (secret, id)] {
        if is_set(config, key) && !is_set(config, other) {
            doubt(key, format!("{} {ALONE}; set {}, or remove it", key.name(), other.name()));
        }
    }
    let region = config.text(REGION.name()).unwrap_or_default().trim();
    if !region.is_empty() && !is_region_of_aws(region) && matches!(config::endpoint(config), Ok(None)) {
        doubt(&REGION, format!("s3.region={region} is no region of AWS as they are written, such as us-east-1 or eu-central-1"));
    }
    let bucket = config.text(BUCKET.name()).unwrap_or_default().trim();
    // Of one that is refused enough is said.
    if let Some(reason) = no_bucket_of_aws(bucket).filter(|_| config.get(&BUCKET).is_ok()) {
        doubt(&BUCKET, format!("s3.bucket.name={bucket} is hardly a bucket: {reason}"));
    }
    address(config, bucket).into_iter().for_each(|message| doubt(&STORE_URL, message));
    if let Some((key, message)) = encryption(config) {
        doubt(key, message);
    }
    let assumes = config.text(PROVIDER.name()).is_some_and(|class| class.trim() == ASSUME_ROLE);
    if let Some(key) = credentials::keys_of_role().into_iter().find(|key| !assumes && is_set(config, *key)) {
        let message = format!("{} changes nothing without {}={ASSUME_ROLE}, which assumes the role", key.name(), PROVIDER.name());
        doubt(key, message);
    }
    warnings
}

/// What of the keys of encryption is not what objects get, in one message.
fn encryption(config: &Config) -> Option<(&'static dyn AnyConfigKey, String)> {
    let [name, customer_key, kms_key] = [ENCRYPTION.name(), CUSTOMER_KEY.name(), KMS_KEY_ID.name()];
    let is_written = config.entry(customer_key).is_some();
    let (has_customer_key, has_kms_key) = (is_set(config, &CUSTOMER_KEY), is_set(config, &KMS_KEY_ID));
    let of_bucket = "objects get the bucket's own encryption";
    let (key, message): (&'static dyn AnyConfigKey, _) = match (
        config.text(name).map_or("", str::trim),
        has_customer_key,
        has_kms_key,
    ) {
        ("", true, true) => {
            let message = format!(
                "{customer_key} and {kms_key} change nothing without {name}: {of_bucket}; set {name}=AES256 for the customer's key, or {name}=aws:kms \
                 for that of KMS"
            );
            (&CUSTOMER_KEY, message)
        }
        ("", true, false) => (&CUSTOMER_KEY, format!("{customer_key} changes nothing without {name}=AES256: {of_bucket}")),
        ("", false, true) => (&KMS_KEY_ID, format!("{kms_key} changes nothing without {name}=aws:kms: {of_bucket}")),
        ("AES256", true, true) => {
            let message = format!("{kms_key} changes nothing without {name}=aws:kms: objects get AES256 with the customer's key");
            (&KMS_KEY_ID, message)
        }
        ("AES256", false, true) => (&KMS_KEY_ID, format!("{kms_key} changes nothing without {name}=aws:kms: objects get AES256")),
        ("AES256", false, false) if is_written => {
            let message = format!(
                "{customer_key} is empty: objects get AES256 with keys of S3's own; write the customer's key, or remove the line"
            );
            (&CUSTOMER_KEY, message)
        }
        ("aws:kms", true, true) => {
            let message = format!("{customer_key} changes nothing without {name}=AES256: objects get aws:kms with {kms_key}");
            (&CUSTOMER_KEY, message)
        }
        ("aws:kms", true, false) => {
            let message = format!(
                "{name}=aws:kms changes nothing without {kms_key}, nor does {customer_key} with it: {of_bucket}; set {name}=AES256 to use the customer's \
                 key, or {kms_key}"
            );
            (&ENCRYPTION, message)
        }
        ("aws:kms", false, false) => {
            let message =
                format!("{name}=aws:kms changes nothing without {kms_key}: {of_bucket}; set the key, or the bucket's encryption");
            (&ENCRYPTION, message)
        }
        ("aws:kms:dsse", ..) => {
            let instead = match (has_customer_key, has_kms_key) {
                (false, false) => "set the bucket's encryption".to_owned(),
                (true, false) => format!("set the bucket's encryption, or {name}=AES256 to use {customer_key}"),
                (_, true) => format!("set the bucket's encryption, or {name}=aws:kms to use {kms_key}"),
            };
            (&ENCRYPTION, format!("{name}=aws:kms:dsse changes nothing, as in the JVM connector: {of_bucket}; {instead}"))
        }
        // Nothing contradicts, or the name is refused.
        _ => return None,
    };
    Some((key, message))
}

/// Why AWS makes no bucket of this name today. Old ones may be long and have capitals and `_`, and what is no name at all is refused.
fn no_bucket_of_aws(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.starts_with("arn:") {
        return None;
    }
    let is_end = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if !name.bytes().next().is_none_or(|byte| is_end(&byte)) || !name.bytes().last().is_none_or(|byte| is_end(&byte)) {
        return Some("a bucket's name begins and ends with a letter or a digit");
    }
    match name {
        _ if name.contains("..") => Some("a bucket's name has no two dots side by side"),
        _ if name.len() > 63 => Some("a bucket's name has no more than 63 characters, but for very old ones of us-east-1"),
        _ => None,
    }
}

/// What an address holds beside the store's: the bucket, a path, a query.
fn address(config: &Config, bucket: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let url = config.text(STORE_URL.name()).map_or("", str::trim);
    // The variables of the environment have no line, and are not this connector's alone.
    let (false, Ok(Some(endpoint))) = (url.is_empty() || bucket.is_empty(), config::endpoint(config)) else { return messages };
    let (host, path, has_query) = endpoint.parts();
    let twice = if config.get(&PATH_STYLE).unwrap_or(true) { "in the path as well" } else { "in front of it once more" };
    let rest = host.strip_prefix(&format!("{}.", bucket.to_ascii_lowercase()));
    // A host of the store may be called as the bucket is: s3, minio.
    if let Some(rest) = rest.filter(|_| !matches!(bucket, "s3" | "minio")) {
        messages.push(format!(
            "store.url has the bucket's name in its host: requests name {bucket} {twice}; write the store's address alone, with {rest} for its host"
        ));
    }
    if let Some(path) = path {
        messages.push(format!(
            "store.url has a path, {path}, and requests go to …{path}/{bucket}/…: write the address without it, unless the store is served below it; \
             directories of the bucket go into topics.dir"
        ));
    }
    if has_query {
        messages
            .push("store.url has a query, what follows the ?, which belongs to no store's address: write it without".to_owned());
    }
    messages
}

/// Words and a number, as all that there are and that may come.
fn is_region_of_aws(region: &str) -> bool {
    let mut parts: Vec<_> = region.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    parts.len() > 1 && parts.iter().all(is_word) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

const ALONE: &str =
    "is ignored alone: credentials are looked for where AWS tools look, in the environment, profiles and the instance's role";

fn is_set(config: &Config, key: &dyn AnyConfigKey) -> bool {
    config.text(key.name()).is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&str, &str)]) -> Vec<String> {
        let config: Config = pairs.iter().copied().collect();
        warnings(&config).iter().map(|problem| problem.message.clone()).collect()
    }

    const HUNTER: &str = "hunter2";

    #[test]
    fn half_a_pair_of_credentials_is_said_to_be_ignored_and_never_shown() {
        let (id, secret) = (("aws.access.key.id", HUNTER), ("aws.secret.access.key", HUNTER));
        assert!(said(&[id, secret]).is_empty() && said(&[]).is_empty());
        for (pairs, missing) in
            [([id, ("aws.secret.access.key", " ")], "aws.secret.access.key"), ([secret, ("x", "")], "aws.access.key.id")]
        {
            let said = said(&pairs);
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains("is ignored alone") && said[0].contains(&format!("set {missing}")), "{said:?}");
            assert!(!said[0].contains(HUNTER), "{said:?}");
        }
    }

    #[test]
    fn a_region_that_is_written_otherwise_than_those_of_aws_is_doubted_where_aws_is_meant() {
        for region in ["us-east-1", "ap-southeast-4", "us-gov-west-1", "cn-northwest-1"] {
            assert!(said(&[("s3.region", region)]).is_empty(), "{region}");
        }
        for region in ["us-east1", "us-east", "europe-west", "US-EAST-1", "us-east-1a"] {
            assert!(said(&[("s3.region", region)])[0].contains("such as us-east-1"), "{region}");
            assert!(said(&[("s3.region", region), ("store.url", "http://minio:9000")]).is_empty(), "{region}");
        }
    }

    #[test]
    fn names_that_aws_gives_no_bucket_are_doubted_and_old_ones_are_not() {
        for name in ["-shop", "shop-", ".shop", "shop..lake", &"b".repeat(64)] {
            assert!(said(&[("s3.bucket.name", name)])[0].contains("is hardly a bucket"), "{name}");
        }
        for name in
            ["{bucket}", "shop-lake", "Shop_Lake", "shop.lake", "arn:aws:s3:us-west-2:111122223333:accesspoint/-", &"b".repeat(63)]
        {
            assert!(said(&[("s3.bucket.name", name)]).is_empty(), "{name}");
        }
    }

    #[test]
    fn an_address_with_more_in_it_than_the_store_s_is_doubted() {
        let of = |url: &str| said(&[("s3.bucket.name", "shop-lake"), ("store.url", url)]).join("\n");
        for url in ["http://minio:9000", "https://s3.eu-west-1.amazonaws.com/", "shop-lakes.example", "http://shop-lake:9000"] {
            assert_eq!(of(url), "", "{url}");
        }
        let host = of("https://shop-lake.s3.eu-west-1.amazonaws.com");
        assert!(
            host.contains("requests name shop-lake in the path as well") && host.contains("s3.eu-west-1.amazonaws.com"),
            "{host}"
        );
        assert!(of("http://minio:9000/shop-lake").contains("go to …/shop-lake/shop-lake/…"));
        let query = of("http://minio:9000?X-Amz-Signature=hunter2");
        assert!(query.contains("has a query") && !query.contains(HUNTER), "{query}");
        assert!(said(&[("s3.bucket.name", "minio"), ("store.url", "http://minio.example:9000")]).is_empty());
    }

    #[test]
    fn a_key_of_an_encryption_that_is_not_asked_for_is_named_with_what_objects_get() {
        let kms = ("s3.sse.kms.key.id", "arn:aws:kms:eu-west-1:111122223333:key/a");
        assert!(said(&[kms, ("s3.ssea.name", "aws:kms")]).is_empty());
        assert!(said(&[kms])[0].ends_with("without s3.ssea.name=aws:kms: objects get the bucket's own encryption"));
        assert!(said(&[kms, ("s3.ssea.name", "AES256")])[0].contains("objects get AES256"));
        let customer = ("s3.sse.customer.key", HUNTER);
        assert!(said(&[customer, ("s3.ssea.name", "AES256")]).is_empty());
        assert!(said(&[customer])[0].contains("without s3.ssea.name=AES256"));
        assert!(said(&[("s3.ssea.name", "aws:kms")])[0].contains("set the key"));
        assert!(said(&[("s3.ssea.name", "aws:kms:dsse")])[0].contains("changes nothing"));
    }

    #[test]
    fn keys_of_encryption_that_contradict_each_other_get_one_message_of_what_objects_get() {
        let (kms, customer) = (("s3.sse.kms.key.id", "alias/a"), ("s3.sse.customer.key", HUNTER));
        let of_bucket = "objects get the bucket's own encryption";
        for (name, keys, gets) in [
            ("", [kms, customer].as_slice(), of_bucket),
            ("AES256", &[kms, customer], "objects get AES256 with the customer's key"),
            ("AES256", &[("s3.sse.customer.key", " ")], "objects get AES256 with keys of S3's own"),
            ("aws:kms", &[kms, customer], "objects get aws:kms with s3.sse.kms.key.id"),
            ("aws:kms", &[customer], of_bucket),
            ("aws:kms:dsse", &[kms], of_bucket),
            ("aws:kms:dsse", &[kms, customer], of_bucket),
        ] {
            let said = said(&[keys, &[("s3.ssea.name", name)]].concat());
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains(gets) && said[0].matches("objects get").count() == 1, "{said:?}");
            assert!(!said[0].contains(HUNTER), "{said:?}");
        }
        for (name, keys) in [("", [("s3.sse.customer.key", "")]), ("aws:kms", [kms]), ("AES256", [customer])] {
            assert!(said(&[&keys[..], &[("s3.ssea.name", name)]].concat()).is_empty(), "{name}");
        }
    }
}
