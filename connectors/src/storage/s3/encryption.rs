//! Server-side encryption: which headers go with which request.

use std::fmt;

use aws_smithy_types::base64;
use md5::{Digest, Md5};

/// How S3 encrypts new objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Encryption {
    /// As the bucket says: no header.
    #[default]
    Bucket,
    /// With keys of S3.
    S3,
    /// With a KMS key.
    Kms(String),
    /// With a key that comes with every request and that S3 forgets.
    Customer(CustomerKey),
}

impl Encryption {
    /// Reads `s3.ssea.name`, `s3.sse.customer.key` and `s3.sse.kms.key.id`. Combinations that mean nothing to the JVM connector
    /// mean nothing here: `aws:kms` without a key, `aws:kms:dsse`, a customer key without `AES256`.
    ///
    /// # Errors
    /// The reason for refusing the customer key, without the key.
    pub(super) fn new(name: &str, customer_key: &str, kms_key_id: &str) -> Result<Self, String> {
        match name {
            "AES256" if !customer_key.is_empty() => CustomerKey::new(customer_key).map(Self::Customer),
            "AES256" => Ok(Self::S3),
            "aws:kms" if !kms_key_id.is_empty() => Ok(Self::Kms(kms_key_id.to_owned())),
            _ => Ok(Self::Bucket),
        }
    }

    pub(super) fn customer_key(&self) -> Option<&CustomerKey> {
        match self {
            Self::Customer(key) => Some(key),
            _ => None,
        }
    }
}

/// S3 refuses every request with a shorter or longer one.
const CUSTOMER_KEY_BYTES: usize = 32;

/// A customer's key with its digest. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct CustomerKey {
    pub(super) base64: String,
    pub(super) md5: String,
}

impl CustomerKey {
    fn new(text: &str) -> Result<Self, String> {
        let key = base64::decode(text).map_err(|_the_cause_would_quote_it| "`s3.sse.customer.key` is not Base64".to_owned())?;
        match key.len() {
            CUSTOMER_KEY_BYTES => Ok(Self { base64: text.to_owned(), md5: base64::encode(Md5::digest(key)) }),
            others => Err(format!(
                "`s3.sse.customer.key` has {others} bytes, and AES256 takes {CUSTOMER_KEY_BYTES}: `openssl rand -base64 {CUSTOMER_KEY_BYTES}` makes one"
            )),
        }
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// Adds the customer's key to a request that may carry one: every request that reads or writes content or metadata.
macro_rules! with_customer_key {
    ($request:expr, $encryption:expr) => {{
        let key = $encryption.customer_key();
        $request
            .set_sse_customer_algorithm(key.map(|_| "AES256".to_owned()))
            .set_sse_customer_key(key.map(|key| key.base64.clone()))
            .set_sse_customer_key_md5(key.map(|key| key.md5.clone()))
    }};
}

/// Adds the encryption of a new object to the request that makes it.
macro_rules! with_encryption {
    ($request:expr, $encryption:expr) => {{
        use aws_sdk_s3::types::ServerSideEncryption;
        let (name, kms_key_id) = match $encryption {
            Encryption::S3 => (Some(ServerSideEncryption::Aes256), None),
            Encryption::Kms(id) => (Some(ServerSideEncryption::AwsKms), Some(id.clone())),
            Encryption::Bucket | Encryption::Customer(_) => (None, None),
        };
        let request = $request.set_server_side_encryption(name).set_ssekms_key_id(kms_key_id);
        with_customer_key!(request, $encryption)
    }};
}

pub(super) use {with_customer_key, with_encryption};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_combinations_of_the_jvm_connector_encrypt() {
        assert_eq!(Encryption::new("", "a2V5", "id"), Ok(Encryption::Bucket));
        assert_eq!(Encryption::new("AES256", "", "id"), Ok(Encryption::S3));
        assert_eq!(Encryption::new("aws:kms", "a2V5", "id"), Ok(Encryption::Kms("id".to_owned())));
        assert_eq!(Encryption::new("aws:kms", "", ""), Ok(Encryption::Bucket));
        assert_eq!(Encryption::new("aws:kms:dsse", "", "id"), Ok(Encryption::Bucket));
    }

    #[test]
    fn a_customer_key_goes_with_the_digest_of_its_bytes_and_is_never_shown() {
        let encryption = Encryption::new("AES256", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "").unwrap();
        assert_eq!(encryption.customer_key().unwrap().md5, "hRasmdxgYDKV3nvbahU1MA==");
        assert_eq!(format!("{encryption:?}"), "Customer(********)");
        let reason = Encryption::new("AES256", "not base64!", "").unwrap_err();
        assert!(!reason.contains("not base64!"), "{reason}");
    }

    #[test]
    fn a_customer_key_of_another_length_is_refused_and_not_shown() {
        for key in ["a2V5", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYw"] {
            let reason = Encryption::new("AES256", key, "").unwrap_err();
            assert!(reason.contains("AES256 takes 32") && !reason.contains(key), "{reason}");
        }
    }
}
