//! Who is trusted, and the client's own certificate.

use std::fs;

use connect_api::{
    Error, Result,
    config::{Config, ConfigKey, Importance, Secret},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::registry::http::{system_roots, trusting};

const PEM: &[&str] = &["PEM"];

pub(super) static TRUSTSTORE_TYPE: ConfigKey<String> = ConfigKey::optional(
    "schema.registry.ssl.truststore.type",
    "`PEM`. Other stores are made PEM with `keytool -list -rfc` or `openssl pkcs12`.",
)
.one_of(PEM);

pub(super) static TRUSTSTORE_LOCATION: ConfigKey<String> = ConfigKey::optional(
    "schema.registry.ssl.truststore.location",
    "A file with the certificates that are trusted, in place of those of the system.",
);

pub(super) static TRUSTSTORE_CERTIFICATES: ConfigKey<Secret> =
    ConfigKey::optional("schema.registry.ssl.truststore.certificates", "The certificates that are trusted, as PEM.");

pub(super) static KEYSTORE_TYPE: ConfigKey<String> = ConfigKey::optional("schema.registry.ssl.keystore.type", "`PEM`.").one_of(PEM);

pub(super) static KEYSTORE_LOCATION: ConfigKey<String> = ConfigKey::optional(
    "schema.registry.ssl.keystore.location",
    "A file with the client's certificate, those that vouch for it, and the private key, without a password.",
);

pub(super) static KEYSTORE_CERTIFICATES: ConfigKey<Secret> = ConfigKey::optional(
    "schema.registry.ssl.keystore.certificate.chain",
    "The client's certificate and those that vouch for it, as PEM.",
);

pub(super) static KEYSTORE_KEY: ConfigKey<Secret> =
    ConfigKey::optional("schema.registry.ssl.keystore.key", "The client's private key, as PEM, without a password.")
        .importance(Importance::Low);

/// PEM, or the file that it is in.
#[derive(Clone, Debug)]
enum Source {
    Text(Secret),
    File(String),
}

impl Source {
    /// # Errors
    /// `Config` where the file cannot be read.
    fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.expose().as_bytes().to_vec()),
            Self::File(path) => {
                // Once, when the first schema is asked for.
                fs::read(path).map_err(|error| Error::config(format!("could not read {path}")).with_source(error))
            }
        }
    }

    fn find(config: &Config, text: &ConfigKey<Secret>, file: &ConfigKey<String>) -> Result<Option<Self>> {
        Ok(match config.find(text)? {
            Some(text) => Some(Self::Text(text)),
            None => config.find(file)?.map(Self::File),
        })
    }
}

/// `schema.registry.ssl.*`
#[derive(Clone, Debug)]
pub(super) struct TlsConfig {
    trusted: Option<Source>,
    own: Option<Source>,
    key: Option<Secret>,
}

impl TlsConfig {
    /// # Errors
    /// `Config` where a store is of another type.
    pub(super) fn new(config: &Config) -> Result<Self> {
        for store_type in [&TRUSTSTORE_TYPE, &KEYSTORE_TYPE] {
            config.find(store_type)?;
        }
        Ok(Self {
            trusted: Source::find(config, &TRUSTSTORE_CERTIFICATES, &TRUSTSTORE_LOCATION)?,
            own: Source::find(config, &KEYSTORE_CERTIFICATES, &KEYSTORE_LOCATION)?,
            key: config.find(&KEYSTORE_KEY)?,
        })
    }

    /// Reads the files.
    ///
    /// # Errors
    /// `Config` where there is no certificate or key in them, `Retriable` where the system has none.
    pub(super) fn client(&self) -> Result<ClientConfig> {
        let roots = match &self.trusted {
            Some(source) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(&source.read()?, "truststore")? {
                    roots.add(certificate).map_err(|error| Error::config("a trusted certificate is refused").with_source(error))?;
                }
                roots
            }
            None => system_roots(),
        };
        let builder = trusting(roots)?;
        let Some(own) = &self.own else { return Ok(builder.with_no_client_auth()) };
        let own = own.read()?;
        let key = self.key.as_ref().map_or(&own[..], |key| key.expose().as_bytes());
        // What cannot be read is not quoted: it is a secret.
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_not_shown| {
            Error::config(
                "`schema.registry.ssl.keystore.*` holds no private key that can be read: it must be PEM, without a password",
            )
        })?;
        let client = builder.with_client_auth_cert(certificates(&own, "keystore")?, key);
        client.map_err(|error| Error::config("`schema.registry.ssl.keystore.*` is refused").with_source(error))
    }
}

/// # Errors
/// `Config` where there is none, or one that cannot be read.
fn certificates(pem: &[u8], store: &str) -> Result<Vec<CertificateDer<'static>>> {
    let refused = || {
        let how = "`keytool -list -rfc -keystore FILE` and `openssl pkcs12 -in FILE -nodes` write it for other stores";
        Error::config(format!("`schema.registry.ssl.{store}.*` holds no certificate that can be read: it must be PEM; {how}"))
    };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(refused)
}
