//! Keys of converters that people write, whether or not the converter is here yet, and whichever converter they have.

/// Keys of the converters of Apache Kafka, Confluent and AWS Glue.
const KEYS: [&str; 31] = [
    "schemas.enable",
    "schemas.cache.size",
    "schemas.cache.config",
    "decimal.format",
    "replace.null.with.default",
    "auto.register.schemas",
    "use.latest.version",
    "use.schema.id",
    "id.compatibility.strict",
    "latest.compatibility.strict",
    "enhanced.avro.schema.support",
    "enhanced.protobuf.schema.support",
    "connect.meta.data",
    "scrub.invalid.names",
    "generalized.sum.type.support",
    "key.subject.name.strategy",
    "value.subject.name.strategy",
    "max.schemas.per.subject",
    "proxy.host",
    "proxy.port",
    "dataFormat",
    "avroRecordType",
    "registry.name",
    "schemaName",
    "schemaAutoRegistrationEnabled",
    "schemaNameGenerationClass",
    "protobufMessageType",
    "jsonObjectType",
    "compressionType",
    "cacheSize",
    "timeToLiveMillis",
];

/// What other keys of them begin with.
const PREFIXES: [&str; 5] = ["schema.registry.", "basic.auth.", "bearer.auth.", "apicurio.", "rule."];

/// Whether some converter reads this key, which is written without a prefix.
pub(super) fn is_known(key: &str) -> bool {
    KEYS.contains(&key) || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}
