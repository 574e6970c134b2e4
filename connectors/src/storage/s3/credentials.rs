//! Where the client's credentials come from, under the names that the providers have in both generations of the AWS SDK for Java.

use aws_config::{
    BehaviorVersion, default_provider::credentials::DefaultCredentialsChain, ecs::EcsCredentialsProvider,
    environment::EnvironmentVariableCredentialsProvider, imds::credentials::ImdsCredentialsProvider,
    profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig, sts::AssumeRoleProvider,
    web_identity_token::WebIdentityTokenCredentialsProvider,
};
use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, SharedCredentialsProvider, future},
};
use aws_sdk_s3::config::Region;
use connect_api::{
    Result,
    config::{AnyConfigKey, Config, ConfigKey, Importance, Secret},
};
use tokio::sync::OnceCell;

use crate::storage::ClassName;

pub(super) static ACCESS_KEY_ID: ConfigKey<String> = ConfigKey::with_default(
    "aws.access.key.id",
    "",
    "The AWS access key id. Without it and `aws.secret.access.key` the default chain is asked: environment, profile, web identity, \
     container, instance.",
)
.importance(Importance::High)
.check(|id| {
    let fits = id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err("an access key id has only visible ASCII characters: it goes into a header as it is".to_owned()) }
});

pub(super) static SECRET_ACCESS_KEY: ConfigKey<Secret> =
    ConfigKey::optional("aws.secret.access.key", "The secret that belongs to `aws.access.key.id`.").importance(Importance::High);

const DEFAULT_CHAIN: &str = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider";

/// The provider whose settings are [`role`](Role)'s.
pub(super) const ASSUME_ROLE: &str = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider";

pub(super) static PROVIDER: ConfigKey<ClassName> = ConfigKey::with_default(
    "s3.credentials.provider.class",
    DEFAULT_CHAIN,
    "Where credentials come from: the default chain, one of its members by the name that it has in either generation of the AWS SDK for Java, or \
     `io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider`. Static keys come before all of them but the role, which is assumed with them.",
)
.importance(Importance::Low)
.suggested(&PROVIDERS)
.check(|class| match Kind::of(&class.0) {
    Some(_) => Ok(()),
    None => Err(format!(
        "Java classes cannot be loaded; known are {DEFAULT_CHAIN}, {ASSUME_ROLE}, and the AWS SDK's providers for the environment, profiles, web \
         identity, containers and instances"
    )),
});

static ROLE_ARN: ConfigKey<String> = ConfigKey::optional(
    "s3.credentials.provider.sts.role.arn",
    "With `AwsAssumeRoleCredentialsProvider`, which needs it: the role to assume.",
)
.importance(Importance::High);
static SESSION_NAME: ConfigKey<String> = ConfigKey::optional(
    "s3.credentials.provider.sts.role.session.name",
    "With `AwsAssumeRoleCredentialsProvider`, which needs it: what the session is called in AWS's records.",
)
.importance(Importance::High);
static EXTERNAL_ID: ConfigKey<String> = ConfigKey::optional(
    "s3.credentials.provider.sts.role.external.id",
    "With `AwsAssumeRoleCredentialsProvider`: the external id that the role's policy asks for. The JVM connector asks for one in any case.",
);
static STS_REGION: ConfigKey<String> = ConfigKey::with_default(
    "s3.credentials.provider.sts.region",
    "",
    "The region of STS, where the role is assumed with static keys. Otherwise it is that of the AWS SDK's own chain, else `s3.region`.",
);

/// The keys that say where credentials come from.
pub(super) fn keys() -> [&'static dyn AnyConfigKey; 7] {
    [&ACCESS_KEY_ID, &SECRET_ACCESS_KEY, &PROVIDER, &ROLE_ARN, &SESSION_NAME, &EXTERNAL_ID, &STS_REGION]
}

/// The keys that mean something with a role alone.
pub(super) fn keys_of_role() -> [&'static dyn AnyConfigKey; 4] {
    [&ROLE_ARN, &SESSION_NAME, &EXTERNAL_ID, &STS_REGION]
}

/// A member of the SDK's chain, or all of it, or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    DefaultChain,
    Environment,
    Profile,
    WebIdentity,
    Container,
    Instance,
    Role,
}

/// The full names of the providers: in the second generation of the SDK, in the first, and Confluent's own.
const PROVIDERS: [&str; 14] = [
    DEFAULT_CHAIN,
    "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider",
    "software.amazon.awssdk.auth.credentials.InstanceProfileCredentialsProvider",
    "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
    "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    "com.amazonaws.auth.profile.ProfileCredentialsProvider",
    "com.amazonaws.auth.WebIdentityTokenCredentialsProvider",
    "com.amazonaws.auth.ContainerCredentialsProvider",
    "com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper",
    "com.amazonaws.auth.InstanceProfileCredentialsProvider",
    ASSUME_ROLE,
];

