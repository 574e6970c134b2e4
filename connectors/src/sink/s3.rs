//! The S3 sink, under the name and with the keys of Confluent's.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use crate::{
    storage,
    storage_sink::{self, Permits, StorageSinkConfig, StorageSinkTask},
};
use connect_api::{
    Destination, MetricDefinition, Plugin, Plugins, Result, SinkConnector, SinkTask, Storage,
    config::{Config, ConfigDef, Problems},
};
use tracing::info;

/// Writes records into objects of an S3 bucket, exactly once, in the layout of Confluent's S3 sink.
pub(crate) struct S3SinkConnector {
    permits: Permits,
    /// One client and one pool of connections for all tasks.
    storage: OnceLock<Arc<dyn Storage>>,
}

/// What people write who know other connectors and clients of S3.
const MISTAKEN: &[(&str, &str)] = &[
    ("s3.endpoint", "store.url"),
    ("s3.endpoint.url", "store.url"),
    ("aws.s3.endpoint", "store.url"),
    ("s3.path.style.access", "s3.path.style.access.enabled"),
    ("path.style.access", "s3.path.style.access.enabled"),
    ("s3.access.key", "aws.access.key.id"),
    ("s3.access.key.id", "aws.access.key.id"),
    ("aws.access.key", "aws.access.key.id"),
    ("s3.secret.key", "aws.secret.access.key"),
    ("s3.secret.access.key", "aws.secret.access.key"),
    ("aws.secret.key", "aws.secret.access.key"),
    ("s3.sse.algorithm", "s3.ssea.name"),
    ("s3.object.tagging.enabled", "s3.object.tagging"),
    ("sts.role.arn", "s3.credentials.provider.sts.role.arn"),
    ("aws.region", "s3.region"),
    ("bucket.name", "s3.bucket.name"),
    ("s3.bucket", "s3.bucket.name"),
    ("record.field", "timestamp.field"),
    ("partition.field", "partition.field.name"),
    ("template", "partition.template"),
    ("spill.dir", "spill.directory"),
    ("spill.path", "spill.directory"),
    ("spill.limit", "spill.limit.bytes"),
    ("rotate.size", "rotate.size.bytes"),
    ("rotate.idle.interval.ms", "rotate.idle.ms"),
    ("s3.schema.partition.affix", "s3.schema.partition.affix.type"),
    ("aws.iam.role.arn", "s3.credentials.provider.sts.role.arn"),
    ("aws.s3.bucket.name", "s3.bucket.name"),
    ("aws.s3.region", "s3.region"),
    ("s3.http.max.retries", "s3.part.retries"),
    ("s3.max.retries", "s3.part.retries"),
    ("file.compression.type", "s3.compression.type"),
    ("region", "s3.region"),
    ("format", "format.class"),
    ("output.data.format", "format.class"),
    ("input.data.format", "value.converter"),
    ("time.interval", "partitioner.class"),
    ("compression.type", "s3.compression.type"),
    ("partitioner", "partitioner.class"),
    ("AWS_ACCESS_KEY_ID", "aws.access.key.id"),
    ("AWS_SECRET_ACCESS_KEY", "aws.secret.access.key"),
    ("s3.path.style", "s3.path.style.access.enabled"),
    ("s3.prefix", "topics.dir"),
    ("aws.role.arn", "s3.credentials.provider.sts.role.arn"),
    ("s3.credentials.provider.role.arn", "s3.credentials.provider.sts.role.arn"),
    ("s3.credentials.provider.sts.arn", "s3.credentials.provider.sts.role.arn"),
    ("s3.credentials.provider.role.session.name", "s3.credentials.provider.sts.role.session.name"),
    ("s3.credentials.provider.sts.session.name", "s3.credentials.provider.sts.role.session.name"),
    ("s3.credentials.provider.role.external.id", "s3.credentials.provider.sts.role.external.id"),
    ("s3.credentials.provider.sts.external.id", "s3.credentials.provider.sts.role.external.id"),
    ("s3.credentials.provider.region", "s3.credentials.provider.sts.region"),
];

impl Plugin for S3SinkConnector {
    const NAME: &'static str = "io.confluent.connect.s3.S3SinkConnector";
    const ALIASES: &'static [&'static str] = &["s3"];
    const DOCUMENTATION: &'static str =
        "Writes records into objects of an S3 bucket, exactly once, in the layout of Confluent's S3 sink.";

    fn config_def() -> ConfigDef {
        let keys: Vec<_> = storage_sink::keys().into_iter().chain(storage::keys()).collect();
        ConfigDef::new("S3 sink", &keys).with_mistaken(MISTAKEN)
    }

    fn metrics() -> Vec<&'static MetricDefinition> {
        storage_sink::definitions().into_iter().chain(storage::METRICS.iter().copied()).collect()
    }

    fn configure(config: &Config) -> Result<Self> {
        let permits = Permits::new(storage_sink::uploads_in_flight(config));
        Ok(Self { permits, storage: OnceLock::new() })
    }
}

impl SinkConnector for S3SinkConnector {
    fn validate(&self, config: &Config, plugins: &Plugins) -> Problems {
        let mut problems = storage_sink::validate(config, plugins);
        problems.append(storage::validate(config));
        problems
    }

    fn warnings(&self, config: &Config, plugins: &Plugins) -> Problems {
        let mut warnings = storage_sink::warnings(config, plugins);
        warnings.append(storage::warnings(config));
        warnings
    }

    fn destinations(&self, config: &Config, plugins: &Plugins) -> Vec<Destination> {
        storage::place(config).map_or_else(Vec::new, |store| storage_sink::destinations(config, plugins, &store))
    }

    fn task(&self, config: &Config, plugins: &Plugins) -> Result<Box<dyn SinkTask>> {
        let sink = Arc::new(StorageSinkConfig::new(config, plugins)?);
        let storage = match self.storage.get() {
            Some(storage) => storage,
            None => {
                let opened = storage::open(config)?;
                let connector = config.text("name").unwrap_or_default();
                sink.suggestions().iter().for_each(|suggestion| info!(connector, "a setting may help: {suggestion}"));
                self.storage.get_or_init(|| opened)
            }
        };
        Ok(Box::new(StorageSinkTask::new(sink, Arc::clone(storage), self.permits.clone())))
    }
}

impl fmt::Debug for S3SinkConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3SinkConnector")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credentials_provider_has_no_keys_but_those_of_the_role() {
        let def = S3SinkConnector::config_def();
        for key in ["class", "sts.role.arn", "sts.role.session.name", "sts.role.external.id", "sts.region"] {
            assert!(def.knows(&format!("s3.credentials.provider.{key}")), "{key}");
        }
        for key in ["sts.role.arm", "sts.role.sesion.name", "role.arn", "anything"] {
            assert!(!def.knows(&format!("s3.credentials.provider.{key}")), "{key}");
        }
    }

    #[test]
    fn what_is_written_in_place_of_a_key_is_none_and_the_right_one_is() {
        let def = S3SinkConnector::config_def();
        let runtime_s = ["value.converter"];
        for (wrong, right) in MISTAKEN {
            assert!(!def.knows(wrong) && (def.knows(right) || runtime_s.contains(right)), "{wrong}: {right}");
        }
    }
}