impl Kind {
    fn of(class: &str) -> Option<Self> {
        if !PROVIDERS.contains(&class) {
            return None;
        }
        Some(match class.rsplit('.').next()? {
            "EnvironmentVariableCredentialsProvider" => Self::Environment,
            "ProfileCredentialsProvider" => Self::Profile,
            "WebIdentityTokenFileCredentialsProvider" | "WebIdentityTokenCredentialsProvider" => Self::WebIdentity,
            "ContainerCredentialsProvider" | "EC2ContainerCredentialsProviderWrapper" => Self::Container,
            "InstanceProfileCredentialsProvider" => Self::Instance,
            "AwsAssumeRoleCredentialsProvider" => Self::Role,
            _ => Self::DefaultChain,
        })
    }
}

/// A pair of static credentials.
#[derive(Clone, Debug)]
pub(super) struct StaticCredentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Secret,
}

/// A role to assume.
#[derive(Clone, Debug)]
pub(super) struct Role {
    arn: String,
    session_name: String,
    external_id: Option<String>,
    /// Of STS.
    region: Option<String>,
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    kind: Kind,
    pub(super) keys: Option<StaticCredentials>,
    role: Option<Role>,
}

impl Source {
    /// What the keys say.
    ///
    /// # Errors
    /// A key that is missing for a role: its name, and the reason.
    pub(super) fn new(config: &Config) -> Result<Self, (&'static str, String)> {
        let filled = |key: &ConfigKey<String>| config.get(key).ok().filter(|value| !value.is_empty());
        let secret = config.find(&SECRET_ACCESS_KEY).ok().flatten().filter(|secret| !secret.expose().is_empty());
        // One of the two alone is ignored, as on the JVM.
        let keys = filled(&ACCESS_KEY_ID).zip(secret);
        let keys = keys.map(|(access_key_id, secret_access_key)| StaticCredentials { access_key_id, secret_access_key });
        let kind = config.get(&PROVIDER).ok().and_then(|class| Kind::of(&class.0)).unwrap_or(Kind::DefaultChain);
        if kind != Kind::Role {
            return Ok(Self { kind, keys, role: None });
        }
        let needed = |key: &'static ConfigKey<String>| {
            let optional = config.find(key).ok().flatten().filter(|value| !value.is_empty());
            optional.ok_or_else(|| (key.name(), format!("`{}` is needed to assume a role", key.name())))
        };
        let role = Role {
            arn: needed(&ROLE_ARN)?,
            session_name: needed(&SESSION_NAME)?,
            external_id: config.find(&EXTERNAL_ID).ok().flatten().filter(|id| !id.is_empty()),
            region: filled(&STS_REGION).filter(|_| keys.is_some()),
        };
        Ok(Self { kind, keys, role: Some(role) })
    }

    /// The provider; nothing is asked of anybody before it is. `region`: the bucket's.
    pub(super) fn provider(&self, region: &str) -> SharedCredentialsProvider {
        match (&self.keys, &self.role) {
            (Some(keys), None) => SharedCredentialsProvider::new(keys.fixed()),
            _ => SharedCredentialsProvider::new(Lazy { source: self.clone(), region: region.to_owned(), made: OnceCell::new() }),
        }
    }

    async fn make(&self, region: &str) -> SharedCredentialsProvider {
        if let Some(role) = &self.role {
            return SharedCredentialsProvider::new(role.provider(self.keys.as_ref(), region).await);
        }
        let region = Region::new(region.to_owned());
        let config = ProviderConfig::without_region().with_region(Some(region.clone()));
        match self.kind {
            Kind::Environment => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
            Kind::Profile => SharedCredentialsProvider::new(ProfileFileCredentialsProvider::builder().configure(&config).build()),
            Kind::WebIdentity => {
                SharedCredentialsProvider::new(WebIdentityTokenCredentialsProvider::builder().configure(&config).build())
            }
            Kind::Container => SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&config).build()),
            Kind::Instance => SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&config).build()),
            Kind::DefaultChain | Kind::Role => {
                SharedCredentialsProvider::new(DefaultCredentialsChain::builder().region(region).build().await)
            }
        }
    }
}

impl StaticCredentials {
    fn fixed(&self) -> Credentials {
        Credentials::new(&self.access_key_id, self.secret_access_key.expose(), None, None, "connector configuration")
    }
}

impl Role {
    /// Assumes the role with static keys, or with what the default chain has. Sessions are kept by the client, and renewed before they end.
    async fn provider(&self, keys: Option<&StaticCredentials>, region: &str) -> AssumeRoleProvider {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(keys) = keys {
            loader = loader.credentials_provider(keys.fixed());
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let mut config = loader.load().await;
        if config.region().is_none() {
            config = config.into_builder().region(Region::new(region.to_owned())).build();
        }
        let mut role = AssumeRoleProvider::builder(&self.arn).session_name(&self.session_name).configure(&config);
        if let Some(id) = &self.external_id {
            role = role.external_id(id);
        }
        role.build().await
    }
}

/// A provider that is made when it is first asked: making it is asynchronous, and making a client is not.
#[derive(Debug)]
struct Lazy {
    source: Source,
    region: String,
    made: OnceCell<SharedCredentialsProvider>,
}

impl Lazy {
    async fn credentials(&self) -> provider::Result {
        self.made.get_or_init(|| self.source.make(&self.region)).await.provide_credentials().await
    }
}

impl ProvideCredentials for Lazy {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: [(&str, &str); 3] = [
        ("s3.credentials.provider.class", ASSUME_ROLE),
        ("s3.credentials.provider.sts.role.arn", "arn:aws:iam::111122223333:role/a"),
        ("s3.credentials.provider.sts.role.session.name", "sink"),
    ];

    fn source(pairs: &[(&str, &str)]) -> Result<Source, (&'static str, String)> {
        Source::new(&pairs.iter().copied().collect())
    }

    #[test]
    fn providers_are_known_by_their_names_in_both_generations_of_the_sdk() {
        for (class, kind) in [
            (DEFAULT_CHAIN, Kind::DefaultChain),
            ("com.amazonaws.auth.DefaultAWSCredentialsProviderChain", Kind::DefaultChain),
            ("software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider", Kind::Environment),
            ("com.amazonaws.auth.profile.ProfileCredentialsProvider", Kind::Profile),
            ("com.amazonaws.auth.WebIdentityTokenCredentialsProvider", Kind::WebIdentity),
            ("software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider", Kind::WebIdentity),
            ("com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper", Kind::Container),
            ("software.amazon.awssdk.auth.credentials.InstanceProfileCredentialsProvider", Kind::Instance),
            (ASSUME_ROLE, Kind::Role),
        ] {
            assert_eq!(Kind::of(class), Some(kind), "{class}");
        }
        for class in
            ["com.example.Provider", "DefaultCredentialsProvider", "com.amazonaws.auth.SystemPropertiesCredentialsProvider"]
        {
            assert_eq!(Kind::of(class), None, "{class}");
        }
        assert_eq!(AnyConfigKey::suggested(&PROVIDER), PROVIDERS, "what is refused may be a slip from any of them");
        assert!(PROVIDERS.iter().all(|class| PROVIDER.parse(class).is_ok()));
    }

    #[test]
    fn a_role_needs_its_name_and_that_of_a_session() {
        let role = source(&ROLE).unwrap().role.unwrap();
        assert_eq!((role.session_name.as_str(), role.external_id, role.region), ("sink", None, None));
        for missing in [1, 2] {
            let pairs: Vec<_> = ROLE.into_iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, pair)| pair).collect();
            let (key, reason) = source(&pairs).unwrap_err();
            assert_eq!(key, ROLE[missing].0);
            assert!(reason.contains("is needed to assume a role"), "{reason}");
        }
    }

    #[test]
    fn the_region_of_sts_counts_with_static_keys_alone() {
        let region = ("s3.credentials.provider.sts.region", "eu-west-1");
        let keys = [("aws.access.key.id", "AK"), ("aws.secret.access.key", "hunter2")];
        assert_eq!(source(&[&ROLE[..], &[region]].concat()).unwrap().role.unwrap().region, None);
        let with_keys = source(&[&ROLE[..], &[region], &keys].concat()).unwrap();
        assert_eq!(with_keys.role.unwrap().region.as_deref(), Some("eu-west-1"));
        assert!(with_keys.keys.is_some());
    }

    #[test]
    fn static_keys_come_before_every_provider_that_has_no_settings() {
        let keys = [("aws.access.key.id", "AK"), ("aws.secret.access.key", "hunter2")];
        let class = ("s3.credentials.provider.class", "com.amazonaws.auth.InstanceProfileCredentialsProvider");
        let shown = format!("{:?}", source(&[&keys[..], &[class]].concat()).unwrap().provider("eu-west-1"));
        assert!(!shown.contains("hunter2") && !shown.contains("Lazy"), "{shown}");
    }
}
